"""What is answered to somebody who ticks off a task, and to a delivery that succeeded or failed."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from contracts.notification import (
    DeadlineMet,
    DeadlineSet,
    ReminderDue,
    ReminderFailed,
    ReminderSent,
    ReminderWithdrawn,
    TaskDone,
)
from notification_service.domain.commands import (
    Claimant,
    CompleteTask,
    DeadlineUnknown,
    NotDoneByHand,
    TaskOfAnotherRole,
)
from notification_service.domain.message import RecordReminderFailed, RecordReminderSent

Day = Callable[..., datetime]
UNKNOWN = UUID("00000000-0000-0000-0000-000000000001")


def tip_task(case: Any) -> UUID:
    case.not_received(61)
    return case.told(DeadlineSet)[-1].deadline_id


def test_a_handler_ticks_off_the_tip_task(case: Any, day: Day) -> None:
    task = tip_task(case)
    done, _, met = case.ask(CompleteTask(deadline_id=task, who=Claimant(role="fk.handler"), at=day(62)))
    assert isinstance(done, TaskDone)
    assert isinstance(met, DeadlineMet)
    assert met.met_at == day(62)


def test_ticking_off_twice_is_once(case: Any, day: Day) -> None:
    task = tip_task(case)
    case.ask(CompleteTask(deadline_id=task, who=Claimant(role="fk.handler"), at=day(62)))
    assert case.ask(CompleteTask(deadline_id=task, who=Claimant(role="fk.handler"), at=day(63))) == []


def test_a_level_may_tick_a_task_off_once_it_has_been_escalated_to_it_and_not_before(case: Any, day: Day) -> None:
    task = tip_task(case)
    case.until(73)
    with pytest.raises(TaskOfAnotherRole):
        case.ask(CompleteTask(deadline_id=task, who=Claimant(role="fk.unit_manager"), at=day(73)))
    case.until(74)
    with pytest.raises(TaskOfAnotherRole):
        case.ask(CompleteTask(deadline_id=task, who=Claimant(role="fk.collab_lead"), at=day(74)))
    assert case.ask(CompleteTask(deadline_id=task, who=Claimant(role="fk.unit_manager"), at=day(74)))


def test_another_role_may_not_tick_it_off(case: Any, day: Day) -> None:
    task = tip_task(case)
    with pytest.raises(TaskOfAnotherRole):
        case.ask(CompleteTask(deadline_id=task, who=Claimant(role="fk.specialist"), at=day(62)))


def test_a_plan_is_assessed_by_assessing_it_not_by_ticking_off(case: Any, day: Day) -> None:
    case.submitted(20)
    with pytest.raises(NotDoneByHand):
        case.ask(
            CompleteTask(deadline_id=case.told(DeadlineSet)[0].deadline_id, who=Claimant(role="fk.handler"), at=day(21))
        )


def test_a_task_that_does_not_exist_is_unknown(case: Any, day: Day) -> None:
    with pytest.raises(DeadlineUnknown):
        case.ask(CompleteTask(deadline_id=UNKNOWN, who=Claimant(role="fk.handler"), at=day(21)))


def reminder(case: Any) -> UUID:
    case.registered(3)
    case.until(25)
    return case.told(ReminderDue)[-1].reminder_id


def test_a_message_handed_over_is_recorded_once(case: Any) -> None:
    waiting = reminder(case)
    (sent,) = case.ask(RecordReminderSent(reminder_id=waiting))
    assert isinstance(sent, ReminderSent)
    assert case.ask(RecordReminderSent(reminder_id=waiting)) == []
    assert case.ask(RecordReminderFailed(reminder_id=waiting, cause="REFUSED")) == []


def test_a_message_that_cannot_be_handed_over_says_why(case: Any) -> None:
    (failed,) = case.ask(RecordReminderFailed(reminder_id=reminder(case), cause="NO_CONTACT"))
    assert isinstance(failed, ReminderFailed)
    assert failed.cause == "NO_CONTACT"


def test_a_message_that_was_on_its_way_when_it_was_withdrawn_was_sent_all_the_same(case: Any) -> None:
    waiting = reminder(case)
    case.submitted(25)
    assert case.told(ReminderWithdrawn)
    (sent,) = case.ask(RecordReminderSent(reminder_id=waiting))
    assert isinstance(sent, ReminderSent)


def test_a_withdrawn_message_cannot_fail(case: Any) -> None:
    waiting = reminder(case)
    case.submitted(25)
    assert case.ask(RecordReminderFailed(reminder_id=waiting, cause="NO_CONTACT")) == []


def test_a_message_never_decided_on_is_not_recorded(case: Any) -> None:
    assert case.ask(RecordReminderSent(reminder_id=UNKNOWN)) == []
