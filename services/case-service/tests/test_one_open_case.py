"""Whatever happens in between: a person has one open case at a time, and only the newest can be open.

As in `test_guards`, the log's own calls are the only places where something can come in between. Before each of them
others close, open again and open the person's cases.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from case_service.deciding import opening, reopening
from case_service.domain.case import case
from case_service.domain.commands import CloseCase, Employment, OpenCase, TakeSickNotice
from case_service.domain.outcomes import case_id_of
from case_service.domain.situations import NotOpened, Open
from chassis.codec import Codec
from chassis.decider import Refused
from chassis.envelope import SYSTEM
from chassis.keys import MemoryKeys
from chassis.memory import MemoryLog
from chassis.perform import Context, Performer
from chassis.testing_crowd import Crowded
from contracts.case import CASE, Benefit, CaseClosed, CaseOpened, CaseReopened, Outcome, Protection, ReopenReason
from contracts.values import EmploymentKind

TODAY, NOON = date(2026, 4, 1), datetime(2026, 4, 1, 10, tzinfo=UTC)
PERSON = UUID(int=4)
CONTEXT = Context(actor=SYSTEM, now=NOON)
NUMBERS = range(1, 5)
JOB = Employment(org_nr="5560360793", employment_kind=EmploymentKind.ORDINARY, workplace="")
OPEN = OpenCase(
    case_id=UUID(int=0), person_ref=PERSON, person_id="640823-3234", employments=(), spell_start=TODAY,
    expected_end=TODAY + timedelta(days=90), prior_chain_days=0, benefit=Benefit.SICKNESS,
    protection_level=Protection.NONE, today=TODAY,
)  # fmt: skip
NOTICE = TakeSickNotice(
    case_id=UUID(int=0), person_ref=PERSON, person_id="640823-3234", employment=JOB, spell_start=TODAY,
    last_sick_pay_day=TODAY, expected_end=None, today=TODAY,
)  # fmt: skip

Act = Callable[[Performer], Awaitable[Any]]


def close(number: int) -> Act:
    closing = CloseCase(outcome=Outcome.OTHER, today=TODAY, at=NOON)
    return lambda perform: perform(case, case_id_of(PERSON, number), closing, CONTEXT)


def reopen(number: int) -> Act:
    id, why = case_id_of(PERSON, number), ReopenReason.RELAPSE
    return lambda perform: perform.guarded(case, id, reopening(perform.load, id, reason=why, at=NOON), CONTEXT)


def begin(command: OpenCase | TakeSickNotice) -> Act:
    """As the end points do: in the open case, or in the one that comes next."""

    async def act(perform: Performer) -> Any:
        ids = [case_id_of(PERSON, n) for n in NUMBERS]
        standing = [(id, (await perform.load(case, id))[0]) for id in ids]
        there = [id for id, situation in standing if not isinstance(situation, NotOpened)]
        open_now = next((id for id, situation in standing if isinstance(situation, Open)), None)
        id = open_now or case_id_of(PERSON, len(there) + 1)
        before = there[-1] if there and open_now is None else None
        asked = replace(command, case_id=id)
        return await perform.guarded(case, id, opening(perform.load, asked, before), CONTEXT)

    return act


ACTS: list[Act] = [*map(close, NUMBERS), *map(reopen, NUMBERS), begin(OPEN), begin(OPEN), begin(NOTICE)]


async def quietly(act: Act, perform: Performer) -> None:
    try:
        await act(perform)
    except Refused:
        return


acts = st.sampled_from(ACTS)


@settings(max_examples=400, deadline=None)
@given(st.lists(acts, min_size=1, max_size=8), st.lists(st.lists(acts, max_size=3), max_size=24))
async def test_no_interleaving_gives_a_person_two_open_cases(ours: list[Act], turns: list[Sequence[Act]]) -> None:
    log, keys = Crowded[Act](), MemoryKeys()
    perform = Performer(log, Codec(CASE), keys)
    for act in (begin(OPEN), close(1)):
        await act(perform)
    others = Performer(log, Codec(CASE), keys)
    log.serve, log.turns = lambda act: quietly(act, others), list(turns)
    for act in ours:
        await quietly(act, perform)
    log.turns = []
    await never_two_at_once(log, perform)


async def never_two_at_once(log: MemoryLog, perform: Performer) -> None:
    open_now: set[UUID] = set()
    for stored in await log.after(0, 10_000):
        match await perform.open(stored):
            case CaseOpened() | CaseReopened() as fact:
                open_now.add(fact.case_id)
            case CaseClosed() as fact:
                open_now.remove(fact.case_id)
            case _:
                pass
        assert len(open_now) <= 1


# --- over HTTP ---


async def again(desk: Any, opened: dict[str, Any]) -> Any:
    return await desk.fk.post("/v1/cases", json=desk.particulars(personId=opened["personId"]))


async def closed(desk: Any, at: str) -> None:
    answer = await desk.fk.post(f"{at}/closing", json={"outcome": "OTHER"})
    assert answer.status_code == 201, answer.text


async def open_cases(desk: Any, opened: dict[str, Any]) -> list[str]:
    found = (await desk.fk.post("/v1/people/search", json={"personId": opened["personId"]})).json()["cases"]
    return [c["caseId"] for c in found if c["status"] == "OPEN"]


@pytest.mark.parametrize("over", [False, True])
async def test_a_case_is_not_opened_again_once_the_person_has_another(desk: Any, over: bool) -> None:
    first = await desk.opened()
    await closed(desk, first["at"])
    assert "reopen" in (await desk.read(first["at"]))["_links"]
    second = (await again(desk, first)).json()["caseId"]
    assert second != first["caseId"]
    if over:
        await closed(desk, f"/v1/cases/{second}")
    assert "reopen" not in (await desk.read(first["at"]))["_links"]
    before = await desk.facts()
    answer = await desk.fk.post(f"{first['at']}/reopening", json={"reason": "CLOSED_IN_ERROR"})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/followed-by-another-case")
    assert await desk.facts() == before
    assert await open_cases(desk, first) == ([] if over else [second])


async def test_of_opening_again_and_opening_another_at_once_one_comes_about(desk: Any) -> None:
    for _ in range(8):
        first = await desk.opened()
        await closed(desk, first["at"])
        reopening = desk.fk.post(f"{first['at']}/reopening", json={"reason": "RELAPSE"})
        answers = await asyncio.gather(reopening, again(desk, first))
        assert {a.status_code for a in answers} <= {200, 201, 409}
        assert len(await open_cases(desk, first)) == 1
