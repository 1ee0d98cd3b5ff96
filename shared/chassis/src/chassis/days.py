"""Which day is it in Sweden, and which days and moments are taken from outside?

A moment is always UTC; a day is a Swedish local date. What lies far off is a slip of the pen, and leaves no room to
count from: it is refused at the edge of every service, before anything is stored.
"""

from datetime import UTC, date, datetime, time
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field
from pydantic.fields import FieldInfo

SWEDEN = ZoneInfo("Europe/Stockholm")

EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)
"""The first and the last day that are taken."""

FIRST, LAST = datetime.combine(EARLIEST, time.min, UTC), datetime.combine(LATEST, time.max, UTC)
"""The first and the last moment."""


def local_day(moment: datetime) -> date:
    return moment.astimezone(SWEDEN).date()


def iso_day(given: Any) -> Any:
    """For pydantic, before its own reading: a day is written 2026-03-27; numbers and moments are no days. Raises
    ValueError, without what was given."""
    if isinstance(given, str) and len(given) != 10:
        raise ValueError("A day is written YYYY-MM-DD.")
    if isinstance(given, str | date):
        return given
    raise ValueError("A day is written YYYY-MM-DD.")


def iso_moment(given: Any) -> Any:
    """For pydantic, before its own reading: a moment is written with its offset from UTC; a bare number is none, nor is
    one in text. Raises ValueError, without what was given."""
    if isinstance(given, datetime) or (isinstance(given, str) and "T" in given.upper()):
        return given
    raise ValueError("A moment is written YYYY-MM-DDThh:mm:ssZ.")


def within_reach(day: date) -> date:
    """The same day. Raises ValueError where it lies too far off."""
    if not EARLIEST <= day <= LATEST:
        raise ValueError(f"A day lies between {EARLIEST} and {LATEST}.")
    return day


def moment_within_reach(moment: datetime) -> datetime:
    """The same moment. Raises ValueError where it lies too far off."""
    if not FIRST <= moment <= LAST:
        raise ValueError(f"A moment lies between {EARLIEST} and {LATEST}.")
    return moment


def _bounds(first: str, last: str) -> FieldInfo:
    """What the bounds look like in OpenAPI."""
    return Field(json_schema_extra={"formatMinimum": first, "formatMaximum": last})


Day = Annotated[
    date, BeforeValidator(iso_day), AfterValidator(within_reach), _bounds(EARLIEST.isoformat(), LATEST.isoformat())
]
"""A day in a body that is sent in."""

When = Annotated[
    AwareDatetime,
    BeforeValidator(iso_moment),
    AfterValidator(moment_within_reach),
    _bounds(FIRST.isoformat(), LAST.isoformat()),
]
"""A moment in a body that is sent in."""
