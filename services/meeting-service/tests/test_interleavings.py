"""Whatever is heard in between: nobody is invited, and nothing assessed, without the consents that hold then.

The log's own calls are the only places where something can come in between. Before each of them consents end or are
given anew, and the case is closed or opened again, any number of times.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.codec import Codec
from chassis.decider import Refused
from chassis.envelope import SYSTEM
from chassis.keys import MemoryKeys
from chassis.perform import Context, Performer
from chassis.testing_crowd import Crowded
from contracts.case import Covered, Scope
from contracts.meeting import (
    MEETING,
    Conclusion,
    ConsentNoted,
    JointAssessmentHeld,
    MeetingCalled,
    MeetingForm,
    MeetingHeld,
    MeetingKind,
    Party,
    ReferralStanding,
)
from meeting_service.domain.assessment import HoldJointAssessment
from meeting_service.domain.commands import Arrangement, CallMeeting, HoldMeeting, Invited
from meeting_service.domain.heard import (
    NoteCase,
    NoteCaseClosed,
    NoteCaseReopened,
    NoteConsent,
    NoteConsentEnded,
    NoteReferral,
)
from meeting_service.domain.meetings import Command, decider, meetings
from meeting_service.domain.parties import AF_ORG, FK_ORG

TODAY, NOON = date(2026, 4, 1), datetime(2026, 4, 1, 10, tzinfo=UTC)
CASE, PERSON_REF, REFERRAL, MEETING_ID = UUID(int=1), UUID(int=2), UUID(int=3), UUID(int=4)
FK, PERSON, AF = f"fk:{FK_ORG}", f"person:{PERSON_REF}", f"af:{AF_ORG}"
CONSENTS = {Scope.AF: UUID(int=21), Scope.SUS_REG: UUID(int=22)}
CONTEXT = Context(actor=SYSTEM, now=NOON)


def consent(scope: Scope, giving: int) -> NoteConsent:
    return NoteConsent(
        consent=ConsentNoted(
            case_id=CASE,
            consent_id=CONSENTS[scope],
            giving=giving,
            scope=scope,
            counterparty=AF_ORG,
            data_classes=(Covered.D, Covered.W, Covered.M2, Covered.L),
            valid_from=TODAY,
            valid_to=TODAY + timedelta(days=365),
            standing=True,
        )
    )


BEFORE: list[Command] = [
    NoteCase(case_id=CASE, person_ref=PERSON_REF, employers=()),
    *(consent(scope, 1) for scope in CONSENTS),
    NoteReferral(case_id=CASE, referral_id=REFERRAL, sent_to=AF_ORG, standing=ReferralStanding.SENT),
    NoteReferral(case_id=CASE, referral_id=REFERRAL, sent_to=None, standing=ReferralStanding.ACCEPTED),
]
INTRUDERS: list[Command] = [
    *(NoteConsentEnded(consent_id=id, giving=giving, at=NOON) for id in CONSENTS.values() for giving in (1, 2)),
    *(consent(scope, 2) for scope in CONSENTS),
    NoteCaseClosed(at=NOON),
    NoteCaseReopened(),
]
CALL = CallMeeting(
    meeting_id=MEETING_ID,
    by=FK,
    kind=MeetingKind.JOINT_ASSESSMENT,
    situation_code=None,
    arrangement=Arrangement(
        starts_at=NOON + timedelta(days=20),
        starts_on=TODAY + timedelta(days=20),
        minutes=60,
        form=MeetingForm.DIGITAL,
        link_ref=None,
        short_notice_agreed=False,
        notice_days=14,
    ),
    invited=tuple(
        Invited(role=role, org_id=org, required=True)
        for role, org in ((Party.FK, FK_ORG), (Party.PERSON, ""), (Party.AF, AF_ORG))
    ),
    purpose="Kartlägga",
    today=TODAY,
    at=NOON,
)
HOLD = HoldMeeting(
    meeting_id=MEETING_ID,
    by=FK,
    form=MeetingForm.DIGITAL,
    present=(FK, PERSON, AF),
    held_on=TODAY + timedelta(days=20),
    held_at=NOON + timedelta(days=20),
    at=NOON + timedelta(days=20, hours=1),
)
ASSESS = HoldJointAssessment(
    referral_id=REFERRAL,
    by=AF,
    meeting_id=None,
    conclusion=Conclusion.AF_ACTIVITY,
    function_view="Kan sitta",
    work_view="Arbetsträning",
    today=TODAY,
    at=NOON,
)


async def quietly(perform: Any, command: Any) -> None:
    try:
        await perform(meetings, CASE, command, CONTEXT)
    except Refused:
        return


turns = st.lists(st.lists(st.integers(0, len(INTRUDERS) - 1), max_size=3), max_size=10)


@settings(max_examples=300, deadline=None)
@given(turns, st.permutations([CALL, HOLD, ASSESS]))
async def test_no_interleaving_lets_anything_through_without_consent(
    while_asking: list[Sequence[int]], commands: list[Any]
) -> None:
    log, keys = Crowded[int](), MemoryKeys()
    perform = Performer(log, Codec(MEETING), keys)
    for command in BEFORE:
        await perform(meetings, CASE, command, CONTEXT)
    others = Performer(log, Codec(MEETING), keys)
    log.serve, log.turns = lambda n: quietly(others, INTRUDERS[n]), list(while_asking)
    for command in commands:
        await quietly(perform, command)
    log.turns = []

    known = decider.initial
    for stored in await log.after(0, 10_000):
        fact = await perform.open(stored)
        needed: tuple[Scope, ...] = ()
        if isinstance(fact, MeetingCalled | MeetingHeld):
            needed = (Scope.AF,)
        elif isinstance(fact, JointAssessmentHeld):
            needed = (Scope.AF, Scope.SUS_REG)
        if needed:
            assert known.grounds.noted.opened
            assert all(known.grounds.consents[CONSENTS[scope]].standing for scope in needed)
        known = decider.evolve(known, fact)
