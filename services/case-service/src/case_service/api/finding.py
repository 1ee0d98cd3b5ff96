"""Which case is meant? By its id, or by the number of the person whose open case it is."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from case_service.api.relation import of
from case_service.domain.case import case
from case_service.domain.commands import CaseUnknown
from case_service.domain.outcomes import case_id_of
from case_service.domain.situations import Case, Opened, Situation
from case_service.people import canonical, known
from case_service.views import cases
from chassis.days import local_day
from chassis.envelope import Actor
from chassis.http import Acting, Reading
from contracts.case import CaseEvent


async def seen(act: Acting, case_id: UUID, who: Actor) -> Opened:
    """The case, if this party may see it. Raises CaseUnknown."""
    return of(await act.load(case, case_id), who)


def came_of(situation: Situation, facts: Sequence[CaseEvent], same: Callable[[Case], Any]) -> Any:
    """What came of a command, by the state that was decided on: the new fact, or the one that says the same."""
    if facts:
        return facts[0]
    assert isinstance(situation, Opened)
    return same(situation.case)


async def open_case(act: Acting, read: Reading, runtime: Any, person_id: str) -> UUID:
    """The open case of the person with this number. Raises InvalidPersonId, and CaseUnknown where there is none."""
    person_ref = await known(runtime, canonical(person_id, local_day(act.now)))
    if person_ref is None:
        raise CaseUnknown
    rows = await of_person(read, person_ref)
    row = next((r for r in rows if r.status == cases.Status.OPEN), None)
    if row is None:
        raise CaseUnknown
    return row.case_id


async def open_or_next(read: Reading, person_ref: UUID) -> tuple[UUID, UUID | None]:
    """The person's open case, or the one that comes next (two who open at once name the same) and the one before it,
    which must not be opened again meanwhile."""
    rows = await of_person(read, person_ref)
    open_now = next((r.case_id for r in rows if r.status == cases.Status.OPEN), None)
    if open_now is not None:
        return open_now, None
    return case_id_of(person_ref, len(rows) + 1), rows[-1].case_id if rows else None


async def of_person(read: Reading, person_ref: UUID) -> list[cases.CaseRow]:
    async with read(cases.cases) as connection:
        return await cases.of_person(connection, person_ref)
