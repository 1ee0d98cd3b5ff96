"""Whatever happens in between: nothing is sent to AF, and nothing accepted there, without a consent that holds then.

The log's own calls are the only places where something can come in between. Before each of them any number of
withdrawals, givings and closings is slipped in.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from case_service.deciding import accepting, giving, referring
from case_service.domain.case import case
from case_service.domain.commands import CloseCase, DecideNeed, OpenCase, ReopenCase
from case_service.domain.consent import GiveConsent, WithdrawConsent, consent, holds
from case_service.domain.referral import referral
from case_service.domain.situations import Open, open_by
from chassis.codec import Codec
from chassis.decider import Aggregate, Refused
from chassis.envelope import SYSTEM
from chassis.keys import MemoryKeys
from chassis.memory import MemoryLog
from chassis.perform import Context, Performer
from chassis.testing_crowd import Crowded
from contracts.case import (
    CASE,
    Benefit,
    ConsentForm,
    ConsentGiven,
    Covered,
    EmploymentStatus,
    NeedType,
    Outcome,
    Protection,
    Purpose,
    ReferralAccepted,
    ReferralPurpose,
    ReferralToAF,
    ReopenReason,
    Scope,
)

TODAY, NOON = date(2026, 4, 1), datetime(2026, 4, 1, 10, tzinfo=UTC)
THE_CASE, CONSENT, REFERRAL, PERSON, AF = UUID(int=1), UUID(int=2), UUID(int=3), UUID(int=4), "2021002114"
CONTEXT = Context(actor=SYSTEM, now=NOON)

OPEN = OpenCase(
    case_id=THE_CASE,
    person_ref=PERSON,
    person_id="640823-3234",
    employments=(),
    spell_start=TODAY,
    expected_end=TODAY + timedelta(days=90),
    prior_chain_days=0,
    benefit=Benefit.SICKNESS,
    protection_level=Protection.NONE,
    today=TODAY,
)
DECIDE = DecideNeed(
    need=True, types=(NeedType.OCCUPATIONAL,), responsible=(), consulted_at=None, person_view="", at=NOON
)
GIVE = GiveConsent(
    consent_id=CONSENT,
    case_id=THE_CASE,
    person_ref=PERSON,
    scope=Scope.AF,
    counterparty=AF,
    purpose=Purpose.JOINT_ASSESSMENT,
    data_classes=(Covered.I, Covered.D, Covered.W, Covered.M2, Covered.L),
    valid_from=TODAY,
    valid_to=None,
    form=ConsentForm.WRITTEN,
    evidence_ref=UUID(int=5),
    opening=None,
    today=TODAY,
    at=NOON,
)
WITHDRAW = WithdrawConsent(effective_at=None, at=NOON)
NO_NEED = DecideNeed(
    need=False, types=(), responsible=(), consulted_at=None, person_view="", at=NOON + timedelta(seconds=1)
)
CLOSE = CloseCase(outcome=Outcome.OTHER, today=TODAY, at=NOON)
REOPEN = ReopenCase(reason=ReopenReason.CLOSED_IN_ERROR, at=NOON)
INTRUDERS: list[tuple[Aggregate[Any, Any, Any], UUID, Any]] = [
    (consent, CONSENT, WITHDRAW), (consent, CONSENT, GIVE), (case, THE_CASE, CLOSE), (case, THE_CASE, REOPEN),
    (case, THE_CASE, NO_NEED),
]  # fmt: skip


async def quietly(perform: Any, aggregate: Any, id: UUID, command: Any) -> None:
    try:
        if isinstance(command, GiveConsent):
            await perform.guarded(aggregate, id, giving(perform.load, command), CONTEXT)
        else:
            await perform(aggregate, id, command, CONTEXT)
    except Refused:
        return


turns = st.lists(st.lists(st.integers(0, len(INTRUDERS) - 1), max_size=3), max_size=14)


@settings(max_examples=400, deadline=None)
@given(turns, turns)
async def test_no_interleaving_with_a_withdrawal_lets_a_referral_through(
    while_sending: list[Sequence[int]], while_accepting: list[Sequence[int]]
) -> None:
    log, keys = Crowded[int](), MemoryKeys()
    perform = Performer(log, Codec(CASE), keys)
    beginning: list[tuple[Aggregate[Any, Any, Any], UUID, Any]] = [
        (case, THE_CASE, OPEN),
        (case, THE_CASE, DECIDE),
        (consent, CONSENT, GIVE),
    ]
    for aggregate, id, command in beginning:
        await quietly(perform, aggregate, id, command)
    others = Performer(log, Codec(CASE), keys)
    log.serve = lambda n: quietly(others, *INTRUDERS[n])

    log.turns = list(while_sending)
    look = referring(
        perform.load,
        referral_id=REFERRAL,
        case_id=THE_CASE,
        consent_id=CONSENT,
        sent_to=AF,
        purpose=ReferralPurpose.JOINT_ASSESSMENT,
        employment_status=EmploymentStatus.EMPLOYED,
        incapacity_pct=50,
        function_summary="Kan sitta",
        wished_by=TODAY,
        at=NOON,
    )
    try:
        await perform.guarded(referral, REFERRAL, look, CONTEXT)
        log.turns = list(while_accepting)
        await perform.guarded(
            referral, REFERRAL, accepting(perform.load, REFERRAL, officer_ref="officer", at=NOON), CONTEXT
        )
    except Refused:
        pass
    log.turns = []
    await everything_rested_on_consent(log, perform)


async def everything_rested_on_consent(log: MemoryLog, perform: Performer) -> None:
    """Each referral and acceptance in the log stands where the case was open, and a consent that had been given since
    it was opened was in force; each consent where the case was open."""
    so_far: dict[str, list[Any]] = {"consent": [], "case": []}
    for stored in await log.after(0, 10_000):
        fact = await perform.open(stored)
        situation = case.decider.fold(so_far["case"])
        if isinstance(fact, ConsentGiven):
            assert fact.opening == open_by(situation)
        if isinstance(fact, ReferralToAF | ReferralAccepted):
            assert holds(consent.decider.fold(so_far["consent"]), TODAY, open_by(situation)) is not None
            assert isinstance(situation, Open)
            if isinstance(fact, ReferralToAF):
                assert situation.case.newest_decision is not None
                assert situation.case.newest_decision.need
        so_far.setdefault(stored.stream.partition("-")[0], []).append(fact)
