"""What is answered to each thing that may be asked about a case."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from case_service.domain.case import decider
from case_service.domain.commands import (
    AcknowledgeInfo,
    AlreadyClosed,
    AssignCase,
    CaseAlreadyOpen,
    CaseIsClosed,
    CaseNotClosed,
    CaseUnknown,
    CertificateKnownOtherwise,
    CloseCase,
    CompleteIkr,
    ConsentedAhead,
    ConsentTooNarrow,
    DecideNeed,
    DegreeUnknown,
    EarlierCaseOpen,
    EmployerNotNamed,
    EmployerTwice,
    Employment,
    EndNotLater,
    EndsBeforeStart,
    ExtendCase,
    FollowedByAnotherCase,
    InfoUnknown,
    NeedContradicted,
    OpenCase,
    Period,
    PeriodReversed,
    PeriodsOverlap,
    RecordMilestone,
    RegisterCertificate,
    ReopenCase,
    SendInfo,
    SetDegree,
    SickLeaveInFuture,
    SickPayOutsideSpell,
    StandInUntilPassed,
    TakeSickNotice,
)
from case_service.domain.consent import ConsentMissing
from case_service.domain.outcomes import case_id_of, employment_id_of, next_case_id
from case_service.domain.situations import Closed, Open
from chassis.testing import scenarios
from contracts.case import (
    AssumedNeed,
    Benefit,
    CaseClosed,
    CaseEvent,
    CaseExtended,
    CaseOpened,
    CaseReopened,
    CertificateReceived,
    CertifiedPeriod,
    ConsentForm,
    ConsentGiven,
    Counter,
    Covered,
    EmployerSickNoticeReceived,
    IkrMethod,
    InfoAim,
    KoordineringsInfoSent,
    MilestoneReached,
    NeedLevel,
    NeedType,
    NextStep,
    Outcome,
    Prognosis,
    Protection,
    Purpose,
    RehabNeedDecided,
    ReopenReason,
    Responsible,
    Scope,
    WorkCapacityDegreeChanged,
)
from contracts.values import EmploymentKind

given = scenarios(decider)

DAY_1 = date(2026, 3, 2)
DAY_20 = DAY_1 + timedelta(days=19)
NOON = datetime(2026, 3, 21, 11, 0, tzinfo=UTC)
CASE, PERSON, REGION = UUID(int=1), UUID(int=2), "2320000017"
JOB = Employment(org_nr="5560360793", employment_kind=EmploymentKind.ORDINARY, workplace="Lagret i Norr")
OTHER_JOB = replace(JOB, org_nr="5560009010", workplace="Butiken")

OPEN = OpenCase(
    case_id=CASE,
    person_ref=PERSON,
    person_id="640823-3234",
    employments=(JOB,),
    spell_start=DAY_1,
    expected_end=DAY_1 + timedelta(days=119),
    prior_chain_days=10,
    benefit=Benefit.SICKNESS,
    protection_level=Protection.NONE,
    today=DAY_20,
)
NOTICE = TakeSickNotice(
    case_id=CASE,
    person_ref=PERSON,
    person_id="640823-3234",
    employment=JOB,
    spell_start=DAY_1,
    last_sick_pay_day=DAY_1 + timedelta(days=13),
    expected_end=None,
    today=DAY_20,
)
IKR = CompleteIkr(method=IkrMethod.IKR, need_level=NeedLevel.CLEAR, barriers=(), next_step=NextStep.STATUS_MEETING)
NEED = DecideNeed(
    need=True,
    types=(NeedType.OCCUPATIONAL,),
    responsible=(Responsible.AF,),
    consulted_at=None,
    person_view="Vill tillbaka",
    at=NOON,
)
CERTIFICATE = CertificateReceived(
    case_id=CASE,
    person_ref=PERSON,
    certificate_id=UUID(int=7),
    unit="SE2321000016-1A",
    periods=(CertifiedPeriod(start=DAY_1, end=DAY_20, pct=100),),
    diagnoses=("F438",),
    function_limits="Orkar inte",
    activity_limits="Kan inte lyfta",
    prognosis=Prognosis.UNCLEAR,
    prognosis_days=None,
    suggested_measures=(),
    contact_wanted=True,
)
CONSENT = ConsentGiven(
    consent_id=UUID(int=8),
    giving=1,
    case_id=CASE,
    opening=1,
    person_ref=PERSON,
    scope=Scope.KOORD_TO_FK,
    counterparty=REGION,
    purpose=Purpose.COORDINATION_MEASURES,
    data_classes=(Covered.P, Covered.I),
    valid_from=DAY_1,
    valid_to=DAY_1 + timedelta(days=365),
    form=ConsentForm.WRITTEN,
    evidence_ref=UUID(int=9),
)
INFO = SendInfo(
    sender=REGION,
    consent=CONSENT,
    person_id="640823-3234",
    unit="SE2321000016-1A",
    coordinator="SE2321000016-2B",
    assumed_need=AssumedNeed.OCCUPATIONAL_REHAB,
    aim=InfoAim.SHORTEN,
    contact_wanted=True,
    certificate_id=None,
    consent_at=NOON,
    at=NOON,
)
CLOSE = CloseCase(outcome=Outcome.ORDINARY_WORK, today=DAY_20, at=NOON)
REOPEN = ReopenCase(reason=ReopenReason.RELAPSE, at=NOON)
ASSIGN = AssignCase(handler_ref="handler-1", unit="nord-2", substitute_ref=None, until=None, today=DAY_20)
EXTEND = ExtendCase(new_expected_end=DAY_1 + timedelta(days=179), certificate_id=None)
MILESTONE = RecordMilestone(counter=Counter.CHAIN, day=90)


def after(*commands: Any) -> list[CaseEvent]:
    """The facts that follow when these are asked, one after the other."""
    facts: list[CaseEvent] = []
    for command in commands:
        facts += decider.decide(command, decider.fold(facts))
    return facts


def known(*commands: Any) -> Any:
    situation: Any = decider.fold(after(*commands))
    return situation.case


# --- opening ---


def test_a_case_is_opened_with_its_days_worked_out() -> None:
    (opened,) = given().when(OPEN).facts()
    assert isinstance(opened, CaseOpened)
    assert (opened.expected_days, opened.chain_start) == (120, DAY_1 - timedelta(days=10))
    assert opened.employments[0].employment_id == employment_id_of(CASE, JOB.org_nr)
    assert not opened.restricted


def test_a_case_opened_again_alike_changes_nothing_and_otherwise_is_refused() -> None:
    given(*after(OPEN)).when(OPEN).nothing_happens()
    given(*after(OPEN)).when(replace(OPEN, employments=(OTHER_JOB,))).refused(CaseAlreadyOpen)


def test_a_protected_person_is_marked_as_restricted_for_the_others() -> None:
    (opened,) = given().when(replace(OPEN, protection_level=Protection.MARKED)).facts()
    assert isinstance(opened, CaseOpened)
    assert opened.restricted


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"spell_start": DAY_20 + timedelta(days=1)}, SickLeaveInFuture),
        ({"expected_end": DAY_1 - timedelta(days=1)}, EndsBeforeStart),
        ({"employments": (JOB, replace(JOB, workplace="Annat"))}, EmployerTwice),
        ({"employments": (replace(JOB, org_nr=None),)}, EmployerNotNamed),
        ({"employments": (replace(JOB, employment_kind=EmploymentKind.SELF),)}, EmployerNotNamed),
    ],
)
def test_an_opening_that_cannot_be_true_is_refused(change: dict[str, Any], why: Any) -> None:
    given().when(replace(OPEN, **change)).refused(why)


def test_the_self_employed_are_known_without_a_number() -> None:
    own = Employment(org_nr=None, employment_kind=EmploymentKind.SELF, workplace="Egen verkstad")
    (opened,) = given().when(replace(OPEN, employments=(own,))).facts()
    assert isinstance(opened, CaseOpened)
    assert opened.employments[0].org_nr is None


def test_an_employers_notice_opens_a_case_that_is_expected_to_last_as_long_as_is_known() -> None:
    opened, noticed = given().when(NOTICE).facts()
    assert isinstance(opened, CaseOpened)
    assert isinstance(noticed, EmployerSickNoticeReceived)
    assert (opened.expected_days, opened.employments) == (14, (noticed.employment,))


def test_a_notice_in_an_open_case_is_recorded_once_and_brings_its_employment() -> None:
    history = after(OPEN, NOTICE, replace(NOTICE, employment=OTHER_JOB))
    assert [type(f) for f in history[1:]] == [EmployerSickNoticeReceived, EmployerSickNoticeReceived]
    assert [e.org_nr for e in known(OPEN, NOTICE, replace(NOTICE, employment=OTHER_JOB)).employments] == [
        JOB.org_nr,
        OTHER_JOB.org_nr,
    ]
    given(*history).when(NOTICE).nothing_happens()


def test_what_a_case_is_expected_to_last_goes_for_each_of_its_employments() -> None:
    """Also for one that an employer's notice brings: a plan is owed from 60 days on (SFB 30:6)."""

    def days(*commands: Any) -> list[int | None]:
        return [f.expected_days for f in after(*commands) if isinstance(f, EmployerSickNoticeReceived)]

    theirs = replace(NOTICE, employment=OTHER_JOB)
    assert days(OPEN, theirs) == [120]
    assert days(NOTICE, theirs) == [14, 14]
    assert days(replace(NOTICE, expected_end=DAY_1 + timedelta(days=89)), theirs) == [90, 90]
    assert days(NOTICE, EXTEND, theirs) == [14, 180]
    assert days(OPEN, EXTEND, theirs) == [180]
    extended = after(OPEN, theirs, EXTEND)[-1]
    assert isinstance(extended, CaseExtended)
    assert extended.employment_ids == tuple(employment_id_of(CASE, job.org_nr) for job in (JOB, OTHER_JOB))


@pytest.mark.parametrize("day", [DAY_1 - timedelta(days=1), DAY_20 + timedelta(days=1)])
def test_sick_pay_ends_within_the_spell_that_has_been(day: date) -> None:
    given().when(replace(NOTICE, last_sick_pay_day=day)).refused(SickPayOutsideSpell)


def test_a_notice_of_a_sick_leave_ahead_is_refused() -> None:
    given().when(replace(NOTICE, spell_start=DAY_20 + timedelta(days=1))).refused(SickLeaveInFuture)


# --- on the way ---


@pytest.mark.parametrize(
    "command",
    [ASSIGN, EXTEND, SetDegree(periods=()), RegisterCertificate(certificate=CERTIFICATE), IKR, NEED, MILESTONE, CLOSE,
     REOPEN, AcknowledgeInfo(info_id=UUID(int=3), at=NOON)],
    ids=lambda c: type(c).__name__,
)  # fmt: skip
def test_nothing_can_be_done_in_a_case_that_is_not_there(command: Any) -> None:
    given().when(command).refused(CaseUnknown)


@pytest.mark.parametrize(
    "command",
    [
        OPEN,
        NOTICE,
        ASSIGN,
        EXTEND,
        SetDegree(periods=()),
        RegisterCertificate(certificate=CERTIFICATE),
        IKR,
        NEED,
        INFO,
    ],
    ids=lambda c: type(c).__name__,
)  # fmt: skip
def test_a_closed_case_is_left_alone(command: Any) -> None:
    given(*after(OPEN, CLOSE)).when(command).refused(CaseIsClosed)


def test_a_case_goes_from_hand_to_hand() -> None:
    stand_in = replace(ASSIGN, substitute_ref="handler-2", until=DAY_20 + timedelta(days=7))
    assert known(OPEN, ASSIGN, stand_in).assigned.substitute_ref == "handler-2"
    given(*after(OPEN, stand_in)).when(stand_in).nothing_happens()


@pytest.mark.parametrize(
    "change",
    [{"substitute_ref": "handler-2"}, {"until": DAY_20}, {"substitute_ref": "x", "until": DAY_20 - timedelta(days=1)}],
)
def test_who_stands_in_does_so_until_a_day_that_has_not_passed(change: dict[str, Any]) -> None:
    given(*after(OPEN)).when(replace(ASSIGN, **change)).refused(StandInUntilPassed)


def test_an_extension_counts_its_days_from_the_first_sick_day() -> None:
    (extended,) = given(*after(OPEN)).when(EXTEND).facts()
    assert isinstance(extended, CaseExtended)
    assert extended.expected_days == 180
    given(*after(OPEN, EXTEND)).when(EXTEND).nothing_happens()
    given(*after(OPEN, EXTEND)).when(replace(EXTEND, new_expected_end=DAY_20)).refused(EndNotLater)


def test_each_period_has_its_degree_and_what_is_known_is_not_written_again() -> None:
    first = Period(start=DAY_1, end=DAY_20, pct=100)
    then = Period(start=DAY_20 + timedelta(days=1), end=DAY_20 + timedelta(days=9), pct=50)
    history = after(OPEN, SetDegree(periods=(then, first)))
    degrees = [f for f in history if isinstance(f, WorkCapacityDegreeChanged)]
    assert [d.incapacity_pct for d in degrees] == [100, 50]
    given(*history).when(SetDegree(periods=(first,))).nothing_happens()


@pytest.mark.parametrize(
    ("periods", "why"),
    [
        ([(0, 9, 40)], DegreeUnknown),
        ([(0, 9, 0)], DegreeUnknown),
        ([(9, 0, 50)], PeriodReversed),
        ([(0, 9, 50), (9, 12, 25)], PeriodsOverlap),
        ([(60, 70, 50)], PeriodsOverlap),
    ],
)
def test_a_degree_that_cannot_be_is_refused(periods: list[tuple[int, int, int]], why: Any) -> None:
    known_period = Period(start=DAY_1 + timedelta(days=65), end=DAY_1 + timedelta(days=66), pct=25)
    asked = tuple(
        Period(start=DAY_1 + timedelta(days=a), end=DAY_1 + timedelta(days=b), pct=pct) for a, b, pct in periods
    )
    given(*after(OPEN, SetDegree(periods=(known_period,)))).when(SetDegree(periods=asked)).refused(why)


def test_a_certificate_is_registered_once_under_its_id() -> None:
    history = after(OPEN, RegisterCertificate(certificate=CERTIFICATE))
    given(*history).when(RegisterCertificate(certificate=CERTIFICATE)).nothing_happens()
    other = replace(CERTIFICATE, contact_wanted=False)
    given(*history).when(RegisterCertificate(certificate=other)).refused(CertificateKnownOtherwise)
    bad = replace(CERTIFICATE, periods=(CertifiedPeriod(start=DAY_20, end=DAY_1, pct=100),))
    given(*after(OPEN)).when(RegisterCertificate(certificate=bad)).refused(PeriodReversed)


def test_an_assessment_that_says_the_same_is_not_a_new_one() -> None:
    given(*after(OPEN, IKR)).when(IKR).nothing_happens()
    assert len(known(OPEN, IKR, replace(IKR, need_level=NeedLevel.NONE)).assessments) == 2


def test_a_need_is_decided_anew_also_when_the_answer_is_the_same() -> None:
    again = replace(NEED, at=NOON + timedelta(days=90))
    decisions = [f for f in after(OPEN, NEED, again) if isinstance(f, RehabNeedDecided)]
    assert len({d.decision_id for d in decisions}) == 2
    given(*after(OPEN, NEED)).when(NEED).nothing_happens()


def test_no_need_is_a_decision_too() -> None:
    (decided,) = given(*after(OPEN)).when(replace(NEED, need=False, types=())).facts()
    assert isinstance(decided, RehabNeedDecided)
    assert not decided.need


@pytest.mark.parametrize("change", [{"need": False}, {"types": ()}])
def test_a_need_has_kinds_and_no_need_has_none(change: dict[str, Any]) -> None:
    given(*after(OPEN)).when(replace(NEED, **change)).refused(NeedContradicted)


# --- what health care tells ---


def test_health_care_tells_fk_under_the_persons_consent_and_fk_acknowledges() -> None:
    (sent,) = given(*after(OPEN)).when(INFO).facts()
    assert isinstance(sent, KoordineringsInfoSent)
    assert sent.consent_id == CONSENT.consent_id
    given(*after(OPEN, INFO)).when(INFO).nothing_happens()
    acknowledge = AcknowledgeInfo(info_id=sent.info_id, at=NOON)
    history = after(OPEN, INFO, acknowledge)
    given(*history).when(acknowledge).nothing_happens()


@pytest.mark.parametrize(
    "consent",
    [
        None,
        replace(CONSENT, scope=Scope.AF),
        replace(CONSENT, counterparty="2321000016"),
        replace(CONSENT, case_id=UUID(int=99)),
        replace(CONSENT, opening=2),
    ],
)
def test_without_the_consent_that_fits_nothing_is_told(consent: Any) -> None:
    given(*after(OPEN)).when(replace(INFO, consent=consent)).refused(ConsentMissing)


@pytest.mark.parametrize("covered", [(Covered.P,), (Covered.I, Covered.D, Covered.M1), (Covered.E,)])
def test_nothing_is_told_that_the_consent_does_not_cover(covered: tuple[Covered, ...]) -> None:
    narrow = replace(INFO, consent=replace(CONSENT, data_classes=covered))
    given(*after(OPEN)).when(narrow).refused(ConsentTooNarrow)


def test_nothing_is_told_under_a_consent_from_a_time_to_come() -> None:
    later = NOON + timedelta(seconds=1)
    given(*after(OPEN)).when(replace(INFO, consent_at=later)).refused(ConsentedAhead)


def test_whether_there_is_a_case_is_not_told_to_who_has_no_consent() -> None:
    given().when(replace(INFO, consent=None)).refused(ConsentMissing)
    given(*after(OPEN, CLOSE)).when(replace(INFO, consent=None)).refused(ConsentMissing)


def test_what_never_came_cannot_be_acknowledged() -> None:
    given(*after(OPEN)).when(AcknowledgeInfo(info_id=UUID(int=3), at=NOON)).refused(InfoUnknown)


# --- days, and the end ---


def test_a_milestone_is_reached_once_and_never_in_a_closed_case() -> None:
    given(*after(OPEN)).when(MILESTONE).then(MilestoneReached(case_id=CASE, day=90, counter=Counter.CHAIN))
    given(*after(OPEN, MILESTONE)).when(MILESTONE).nothing_happens()
    given(*after(OPEN, CLOSE)).when(MILESTONE).nothing_happens()


def test_a_case_is_closed_with_its_days_and_opened_again() -> None:
    given(*after(OPEN)).when(CLOSE).then(
        CaseClosed(case_id=CASE, closed_at=NOON, outcome=Outcome.ORDINARY_WORK, spell_days=20, chain_days=30)
    )
    given(*after(OPEN, CLOSE)).when(CLOSE).nothing_happens()
    given(*after(OPEN, CLOSE)).when(replace(CLOSE, outcome=Outcome.DENIED)).refused(AlreadyClosed)
    (reopened,) = given(*after(OPEN, CLOSE)).when(REOPEN).facts()
    assert isinstance(reopened, CaseReopened)
    assert (reopened.opening, reopened.spell_start) == (2, DAY_1)
    assert isinstance(decider.fold(after(OPEN, CLOSE)), Closed)
    assert isinstance(decider.fold(after(OPEN, CLOSE, REOPEN)), Open)
    given(*after(OPEN, CLOSE, REOPEN)).when(REOPEN).nothing_happens()


def test_a_case_is_opened_again_only_while_the_person_has_had_none_since() -> None:
    given(*after(OPEN, CLOSE)).when(replace(REOPEN, followed=True)).refused(FollowedByAnotherCase)
    given(*after(OPEN, CLOSE, REOPEN)).when(replace(REOPEN, followed=True)).nothing_happens()


@pytest.mark.parametrize("command", [OPEN, NOTICE])
def test_no_case_is_begun_while_the_one_before_it_is_open(command: Any) -> None:
    given().when(replace(command, earlier_open=True)).refused(EarlierCaseOpen)


@pytest.mark.parametrize("number", [1, 2, 17])
def test_the_case_that_comes_next_follows_from_the_one_before(number: int) -> None:
    (this,) = given().when(replace(OPEN, case_id=case_id_of(PERSON, number))).facts()
    assert isinstance(this, CaseOpened)
    assert next_case_id(this) == case_id_of(PERSON, number + 1)


def test_a_case_that_was_never_closed_is_not_opened_again() -> None:
    given(*after(OPEN)).when(REOPEN).refused(CaseNotClosed)
