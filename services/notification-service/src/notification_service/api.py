"""Contacts, tasks and what happened in a case, over HTTP."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import Field

from chassis.days import local_day
from chassis.decider import Invalid, Unknown
from chassis.envelope import Actor
from chassis.http import Act, Body, Page, Reads, allow, paged
from contracts.notification import ReminderChannel
from notification_service.domain.agenda import agenda_for
from notification_service.domain.commands import Claimant, CompleteTask, DeadlineUnknown, DelegateTask
from notification_service.domain.contact import SetContact, contact
from notification_service.letters import letter
from notification_service.parties import inbox_of, is_party, name_of, names_of, party_key
from notification_service.rules import ROLES
from notification_service.views.deadlines import HANDLER, Deadline, Wanted, deadline_of, deadlines, tasks_of
from notification_service.views.deadlines import of_case as deadlines_of_case
from notification_service.views.hands import Hands, hands
from notification_service.views.reminders import Reminder, inbox, reminders
from notification_service.views.timeline import Happening, timeline
from notification_service.views.timeline import of_case as timeline_of_case

router = APIRouter()

FK = ("fk.handler", "fk.unit_manager", "fk.specialist", "fk.collab_lead")
EMPLOYER = ("emp.hr", "emp.manager")
PARTY = (*EMPLOYER, "care.coordinator", "af.officer", "person", "ohs.provider", "union.rep")
OWNERS = (*PARTY, "av.inspector")
PHONE = r"^\+[1-9][0-9]{6,14}$"
ADDRESS = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$"


class InvalidPartyRef(Invalid):
    reason = (
        "A party is named employer:<organisation number> (or care, af, mun, finsam, ohs, union) or person:<its id>."
    )
    do = "Check the number: ten digits of a legal person."
    field = "partyRef"


class PartyUnknown(Unknown):
    reason = "There is no such party, or not for you."


class RoleUnknown(Invalid):
    reason = "There is no such role."
    do = "Name another role of your organisation."
    field = "to"


class AddressMissing(Invalid):
    reason = "E-mail can be chosen only with an address."
    do = "Give an address, or choose another channel."
    field = "address"


class PhoneMissing(Invalid):
    reason = "SMS can be chosen only with a number."
    do = "Give a number such as +46700000000, or choose another channel."
    field = "phone"


class CaseUnknown(Unknown):
    reason = "Nothing is known here about such a case, or not for you."


class Language(StrEnum):
    SV = "sv"
    EN = "en"


class Offered(StrEnum):
    """The channels that can be chosen today."""

    EMAIL = "EMAIL"
    SMS = "SMS"
    PORTAL = "PORTAL"


class ContactBody(Body):
    """Where a party wants its messages. An organisation's address is a function's, such as hr@..., rather than a
    person's. What comes by e-mail or SMS says only that there is a message."""

    channels: Annotated[list[Offered], Field(min_length=1, max_length=3, examples=[["EMAIL", "PORTAL"]])]
    language: Language = Language.SV
    address: Annotated[str | None, Field(pattern=ADDRESS, max_length=254, examples=["hr@example.com"])] = None
    phone: Annotated[str | None, Field(pattern=PHONE, examples=["+46700000000"])] = None


class DelegateBody(Body):
    """To whom a task is given: another role of the caller's organisation."""

    to: Annotated[str, Field(pattern=r"^[a-z]{2,8}\.[a-z_]{1,40}$", examples=["fk.specialist"])]


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


class Happened(Body):
    """Something this service did: `at` is when it was done, `dueAt` the true time it belongs to."""

    position: int
    at: datetime
    event: str
    kind: str
    about: UUID
    due_at: datetime | None
    who: str
    detail: str


class Message(Body):
    """A message in a party's inbox."""

    reminder_id: UUID
    about: UUID
    at: datetime
    subject: str
    text: str


class DeadlinePage(Body):
    items: list[DeadlineItem]
    next: str | None


class TimelinePage(Body):
    items: list[Happened]
    next: str | None


class MessagePage(Body):
    items: list[Message]
    next: str | None


# --- contacts ---


@router.put("/contacts/{partyRef}", tags=["contacts"], summary="Say where a party wants its messages")
async def set_contact(
    party_ref: Annotated[str, Path(alias="partyRef", max_length=80, examples=["employer:5560125790"])],
    body: ContactBody,
    act: Act,
    who: Annotated[Actor, allow(*PARTY, "fk.handler")],
) -> dict[str, Any]:
    if not is_party(party_ref):
        raise InvalidPartyRef
    if who.org_type != "FK" and party_ref != name_of(who):
        raise PartyUnknown
    if Offered.EMAIL in body.channels and not body.address:
        raise AddressMissing
    if Offered.SMS in body.channels and not body.phone:
        raise PhoneMissing
    command = SetContact(
        party_ref=party_ref,
        party_key=party_key(party_ref),
        channels=tuple(ReminderChannel(c) for c in dict.fromkeys(body.channels)),
        language=body.language.value,
        address=body.address or "",
        phone=body.phone or "",
    )
    answer = {"partyRef": party_ref, "channels": [c.value for c in command.channels], "language": command.language}
    done = await act(contact, command.party_key, command, answer=answer)
    return dict(done.answer)


# --- tasks ---


@router.get(
    "/tasks",
    tags=["tasks"],
    summary="The open tasks of the caller's role or party, the longest due first",
    description="A handler gets those of the cases that it handles or stands in for today, and of those that nobody "
    "handles, so that none is overlooked; with `hands=ALL` those of every handler. Other roles are not assigned cases.",
)
async def tasks(
    act: Act,
    read: Reads,
    page: Page,
    who: Annotated[Actor, allow(*FK, *OWNERS)],
    whose: Annotated[Hands, Query(alias="hands", description="Whose cases; for a handler")] = Hands.MINE,
    case_id: Annotated[UUID | None, Query(alias="caseId", description="Only of this case")] = None,
    kind: Annotated[str | None, Query(pattern=r"^[A-Z0-9_]{1,60}$", description="Only of this kind")] = None,
) -> DeadlinePage:
    handler = who.user_ref if who.role == HANDLER and whose is Hands.MINE else None
    wanted = Wanted(handler=handler, today=local_day(act.now), case_id=case_id, kind=kind)
    async with read(hands), read(deadlines) as connection:
        rows = await tasks_of(connection, who.role, names_of(who), wanted, page.after, page.limit + 1)
    return DeadlinePage(**_deadlines(rows, page, who))


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


# --- cases ---


@router.get("/cases/{caseId}/deadlines", tags=["cases"], summary="A case's deadlines; a party sees its own")
async def case_deadlines(
    case_id: Annotated[UUID, Path(alias="caseId")],
    read: Reads,
    page: Page,
    who: Annotated[Actor, allow(*FK, *OWNERS)],
) -> DeadlinePage:
    owner = None if who.org_type == "FK" else names_of(who)
    async with read(deadlines) as connection:
        rows = await deadlines_of_case(connection, case_id, owner, page.after, page.limit + 1)
    if not rows and page.after is None:
        raise CaseUnknown
    return DeadlinePage(**_deadlines(rows, page, who))


@router.get("/cases/{caseId}/timeline", tags=["cases"], summary="What has happened to a case's deadlines, in order")
async def case_timeline(
    case_id: Annotated[UUID, Path(alias="caseId")], read: Reads, page: Page, who: Annotated[Actor, allow(*FK)]
) -> TimelinePage:
    async with read(timeline) as connection:
        rows = await timeline_of_case(connection, case_id, page.after, page.limit + 1)
    if not rows and page.after is None:
        raise CaseUnknown
    found = paged([_happened(r) for r in rows], page, key=lambda h: (h.position,))
    return TimelinePage(**found)


# --- the inbox ---


@router.get(
    "/messages", tags=["messages"], summary="The inbox of the caller's organisation or person, the newest first"
)
async def messages(read: Reads, page: Page, who: Annotated[Actor, allow(*FK, *OWNERS)]) -> MessagePage:
    async with read(reminders) as connection:
        rows = await inbox(connection, inbox_of(who), page.after, page.limit + 1)
    found = paged(rows, page, key=lambda r: (r.due_at, r.reminder_id))
    return MessagePage(items=[_message(r) for r in found["items"]], next=found["next"])


# --- from rows to bodies ---


def _deadlines(rows: list[Deadline], page: Page, who: Actor) -> dict[str, Any]:
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


def _happened(row: Happening) -> Happened:
    return Happened(**{k: v for k, v in row.__dict__.items() if k not in ("case_id", "agenda_id")})


def _message(row: Reminder) -> Message:
    text = letter(row.template_id)
    return Message(reminder_id=row.reminder_id, about=row.about, at=row.due_at, subject=text.subject, text=text.body)
