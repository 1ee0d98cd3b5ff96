"""Which case is meant, and is what we know of it good enough to decide on?"""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from chassis.envelope import Actor
from chassis.http import Reading
from meeting_service.api.relation import is_outside, of
from meeting_service.domain.meetings import Meetings, meetings

CASE = "case"
"""The service that owns cases, consents and referrals."""


async def seen(
    here: Any, case_id: UUID, who: Actor, today: date, *, rests: bool = False, read: Reading | None = None,
    among: Callable[[Meetings, Actor, date], Meetings] = of,
) -> Meetings:  # fmt: skip
    """The case's meetings, if this party is `among` those who may see them. Raises CaseUnknown. A read waits for
    what its Read-After asks for.

    What rests on consents, on a referral or on the case being open (`rests`), and whatever an outside party does, waits
    first until all that case-service had acknowledged by now is known here; 503 when that cannot be had."""
    if rests or is_outside(who):
        await here.level_with(CASE, case_id)
    known, _ = await (read or here).load(meetings, case_id)
    return among(known, who, today)
