"""What has to be read of other streams before a command is decided, and held still until it is in the log?

Each function gives a `look`: it reads those streams and makes the command from what they say. `chassis.perform` calls
it again when one of them moved on before the command was in the log, so no withdrawal slips in between.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from case_service.domain.case import case
from case_service.domain.commands import CaseUnknown, OpenCase, ReopenCase, SendInfo, TakeSickNotice
from case_service.domain.consent import GiveConsent, consent, holds
from case_service.domain.outcomes import next_case_id
from case_service.domain.referral import AcceptReferral, NotSent, ReferralUnknown, ReferToAF, referral
from case_service.domain.situations import NotOpened, Open, Situation, open_by
from chassis.clock import hashed_id
from chassis.days import local_day
from chassis.decider import Aggregate
from chassis.perform import Guarded, Look
from contracts.case import (
    AssumedNeed,
    ConsentGiven,
    EmploymentStatus,
    InfoAim,
    ReferralPurpose,
    ReferralToAF,
    ReopenReason,
    Scope,
)

Load = Callable[[Aggregate[Any, Any, Any], Any], Awaitable[tuple[Any, int]]]
"""`Performer.load`: a stream's state and version."""

Guard = tuple[str, int]

Opening = TypeVar("Opening", bound=OpenCase | TakeSickNotice)


def opening(load: Load, command: Opening, before: UUID | None) -> Look[Opening]:
    """A case is opened while the one before it (`before`; None where it is the first) is not open again. Together with
    `reopening` this leaves a person one open case at a time: only the newest one can be open."""

    async def look() -> Guarded[Opening]:
        if before is None:
            return Guarded(command, ())
        situation, version = await load(case, before)
        return Guarded(replace(command, earlier_open=isinstance(situation, Open)), ((case.stream(before), version),))

    return look


def reopening(load: Load, case_id: UUID, *, reason: ReopenReason, at: datetime) -> Look[ReopenCase]:
    """A case is opened again while the person has had none after it."""

    async def look() -> Guarded[ReopenCase]:
        situation, _ = await load(case, case_id)
        if isinstance(situation, NotOpened):
            raise CaseUnknown
        following = next_case_id(situation.case.opened)
        next_one, version = await load(case, following)
        command = ReopenCase(reason=reason, at=at, followed=not isinstance(next_one, NotOpened))
        return Guarded(command, ((case.stream(following), version),))

    return look


def consent_id_of(case_id: UUID, scope: Scope, counterparty: str) -> UUID:
    """The id of the consent of one scope towards one party in one case."""
    return hashed_id("consent", str(case_id), scope, counterparty)


async def in_force(
    load: Load, consent_id: UUID, case_id: UUID, today: date
) -> tuple[ConsentGiven | None, Situation, tuple[Guard, Guard]]:
    """The consent if it holds today, what is known of its case, and the guards that keep both so."""
    known, at = await load(case, case_id)
    situation, version = await load(consent, consent_id)
    given = holds(situation, today, open_by(known))
    return given, known, ((consent.stream(consent_id), version), (case.stream(case_id), at))


def giving(load: Load, command: GiveConsent) -> Look[GiveConsent]:
    """A consent is given in a case that is open, and for as long as it then stands open."""

    async def look() -> Guarded[GiveConsent]:
        known, version = await load(case, command.case_id)
        return Guarded(replace(command, opening=open_by(known)), ((case.stream(command.case_id), version),))

    return look


async def open_to_af(load: Load, sent: ReferralToAF, today: date) -> tuple[ConsentGiven | None, tuple[Guard, Guard]]:
    """The consent under which AF may see and answer a referral today, with the guards that keep it so."""
    given, _, guards = await in_force(load, sent.consent_id, sent.case_id, today)
    return given, guards


def referring(
    load: Load, *, referral_id: UUID, case_id: UUID, consent_id: UUID, sent_to: str, purpose: ReferralPurpose,
    employment_status: EmploymentStatus, incapacity_pct: int, function_summary: str, wished_by: date, at: datetime,
) -> Look[ReferToAF]:  # fmt: skip
    """A referral rests on the case (open, the need decided) and on the consent towards AF."""

    async def look() -> Guarded[ReferToAF]:
        given, known, guards = await in_force(load, consent_id, case_id, local_day(at))
        if isinstance(known, NotOpened):
            raise CaseUnknown
        command = ReferToAF(
            referral_id=referral_id,
            case_id=case_id,
            person_ref=known.case.opened.person_ref,
            person_id=known.case.opened.person_id,
            sent_to=sent_to,
            case_open=isinstance(known, Open),
            decision=known.case.newest_decision,
            consent=given,
            purpose=purpose,
            employment_status=employment_status,
            incapacity_pct=incapacity_pct,
            function_summary=function_summary,
            wished_by=wished_by,
            today=local_day(at),
            at=at,
        )
        return Guarded(command, guards)

    return look


def accepting(load: Load, referral_id: UUID, *, officer_ref: str, at: datetime) -> Look[AcceptReferral]:
    """AF takes part only while the consent that the referral was sent under holds."""

    async def look() -> Guarded[AcceptReferral]:
        situation, _ = await load(referral, referral_id)
        if isinstance(situation, NotSent):
            raise ReferralUnknown
        given, guards = await open_to_af(load, situation.sent, local_day(at))
        return Guarded(AcceptReferral(officer_ref=officer_ref, consent=given, at=at), guards)

    return look


def informing(
    load: Load, case_id: UUID, *, sender: str, person_id: str, unit: str, coordinator: str, assumed_need: AssumedNeed,
    aim: InfoAim, contact_wanted: bool, certificate_id: UUID | None, consent_at: datetime, at: datetime,
) -> Look[SendInfo]:  # fmt: skip
    """What health care tells FK rests on the person's consent to exactly that."""

    async def look() -> Guarded[SendInfo]:
        consent_id = consent_id_of(case_id, Scope.KOORD_TO_FK, sender)
        given, _, (guard, _) = await in_force(load, consent_id, case_id, local_day(at))
        command = SendInfo(
            sender=sender,
            consent=given,
            person_id=person_id,
            unit=unit,
            coordinator=coordinator,
            assumed_need=assumed_need,
            aim=aim,
            contact_wanted=contact_wanted,
            certificate_id=certificate_id,
            consent_at=consent_at,
            at=at,
        )
        return Guarded(command, (guard,))

    return look
