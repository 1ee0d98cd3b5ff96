"""What does each caller see of a deadline, and what may it do about it?"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from chassis.envelope import Actor
from chassis.http import Body, Page, paged
from notification_service.parties import names_of
from notification_service.views.deadlines import Deadline


class Link(Body):
    """What the caller may do about this."""

    rel: str
    method: str
    href: str


class DeadlineItem(Body):
    """A deadline: what somebody has to do, about what, by when, and what has become of it."""

    deadline_id: UUID
    case_id: UUID | None
    kind: Annotated[str, Field(examples=["REQUESTED_PLAN"])]
    about: UUID
    due_at: datetime
    set_at: datetime
    owner_role: str
    owner_ref: str
    rule: str
    rule_version: str
    status: Annotated[str, Field(description="OPEN, MET or CANCELLED")]
    missed: bool
    escalated_to: Annotated[str | None, Field(description="The role it has come to")]
    delegated_to: Annotated[str | None, Field(description="The role it was given to; its owner still answers for it")]
    ended_at: datetime | None
    unreached: Annotated[str | None, Field(description="Why a message about it could not reach its party")]
    links: list[Link]


class DeadlinePage(Body):
    items: list[DeadlineItem]
    next: str | None


def deadline_page(rows: list[Deadline], page: Page, who: Actor) -> dict[str, Any]:
    found = paged(rows, page, key=lambda d: (d.due_at, d.deadline_id))
    return {"items": [_deadline(r, who) for r in found["items"]], "next": found["next"]}


def _deadline(row: Deadline, who: Actor) -> DeadlineItem:
    theirs = row.status == "OPEN" and (row.owner_ref in names_of(who) or who.role in row.roles.split())
    offered = [("done", "done")] if theirs and row.by_hand else []
    offered += [("delegate", "delegations")] if theirs else []
    links = [Link(rel=rel, method="POST", href=f"/v1/tasks/{row.deadline_id}/{path}") for rel, path in offered]
    hidden = {"agenda_id", "by_hand", "owner_sees", "roles", "escalated_to", "unreached", "delegated_to"}
    at_fk = who.org_type == "FK"
    return DeadlineItem(
        **{k: v for k, v in row.__dict__.items() if k not in hidden},
        escalated_to=(row.escalated_to or None) if at_fk else None,
        unreached=(row.unreached or None) if at_fk else None,
        delegated_to=row.delegated_to or None,
        links=links,
    )
