"""Laws that hold for every history of a case that can come about, tried on random ones."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from case_service.domain.case import decider
from case_service.domain.commands import (
    AcknowledgeInfo,
    AssignCase,
    CloseCase,
    Command,
    CompleteIkr,
    DecideNeed,
    Employment,
    ExtendCase,
    OpenCase,
    Period,
    RecordMilestone,
    ReopenCase,
    SendInfo,
    SetDegree,
    TakeSickNotice,
)
from case_service.domain.outcomes import case_id_of, next_info_id
from case_service.domain.situations import Opened
from chassis.decider import Refused
from contracts.case import (
    AssumedNeed,
    Benefit,
    CaseClosed,
    CaseEvent,
    CaseOpened,
    CaseReopened,
    ConsentForm,
    ConsentGiven,
    Counter,
    Covered,
    IkrMethod,
    InfoAim,
    MilestoneReached,
    NeedLevel,
    NeedType,
    NextStep,
    Outcome,
    Protection,
    Purpose,
    RehabNeedDecided,
    ReopenReason,
    Scope,
    WorkCapacityDegreeChanged,
)
from contracts.values import EmploymentKind

DAY_1 = date(2026, 3, 2)
PERSON = UUID(int=2)
CASE = case_id_of(PERSON, 1)
NUMBER, REGION = "640823-3234", "2320000017"

days = st.integers(0, 60).map(lambda n: DAY_1 + timedelta(days=n))
moments = st.integers(0, 60).map(lambda n: datetime(2026, 3, 2, tzinfo=UTC) + timedelta(days=n))
jobs = st.sampled_from(["5560360793", "5560009010"]).map(
    lambda org_nr: Employment(org_nr=org_nr, employment_kind=EmploymentKind.ORDINARY, workplace="Lagret")
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
    valid_to=DAY_1,
    form=ConsentForm.ORAL,
    evidence_ref=UUID(int=9),
)
OPEN = OpenCase(
    case_id=CASE,
    person_ref=PERSON,
    person_id=NUMBER,
    employments=(),
    spell_start=DAY_1,
    expected_end=DAY_1 + timedelta(days=30),
    prior_chain_days=0,
    benefit=Benefit.SICKNESS,
    protection_level=Protection.NONE,
    today=DAY_1,
)
periods = st.builds(
    lambda start, length, pct: Period(start=start, end=start + timedelta(days=length), pct=pct),
    days, st.integers(-1, 10), st.sampled_from([25, 50, 75, 100, 40]),
)  # fmt: skip

commands: st.SearchStrategy[Command] = st.one_of(
    st.builds(
        lambda job, today: replace(OPEN, employments=(job,), today=today), jobs, days
    ),
    st.builds(
        TakeSickNotice, case_id=st.just(CASE), person_ref=st.just(PERSON), person_id=st.just(NUMBER), employment=jobs,
        spell_start=st.just(DAY_1), last_sick_pay_day=days, expected_end=st.none(), today=days,
    ),
    st.builds(
        AssignCase, handler_ref=st.sampled_from(["a", "b"]), unit=st.just("u"), substitute_ref=st.none() | st.just("c"),
        until=st.none() | days, today=days,
    ),
    st.builds(ExtendCase, new_expected_end=days, certificate_id=st.none()),
    st.builds(SetDegree, periods=st.lists(periods, max_size=3).map(tuple)),
    st.builds(
        CompleteIkr, method=st.just(IkrMethod.IKR), need_level=st.sampled_from(NeedLevel), barriers=st.just(()),
        next_step=st.just(NextStep.NONE),
    ),
    st.builds(
        DecideNeed, need=st.booleans(), types=st.sampled_from([(), (NeedType.MEDICAL,)]), responsible=st.just(()),
        consulted_at=st.none(), person_view=st.just(""), at=moments,
    ),
    st.builds(
        SendInfo, sender=st.just(REGION), consent=st.sampled_from([None, CONSENT]), person_id=st.just(NUMBER),
        unit=st.just("SE2321000016-1A"), coordinator=st.just("SE2321000016-2B"),
        assumed_need=st.just(AssumedNeed.OCCUPATIONAL_REHAB), aim=st.just(InfoAim.SHORTEN),
        contact_wanted=st.just(True), certificate_id=st.none(), consent_at=moments, at=moments,
    ),
    st.builds(RecordMilestone, counter=st.sampled_from(Counter), day=st.sampled_from([30, 90])),
    st.builds(CloseCase, outcome=st.sampled_from([Outcome.ORDINARY_WORK, Outcome.OTHER]), today=days, at=moments),
    st.builds(ReopenCase, reason=st.just(ReopenReason.RELAPSE), at=moments),
    st.integers(1, 2).map(lambda n: AcknowledgeInfo(info_id=_info(n), at=datetime(2026, 3, 2, tzinfo=UTC))),
)  # fmt: skip


def _info(number: int) -> UUID:
    """The id that the case's first or second information gets."""
    situation: Any = decider.fold(decider.decide(OPEN, decider.initial))
    return next_info_id(replace(situation.case, infos=(None,) * (number - 1)))


@st.composite
def histories(draw: st.DrawFn) -> list[CaseEvent]:
    """A history as the rules let it come about, up to twelve commands long."""
    facts: list[CaseEvent] = list(decider.decide(OPEN, decider.initial)) if draw(st.booleans()) else []
    for command in draw(st.lists(commands, max_size=12)):
        facts += ask(facts, command) or []
    return facts


def ask(facts: list[CaseEvent], command: Command) -> list[CaseEvent] | None:
    with suppress(Refused):
        return list(decider.decide(command, decider.fold(facts)))
    return None


@settings(max_examples=400, deadline=None)
@given(histories(), commands)
def test_an_accepted_command_asked_again_yields_no_new_facts(history: list[CaseEvent], command: Command) -> None:
    first = ask(history, command)
    if first is not None:
        assert ask([*history, *first], command) == []


@settings(max_examples=150, deadline=None)
@given(histories())
def test_no_day_has_two_degrees(history: list[CaseEvent]) -> None:
    spans = sorted((f.start, f.end) for f in history if isinstance(f, WorkCapacityDegreeChanged))
    assert all(a[1] < b[0] for a, b in pairwise(spans))


@settings(max_examples=150, deadline=None)
@given(histories())
def test_nothing_happens_in_a_case_between_its_end_and_its_opening_again(history: list[CaseEvent]) -> None:
    closed, openings = False, 0
    for fact in history:
        if isinstance(fact, CaseOpened | CaseReopened):
            assert closed or openings == 0
            openings += 1
            assert fact.opening == openings
            closed = False
            continue
        assert not closed
        closed = isinstance(fact, CaseClosed)


@settings(max_examples=150, deadline=None)
@given(histories())
def test_milestones_and_decisions_never_come_twice(history: list[CaseEvent]) -> None:
    reached = [(f.counter, f.day) for f in history if isinstance(f, MilestoneReached)]
    decisions = [f.decision_id for f in history if isinstance(f, RehabNeedDecided)]
    assert len(reached) == len(set(reached))
    assert len(decisions) == len(set(decisions))


@settings(max_examples=150, deadline=None)
@given(histories())
def test_the_end_is_never_before_what_was_expected_last(history: list[CaseEvent]) -> None:
    situation = decider.fold(history)
    if isinstance(situation, Opened):
        known = situation.case
        assert known.expected_end >= known.opened.expected_end
        assert known.expected_days == (known.expected_end - known.opened.spell_start).days + 1
