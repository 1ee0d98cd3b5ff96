"""How far ahead is a meeting called? By an environment variable, as the chassis is told its things."""

from functools import cache

from pydantic import Field

from chassis.settings import Told
from meeting_service.domain.parties import NOTICE_DAYS


class MeetingSettings(Told):
    """What only this service needs; every name begins with SAMORDNA_."""

    notice_days: int = Field(
        default=NOTICE_DAYS,
        ge=0,
        le=90,
        description="Days ahead that a meeting is called or moved to, unless the parties agree to meet sooner",
    )


@cache
def settings() -> MeetingSettings:
    return MeetingSettings()
