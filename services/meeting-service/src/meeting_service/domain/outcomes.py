"""What exactly is written down when the table in `meeting.py` says yes? What is given is held against itself here."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID, uuid5

from contracts.meeting import (
    Agreement,
    CancelReason,
    MeetingAnswered,
    MeetingCalled,
    MeetingCancelled,
    MeetingHeld,
    MeetingKind,
    MeetingMinutesAmended,
    MeetingMinutesApproved,
    MeetingMoved,
    MeetingProposed,
    Participant,
    ParticipationEnded,
    Party,
    PartyCommented,
)
from meeting_service.domain.commands import (
    AgreementOfStranger,
    AgreementPassed,
    AgreementUnknown,
    AmendMinutes,
    AnswerMeeting,
    ApproveMinutes,
    CallMeeting,
    CancelMeeting,
    CommentMinutes,
    HeldAnotherTime,
    HoldMeeting,
    Invited,
    MoveMeeting,
    ParticipantTwice,
    Promise,
    ProposeMeeting,
    StartHasPassed,
    StrangerPresent,
    WishedByPassed,
)
from meeting_service.domain.heard import Grounds, consent_of
from meeting_service.domain.parties import party_of, person_of, ref_of
from meeting_service.domain.situations import Called, Held, Meeting, Minuted, Minutes, NotThere, Proposed

# --- ids: worked out, not drawn, so that the same command says the same ---


def minutes_ref_of(meeting_id: UUID) -> UUID:
    return uuid5(meeting_id, "minutes")


def _agreement_id(meeting_id: UUID, number: int) -> UUID:
    return uuid5(meeting_id, f"agreement/{number}")


# --- before the meeting ---


def proposed(command: ProposeMeeting, known: NotThere) -> MeetingProposed:
    if command.wished_by < command.today:
        raise WishedByPassed
    case = known.grounds.noted
    return MeetingProposed(
        meeting_id=command.meeting_id,
        case_id=case.case_id,
        person_ref=case.person_ref,
        proposed_by=command.by,
        kind=command.kind,
        purpose=command.purpose,
        wished_by=command.wished_by,
    )


def called(command: CallMeeting, known: NotThere | Proposed) -> MeetingCalled:
    case, a = known.grounds.noted, command.arrangement
    if a.starts_at <= command.at:
        raise StartHasPassed
    refs = refs_of(command.invited, known.grounds)
    if len(refs) != len(set(refs)):
        raise ParticipantTwice
    required = {r for r, i in zip(refs, command.invited, strict=True) if i.required}
    return MeetingCalled(
        meeting_id=command.meeting_id,
        case_id=case.case_id,
        person_ref=case.person_ref,
        called_by=command.by,
        kind=command.kind,
        situation_code=command.situation_code,
        arrangement=1,
        starts_at=a.starts_at,
        minutes=a.minutes,
        form=a.form,
        link_ref=a.link_ref,
        participants=tuple(_seated(r, r in required, command.kind, known.grounds, command.today) for r in refs),
        purpose=command.purpose,
        short_notice=a.short_notice_agreed,
    )


def refs_of(invited: Sequence[Invited], grounds: Grounds) -> tuple[str, ...]:
    """The invited as facts name them."""
    person = person_of(grounds.noted.person_ref)
    return tuple(person if i.role is Party.PERSON else ref_of(i.role, i.org_id) for i in invited)


def _seated(ref: str, required: bool, kind: MeetingKind, grounds: Grounds, today: date) -> Participant:
    consent = consent_of(grounds, kind, ref, today)
    return Participant(
        ref=ref, role=party_of(ref), required=required, consent_id=consent.consent_id if consent else None
    )


def answered(command: AnswerMeeting, meeting: Meeting) -> MeetingAnswered:
    participant = meeting.participant(command.by)
    assert participant is not None
    return MeetingAnswered(
        meeting_id=command.meeting_id,
        case_id=meeting.called.case_id,
        ref=command.by,
        answer=command.answer,
        arrangement=meeting.standing.arrangement,
        required=participant.required,
    )


def moved(command: MoveMeeting, known: Called) -> MeetingMoved:
    a, meeting = command.arrangement, known.meeting
    if a.starts_at <= command.at:
        raise StartHasPassed
    kind = meeting.called.kind
    return MeetingMoved(
        meeting_id=command.meeting_id,
        case_id=meeting.called.case_id,
        called_by=meeting.called.called_by,
        kind=kind,
        arrangement=meeting.standing.arrangement + 1,
        starts_at=a.starts_at,
        minutes=a.minutes,
        form=a.form,
        link_ref=a.link_ref,
        participants=tuple(
            _seated(p.ref, p.required, kind, known.grounds, command.today) for p in meeting.standing.participants
        ),
        reason=command.reason,
        short_notice=a.short_notice_agreed,
    )


def cancelled(command: CancelMeeting, known: Proposed | Called) -> MeetingCancelled:
    return called_off(known, command.reason, command.at)


def called_off(known: Proposed | Called, reason: CancelReason, at: datetime) -> MeetingCancelled:
    """Whoever it is that takes it off: the caller, or the end of the case."""
    if isinstance(known, Proposed):
        was, refs, ahead = known.proposed, (known.proposed.proposed_by,), timedelta(0)
    else:
        was, refs, ahead = known.meeting.called, known.meeting.refs, known.meeting.standing.starts_at - at
    return MeetingCancelled(
        meeting_id=was.meeting_id,
        case_id=was.case_id,
        kind=was.kind,
        reason=reason,
        notice_hours=max(ahead // timedelta(hours=1), 0),
        refs=refs,
    )


def part_ended(meeting: Meeting, consent_id: UUID) -> list[ParticipationEnded]:
    """One for each party that was to take part under this consent and has not been marked so."""
    return [
        ParticipationEnded(
            meeting_id=meeting.called.meeting_id, case_id=meeting.called.case_id, ref=p.ref, consent_id=consent_id
        )
        for p in meeting.standing.participants
        if p.consent_id == consent_id and p.ref not in meeting.ended
    ]


# --- the meeting and its minutes ---


def held(command: HoldMeeting, meeting: Meeting) -> MeetingHeld:
    refs = meeting.refs
    if not meeting.standing.starts_at <= command.held_at <= command.at:
        raise HeldAnotherTime
    if not command.present or not set(command.present) <= set(refs):
        raise StrangerPresent
    return MeetingHeld(
        meeting_id=command.meeting_id,
        case_id=meeting.called.case_id,
        called_by=meeting.called.called_by,
        kind=meeting.called.kind,
        arrangement=meeting.standing.arrangement,
        form=command.form,
        present=tuple(r for r in refs if r in command.present),
        absent=tuple(r for r in refs if r not in command.present),
        at=command.held_at,
    )


def approved(command: ApproveMinutes, known: Held) -> MeetingMinutesApproved:
    was = known.meeting.called
    return MeetingMinutesApproved(
        meeting_id=was.meeting_id,
        case_id=was.case_id,
        person_ref=was.person_ref,
        minutes_ref=minutes_ref_of(was.meeting_id),
        version=1,
        sha256=command.sha256,
        text=command.text,
        agreements=_agreed(command, known.meeting, ()),
    )


def amended(command: AmendMinutes, known: Minuted) -> MeetingMinutesAmended:
    was = known.meeting.called
    agreements = _agreed(command, known.meeting, known.versions)
    kept = {a.agreement_id for a in agreements}
    return MeetingMinutesAmended(
        meeting_id=was.meeting_id,
        case_id=was.case_id,
        person_ref=was.person_ref,
        minutes_ref=known.minutes.minutes_ref,
        version=known.minutes.version + 1,
        reason=command.reason,
        sha256=command.sha256,
        text=command.text,
        agreements=agreements,
        dropped=tuple(a.agreement_id for a in known.minutes.agreements if a.agreement_id not in kept),
    )


def _agreed(
    command: ApproveMinutes | AmendMinutes, meeting: Meeting, versions: Sequence[Minutes]
) -> tuple[Agreement, ...]:
    """The agreements, each with an id: the one it names, or the next that was never used."""
    standing = {a.agreement_id: a for a in versions[-1].agreements} if versions else {}
    used = {a.agreement_id for v in versions for a in v.agreements}
    named = [p.agreement_id for p in command.agreements if p.agreement_id is not None]
    if not set(named) <= standing.keys() or len(named) != len(set(named)):
        raise AgreementUnknown
    if any(p.who not in meeting.refs for p in command.agreements):
        raise AgreementOfStranger
    if any(p.by < command.today for p in command.agreements if not _is_kept(p, standing)):
        raise AgreementPassed
    number, agreed = len(used), list[Agreement]()
    for p in command.agreements:
        number += p.agreement_id is None
        id = p.agreement_id or _agreement_id(meeting.called.meeting_id, number)
        agreed.append(Agreement(agreement_id=id, who=p.who, what=p.what, by=p.by))
    return tuple(agreed)


def _is_kept(promise: Promise, standing: Mapping[UUID, Agreement]) -> bool:
    """An agreement of the minutes before keeps its day, also when that has passed."""
    known = standing.get(promise.agreement_id) if promise.agreement_id is not None else None
    return known is not None and known.by == promise.by


def same_agreements(promises: Sequence[Promise], known: Minutes) -> bool:
    """Do they say what those minutes say, in that order?"""
    return [(p.who, p.what, p.by) for p in promises] == [(a.who, a.what, a.by) for a in known.agreements]


def commented(command: CommentMinutes, known: Minuted) -> PartyCommented:
    was = known.meeting.called
    return PartyCommented(
        comment_id=uuid5(known.minutes.minutes_ref, f"comment/{len(known.comments) + 1}"),
        case_id=was.case_id,
        person_ref=was.person_ref,
        meeting_id=was.meeting_id,
        about=known.minutes.minutes_ref,
        by=command.by,
        stance=command.stance,
        text=command.text,
    )
