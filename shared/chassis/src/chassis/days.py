"""Which day is it in Sweden? A moment is always UTC; a day is a Swedish local date."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

SWEDEN = ZoneInfo("Europe/Stockholm")


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
