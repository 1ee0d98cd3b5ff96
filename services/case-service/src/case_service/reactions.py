"""What do we do about what notification-service tells? A day that we asked to be told of has come: we record it."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from case_service.domain.case import case
from case_service.domain.commands import RecordMilestone
from case_service.domain.consent import RecordConsentExpired, consent
from chassis.days import local_day
from chassis.react import Ask, Reaction
from chassis.view import Heard
from contracts.case import Counter
from contracts.notification import TimerElapsed

CONSENT_EXPIRED = "CONSENT_EXPIRED"
"""The kind of timer that is about a consent whose last day is over."""

MILESTONE = re.compile(r"MILESTONE_(SPELL|CHAIN|CASE)_(\d+)").fullmatch
"""The kinds of timers that are about a case and a day with a meaning of its own."""


def day_has_come(heard: Heard, now: datetime) -> Sequence[Ask]:
    elapsed = heard.fact
    assert isinstance(elapsed, TimerElapsed)
    if elapsed.kind == CONSENT_EXPIRED:
        expired = RecordConsentExpired(today=local_day(elapsed.due_at), at=now)
        return (Ask(aggregate=consent, id=elapsed.about, command=expired, rule="consent-expired"),)
    if found := MILESTONE(elapsed.kind):
        reached = RecordMilestone(counter=Counter(found[1]), day=int(found[2]))
        return (Ask(aggregate=case, id=elapsed.about, command=reached, rule="milestone"),)
    return ()


reactions: Mapping[tuple[str, str], Reaction] = {("notification", "TimerElapsed"): day_has_come}
