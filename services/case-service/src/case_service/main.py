"""The case service, assembled. Read this file first."""

from case_service.api import router
from case_service.domain.case import case
from case_service.domain.consent import consent
from case_service.domain.person import person
from case_service.domain.referral import referral
from case_service.ending import ending
from case_service.reactions import reactions
from case_service.views.cases import cases
from case_service.views.consents import consents
from case_service.views.deadlines import deadlines
from case_service.views.plans import plans
from case_service.views.referrals import referrals
from case_service.views.timeline import timeline
from chassis.service import Service, create_app
from contracts.case import CASE
from contracts.meeting import MEETING
from contracts.notification import NOTIFICATION
from contracts.plan import PLAN
from contracts.values import PARTIES

service = Service(
    name="case",
    title="Sick-leave cases, consents and referrals",
    facts=CASE,
    hears=(PLAN, MEETING, NOTIFICATION),
    aggregates=(person, case, consent, referral),
    router=router,
    parties=PARTIES,
    views=(cases, consents, referrals, timeline, plans, deadlines),
    reactions=reactions,
    workers=(ending,),
)
app = create_app(service)
