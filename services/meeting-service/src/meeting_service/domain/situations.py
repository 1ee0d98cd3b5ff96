"""What do we know of one meeting, and how does each fact change it?"""

from collections.abc import Mapping
from datetime import datetime
from typing import assert_never

from chassis.decider import but, record
from contracts.meeting import (
    MeetingAnswered,
    MeetingCalled,
    MeetingCancelled,
    MeetingHeld,
    MeetingMinutesAmended,
    MeetingMinutesApproved,
    MeetingMoved,
    MeetingProposed,
    Participant,
    ParticipationEnded,
    PartyCommented,
)
from meeting_service.domain.heard import NOTHING, Grounds

Minutes = MeetingMinutesApproved | MeetingMinutesAmended
MeetingFact = (
    MeetingProposed
    | MeetingCalled
    | MeetingAnswered
    | MeetingMoved
    | MeetingHeld
    | Minutes
    | MeetingCancelled
    | PartyCommented
    | ParticipationEnded
)


@record
class Meeting:
    """A meeting that was called. `answers` are those to the arrangement that stands; `ended` are parties whose consent
    has ended since they were asked."""

    called: MeetingCalled
    standing: MeetingCalled | MeetingMoved
    answers: Mapping[str, MeetingAnswered]
    ended: frozenset[str] = frozenset()

    def participant(self, ref: str) -> Participant | None:
        return next((p for p in self.standing.participants if p.ref == ref), None)

    @property
    def refs(self) -> tuple[str, ...]:
        return tuple(p.ref for p in self.standing.participants)


@record
class Around:
    """Whatever the meeting, how things stand around it: put in by whoever looks the meeting up."""

    grounds: Grounds = NOTHING


@record
class NotThere(Around):
    """no such meeting"""


@record
class Proposed(Around):
    """a meeting that is proposed"""

    proposed: MeetingProposed


@record
class Called(Around):
    """a meeting that is called"""

    meeting: Meeting


@record
class Held(Around):
    """a meeting that was held"""

    meeting: Meeting
    held: MeetingHeld


@record
class Minuted(Around):
    """a meeting with approved minutes"""

    meeting: Meeting
    held: MeetingHeld
    versions: tuple[Minutes, ...]
    comments: tuple[PartyCommented, ...] = ()

    @property
    def minutes(self) -> Minutes:
        return self.versions[-1]


@record
class Cancelled(Around):
    """a meeting that is cancelled"""

    before: MeetingProposed | Meeting
    cancelled: MeetingCancelled


Situation = NotThere | Proposed | Called | Held | Minuted | Cancelled


def about_of(situation: Situation) -> Meeting | None:
    """The meeting, whatever became of it; None where none was called."""
    match situation:
        case Called() | Held() | Minuted():
            return situation.meeting
        case Cancelled(before=Meeting() as before):
            return before
        case _:
            return None


def has_come(situation: Proposed | Called, moment: datetime) -> bool:
    """Had the time come by then for which it was called?"""
    return isinstance(situation, Called) and situation.meeting.standing.starts_at <= moment


def evolve(situation: Situation, fact: MeetingFact) -> Situation:
    match fact:
        case MeetingProposed():
            return Proposed(proposed=fact)
        case MeetingCalled():
            return Called(meeting=Meeting(called=fact, standing=fact, answers={}))
        case MeetingCancelled():
            assert isinstance(situation, Proposed | Called)
            before = situation.proposed if isinstance(situation, Proposed) else situation.meeting
            return Cancelled(before=before, cancelled=fact)
        case MeetingHeld():
            assert isinstance(situation, Called)
            return Held(meeting=situation.meeting, held=fact)
        case MeetingMinutesApproved():
            assert isinstance(situation, Held)
            return Minuted(meeting=situation.meeting, held=situation.held, versions=(fact,))
        case MeetingMinutesAmended():
            assert isinstance(situation, Minuted)
            return but(situation, versions=(*situation.versions, fact))
        case PartyCommented():
            assert isinstance(situation, Minuted)
            return but(situation, comments=(*situation.comments, fact))
        case ParticipationEnded() if isinstance(situation, Cancelled):
            assert isinstance(situation.before, Meeting)
            return but(situation, before=_changed(situation.before, fact))
        case MeetingAnswered() | MeetingMoved() | ParticipationEnded():
            assert isinstance(situation, Called | Held | Minuted)
            return but(situation, meeting=_changed(situation.meeting, fact))
        case _:
            assert_never(fact)


def _changed(meeting: Meeting, fact: MeetingAnswered | MeetingMoved | ParticipationEnded) -> Meeting:
    match fact:
        case MeetingAnswered():
            return but(meeting, answers={**meeting.answers, fact.ref: fact})
        case MeetingMoved():
            return but(meeting, standing=fact, answers={}, ended=frozenset[str]())
        case ParticipationEnded():
            return but(meeting, ended=meeting.ended | {fact.ref})
