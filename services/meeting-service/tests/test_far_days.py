"""A day or a moment from which nothing can be counted is refused, and nothing is stored."""

from typing import Any

import pytest

PERSON = {"role": "PERSON"}


async def refused(desk: Any, ask: Any, field: str) -> None:
    before = await desk.facts()
    answer = await ask
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-input"), answer.text
    assert answer.json()["field"] == field
    assert await desk.facts() == before


@pytest.mark.parametrize("far", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "2200-01-01T00:00:00Z"])
async def test_a_meeting_at_a_moment_that_has_no_day_in_sweden(desk: Any, far: str) -> None:
    case_id, at = await desk.opened()
    await desk.consented(case_id)
    await refused(desk, desk.fk.post(f"{at}/meetings", json=desk.meeting(startsAt=far)), "startsAt")


@pytest.mark.parametrize("far", ["9999-12-31", "2200-01-01", "1899-12-31"])
async def test_what_is_wished_or_agreed_by_a_day_too_far_off(desk: Any, far: str) -> None:
    _, at = await desk.called()
    wish = {"kind": "STATUS", "purpose": "x", "wishedBy": far}
    await refused(desk, desk.hr.post(f"{at.rpartition('/meetings/')[0]}/meeting-proposals", json=wish), "wishedBy")
    minutes = {"text": "x", "agreements": [{"who": PERSON, "what": "Ringer", "by": far}]}
    await refused(desk, desk.fk.post(f"{at}/minutes", json=minutes), "agreements.0.by")
