"""All meetings of one case, and what they rest on: one stream. Who decides what that is asked here?

One meeting's rules stand in `meeting.py`, a joint assessment's in `assessment.py`, what is noted of others' events in
`heard.py`. Here they meet: a consent that ends marks every meeting that rests on it, the end of the case cancels those
that lie ahead.
"""

from collections.abc import Mapping, Sequence
from typing import assert_never
from uuid import UUID

from chassis.decider import Aggregate, Decider, but, record
from contracts.meeting import (
    CancelReason,
    CaseNoted,
    ConsentNoted,
    JointAssessmentHeld,
    MeetingCancelled,
    MeetingEvent,
    ParticipationEnded,
    PartyCommented,
    ReferralNoted,
)
from meeting_service.domain import assessment, meeting
from meeting_service.domain.assessment import Assessed, AssessmentCommand, HoldJointAssessment, NotAssessed
from meeting_service.domain.commands import CaseUnknown, MeetingCommand
from meeting_service.domain.heard import (
    NOTHING,
    Grounds,
    Note,
    NoteCase,
    NoteCaseClosed,
    NoteCaseReopened,
    NoteConsent,
    NoteConsentEnded,
    NoteEmployer,
    NoteReferral,
    case_noted,
    consent_end_noted,
    consent_noted,
    employer_noted,
    learnt,
    opening_noted,
    referral_noted,
)
from meeting_service.domain.outcomes import called_off, part_ended
from meeting_service.domain.situations import Called, NotThere, Proposed, Situation, about_of, evolve, has_come

# --- what we know ---


@record
class Meetings:
    """How things stand around the case, its meetings by id, and its joint assessments by referral. `changes` counts
    what has happened to each meeting."""

    grounds: Grounds
    meetings: Mapping[UUID, Situation]
    assessments: Mapping[UUID, Assessed]
    changes: Mapping[UUID, int]

    def meeting(self, meeting_id: UUID) -> Situation:
        """The meeting, with how things stand around it now."""
        return but(self.meetings.get(meeting_id, NotThere()), grounds=self.grounds)

    def version(self, meeting_id: UUID) -> int:
        """A meeting's own version, which no other meeting moves on; 0 for what is not there."""
        return self.changes.get(meeting_id, 0)

    def assessment(self, command: AssessmentCommand) -> NotAssessed | Assessed:
        """What is known of an assessment, with what it would rest on."""
        if (known := self.assessments.get(command.referral_id)) is not None:
            return but(known, grounds=self.grounds)
        at = command.meeting_id if isinstance(command, HoldJointAssessment) else None
        return NotAssessed(
            grounds=self.grounds,
            referral=self.grounds.referrals.get(command.referral_id),
            meeting=self.meetings.get(at) if at is not None else None,
        )


def evolve_all(known: Meetings, fact: MeetingEvent) -> Meetings:
    match fact:
        case CaseNoted() | ConsentNoted() | ReferralNoted():
            return but(known, grounds=learnt(known.grounds, fact))
        case JointAssessmentHeld():
            made = assessment.evolve(NotAssessed(), fact)
            return but(known, assessments={**known.assessments, fact.referral_id: made})
        case PartyCommented() if (of := _assessed(known, fact.about)) is not None:
            made = assessment.evolve(of, fact)
            return but(known, assessments={**known.assessments, of.assessment.referral_id: made})
        case _:
            assert fact.meeting_id is not None
            made = evolve(known.meetings.get(fact.meeting_id, NotThere()), fact)
            return but(
                known,
                meetings={**known.meetings, fact.meeting_id: made},
                changes={**known.changes, fact.meeting_id: known.version(fact.meeting_id) + 1},
            )


def _assessed(known: Meetings, assessment_id: UUID) -> Assessed | None:
    return next((a for a in known.assessments.values() if a.assessment.assessment_id == assessment_id), None)


# --- what is answered ---

Command = MeetingCommand | AssessmentCommand | Note


def decide(command: Command, known: Meetings) -> Sequence[MeetingEvent]:
    """Raises CaseUnknown for all that is asked about a case that we have not heard of, but notes are taken."""
    if isinstance(command, Note):
        return _noted(command, known)
    if known.grounds.case is None:
        raise CaseUnknown
    if isinstance(command, AssessmentCommand):
        return assessment.decide(command, known.assessment(command))
    return meeting.decide(command, known.meeting(command.meeting_id))


def _noted(note: Note, known: Meetings) -> Sequence[MeetingEvent]:
    match note:
        case NoteCase():
            return case_noted(note, known.grounds)
        case NoteEmployer():
            return employer_noted(note, known.grounds)
        case NoteCaseClosed():
            return _closed(note, known)
        case NoteCaseReopened():
            return opening_noted(None, known.grounds)
        case NoteConsent():
            return consent_noted(note, known.grounds)
        case NoteConsentEnded():
            ended = consent_end_noted(note, known.grounds)
            return [*ended, *_all_marked(note.consent_id, known)] if ended else []
        case NoteReferral():
            return referral_noted(note, known.grounds)
        case _:
            assert_never(note)


def _closed(note: NoteCaseClosed, known: Meetings) -> Sequence[MeetingEvent]:
    """Consents end with their case. That is noted at once: each one's end is told later, and the case may have been
    opened again by then."""
    closed = opening_noted(note.at, known.grounds)
    if not closed:
        return []
    ended = [but(c, standing=False, ended_at=note.at) for c in known.grounds.consents.values() if c.standing]
    marked = [part for c in ended for part in _all_marked(c.consent_id, known)]
    return [*closed, *ended, *_all_called_off(note, known), *marked]


def _all_called_off(note: NoteCaseClosed, known: Meetings) -> list[MeetingCancelled]:
    """Those that lie ahead. One whose time had come before the case was closed may have taken place."""
    ahead = [m for m in known.meetings.values() if isinstance(m, Proposed | Called) and not has_come(m, note.at)]
    return [called_off(m, CancelReason.CASE_CLOSED, note.at) for m in ahead]


def _all_marked(consent_id: UUID, known: Meetings) -> list[ParticipationEnded]:
    there = [about_of(m) for m in known.meetings.values()]
    return [ended for m in there if m is not None for ended in part_ended(m, consent_id)]


NO_MEETINGS = Meetings(grounds=NOTHING, meetings={}, assessments={}, changes={})
decider: Decider[Command, Meetings, MeetingEvent] = Decider(initial=NO_MEETINGS, decide=decide, evolve=evolve_all)
meetings = Aggregate("meetings", decider)
