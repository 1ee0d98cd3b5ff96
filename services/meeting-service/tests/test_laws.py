"""Laws that hold for every history of a case's meetings that can come about, tried on random ones."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.decider import Refused
from contracts.case import Covered, Scope
from contracts.meeting import (
    AmendReason,
    Answer,
    CancelReason,
    CaseNoted,
    Conclusion,
    ConsentNoted,
    JointAssessmentHeld,
    MeetingAnswered,
    MeetingCalled,
    MeetingCancelled,
    MeetingEvent,
    MeetingForm,
    MeetingHeld,
    MeetingKind,
    MeetingMinutesAmended,
    MeetingMinutesApproved,
    MeetingMoved,
    MeetingProposed,
    MoveReason,
    Participant,
    ParticipationEnded,
    Party,
    ReferralStanding,
    Stance,
)
from meeting_service.domain.assessment import CommentAssessment, HoldJointAssessment
from meeting_service.domain.commands import (
    AmendMinutes,
    AnswerMeeting,
    ApproveMinutes,
    Arrangement,
    CallMeeting,
    CancelMeeting,
    CommentMinutes,
    HoldMeeting,
    Invited,
    MoveMeeting,
    Promise,
    ProposeMeeting,
)
from meeting_service.domain.heard import (
    NoteCase,
    NoteCaseClosed,
    NoteCaseReopened,
    NoteConsent,
    NoteConsentEnded,
    NoteEmployer,
    NoteReferral,
)
from meeting_service.domain.meetings import Command, Meetings, decider
from meeting_service.domain.parties import AF_ORG, FK_ORG, SEATS, org_of, party_of, ref_of
from meeting_service.domain.situations import Called, Proposed, has_come

CASE, PERSON_REF, REFERRAL = UUID(int=1), UUID(int=2), UUID(int=3)
EMPLOYER, REGION = "5560360793", "2320000017"
DAY_1 = date(2026, 4, 1)
ORGS = {Party.FK: FK_ORG, Party.AF: AF_ORG, Party.EMPLOYER: EMPLOYER, Party.CARE: REGION, Party.PERSON: str(PERSON_REF)}
REFS = [ref_of(role, org) for role, org in ORGS.items()]
CONSENTS = {
    Scope.EMP: EMPLOYER,
    Scope.CARE: REGION,
    Scope.KOORD_MEASURE: REGION,
    Scope.AF: AF_ORG,
    Scope.SUS_REG: AF_ORG,
}

ids = st.integers(11, 12).map(lambda n: UUID(int=n))
refs = st.sampled_from(REFS)
days = st.integers(0, 40)
texts = st.sampled_from(["a", "b"])


def on(day: int) -> date:
    return DAY_1 + timedelta(days=day)


def at(day: int) -> datetime:
    return datetime(2026, 4, 1, 10, tzinfo=UTC) + timedelta(days=day)


def consent_id(scope: Scope) -> UUID:
    return UUID(int=50 + list(Scope).index(scope))


@st.composite
def arrangements(draw: st.DrawFn) -> Arrangement:
    day = draw(days)
    return Arrangement(
        starts_at=at(day),
        starts_on=on(day),
        minutes=60,
        form=draw(st.sampled_from(MeetingForm)),
        link_ref=None,
        short_notice_agreed=draw(st.booleans()),
        notice_days=draw(st.sampled_from([0, 14])),
    )


@st.composite
def calls(draw: st.DrawFn) -> CallMeeting:
    day = draw(days)
    roles = draw(st.lists(st.sampled_from(list(ORGS)), min_size=1, max_size=5))
    return CallMeeting(
        meeting_id=draw(ids),
        by=draw(refs),
        kind=draw(st.sampled_from([MeetingKind.STATUS, MeetingKind.FOLLOW_UP, MeetingKind.WORKPLACE_CARE])),
        situation_code=None,
        arrangement=draw(arrangements()),
        invited=tuple(Invited(role=r, org_id=ORGS[r], required=draw(st.booleans())) for r in roles),
        purpose=draw(texts),
        today=on(day),
        at=at(day),
    )


@st.composite
def good_calls(draw: st.DrawFn) -> CallMeeting:
    """Calls that are mostly accepted, so that what follows a call is tried too."""
    made = draw(calls())
    roles = [Party.FK, Party.PERSON, draw(st.sampled_from([Party.EMPLOYER, Party.CARE, Party.AF]))]
    invited = tuple(Invited(role=r, org_id=ORGS[r], required=True) for r in roles)
    when = replace(made.arrangement, short_notice_agreed=True, starts_at=at(41), starts_on=on(41))
    return replace(made, by=REFS[0], kind=MeetingKind.STATUS, invited=invited, arrangement=when)


@st.composite
def notes(draw: st.DrawFn) -> Any:
    scope = draw(st.sampled_from(list(CONSENTS)))
    giving = draw(st.integers(1, 3))
    given_one = ConsentNoted(
        case_id=CASE,
        consent_id=consent_id(scope),
        giving=giving,
        scope=scope,
        counterparty=CONSENTS[scope],
        data_classes=(Covered.D, Covered.W, Covered.M2, Covered.L),
        valid_from=DAY_1,
        valid_to=on(draw(st.sampled_from([20, 365]))),
        standing=True,
    )
    standing = draw(st.sampled_from(ReferralStanding))
    sent_to = AF_ORG if standing is ReferralStanding.SENT else None
    return draw(
        st.sampled_from(
            [
                NoteConsent(consent=given_one),
                NoteConsent(consent=given_one),
                NoteConsentEnded(consent_id=consent_id(scope), giving=giving, at=at(draw(days))),
                NoteEmployer(org_nr=EMPLOYER),
                NoteCaseClosed(at=at(draw(days))),
                NoteCaseReopened(),
                NoteReferral(case_id=CASE, referral_id=REFERRAL, sent_to=sent_to, standing=standing),
            ]
        )
    )


@st.composite
def promises(draw: st.DrawFn) -> tuple[Promise, ...]:
    made = st.builds(Promise, who=refs, what=texts, by=st.just(on(60)))
    return tuple(draw(st.lists(made, max_size=2)))


@st.composite
def others(draw: st.DrawFn) -> Command:
    """What is asked of a meeting that may be there."""
    id, by, day = draw(ids), draw(st.sampled_from([REFS[0], *REFS])), draw(st.integers(0, 50))
    today, now, text = on(day), at(day), draw(texts)
    sha, status = text * 64, MeetingKind.STATUS
    return draw(
        st.sampled_from(
            [
                ProposeMeeting(meeting_id=id, by=by, kind=status, purpose=text, wished_by=on(50), today=today),
                AnswerMeeting(
                    meeting_id=id,
                    by=by,
                    arrangement=draw(st.integers(1, 2)),
                    answer=draw(st.sampled_from(Answer)),
                    today=today,
                    at=now,
                ),
                MoveMeeting(
                    meeting_id=id,
                    by=by,
                    arrangement=draw(arrangements()),
                    reason=MoveReason.OTHER,
                    today=today,
                    at=now,
                ),
                HoldMeeting(
                    meeting_id=id,
                    by=by,
                    form=MeetingForm.DIGITAL,
                    present=tuple(draw(st.lists(refs, max_size=5, unique=True))),
                    held_on=on(held := draw(st.integers(20, 42))),
                    held_at=at(held),
                    at=at(42),
                ),
                ApproveMinutes(meeting_id=id, by=by, text=text, sha256=sha, agreements=draw(promises()), today=today),
                AmendMinutes(
                    meeting_id=id,
                    by=by,
                    reason=AmendReason.WRONG,
                    text=text,
                    sha256=sha,
                    agreements=draw(promises()),
                    today=today,
                ),
                CommentMinutes(meeting_id=id, by=by, stance=Stance.DISAGREES, text=text, today=today),
                CancelMeeting(meeting_id=id, by=by, reason=CancelReason.OTHER, at=now),
                HoldJointAssessment(
                    referral_id=REFERRAL,
                    by=by,
                    meeting_id=draw(st.none() | ids),
                    conclusion=draw(st.sampled_from(Conclusion)),
                    function_view=text,
                    work_view=text,
                    today=today,
                    at=now,
                ),
                CommentAssessment(referral_id=REFERRAL, by=by, stance=Stance.ADDS, text=text, today=today),
            ]
        )
    )


commands: st.SearchStrategy[Command] = st.one_of(others(), calls(), good_calls(), notes(), others())
OPENED = NoteCase(case_id=CASE, person_ref=PERSON_REF, employers=(EMPLOYER,))
GIVEN = [
    NoteConsent(
        consent=ConsentNoted(
            case_id=CASE,
            consent_id=consent_id(scope),
            giving=1,
            scope=scope,
            counterparty=party,
            data_classes=(Covered.D, Covered.W, Covered.M2, Covered.L),
            valid_from=DAY_1,
            valid_to=on(365),
            standing=True,
        )
    )
    for scope, party in CONSENTS.items()
]


@st.composite
def histories(draw: st.DrawFn) -> list[MeetingEvent]:
    """A history as the rules let it come about, up to sixteen commands long; mostly all consents are given first."""
    facts: list[MeetingEvent] = []
    before: list[Command] = [OPENED, *(GIVEN if draw(st.integers(0, 3)) else [])]
    for command in before + draw(st.lists(commands, max_size=16)):
        facts += ask(facts, command) or []
    return facts


def ask(facts: list[MeetingEvent], command: Command) -> list[MeetingEvent] | None:
    with suppress(Refused):
        return list(decider.decide(command, decider.fold(facts)))
    return None


def each(history: list[MeetingEvent]) -> list[tuple[Meetings, MeetingEvent]]:
    """Every fact with what was known just before it."""
    known, found = decider.initial, list[tuple[Meetings, MeetingEvent]]()
    for fact in history:
        found.append((known, fact))
        known = decider.evolve(known, fact)
    return found


@settings(max_examples=150, deadline=None)
@given(histories(), commands)
def test_an_accepted_command_asked_again_yields_no_new_facts(history: list[MeetingEvent], command: Command) -> None:
    first = ask(history, command)
    if first is not None:
        assert ask([*history, *first], command) == []


@settings(max_examples=120, deadline=None)
@given(histories())
def test_nobody_is_invited_without_a_consent_that_stands_then(history: list[MeetingEvent]) -> None:
    for known, fact in each(history):
        if isinstance(fact, MeetingCalled | MeetingMoved):
            assert {p.role for p in fact.participants} >= SEATS[fact.kind].needed
            assert len({p.ref for p in fact.participants}) >= SEATS[fact.kind].least
            assert all(_consented(known, p) for p in fact.participants)


def _consented(known: Meetings, p: Participant) -> bool:
    if p.role in (Party.FK, Party.PERSON):
        return p.consent_id is None
    return p.consent_id is not None and known.grounds.consents[p.consent_id].standing


@settings(max_examples=120, deadline=None)
@given(histories())
def test_only_the_invited_answer_are_there_and_promise(history: list[MeetingEvent]) -> None:
    for known, fact in each(history):
        match fact:
            case MeetingAnswered():
                said = [fact.ref]
            case MeetingHeld():
                said = list(fact.present)
            case MeetingMinutesApproved() | MeetingMinutesAmended():
                said = [a.who for a in fact.agreements]
            case _:
                continue
        situation: Any = known.meeting(fact.meeting_id)
        assert {situation.meeting.participant(ref) is not None for ref in said} <= {True}


@settings(max_examples=120, deadline=None)
@given(histories())
def test_a_joint_assessment_follows_af_s_yes_and_both_consents(history: list[MeetingEvent]) -> None:
    for known, fact in each(history):
        if isinstance(fact, JointAssessmentHeld):
            assert known.grounds.referrals[fact.referral_id].standing is ReferralStanding.ACCEPTED
            assert all(known.grounds.consents[consent_id(s)].standing for s in (Scope.AF, Scope.SUS_REG))


@settings(max_examples=120, deadline=None)
@given(histories())
def test_a_closed_case_has_no_meeting_that_lay_ahead_of_its_end(history: list[MeetingEvent]) -> None:
    known = decider.fold(history)
    case = known.grounds.case
    if case is not None and not case.opened:
        assert case.closed_at is not None
        left = [m for m in known.meetings.values() if isinstance(m, Proposed | Called)]
        assert all(has_come(m, case.closed_at) for m in left)


@settings(max_examples=120, deadline=None)
@given(histories())
def test_who_was_at_a_meeting_was_there_under_a_consent_that_held_then(history: list[MeetingEvent]) -> None:
    """Told anew from the facts alone: given, not ended by then, and of that day."""
    for known, fact in each(history):
        if isinstance(fact, MeetingHeld):
            noted = [f for f in history[: history.index(fact)] if isinstance(f, ConsentNoted)]
            last = {(c.consent_id, c.giving): c for c in noted}
            held = [c for c in last.values() if c.valid_from <= fact.at.date() <= c.valid_to]
            held = [c for c in held if c.standing or (c.ended_at is not None and fact.at < c.ended_at)]
            outside = {ref for ref in fact.present if party_of(ref) not in (Party.FK, Party.PERSON)}
            assert {org_of(ref) for ref in outside} <= {c.counterparty for c in held}
            case = known.grounds.noted
            assert case.opened or (case.closed_at is not None and fact.at < case.closed_at)


@settings(max_examples=120, deadline=None)
@given(histories())
def test_after_a_consent_ended_every_meeting_that_rests_on_it_is_marked(history: list[MeetingEvent]) -> None:
    known = decider.fold(history)
    for meeting in known.meetings.values():
        if isinstance(meeting, Called):
            for p in meeting.meeting.standing.participants:
                if p.consent_id is not None and not known.grounds.consents[p.consent_id].standing:
                    assert p.ref in meeting.meeting.ended


@settings(max_examples=100, deadline=None)
@given(histories())
def test_a_meeting_is_called_held_and_minuted_once_and_moved_upwards(history: list[MeetingEvent]) -> None:
    once = (MeetingProposed, MeetingCalled, MeetingHeld, MeetingMinutesApproved, MeetingCancelled)
    seen = [(type(f), f.meeting_id) for f in history if isinstance(f, once)]
    assert len(seen) == len(set(seen))
    arranged: dict[UUID, int] = {}
    for fact in history:
        if isinstance(fact, MeetingCalled | MeetingMoved):
            assert fact.arrangement == arranged.get(fact.meeting_id, 0) + 1
            arranged[fact.meeting_id] = fact.arrangement


@settings(max_examples=100, deadline=None)
@given(histories())
def test_a_fact_about_a_consent_is_told_once(history: list[MeetingEvent]) -> None:
    noted = [f for f in history if isinstance(f, ConsentNoted | CaseNoted)]
    assert all(a != b for a, b in pairwise(noted))
    ended = [f for f in history if isinstance(f, ParticipationEnded | MeetingMoved | MeetingCalled)]
    marked: set[tuple[UUID, str]] = set()
    for fact in ended:
        if isinstance(fact, ParticipationEnded):
            assert (fact.meeting_id, fact.ref) not in marked
            marked.add((fact.meeting_id, fact.ref))
        else:
            marked = {m for m in marked if m[0] != fact.meeting_id}
