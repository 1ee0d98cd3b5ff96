"""What is appended, published and sent? Plans as employers write them, the same for every side.

Deterministic for a seed, so that two halves of a round work on equal bytes.
"""

import hashlib
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chassis.codec import Codec
from chassis.envelope import Actor, Envelope, to_headers
from chassis.keys import encrypt
from contracts.plan import (
    PLAN,
    ActivityKind,
    Channel,
    EmployerPlanRequested,
    EmploymentKind,
    EmploymentRegistered,
    Exemption,
    Initiative,
    PlanActivity,
    PlanAssessed,
    PlanEvent,
    PlanSubmitted,
    Quality,
    Shortcoming,
)

NOON = datetime(2025, 3, 2, 11, 0, tzinfo=UTC)
PROSE = (
    "arbetstiden minskas till halva dagar och skärmarbetet varvas med gående uppgifter medan tunga lyft undviks helt "
    "avstämning sker varje måndag med närmaste chef företagshälsan bedömer arbetsplatsen innan nästa steg tas"
)
WORDS = PROSE.split()
HR = Actor(org_type="EMPLOYER", org_id="5566778899", role="emp.hr", user_ref="6f0c1f4e-3b52-4a53-9d0b-0a5d2f3a9c11")
ORG_NUMBERS = ("5560125790", "5565475489", "5560360793", "2021005489")
"""Valid and public: of legal persons, not of people."""


def uuid_of(dice: random.Random) -> UUID:
    return UUID(int=dice.getrandbits(128), version=4)


def prose(dice: random.Random, words: int) -> str:
    return " ".join(dice.choice(WORDS) for _ in range(words))


def an_activity(dice: random.Random) -> PlanActivity:
    start = date(2025, 3, 9) + timedelta(days=dice.randrange(20))
    return PlanActivity(
        activity_id=uuid_of(dice),
        kind=dice.choice(list(ActivityKind)),
        description=prose(dice, 14),
        responsible="Enhetschefen",
        start=start,
        end=start + timedelta(days=42),
        follow_up=start + timedelta(days=14),
        target_pct=dice.choice((25, 50, 75)),
    )


def a_registration(dice: random.Random) -> EmploymentRegistered:
    return EmploymentRegistered(
        employment_id=uuid_of(dice),
        case_id=uuid_of(dice),
        person_ref=uuid_of(dice),
        org_nr=dice.choice(ORG_NUMBERS),
        employment_kind=EmploymentKind.ORDINARY,
        workplace="Lagret i Örebro",
        spell_start=date(2025, 2, 1) + timedelta(days=dice.randrange(25)),
        expected_days=dice.choice((60, 90, 120)),
    )


def a_request(dice: random.Random, of: EmploymentRegistered) -> EmployerPlanRequested:
    return EmployerPlanRequested(
        request_id=uuid_of(dice), employment_id=of.employment_id, org_nr=of.org_nr, due=date(2025, 3, 16)
    )


def a_plan(dice: random.Random, of: EmploymentRegistered | None = None) -> PlanSubmitted:
    of = of or a_registration(dice)
    return PlanSubmitted(
        plan_id=uuid_of(dice),
        version=1,
        employment_id=of.employment_id,
        person_ref=of.person_ref,
        org_nr=of.org_nr,
        channel=Channel.API,
        initiative=Initiative.OWN,
        submitted_at=NOON,
        spell_day=29,
        drawn_up_on=date(2025, 3, 1),
        employee_consulted=True,
        not_consulted_reason=None,
        exemption=Exemption.NONE,
        activities=(an_activity(dice), an_activity(dice)),
        return_date=date(2025, 5, 4),
        document_ref=uuid_of(dice),
        sha256=hashlib.sha256(dice.randbytes(16)).hexdigest(),
        bytes=48_213,
    )


def an_assessment(plan: PlanSubmitted) -> PlanAssessed:
    return PlanAssessed(
        plan_id=plan.plan_id,
        version=1,
        employment_id=plan.employment_id,
        has_activities=True,
        score=5,
        quality=Quality.GOOD,
        shortcomings=(Shortcoming.NO_RESPONSIBLE,),
    )


def a_life(dice: random.Random) -> list[PlanEvent]:
    """An employment from its registration to the assessment of its plan."""
    registered = a_registration(dice)
    plan = a_plan(dice, registered)
    return [registered, a_request(dice, registered), plan, an_assessment(plan)]


def histories(facts: int, seed: int = 1) -> list[PlanEvent]:
    """About `facts` facts: employments registered, plans requested, submitted and assessed, many cases interleaved."""
    dice = random.Random(seed)
    queues: list[list[PlanEvent]] = []
    made: list[PlanEvent] = []
    while len(made) < facts:
        if len(queues) < 200:
            queues.append(a_life(dice))
        queue = dice.choice(queues)
        made.append(queue.pop(0))
        if not queue:
            queues.remove(queue)
    return made


@dataclass(frozen=True, slots=True)
class Encoded:
    """A fact as it is stored: the product's codec, sealed with a real key, envelope as header lines."""

    event_id: UUID
    name: str
    schema_version: int
    data: bytes
    sealed: bytes | None
    envelope: bytes
    subject: UUID | None


def encoded_plans(count: int, seed: int = 2) -> list[Encoded]:
    """`count` submitted plans as the log stores them."""
    dice, codec = random.Random(seed), Codec(PLAN)
    found: list[Encoded] = []
    for _ in range(count):
        plan, event_id = a_plan(dice), uuid_of(dice)
        done = codec.encode(plan)
        cipher = AESGCM(dice.randbytes(32))
        sealed = encrypt(cipher, event_id.bytes, done.sealed) if done.sealed is not None else None
        envelope = Envelope(
            event_id=event_id, occurred_at=NOON, actor=HR, case_id=uuid_of(dice), correlation_id=uuid_of(dice)
        )
        found.append(Encoded(event_id, done.name, done.version, done.open, sealed, to_headers(envelope), done.subject))
    return found
