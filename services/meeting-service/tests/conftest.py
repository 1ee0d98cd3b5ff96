"""The meeting service at work, case-service as far as it is heard, and parties that call."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from chassis.clock import new_id
from chassis.codec import Codec
from chassis.envelope import SYSTEM, Envelope, to_headers
from chassis.level import answer_heads
from chassis.log import Append, Appended, NewFact
from chassis.postgres import PostgresLog
from chassis.relay import Relay
from chassis.servers import Nats
from chassis.testing_service import Running, RunService
from chassis.testing_stack import Databases, arrived, core_schema, forget_streams
from chassis.wire import Wire
from contracts.case import (
    CASE,
    Benefit,
    CaseClosed,
    CaseEmployment,
    CaseOpened,
    ConsentForm,
    ConsentGiven,
    ConsentWithdrawn,
    Covered,
    EmploymentStatus,
    Outcome,
    Protection,
    Purpose,
    ReferralAccepted,
    ReferralPurpose,
    ReferralToAF,
    Scope,
)
from contracts.values import EmploymentKind

NOON = datetime(2026, 4, 1, 10, tzinfo=UTC)
"""Noon in Sweden."""

ALL = (Covered.D, Covered.W, Covered.M2, Covered.L)
"""What meetings and joint assessments hold."""

EMPLOYER, STRANGER, REGION, AF = "5560360793", "5560009010", "2320000017", "2021002114"


class CaseService:
    """case-service, as far as it is heard: its log, the relay that publishes it, and its answer to how far it is."""

    def __init__(self, log: PostgresLog, relay: Relay, wire: Wire) -> None:
        self._log, self._relay, self._wire = log, relay, wire
        self._codec, self._version = Codec(CASE), itertools.count()
        self._publishing = asyncio.create_task(relay.run())

    async def tells(self, *facts: Any, case_id: UUID) -> int:
        """Acknowledged: in its log. Whether it has been published, and heard, is for others to find out. Answers the
        position of the last one."""
        for fact in facts:
            said = self._codec.encode(fact)
            envelope = Envelope(event_id=new_id(), occurred_at=NOON, actor=SYSTEM, case_id=case_id)
            new = NewFact(envelope.event_id, said.name, 1, said.open, None, to_headers(envelope), said.subject)
            assert isinstance(await self._log.append(Append("told-1", next(self._version), [new])), Appended)
        self._log.moved.beat()
        return await self._log.head()

    async def fall_silent(self) -> None:
        """It publishes nothing any more; it still says how far it is."""
        while not self._publishing.done():
            self._publishing.cancel()
            await asyncio.wait([self._publishing], timeout=1)

    async def speak(self) -> None:
        self._publishing = asyncio.create_task(self._relay.run())

    async def vanish(self) -> None:
        """It does not even answer."""
        await self.fall_silent()
        await self._wire.close()


@asynccontextmanager
async def case_service(database: Databases, server: Nats) -> AsyncGenerator[CaseService, None]:
    await forget_streams(server, "CASE")
    place = await database("case", setup=core_schema)
    pool: asyncpg.Pool = await asyncpg.create_pool(place.app_url, min_size=1, max_size=4)
    wire, log = Wire(server.url("case"), "case"), PostgresLog(place.app_url, pool, lambda: NOON)
    await log.start()
    client = await wire.connect()
    await answer_heads(client, "case", log.head)
    await arrived(client)
    made = CaseService(log, Relay("case", CASE, log, client, lambda: NOON), wire)
    yield made
    await made.vanish()
    await log.stop()
    await pool.close()


class Desk:
    """FK's handler, an employer, health care and AF, calling a running meeting service."""

    noon, employer, stranger, region = NOON, EMPLOYER, STRANGER, REGION

    def __init__(self, running: Running, case: CaseService) -> None:
        self.running, self.case = running, case
        self.fk = running.by("fk.handler")
        self.hr = running.by("emp.hr", org_id=EMPLOYER)
        self.care = running.by("care.coordinator", org_id=REGION)
        self.af = running.by("af.officer")

    @staticmethod
    def ref_of(case_id: UUID) -> str:
        """The insured person's reference in this case."""
        return str(person_of(case_id))

    def person(self, case_id: UUID) -> httpx.AsyncClient:
        return self.running.by("person", user_ref=str(person_of(case_id)))

    # --- what case-service tells ---

    async def opened(self) -> tuple[UUID, str]:
        """A case that case-service has opened, and its address here."""
        case_id = new_id()
        await self.case.tells(case_opened(case_id), case_id=case_id)
        return case_id, f"/v1/cases/{case_id}"

    async def consented(
        self, case_id: UUID, scope: Scope = Scope.EMP, party: str = EMPLOYER, giving: int = 1,
        covering: tuple[Covered, ...] = ALL, last: date = date(2027, 3, 2),
    ) -> None:  # fmt: skip
        await self.case.tells(consent_given(case_id, scope, party, giving, covering, last), case_id=case_id)

    async def withdrew(
        self, case_id: UUID, scope: Scope = Scope.EMP, party: str = EMPLOYER, giving: int = 1, at: datetime = NOON
    ) -> None:
        await self.case.tells(consent_withdrawn(case_id, scope, party, giving, at), case_id=case_id)

    async def referred(self, case_id: UUID, accepted: bool = True) -> UUID:
        referral_id = new_id()
        await self.case.tells(referral_sent(case_id, referral_id), case_id=case_id)
        if accepted:
            await self.accepted(case_id, referral_id)
        return referral_id

    async def accepted(self, case_id: UUID, referral_id: UUID) -> None:
        answer = ReferralAccepted(referral_id=referral_id, case_id=case_id, officer_ref="officer-1", at=NOON)
        await self.case.tells(answer, case_id=case_id)

    async def closed(self, case_id: UUID, at: datetime = NOON) -> int:
        ended = CaseClosed(case_id=case_id, closed_at=at, outcome=Outcome.OTHER, spell_days=31, chain_days=31)
        return await self.case.tells(ended, case_id=case_id)

    # --- what is sent here ---

    @staticmethod
    def meeting(**other: Any) -> dict[str, Any]:
        return {
            "kind": "STATUS",
            "startsAt": "2026-04-20T08:00:00Z",
            "participants": [{"role": "PERSON"}, {"role": "EMPLOYER", "orgId": EMPLOYER}],
            "purpose": "Steg tillbaka i arbete",
        } | other

    @staticmethod
    def assessment(referral_id: UUID, **other: Any) -> dict[str, Any]:
        return {
            "referralId": str(referral_id),
            "conclusion": "AF_ACTIVITY",
            "functionView": "Kan sitta",
            "workView": "Arbetsträning",
        } | other

    async def called(self, **other: Any) -> tuple[UUID, str]:
        """A case with a status meeting that the employer is invited to, and the meeting's address."""
        case_id, at = await self.opened()
        await self.consented(case_id)
        answer = await self.fk.post(f"{at}/meetings", json=self.meeting(**other))
        assert answer.status_code == 201, answer.text
        return case_id, f"{at}/meetings/{answer.json()['meetingId']}"

    async def held(self) -> tuple[UUID, str]:
        """A case with a status meeting that was held, at a time to which the clock is moved."""
        case_id, at = await self.called()
        self.running.now_is(datetime(2026, 4, 20, 9, tzinfo=UTC))
        present = [{"role": "PERSON"}, {"role": "FK"}, {"role": "EMPLOYER", "orgId": EMPLOYER}]
        answer = await self.fk.post(f"{at}/holding", json={"form": "DIGITAL", "present": present})
        assert answer.status_code == 201, answer.text
        return case_id, at

    async def read(self, at: str, by: httpx.AsyncClient | None = None) -> dict[str, Any]:
        answer = await (by or self.fk).get(at)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def facts(self) -> list[str]:
        """The names of all facts in the log that are told to others, in order."""
        told = await self.running.runtime.pool.fetch("select type from events order by position")
        return [r[0] for r in told if not r[0].endswith("Noted") and r[0] != "ParticipationEnded"]


def person_of(case_id: UUID) -> UUID:
    return UUID(int=case_id.int ^ 1)


def consent_id_of(case_id: UUID, scope: Scope) -> UUID:
    return UUID(int=case_id.int ^ (list(Scope).index(scope) + 16))


def case_opened(case_id: UUID) -> CaseOpened:
    job = CaseEmployment(
        employment_id=new_id(), org_nr=EMPLOYER, employment_kind=EmploymentKind.ORDINARY, workplace="Lagret"
    )
    return CaseOpened(
        case_id=case_id,
        person_ref=person_of(case_id),
        person_id="",
        employments=(job,),
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


def consent_given(
    case_id: UUID,
    scope: Scope,
    party: str,
    giving: int,
    covering: tuple[Covered, ...] = ALL,
    last: date = date(2027, 3, 2),
) -> ConsentGiven:
    return ConsentGiven(
        consent_id=consent_id_of(case_id, scope),
        giving=giving,
        case_id=case_id,
        person_ref=person_of(case_id),
        opening=1,
        scope=scope,
        counterparty=party,
        purpose=Purpose.MEETING,
        data_classes=covering,
        valid_from=date(2026, 3, 2),
        valid_to=last,
        form=ConsentForm.WRITTEN,
        evidence_ref=new_id(),
    )


def consent_withdrawn(case_id: UUID, scope: Scope, party: str, giving: int, at: datetime = NOON) -> ConsentWithdrawn:
    return ConsentWithdrawn(
        consent_id=consent_id_of(case_id, scope),
        giving=giving,
        case_id=case_id,
        scope=scope,
        counterparty=party,
        effective_at=at,
    )


def referral_sent(case_id: UUID, referral_id: UUID) -> ReferralToAF:
    return ReferralToAF(
        referral_id=referral_id,
        case_id=case_id,
        person_ref=person_of(case_id),
        sent_to=AF,
        consent_id=consent_id_of(case_id, Scope.AF),
        person_id="",
        purpose=ReferralPurpose.JOINT_ASSESSMENT,
        employment_status=EmploymentStatus.EMPLOYED,
        incapacity_pct=50,
        function_summary="",
        need_types=(),
        wished_by=date(2026, 4, 30),
        sent_at=NOON,
    )


@pytest.fixture(scope="module")
async def playing(run_service: RunService, database: Databases, nats_server: Nats) -> AsyncIterator[Desk]:
    async with (
        case_service(database, nats_server) as case,
        run_service("meeting_service.main", at=NOON) as running,
    ):
        yield Desk(running, case)


@pytest.fixture
def desk(playing: Desk) -> Desk:
    """Each test begins at noon on 1 April."""
    playing.running.now_is(NOON)
    return playing


@pytest.fixture
async def alone(run_service: RunService, database: Databases, nats_server: Nats) -> AsyncIterator[Desk]:
    """A desk of its own, so that its case-service may vanish. Nothing of the shared one is used beside it."""
    async with (
        case_service(database, nats_server) as case,
        run_service("meeting_service.main", at=NOON) as running,
    ):
        yield Desk(running, case)
