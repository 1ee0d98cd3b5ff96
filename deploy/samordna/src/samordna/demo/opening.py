"""The story's beginning: two cases, what health care tells, and what FK decides; case-service is killed on the way."""

from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from samordna.demo.play import Ids, Play, problem

WRONG_NUMBER = "640823-3235"
"""Its check digit is wrong."""


def certificate(play: Play, which: str) -> dict[str, Any]:
    """The body that registers person A's or B's certificate."""
    told: dict[str, Any] = play.script.told["certificate"]
    id = uuid5(NAMESPACE_URL, f"samordna:certificate:{which}")
    return told | {"personId": play.script.person_id(which), "certificateId": str(id)}


async def consented(play: Play, who: str, which: str, scope: str, **more: str) -> str:
    """A consent of person A or B is given, by the person or noted by `who`; its id."""
    about = {"caseId": play.ids[which].case} if "personId" not in more else {}
    body = {"scope": scope, "dataClasses": ["P", "I", "D", "W", "M2", "L"], "form": "EID", "evidenceRef": str(uuid4())}
    done = await play.call(who, "POST", "case", "/v1/consents", json=body | about | {"purpose": "COORDINATION"} | more)
    play.need(f"{which}: medgivande {scope} / consent {scope} given", done.status_code == 201, done.text)
    return done.json()["consentId"]


async def door(play: Play) -> None:
    """Nobody gets in without a token, with the wrong role, or with a number that is not one: the numbers are not
    repeated, and nothing is kept."""
    body: dict[str, Any] = play.script.told["caseA"]
    none = await play.call(None, "POST", "case", "/v1/cases", json=body)
    play.expect("utan biljett: 401 / without a token: 401", none.status_code == 401, none.text)
    care = await play.call("care-coordinator", "POST", "case", "/v1/cases", json=body)
    play.expect("fel roll: 403 / wrong role: 403", care.status_code == 403, care.text)
    wrong = await play.call("fk-handler", "POST", "case", "/v1/cases", json=body | {"personId": WRONG_NUMBER})
    play.expect(
        "felaktigt personnummer: 422 / invalid personal number: 422",
        problem(wrong) == (422, "invalid-person-id"),
        wrong.text,
    )
    employment = body["employments"][0] | {"orgNr": "5560000160"}
    refused = await play.call("fk-handler", "POST", "case", "/v1/cases", json=body | {"employments": [employment]})
    play.expect(
        "felaktigt organisationsnummer: 422 med fältets namn / invalid number: 422 naming the field",
        refused.status_code == 422 and "orgNr" in refused.text,
        refused.text,
    )
    repeated = [n for n in ("5560000160", WRONG_NUMBER) if n in wrong.text + refused.text]
    play.expect("numren upprepas inte / the numbers are not repeated", not repeated, repeated)
    unknown = await play.call(
        "fk-handler", "POST", "case", "/v1/people/search", json={"personId": play.script.person_id("A")}
    )
    play.expect("inget är lagrat / nothing was stored", unknown.status_code == 404, unknown.text)


async def opened(play: Play) -> None:
    """FK opens case A, and employer B's notice that sick pay has ended opens case B; plan-service knows both
    employments at once. Each employer sees its own, and FK finds a person by number."""
    told = play.script.told
    a = await play.call("fk-handler", "POST", "case", "/v1/cases", json=told["caseA"])
    play.need("FK öppnar fall A / FK opens case A", a.status_code == 201, a.text)
    case = a.json()
    play.knows("A", Ids(case["caseId"], case["personRef"], case["employments"][0]["employmentId"]))
    b = await play.call("hr-b", "POST", "case", "/v1/sick-notices", json=told["noticeB"])
    play.need("arbetsgivare B:s anmälan öppnar fall B / employer B's notice opens case B", b.status_code == 201, b.text)
    found = await play.call(
        "fk-handler", "POST", "case", "/v1/people/search", json={"personId": play.script.person_id("B")}
    )
    cases = [c["caseId"] for c in found.json()["cases"]] if found.is_success else []
    play.need("FK finner B på numret / FK finds B by the number", cases == [b.json()["caseId"]], found.text)
    play.knows("B", Ids(b.json()["caseId"], found.json()["personRef"], b.json()["employmentId"]))
    before = await play.head("case")
    again = await play.call("fk-handler", "POST", "case", "/v1/cases", json=told["caseA"])
    play.expect(
        "samma öppnande igen ändrar inget / the same again changes nothing",
        again.status_code == 200 and await play.head("case") == before,
        again.text,
    )
    for which in ("A", "B"):
        seen = await play.get_past("fk-handler", "plan", play.path(which), b)
        play.expect(
            f"plan-service känner anställning {which}, planen behövs inte än / knows it, no plan is due yet",
            (seen["planStatus"], seen["expectedDays"]) == ("NOT_DUE", 120),
            seen,
        )
    await _reached(play)
    other = await play.call("hr-b", "GET", "plan", play.path("A"))
    never = await play.call("hr-b", "GET", "plan", "/v1/employments/0195a1c2-7b1e-7c1a-9d3e-2f6f8f1f7aff")
    play.expect(
        "B ser inte A:s anställning, inte ens att den finns / B cannot tell A's employment from none",
        (other.status_code, other.json()) == (404, never.json()),
        other.text,
    )


async def _reached(play: Play) -> None:
    for which, hr, org_nr in (("A", "hr-a", "5560000167"), ("B", "hr-b", "5560000175")):
        body = play.script.told[f"contact{which}"]
        done = await play.call(hr, "PUT", "notification", f"/v1/contacts/employer:{org_nr}", json=body)
        play.need(f"arbetsgivare {which} säger var den nås / says where it is reached", done.is_success, done.text)


async def certified(play: Play) -> None:
    """Day 17: certificates come, FK makes its initial assessment, and the task to make it is settled."""
    await play.until(play.day(17))
    for which in ("A", "B"):
        done = await play.call("care-coordinator", "POST", "case", "/v1/certificates", json=certificate(play, which))
        play.expect(f"{which}: läkarintyg / certificate", done.status_code == 201, done.text)
        waiting = await play.tasks("fk-handler", which, "IKR")
        play.expect(f"{which}: uppgift att kartlägga / a task to assess", len(waiting) == 1, waiting)
        ikr = await play.call(
            "fk-handler", "POST", "case", f"{play.at(which)}/assessments", json=play.script.told["ikr"]
        )
        play.need(f"{which}: FK kartlägger (IKR) / FK assesses (IKR)", ikr.status_code == 201, ikr.text)
        await play.operator.level()
        left = [await play.tasks("fk-handler", which, kind) for kind in ("IKR", "DECIDE_NEED")]
        play.expect(
            f"{which}: nu ska behovet avgöras / now the need is to be decided", [len(t) for t in left] == [0, 1], left
        )
    hidden = await play.call("hr-a", "GET", "case", play.at("A"))
    play.expect("arbetsgivaren läser inte fallet / the employer cannot read the case", hidden.status_code == 403)


async def informed(play: Play) -> None:
    """Day 18: a coordinator in health care may tell FK only with the person's consent to exactly that."""
    await play.until(play.day(18))
    body = play.script.told["info"] | {"personId": play.script.person_id("A")}
    refused = await play.call("care-coordinator", "POST", "case", "/v1/koordineringsinfo", json=body)
    play.expect(
        "utan medgivande: 409 consent-missing / without consent", problem(refused) == (409, "consent-missing"), refused
    )
    diagnosis = await play.call(
        "care-coordinator", "POST", "case", "/v1/koordineringsinfo", json=body | {"diagnosis": "F438"}
    )
    play.expect("en diagnos tas inte emot / a diagnosis is not taken", diagnosis.status_code == 422, diagnosis.text)
    await consented(play, "care-coordinator", "A", "KOORD_TO_FK", personId=body["personId"])


async def case_killed(play: Play) -> None:
    """KoordineringsInfo is acknowledged to the coordinator, and case-service dies in the same moment. When it is back
    the case is as it was, and what was told reaches FK's handler, once."""
    body = play.script.told["info"] | {"personId": play.script.person_id("A")}
    done = await play.call("care-coordinator", "POST", "case", "/v1/koordineringsinfo", json=body)
    play.need("KoordineringsInfo sänt / sent", done.status_code == 201, done.text)
    play.notes["info"] = done.json()["infoId"]
    await play.kill("case")
    await play.stack.start("case")
    seen = await play.read("fk-handler", "case", play.at("A"))
    play.expect(
        "igång igen: informationen finns kvar / back again: the information is there",
        [i["infoId"] for i in seen["infos"]] == [play.notes["info"]],
        seen["infos"],
    )
    await play.operator.level()
    tasks = await play.tasks("fk-handler", "A", "ACKNOWLEDGE_INFO")
    play.expect("en uppgift att kvittera, inte två / one task to acknowledge it, not two", len(tasks) == 1, tasks)


async def decided(play: Play) -> None:
    """FK acknowledges what health care told and decides the need in both cases; the tasks to do so are settled."""
    path = f"{play.at('A')}/koordineringsinfo/{play.notes['info']}/acknowledgement"
    done = await play.call("fk-handler", "POST", "case", path)
    play.expect("FK kvitterar / FK acknowledges", done.status_code == 201, done.text)
    for which in ("A", "B"):
        done = await play.call(
            "fk-handler", "POST", "case", f"{play.at(which)}/need-decisions", json=play.script.told["decision"]
        )
        play.need(f"{which}: behovet avgjort / need decided", done.status_code == 201, done.text)
    await play.operator.level()
    kinds = ("ACKNOWLEDGE_INFO", "DECIDE_NEED")
    left = [await play.tasks("fk-handler", which, kind) for which in ("A", "B") for kind in kinds]
    play.expect("uppgifterna är lösta / the tasks are settled", not any(left), left)
