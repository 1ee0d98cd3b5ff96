"""Employer B stays silent: it is reminded, the plan is noted as not received, and the matter climbs."""

from datetime import timedelta

from samordna.demo.play import Play


async def reminded(play: Play) -> None:
    """Days +15 and +22 after the request: employer B is reminded, and A, whose plan came, is not."""
    await play.until(play.day(31) + timedelta(days=15))
    await play.until(play.day(31) + timedelta(days=22))
    days = [m["day"] - play.day(31) for m in (await play.mail("B"))[1:]]
    play.expect("B påminns dag +15 och +22 / B is reminded on +15 and +22", [d.days for d in days] == [15, 22], days)
    about_plan = [h for h in await play.timeline("A") if h["event"] == "ReminderSent" and h["kind"] == "REQUESTED_PLAN"]
    play.expect("A påminns inte om planen / A is not reminded of the plan", about_plan == [], about_plan)
    b = await play.read("hr-b", "plan", play.path("B"))
    play.expect("B ser vad som begärts / B sees what is asked", b["planStatus"] == "REQUESTED", b)


async def not_received(play: Play) -> None:
    """Day +29, and not before: the plan counts as not received, and the handler is to ask why and assess a tip."""
    due = play.day(31) + timedelta(days=29)
    await play.until(due - timedelta(days=1))
    early = await play.read("fk-handler", "plan", play.path("B"))
    play.expect("dag +28: fortfarande begärd / still requested", early["planStatus"] == "REQUESTED", early)
    await play.until(due)
    late = await play.read("fk-handler", "plan", play.path("B"))
    play.need("dag +29: inte mottagen / not received", late["planStatus"] == "NOT_RECEIVED", late)
    happened = await play.timeline("B")
    up = [h for h in happened if h["event"] == "DeadlineEscalated" and h["kind"] == "REQUESTED_PLAN"]
    play.expect("ärendet stiger till handläggaren / the matter goes to the handler",
                [h["who"] for h in up] == ["fk.handler"], up)  # fmt: skip
    tasks = await play.tasks("fk-handler", "B", "ASSESS_TIP")
    play.expect(
        "uppgift: fråga arbetsgivaren, bedöm tips / task: ask the employer, assess a tip", len(tasks) == 1, tasks
    )
    a = await play.read("fk-handler", "plan", play.path("A"))
    play.expect("A är orörd / A is untouched", a["planStatus"] == "ASSESSED", a)


async def climbs(play: Play) -> None:
    """The handler lets the task lie: after 7 days the unit manager sees it, after 14 the collaboration lead. What
    employer A promised at the meeting has come to the handler meanwhile, until A ticks it off."""
    due = play.day(31) + timedelta(days=29 + 6)
    await play.until(due + timedelta(days=6))
    play.expect("sex dagar efter: enhetschefen vet inget än / the manager is not told yet",
                await play.tasks("fk-manager", "B", "ASSESS_TIP") == [])  # fmt: skip
    await play.until(due + timedelta(days=7))
    play.expect("+7: enhetschefen / the unit manager", len(await play.tasks("fk-manager", "B", "ASSESS_TIP")) == 1)
    promised = await play.tasks("fk-handler", "A", "AGREEMENT")
    play.expect("A:s löfte från mötet har stigit / A's promise has climbed", len(promised) == 1, promised)
    own = await play.tasks("hr-a", "A", "AGREEMENT")
    play.need("A ser det som sin uppgift / A sees it as its task", len(own) == 1, own)
    done = await play.call("hr-a", "POST", "notification", f"/v1/tasks/{own[0]['deadlineId']}/done")
    left = [await play.tasks(who, "A", "AGREEMENT") for who in ("hr-a", "fk-handler")]
    play.expect("A bockar av det, för alla / A ticks it off, for all", done.is_success and left == [[], []], left)
    await play.until(due + timedelta(days=14))
    play.expect(
        "+14: samverkansansvarig / the collaboration lead", len(await play.tasks("fk-lead", "B", "ASSESS_TIP")) == 1
    )
    task = (await play.tasks("fk-handler", "B", "ASSESS_TIP"))[0]
    done = await play.call("fk-handler", "POST", "notification", f"/v1/tasks/{task['deadlineId']}/done")
    play.expect("handläggaren bockar av / the handler ticks it off", done.is_success, done.text)
    left = [await play.tasks(who, "B", "ASSESS_TIP") for who in ("fk-handler", "fk-manager", "fk-lead")]
    play.expect("och den är borta för alla / and it is gone for all", left == [[], [], []], left)
