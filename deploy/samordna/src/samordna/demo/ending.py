"""How it ends: Arbetsmiljöverket is told of employer B without a word of any person, and person A is back at work."""

from typing import Any

from samordna.demo.play import Play, problem
from samordna.demo.promises import tell

SOURCES = {"case", "plan", "meeting", "notification"}


async def tipped(play: Play) -> None:
    """The handler tips AV that employer B has no plan. A text with a person's number in it is refused. AV acknowledges
    and tells what it did; it never learns of the sick leave, and what happened in case B tells nothing of the tip."""
    told: dict[str, Any] = play.script.told["tip"]
    about = {"employmentId": play.ids["B"].employment}
    wrong = await play.call("fk-handler", "POST", "plan", "/v1/tips", json=about | {"grounds": ["POOR"]})
    play.expect("en grund som inte syns nekas / a ground not shown is refused",
                problem(wrong) == (409, "ground-not-shown"), wrong.text)  # fmt: skip
    made = await play.call("fk-handler", "POST", "plan", "/v1/tips", json=about | {"grounds": ["NO_PLAN"]})
    play.need("FK föreslår ett tips / FK proposes a tip", made.status_code == 201, made.text)
    tip = f"/v1/tips/{made.json()['tipId']}"
    unsent = await play.call("av-inspector", "GET", "plan", tip)
    play.expect("AV ser det inte än / AV does not see it yet", unsent.status_code == 404, unsent.text)
    text = {k: v for k, v in told.items() if k != "factsWithPerson"} | about
    person = await play.call("fk-handler", "POST", "plan", f"{tip}/sendings",
                             json=text | {"facts": told["factsWithPerson"]})  # fmt: skip
    play.expect(
        "ett tips som nämner någon: 409 tip-contains-a-person / a tip that names somebody",
        problem(person) == (409, "tip-contains-a-person"),
        person.text,
    )
    sent = await play.call("fk-handler", "POST", "plan", f"{tip}/sendings", json=text)
    play.need("tipset är sänt / the tip is sent", sent.status_code == 201, sent.text)
    seen = await play.get_past("av-inspector", "plan", tip, sent)
    ids = [*vars(play.ids["B"]).values(), play.script.person_id("B")]
    play.expect(
        "AV läser det, och ingen person / AV reads it, and no person",
        seen["facts"] == told["facts"] and not [i for i in ids if i in str(seen)],
        seen,
    )
    await play.operator.level()
    waiting = await play.tasks("av-inspector", "", "ACKNOWLEDGE_TIP")
    play.expect("AV har tio arbetsdagar att kvittera / AV has ten working days to acknowledge",
                [t["dueAt"][:10] for t in waiting] == ["2026-06-03"], waiting)  # fmt: skip
    done = await play.call("av-inspector", "POST", "plan", f"{tip}/acknowledgements")
    play.need("AV kvitterar / AV acknowledges", done.status_code == 201, done.text)
    known = await play.get_past("fk-handler", "plan", tip, done)
    play.expect(
        "FK ser det samma dag / FK sees it the same day",
        (known["status"], known["acknowledgedOn"]) == ("ACKNOWLEDGED", str(play.day(80))),
        known,
    )
    done = await play.call("av-inspector", "POST", "plan", f"{tip}/outcomes", json={"outcome": "WRITTEN_ENQUIRY"})
    play.expect("AV frågar arbetsgivaren / AV makes an enquiry", done.status_code == 201, done.text)
    await play.operator.level()
    waiting = await play.tasks("av-inspector", "", "ACKNOWLEDGE_TIP")
    play.expect("AV:s uppgift är löst / AV's task is settled", waiting == [], waiting)
    happened = await play.read("fk-handler", "case", f"{play.at('B')}/timeline?limit=100")
    play.expect("i fall B syns inget tips / nothing of it shows in case B", "Tip" not in str(happened), happened)


async def closed(play: Play) -> None:
    """Day 92: person A is back in ordinary work. FK closes the case: what was open in it is cancelled, the meeting that
    lay ahead too, and nobody can ask for anything more in it."""
    body = play.script.told["followUp"] | {"participants": [{"role": "PERSON"}]}
    ahead = await play.call("fk-handler", "POST", "meeting", f"{play.at('A')}/meetings", json=body)
    play.need("ett uppföljningsmöte är kallat / a follow-up meeting is called", ahead.status_code == 201, ahead.text)
    await play.until(play.day(92))
    last = await tell(play, "hr-a", 0, "completions")
    play.expect("A: upptrappningen är klar / the stepwise return is done", last.status_code == 201, last.text)
    await play.operator.level()
    still = [d for d in await play.deadlines("A") if d["status"] == "OPEN"]
    play.expect("frister är öppna före / deadlines are open before", "AGREEMENT" in {d["kind"] for d in still}, still)
    done = await play.call("fk-handler", "POST", "case", f"{play.at('A')}/closing", json={"outcome": "ORDINARY_WORK"})
    play.need("FK avslutar fall A: åter i arbete / FK closes case A: back at work", done.status_code == 201, done.text)
    await play.operator.level()
    after = {d["deadlineId"]: d["status"] for d in await play.deadlines("A")}
    play.expect(
        "alla öppna frister är avbrutna / every open deadline is cancelled",
        {after[d["deadlineId"]] for d in still} == {"CANCELLED"} and "OPEN" not in after.values(),
        after,
    )
    meetings = (await play.read("fk-handler", "meeting", f"{play.at('A')}/meetings"))["items"]
    play.expect(
        "mötet som låg framför är inställt, det hållna står kvar / the meeting ahead is cancelled, the held one stands",
        [m.get("reason") for m in meetings if m["meetingId"] == ahead.json()["meetingId"]] == ["CASE_CLOSED"]
        and [m["status"] for m in meetings if m["meetingId"] == play.notes["meeting"]] == ["HELD"],
        meetings,
    )
    asked = await play.call("fk-handler", "POST", "plan", f"{play.path('A')}/plan-requests", json={})
    play.expect("ingen plan begärs mer: 409 / no plan is asked for: 409", problem(asked) == (409, "case-ended"))
    case = await play.read("fk-handler", "case", play.at("A"))
    play.expect(
        "fallet är avslutat dag 92, fall B lever / the case is closed on day 92, case B lives",
        (case["status"], case["outcome"], case["spellDay"]) == ("CLOSED", "ORDINARY_WORK", 92)
        and (await play.read("fk-handler", "case", play.at("B")))["status"] == "OPEN",
        case,
    )
    happened = (await play.read("fk-handler", "case", f"{play.at('A')}/timeline?limit=100"))["items"]
    told = {h["source"] for h in happened}
    play.expect("dess tidslinje rymmer alla fyra tjänster / its timeline holds all four", told == SOURCES, told)
