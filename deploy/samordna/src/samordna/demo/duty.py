"""The first half of the story: two employments, the day-25 reminder, day 31, the request, and employer A's plan."""

from typing import Any
from uuid import uuid4

from samordna.demo.play import Play


async def door(play: Play) -> None:
    """Nobody gets in without a token, with the wrong role, or with a number that is not one."""
    s = play.script
    path = s.path("A")
    none = await play.call(None, "GET", "plan", path)
    play.expect("utan biljett: 401 / without a token: 401", none.status_code == 401, none.text)
    care = await play.call("care-coordinator", "PUT", "plan", path, json=s.employment("A"))
    play.expect("fel roll: 403 / wrong role: 403", care.status_code == 403, care.text)
    wrong = s.employment("A") | {"orgNr": "5560000160"}
    refused = await play.call("fk-handler", "PUT", "plan", path, json=wrong)
    problem = refused.headers["content-type"] == "application/problem+json" and refused.json()["field"] == "orgNr"
    play.expect(
        "felaktigt organisationsnummer: 422 med fältets namn / invalid number: 422 naming the field",
        refused.status_code == 422 and problem,
        refused.text,
    )
    play.expect("numret upprepas inte / the number is not repeated", "5560000160" not in refused.text, refused.text)
    unknown = await play.call("fk-handler", "GET", "plan", path)
    play.expect("inget är lagrat / nothing was stored", unknown.status_code == 404, unknown.text)


async def registered(play: Play) -> None:
    s = play.script
    for which, hr in (("A", "hr-a"), ("B", "hr-b")):
        done = await play.call("fk-handler", "PUT", "plan", s.path(which), json=s.employment(which))
        play.need(
            f"anställning {which} registrerad / employment {which} registered", done.status_code == 201, done.text
        )
        body = s.told[f"contact{which}"]
        ref = f"/v1/contacts/employer:{s.told[f'employment{which}']['orgNr']}"
        contact = await play.call(hr, "PUT", "notification", ref, json=body)
        play.need(
            f"arbetsgivare {which} säger var den nås / says where it is reached", contact.is_success, contact.text
        )
    before = await play.head("plan")
    again = await play.call("fk-handler", "PUT", "plan", s.path("A"), json=s.employment("A"))
    play.expect(
        "samma registrering igen ändrar inget / the same again changes nothing",
        again.status_code == 200 and await play.head("plan") == before,
        again.text,
    )
    seen = await play.read("fk-handler", "plan", s.path("A"))
    play.expect("planen behövs inte än / no plan is due yet", seen["planStatus"] == "NOT_DUE", seen)
    other = await play.call("hr-b", "GET", "plan", s.path("A"))
    never = await play.call("hr-b", "GET", "plan", "/v1/employments/0195a1c2-7b1e-7c1a-9d3e-2f6f8f1f7aff")
    play.expect(
        "B ser inte A:s anställning, inte ens att den finns / B cannot tell A's employment from none",
        (other.status_code, other.json()) == (404, never.json()),
        other.text,
    )


async def day_25(play: Play) -> None:
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
            "60 dagar" in text and "120" not in text and play.script.told[f"employment{which}"]["orgNr"] not in text,
            text,
        )
    inbox = (await play.read("hr-a", "notification", "/v1/messages"))["items"]
    play.expect("samma i portalens inkorg / the same in the portal's inbox", len(inbox) == 1, inbox)


async def day_31(play: Play) -> None:
    await play.until(play.day(31))
    for which in ("A", "B"):
        seen = await play.read("fk-handler", "plan", play.script.path(which))
        play.expect(f"{which}: ingen plan känd / no plan known", seen["planStatus"] == "NOT_KNOWN", seen)
        tasks = await play.tasks("fk-handler", which, "REQUEST_PLAN")
        play.expect(f"{which}: uppgift till handläggaren / a task for the handler", len(tasks) == 1, tasks)
    happened = [h["event"] for h in await play.timeline("A")]
    play.expect("ingen försummelse noterad / no breach noted", "DeadlineEscalated" not in happened, happened)


async def requested(play: Play) -> None:
    for which in ("A", "B"):
        path = f"{play.script.path(which)}/plan-requests"
        asked = await play.call("fk-handler", "POST", "plan", path, json={})
        right = asked.status_code == 201 and asked.json()["due"] == str(play.day(45))
        play.need(f"FK begär {which}:s plan inom 14 dagar / asks for the plan in 14 days", right, asked.text)
        position = asked.headers["Samordna-Position"]
        tasks = await play.call("fk-handler", "GET", "notification", "/v1/tasks", headers={"Read-After": position})
        left = [t for t in tasks.json()["items"] if t["caseId"] == play.script.case(which)]
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
    """Employer A uploads its PDF and hands in the plan, twice with the same key, as HR systems do."""
    await play.until(play.day(37))
    s, path = play.script, play.script.path("A")
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
    await play.until(play.day(39))
    path = play.script.path("A")
    plan_path = f"{path}/plans/{play.notes['plan']}"
    seen = await play.call("fk-handler", "GET", "plan", path)
    body: dict[str, Any] = {"version": 1}
    stale = await play.call(
        "fk-handler", "POST", "plan", f"{plan_path}/assessments", json=body, headers={"If-Match": '"1"'}
    )
    play.expect("läst för länge sedan: 412 / read too long ago: 412", stale.status_code == 412, stale.text)
    match = {"If-Match": seen.headers["ETag"]}
    done = await play.call("fk-handler", "POST", "plan", f"{plan_path}/assessments", json=body, headers=match)
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
    tasks = await play.tasks("fk-handler", "A", "ASSESS_PLAN")
    play.expect("uppgiften att bedöma är löst / the task to assess is settled", tasks == [], tasks)
