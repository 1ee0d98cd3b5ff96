"""The notification service, assembled. Read this file first."""

from chassis.service import Service, create_app
from contracts.notification import NOTIFICATION
from contracts.values import PARTIES
from notification_service import delivery, firing
from notification_service.api import router
from notification_service.domain.agenda import agenda, apart
from notification_service.domain.contact import contact
from notification_service.reactions import reactions
from notification_service.settings import NotificationSettings
from notification_service.versions import SOURCES, Rules
from notification_service.views.deadlines import deadlines
from notification_service.views.hands import hands
from notification_service.views.reminders import reminders
from notification_service.views.timeline import timeline
from notification_service.views.timers import timers

rules = Rules(NotificationSettings().rulebooks())  # type: ignore[call-arg]

service = Service(
    name="notification",
    title="Samordna: deadlines, tasks and messages",
    facts=NOTIFICATION,
    hears=SOURCES,
    aggregates=(agenda, apart, contact),
    router=router,
    parties=PARTIES,
    views=(timers, deadlines, reminders, timeline, hands),
    reactions=reactions(rules),
    workers=(firing.worker(), delivery.worker(rules)),
)
app = create_app(service)
