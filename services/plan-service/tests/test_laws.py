"""Laws that hold for every history that can come about, tried on random ones."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.decider import Refused
from chassis.envelope import SYSTEM, Actor, Envelope
from chassis.view import Heard
from contracts.plan import (
    ActivityKind,
    Channel,
    EmployerPlanNotReceived,
    EmployerPlanRequested,
    EmploymentKind,
    EmploymentRegistered,
    Exemption,
    FileFault,
    PlanAssessed,
    PlanEvent,
    PlanFileRejected,
    PlanRevised,
    PlanSubmitted,
)
from plan_service.api import shown
from plan_service.domain.commands import (
    AssessPlan,
    Command,
    FollowCase,
    LearnOfEmployment,
    RecordFileRejected,
    RecordPlanNotReceived,
    RegisterEmployment,
    RequestPlan,
    RevisePlan,
    SubmitPlan,
)
from plan_service.domain.employment import decider
from plan_service.domain.outcomes import next_request_id
from plan_service.domain.plan import Activity, Contents, Document
from plan_service.domain.situations import Asked, NotRegistered, PlanAtHand, Registered, plans
from plan_service.views import employments as views

DAY_1 = date(2026, 3, 2)
EMPLOYMENT = UUID(int=1)

days = st.integers(0, 40).map(lambda n: DAY_1 + timedelta(days=n))
moments = st.integers(0, 40).map(lambda n: datetime(2026, 3, 2, tzinfo=UTC) + timedelta(days=n))
LATER = DAY_1 + timedelta(days=30)
ACTIVITIES = [
    Activity(kind=kind, description="Halvtid", responsible=who, start=start, end=end, follow_up=None, target_pct=pct)
    for kind, who, start, end, pct in [
        (ActivityKind.PART_TIME, "Arbetsledare", DAY_1, LATER, 50),
        (ActivityKind.TASKS, None, LATER, None, 0),
        (ActivityKind.AIDS, "", LATER, DAY_1, None),
    ]
]
contents = st.builds(
    Contents,
    channel=st.sampled_from([Channel.PORTAL, Channel.INSURED]),
    drawn_up_on=days,
    employee_consulted=st.booleans(),
    not_consulted_reason=st.none(),
    exemption=st.sampled_from([Exemption.NONE, Exemption.HEALTH_EXCLUDES]),
    activities=st.sampled_from([(), (ACTIVITIES[0],), (ACTIVITIES[1],), (ACTIVITIES[0], ACTIVITIES[2])]),
    return_date=st.sampled_from([None, LATER]),
    document=st.sampled_from(
        [None, *(Document(document_ref=UUID(int=n), sha256=f"{n:064x}", bytes=n) for n in (1, 2))]
    ),
)


def registration(kind: EmploymentKind) -> EmploymentRegistered:
    return EmploymentRegistered(
        employment_id=EMPLOYMENT,
        case_id=UUID(int=2),
        person_ref=UUID(int=3),
        org_nr="5560360793",
        employment_kind=kind,
        workplace="Lagret",
        spell_start=DAY_1,
        expected_days=90,
    )


Intent = Callable[[NotRegistered | Registered], Command]


def of_some_plan(pick: int, rest: Callable[[UUID], Command]) -> Intent:
    """The command about one of the plans that exist, or about one that does not."""

    def intend(situation: NotRegistered | Registered) -> Command:
        ids = [v.plan_id for plan in plans(situation) for v in plan.versions] or [UUID(int=9)]
        return rest(ids[pick % len(ids)])

    return intend


def always(command: Command) -> Intent:
    return lambda situation: command


picks = st.integers(0, 3)
intents: st.SearchStrategy[Intent] = st.one_of(
    st.builds(
        RegisterEmployment,
        registration=st.sampled_from([EmploymentKind.ORDINARY, EmploymentKind.SHELTERED]).map(registration),
        today=days,
    ).map(always),
    st.builds(
        LearnOfEmployment,
        registration=st.sampled_from([EmploymentKind.ORDINARY, EmploymentKind.SHELTERED]).map(registration),
        today=days,
    ).map(always),
    st.builds(FollowCase, expected_days=st.sampled_from([14, 90, 120])).map(always),
    st.builds(RequestPlan, due=st.none() | days, today=days).map(always),
    st.builds(
        RecordFileRejected,
        upload_id=st.just(UUID(int=7)),
        reason=st.sampled_from([FileFault.TOO_LARGE, FileFault.MALWARE]),
        sha256=st.sampled_from([None, "e" * 64]),
        by_employer=st.booleans(),
    ).map(always),
    st.builds(SubmitPlan, contents=contents, at=moments, today=days).map(always),
    st.builds(
        lambda pick, contents, at, today: of_some_plan(
            pick, lambda id: RevisePlan(plan_id=id, contents=contents, changes=("ändrat",), at=at, today=today)
        ),
        picks, contents, moments, days,
    ),
    st.builds(
        lambda pick, version: of_some_plan(pick, lambda id: AssessPlan(plan_id=id, version=version)),
        picks, st.integers(1, 4),
    ),
    st.builds(RecordPlanNotReceived, ran_out_on=days, reminders=st.just(2)).map(always),
)  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> list[PlanEvent]:
    """A history as the rules let it come about, up to ten commands long."""
    facts: list[PlanEvent] = [registration(EmploymentKind.ORDINARY)] if draw(st.booleans()) else []
    for intent in draw(st.lists(intents, max_size=10)):
        with suppress(Refused):
            facts += decider.decide(intent(decider.fold(facts)), decider.fold(facts))
    return facts


def ask(facts: list[PlanEvent], command: Any) -> list[PlanEvent] | None:
    try:
        return list(decider.decide(command, decider.fold(facts)))
    except Refused:
        return None


@settings(max_examples=400, deadline=None)
@given(histories(), intents)
def test_an_accepted_command_asked_again_yields_no_new_facts(history: list[PlanEvent], intent: Intent) -> None:
    command = intent(decider.fold(history))
    first = ask(history, command)
    if first is not None:
        assert ask([*history, *first], command) == []


@settings(max_examples=150, deadline=None)
@given(histories())
def test_versions_of_a_plan_are_contiguous_and_ids_never_come_twice(history: list[PlanEvent]) -> None:
    versions: dict[UUID, list[int]] = {}
    for fact in history:
        if isinstance(fact, PlanSubmitted | PlanRevised):
            versions.setdefault(fact.plan_id, []).append(fact.version)
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in versions.values())
    submitted = [f.plan_id for f in history if isinstance(f, PlanSubmitted)]
    requested = [f.request_id for f in history if isinstance(f, EmployerPlanRequested)]
    assert len(submitted) == len(set(submitted))
    assert len(requested) == len(set(requested))


@settings(max_examples=150, deadline=None)
@given(histories())
def test_nobody_is_called_silent_unless_asked_and_nothing_came_since(history: list[PlanEvent]) -> None:
    waiting: UUID | None = None
    for fact in history:
        match fact:
            case EmployerPlanRequested():
                waiting = fact.request_id
            case PlanSubmitted() | PlanFileRejected():
                waiting = None
            case EmployerPlanNotReceived():
                assert fact.request_id == waiting
                waiting = None
            case _:
                pass


@settings(max_examples=150, deadline=None)
@given(histories())
def test_every_assessment_is_of_the_newest_version_of_that_moment(history: list[PlanEvent]) -> None:
    newest: tuple[UUID, int] | None = None
    for fact in history:
        if isinstance(fact, PlanSubmitted | PlanRevised):
            newest = (fact.plan_id, fact.version)
        if isinstance(fact, PlanAssessed):
            assert (fact.plan_id, fact.version) == newest
            assert 0 <= fact.score <= 6
            assert fact.score + len(fact.shortcomings) == 6


@settings(max_examples=150, deadline=None)
@given(histories())
def test_two_who_ask_at_once_name_the_same_request(history: list[PlanEvent]) -> None:
    situation = decider.fold(history)
    asked = ask(history, RequestPlan(due=None, today=DAY_1))
    if asked and isinstance(situation, Registered):
        (fact,) = asked
        assert isinstance(fact, EmployerPlanRequested)
        assert fact.request_id == next_request_id(situation.employment)


# --- what the read model shows, and what the links offer ---

NOW = datetime(2026, 4, 1, tzinfo=UTC)
NEW_FILE = Document(document_ref=UUID(int=77), sha256="7" * 64, bytes=7)
SOMETHING_NEW = Contents(
    channel=Channel.PORTAL,
    drawn_up_on=DAY_1,
    employee_consulted=True,
    not_consulted_reason=None,
    exemption=Exemption.NONE,
    activities=(),
    return_date=None,
    document=NEW_FILE,
)
SHOWN_AS = {
    "NotAsked": views.NOT_ASKED,
    "Asked": views.PlanStatus.REQUESTED,
    "NotReceived": views.PlanStatus.NOT_RECEIVED,
    "FileUnreadable": views.FILE_UNREADABLE,
    "Unassessed": views.PlanStatus.RECEIVED,
    "Assessed": views.PlanStatus.ASSESSED,
    "Exempted": views.PlanStatus.EXEMPT,
}


def row_after(history: list[PlanEvent]) -> views.Employment | None:
    """The read model's row once these facts are folded."""
    row: views.Employment | None = None
    for n, fact in enumerate(history, 1):
        heard = Heard(
            source="plan",
            position=n,
            stream="employment-1",
            version=n,
            name=type(fact).__name__,
            fact=fact,
            envelope=Envelope(event_id=UUID(int=n), occurred_at=NOW, actor=SYSTEM),
            recorded_at=NOW,
        )
        for key in views.keys(heard):
            row = views.evolve(row, heard, key)
    return row


@settings(max_examples=300, deadline=None)
@given(histories())
def test_the_read_model_tells_the_same_situation_as_the_rules(history: list[PlanEvent]) -> None:
    situation, row = decider.fold(history), row_after(history)
    if isinstance(situation, NotRegistered):
        assert row is None
        return
    assert row is not None
    assert (row.situation, row.version) == (SHOWN_AS[type(situation).__name__], len(history))
    if isinstance(situation, PlanAtHand):
        assert (row.plan_id, row.plan_version) == (situation.plan.newest.plan_id, situation.plan.newest.version)
    if isinstance(situation, Asked):
        assert (row.request_id, row.due) == (situation.request.request_id, situation.request.due)


@settings(max_examples=300, deadline=None)
@given(histories())
def test_a_link_is_offered_exactly_when_something_would_come_of_it(history: list[PlanEvent]) -> None:
    situation, row = decider.fold(history), row_after(history)
    if row is None:
        return
    at_hand = situation.plan.newest if isinstance(situation, PlanAtHand) else None
    plan_id, version = (at_hand.plan_id, at_hand.version) if at_hand else (UUID(int=9), 1)
    today = DAY_1 + timedelta(days=50)
    would = {
        "requestPlan": RequestPlan(due=None, today=today),
        "submitPlan": SubmitPlan(contents=SOMETHING_NEW, at=NOW, today=today),
        "revisePlan": RevisePlan(plan_id=plan_id, contents=SOMETHING_NEW, changes=(), at=NOW, today=today),
        "assessPlan": AssessPlan(plan_id=plan_id, version=version),
    }
    handler = Actor(org_type="FK", org_id="2021005521", role="fk.handler", user_ref="u")
    offered = shown.links(row, handler)
    assert {name for name in would if name in offered} == {name for name, c in would.items() if ask(history, c)}
