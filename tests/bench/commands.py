"""Which commands are given? Plans handed in for employments that are registered beforehand, as an employer would."""

import random
from datetime import date
from uuid import UUID

from tests.bench.inputs import NOON, a_registration, an_activity

from chassis.clock import new_id
from contracts.plan import Channel, Exemption
from plan_service.domain.commands import RegisterEmployment, SubmitPlan
from plan_service.domain.plan import Activity, Contents

TODAY = date(2025, 3, 2)


def registrations(count: int, seed: int = 3) -> list[tuple[UUID, RegisterEmployment]]:
    """Employments to register: each with its id."""
    dice = random.Random(seed)
    made: list[tuple[UUID, RegisterEmployment]] = []
    for _ in range(count):
        found = a_registration(dice)
        made.append((found.employment_id, RegisterEmployment(registration=found, today=TODAY)))
    return made


def submissions(count: int, seed: int = 4) -> list[SubmitPlan]:
    """Plans with two activities each, no file."""
    dice = random.Random(seed)
    return [SubmitPlan(contents=contents(dice), at=NOON, today=TODAY) for _ in range(count)]


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
