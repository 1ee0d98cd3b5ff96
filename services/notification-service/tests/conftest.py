"""A case played in memory: plan-service's events go in, the agenda's facts come out."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import pytest

from chassis.envelope import SYSTEM, Envelope
from chassis.view import Heard
from contracts.notification import AgendaEvent
from contracts.plan import (
    Channel,
    EmployerPlanNotReceived,
    EmployerPlanRequested,
    EmploymentKind,
    EmploymentRegistered,
    Exemption,
    FileFault,
    Initiative,
    PlanAssessed,
    PlanFileRejected,
    PlanRevised,
    PlanSubmitted,
    Quality,
)
from notification_service.domain.agenda import NOTHING_YET, decider
from notification_service.domain.commands import Command, Elapse
from notification_service.reactions import Rules
from notification_service.rules import load, shipped

NAMES = UUID("00000000-0000-0000-0000-00000000beef")
SWEDEN = ZoneInfo("Europe/Stockholm")
SPELL_START = date(2026, 3, 2)
ORG_NR = "5560125790"


def ref(name: str) -> UUID:
    return uuid5(NAMES, name)


def on(day: int, clock: str = "12:00") -> datetime:
    """The moment on a spell day when it is `clock` in Sweden."""
    local = datetime.combine(SPELL_START + timedelta(days=day - 1), time.fromisoformat(clock), SWEDEN)
    return local.astimezone(UTC)


class Case:
    """One case: what plan-service says goes through the rules into the agenda; facts are kept with their names."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.agenda = NOTHING_YET
        self.facts: list[AgendaEvent] = []
        self._position = 0

    # --- what plan-service says ---

    def registered(
        self, day: int, job: str = "job", *, expected: int = 90, clock: str = "12:00", kind: str = "ORDINARY"
    ) -> None:
        self.hear(
            EmploymentRegistered(
                employment_id=ref(job),
                case_id=ref("case"),
                person_ref=ref("person"),
                org_nr=ORG_NR,
                employment_kind=EmploymentKind(kind),
                workplace="",
                spell_start=SPELL_START,
                expected_days=expected,
            ),
            on(day, clock),
        )

    def requested(self, day: int, job: str = "job", request: str = "request") -> None:
        due = SPELL_START + timedelta(days=day - 1 + 14)
        self.hear(
            EmployerPlanRequested(request_id=ref(request), employment_id=ref(job), org_nr=ORG_NR, due=due), on(day)
        )

    def submitted(self, day: int, job: str = "job", plan: str = "plan", clock: str = "12:00") -> None:
        self.hear(PlanSubmitted(initiative=Initiative.OWN, **_plan(job, plan, 1, on(day, clock))), on(day, clock))

    def revised(self, day: int, job: str = "job", plan: str = "plan", version: int = 2) -> None:
        self.hear(PlanRevised(changes=(), **_plan(job, plan, version, on(day))), on(day))

    def assessed(self, day: int, job: str = "job", plan: str = "plan", version: int = 1) -> None:
        self.hear(
            PlanAssessed(
                plan_id=ref(plan),
                version=version,
                employment_id=ref(job),
                has_activities=True,
                score=6,
                quality=Quality.GOOD,
                shortcomings=(),
            ),
            on(day),
        )

    def file_rejected(self, day: int, job: str = "job") -> None:
        self.hear(
            PlanFileRejected(
                upload_id=ref(f"file of {job}"),
                employment_id=ref(job),
                org_nr=ORG_NR,
                reason=FileFault.ENCRYPTED,
                sha256="0" * 64,
            ),
            on(day),
        )

    def not_received(self, day: int, job: str = "job", request: str = "request", clock: str = "06:00") -> None:
        last = SPELL_START + timedelta(days=day - 1)
        self.hear(
            EmployerPlanNotReceived(
                request_id=ref(request), employment_id=ref(job), org_nr=ORG_NR, reminders=2, last_due=last
            ),
            on(day, clock),
        )

    def hear(self, fact: Any, at: datetime) -> None:
        self._position += 1
        envelope = Envelope(event_id=ref(f"event {self._position}"), occurred_at=at, actor=SYSTEM, case_id=ref("case"))
        heard = Heard(
            source="plan",
            position=self._position,
            stream="employment-1",
            version=self._position,
            name=type(fact).__name__,
            fact=fact,
            envelope=envelope,
            recorded_at=at,
        )
        for asked in self.rules.react(heard, at):
            self.ask(asked.command)

    # --- what time does ---

    def until(self, day: int, clock: str = "23:59") -> "Case":
        self.ask(Elapse(up_to=on(day, clock)))
        return self

    def ask(self, command: Command) -> Sequence[AgendaEvent]:
        new = decider.decide(command, self.agenda)
        self.agenda = decider.fold(new, self.agenda)
        self.facts += new
        return new

    def told(self, *kinds: type[Any]) -> list[Any]:
        return [f for f in self.facts if isinstance(f, kinds)]


def _plan(job: str, plan: str, version: int, at: datetime) -> dict[str, Any]:
    return {
        "plan_id": ref(plan),
        "version": version,
        "employment_id": ref(job),
        "person_ref": ref("person"),
        "org_nr": ORG_NR,
        "channel": Channel.PORTAL,
        "submitted_at": at,
        "spell_day": (at.date() - SPELL_START).days + 1,
        "drawn_up_on": at.date(),
        "employee_consulted": True,
        "not_consulted_reason": None,
        "exemption": Exemption.NONE,
        "activities": (),
        "return_date": None,
        "document_ref": None,
        "sha256": None,
        "bytes": None,
    }


@pytest.fixture(scope="session")
def rules() -> Rules:
    return Rules([load(f) for f in shipped()])


@pytest.fixture
def case(rules: Rules) -> Case:
    return Case(rules)


@pytest.fixture
def new_case(rules: Rules) -> Callable[[], Case]:
    return lambda: Case(rules)


@pytest.fixture
def day() -> Callable[..., datetime]:
    """`day(31, "06:00")`: that moment of the spell's thirty-first day in Sweden."""
    return on
