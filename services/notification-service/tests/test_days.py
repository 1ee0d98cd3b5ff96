"""Swedish days: summer time, holidays, eves and sending hours."""

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.days import SWEDEN
from notification_service.days import (
    SendingHours,
    at,
    end_of,
    is_holiday,
    is_working_day,
    sendable_from,
    working_days_after,
)

HOURS = SendingHours(start=time(9), end=time(20))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SWEDEN)


def test_six_in_the_morning_is_five_utc_in_winter_and_four_in_summer() -> None:
    assert at(date(2026, 3, 28), time(6)) == utc("2026-03-28T05:00")
    assert at(date(2026, 3, 30), time(6)) == utc("2026-03-30T04:00")


def test_a_day_lasts_until_its_last_second_also_when_it_has_23_hours() -> None:
    assert end_of(date(2026, 3, 29)) == utc("2026-03-29T21:59:59")


@pytest.mark.parametrize(
    "day", ["2026-03-01", "2026-04-03", "2026-04-06", "2026-05-01", "2026-06-06", "2026-06-19", "2026-12-24"]
)
def test_sundays_holidays_and_the_three_eves_are_holidays(day: str) -> None:
    assert is_holiday(date.fromisoformat(day))


def test_a_saturday_is_no_working_day_but_messages_may_be_sent() -> None:
    saturday = date(2026, 3, 7)
    assert not is_working_day(saturday)
    assert sendable_from(local("2026-03-07T10:00"), HOURS) == local("2026-03-07T10:00")


@pytest.mark.parametrize(
    ("wished", "sent"),
    [
        ("2026-03-03T08:00", "2026-03-03T09:00"),
        ("2026-03-03T09:00", "2026-03-03T09:00"),
        ("2026-03-03T19:59", "2026-03-03T19:59"),
        ("2026-03-03T20:00", "2026-03-04T09:00"),
        ("2026-03-07T21:00", "2026-03-09T09:00"),  # Saturday evening
        ("2026-03-08T12:00", "2026-03-09T09:00"),  # Sunday
        ("2026-04-03T12:00", "2026-04-04T09:00"),  # Good Friday
        ("2026-04-04T20:30", "2026-04-07T09:00"),  # Easter Sunday and Monday follow
    ],
)
def test_messages_keep_to_the_sending_hours(wished: str, sent: str) -> None:
    assert sendable_from(local(wished), HOURS) == local(sent)


def test_ten_working_days_over_easter() -> None:
    assert working_days_after(date(2026, 3, 27), 10) == date(2026, 4, 14)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)))
def test_what_may_be_sent_may_be_sent_then_and_never_before_it_was_wished(moment: datetime) -> None:
    wished = moment.replace(tzinfo=UTC)
    sent = sendable_from(wished, HOURS)
    clock = sent.astimezone(SWEDEN)
    assert sent >= wished
    assert HOURS.start <= clock.time() < HOURS.end
    assert not is_holiday(clock.date())
    assert sendable_from(sent, HOURS) == sent
