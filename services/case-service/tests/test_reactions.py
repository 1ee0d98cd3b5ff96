"""What the case service does about what notification-service tells."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from case_service.domain.commands import RecordMilestone
from case_service.domain.consent import RecordConsentExpired
from case_service.main import service
from case_service.reactions import day_has_come
from chassis.envelope import SYSTEM, Envelope
from chassis.view import Heard
from contracts.case import Counter
from contracts.notification import TimerElapsed

ABOUT, CASE = UUID(int=1), UUID(int=4)
MORNING = datetime(2026, 5, 30, 4, tzinfo=UTC)


def heard(kind: str) -> Heard:
    return Heard(
        source="notification",
        position=1,
        stream=f"agenda-{CASE}",
        version=1,
        name="TimerElapsed",
        fact=TimerElapsed(timer_id=UUID(int=2), kind=kind, due_at=MORNING, about=ABOUT),
        envelope=Envelope(event_id=UUID(int=3), occurred_at=MORNING, actor=SYSTEM, case_id=CASE),
        recorded_at=MORNING,
    )


@pytest.mark.parametrize(
    ("kind", "counter", "day"),
    [("MILESTONE_SPELL_30", Counter.SPELL, 30), ("MILESTONE_CHAIN_181", Counter.CHAIN, 181),
     ("MILESTONE_CASE_730", Counter.CASE, 730)],
)  # fmt: skip
def test_a_milestones_day_is_recorded_in_its_case(kind: str, counter: Counter, day: int) -> None:
    (ask,) = day_has_come(heard(kind), MORNING)
    assert ask.aggregate.stream(ask.id) == f"case-{ABOUT}"
    assert ask.command == RecordMilestone(counter=counter, day=day)


def test_a_consent_whose_last_day_is_over_is_recorded_as_expired() -> None:
    (ask,) = day_has_come(heard("CONSENT_EXPIRED"), MORNING)
    assert ask.aggregate.stream(ask.id) == f"consent-{ABOUT}"
    assert ask.command == RecordConsentExpired(today=date(2026, 5, 30), at=MORNING)


@pytest.mark.parametrize("kind", ["EMPLOYER_PLAN_NOT_RECEIVED", "MILESTONE_MOON_30", "MILESTONE_SPELL_", "CONSENT"])
def test_other_timers_are_not_ours(kind: str) -> None:
    assert day_has_come(heard(kind), MORNING) == ()


def test_every_reaction_is_to_an_event_that_we_hear() -> None:
    told = {(f.service, d.name) for f in service.hears for d in f}
    assert set(service.reactions) <= told
