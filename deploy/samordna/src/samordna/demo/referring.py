"""Arbetsförmedlingen takes part in case A, under consent; in case B consent is withdrawn before anything is sent."""

import asyncio

from samordna.demo.opening import consented
from samordna.demo.play import Play, problem


async def referred(play: Play) -> None:
    """Day 60: no referral without the person's consent; with it, AF gets what it needs to know and an answer is due."""
    path, body = f"{play.at('A')}/referrals", play.script.told["referral"]
    refused = await play.call("fk-handler", "POST", "case", path, json=body)
    play.expect(
        "utan medgivande: 409 consent-missing / without consent", problem(refused) == (409, "consent-missing"), refused
    )
    await consented(play, "person-a", "A", "AF", purpose="JOINT_ASSESSMENT")
    done = await play.call("fk-handler", "POST", "case", path, json=body)
    play.need("remissen sänd till AF / the referral is sent to AF", done.status_code == 201, done.text)
    play.notes["referral"] = done.json()["referralId"]
    items = (await play.get_past("af-officer", "case", "/v1/referrals", done))["items"]
    play.expect("AF ser den / AF sees it", [r["referralId"] for r in items] == [play.notes["referral"]], items)
    whole = await play.read("af-officer", "case", f"/v1/referrals/{play.notes['referral']}")
    play.expect("AF vet vem det gäller / AF knows whom it is about", whole["personId"] == play.script.person_id("A"))
    care = await play.call("care-coordinator", "GET", "case", f"/v1/referrals/{play.notes['referral']}")
    play.expect("vården ser den inte / health care does not see it", care.status_code in (403, 404), care.text)
    await play.operator.level()
    due = await play.deadlines("A", "ANSWER_REFERRAL")
    play.expect("AF ska svara inom 14 dagar / AF is to answer in 14 days",
                [d["dueAt"][:10] for d in due] == [str(play.day(74))], due)  # fmt: skip


async def withdrawn(play: Play) -> None:
    """The need in case B is decided and consent given, but withdrawn before FK sends: the guard stops the referral, and
    nothing is written. Sent and withdrawn at the same time, the log knows which came first: no referral is later."""
    path, body = f"{play.at('B')}/referrals", play.script.told["referral"]
    consent = await consented(play, "person-b", "B", "AF", purpose="JOINT_ASSESSMENT")
    taken_back = await play.call("person-b", "POST", "case", f"/v1/consents/{consent}/withdrawal", json={})
    play.expect("B tar tillbaka sitt medgivande / B withdraws", taken_back.status_code == 202, taken_back.text)
    before = await play.head("case")
    stopped = await play.call("fk-handler", "POST", "case", path, json=body)
    play.expect(
        "remissen stoppas: 409 consent-missing / the referral is stopped",
        problem(stopped) == (409, "consent-missing"),
        stopped.text,
    )
    play.expect("och inget är skrivet / and nothing is written", await play.head("case") == before)
    await consented(play, "person-b", "B", "AF", purpose="JOINT_ASSESSMENT")
    sent, taken_back = await asyncio.gather(
        play.call("fk-handler", "POST", "case", path, json=body),
        play.call("person-b", "POST", "case", f"/v1/consents/{consent}/withdrawal", json={}),
    )
    at = [int(a.headers.get("Samordna-Position", "case:0").split(":")[1]) for a in (sent, taken_back)]
    play.expect(
        "samtidigt: sänd före återtagandet eller inte alls / at once: sent before the withdrawal or not at all",
        taken_back.status_code == 202 and (problem(sent) == (409, "consent-missing") or 0 < at[0] < at[1]),
        (sent.text, at),
    )
    seen = (await play.get_past("af-officer", "case", "/v1/referrals", taken_back))["items"]
    play.expect("AF ser inget av B / AF sees nothing of B", [r["caseId"] for r in seen] == [play.ids["A"].case], seen)
    await play.operator.level()
    tasks = await play.tasks("fk-handler", "B", "END_COOPERATION")
    play.expect("uppgift: säg att samarbetet är slut / task: say that cooperation has ended", len(tasks) == 2, tasks)
    for task in tasks:
        done = await play.call("fk-handler", "POST", "notification", f"/v1/tasks/{task['deadlineId']}/done")
        play.expect("gjort / done", done.is_success, done.text)


async def assessed_together(play: Play) -> None:
    """Day 66: AF accepts, and FK and AF come to a joint assessment, never before AF's yes nor without consent to the
    register."""
    await play.until(play.day(66))
    path = f"{play.at('A')}/joint-assessments"
    body = play.script.told["assessment"] | {"referralId": play.notes["referral"]}
    early = await play.call("af-officer", "POST", "meeting", path, json=body)
    play.expect(
        "före AF:s ja: 409 assessment-before-referral / before AF's yes",
        problem(early) == (409, "assessment-before-referral"),
        early.text,
    )
    yes = await play.call(
        "af-officer", "POST", "case", f"/v1/referrals/{play.notes['referral']}/acceptance",
        json={"officerRef": "officer-1"},
    )  # fmt: skip
    play.need("AF tar emot remissen / AF accepts the referral", yes.status_code == 201, yes.text)
    unregistered = await play.call("af-officer", "POST", "meeting", path, json=body)
    play.expect(
        "utan medgivande till registret: 409 / without consent to the register: 409",
        problem(unregistered) == (409, "consent-missing"),
        unregistered.text,
    )
    await consented(play, "person-a", "A", "SUS_REG", purpose="REGISTRATION")
    await play.operator.level()
    due = await play.deadlines("A", "JOINT_ASSESSMENT")
    play.expect("gemensam kartläggning inom 28 dagar / joint assessment in 28 days",
                [(d["status"], d["dueAt"][:10]) for d in due] == [("OPEN", str(play.day(94)))], due)  # fmt: skip
    done = await play.call("af-officer", "POST", "meeting", path, json=body)
    play.need("gemensam kartläggning hållen / joint assessment held", done.status_code == 201, done.text)
    await play.operator.level()
    met = [d["status"] for kind in ("ANSWER_REFERRAL", "JOINT_ASSESSMENT") for d in await play.deadlines("A", kind)]
    play.expect("båda fristerna är mötta / both deadlines are met", met == ["MET", "MET"], met)
