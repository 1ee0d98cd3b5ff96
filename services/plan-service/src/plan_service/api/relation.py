"""Whose employment is it? The one place where an employer's own is told from everybody else's.

What an employer may not touch looks to it exactly like what does not exist (relations, consent and disclosure will
stand here too).
"""

from typing import Annotated

from chassis.envelope import Actor
from chassis.http import allow
from plan_service.domain.commands import EmploymentUnknown
from plan_service.domain.situations import NotRegistered, Registered

FK = "FK"
HANDLER, SPECIALIST = "fk.handler", "fk.specialist"
AT_THE_EMPLOYER = ("emp.hr", "emp.manager")
AT_FK = (HANDLER, "fk.unit_manager", SPECIALIST, "fk.collab_lead")

INSPECTOR = "av.inspector"
AV = "AV"
TIPPERS = (HANDLER, "fk.collab_lead")
"""Who at FK sends tips [A]."""

Handler = Annotated[Actor, allow(HANDLER)]
Writer = Annotated[Actor, allow(*AT_THE_EMPLOYER, HANDLER)]
Assessor = Annotated[Actor, allow(HANDLER, SPECIALIST)]
Reader = Annotated[Actor, allow(*AT_FK, *AT_THE_EMPLOYER)]
Tipper = Annotated[Actor, allow(*TIPPERS)]
Inspector = Annotated[Actor, allow(INSPECTOR)]
TipReader = Annotated[Actor, allow(*AT_FK, INSPECTOR)]


def own_org(who: Actor) -> str | None:
    """The organisation that everybody but FK is confined to; None for FK."""
    return None if who.org_type == FK else who.org_id


def of(situation: NotRegistered | Registered, who: Actor) -> Registered:
    """The employment, if there is one that this party may see. Raises EmploymentUnknown."""
    if isinstance(situation, NotRegistered):
        raise EmploymentUnknown
    own = own_org(who)
    if own is not None and situation.employment.registration.org_nr != own:
        raise EmploymentUnknown
    return situation
