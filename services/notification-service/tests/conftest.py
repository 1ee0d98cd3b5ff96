"""A case played in memory: what the other services tell goes in, the agenda's facts come out."""

import asyncio
import importlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import asyncpg
import httpx
import pytest
from aiosmtpd.smtp import SMTP
from fastapi import FastAPI
from hypothesis import settings as hypothesis_settings

from chassis.clock import SimulatedClock, new_id, set_simulated
from chassis.codec import Codec
from chassis.envelope import SYSTEM, Envelope, to_headers
from chassis.facts import Facts
from chassis.log import Append, NewFact
from chassis.postgres import PostgresLog
from chassis.relay import Relay
from chassis.servers import Nats
from chassis.service import Runtime, create_app
from chassis.settings import PARTS, Settings
from chassis.testing_service import RunService
from chassis.testing_stack import Databases, Tokens, core_schema, forget_streams
from chassis.view import Heard
from chassis.wire import Wire
from contracts.case import (
    CASE,
    AssumedNeed,
    Benefit,
    CaseAssigned,
    CaseClosed,
    CaseOpened,
    CaseReopened,
    ConsentForm,
    ConsentGiven,
    ConsentWithdrawn,
    Covered,
    DeclineReason,
    EmploymentStatus,
    IkrMethod,
    InfoAim,
    InitialAssessmentDone,
    KoordineringsInfoAcknowledged,
    KoordineringsInfoSent,
    NeedLevel,
    NextStep,
    Outcome,
    Protection,
    Purpose,
    ReferralAccepted,
    ReferralDeclined,
    ReferralPurpose,
    ReferralToAF,
    RehabNeedDecided,
    ReopenReason,
    Scope,
)
from contracts.meeting import (
    MEETING,
    Agreement,
    AmendReason,
    Answer,
    CancelReason,
    Conclusion,
    JointAssessmentHeld,
    MeetingAnswered,
    MeetingCalled,
    MeetingCancelled,
    MeetingForm,
    MeetingHeld,
    MeetingKind,
    MeetingMinutesAmended,
    MeetingMinutesApproved,
    MeetingMoved,
    MoveReason,
    Participant,
    Party,
)
from contracts.notification import AgendaEvent, DeadlineSet, Step, StepKind, StepsPlanned
from contracts.plan import (
    PLAN,
    ActivityKind,
    Channel,
    EmployerPlanNotReceived,
    EmployerPlanRequested,
    EmploymentKind,
    EmploymentRegistered,
    Exemption,
    FileFault,
    Initiative,
    MissCause,
    PlanActivity,
    PlanActivityCompleted,
    PlanActivityMissed,
    PlanAssessed,
    PlanFileRejected,
    PlanRevised,
    PlanSubmitted,
    Quality,
    SupervisionTipAcknowledged,
    SupervisionTipSent,
    TipGround,
    TipKind,
)
from notification_service.domain.agenda import agenda, apart, decider
from notification_service.domain.commands import Command, Elapse
from notification_service.domain.known import NOTHING_YET
from notification_service.loading import load, shipped
from notification_service.reactions import answer
from notification_service.versions import HEARD, TOLD_BY, Rules

hypothesis_settings.register_profile("notification", deadline=None)  # a busy machine is no error
hypothesis_settings.load_profile("notification")

NAMES = UUID("00000000-0000-0000-0000-00000000beef")
SWEDEN = ZoneInfo("Europe/Stockholm")
SPELL_START = date(2026, 3, 2)
ORG_NR = "5560125790"
FK, EMPLOYER, AF = "fk:2021005521", f"employer:{ORG_NR}", "af:2021002114"


def ref(name: str) -> UUID:
    return uuid5(NAMES, name)


def on(day: int, clock: str = "12:00") -> datetime:
    """The moment on a spell day when it is `clock` in Sweden."""
    local = datetime.combine(SPELL_START + timedelta(days=day - 1), time.fromisoformat(clock), SWEDEN)
    return local.astimezone(UTC)


PERSON = f"person:{ref('person')}"
SEATS = ((FK, Party.FK, None), (PERSON, Party.PERSON, None), (EMPLOYER, Party.EMPLOYER, "consent"))
"""Who sits at a meeting: its name, what it is, and the consent under which it comes."""


class Script:
    """What the other services say about one case. Each method is one event; what becomes of it is `hear`'s business."""

    def hear(self, fact: Any, at: datetime) -> None:
        raise NotImplementedError

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

    # --- what case-service says ---

    def opened(self, day: int, *, prior: int = 0) -> None:
        self.hear(
            CaseOpened(
                case_id=ref("case"),
                person_ref=ref("person"),
                person_id="",
                employments=(),
                spell_start=SPELL_START,
                expected_end=SPELL_START + timedelta(days=119),
                expected_days=120,
                prior_chain_days=prior,
                chain_start=SPELL_START - timedelta(days=prior),
                opened_on=SPELL_START + timedelta(days=day - 1),
                opening=1,
                benefit=Benefit.SICKNESS,
                protection_level=Protection.NONE,
                restricted=False,
            ),
            on(day),
        )

    def assigned(self, day: int, to: str, stand_in: str | None = None, until: int | None = None) -> None:
        last = None if until is None else SPELL_START + timedelta(days=until - 1)
        told = CaseAssigned(
            case_id=ref("case"), handler_ref=to, unit="unit-1", substitute_ref=stand_in, until=last
        )  # fmt: skip
        self.hear(told, on(day))

    def closed(self, day: int) -> None:
        self.hear(
            CaseClosed(
                case_id=ref("case"), closed_at=on(day), outcome=Outcome.ORDINARY_WORK, spell_days=day, chain_days=day
            ),
            on(day),
        )

    def reopened(self, day: int, opened: int = 1) -> None:
        self.hear(
            CaseReopened(
                case_id=ref("case"),
                opening=2,
                spell_start=SPELL_START,
                chain_start=SPELL_START,
                opened_on=SPELL_START + timedelta(days=opened - 1),
                reopened_at=on(day),
                reason=ReopenReason.RELAPSE,
            ),
            on(day),
        )

    def ikr_done(self, day: int) -> None:
        self.hear(
            InitialAssessmentDone(
                case_id=ref("case"),
                person_ref=ref("person"),
                assessment_id=ref(f"ikr on {day}"),
                method=IkrMethod.IKR,
                need_level=NeedLevel.CLEAR,
                barriers=(),
                next_step=NextStep.NONE,
            ),
            on(day),
        )

    def need_decided(self, day: int) -> None:
        self.hear(
            RehabNeedDecided(
                case_id=ref("case"),
                person_ref=ref("person"),
                decision_id=ref(f"decision on {day}"),
                need=True,
                types=(),
                responsible=(),
                consulted_at=None,
                person_view="",
                decided_at=on(day),
            ),
            on(day),
        )

    def informed(self, day: int) -> None:
        self.hear(
            KoordineringsInfoSent(
                case_id=ref("case"),
                person_ref=ref("person"),
                info_id=ref("info"),
                person_id="",
                unit="SE2321000016-1A",
                coordinator="SE2321000016-2B",
                assumed_need=AssumedNeed.OCCUPATIONAL_REHAB,
                aim=InfoAim.SHORTEN,
                contact_wanted=True,
                certificate_id=None,
                consent_id=ref("koord"),
                consent_at=on(day),
                sent_at=on(day),
            ),
            on(day),
        )

    def info_acknowledged(self, day: int) -> None:
        self.hear(KoordineringsInfoAcknowledged(case_id=ref("case"), info_id=ref("info"), ack_at=on(day)), on(day))

    def consented(self, day: int, *, last: int = 366, giving: int = 1) -> None:
        first = SPELL_START + timedelta(days=day - 1)
        self.hear(
            ConsentGiven(
                consent_id=ref("consent"),
                giving=giving,
                case_id=ref("case"),
                opening=1,
                person_ref=ref("person"),
                scope=Scope.AF,
                counterparty="2021002114",
                purpose=Purpose.JOINT_ASSESSMENT,
                data_classes=(Covered.M2,),
                valid_from=first,
                valid_to=SPELL_START + timedelta(days=last - 1),
                form=ConsentForm.WRITTEN,
                evidence_ref=ref("evidence"),
            ),
            on(day),
        )

    def withdrawn(self, day: int, giving: int = 1, scope: str = "AF") -> None:
        self.hear(
            ConsentWithdrawn(
                consent_id=ref("consent"),
                giving=giving,
                case_id=ref("case"),
                scope=Scope(scope),
                counterparty="2021002114",
                effective_at=on(day),
            ),
            on(day),
        )

    def referred(self, day: int) -> None:
        self.hear(
            ReferralToAF(
                referral_id=ref("referral"),
                case_id=ref("case"),
                person_ref=ref("person"),
                sent_to="2021002114",
                consent_id=ref("consent"),
                person_id="",
                purpose=ReferralPurpose.JOINT_ASSESSMENT,
                employment_status=EmploymentStatus.EMPLOYED,
                incapacity_pct=50,
                function_summary="",
                need_types=(),
                wished_by=SPELL_START + timedelta(days=day + 30),
                sent_at=on(day),
            ),
            on(day),
        )

    def accepted(self, day: int) -> None:
        self.hear(
            ReferralAccepted(referral_id=ref("referral"), case_id=ref("case"), officer_ref="officer", at=on(day)),
            on(day),
        )

    def declined(self, day: int) -> None:
        self.hear(
            ReferralDeclined(referral_id=ref("referral"), case_id=ref("case"), reason=DeclineReason.OTHER, at=on(day)),
            on(day),
        )

    # --- what plan-service says ---

    def requested(self, day: int, job: str = "job", request: str = "request") -> None:
        due = SPELL_START + timedelta(days=day - 1 + 14)
        self.hear(
            EmployerPlanRequested(request_id=ref(request), employment_id=ref(job), org_nr=ORG_NR, due=due), on(day)
        )

    def submitted(
        self,
        day: int,
        job: str = "job",
        plan: str = "plan",
        clock: str = "12:00",
        ground: Exemption = Exemption.NONE,
        activities: Mapping[str, int | None] | None = None,
    ) -> None:
        """`activities`: their names, and the spell day on which each ends, or None."""
        told: dict[str, Any] = _plan(job, plan, 1, on(day, clock)) | {"exemption": ground}
        told["activities"] = _activities(activities or {})
        self.hear(PlanSubmitted(initiative=Initiative.OWN, **told), on(day, clock))

    def revised(
        self,
        day: int,
        job: str = "job",
        plan: str = "plan",
        version: int = 2,
        activities: Mapping[str, int | None] | None = None,
    ) -> None:
        told: dict[str, Any] = _plan(job, plan, version, on(day)) | {"activities": _activities(activities or {})}
        self.hear(PlanRevised(changes=(), **told), on(day))

    def completed(self, day: int, activity: str = "a") -> None:
        self.hear(PlanActivityCompleted(**_activity(activity, day)), on(day))

    def activity_missed(
        self, day: int, activity: str = "a", cause: MissCause | None = None, clock: str = "06:00"
    ) -> None:
        self.hear(PlanActivityMissed(cause=cause, **_activity(activity, day)), on(day, clock))

    # --- tips: no case goes with them ---

    def tipped(self, day: int, clock: str = "12:00", tip: str = "tip") -> None:
        self.hear(
            SupervisionTipSent(
                tip_id=ref(tip),
                kind=TipKind.TIP,
                org_nr=ORG_NR,
                workplace="",
                grounds=(TipGround.NOT_DONE,),
                case_count=2,
                facts="",
            ),
            on(day, clock),
        )

    def tip_acknowledged(self, day: int, clock: str = "12:00") -> None:
        at = SPELL_START + timedelta(days=day - 1)
        self.hear(SupervisionTipAcknowledged(tip_id=ref("tip"), org_nr=ORG_NR, at=at), on(day, clock))

    # --- what meeting-service says ---

    def called(
        self, day: int, to: int = 60, clock: str = "10:00", kind: str = "STATUS", by: str = FK, seats: Any = None
    ) -> None:
        self.hear(
            MeetingCalled(
                person_ref=ref("person"),
                situation_code=None,
                purpose="",
                **_arranged(1, to, clock, kind, by, seats or SEATS),
            ),
            on(day),
        )

    def moved(self, day: int, to: int, arrangement: int = 2, clock: str = "10:00") -> None:
        told = _arranged(arrangement, to, clock, "STATUS", FK, SEATS)
        self.hear(MeetingMoved(reason=MoveReason.NEW_TIME_ASKED, **told), on(day))

    def answered(self, day: int, who: str, answer: str = "YES", arrangement: int = 1) -> None:
        self.hear(
            MeetingAnswered(
                meeting_id=ref("meeting"),
                case_id=ref("case"),
                ref=who,
                answer=Answer(answer),
                arrangement=arrangement,
                required=True,
            ),
            on(day),
        )

    def held(self, day: int, kind: str = "STATUS", by: str = FK, clock: str = "12:00") -> None:
        self.hear(
            MeetingHeld(
                meeting_id=ref("meeting"),
                case_id=ref("case"),
                called_by=by,
                kind=MeetingKind(kind),
                arrangement=1,
                form=MeetingForm.DIGITAL,
                present=(),
                absent=(),
                at=on(day, clock),
            ),
            on(day, clock),
        )

    def called_off(self, day: int) -> None:
        self.hear(
            MeetingCancelled(
                meeting_id=ref("meeting"),
                case_id=ref("case"),
                kind=MeetingKind.STATUS,
                reason=CancelReason.ILLNESS,
                notice_hours=24,
                refs=(),
            ),
            on(day),
        )

    def minuted(self, day: int, agreements: Mapping[str, int], who: str = EMPLOYER) -> None:
        """`agreements`: what was promised, and the spell day by which."""
        told = _minutes(1, agreements, who)
        self.hear(MeetingMinutesApproved(**told), on(day))

    def amended(self, day: int, agreements: Mapping[str, int], version: int = 2, who: str = EMPLOYER) -> None:
        told = _minutes(version, agreements, who)
        self.hear(MeetingMinutesAmended(reason=AmendReason.AGREEMENT_CHANGED, dropped=(), **told), on(day))

    def assessed_jointly(self, day: int) -> None:
        self.hear(
            JointAssessmentHeld(
                assessment_id=ref("joint"),
                case_id=ref("case"),
                person_ref=ref("person"),
                referral_id=ref("referral"),
                meeting_id=None,
                conclusion=Conclusion.AF_ACTIVITY,
                function_view="",
                work_view="",
                held_at=on(day),
            ),
            on(day),
        )

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


class Case(Script):
    """One case in memory: what is told goes through the rules into the agenda; all facts are kept."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.start = on(1)
        self.agenda = NOTHING_YET
        self.facts: list[AgendaEvent] = []
        self._position = 0

    def hear(self, fact: Any, at: datetime) -> None:
        self._position += 1
        case_id = ref("case") if HEARD[type(fact).__name__].fact.linked else None
        envelope = Envelope(event_id=ref(f"event {self._position}"), occurred_at=at, actor=SYSTEM, case_id=case_id)
        heard = Heard(
            source=TOLD_BY[type(fact).__name__],
            position=self._position,
            stream="told-1",
            version=self._position,
            name=type(fact).__name__,
            fact=fact,
            envelope=envelope,
            recorded_at=at,
        )
        for asked in answer(self.rules, heard):
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


def _activities(ends: Mapping[str, int | None]) -> tuple[PlanActivity, ...]:
    return tuple(
        PlanActivity(
            activity_id=ref(name),
            kind=ActivityKind.TASKS,
            description="",
            responsible=None,
            start=None,
            end=None if day is None else SPELL_START + timedelta(days=day - 1),
            follow_up=None,
            target_pct=None,
        )
        for name, day in ends.items()
    )


def _activity(name: str, day: int) -> dict[str, Any]:
    return {
        "plan_id": ref("plan"),
        "activity_id": ref(name),
        "employment_id": ref("job"),
        "org_nr": ORG_NR,
        "at": SPELL_START + timedelta(days=day - 1),
    }


def _arranged(arrangement: int, day: int, clock: str, kind: str, by: str, seats: Any) -> dict[str, Any]:
    return {
        "meeting_id": ref("meeting"),
        "case_id": ref("case"),
        "called_by": by,
        "kind": MeetingKind(kind),
        "arrangement": arrangement,
        "starts_at": on(day, clock),
        "minutes": 60,
        "form": MeetingForm.DIGITAL,
        "link_ref": None,
        "participants": tuple(
            Participant(ref=name, role=role, required=True, consent_id=ref(consent) if consent else None)
            for name, role, consent in seats
        ),
        "short_notice": False,
    }


def _minutes(version: int, agreements: Mapping[str, int], who: str) -> dict[str, Any]:
    return {
        "meeting_id": ref("meeting"),
        "case_id": ref("case"),
        "person_ref": ref("person"),
        "minutes_ref": ref("minutes"),
        "version": version,
        "sha256": "0" * 64,
        "text": "",
        "agreements": tuple(
            Agreement(agreement_id=ref(name), who=who, what="", by=SPELL_START + timedelta(days=day - 1))
            for name, day in agreements.items()
        ),
    }


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


class World(Script):
    """The service at work on real servers, the others' logs beside it, and one clock for all."""

    def __init__(self, settings: Settings, clock: Path, token: Tokens, others: Mapping[str, "Other"]) -> None:
        self.settings, self._clock, self._token, self._others = settings, clock, token, others
        self._app: FastAPI | None = None
        self._life: Any = None

    # --- life ---

    async def start(self) -> None:
        self._app = create_app(importlib.import_module("notification_service.main").service, self.settings)
        self._life = self._app.router.lifespan_context(self._app)
        await self._life.__aenter__()
        await self.until_true(self._writable)

    async def stop(self) -> None:
        if self._life is not None:
            await self._life.__aexit__(None, None, None)
            self._app = self._life = None

    @property
    def runtime(self) -> Runtime:
        assert self._app is not None
        return self._app.state.runtime

    def by(self, role: str | None, **who: Any) -> httpx.AsyncClient:
        assert self._app is not None
        headers = {"Authorization": f"Bearer {self._token(role, **who)}"} if role else {}
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://notification", headers=headers)

    async def _writable(self) -> bool:
        return self.runtime.is_writable()

    # --- what the others say ---

    def hear(self, fact: Any, at: datetime) -> None:
        self._others[TOLD_BY[type(fact).__name__]].hear(fact, at)

    async def tell(self) -> None:
        """Put what was said since the last time into the others' logs, from where it is published."""
        for other in self._others.values():
            await other.tell()

    def speak(self) -> None:
        """The others' relays publish, and say up to when they have published everything."""
        for other in self._others.values():
            other.speak()

    async def fall_silent(self, service: str = "plan") -> None:
        """It publishes nothing any more."""
        await self._others[service].fall_silent()

    # --- what time does ---

    def clock_is(self, day: int, clock: str = "12:00") -> None:
        """Move the clock; nothing is waited for."""
        set_simulated(self._clock, on(day, clock))

    @staticmethod
    def moment_of(day: int, clock: str) -> datetime:
        return on(day, clock)

    async def at(self, day: int, clock: str = "12:00") -> None:
        """Say what is to be said, move the clock to that moment at once, and wait until everything is done."""
        self.clock_is(day, clock)
        await self.tell()
        await self.level()

    async def through(self, day: int, clock: str = "12:00") -> None:
        """Move the clock there from one due time to the next, as the local stack does."""
        target = on(day, clock)
        await self.level()
        while (due := await self.next_due()) is not None and due < target:
            set_simulated(self._clock, max(due, self.runtime.clock.now()))
            await self.level()
        await self.at(day, clock)

    async def level(self) -> None:
        """Wait until everything that was told has been heard and reacted to, and nothing that is due waits."""
        if self._app is not None:
            await self.until_true(self._is_level)

    async def _is_level(self) -> bool:
        """First what was heard, then what is due: a reaction may make something due."""
        now = self.runtime.clock.now()
        if await self.runtime.moment() != now:
            return False
        for name, other in self._others.items():
            asked = "select position from checkpoints where name = $1"
            reacted = await self.runtime.pool.fetchval(asked, f"react:{name}")
            if reacted != await other.log.head():
                return False
        due = await self.next_due()  # last: what was reacted to may have set something
        return due is None or due > now

    async def next_due(self) -> datetime | None:
        head = await self.runtime.log.head()
        for view in self.runtime.service.views:
            await self.runtime.caught_up(view, {})
        dues = (await self.dues()).values()
        if head != await self.runtime.log.head():
            return self.runtime.clock.now()
        return min((d for d in dues if d is not None), default=None)

    async def dues(self) -> dict[str, datetime | None]:
        """When each worker next has something to do."""
        return {w.name: await w.due(self.runtime) for w in self.runtime.service.workers}

    async def until_true(self, true: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
        async with asyncio.timeout(seconds):
            while not await true():  # noqa: ASYNC110 - what is waited for happens in servers
                await asyncio.sleep(0.01)

    async def add_broken_agenda(self, day: int) -> None:
        """Another case whose deadline wants to set, on that day, a task that nobody described."""
        told = DeadlineSet(
            deadline_id=ref("broken"), kind="BROKEN", about=ref("broken"), due_at=on(day), owner_role="fk.handler",
            owner_ref="role:fk.handler", escalate_to=(), owner_sees=True, attempt=1, rule="x", rule_version="x",
        )  # fmt: skip
        step = Step(at=on(day, "06:00"), does=StepKind.TASK, code="NOBODY_KNOWS")
        id = ref("broken")
        planned = StepsPlanned(deadline_id=id, parent=None, steps=(step,), tasks=(), met_by=(), cancelled_by=())
        runtime, codec = self.runtime, self.runtime.codec
        facts: list[NewFact] = []
        for fact in (told, planned):
            envelope = Envelope(event_id=new_id(), occurred_at=on(1), actor=SYSTEM, case_id=ref("broken"))
            encoded = codec.encode(fact)
            facts.append(NewFact(envelope.event_id, encoded.name, 1, encoded.open, None, to_headers(envelope), None))
        await runtime.log.append(Append(agenda.stream(ref("broken")), 0, facts))
        runtime.wrote()

    # --- what came of it ---

    async def facts(self, *kinds: type[Any]) -> list[Any]:
        """The facts of the case's agenda, in order; only these kinds when there are any."""
        told = [fact for _, fact in await self.runtime.perform.facts(agenda, ref("case"))]
        return [f for f in told if not kinds or isinstance(f, kinds)]

    async def facts_apart(self, tip: str, *kinds: type[Any]) -> list[Any]:
        """Those of a tip, which stands in no case."""
        told = [fact for _, fact in await self.runtime.perform.facts(apart, ref(tip))]
        return [f for f in told if isinstance(f, kinds)]


class Other:
    """Another service, as far as it is heard: its log, and the relay that publishes it."""

    def __init__(self, facts: Facts, log: PostgresLog, relay: Relay) -> None:
        self.log, self._relay = log, relay
        self._codec = Codec(facts)
        self._said: list[NewFact] = []
        self._version = 0
        self._publishing: asyncio.Task[None] | None = None

    def hear(self, fact: Any, at: datetime) -> None:
        encoded = self._codec.encode(fact)
        case_id = ref("case") if encoded.linked else None
        envelope = Envelope(event_id=new_id(), occurred_at=at, actor=SYSTEM, case_id=case_id)
        self._said.append(
            NewFact(envelope.event_id, encoded.name, 1, encoded.open, None, to_headers(envelope), encoded.subject)
        )

    async def tell(self) -> None:
        if self._said:
            said, self._said = self._said, []
            await self.log.append(Append("told-1", self._version, said))
            self._version += len(said)
            self.log.moved.beat()

    def speak(self) -> None:
        if self._publishing is None:
            self._publishing = asyncio.create_task(self._relay.run())

    async def fall_silent(self) -> None:
        if self._publishing is not None:
            while not self._publishing.done():
                self._publishing.cancel()
                await asyncio.wait([self._publishing], timeout=1)
            self._publishing = None


@asynccontextmanager
async def other(facts: Facts, database: Databases, server: Nats, now: Callable[[], datetime]) -> AsyncGenerator[Other]:
    """Another service with a fresh log and stream."""
    name = facts.service
    await forget_streams(server, name.upper())
    place = await database(name, setup=core_schema)
    pool: asyncpg.Pool = await asyncpg.create_pool(place.app_url, min_size=1, max_size=4)
    wire, log = Wire(server.url(name), name), PostgresLog(place.app_url, pool, now)
    await log.start()
    made = Other(facts, log, Relay(name, facts, log, await wire.connect(), now))
    yield made
    await made.fall_silent()
    await wire.close()
    await log.stop()
    await pool.close()


class Mailbox:
    """A real mail server on loopback that keeps what it takes. `refuse` is answered instead, while it is set."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.refuse = ""
        self.when_taken: Callable[[], Awaitable[None]] | None = None
        self._server: asyncio.Server | None = None
        self.port = 0

    async def open(self) -> None:
        made = await asyncio.get_running_loop().create_server(
            lambda: SMTP(self, hostname="mail.test", enable_SMTPUTF8=True), "127.0.0.1", self.port
        )
        self._server, self.port = made, made.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """The server is gone; another may open on the same port."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(message_from_bytes(envelope.content, policy=SMTP_POLICY))
        self.recipients += envelope.rcpt_tos
        if self.when_taken is not None:
            await self.when_taken()
        return "250 taken"


@pytest.fixture
async def mailbox(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Mailbox]:
    made = Mailbox()
    await made.open()
    monkeypatch.setenv("SAMORDNA_SMTP_URL", f"smtp://127.0.0.1:{made.port}")
    yield made
    await made.close()


@pytest.fixture
async def world(
    run_service: RunService, database: Databases, nats_server: Nats, token: Tokens, mailbox: Mailbox
) -> AsyncIterator[World]:
    """Everything at noon on the first day; the service is running."""
    async with run_service("notification_service.main", at=on(1), parts="api") as prepared:
        settings = prepared.runtime.settings.model_copy(update={"parts": ",".join(PARTS)})
        clock = Path(settings.clock.removeprefix("simulated:"))
        now = SimulatedClock(clock).now
        async with (
            other(CASE, database, nats_server, now) as case,
            other(PLAN, database, nats_server, now) as plan,
            other(MEETING, database, nats_server, now) as meeting,
        ):
            made = World(settings, clock, token, {"case": case, "plan": plan, "meeting": meeting})
            made.speak()
            await made.start()
            yield made
            await made.stop()


@pytest.fixture(scope="session")
def rules() -> Rules:
    return Rules([load(f) for f in shipped()])


@pytest.fixture
def case(rules: Rules) -> Case:
    return Case(rules)


@pytest.fixture(scope="session")
def make_case() -> type[Case]:
    return Case


@pytest.fixture
def new_case(rules: Rules) -> Callable[[], Case]:
    return lambda: Case(rules)


@pytest.fixture
def day() -> Callable[..., datetime]:
    """`day(31, "06:00")`: that moment of the spell's thirty-first day in Sweden."""
    return on


@pytest.fixture
def case_id() -> str:
    return str(ref("case"))
