"""What employer A's plan promises: an activity that begins, and one of which nobody has told when its time is out."""

import httpx

from samordna.demo.play import Play, problem


async def tell(play: Play, who: str, activity: int, what: str) -> httpx.Response:
    """`who` tells of A's n-th activity: starts, completions."""
    path = f"{play.path('A')}/plans/{play.notes['plan']}/activities/{play.notes['activities'][activity]}/{what}"
    return await play.call(who, "POST", "plan", path, json={})


async def begun(play: Play) -> None:
    """Day 43: the employer tells that the stepwise return has begun. Of an employment without a plan nobody can."""
    await play.until(play.day(43))
    plan = await play.read("hr-a", "plan", f"{play.path('A')}/plans/{play.notes['plan']}")
    play.notes["activities"] = [p["activityId"] for p in plan["progress"]]
    path = f"{play.path('B')}/plans/{play.notes['plan']}/activities/{play.notes['activities'][0]}/starts"
    early = await play.call("hr-b", "POST", "plan", path, json={})
    play.expect(
        "B: aktivitet före plan: 409 / an activity before the plan: 409", early.status_code == 409, problem(early)
    )
    done = await tell(play, "hr-a", 0, "starts")
    play.need("A: upptrappningen har börjat / the stepwise return has begun", done.status_code == 201, done.text)
    seen = await play.read("fk-handler", "plan", f"{play.path('A')}/plans/{play.notes['plan']}")
    play.expect(
        "FK ser från vilken dag / FK sees since when",
        [p.get("startedOn") for p in seen["progress"]] == [str(play.day(43)), None],
        seen["progress"],
    )


async def activity_missed(play: Play) -> None:
    """The second activity ended on day 40. Seven days later it counts as missed and the employer is reminded; when it
    tells that it is done after all, nothing waits any more."""
    plan = await play.read("fk-handler", "plan", f"{play.path('A')}/plans/{play.notes['plan']}")
    play.need(
        "A: packbordet räknas som missat dag 47 / the desk counts as missed on day 47",
        [p.get("missedOn") for p in plan["progress"]] == [None, str(play.day(47))],
        plan["progress"],
    )
    days = [m["day"] for m in await play.mail("A")]
    play.expect("och A påminns samma dag / and A is reminded the same day", days.count(play.day(47)) == 1, days)
    asked = await play.deadlines("A", "ACTIVITY_NOT_TOLD", who="hr-a")
    play.expect("A ser vad FK väntar på / A sees what FK waits for", [d["status"] for d in asked] == ["OPEN"], asked)
    done = await tell(play, "hr-a", 1, "completions")
    play.expect("A: packbordet är på plats / the desk is there", done.status_code == 201, done.text)
    await play.operator.level()
    left = await play.deadlines("A", "ACTIVITY_NOT_TOLD", who="hr-a")
    play.expect("inget mer att vänta på / nothing more to wait for", [d["status"] for d in left] == ["MET"], left)
