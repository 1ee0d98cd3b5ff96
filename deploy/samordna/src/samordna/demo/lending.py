"""A consent that lasts for some days: what rests on it, and what becomes of that when its last day is over."""

from samordna.demo.opening import consented
from samordna.demo.play import Play, problem

EMPLOYER_B = {"role": "EMPLOYER", "orgId": "5560000175"}


async def expired(play: Play) -> None:
    """Person B lets employer B take part until day 54. Under that FK calls a meeting; on the last day employer B still
    sees it, the day after nothing: the consent has expired by itself, the meeting is marked, no other can be called,
    and FK takes it off and is to tell that the cooperation has ended."""
    org_nr, last = EMPLOYER_B["orgId"], str(play.day(54))
    consent = await consented(play, "person-b", "B", "EMP", counterparty=org_nr, purpose="MEETING", validTo=last)
    path, guests = f"{play.at('B')}/meetings", [{"role": "PERSON"}, EMPLOYER_B]
    body = play.script.told["contact"] | {"participants": guests}
    made = await play.call("fk-handler", "POST", "meeting", path, json=body)
    play.need("FK kallar ett möte under det / FK calls a meeting under it", made.status_code == 201, made.text)
    meeting = f"{path}/{made.json()['meetingId']}"
    await play.until(play.day(54))
    still = await play.call("hr-b", "GET", "meeting", meeting)
    play.expect("sista dagen ser B mötet / on the last day B sees the meeting", still.status_code == 200, still.text)
    await play.until(play.day(55))
    given = (await play.read("fk-handler", "case", f"{play.at('B')}/consents"))["items"]
    play.expect(
        "dagen efter har det gått ut av sig självt / the day after it has expired by itself",
        [c["status"] for c in given if c["consentId"] == consent] == ["EXPIRED"],
        given,
    )
    gone = await play.call("hr-b", "GET", "meeting", meeting)
    play.expect("B ser inget mer: 404 / B sees nothing more: 404", gone.status_code == 404, gone.text)
    items = (await play.read("fk-handler", "meeting", path))["items"]
    play.expect("mötet är märkt / the meeting is marked", [m["marked"] for m in items] == [True], items)
    refused = await play.call("fk-handler", "POST", "meeting", path, json=body)
    play.expect(
        "inget nytt utan medgivande: 409 / no other without consent: 409",
        problem(refused) == (409, "consent-missing"),
        refused.text,
    )
    off = await play.call(
        "fk-handler", "POST", "meeting", f"{meeting}/cancellation", json={"reason": "COOPERATION_ENDED"}
    )
    play.expect("FK ställer in det / FK takes it off", off.status_code == 201, off.text)
    tasks = await play.tasks("fk-handler", "B", "END_COOPERATION")
    play.expect("uppgift: säg att samarbetet är slut / task: say that cooperation has ended", len(tasks) == 1, tasks)
    for task in tasks:
        done = await play.call("fk-handler", "POST", "notification", f"/v1/tasks/{task['deadlineId']}/done")
        play.expect("gjort / done", done.is_success, done.text)
