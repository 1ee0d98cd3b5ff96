"""Is it a working day in Sweden, and when may a message be sent?

A moment is always UTC; a day is a Swedish local date. The law counts as holidays: Sundays and public holidays, and for
legal periods also Saturdays, Midsummer Eve, Christmas Eve and New Year's Eve (lag 1930:173, 2 §).
"""

from datetime import UTC, date, datetime, time, timedelta

import holidays

from chassis.days import SWEDEN, local_day
from chassis.decider import record

LAST_SECOND = time(23, 59, 59)
SATURDAY, SUNDAY = 5, 6
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)
"""What lies beyond these days is planned for the nearest of them: there is room to count from both, and no date that
another service lets through makes a whole case wait behind a message that nobody can handle."""

_eves_too = holidays.country_holidays("SE", categories=("public", "de_facto"))


@record
class SendingHours:
    """Between which local times messages may reach people, Monday to Saturday, never on a public holiday [A]."""

    start: time
    end: time


def at(day: date, clock: time) -> datetime:
    """The moment when it is `clock` in Sweden on `day`, in UTC."""
    return datetime.combine(day, clock, SWEDEN).astimezone(UTC)


def reachable(day: date) -> date:
    """The day itself, or the nearest that can be planned."""
    return min(max(day, FIRST_DAY), LAST_DAY)


def day_of(anchor: date | datetime) -> date:
    """The Swedish day of a moment, or the day itself, as near as can be planned."""
    if isinstance(anchor, datetime) and FIRST_DAY < anchor.date() < LAST_DAY:
        return local_day(anchor)
    return reachable(anchor.date() if isinstance(anchor, datetime) else anchor)


def days_after(day: date, count: int) -> date:
    """The day so many days later, or earlier when negative, as near as can be planned."""
    return reachable(reachable(day) + timedelta(days=count))


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
