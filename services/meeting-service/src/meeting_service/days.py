"""Which day is it in Sweden? A moment is always UTC; a day is a Swedish local date."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

SWEDEN = ZoneInfo("Europe/Stockholm")


def local_day(moment: datetime) -> date:
    return moment.astimezone(SWEDEN).date()
