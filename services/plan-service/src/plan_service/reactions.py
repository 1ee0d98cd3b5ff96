"""What do we do about what others tell? When the time for a requested plan has run out, we record that it did."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from chassis.react import Ask, Reaction
from chassis.view import Heard
from contracts.notification import TimerElapsed
from plan_service.days import local_day
from plan_service.domain.commands import RecordPlanNotReceived
from plan_service.domain.employment import employment

NOT_RECEIVED = "EMPLOYER_PLAN_NOT_RECEIVED"
"""The kind of timer that notification-service runs for a requested plan. It is about the employment."""

REMINDERS = 2
"""Reminders that go before the timer, by notification-service's rule for requested plans (+15 and +22 days [A])."""


def time_ran_out(heard: Heard, now: datetime) -> Sequence[Ask]:
    """A plan or a file that came meanwhile makes the command one that changes nothing."""
    elapsed = heard.fact
    assert isinstance(elapsed, TimerElapsed)
    if elapsed.kind != NOT_RECEIVED:
        return ()
    command = RecordPlanNotReceived(ran_out_on=local_day(elapsed.due_at), reminders=REMINDERS)
    return (Ask(aggregate=employment, id=elapsed.about, command=command, rule="plan-not-received"),)


reactions: Mapping[tuple[str, str], Reaction] = {("notification", "TimerElapsed"): time_ran_out}
