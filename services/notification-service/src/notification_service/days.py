"""Is it a working day in Sweden, and when may a message be sent?

A moment is always UTC; a day is a Swedish local date. The law counts as holidays: Sundays and public holidays, and for
legal periods also Saturdays, Midsummer Eve, Christmas Eve and New Year's Eve (lag 1930:173, 2 §).
"""

from datetime import UTC, date, datetime, time, timedelta

import holidays

from chassis.days import SWEDEN
from chassis.decider import record

LAST_SECOND = time(23, 59, 59)
SATURDAY, SUNDAY = 5, 6

_eves_too = holidays.country_holidays("SE", categories=("public", "de_facto"))


@record
class SendingHours:
    """Between which local times messages may reach people, Monday to Saturday, never on a public holiday [A]."""

    start: time
    end: time


def at(day: date, clock: time) -> datetime:
    """The moment when it is `clock` in Sweden on `day`, in UTC."""
    return datetime.combine(day, clock, SWEDEN).astimezone(UTC)


def end_of(day: date) -> datetime:
    """Who has until a day has the whole of it."""
    return at(day, LAST_SECOND)


def is_holiday(day: date) -> bool:
    """A Sunday, a public holiday, or one of the three eves."""
    return day.weekday() == SUNDAY or day in _eves_too


def is_working_day(day: date) -> bool:
    return day.weekday() != SATURDAY and not is_holiday(day)


def working_days_after(day: date, count: int) -> date:
    """The `count`-th working day after `day`."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_working_day(day)
    return day


def sendable_from(moment: datetime, hours: SendingHours) -> datetime:
    """`moment` itself when messages may be sent then, otherwise the next moment when they may."""
    local = moment.astimezone(SWEDEN)
    day, clock = local.date(), local.time()
    if not is_holiday(day) and clock < hours.end:
        return at(day, hours.start) if clock < hours.start else moment
    day += timedelta(days=1)
    while is_holiday(day):
        day += timedelta(days=1)
    return at(day, hours.start)


def sending_day_by(day: date) -> date:
    """`day` itself when messages are sent on it, otherwise the last day before it on which they are."""
    while is_holiday(day):
        day -= timedelta(days=1)
    return day
