"""Tasks over HTTP: a role's or a party's own, ticked off, given to a colleague."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import Field

from chassis.decider import Invalid
from chassis.envelope import Actor
from chassis.http import Act, Body, Page, Reads, allow
from notification_service.api.shown import DeadlinePage, deadline_page
from notification_service.api.who import FK, OWNERS
from notification_service.domain.agenda import agenda_for
from notification_service.domain.commands import Claimant, CompleteTask, DeadlineUnknown, DelegateTask
from notification_service.parties import names_of
from notification_service.rules import ROLES
from notification_service.views.deadlines import Deadline, deadline_of, deadlines, tasks_of

router = APIRouter()


class RoleUnknown(Invalid):
    reason = "There is no such role."
    do = "Name another role of your organisation."
    field = "to"


class DelegateBody(Body):
    """To whom a task is given: another role of the caller's organisation."""

    to: Annotated[str, Field(pattern=r"^[a-z]{2,8}\.[a-z_]{1,40}$", examples=["fk.specialist"])]


@router.get("/tasks", tags=["tasks"], summary="The open tasks of the caller's role or party, the longest due first")
async def tasks(read: Reads, page: Page, who: Annotated[Actor, allow(*FK, *OWNERS)]) -> DeadlinePage:
    async with read(deadlines) as connection:
        rows = await tasks_of(connection, who.role, names_of(who), page.after, page.limit + 1)
    return DeadlinePage(**deadline_page(rows, page, who))


@router.post("/tasks/{deadlineId}/done", tags=["tasks"], summary="Tick a task off")
async def complete(
    deadline_id: Annotated[UUID, Path(alias="deadlineId")],
    act: Act,
    read: Reads,
    who: Annotated[Actor, allow(*FK, *OWNERS)],
) -> dict[str, Any]:
    found = await _found(read, deadline_id, who)
    act.concerning(case_id=found.case_id)
    command = CompleteTask(deadline_id=deadline_id, who=_claimant(who), at=act.now)
    keeper = agenda_for(found.case_id)
    done = await act(keeper, found.agenda_id, command, answer={"deadlineId": str(deadline_id)})
    return dict(done.answer)


@router.post("/tasks/{deadlineId}/delegations", tags=["tasks"], summary="Give a task to a colleague's role")
async def delegate(
    deadline_id: Annotated[UUID, Path(alias="deadlineId")],
    body: DelegateBody,
    act: Act,
    read: Reads,
    who: Annotated[Actor, allow(*FK, *OWNERS)],
) -> dict[str, Any]:
    if body.to not in ROLES:
        raise RoleUnknown
    found = await _found(read, deadline_id, who)
    act.concerning(case_id=found.case_id)
    command = DelegateTask(deadline_id=deadline_id, who=_claimant(who), to=body.to)
    answer = {"deadlineId": str(deadline_id), "to": body.to}
    done = await act(agenda_for(found.case_id), found.agenda_id, command, answer=answer)
    return dict(done.answer)


async def _found(read: Any, deadline_id: UUID, who: Actor) -> Deadline:
    """The deadline, if there is one that the caller may know of. Raises DeadlineUnknown."""
    async with read(deadlines) as connection:
        found = await deadline_of(connection, deadline_id)
    names = names_of(who)
    if found is None or (names and not (found.owner_ref in names and found.owner_sees)):
        raise DeadlineUnknown
    return found


def _claimant(who: Actor) -> Claimant:
    return Claimant(role=who.role, names=names_of(who))
