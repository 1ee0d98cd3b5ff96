"""What the plan service does about what notification-service tells."""

import asyncio
import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.codec import Codec
from chassis.envelope import SYSTEM, Envelope, to_headers
from chassis.view import Heard
from contracts.case import (
    Benefit,
    CaseClosed,
    CaseEmployment,
    CaseExtended,
    CaseOpened,
    CaseReopened,
    EmployerSickNoticeReceived,
    Outcome,
    Protection,
    ReopenReason,
)
from contracts.notification import NOTIFICATION, TimerElapsed
from contracts.values import EmploymentKind
from plan_service.domain.case_end import NoteEnd, NoteReopening
from plan_service.domain.commands import (
    FollowCase,
    LearnOfEmployment,
    RecordActivitiesMissed,
    RecordActivitiesNotTold,
    RecordPlanNotReceived,
)
from plan_service.main import service
from plan_service.reactions import (
    ACTIVITY_MISSED,
    ACTIVITY_NOT_TOLD,
    NOT_RECEIVED,
    case_closed,
    case_extended,
    case_opened,
    case_reopened,
    notice_received,
    time_ran_out,
)

EMPLOYMENT = UUID(int=1)


def heard(kind: str, due_at: datetime, reminders: int = 0) -> Heard:
    return Heard(
        source="notification",
        position=1,
        stream="agenda-1",
        version=1,
        name="TimerElapsed",
        fact=TimerElapsed(timer_id=UUID(int=2), kind=kind, due_at=due_at, about=EMPLOYMENT, reminders=reminders),
        envelope=Envelope(event_id=UUID(int=3), occurred_at=due_at, actor=SYSTEM, case_id=UUID(int=4)),
        recorded_at=due_at,
    )


@pytest.mark.parametrize(("hour", "day"), [(21, 30), (22, 1)])
def test_when_the_time_has_run_out_we_ask_ourselves_to_record_it_on_its_swedish_day(hour: int, day: int) -> None:
    due_at = datetime(2026, 4, 30, hour, tzinfo=UTC)
    (ask,) = time_ran_out(heard(NOT_RECEIVED, due_at, reminders=1), due_at)
    assert (ask.aggregate.stream(ask.id), ask.case_id) == (f"employment-{EMPLOYMENT}", None)
    assert isinstance(ask.command, RecordPlanNotReceived)
    assert (ask.command.ran_out_on.day, ask.command.reminders) == (day, 1)


def test_other_timers_are_not_ours() -> None:
    now = datetime(2026, 4, 30, tzinfo=UTC)
    assert time_ran_out(heard("MILESTONE", now), now) == ()


def told(fact: Any) -> Heard:
    return Heard(
        source="case",
        position=1,
        stream="case-4",
        version=1,
        name=type(fact).__name__,
        fact=fact,
        envelope=Envelope(event_id=UUID(int=3), occurred_at=NOW, actor=SYSTEM, case_id=UUID(int=4)),
        recorded_at=NOW,
    )


NOW = datetime(2026, 3, 21, tzinfo=UTC)
JOB = CaseEmployment(
    employment_id=EMPLOYMENT, org_nr="5560360793", employment_kind=EmploymentKind.ORDINARY, workplace=""
)
OWN = CaseEmployment(employment_id=UUID(int=9), org_nr=None, employment_kind=EmploymentKind.SELF, workplace="")


def test_a_case_that_is_opened_tells_its_employments_and_no_one_asks_the_self_employed() -> None:
    opened = CaseOpened(
        case_id=UUID(int=4),
        person_ref=UUID(int=5),
        person_id="",
        employments=(JOB, OWN),
        spell_start=date(2026, 3, 2),
        expected_end=date(2026, 6, 29),
        expected_days=120,
        prior_chain_days=0,
        chain_start=date(2026, 3, 2),
        opened_on=date(2026, 3, 21),
        opening=1,
        benefit=Benefit.SICKNESS,
        protection_level=Protection.NONE,
        restricted=False,
    )
    (ask,) = case_opened(told(opened), NOW)
    assert isinstance(ask.command, LearnOfEmployment)
    registration = ask.command.registration
    assert (ask.id, registration.case_id, registration.person_ref) == (EMPLOYMENT, UUID(int=4), UUID(int=5))
    assert (registration.spell_start, registration.expected_days) == (date(2026, 3, 2), 120)


@pytest.mark.parametrize(("told_days", "expected_days"), [(120, 120), (14, 14), (None, 14)])
def test_an_employers_notice_tells_its_employment_with_the_days_that_the_case_expects(
    told_days: int | None, expected_days: int
) -> None:
    """The expected length is the case's: a second employer owes a plan by day 30 as the first one does (SFB 30:6)."""
    notice = EmployerSickNoticeReceived(
        case_id=UUID(int=4),
        person_ref=UUID(int=5),
        employment=JOB,
        spell_start=date(2026, 3, 2),
        last_sick_pay_day=date(2026, 3, 15),
        expected_days=told_days,
    )
    (ask,) = notice_received(told(notice), NOW)
    assert isinstance(ask.command, LearnOfEmployment)
    assert ask.command.registration.expected_days == expected_days


def test_every_employment_of_a_case_that_is_extended_follows_it() -> None:
    extended = CaseExtended(
        case_id=UUID(int=4),
        new_expected_end=date(2026, 6, 29),
        expected_days=120,
        certificate_id=None,
        employment_ids=(EMPLOYMENT, UUID(int=9)),
    )
    asks = case_extended(told(extended), NOW)
    assert [ask.aggregate.stream(ask.id) for ask in asks] == [f"employment-{id}" for id in extended.employment_ids]
    assert all(ask.command == FollowCase(expected_days=120) for ask in asks)


def test_every_reaction_is_to_an_event_that_we_hear() -> None:
    told = {(f.service, d.name) for f in service.hears for d in f}
    assert set(service.reactions) <= told


# --- the whole way: heard, asked of ourselves, recorded ---

CODEC = Codec(NOTIFICATION)
positions = itertools.count(1)


async def told_that_time_ran_out(desk: Any, at: str, case_id: str, due_at: datetime, reminders: int = 2) -> None:
    """What the listener writes down when notification-service has said it."""
    employment = UUID(at.rpartition("/")[2])
    fact = TimerElapsed(timer_id=uuid4(), kind=NOT_RECEIVED, due_at=due_at, about=employment, reminders=reminders)
    encoded, position = CODEC.encode(fact), next(positions)
    envelope = Envelope(event_id=uuid4(), occurred_at=due_at, actor=SYSTEM, case_id=UUID(case_id))
    runtime = desk.running.runtime
    await runtime.pool.execute(
        "insert into heard(source, position, event_id, type, schema_version, stream_id, version, case_id, data, "
        "envelope, recorded_at) values ('notification', $1, $2, 'TimerElapsed', $3, 'agenda', 1, $4, $5, $6, $7)",
        position, envelope.event_id, encoded.version, envelope.case_id, encoded.open, to_headers(envelope), due_at,
    )  # fmt: skip
    runtime.wrote()
    async with asyncio.timeout(10):
        while runtime.reactors["notification"].at < position:  # noqa: ASYNC110 - the reactor offers no event for this
            await asyncio.sleep(0.01)


async def test_a_requested_plan_that_has_not_come_is_recorded_by_the_system_for_its_case(desk: Any) -> None:
    case_id, day_60 = str(uuid4()), desk.noon + timedelta(days=29)
    at = await desk.registered(caseId=case_id)
    await desk.fk.post(f"{at}/plan-requests", json={})
    await told_that_time_ran_out(desk, at, case_id, day_60, reminders=1)
    assert (await desk.read(at))["planStatus"] == "NOT_RECEIVED"
    row = await desk.running.runtime.pool.fetchrow(
        "select data, envelope from readable_events where type = 'EmployerPlanNotReceived' order by position desc"
    )
    assert '"reminders":1' in row["data"]
    assert '"lastDue":"2026-04-30"' in row["data"]
    assert f"ce-caseid: {case_id}" in row["envelope"]
    assert "ce-actorrole: system" in row["envelope"]
    before = await desk.facts()
    await told_that_time_ran_out(desk, at, case_id, day_60)
    assert await desk.facts() == before


async def test_a_plan_that_came_in_time_is_never_called_missing(desk: Any) -> None:
    case_id, day_60 = str(uuid4()), desk.noon + timedelta(days=29)
    at = await desk.registered(caseId=case_id)
    await desk.fk.post(f"{at}/plan-requests", json={})
    await desk.submitted(at)
    before = await desk.facts()
    await told_that_time_ran_out(desk, at, case_id, day_60)
    assert await desk.facts() == before


async def test_a_timer_for_a_request_not_known_here_is_parked_and_not_lost(desk: Any) -> None:
    case_id = str(uuid4())
    at = await desk.registered(caseId=case_id)
    await told_that_time_ran_out(desk, at, case_id, desk.noon)
    state = await desk.running.runtime.pool.fetchval("select state from dead_letters where case_id = $1::uuid", case_id)
    assert state == "parked"


def test_when_an_activitys_time_has_run_out_its_employment_is_asked_which_are_late() -> None:
    due_at = datetime(2026, 6, 7, 4, tzinfo=UTC)
    (ask,) = time_ran_out(heard(ACTIVITY_MISSED, due_at), due_at)
    assert ask.aggregate.stream(ask.id) == f"employment-{EMPLOYMENT}"
    assert ask.command == RecordActivitiesMissed(ran_out_on=date(2026, 6, 7))


def test_when_the_time_to_say_why_has_run_out_its_employment_is_asked_what_nobody_has_explained() -> None:
    due_at = datetime(2026, 6, 15, 4, tzinfo=UTC)
    (ask,) = time_ran_out(heard(ACTIVITY_NOT_TOLD, due_at), due_at)
    assert ask.aggregate.stream(ask.id) == f"employment-{EMPLOYMENT}"
    assert ask.command == RecordActivitiesNotTold(ran_out_on=date(2026, 6, 15))


def test_the_end_of_a_case_and_its_reopening_are_noted() -> None:
    closed = CaseClosed(case_id=UUID(int=4), closed_at=NOW, outcome=Outcome.ORDINARY_WORK, spell_days=20, chain_days=20)
    (ask,) = case_closed(told(closed), NOW)
    assert (ask.aggregate.stream(ask.id), ask.command) == (
        f"case-{closed.case_id}",
        NoteEnd(case_id=closed.case_id, closed_at=NOW),
    )
    reopened = CaseReopened(
        case_id=UUID(int=4),
        opening=2,
        spell_start=date(2026, 3, 2),
        chain_start=date(2026, 3, 2),
        opened_on=date(2026, 3, 21),
        reopened_at=NOW,
        reason=ReopenReason.RELAPSE,
    )
    (ask,) = case_reopened(told(reopened), NOW)
    assert ask.command == NoteReopening(case_id=closed.case_id, opening=2)
