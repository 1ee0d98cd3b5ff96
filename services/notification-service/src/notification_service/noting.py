"""What is noted of a message that was handed over, that failed, that goes another way, or that has to wait?"""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from chassis.clock import hashed_id
from chassis.service import Runtime
from contracts.notification import ReminderChannel
from notification_service.domain.agenda import agenda_for
from notification_service.domain.message import (
    MessageCommand,
    RecordReminderFailed,
    RecordReminderSent,
    RerouteReminder,
)
from notification_service.views.reminders import Reminder, lies_in_inbox

LONGEST_PAUSE = 600

WAIT = (
    "insert into public.deliveries (reminder_id, tries, next_try) select id, 1, $2::timestamptz + interval '1 second' "
    "from unnest($1::uuid[]) as id on conflict (reminder_id) do update set tries = deliveries.tries + 1, "
    "next_try = $2::timestamptz + least(power(2, least(deliveries.tries, 20)), $3::int) * interval '1 second'"
)


async def note_sent(runtime: Runtime, reminder: Reminder) -> None:
    command = RecordReminderSent(reminder_id=reminder.reminder_id)
    await _record(runtime, reminder, command, "sent")


async def note_failed(runtime: Runtime, reminder: Reminder, cause: str) -> None:
    command = RecordReminderFailed(reminder_id=reminder.reminder_id, cause=cause)
    await _record(runtime, reminder, command, "failed")


async def reroute(runtime: Runtime, reminder: Reminder, instead: str, cause: str) -> None:
    async with runtime.engine.connect() as connection:
        lies_there = instead == "PORTAL" and await lies_in_inbox(connection, reminder)
    channel = ReminderChannel(instead)
    command = RerouteReminder(reminder_id=reminder.reminder_id, instead=channel, cause=cause, lies_there=lies_there)
    await _record(runtime, reminder, command, f"{reminder.channel}>{instead}")


async def _record(runtime: Runtime, reminder: Reminder, command: MessageCommand, what: str) -> None:
    command_id = hashed_id("delivery", str(reminder.reminder_id), what)
    keeper = agenda_for(reminder.case_id)
    await runtime.act(keeper, reminder.agenda_id, command, command_id=command_id, case_id=reminder.case_id)
    await runtime.pool.execute("delete from public.deliveries where reminder_id = $1", reminder.reminder_id)


async def note_waiting(runtime: Runtime, mail: Sequence[Reminder]) -> None:
    """Note that these could not be handed over, and when they are tried again."""
    ids: list[UUID] = [r.reminder_id for r in mail]
    await runtime.pool.execute(WAIT, ids, real_now(), LONGEST_PAUSE)


def real_now() -> datetime:
    return datetime.now(UTC)
