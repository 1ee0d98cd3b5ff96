"""The middle of the story: plan-service is killed, the broker loses its store, a read model is rebuilt under load."""

import asyncio
from typing import Any

from chassis.clock import hashed_id
from samordna.demo.play import Play

CROWD = 40
"""Employments that are registered while the read model is being rebuilt."""


def short_leave(play: Play, n: int) -> tuple[str, dict[str, Any]]:
    """Path and body of an employment whose sick leave is too short for a plan to be owed."""
    ids = {k: str(hashed_id("demo", k, str(n))) for k in ("employment", "caseId", "personRef")}
    told = play.script.told["caseA"]
    body = told["employments"][0] | {"spellStart": told["spellStart"], "expectedDays": 20}
    return f"/v1/employments/{ids['employment']}", body | {"caseId": ids["caseId"], "personRef": ids["personRef"]}


async def plan_killed(play: Play) -> None:
    """plan-service dies without warning; what it had acknowledged is all there when it is back."""
    path = play.path("A")
    before = await play.read("fk-handler", "plan", path)
    await play.kill("plan")
    await play.stack.start("plan")
    after = await play.read("fk-handler", "plan", path)
    play.expect(
        "igång igen: allt som var bekräftat finns kvar / back again: all that was acknowledged is there",
        after == before,
        after,
    )


async def store_lost(play: Play) -> None:
    """The broker dies and its store is deleted. Commands are acknowledged all the same; when it is back the streams are
    filled again from the logs, and everybody has heard everything once."""
    await play.operator.level()
    heads = {name: await play.head(name) for name in play.stack.members}
    await play.stack.kill("nats")
    play.stack.nats.wipe()
    path, body = short_leave(play, -1)
    done = await play.call("fk-handler", "PUT", "plan", path, json=body)
    play.expect(
        "mäklaren är borta och dess lager raderat: kommandot tas ändå / broker gone, store deleted: still acknowledged",
        done.status_code == 201,
        done.text,
    )
    await play.stack.start("nats")
    level = (await play.operator.level())["services"]
    refilled = all(level[n]["published"] == level[n]["head"] >= heads[n] for n in heads)
    play.expect("strömmarna fylls igen ur loggarna / the streams are filled again from the logs", refilled, level)
    heard = level["notification"]["listeners"]["plan"]["heard"]
    play.expect("och allt är hört, en gång / and everything is heard, once", heard == heads["plan"] + 1, level)
    letters = [(await play.operator.get(n, "/ops/dead-letters"))["items"] for n in heads]
    play.expect("inget undanlagt / nothing set aside", not any(letters), letters)


async def rebuilt(play: Play) -> None:
    """Promise 5: rebuilding while the service writes gives the same rows."""

    async def register(n: int) -> int:
        path, body = short_leave(play, n)
        return (await play.call("fk-handler", "PUT", "plan", path, json=body)).status_code

    rebuilding = asyncio.create_task(play.operator.post("plan", "/ops/rebuild/employments"))
    answers = await asyncio.gather(*(register(n) for n in range(CROWD)))
    first = await rebuilding
    play.expect(
        f"{CROWD} kommandon under ombyggnaden, alla tagna / all taken during the rebuild",
        set(answers) == {201},
        answers,
    )
    play.expect("läsmodellen byggdes om / the read model was rebuilt", first["folded"] > 0, first)
    await play.operator.level()
    followed = (await play.operator.get("plan", "/ops/views/employments/digest"))["digest"]
    anew = (await play.operator.post("plan", "/ops/rebuild/employments"))["digest"]
    play.expect("rad för rad lika en ombyggnad i lugn och ro / equal to a rebuild at rest", followed == anew)
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = await play.read("fk-handler", "plan", f"/v1/employments?limit=7{cursor and '&after=' + cursor}")
        seen += [e["employmentId"] for e in page["items"]]
        cursor = page["next"]
    play.expect("sida för sida: var och en exakt en gång / page by page: each exactly once",
                len(seen) == len(set(seen)) == CROWD + 3, len(seen))  # fmt: skip
