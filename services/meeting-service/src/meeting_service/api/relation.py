"""Whose meeting is it? The one place where those who may see a meeting are told from everybody else.

FK sees every meeting, the insured person those of the own case. Another party sees what it proposed, and what it is
invited to for as long as the person's consent holds; without it only what it has called itself, until that is held.
What a party may not see looks to it exactly like what does not exist.
"""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request

from chassis.envelope import Actor
from chassis.http import allow
from contracts.meeting import MeetingProposed, Party
from meeting_service.domain.commands import CaseUnknown, MeetingUnknown
from meeting_service.domain.heard import is_related, lacks_consent
from meeting_service.domain.meetings import Meetings
from meeting_service.domain.parties import ref_of
from meeting_service.domain.situations import Called, Cancelled, Meeting, Proposed, Situation, about_of

HANDLER, OFFICER = "fk.handler", "af.officer"
AT_FK = (HANDLER, "fk.unit_manager", "fk.specialist", "fk.collab_lead")
OUTSIDE = (
    "emp.hr", "emp.manager", "care.coordinator", OFFICER, "mun.officer", "finsam.officer", "ohs.provider", "union.rep",
)  # fmt: skip
"""Who answers for a party that is invited under consent. The role codes of a municipality's social worker and of a
samordningsförbund's office are ours: no source gives them any [A]."""
FREE = frozenset({Party.FK, Party.PERSON})
"""Who needs nobody's consent to see a meeting."""

Proposer = Annotated[Actor, allow("person", "emp.hr", "emp.manager", "care.coordinator", OFFICER)]
Caller = Annotated[Actor, allow(HANDLER, "emp.hr", "emp.manager", "care.coordinator")]
Guest = Annotated[Actor, allow(HANDLER, "person", *OUTSIDE)]
Reader = Annotated[Actor, allow(*AT_FK, "person", *OUTSIDE)]
Lister = Annotated[Actor, allow(*AT_FK, "person")]
Assessor = Annotated[Actor, allow(HANDLER, OFFICER)]
AssessmentReader = Annotated[Actor, allow(*AT_FK, OFFICER, "person")]
Commenter = Annotated[Actor, allow(OFFICER, "person")]
MINUTES_COMMENTERS = ("person", "emp.hr", "emp.manager", "care.coordinator", OFFICER)
MinutesCommenter = Annotated[Actor, allow(*MINUTES_COMMENTERS)]


def party(who: Actor) -> str:
    """Who is calling, as facts name parties: an insured person by the reference in the token."""
    role = Party(who.org_type)
    return ref_of(role, who.user_ref if role is Party.PERSON else who.org_id)


def is_outside(who: Actor) -> bool:
    return Party(who.org_type) not in FREE


def of(known: Meetings, who: Actor, today: date) -> Meetings:
    """The case's meetings, if this party has anything to do with the case. Raises CaseUnknown."""
    if not is_related(known.grounds, party(who), today):
        raise CaseUnknown
    return known


def as_caller(known: Meetings, who: Actor, today: date) -> Meetings:
    """As `of`, also for a party that called a meeting and has no consent any more: nobody else may take that off, or
    say that it was held."""
    called = (m.meeting.called.called_by for m in known.meetings.values() if isinstance(m, Called))
    return known if party(who) in called else of(known, who, today)


def meeting_of(known: Meetings, meeting_id: UUID, who: Actor, today: date) -> Situation:
    """The meeting, if there is one that this party may see. Raises MeetingUnknown."""
    found, me = known.meeting(meeting_id), party(who)
    match subject(found):
        case None:
            raise MeetingUnknown
        case _ if not is_outside(who):
            return found
        case MeetingProposed() as proposed if proposed.proposed_by == me:
            return found
        case Meeting(called=called) if called.called_by == me and isinstance(found, Called):
            return found  # whoever called it may still take it off, or say that it was held
        case Meeting() as meeting if meeting.participant(me) is not None:
            if lacks_consent(known.grounds, meeting.called.kind, me, today):
                raise MeetingUnknown
            return found
        case _:
            raise MeetingUnknown


def may_read(known: Meetings, meeting_id: UUID, who: Actor, today: date) -> bool:
    """Would this party be shown the meeting?"""
    try:
        meeting_of(of(known, who, today), meeting_id, who, today)
    except (CaseUnknown, MeetingUnknown):
        return False
    return True


def subject(found: Situation) -> Meeting | MeetingProposed | None:
    """What it is about, whatever became of it: a meeting, one that was only proposed, or nothing."""
    match found:
        case Proposed():
            return found.proposed
        case Cancelled():
            return found.before
        case _:
            return about_of(found)


async def _runtime(request: Request) -> Any:
    return request.app.state.runtime


Here = Annotated[Any, Depends(_runtime)]
"""This service at work: its streams, and those whom it hears."""
