"""Whoever writes reads what was written: at once in the same service, and in the other with the position that came
with the answer. Nothing here waits or tries twice."""

from typing import Any

import httpx
from tests.journeys.house import House

from samordna.personas import EMPLOYER_B

COMMANDS = 50


async def test_fifty_commands_are_each_seen_by_the_next_read_here_and_in_the_other_service(house: House) -> None:
    cases: dict[str, dict[str, Any]] = {}
    for n in range(COMMANDS // 2):
        path, body = house.employment(workplace=f"Lager {n}")
        cases[path] = body
        written = await house.done("fk-handler", "PUT", "plan", path, json=body)
        seen = await house.read("fk-handler", "plan", path)
        assert (seen["workplace"], seen["planStatus"]) == (f"Lager {n}", "NOT_DUE")
        assert await deadlines(house, body["caseId"], written) == {"EMPLOYER_PLAN"}

        written = await house.done("fk-handler", "POST", "plan", f"{path}/plan-requests", json={})
        seen = await house.read("hr-a", "plan", path)
        assert seen["request"] == written.json()
        assert await deadlines(house, body["caseId"], written) == {"EMPLOYER_PLAN", "REQUESTED_PLAN"}
    assert len(cases) * 2 == COMMANDS


async def deadlines(house: House, case: str, after: httpx.Response) -> set[str]:
    """The kinds of a case's deadlines, read in notification-service after what that answer wrote in plan-service."""
    position = {"Read-After": after.headers["Samordna-Position"]}
    items = (await house.read("fk-handler", "notification", f"/v1/cases/{case}/deadlines", headers=position))["items"]
    return {deadline["kind"] for deadline in items}


async def test_a_position_of_notification_service_is_covered_in_plan_service(house: House) -> None:
    path, _ = await house.registered()
    for n in range(5):
        contact = {"channels": ["EMAIL"], "address": f"hr{n}@arbetsgivare.example"}
        party = f"/v1/contacts/employer:{EMPLOYER_B}"
        written = await house.done("fk-handler", "PUT", "notification", party, json=contact)
        position = written.headers["Samordna-Position"]
        await house.read("fk-handler", "plan", path, headers={"Read-After": position})
        heard = (await house.operator.get("plan", "/status"))["listeners"]["notification"]["reacted"]
        assert heard >= int(position.removeprefix("notification:"))
