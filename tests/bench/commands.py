"""Which commands are given? The life of employments: registered, asked for a plan, plan handed in, plan assessed.

So every kind of command has its natural share: two that seal what is sensitive, one that makes a person's key, two that
are small.
"""

import random
from datetime import date
from uuid import UUID

from tests.bench.inputs import NOON, a_registration, an_activity

from chassis.clock import new_id
from contracts.plan import Channel, EmploymentRegistered, Exemption
from plan_service.domain.commands import AssessPlan, Command, RegisterEmployment, RequestPlan, SubmitPlan
from plan_service.domain.outcomes import next_plan_id
from plan_service.domain.plan import Activity, Contents
from plan_service.domain.situations import Employment, NotAsked

TODAY = date(2025, 3, 2)
STEPS = 4
"""Commands in the life of an employment: registered, asked for its plan, plan handed in, plan assessed."""


class Life:
    """One employment's four commands. The id of the plan is the one that the domain gives."""

    def __init__(self, dice: random.Random) -> None:
        registration = a_registration(dice)
        self.id: UUID = registration.employment_id
        self.commands: tuple[Command, ...] = (
            RegisterEmployment(registration=registration, today=TODAY),
            RequestPlan(due=None, today=TODAY),
            SubmitPlan(contents=contents(dice), at=NOON, today=TODAY),
            AssessPlan(plan_id=first_plan_id(registration), version=1),
        )


def lives(count: int, seed: int = 3) -> list[Life]:
    dice = random.Random(seed)
    return [Life(dice) for _ in range(count)]


def first_plan_id(registration: EmploymentRegistered) -> UUID:
    return next_plan_id(NotAsked(employment=Employment(registration=registration)))


def contents(dice: random.Random) -> Contents:
    return Contents(
        channel=Channel.API,
        drawn_up_on=date(2025, 3, 1),
        employee_consulted=True,
        not_consulted_reason=None,
        exemption=Exemption.NONE,
        activities=(_activity(dice), _activity(dice)),
        return_date=date(2025, 5, 4),
        document=None,
    )


def _activity(dice: random.Random) -> Activity:
    a = an_activity(dice)
    return Activity(
        kind=a.kind, description=a.description, responsible=a.responsible, start=a.start, end=a.end,
        follow_up=a.follow_up, target_pct=a.target_pct,
    )  # fmt: skip


def command_id() -> UUID:
    return new_id()
