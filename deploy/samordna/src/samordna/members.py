"""Which services does the local stack run, and who hears whom?"""

from collections.abc import Sequence

from chassis.decider import record
from chassis.servers import NatsUser, operator, service_user


@record
class Member:
    """A service: its name, the module that holds its manifest, and the services it hears."""

    name: str
    module: str
    hears: tuple[str, ...]


MEMBERS: tuple[Member, ...] = (
    Member(name="case", module="case_service.main", hears=("plan", "meeting", "notification")),
    Member(name="plan", module="plan_service.main", hears=("case", "notification")),
    Member(name="meeting", module="meeting_service.main", hears=("case",)),
    Member(name="notification", module="notification_service.main", hears=("case", "plan", "meeting")),
)


def nats_users(members: Sequence[Member] = MEMBERS) -> tuple[NatsUser, ...]:
    """Everybody who may connect to the broker."""
    return (*(service_user(m.name, m.hears) for m in members), operator())
