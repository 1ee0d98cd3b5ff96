"""Which services run, who hears whom, and what do the writers ask of them?

The product's own four manifests. A command follows from its number alone, so that a writer that was killed can ask
again for what it got no answer to. Commands of one writer with the same `n // IN_ORDER` are asked one after the other.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from case_service.domain.case import case
from case_service.domain.commands import AssignCase, DecideNeed, Employment, OpenCase, Period, SetDegree
from case_service.main import service as case_service
from chassis.clock import hashed_id
from chassis.decider import Aggregate, record
from chassis.service import Service
from contracts.case import Benefit, NeedType, Protection, Responsible
from contracts.meeting import CancelReason, MeetingKind
from contracts.plan import Channel, EmploymentRegistered, Exemption, FileFault
from contracts.values import EmploymentKind
from meeting_service.domain.commands import CancelMeeting, CaseUnknown, ProposeMeeting
from meeting_service.domain.meetings import meetings
from meeting_service.main import service as meeting_service
from notification_service.main import service as notification_service
from plan_service.domain.commands import RecordFileRejected, RegisterEmployment, RevisePlan, SubmitPlan
from plan_service.domain.employment import employment
from plan_service.domain.plan import Contents
from plan_service.main import service as plan_service

SERVICES: dict[str, Service] = {s.name: s for s in (case_service, plan_service, meeting_service, notification_service)}
WRITTEN = {"case": 0.6, "plan": 0.1, "meeting": 0.3}
"""The services that writers put commands into, each with its share: what is done to a plan gives notification-service
most to do. That one writes of itself, when it hears or time runs."""

PAIRS = [(hearer.name, facts.service) for hearer in SERVICES.values() for facts in hearer.hears]
"""Who hears whom: (hearer, source)."""

CASES = 60
"""How many cases there are. All writers write to all of them."""

IN_ORDER = 4
PER_WRITER = 1_000_000
"""Numbers of a writer's own, and the commands that make what all others are about: they have the first."""

FK, EMPLOYER = "fk:2021005521", "5560000167"
NOT_THERE_YET = (CaseUnknown,)
"""What a client is answered that comes before what it is about has been heard there: it asks again later."""


@record
class Asked:
    """A command, where to, and how many facts it adds."""

    aggregate: Aggregate[Any, Any, Any]
    id: UUID
    command: Any
    case_id: UUID
    facts: int = 1


def command_id(service: str, n: int) -> UUID:
    return hashed_id("faults", service, str(n))


def first_of(service: str) -> Sequence[int]:
    """The commands that have to be done before any other, in this order."""
    return range(0 if service == "meeting" else CASES * (2 if service == "plan" else 1))


def asked(service: str, n: int, now: datetime) -> Asked:
    """Command number `n` of the writers of a service."""
    k = (n // IN_ORDER) % CASES
    match service:
        case "case":
            return _opening(n, now.date()) if n < PER_WRITER else _of_case(n, k, now.date())
        case "plan":
            return _beginning(n, now) if n < PER_WRITER else _of_plan(n, k, now)
        case _:
            return _of_meeting(n, k, now)


def case_of(k: int) -> UUID:
    return hashed_id("faults", "case", str(k))


def person_of(k: int) -> UUID:
    return hashed_id("faults", "person", str(k))


def spell_start(k: int, today: date) -> date:
    """So that in some cases much falls due at once."""
    return today - timedelta(days=k)


# --- case-service ---


def _opening(k: int, today: date) -> Asked:
    command = OpenCase(
        case_id=case_of(k),
        person_ref=person_of(k),
        person_id=f"19000101{k:04}",
        employments=(Employment(org_nr=EMPLOYER, employment_kind=EmploymentKind.ORDINARY, workplace=f"Lagret {k}"),),
        spell_start=spell_start(k, today),
        expected_end=spell_start(k, today) + timedelta(days=119),
        prior_chain_days=0,
        benefit=Benefit.SICKNESS,
        protection_level=Protection.NONE,
        today=today,
    )
    return Asked(aggregate=case, id=case_of(k), command=command, case_id=case_of(k))


def _of_case(n: int, k: int, today: date) -> Asked:
    """Of four commands one adds several facts, one seals a text under the person's key."""
    facts = 1
    command: Any
    match n % IN_ORDER:
        case 0:
            facts = 3
            command = SetDegree(periods=_periods(n))
        case 1:
            command = DecideNeed(
                need=True,
                types=(NeedType.OCCUPATIONAL,),
                responsible=(Responsible.FK,),
                consulted_at=None,
                person_view=f"what person {k} thinks, {n}",
                at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=n),
            )
        case _:
            command = AssignCase(
                handler_ref=f"handler-{n}", unit="unit-1", substitute_ref=None, until=None, today=today
            )
    return Asked(aggregate=case, id=case_of(k), command=command, case_id=case_of(k), facts=facts)


def _periods(n: int) -> tuple[Period, ...]:
    """Three days of its own for every number, whoever writes."""
    writer, of_its_own = divmod(n, PER_WRITER)
    first = date(2030, 1, 1) + timedelta(days=6 * (writer * 100_000 + of_its_own))
    days = (first + timedelta(days=d) for d in range(3))
    return tuple(Period(start=day, end=day, pct=50) for day in days)


# --- plan-service ---


def employment_of(k: int) -> UUID:
    return hashed_id("faults", "employment", str(k))


def _beginning(n: int, now: datetime) -> Asked:
    """First all employments, then a plan for each."""
    k = n % CASES
    return _registering(k, now) if n < CASES else _for_employment(k, _plan_handed_in(n, now))


def _registering(k: int, now: datetime) -> Asked:
    registration = EmploymentRegistered(
        employment_id=employment_of(k),
        case_id=case_of(k),
        person_ref=person_of(k),
        org_nr=EMPLOYER,
        employment_kind=EmploymentKind.ORDINARY,
        workplace=f"Verkstaden {k}",
        spell_start=spell_start(k, now.date()),
        expected_days=120,
    )
    return _for_employment(k, RegisterEmployment(registration=registration, today=now.date()))


def _plan_handed_in(n: int, now: datetime) -> SubmitPlan:
    return SubmitPlan(contents=_contents(n, now.date()), at=now, today=now.date())


def _of_plan(n: int, k: int, now: datetime) -> Asked:
    """New versions, and now and then a file that cannot be read."""
    if n % IN_ORDER == 0:
        refused = RecordFileRejected(
            upload_id=hashed_id("faults", "upload", str(n)),
            reason=FileFault.NOT_PDF,
            sha256=f"{n:064x}",
            by_employer=True,
        )
        return _for_employment(k, refused)
    version = RevisePlan(
        plan_id=uuid5(employment_of(k), "plan/1"),
        contents=_contents(n, now.date()),
        changes=(f"change {n}",),
        at=now,
        today=now.date(),
    )
    return _for_employment(k, version)


def _contents(n: int, today: date) -> Contents:
    return Contents(
        channel=Channel.PORTAL,
        drawn_up_on=today,
        employee_consulted=False,
        not_consulted_reason=f"reason {n}",
        exemption=Exemption.NONE,
        activities=(),
        return_date=None,
        document=None,
    )


def _for_employment(k: int, command: Any) -> Asked:
    return Asked(aggregate=employment, id=employment_of(k), command=command, case_id=case_of(k))


# --- meeting-service ---


def _of_meeting(n: int, k: int, now: datetime) -> Asked:
    """Of four commands three propose a meeting, and the last calls off what the one before proposed."""
    last = n % IN_ORDER == IN_ORDER - 1
    meeting_id = hashed_id("faults", "meeting", str(n - last))
    if last:
        off = CancelMeeting(meeting_id=meeting_id, by=FK, reason=CancelReason.NO_LONGER_NEEDED, at=now)
        return Asked(aggregate=meetings, id=case_of(k), command=off, case_id=case_of(k))
    wish = ProposeMeeting(
        meeting_id=meeting_id,
        by=FK,
        kind=MeetingKind.STATUS,
        purpose=f"purpose {n}",
        wished_by=now.date() + timedelta(days=30),
        today=now.date(),
    )
    return Asked(aggregate=meetings, id=case_of(k), command=wish, case_id=case_of(k))
