"""The plan service, assembled. Read this file first."""

from chassis.service import Service, create_app
from contracts.case import CASE
from contracts.notification import NOTIFICATION
from contracts.plan import PLAN
from contracts.values import PARTIES
from plan_service.api import router
from plan_service.documents.sweeping import sweeper
from plan_service.domain.case_end import case_end
from plan_service.domain.employment import employment
from plan_service.domain.tip import tip
from plan_service.reactions import reactions
from plan_service.views.cases import cases
from plan_service.views.employments import employments
from plan_service.views.timeline import timeline
from plan_service.views.tips import tips

service = Service(
    name="plan",
    title="Employers' plans for return to work",
    facts=PLAN,
    hears=(CASE, NOTIFICATION),
    aggregates=(employment, tip, case_end),
    router=router,
    parties=PARTIES,
    views=(employments, cases, timeline, tips),
    reactions=reactions,
    workers=(sweeper,),
)
app = create_app(service)
