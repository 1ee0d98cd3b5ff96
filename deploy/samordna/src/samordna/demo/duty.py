"""The employers' duty: the day-25 reminder, day 31, the request, and employer A's plan."""

from typing import Any
from uuid import uuid4

from samordna.demo.play import Play


async def day_25(play: Play) -> None:
    """At nine on day 25, and not before, both employers are reminded of the duty, in words that tell of nobody."""
    await play.until(play.day(25), hour=8)
    play.expect("före kl. 9: ingen post / before nine: no mail", not await play.operator.mail())
    await play.until(play.day(25))
    for which in ("A", "B"):
        mail = await play.mail(which)
        play.need(
            f"påminnelse till {which} på dag 25 / reminder to {which} on day 25",
            [m["day"] for m in mail] == [play.day(25)],
            mail,
        )
        text = mail[0]["text"]
        play.expect(
            "i allmänna ord: ingen prognos, inget namn / in general words: no prognosis, nobody named",
            "60 dagar" in text and "120" not in text and play.script.person_id(which)[2:8] not in text,
            text,
        )
    inbox = (await play.read("hr-a", "notification", "/v1/messages"))["items"]
    play.expect("samma i portalens inkorg / the same in the portal's inbox", len(inbox) == 1, inbox)


async def day_31(play: Play) -> None:
    """On day 31 the handler gets a task, and nothing says that an employer has done wrong. The case notes day 30."""
    await play.until(play.day(31))
    for which in ("A", "B"):
        seen = await play.read("fk-handler", "plan", play.path(which))
        play.expect(f"{which}: ingen plan känd / no plan known", seen["planStatus"] == "NOT_KNOWN", seen)
        tasks = await play.tasks("fk-handler", which, "REQUEST_PLAN")
        play.expect(f"{which}: uppgift till handläggaren / a task for the handler", len(tasks) == 1, tasks)
    happened = [h["event"] for h in await play.timeline("A")]
    play.expect("ingen försummelse noterad / no breach noted", "DeadlineEscalated" not in happened, happened)
    case = await play.read("fk-handler", "case", play.at("A"))
    play.expect("dag 30 är noterad i fallet / day 30 is noted in the case", "SPELL:30" in case["milestones"], case)


async def requested(play: Play) -> None:
    """FK asks for both plans; the tasks are settled for whoever reads after the request, and asking twice is once."""
    for which in ("A", "B"):
        path = f"{play.path(which)}/plan-requests"
        asked = await play.call("fk-handler", "POST", "plan", path, json={})
        right = asked.status_code == 201 and asked.json()["due"] == str(play.day(45))
        play.need(f"FK begär {which}:s plan inom 14 dagar / asks for the plan in 14 days", right, asked.text)
        position = asked.headers["Samordna-Position"]
        tasks = await play.call("fk-handler", "GET", "notification", "/v1/tasks", headers={"Read-After": position})
        left = [t for t in tasks.json()["items"] if t["caseId"] == play.ids[which].case]
        play.expect(
            f"{which}: uppgiften är löst, läst efter svarets position / task settled, read after the position",
            [t for t in left if t["kind"] == "REQUEST_PLAN"] == [],
            left,
        )
        again = await play.call("fk-handler", "POST", "plan", path, json={})
        same = again.json().get("requestId") == asked.json()["requestId"]
        play.expect(
            "begäran två gånger är en / asking twice is asking once", again.status_code == 200 and same, again.text
        )


async def plan_a(play: Play) -> None:
    """Employer A finds the employment by number, uploads its PDF and hands in the plan, twice with the same key, as HR
    systems do."""
    await play.until(play.day(37))
    s = play.script
    asked = {"personId": s.person_id("A"), "orgNr": "5560000167"}
    found = await play.call("hr-a", "POST", "plan", "/v1/employments/search", json=asked)
    play.need(
        "A finner anställningen på personnummer och orgnr / A finds the employment by both numbers",
        found.status_code == 200 and found.json()["employmentId"] == play.ids["A"].employment,
        found.text,
    )
    stranger = await play.call("hr-b", "POST", "plan", "/v1/employments/search", json=asked)
    play.expect("B finner den inte / B does not find it", stranger.status_code == 404, stranger.text)
    path = found.json()["_links"]["self"]["href"]
    pdf = {"Content-Type": "application/pdf"}
    file = await play.call("hr-a", "POST", "plan", f"{path}/documents", content=s.plan_file, headers=pdf)
    play.need(
        "A laddar upp sin PDF / A uploads its PDF", file.status_code == 201 and file.json()["pages"] == 2, file.text
    )
    body = s.told["planA"] | {"documentRef": file.json()["documentRef"]}
    key = {"Idempotency-Key": str(uuid4())}
    first = await play.call("hr-a", "POST", "plan", f"{path}/plans", json=body, headers=key)
    play.need("A lämnar sin plan / A hands in its plan", first.status_code == 201, first.text)
    before = await play.head("plan")
    again = await play.call("hr-a", "POST", "plan", f"{path}/plans", json=body, headers=key)
    play.expect(
        "samma nyckel: samma svar / the same key: the same answer",
        (again.status_code, again.json()) == (201, first.json()),
        again.text,
    )
    other = await play.call("hr-a", "POST", "plan", f"{path}/plans", json=body | {"channel": "API"}, headers=key)
    play.expect("samma nyckel, annat innehåll: 422 / same key, other body: 422", other.status_code == 422, other.text)
    new_key = {"Idempotency-Key": str(uuid4())}
    file_again = await play.call("hr-a", "POST", "plan", f"{path}/plans", json=body, headers=new_key)
    same = file_again.json().get("planId") == first.json()["planId"]
    play.expect("samma fil: samma plan / the same file: the same plan", file_again.status_code == 200 and same)
    play.expect("inget nytt i loggen / nothing new in the log", await play.head("plan") == before)
    play.notes["plan"] = first.json()["planId"]
    back = await play.call("hr-a", "GET", "plan", f"{path}/documents/{body['documentRef']}")
    play.expect("filen kommer tillbaka oförändrad / the file comes back unchanged", back.content == s.plan_file)


async def assessed(play: Play) -> None:
    """The handler gives the task to a specialist, who assesses the version that was read; the employer sees the
    assessment, but not FK's day counts."""
    await play.until(play.day(39))
    path = play.path("A")
    plan_path = f"{path}/plans/{play.notes['plan']}"
    await _delegated(play)
    seen = await play.call("fk-specialist", "GET", "plan", path)
    body: dict[str, Any] = {"version": 1}
    stale = await play.call(
        "fk-specialist", "POST", "plan", f"{plan_path}/assessments", json=body, headers={"If-Match": '"1"'}
    )
    play.expect("läst för länge sedan: 412 / read too long ago: 412", stale.status_code == 412, stale.text)
    match = {"If-Match": seen.headers["ETag"]}
    done = await play.call("fk-specialist", "POST", "plan", f"{plan_path}/assessments", json=body, headers=match)
    judged = done.json()
    play.need(
        "FK bedömer planen: 6 poäng, GOOD / assessed: 6 points, GOOD",
        done.status_code == 201 and (judged["score"], judged["quality"]) == (6, "GOOD"),
        done.text,
    )
    shown = await play.read("hr-a", "plan", path)
    play.expect("A ser bedömningen / A sees the assessment", shown["planStatus"] == "ASSESSED", shown)
    play.expect("men inte FK:s dagar / but not FK's day counts", "spellDay" not in shown, shown)
    await play.operator.level()
    tasks = [await play.tasks(who, "A", "ASSESS_PLAN") for who in ("fk-handler", "fk-specialist")]
    play.expect("uppgiften att bedöma är löst / the task to assess is settled", tasks == [[], []], tasks)


async def _delegated(play: Play) -> None:
    """The handler gives the task to a specialist, who sees it then."""
    task = (await play.tasks("fk-handler", "A", "ASSESS_PLAN"))[0]
    given = f"/v1/tasks/{task['deadlineId']}/delegations"
    done = await play.call("fk-handler", "POST", "notification", given, json={"to": "fk.specialist"})
    theirs = await play.tasks("fk-specialist", "A", "ASSESS_PLAN")
    play.expect("handläggaren ger uppgiften till specialisten / the handler gives the task to the specialist",
                done.is_success and len(theirs) == 1, done.text)  # fmt: skip
