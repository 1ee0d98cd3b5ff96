"""What is answered to each thing that may be asked about a meeting."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis.decider import MissingPredecessor
from chassis.testing import scenarios
from contracts.case import Covered, Scope
from contracts.meeting import (
    AmendReason,
    Answer,
    CancelReason,
    ConsentNoted,
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
    MoveReason,
    ParticipationEnded,
    Party,
    PartyCommented,
    Stance,
)
from meeting_service.domain.commands import (
    AgreementOfStranger,
    AgreementPassed,
    AgreementTellsOfHealth,
    AgreementUnknown,
    AmendMinutes,
    AnotherTimeStands,
    AnswerMeeting,
    ApproveMinutes,
    Arrangement,
    CallMeeting,
    CancelMeeting,
    CaseIsClosed,
    CaseUnknown,
    CommentMinutes,
    ConsentMissing,
    HeldAnotherTime,
    HoldMeeting,
    Invited,
    MeetingHasBegun,
    MeetingIsCancelled,
    MeetingIsHeld,
    MeetingKnownOtherwise,
    MeetingNotBegun,
    MeetingNotCalled,
    MeetingNotHeld,
    MeetingUnknown,
    MinutesAlreadyApproved,
    MinutesNotApproved,
    MoveMeeting,
    NoticeTooShort,
    NotInvited,
    NotTheCaller,
    NotYoursToCall,
    ParticipantTwice,
    Promise,
    ProposeMeeting,
    PurposeTellsOfHealth,
    StartHasPassed,
    StrangerPresent,
    TextTellsOfHealth,
    TooFewParties,
    WishedByPassed,
)
from meeting_service.domain.heard import NoteCase, NoteCaseClosed, NoteCaseReopened, NoteConsent, NoteConsentEnded
from meeting_service.domain.meetings import decider

given = scenarios(decider)

CASE, PERSON_REF, MEETING = UUID(int=1), UUID(int=2), UUID(int=3)
TODAY, NOON = date(2026, 4, 1), datetime(2026, 4, 1, 10, tzinfo=UTC)
EMPLOYER, REGION = "5560360793", "2320000017"
FK, PERSON, WORK, CARE = "fk:2021005521", f"person:{PERSON_REF}", f"employer:{EMPLOYER}", f"care:{REGION}"
EMP_CONSENT, CARE_CONSENT = UUID(int=21), UUID(int=22)
START = datetime(2026, 4, 20, 8, tzinfo=UTC)
AFTER = START + timedelta(hours=1)

OPENED = NoteCase(case_id=CASE, person_ref=PERSON_REF, employers=(EMPLOYER,))


def narrow(note: NoteConsent, *covered: Covered) -> NoteConsent:
    return replace(note, consent=replace(note.consent, data_classes=covered))


def consent(scope: Scope = Scope.EMP, party: str = EMPLOYER, id: UUID = EMP_CONSENT, giving: int = 1) -> NoteConsent:
    return NoteConsent(
        consent=ConsentNoted(
            case_id=CASE,
            consent_id=id,
            giving=giving,
            scope=scope,
            counterparty=party,
            data_classes=(Covered.D, Covered.W, Covered.M2, Covered.L),
            valid_from=TODAY,
            valid_to=TODAY + timedelta(days=365),
            standing=True,
        )
    )


ENDED = NoteConsentEnded(consent_id=EMP_CONSENT, giving=1, at=NOON)
ARRANGED = Arrangement(
    starts_at=START,
    starts_on=START.date(),
    minutes=60,
    form=MeetingForm.DIGITAL,
    link_ref=None,
    short_notice_agreed=False,
    notice_days=14,
)
LATER = replace(ARRANGED, starts_at=START + timedelta(days=7), starts_on=START.date() + timedelta(days=7))
GUESTS = (
    Invited(role=Party.FK, org_id="2021005521", required=True),
    Invited(role=Party.PERSON, org_id="", required=True),
    Invited(role=Party.EMPLOYER, org_id=EMPLOYER, required=False),
)
CALL = CallMeeting(
    meeting_id=MEETING,
    by=FK,
    kind=MeetingKind.STATUS,
    situation_code=None,
    arrangement=ARRANGED,
    invited=GUESTS,
    purpose="Steg tillbaka",
    today=TODAY,
    at=NOON,
)
PROPOSE = ProposeMeeting(
    meeting_id=MEETING, by=WORK, kind=MeetingKind.STATUS, purpose="Vi behöver ses", wished_by=TODAY, today=TODAY
)
ANSWER = AnswerMeeting(meeting_id=MEETING, by=WORK, arrangement=1, answer=Answer.YES, today=TODAY, at=NOON)
MOVE = MoveMeeting(meeting_id=MEETING, by=FK, arrangement=LATER, reason=MoveReason.NEW_TIME_ASKED, today=TODAY, at=NOON)
HOLD = HoldMeeting(
    meeting_id=MEETING,
    by=FK,
    form=MeetingForm.PHONE,
    present=(FK, PERSON, WORK),
    held_on=START.date(),
    held_at=START,
    at=AFTER,
)
PROMISE = Promise(who=WORK, what="Ordnar handledare", by=date(2026, 5, 4))
APPROVE = ApproveMinutes(
    meeting_id=MEETING, by=FK, text="Alla var där", sha256="a" * 64, agreements=(PROMISE,), today=START.date()
)
AMEND = AmendMinutes(
    meeting_id=MEETING,
    by=FK,
    reason=AmendReason.WRONG,
    text="Alla utom en",
    sha256="b" * 64,
    agreements=(),
    today=START.date(),
)
DISSENT = CommentMinutes(
    meeting_id=MEETING, by=PERSON, stance=Stance.DISAGREES, text="Så sade jag inte", today=START.date()
)
CANCEL = CancelMeeting(meeting_id=MEETING, by=FK, reason=CancelReason.NO_LONGER_NEEDED, at=NOON)
BASIS = (OPENED, consent())


def after(*commands: Any) -> list[MeetingEvent]:
    facts: list[MeetingEvent] = []
    for command in commands:
        facts += decider.decide(command, decider.fold(facts))
    return facts


# --- calling ---


def test_a_meeting_is_called_with_everybodys_consent_named() -> None:
    (made,) = given(*after(*BASIS)).when(CALL).facts()
    assert isinstance(made, MeetingCalled)
    assert [(p.ref, p.required, p.consent_id) for p in made.participants] == [
        (FK, True, None),
        (PERSON, True, None),
        (WORK, False, EMP_CONSENT),
    ]
    assert (made.arrangement, made.short_notice, made.person_ref) == (1, False, PERSON_REF)


@pytest.mark.parametrize("guests", [GUESTS[:2], GUESTS[:1], GUESTS[1:], (GUESTS[0], GUESTS[2])], ids=str)
def test_a_status_meeting_needs_the_person_fk_and_one_party_more(guests: tuple[Invited, ...]) -> None:
    given(*after(*BASIS)).when(replace(CALL, invited=guests)).refused(TooFewParties)


def test_two_parties_are_enough_for_a_follow_up() -> None:
    made = given(*after(OPENED)).when(replace(CALL, kind=MeetingKind.FOLLOW_UP, invited=GUESTS[:2])).facts()
    assert len(made) == 1


def test_the_same_party_twice_is_one_party() -> None:
    given(*after(*BASIS)).when(replace(CALL, invited=(*GUESTS, GUESTS[2]))).refused(ParticipantTwice)


def test_no_outside_party_is_invited_without_consent_in_its_own_scope() -> None:
    given(*after(OPENED)).when(CALL).refused(ConsentMissing)
    given(*after(OPENED, consent(Scope.OHS))).when(CALL).refused(ConsentMissing)
    given(*after(OPENED, consent(party="5560009010"))).when(CALL).refused(ConsentMissing)
    given(*after(*BASIS, ENDED)).when(CALL).refused(ConsentMissing)


def test_a_consent_holds_from_its_first_day_to_its_last() -> None:
    for today in (TODAY - timedelta(days=1), TODAY + timedelta(days=366)):
        start = datetime(today.year, today.month, today.day, 12, tzinfo=UTC) + timedelta(days=30)
        arranged = replace(ARRANGED, starts_at=start, starts_on=start.date())
        given(*after(*BASIS)).when(replace(CALL, today=today, arrangement=arranged)).refused(ConsentMissing)


def test_a_meeting_is_called_fourteen_days_ahead_unless_the_parties_agree() -> None:
    def starting(day: int, agreed: bool = False) -> CallMeeting:
        at = datetime(2026, 4, day, 12, tzinfo=UTC)
        arranged = replace(ARRANGED, starts_at=at, starts_on=at.date(), short_notice_agreed=agreed)
        return replace(CALL, arrangement=arranged)

    given(*after(*BASIS)).when(starting(14)).refused(NoticeTooShort)
    assert given(*after(*BASIS)).when(starting(15)).facts()
    (soon,) = given(*after(*BASIS)).when(starting(2, agreed=True)).facts()
    assert isinstance(soon, MeetingCalled)
    assert soon.short_notice


def test_a_meeting_does_not_begin_in_the_past_whatever_was_agreed() -> None:
    past = replace(ARRANGED, starts_at=NOON, starts_on=TODAY, short_notice_agreed=True)
    given(*after(*BASIS)).when(replace(CALL, arrangement=past)).refused(StartHasPassed)


def test_called_twice_alike_is_one_meeting_and_otherwise_is_refused() -> None:
    given(*after(*BASIS, CALL)).when(CALL).nothing_happens()
    required = (*GUESTS[:2], replace(GUESTS[2], required=True))
    changes: list[dict[str, Any]] = [{"purpose": "Annat"}, {"arrangement": LATER}, {"invited": required}]
    for other in changes:
        given(*after(*BASIS, CALL)).when(replace(CALL, **other)).refused(MeetingKnownOtherwise)


def test_who_calls_which_kind() -> None:
    given(*after(*BASIS)).when(replace(CALL, by=WORK)).refused(NotYoursToCall)
    guests = (GUESTS[1], GUESTS[2], Invited(role=Party.CARE, org_id=REGION, required=True))
    workplace = replace(CALL, kind=MeetingKind.WORKPLACE_CARE, invited=guests)
    both = after(*BASIS, consent(Scope.KOORD_MEASURE, REGION, CARE_CONSENT))
    given(*both).when(workplace).refused(NotYoursToCall)
    assert given(*both).when(replace(workplace, by=CARE)).facts()
    only_care = after(*BASIS, consent(Scope.CARE, REGION, CARE_CONSENT))
    given(*only_care).when(replace(workplace, by=CARE)).refused(ConsentMissing)


def test_nothing_is_called_or_proposed_in_a_case_that_is_closed_or_unknown() -> None:
    closed = (*BASIS, NoteCaseClosed(at=NOON))
    for command in (CALL, PROPOSE):
        given(*after(*closed)).when(command).refused(CaseIsClosed)
        given().when(command).refused(CaseUnknown)
        assert given(*after(*closed, NoteCaseReopened(), consent(giving=2))).when(command).facts()


def test_a_proposal_that_is_called_keeps_its_id() -> None:
    proposed = after(*BASIS, PROPOSE)
    given(*proposed).when(PROPOSE).nothing_happens()
    given(*proposed).when(replace(PROPOSE, purpose="Annat")).refused(MeetingKnownOtherwise)
    for command in (ANSWER, MOVE, HOLD):
        given(*proposed).when(command).refused(MeetingNotCalled)
    (made,) = given(*proposed).when(CALL).facts()
    assert isinstance(made, MeetingCalled)
    given(*after(*BASIS)).when(replace(PROPOSE, wished_by=TODAY - timedelta(days=1))).refused(WishedByPassed)


# --- answering and moving ---


def test_an_answer_is_to_the_arrangement_that_stands() -> None:
    given(*after(*BASIS, CALL)).when(ANSWER).then(
        MeetingAnswered(meeting_id=MEETING, case_id=CASE, ref=WORK, answer=Answer.YES, arrangement=1, required=False)
    )
    given(*after(*BASIS, CALL, ANSWER)).when(ANSWER).nothing_happens()
    (changed,) = given(*after(*BASIS, CALL, ANSWER)).when(replace(ANSWER, answer=Answer.NO)).facts()
    assert isinstance(changed, MeetingAnswered)
    (anew,) = given(*after(*BASIS, CALL, ANSWER, MOVE)).when(replace(ANSWER, arrangement=2)).facts()
    assert isinstance(anew, MeetingAnswered)
    assert anew.arrangement == 2


def test_an_answer_to_a_time_that_does_not_stand_is_refused_whether_it_is_past_or_was_never_set() -> None:
    given(*after(*BASIS, CALL, MOVE)).when(ANSWER).refused(AnotherTimeStands)
    given(*after(*BASIS, CALL, ANSWER, MOVE)).when(ANSWER).refused(AnotherTimeStands)
    given(*after(*BASIS, CALL)).when(replace(ANSWER, arrangement=2)).refused(AnotherTimeStands)
    given(*after(*BASIS, CALL, MOVE)).when(replace(ANSWER, by=CARE)).refused(NotInvited)


@pytest.mark.parametrize("by", [CARE, "employer:5560009010", f"person:{UUID(int=9)}"])
def test_an_answer_by_one_who_was_not_invited_is_refused(by: str) -> None:
    given(*after(*BASIS, CALL)).when(replace(ANSWER, by=by)).refused(NotInvited)
    given(*after(*BASIS, CALL, HOLD)).when(replace(ANSWER, by=by)).refused(NotInvited)


def test_nobody_answers_once_it_has_begun_or_without_consent() -> None:
    given(*after(*BASIS, CALL)).when(replace(ANSWER, at=START)).refused(MeetingHasBegun)
    given(*after(*BASIS, CALL, HOLD)).when(ANSWER).refused(MeetingHasBegun)
    given(*after(*BASIS, CALL, ENDED)).when(ANSWER).refused(ConsentMissing)
    given(*after(*BASIS, CALL, CANCEL)).when(ANSWER).refused(MeetingIsCancelled)


def test_a_meeting_is_moved_by_its_caller_and_counts_on() -> None:
    (made,) = given(*after(*BASIS, CALL)).when(MOVE).facts()
    assert isinstance(made, MeetingMoved)
    assert (made.arrangement, made.starts_at, len(made.participants)) == (2, LATER.starts_at, 3)
    given(*after(*BASIS, CALL, MOVE)).when(MOVE).nothing_happens()
    given(*after(*BASIS, CALL)).when(replace(MOVE, by=WORK)).refused(NotTheCaller)
    given(*after(*BASIS, CALL, HOLD)).when(MOVE).refused(MeetingIsHeld)
    given(*after(*BASIS, CALL, CANCEL)).when(MOVE).refused(MeetingIsCancelled)


def test_a_meeting_is_not_moved_to_too_soon_a_time_nor_past_a_lost_consent() -> None:
    soon = replace(LATER, starts_at=NOON + timedelta(days=2), starts_on=TODAY + timedelta(days=2))
    given(*after(*BASIS, CALL)).when(replace(MOVE, arrangement=soon)).refused(NoticeTooShort)
    given(*after(*BASIS, CALL, ENDED)).when(MOVE).refused(ConsentMissing)


# --- consent that ends, a case that ends ---


def test_a_consent_that_ends_marks_the_meetings_that_rest_on_it_and_no_others() -> None:
    other = replace(CALL, meeting_id=UUID(int=4), kind=MeetingKind.FOLLOW_UP, invited=GUESTS[:2])
    facts = given(*after(*BASIS, CALL, other)).when(ENDED).facts()
    assert facts[1:] == [
        ParticipationEnded(meeting_id=MEETING, case_id=CASE, ref=WORK, consent_id=EMP_CONSENT)
    ]  # fmt: skip
    given(*after(*BASIS, CALL, other, ENDED)).when(ENDED).nothing_happens()


def test_after_a_new_consent_a_marked_meeting_is_called_anew_at_the_same_time() -> None:
    again = (*BASIS, CALL, ENDED, consent(giving=2))
    (made,) = given(*after(*again)).when(replace(MOVE, arrangement=ARRANGED)).facts()
    assert isinstance(made, MeetingMoved)
    assert made.starts_at == START


def test_the_end_of_an_older_consent_changes_nothing() -> None:
    given(*after(*BASIS, CALL, ENDED, consent(giving=2), MOVE)).when(ENDED).nothing_happens()


def test_when_the_case_is_closed_its_meetings_that_lie_ahead_are_cancelled() -> None:
    held, open_one = (
        (replace(CALL, meeting_id=UUID(int=4)), replace(HOLD, meeting_id=UUID(int=4))),
        (CALL, replace(PROPOSE, meeting_id=UUID(int=5))),
    )
    facts = given(*after(*BASIS, *held, *open_one)).when(NoteCaseClosed(at=NOON)).facts()
    cancelled = [f for f in facts if isinstance(f, MeetingCancelled)]
    assert [(c.meeting_id, c.reason) for c in cancelled] == [
        (MEETING, CancelReason.CASE_CLOSED),
        (UUID(int=5), CancelReason.CASE_CLOSED),
    ]


def test_a_consent_ends_with_its_case_also_when_the_case_is_opened_again_before_that_is_told() -> None:
    opened_again = (*BASIS, NoteCaseClosed(at=NOON), NoteCaseReopened())
    given(*after(*opened_again)).when(CALL).refused(ConsentMissing)
    given(*after(*opened_again)).when(ENDED).nothing_happens()
    assert given(*after(*opened_again, consent(giving=2))).when(CALL).facts()
    given(*after(*opened_again, consent(giving=2))).when(ENDED).nothing_happens()


# --- holding and minutes ---


def test_a_meeting_is_held_by_its_caller_once_its_time_has_come() -> None:
    given(*after(*BASIS, CALL)).when(HOLD).then(
        MeetingHeld(
            meeting_id=MEETING,
            case_id=CASE,
            called_by=FK,
            kind=MeetingKind.STATUS,
            arrangement=1,
            form=MeetingForm.PHONE,
            present=(FK, PERSON, WORK),
            absent=(),
            at=START,
        )
    )
    given(*after(*BASIS, CALL)).when(replace(HOLD, at=START - timedelta(seconds=1))).refused(MeetingNotBegun)
    given(*after(*BASIS, CALL)).when(replace(HOLD, by=WORK)).refused(NotTheCaller)
    given(*after(*BASIS, CALL, HOLD)).when(HOLD).nothing_happens()
    given(*after(*BASIS, CALL, HOLD)).when(replace(HOLD, form=MeetingForm.ON_SITE)).refused(MeetingIsHeld)
    given(*after(*BASIS, CALL, HOLD)).when(replace(HOLD, held_at=AFTER)).refused(MeetingIsHeld)


def test_a_meeting_took_place_when_its_caller_says_neither_before_its_time_nor_ahead() -> None:
    late = START + timedelta(minutes=10)
    (held,) = given(*after(*BASIS, CALL)).when(replace(HOLD, held_at=late)).facts()
    assert isinstance(held, MeetingHeld)
    assert held.at == late
    for other in (START - timedelta(seconds=1), AFTER + timedelta(seconds=1)):
        given(*after(*BASIS, CALL)).when(replace(HOLD, held_at=other)).refused(HeldAnotherTime)


def test_nobody_is_invited_under_a_consent_that_covers_too_little() -> None:
    given(*after(OPENED, narrow(consent(), Covered.D))).when(CALL).refused(ConsentMissing)
    assert given(*after(OPENED, narrow(consent(), Covered.D, Covered.W))).when(CALL).facts()


def test_a_status_meeting_to_which_two_came_was_none() -> None:
    given(*after(*BASIS, CALL)).when(replace(HOLD, present=(FK, PERSON))).refused(TooFewParties)


def test_a_status_meeting_without_the_insured_person_was_none_however_many_came() -> None:
    guests = (*GUESTS, Invited(role=Party.CARE, org_id=REGION, required=False))
    called = after(*BASIS, consent(Scope.CARE, REGION, CARE_CONSENT), replace(CALL, invited=guests))
    given(*called).when(replace(HOLD, present=(FK, WORK, CARE))).refused(TooFewParties)


def test_a_consent_that_ends_marks_a_cancelled_meeting_too() -> None:
    (_, marked) = given(*after(*BASIS, CALL, CANCEL)).when(ENDED).facts()
    assert isinstance(marked, ParticipationEnded)
    assert (marked.meeting_id, marked.ref) == (MEETING, WORK)
    given(*after(*BASIS, CALL, CANCEL, ENDED)).when(ENDED).nothing_happens()


@pytest.mark.parametrize("present", [(), (FK, PERSON, WORK, CARE)])
def test_only_the_invited_were_there(present: tuple[str, ...]) -> None:
    given(*after(*BASIS, CALL)).when(replace(HOLD, present=present)).refused(StrangerPresent)


def test_who_lost_the_consent_before_the_meeting_was_not_there() -> None:
    given(*after(*BASIS, CALL, ENDED)).when(HOLD).refused(ConsentMissing)
    given(*after(*BASIS, CALL, replace(ENDED, at=START))).when(HOLD).refused(ConsentMissing)


@pytest.mark.parametrize("since", [(), (consent(giving=2),), (narrow(consent(giving=2), Covered.D),)])
def test_who_lost_the_consent_after_the_meeting_was_there_whatever_was_given_since(since: tuple[Any, ...]) -> None:
    ended = replace(ENDED, at=START + timedelta(minutes=1))
    given(*after(*BASIS, CALL, ended, *since)).when(HOLD).facts()


def test_a_consent_that_was_made_to_last_longer_ends_with_all_it_was_before() -> None:
    longer = after(*BASIS, CALL, consent(giving=2))
    given(*longer).when(HOLD).facts()
    for at, told in [(NOON, ConsentMissing), (AFTER, None)]:
        ended = [*longer, *decider.decide(replace(ENDED, giving=2, at=at), decider.fold(longer))]
        if told:
            given(*ended).when(HOLD).refused(told)
        else:
            given(*ended).when(HOLD).facts()


def test_what_counts_is_the_day_of_the_meeting_not_that_of_recording_it() -> None:
    last_day = replace(consent(), consent=replace(consent().consent, valid_to=START.date()))
    late = replace(HOLD, at=AFTER + timedelta(days=9))
    given(*after(OPENED, last_day, CALL)).when(late).facts()
    given(*after(OPENED, last_day, CALL)).when(
        replace(late, held_on=START.date() + timedelta(days=1), held_at=START + timedelta(days=1))
    ).refused(ConsentMissing)


def test_a_consent_given_anew_for_days_after_the_meeting_was_none_then() -> None:
    again = consent(giving=2)
    again = replace(again, consent=replace(again.consent, valid_from=START.date() + timedelta(days=1)))
    given(*after(*BASIS, CALL, ENDED, again)).when(replace(HOLD, at=AFTER + timedelta(days=9))).refused(ConsentMissing)


def test_a_meeting_whose_time_had_come_when_the_case_was_closed_can_be_recorded_and_no_more() -> None:
    closed = NoteCaseClosed(at=START + timedelta(minutes=30))
    known = given(*after(*BASIS, CALL, replace(ENDED, at=closed.at), closed))
    known.when(HOLD).facts()
    late = replace(HOLD, present=(FK, PERSON, WORK), held_at=START + timedelta(minutes=30))
    known.when(late).refused(CaseIsClosed)
    known.when(replace(MOVE, at=AFTER)).refused(CaseIsClosed)
    (off,) = known.when(replace(CANCEL, at=AFTER)).facts()
    assert isinstance(off, MeetingCancelled)
    given(*after(*BASIS, CALL, replace(closed, at=START - timedelta(seconds=1)))).when(HOLD).refused(MeetingIsCancelled)


def test_minutes_come_after_the_meeting_and_hold_what_was_agreed() -> None:
    given(*after(*BASIS, CALL)).when(APPROVE).refused(MeetingNotHeld)
    assert issubclass(MeetingNotHeld, MissingPredecessor)
    (made,) = given(*after(*BASIS, CALL, HOLD)).when(APPROVE).facts()
    assert isinstance(made, MeetingMinutesApproved)
    assert [(a.who, a.what, a.by) for a in made.agreements] == [(WORK, PROMISE.what, PROMISE.by)]
    given(*after(*BASIS, CALL, HOLD, APPROVE)).when(APPROVE).nothing_happens()
    given(*after(*BASIS, CALL, HOLD, APPROVE)).when(replace(APPROVE, sha256="c" * 64)).refused(MinutesAlreadyApproved)
    given(*after(*BASIS, CALL, HOLD)).when(replace(APPROVE, by=WORK)).refused(NotTheCaller)


@pytest.mark.parametrize(
    ("promise", "why"),
    [
        (replace(PROMISE, who=CARE), AgreementOfStranger),
        (replace(PROMISE, by=START.date() - timedelta(days=1)), AgreementPassed),
        (replace(PROMISE, agreement_id=UUID(int=99)), AgreementUnknown),
    ],
)
def test_agreements_that_cannot_be(promise: Promise, why: Any) -> None:
    given(*after(*BASIS, CALL, HOLD)).when(replace(APPROVE, agreements=(promise,))).refused(why)


def test_amended_minutes_keep_the_agreements_they_name_and_drop_the_others() -> None:
    both = replace(APPROVE, agreements=(PROMISE, replace(PROMISE, what="Ringer", who=PERSON)))
    minuted = after(*BASIS, CALL, HOLD, both)
    first, second = minuted[-1].agreements  # type: ignore[union-attr]
    kept = Promise(agreement_id=second.agreement_id, who=PERSON, what="Ringer", by=second.by)
    new = replace(PROMISE, what="Skriver")
    (made,) = given(*minuted).when(replace(AMEND, agreements=(kept, new))).facts()
    assert isinstance(made, MeetingMinutesAmended)
    assert made.version == 2
    assert made.dropped == (first.agreement_id,)
    ids = [a.agreement_id for a in made.agreements]
    assert ids[0] == second.agreement_id
    assert ids[1] not in (first.agreement_id, second.agreement_id)
    given(*minuted, made).when(replace(AMEND, agreements=(kept, new))).nothing_happens()


def test_an_agreement_that_stands_keeps_a_day_that_has_passed() -> None:
    minuted = after(*BASIS, CALL, HOLD, APPROVE)
    (known,) = minuted[-1].agreements  # type: ignore[union-attr]
    kept, later = replace(PROMISE, agreement_id=known.agreement_id), date(2027, 1, 1)
    assert given(*minuted).when(replace(AMEND, agreements=(kept,), today=later)).facts()
    given(*minuted).when(replace(AMEND, agreements=(PROMISE,), today=later)).refused(AgreementPassed)


def test_minutes_are_amended_and_commented_on_once_they_are_approved() -> None:
    for command in (AMEND, DISSENT):
        given(*after(*BASIS, CALL, HOLD)).when(command).refused(MinutesNotApproved)


def test_the_persons_dissent_stands_beside_the_minutes() -> None:
    minuted = after(*BASIS, CALL, HOLD, APPROVE)
    (said,) = given(*minuted).when(DISSENT).facts()
    assert isinstance(said, PartyCommented)
    assert (said.by, said.stance) == (PERSON, Stance.DISAGREES)
    given(*minuted, said).when(DISSENT).nothing_happens()
    given(*minuted).when(replace(DISSENT, by=CARE)).refused(NotInvited)
    given(*minuted, *decider.decide(ENDED, decider.fold(minuted))).when(replace(DISSENT, by=WORK)).refused(
        ConsentMissing
    )


# --- cancelling ---


def test_a_meeting_is_cancelled_by_its_caller_with_the_hours_that_were_left() -> None:
    (made,) = given(*after(*BASIS, CALL)).when(CANCEL).facts()
    assert isinstance(made, MeetingCancelled)
    assert (made.notice_hours, made.refs) == (19 * 24 - 2, (FK, PERSON, WORK))
    (late,) = given(*after(*BASIS, CALL)).when(replace(CANCEL, at=AFTER)).facts()
    assert isinstance(late, MeetingCancelled)
    assert late.notice_hours == 0
    given(*after(*BASIS, CALL)).when(replace(CANCEL, by=WORK)).refused(NotTheCaller)
    given(*after(*BASIS, CALL, CANCEL)).when(CANCEL).nothing_happens()
    given(*after(*BASIS, CALL, HOLD)).when(CANCEL).refused(MeetingIsHeld)


def test_a_proposal_is_taken_back_by_who_made_it_or_turned_down_by_fk() -> None:
    for by in (WORK, FK):
        assert given(*after(*BASIS, PROPOSE)).when(replace(CANCEL, by=by)).facts()
    given(*after(*BASIS, PROPOSE)).when(replace(CANCEL, by=CARE)).refused(NotTheCaller)


@pytest.mark.parametrize(
    "command", [ANSWER, MOVE, HOLD, APPROVE, AMEND, DISSENT, CANCEL], ids=lambda c: type(c).__name__
)
def test_a_meeting_that_nobody_called_is_not_there(command: Any) -> None:
    given(*after(*BASIS)).when(command).refused(MeetingUnknown)


# --- what an employer never reads ---

HEALTH = ["Diagnos F32.1 enligt intyget", "Utmattning sedan i höstas", "Väntar på operation"]


@pytest.mark.parametrize("words", HEALTH)
def test_nothing_that_tells_of_health_is_written_where_an_employer_reads(words: str) -> None:
    given(*after(*BASIS)).when(replace(CALL, purpose=words)).refused(PurposeTellsOfHealth)
    held = after(*BASIS, CALL, HOLD)
    given(*held).when(replace(APPROVE, text=words)).refused(TextTellsOfHealth)
    promised = (replace(PROMISE, what=words),)
    given(*held).when(replace(APPROVE, agreements=promised)).refused(AgreementTellsOfHealth)
    minuted = after(*BASIS, CALL, HOLD, APPROVE)
    given(*minuted).when(replace(AMEND, text=words)).refused(TextTellsOfHealth)
    given(*minuted).when(replace(AMEND, agreements=promised)).refused(AgreementTellsOfHealth)
    for by in (PERSON, WORK):
        given(*minuted).when(replace(DISSENT, by=by, text=words)).refused(TextTellsOfHealth)
    with_care = (*GUESTS, Invited(role=Party.CARE, org_id=REGION, required=False))
    both = after(*BASIS, consent(Scope.CARE, REGION, CARE_CONSENT))
    written = after(*BASIS, consent(Scope.CARE, REGION, CARE_CONSENT), replace(CALL, invited=with_care), HOLD, APPROVE)
    given(*both).when(replace(CALL, invited=with_care, purpose=words)).refused(PurposeTellsOfHealth)
    given(*written).when(replace(DISSENT, by=CARE, text=words)).refused(TextTellsOfHealth)


def test_among_fk_the_person_and_health_care_health_may_be_spoken_of() -> None:
    guests = (*GUESTS[:2], Invited(role=Party.CARE, org_id=REGION, required=True))
    basis = (OPENED, consent(Scope.CARE, REGION, CARE_CONSENT))
    call = replace(CALL, invited=guests, purpose=HEALTH[0])
    hold = replace(HOLD, present=(FK, PERSON, CARE))
    approve = replace(APPROVE, text=HEALTH[1], agreements=(replace(PROMISE, who=CARE, what=HEALTH[2]),))
    assert given(*after(*basis, call, hold, approve)).when(replace(DISSENT, text=HEALTH[0])).facts()


def test_each_meeting_counts_its_own_changes() -> None:
    other = replace(CALL, meeting_id=UUID(int=4))
    known = decider.fold(after(*BASIS, CALL, other, ANSWER, MOVE))
    assert (known.version(MEETING), known.version(UUID(int=4)), known.version(UUID(int=5))) == (3, 1, 0)
    ended = decider.fold(after(*BASIS, CALL, other, ENDED))
    assert (ended.version(MEETING), ended.version(UUID(int=4))) == (2, 2)
