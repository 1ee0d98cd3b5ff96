"""Whatever happens to a case, in whatever order: what always holds of its agenda."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from chassis.decider import but
from contracts.notification import (
    AgendaEvent,
    Condition,
    DeadlineCancelled,
    DeadlineEscalated,
    DeadlineMet,
    DeadlineMissed,
    DeadlineSet,
    ReminderChannel,
    ReminderDue,
    Step,
    StepKind,
    StepsPlanned,
    Task,
    TimerElapsed,
)
from notification_service.domain.agenda import decider
from notification_service.domain.commands import Command, Elapse, SetDeadline, SettleMatter
from notification_service.domain.deadline import NotSet, Situation, open_deadline
from notification_service.domain.known import NOTHING_YET, Agenda
from notification_service.domain.occurring import next_step

NAMES = UUID("00000000-0000-0000-0000-0000000000aa")
MATTERS = [uuid5(NAMES, f"matter {n}") for n in range(3)]
EVENTS = ["PlanSubmitted", "PlanRevised"]
START = datetime.fromisoformat("2026-03-02T00:00:00+00:00").timestamp()


def hour(n: int) -> datetime:
    return datetime.fromtimestamp(START + n * 3600, tz=datetime.fromisoformat("2026-03-02T00:00:00+00:00").tzinfo)


hours = st.integers(0, 200)
plain = st.builds(Condition, event=st.sampled_from(EVENTS), matter=st.sampled_from(MATTERS), earlier=st.booleans())
from_then = st.builds(
    Condition,
    event=st.sampled_from(EVENTS),
    matter=st.sampled_from(MATTERS),
    earlier=st.just(False),
    since=st.just(hour(0)),
)
with_the_case = st.builds(
    Condition,
    event=st.just("CaseClosed"),
    matter=st.sampled_from(MATTERS),
    earlier=st.just(True),
    undone_by=st.just("CaseReopened"),
    since=st.just(hour(0)),
)
conditions = st.one_of(plain, from_then, with_the_case)
ends = st.lists(conditions, max_size=2).map(tuple)


@st.composite
def steps(draw: st.DrawFn, tasks: Sequence[Task], after: int) -> tuple[Step, ...]:
    """At most one miss, any number of the others, none before `after`."""
    made: list[Step] = []
    if draw(st.booleans()):
        made.append(Step(at=hour(draw(st.integers(after, 200))), does=StepKind.MISS, code="MISS"))
    for n in range(draw(st.integers(0, 3))):
        does = draw(st.sampled_from([StepKind.REMIND, StepKind.ESCALATE, StepKind.TIMER]))
        at = hour(draw(st.integers(after, 200)))
        made.append(
            Step(at=at, does=does, code=f"c{n}", attempt=n, channel=ReminderChannel.EMAIL, recipient_ref="employer:1")
        )
    made += [Step(at=t.due_at, does=StepKind.TASK, code=t.kind) for t in tasks]
    return tuple(made)


@st.composite
def set_deadlines(draw: st.DrawFn) -> SetDeadline:
    name = f"deadline {draw(st.integers(0, 4))}"
    opens = draw(hours)
    child = _task(f"{name} child", "CHILD", hour(opens), draw(steps((), opens)), draw(ends), draw(ends))
    tasks = (child,) if draw(st.booleans()) else ()
    task = _task(name, "PARENT", hour(draw(hours)), draw(steps(tasks, 0)), draw(ends), draw(ends))
    return SetDeadline(task=task, tasks=tasks, rule_version="2026-01")


def _task(
    name: str, kind: str, due: datetime, steps: tuple[Step, ...], met: tuple[Condition, ...], off: tuple[Condition, ...]
) -> Task:
    return Task(
        deadline_id=uuid5(NAMES, name),
        kind=kind,
        about=MATTERS[0],
        due_at=due,
        owner_role="fk.handler",
        owner_ref="role:fk.handler",
        escalate_to=(),
        owner_sees=True,
        rule="rule",
        steps=steps,
        met_by=met,
        cancelled_by=off,
    )


settles = st.builds(
    SettleMatter,
    event=st.sampled_from([*EVENTS, "CaseClosed", "CaseReopened"]),
    matters=st.lists(st.sampled_from(MATTERS), min_size=1, max_size=2, unique=True).map(tuple),
    at=st.integers(-20, 200).map(hour),
)
elapses = st.builds(Elapse, up_to=hours.map(hour))
commands = st.lists(st.one_of(set_deadlines(), settles, elapses), max_size=12)


def played(asked: Sequence[Command], agenda: Agenda = NOTHING_YET) -> tuple[list[AgendaEvent], Agenda]:
    facts: list[AgendaEvent] = []
    for command in asked:
        new = decider.decide(command, agenda)
        agenda = decider.fold(new, agenda)
        facts += new
    return facts, agenda


def fired(facts: Sequence[AgendaEvent]) -> list[tuple[Any, ...]]:
    """What each firing was, named so that the same firing twice has the same name."""
    names: list[tuple[Any, ...]] = []
    for f in facts:
        match f:
            case DeadlineMissed():
                names.append(("missed", f.deadline_id))
            case DeadlineEscalated():
                names.append(("escalated", f.deadline_id, f.to_role, f.attempt))
            case ReminderDue():
                names.append(("reminder", f.reminder_id))
            case TimerElapsed():
                names.append(("timer", f.timer_id, f.kind))
            case DeadlineSet():
                names.append(("set", f.deadline_id))
            case DeadlineMet() | DeadlineCancelled():
                names.append(("ended", f.deadline_id))
            case _:
                pass
    return names


@given(commands)
def test_nothing_fires_twice(asked: Sequence[Command]) -> None:
    facts, _ = played([*asked, Elapse(up_to=hour(300)), Elapse(up_to=hour(400))])
    twice = {name: n for name, n in Counter(fired(facts)).items() if n > 1}
    assert twice == {}


@given(commands)
def test_a_repeated_command_yields_no_facts(asked: Sequence[Command]) -> None:
    agenda = NOTHING_YET
    for command in asked:
        agenda = decider.fold(decider.decide(command, agenda), agenda)
        assert list(decider.decide(command, agenda)) == []


@given(commands, st.lists(hours, max_size=6))
def test_many_small_steps_of_time_tell_the_same_as_one_big_step(asked: Sequence[Command], stops: list[int]) -> None:
    _, agenda = played(asked)
    small, _ = played([Elapse(up_to=hour(n)) for n in (*sorted(stops), 300)], agenda)
    big, _ = played([Elapse(up_to=hour(300))], agenda)
    assert small == big


@given(commands)
def test_steps_fire_in_the_order_in_which_they_fall_due(asked: Sequence[Command]) -> None:
    _, agenda = played(asked)
    times: list[datetime] = []
    for fact in decider.decide(Elapse(up_to=hour(300)), agenda):
        doing = open_deadline(situation(agenda, stepping(fact)))
        if doing is not None and doing.steps:
            times.append(doing.steps[0].at)
        agenda = decider.fold([fact], agenda)
    assert times == sorted(times)
    assert next_step(agenda) is None


def situation(agenda: Agenda, deadline_id: UUID | None) -> Situation:
    return NotSet() if deadline_id is None else agenda.deadlines.get(deadline_id, NotSet())


def stepping(fact: AgendaEvent) -> UUID | None:
    """The deadline whose step this fact is."""
    match fact:
        case DeadlineMissed() | DeadlineEscalated() | ReminderDue():
            return fact.deadline_id
        case TimerElapsed():
            return fact.timer_id
        case StepsPlanned():
            return fact.parent
        case _:
            return None


@given(commands)
def test_time_that_has_not_come_fires_nothing(asked: Sequence[Command]) -> None:
    _, agenda = played(asked)
    due = next_step(agenda)
    if due is not None:
        assert list(decider.decide(Elapse(up_to=hour(-1)), agenda)) == []


@given(commands)
def test_what_is_met_or_cancelled_never_speaks_again(asked: Sequence[Command]) -> None:
    facts, _ = played([*asked, Elapse(up_to=hour(300))])
    over: set[UUID] = set()
    for f in facts:
        if isinstance(f, DeadlineMissed | DeadlineEscalated | ReminderDue | DeadlineSet):
            assert f.deadline_id not in over
        if isinstance(f, TimerElapsed):
            assert f.timer_id not in over
        if isinstance(f, DeadlineMet | DeadlineCancelled):
            over.add(f.deadline_id)


@given(set_deadlines(), st.lists(settles, max_size=4), st.randoms(use_true_random=False))
def test_in_which_order_sources_are_heard_changes_nothing_about_what_is_missed(
    asked: SetDeadline, heard: list[SettleMatter], random: Any
) -> None:
    shuffled = list(heard)
    random.shuffle(shuffled)
    one, _ = played([asked, *heard, Elapse(up_to=hour(300))])
    other, _ = played([asked, *shuffled, Elapse(up_to=hour(300))])
    first = asked.task.deadline_id

    def history(facts: list[AgendaEvent]) -> list[Any]:
        return [f for f in facts if isinstance(f, DeadlineMissed) and f.deadline_id == first]

    assert history(one) == history(other)


@given(set_deadlines(), settles)
def test_what_was_settled_before_counts_only_where_the_rule_says_so(asked: SetDeadline, before: SettleMatter) -> None:
    facts, _ = played([before, asked])
    named = [
        c
        for c in (*asked.task.met_by, *asked.task.cancelled_by)
        if c.event == before.event and c.matter in before.matters
    ]
    ends = any(c.earlier or (c.since is not None and before.at >= c.since) for c in named)
    missed_first = any(s.does is StepKind.MISS and s.at <= before.at for s in asked.task.steps)
    assert any(isinstance(f, DeadlineSet) for f in facts) is not (ends and not missed_first)


@given(set_deadlines(), st.lists(settles, max_size=5), st.integers(0, 5))
def test_whether_a_deadline_is_heard_of_before_or_after_what_ends_it_is_the_same(
    asked: SetDeadline, heard: list[SettleMatter], place: int
) -> None:
    """Of conditions that other services' events meet; what the same service tells comes in its own order."""
    task = but(
        asked.task,
        met_by=tuple(but(c, earlier=True) for c in asked.task.met_by),
        cancelled_by=tuple(but(c, earlier=True) for c in asked.task.cancelled_by),
    )
    first = but(asked, task=but(task, steps=tuple(s for s in task.steps if s.does is not StepKind.TASK)), tasks=())
    outcomes = [
        outcome(played([*heard[:n], first, *heard[n:], Elapse(up_to=hour(300))])) for n in (0, place, len(heard))
    ]
    assert all(o == outcomes[0] for o in outcomes)


def outcome(story: tuple[list[AgendaEvent], Agenda]) -> tuple[Any, ...]:
    """What came of it for whoever has something to do, or is told something."""
    facts, agenda = story
    fired = [f for f in facts if isinstance(f, DeadlineMissed | DeadlineEscalated | ReminderDue | TimerElapsed)]
    left = {k for k, s in agenda.deadlines.items() if open_deadline(s) is not None}
    return sorted(map(str, map(vars_of, fired))), left


def vars_of(fact: AgendaEvent) -> tuple[Any, ...]:
    return (type(fact).__name__, *(getattr(fact, name) for name in fact.__dataclass_fields__))
