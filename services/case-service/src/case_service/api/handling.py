"""What FK does in a case: assigns, extends, assesses, decides, closes."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter

from case_service.api.bodies import (
    Changed,
    DecisionTaken,
    IkrTaken,
    NewAssignment,
    NewClosing,
    NewDecision,
    NewDegrees,
    NewExtension,
    NewIkr,
    NewReopening,
)
from case_service.api.finding import came_of, seen
from case_service.api.people import SFB_COORDINATION
from case_service.api.relation import Assigner, Handler, Here
from case_service.deciding import reopening
from case_service.domain.case import case, same_assessment, same_decision
from case_service.domain.commands import (
    AssignCase,
    CloseCase,
    Command,
    CompleteIkr,
    DecideNeed,
    ExtendCase,
    SetDegree,
)
from case_service.domain.situations import Situation
from chassis.days import local_day
from chassis.envelope import Actor
from chassis.http import Act, Acting
from contracts.case import CaseEvent

router = APIRouter(prefix="/cases/{case_id}", tags=["handling"])


async def _do(act: Acting, who: Actor, case_id: UUID, command: Command) -> Changed:
    """A command whose answer is only that it is recorded."""
    await seen(act, case_id, who)
    act.concerning(case_id=case_id, legal_basis=SFB_COORDINATION)
    await act(case, case_id, command, answer={})
    return Changed(case_id=case_id)


@router.put(
    "/assignment",
    response_model=Changed,
    summary="Say who handles the case",
    description="And who stands in for the handler until a day, where somebody does.",
)
async def assign(case_id: UUID, body: NewAssignment, act: Act, who: Assigner) -> Changed:
    return await _do(act, who, case_id, AssignCase(today=local_day(act.now), **dict(body)))


@router.post(
    "/extensions",
    status_code=201,
    response_model=Changed,
    summary="Extend the case",
    description="The incapacity may be assumed to last longer than it was. The days are counted from the first.",
)
async def extend(case_id: UUID, body: NewExtension, act: Act, who: Handler) -> Changed:
    return await _do(act, who, case_id, ExtendCase(**dict(body)))


@router.post(
    "/degrees",
    status_code=201,
    response_model=Changed,
    summary="Set the degree of incapacity",
    description="25, 50, 75 or 100 % for periods that do not overlap, with each other or with what is known.",
)
async def degrees(case_id: UUID, body: NewDegrees, act: Act, who: Handler) -> Changed:
    return await _do(act, who, case_id, SetDegree(periods=tuple(p.as_given() for p in body.periods)))


@router.post(
    "/assessments",
    status_code=201,
    response_model=IkrTaken,
    summary="Record the initial assessment (IKR)",
    description="FK's first look for needs of rehabilitation. One that says what the newest one says is that one.",
)
async def ikr(case_id: UUID, body: NewIkr, act: Act, who: Handler) -> IkrTaken:
    await seen(act, case_id, who)
    command = CompleteIkr(**dict(body))
    act.concerning(case_id=case_id, legal_basis=SFB_COORDINATION)

    def told(situation: Situation, facts: Sequence[CaseEvent]) -> dict[str, str]:
        made = came_of(situation, facts, lambda known: same_assessment(command, known))
        return {"assessmentId": str(made.assessment_id)}

    done = await act(case, case_id, command, answer=told)
    return IkrTaken(assessment_id=done.answer["assessmentId"])


@router.post(
    "/need-decisions",
    status_code=201,
    response_model=DecisionTaken,
    summary="Decide whether rehabilitation is needed",
    description="Always decided, also when the answer is no; and again when the case is extended or a milestone comes.",
)
async def decide(case_id: UUID, body: NewDecision, act: Act, who: Handler) -> DecisionTaken:
    await seen(act, case_id, who)
    act.concerning(case_id=case_id, legal_basis=SFB_COORDINATION)
    command = DecideNeed(at=act.now, **dict(body))

    def told(situation: Situation, facts: Sequence[CaseEvent]) -> dict[str, str]:
        made = came_of(situation, facts, lambda known: same_decision(command, known))
        return {"decisionId": str(made.decision_id)}

    done = await act(case, case_id, command, answer=told)
    return DecisionTaken(decision_id=done.answer["decisionId"])


@router.post(
    "/closing",
    status_code=201,
    response_model=Changed,
    summary="Close the case",
    description="With how it ended. All deadlines of the case are cancelled; nothing more is done in it.",
)
async def close(case_id: UUID, body: NewClosing, act: Act, who: Handler) -> Changed:
    command = CloseCase(outcome=body.outcome, today=local_day(act.now), at=act.now)
    return await _do(act, who, case_id, command)


@router.post(
    "/reopening",
    status_code=201,
    response_model=Changed,
    summary="Open a closed case again",
    description="Its days count on from where they began. Where the person has had another case since, it is refused "
    "(409): a person has one open case at a time.",
)
async def reopen(case_id: UUID, body: NewReopening, act: Act, who: Handler, here: Here) -> Changed:
    await seen(act, case_id, who)
    act.concerning(case_id=case_id, legal_basis=SFB_COORDINATION)
    await act.guarded(case, case_id, reopening(here.load, case_id, reason=body.reason, at=act.now), answer={})
    return Changed(case_id=case_id)
