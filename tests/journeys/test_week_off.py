"""notification-service is off for a week. What fell due then fires once, in order, with its true date; what was met in
time is left in peace; and exactly those are written to who would have been."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from stdnum import luhn
from tests.journeys.house import PLAN, House, house_open

SWEDEN = ZoneInfo("Europe/Stockholm")
FIRED = ("DeadlineMissed", "ReminderDue", "TimerElapsed")
Told = tuple[str, str, str, int]
"""Event, who, kind (of a reminder: its channel), and the day of March 2026 it truly belongs to."""


def noon(day: int) -> datetime:
    """Noon in Sweden on a day of March 2026."""
    return datetime(2026, 3, day, 12, tzinfo=SWEDEN)


@pytest.fixture(scope="module")
async def house(pytestconfig: pytest.Config) -> AsyncIterator[House]:
    async with house_open(pytestconfig.rootpath, "week", noon(9).astimezone(UTC)) as house:
        yield house


@pytest.fixture(scope="module")
async def cases(house: House) -> Mapping[str, str]:
    """Five cases, by name, after a week (9 to 16 March) in which notification-service heard and did nothing.

    prompt: asked for its plan by the 12th; it came on the 11th. late: by the 11th; it came on the 14th. silent: by the
    12th; it never comes. day_25, day_31: those days of the sick leave fall into the week."""
    began = date(2026, 2, 2)
    prompt, prompt_case = await new_case(house, "prompt", 1, began, asked_by=12)
    late, late_case = await new_case(house, "late", 2, began, asked_by=11)
    _, silent_case = await new_case(house, "silent", 3, began, asked_by=12)
    _, day_25_case = await new_case(house, "day_25", 4, date(2026, 2, 17))
    _, day_31_case = await new_case(house, "day_31", 5, date(2026, 2, 10))
    await house.operator.level()
    await house.stack.stop("notification")
    for day, employment in ((11, prompt), (14, late), (16, None)):
        await house.operator.move_clock({"to": noon(day).isoformat(), "without": ["notification"]})
        if employment is not None:
            await house.done("fk-handler", "POST", "plan", f"{employment}/plans", json=PLAN | {"channel": "PHONE"})
    await house.stack.start("notification")
    await house.operator.level()
    return {prompt_case: "prompt", late_case: "late", silent_case: "silent", day_25_case: "day_25",
            day_31_case: "day_31"}  # fmt: skip


async def new_case(
    house: House, who: str, number: int, spell_start: date, asked_by: int | None = None
) -> tuple[str, str]:
    """An employment at an employer of its own, who can be written to; its path and its case."""
    digits = f"556000{number:03d}"
    org_nr = digits + luhn.calc_check_digit(digits)
    contact = {"channels": ["EMAIL"], "address": f"{who}@arbetsgivare.example"}
    await house.done("fk-handler", "PUT", "notification", f"/v1/contacts/employer:{org_nr}", json=contact)
    path, body = await house.registered(orgNr=org_nr, spellStart=str(spell_start))
    if asked_by is not None:
        due = {"due": f"2026-03-{asked_by}"}
        await house.done("fk-handler", "POST", "plan", f"{path}/plan-requests", json=due)
    return path, body["caseId"]


async def told(house: House, cases: Mapping[str, str], *names: str) -> list[Told]:
    """These events of notification-service's log, in its order."""
    rows = await house.stack.postgres.execute(
        "select type, stream_id, data from events where type = any($1) order by position", list(names),
        database="notification",
    )  # fmt: skip
    return [_told(type, cases[stream.removeprefix("agenda-")], json.loads(data)) for type, stream, data in rows]


def _told(event: str, who: str, fact: Mapping[str, Any]) -> Told:
    due = datetime.fromisoformat(fact["dueAt"]).astimezone(SWEDEN)
    assert (due.year, due.month) == (2026, 3)
    return event, who, fact.get("kind") or fact["channel"], due.day


async def letters(house: House) -> Counter[tuple[str, int]]:
    """To whom an e-mail went, and on which day it reached them."""
    mail = await house.operator.mail()
    return Counter((m["to"][0].partition("@")[0], datetime.fromisoformat(m["at"]).day) for m in mail)


def in_order(fired: list[Told]) -> bool:
    """Are those of one sort told in the order of their true days?"""
    days = {name: [day for event, _, _, day in fired if event == name] for name in FIRED}
    return all(found == sorted(found) for found in days.values())


BEFORE: list[Told] = [("ReminderDue", "day_31", "PORTAL", 9), ("ReminderDue", "day_31", "EMAIL", 9)]
"""Day 25 of that sick leave had passed when it was registered: its reminder is due at once."""

IN_THE_WEEK: list[Told] = [
    ("DeadlineMissed", "late", "REQUESTED_PLAN", 11),
    ("DeadlineMissed", "silent", "REQUESTED_PLAN", 12),
    ("ReminderDue", "silent", "EMAIL", 13),
    ("ReminderDue", "day_25", "PORTAL", 13),
    ("ReminderDue", "day_25", "EMAIL", 13),
]

AFTERWARDS: list[Told] = [
    ("DeadlineMissed", "day_31", "REQUEST_PLAN", 19),
    ("ReminderDue", "silent", "EMAIL", 20),
    ("DeadlineMissed", "prompt", "ASSESS_PLAN", 21),
    ("DeadlineMissed", "late", "ASSESS_PLAN", 24),
    ("DeadlineMissed", "day_25", "REQUEST_PLAN", 26),
    ("TimerElapsed", "silent", "EMPLOYER_PLAN_NOT_RECEIVED", 27),
]


async def test_each_deadline_of_the_week_fires_once_in_order_with_its_true_date(
    house: House, cases: Mapping[str, str]
) -> None:
    fired = await told(house, cases, *FIRED)
    assert Counter(fired) == Counter(BEFORE + IN_THE_WEEK)
    assert in_order(fired)


async def test_what_the_week_would_have_set_is_set_from_its_own_day_and_not_from_today(
    house: House, cases: Mapping[str, str]
) -> None:
    """A handler's task of day 31 that was set before, between registration and request, is due on the 16th."""
    found = await told(house, cases, "DeadlineSet")
    set_later = [(who, kind, day) for _, who, kind, day in found if day > 16]
    assert [one for one in set_later if one[1] in ("ASSESS_PLAN", "REQUEST_PLAN")] == [
        ("prompt", "ASSESS_PLAN", 21),  # ten days from the 11th
        ("late", "ASSESS_PLAN", 24),
        ("day_31", "REQUEST_PLAN", 19),  # a week from the 12th
    ]


async def test_a_plan_that_came_in_time_is_met_on_its_day_and_never_called_missing(
    house: House, cases: Mapping[str, str]
) -> None:
    case = next(case for case, who in cases.items() if who == "prompt")
    events = (await house.read("fk-handler", "notification", f"/v1/cases/{case}/timeline"))["items"]
    of_request = [e["event"] for e in events if e["kind"] in ("REQUESTED_PLAN", "requested-plan")]
    assert of_request == ["DeadlineSet", "DeadlineMet"]
    (met,) = await house.stack.postgres.execute(
        "select data from events where type = 'DeadlineMet' and stream_id = $1 and data like $2",
        f"agenda-{case}", b'%"REQUESTED_PLAN"%', database="notification",
    )  # fmt: skip
    assert json.loads(met["data"])["metAt"] == "2026-03-11T11:00:00Z"


async def test_exactly_those_are_written_to_who_are_still_owed_a_letter(house: House, cases: Mapping[str, str]) -> None:
    assert await letters(house) == Counter({("day_31", 9): 1, ("silent", 16): 1, ("day_25", 16): 1})


async def test_and_afterwards_everything_goes_on_as_if_nothing_had_been(house: House, cases: Mapping[str, str]) -> None:
    await house.operator.move_clock({"to": noon(29).isoformat()})
    fired = await told(house, cases, *FIRED)
    assert Counter(fired) == Counter(BEFORE + IN_THE_WEEK + AFTERWARDS)
    assert in_order(fired)
    assert await letters(house) == Counter({("day_31", 9): 1, ("silent", 16): 1, ("day_25", 16): 1, ("silent", 20): 1})
    found = (await house.read("fk-handler", "plan", "/v1/employments?planStatus=NOT_RECEIVED"))["items"]
    assert [cases[e["caseId"]] for e in found] == ["silent"]
    for name in house.names:
        assert (await house.operator.get(name, "/ops/dead-letters"))["items"] == []
