"""When does a consent end with its case? As soon as the closing is in the log, whoever else is away (row 39).

Nothing rests on how soon: a consent holds for the opening of the case in which it was given (`domain.consent.holds`).
What is recorded here is for those who hear of it, and for who reads the case.
"""

from datetime import datetime

from case_service.domain.consent import EndWithCase, consent
from case_service.views.cases import cases, consents_to_end, whose_consents_end
from chassis.clock import hashed_id
from chassis.service import Runtime, Worker

LOOK_AGAIN = 0.5
"""Seconds until it is looked again while nothing happens."""

GROUP = 100


async def end(runtime: Runtime) -> None:
    """End what has to end whenever something has happened, until cancelled."""
    while True:
        if not await end_some(runtime):
            await runtime.changed(LOOK_AGAIN)


async def end_some(runtime: Runtime) -> bool:
    """End the consents of some closed cases; were there any? Raises a Problem when the view lags."""
    await runtime.caught_up(cases, {})
    async with runtime.engine.connect() as connection:
        left = await whose_consents_end(connection, GROUP)
    for row in left:
        for consent_id, giving in consents_to_end(row):
            command_id = hashed_id("ends-with-case", str(consent_id), str(giving))
            command = EndWithCase(giving=giving, at=runtime.clock.now())
            await runtime.act(consent, consent_id, command, command_id=command_id, case_id=row.case_id)
    return bool(left)


async def due(runtime: Runtime) -> datetime | None:
    """Now, where something has to end."""
    async with runtime.engine.connect() as connection:
        return runtime.clock.now() if await whose_consents_end(connection, 1) else None


ending = Worker("end-consents", end, due)
