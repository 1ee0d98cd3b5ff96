"""A status meeting about case A: proposed by the person, called under consent, answered, moved, held, and what was
agreed at it. The services of notifications and of meetings are killed on the way."""

from typing import Any

from samordna.demo.opening import consented
from samordna.demo.play import Play, problem

EMPLOYER = {"role": "EMPLOYER", "orgId": "5560000167"}
INVITED = [{"role": "PERSON"}, EMPLOYER]


def _at(play: Play) -> str:
    return f"{play.at('A')}/meetings/{play.notes['meeting']}"


async def _answers(play: Play) -> dict[str, str | None]:
    """What each party has answered to the time that stands."""
    seen = await play.read("fk-handler", "meeting", _at(play))
    return {p["role"]: p["answer"] for p in seen["participants"] if p["role"] != "FK"}


async def proposed(play: Play) -> None:
    """Person A wishes a meeting, by a day that lies ahead. FK sees the wish, employer B does not, and nobody can answer
    what has not been called."""
    path, told = f"{play.at('A')}/meeting-proposals", play.script.told["proposal"]
    late = await play.call("person-a", "POST", "meeting", path, json=told | {"wishedBy": str(play.day(1))})
    play.expect(
        "till en dag som varit: 422 / by a day that has passed: 422",
        problem(late) == (422, "wished-by-passed"),
        late.text,
    )
    stranger = await play.call("hr-b", "POST", "meeting", path, json=told)
    play.expect(
        "B har inget med fallet att göra: 404 / B has nothing to do with the case: 404",
        stranger.status_code == 404,
        stranger.text,
    )
    done = await play.call("person-a", "POST", "meeting", path, json=told)
    play.need("personen föreslår ett möte / the person proposes a meeting", done.status_code == 201, done.text)
    play.notes["meeting"] = done.json()["meetingId"]
    seen = await play.read("fk-handler", "meeting", _at(play))
    play.expect(
        "FK ser förslaget / FK sees the proposal",
        (seen["status"], seen["wishedBy"], seen["purpose"]) == ("PROPOSED", told["wishedBy"], told["purpose"]),
        seen,
    )
    early = await play.call("person-a", "POST", "meeting", f"{_at(play)}/answers", json=_said("YES", 1))
    play.expect(
        "det går inte att svara på än: 409 / it cannot be answered yet: 409",
        problem(early) == (409, "meeting-not-called"),
        early.text,
    )


async def consent_first(play: Play) -> None:
    """A meeting needs three parties, and the person's consent to meet the employer."""
    told: dict[str, Any] = play.script.told["meeting"]
    alone = await play.call(
        "fk-handler", "POST", "meeting", f"{play.at('A')}/meetings", json=told | {"participants": INVITED[:1]}
    )
    play.expect("två parter räcker inte / two parties are too few", problem(alone) == (409, "too-few-parties"), alone)
    refused = await play.call(
        "fk-handler", "POST", "meeting", f"{play.at('A')}/meetings", json=told | {"participants": INVITED}
    )
    play.expect(
        "utan medgivande: 409 consent-missing / without consent", problem(refused) == (409, "consent-missing"), refused
    )
    await consented(play, "person-a", "A", "EMP", counterparty=EMPLOYER["orgId"], purpose="MEETING")


async def notification_killed(play: Play) -> None:
    """FK calls the meeting while notification-service is dead. When it is back the invitation goes out, once."""
    before = len(await play.mail("A"))
    await play.kill("notification")
    wish = play.notes["meeting"]
    body = play.script.told["meeting"] | {"participants": INVITED, "proposalId": wish}
    done = await play.call("fk-handler", "POST", "meeting", f"{play.at('A')}/meetings", json=body)
    play.need("FK kallar ändå / FK calls the meeting all the same", done.status_code == 201, done.text)
    called = await play.read("fk-handler", "meeting", _at(play))
    play.expect(
        "förslaget har blivit mötet / the proposal has become the meeting",
        (done.json()["meetingId"], called["status"]) == (wish, "CALLED"),
        called,
    )
    await play.stack.start("notification")
    await play.operator.level()
    play.expect(
        "igång igen: en kallelse till A, inte två / back again: one invitation to A, not two",
        [m["day"] for m in (await play.mail("A"))[before:]] == [play.day(39)],
    )
    inbox = (await play.read("person-a", "notification", "/v1/messages"))["items"]
    play.expect("och en i personens inkorg / and one in the person's inbox", len(inbox) == 1, inbox)
    asked = await play.deadlines("A", "ANSWER_MEETING")
    play.expect("båda parter ska svara / both parties are to answer",
                sorted(d["ownerRole"] for d in asked) == ["emp.hr", "person"], asked)  # fmt: skip
    duty = await play.deadlines("A", "EMPLOYER_PLAN")
    play.expect(
        "det som gällde före gäller än / what stood before still stands", [d["status"] for d in duty] == ["MET"]
    )


async def answered(play: Play) -> None:
    """The employer comes, the person wishes another time, and somebody who was not invited cannot answer."""
    answer = f"{_at(play)}/answers"
    stranger = await play.call("hr-b", "POST", "meeting", answer, json=_said("YES", 1))
    play.expect("B är inte kallad: 404 / B is not invited: 404", stranger.status_code == 404, stranger.text)
    for who, what in (("hr-a", "YES"), ("person-a", "NEW_TIME")):
        done = await play.call(who, "POST", "meeting", answer, json=_said(what, 1))
        play.expect(f"{who} svarar / answers {what}", done.status_code == 201, done.text)
    seen = await _answers(play)
    play.expect("FK ser svaren / FK sees the answers", seen == {"PERSON": "NEW_TIME", "EMPLOYER": "YES"}, seen)


async def meeting_killed(play: Play) -> None:
    """FK moves the meeting and meeting-service dies in the same moment. When it is back the new time stands, and
    everybody is asked anew."""
    done = await play.call("fk-handler", "POST", "meeting", f"{_at(play)}/times", json=play.script.told["moved"])
    play.need("FK flyttar mötet / FK moves the meeting", done.status_code == 201, done.text)
    await play.kill("meeting")
    await play.stack.start("meeting")
    seen = await play.read("fk-handler", "meeting", _at(play))
    play.expect(
        "igång igen: den nya tiden gäller / back again: the new time stands",
        (seen["startsAt"], seen["arrangement"]) == (play.script.told["moved"]["startsAt"], 2),
        seen,
    )
    late = await play.call("hr-a", "POST", "meeting", f"{_at(play)}/answers", json=_said("YES", 1))
    play.expect(
        "ett svar på den gamla tiden räknas inte: 409 / an answer to the old time does not count: 409",
        problem(late) == (409, "another-time-stands"),
        late.text,
    )
    asked = await _answers(play)
    play.expect("alla frågas på nytt / all are asked anew", asked == {"PERSON": None, "EMPLOYER": None}, asked)
    for who in ("hr-a", "person-a"):
        done = await play.call(who, "POST", "meeting", f"{_at(play)}/answers", json=_said("YES", 2))
        play.expect(f"{who} kommer / will come", done.status_code == 201, done.text)


async def held(play: Play) -> None:
    """The employer is reminded two days before. The meeting is held and minuted; what was agreed becomes deadlines."""
    early = await play.call("fk-handler", "POST", "meeting", f"{_at(play)}/holding", json=_present())
    play.expect(
        "före mötet kan det inte ha hållits: 409 / not before its time: 409",
        problem(early) == (409, "meeting-not-begun"),
        early.text,
    )
    await play.until(play.day(59))
    days = [m["day"] for m in await play.mail("A")]
    play.expect("A påminns två dagar före / A is reminded two days before", days.count(play.day(57)) == 1, days)
    done = await play.call("fk-handler", "POST", "meeting", f"{_at(play)}/holding", json=_present())
    play.need("mötet är hållet / the meeting is held", done.status_code == 201, done.text)
    await play.operator.level()
    waiting = await play.tasks("fk-handler", "A", "MINUTES")
    play.expect("uppgift: protokoll / task: the minutes", len(waiting) == 1, waiting)
    minutes = play.script.told["minutes"]
    done = await play.call("fk-handler", "POST", "meeting", f"{_at(play)}/minutes", json=minutes)
    play.need("protokollet är godkänt / the minutes are approved", done.status_code == 201, done.text)
    read = await play.read("hr-a", "meeting", f"{_at(play)}/minutes")
    play.expect("arbetsgivaren läser det / the employer reads them", read["text"] == minutes["text"], read)
    await play.operator.level()
    agreed = {d["ownerRole"]: d["dueAt"][:10] for d in await play.deadlines("A", "AGREEMENT")}
    play.expect(
        "varje överenskommelse är en frist / each agreement is a deadline",
        agreed == {"emp.hr": "2026-05-08", "person": "2026-06-12"},
        agreed,
    )
    play.expect("uppgiften är löst / the task is settled", await play.tasks("fk-handler", "A", "MINUTES") == [])


def _said(answer: str, arrangement: int) -> dict[str, Any]:
    return {"answer": answer, "arrangement": arrangement}


def _present() -> dict[str, Any]:
    return {"form": "DIGITAL", "present": [*INVITED, {"role": "FK"}]}
