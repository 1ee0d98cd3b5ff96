"""The meeting service, assembled. Read this file first."""

from chassis.service import Service, create_app
from contracts.case import CASE
from contracts.meeting import MEETING
from contracts.values import PARTIES
from meeting_service.api import router
from meeting_service.domain.meetings import meetings as aggregate
from meeting_service.reactions import reactions
from meeting_service.views.invitations import invitations
from meeting_service.views.meetings import meetings

service = Service(
    name="meeting",
    title="Meetings about a case, and joint assessments",
    facts=MEETING,
    hears=(CASE,),
    aggregates=(aggregate,),
    router=router,
    parties=PARTIES,
    views=(meetings, invitations),
    reactions=reactions,
)
app = create_app(service)
