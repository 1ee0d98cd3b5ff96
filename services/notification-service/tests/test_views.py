"""The read models say what the facts say, whatever happens to a case."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from chassis.envelope import SYSTEM, Envelope
from chassis.view import Heard, View
from contracts.notification import AgendaEvent
from notification_service.domain.deadline import open_deadline
from notification_service.domain.message import RecordReminderFailed, RecordReminderSent, Waiting
from notification_service.loading import load, shipped
from notification_service.versions import Rules
from notification_service.views.deadlines import deadlines
from notification_service.views.reminders import reminders
from notification_service.views.timeline import timeline
from notification_service.views.timers import timers

CASE = UUID("00000000-0000-0000-0000-000000000005")
RULES = Rules([load(f) for f in shipped()])
EVENTS = ["registered", "requested", "submitted", "revised", "assessed", "file_rejected", "not_received"]


def folded(view: View[Any], facts: list[AgendaEvent], at: Any) -> dict[Any, Any]:
    """What stands in the view's table after these facts."""
    rows: dict[Any, Any] = {}
    for n, fact in enumerate(facts, 1):
        heard = Heard(
            source="notification",
            position=n,
            stream=f"agenda-{CASE}",
            version=n,
            name=type(fact).__name__,
            fact=fact,
            envelope=Envelope(event_id=UUID(int=n), occurred_at=at + timedelta(minutes=n), actor=SYSTEM, case_id=CASE),
            recorded_at=at,
        )
        for key in view.keys(heard):
            row = view.evolve(rows.get(key), heard, key)
            rows.pop(key, None)
            if row is not None:
                rows[key] = row
    return rows


moves = st.lists(st.tuples(st.sampled_from([*EVENTS, "until", "sent", "failed"]), st.integers(0, 12)), max_size=14)


def played(case: Any, moves: list[tuple[str, int]]) -> Any:
    day = 3
    for what, later in moves:
        day += later
        if what in ("sent", "failed"):
            waiting = [k for k, m in case.agenda.messages.items() if isinstance(m, Waiting)]
            for k in waiting[:1]:
                sent = RecordReminderSent(reminder_id=k)
                case.ask(sent if what == "sent" else RecordReminderFailed(reminder_id=k, cause="NO_CONTACT"))
        else:
            getattr(case, what)(day)
    return case


@given(moves)
def test_timers_hold_exactly_the_next_step_of_every_open_deadline(
    make_case: Callable[..., Any], moves: list[tuple[str, int]]
) -> None:
    case = played(make_case(RULES), moves)
    rows = folded(timers, case.facts, case.start)
    doing = {k: open_deadline(s) for k, s in case.agenda.deadlines.items()}
    assert {k: r.next_at for k, r in rows.items()} == {k: d.steps[0].at for k, d in doing.items() if d and d.steps}


@given(moves)
def test_deadlines_are_open_exactly_while_the_agenda_holds_them_open(
    make_case: Callable[..., Any], moves: list[tuple[str, int]]
) -> None:
    case = played(make_case(RULES), moves)
    rows = folded(deadlines, case.facts, case.start)
    still = {k for k, s in case.agenda.deadlines.items() if open_deadline(s) is not None}
    assert {k for k, r in rows.items() if r.status == "OPEN"} == still
    assert set(rows) == set(case.agenda.deadlines)


@given(moves)
def test_reminders_wait_exactly_while_the_agenda_holds_them_waiting(
    make_case: Callable[..., Any], moves: list[tuple[str, int]]
) -> None:
    case = played(make_case(RULES), moves)
    rows = folded(reminders, case.facts, case.start)
    waiting = {k for k, m in case.agenda.messages.items() if isinstance(m, Waiting)}
    assert {k for k, r in rows.items() if r.status == "WAITING"} == waiting


def test_the_timeline_has_one_row_for_each_thing_worth_telling(case: Any) -> None:
    case.registered(3)
    case.until(31)
    rows = folded(timeline, case.facts, case.start)
    assert [r.event for r in rows.values()] == ["DeadlineSet", "DeadlineSet"]
    assert all(r.case_id == CASE for r in rows.values())


def test_a_message_that_could_not_reach_its_party_is_a_task_for_the_handler(case: Any) -> None:
    case.registered(3)
    case.until(25)
    (key, *_) = case.agenda.messages
    case.ask(RecordReminderFailed(reminder_id=key, cause="NO_CONTACT"))
    (row,) = folded(deadlines, case.facts, case.start).values()
    assert (row.roles, row.unreached) == ("fk.handler", "NO_CONTACT")
