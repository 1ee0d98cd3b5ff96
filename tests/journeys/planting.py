"""How does a marker get into the sealed fields of a case, its meetings, a tip? By those who enter them in earnest."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from stdnum import luhn
from tests.journeys.house import House
from tests.journeys.marking import Markers

from samordna.personas import EMPLOYER_A, REGION

UNIT = f"SE{REGION}-1A2B"
_SHORT = "900115980"
NUMBER = f"18{_SHORT}{luhn.calc_check_digit(_SHORT)}"
"""A valid number that belongs to nobody: born in 1890."""

PHONE = "+46701740699"
"""A telephone number that is set aside for films and examples: it belongs to nobody."""

NUMBERED = ("PersonRegistered", "CaseOpened", "KoordineringsInfoSent", "ReferralToAF")
"""Facts that hold the person's number."""


async def lived(house: House, markers: Markers) -> str:
    """A case with a meeting, its minutes, a referral and a joint assessment, a marker in each text. Answers its id."""
    mark, done = markers.field, house.done
    for fact in NUMBERED:
        markers.given(f"{fact}.personId", NUMBER)
    today = (await house.operator.now()).date()
    job = {"employmentKind": "ORDINARY", "workplace": mark("CaseOpened.employments.workplace")}
    body: dict[str, Any] = {
        "personId": NUMBER,
        "employments": [job | {"orgNr": EMPLOYER_A}],
        "spellStart": today.isoformat(),
        "expectedEnd": (today + timedelta(days=40)).isoformat(),
    }
    case_id = (await done("fk-handler", "POST", "case", "/v1/cases", json=body)).json()["caseId"]
    at = f"/v1/cases/{case_id}"
    notice = {
        "personId": NUMBER,
        "employmentKind": "ORDINARY",
        "workplace": mark("EmployerSickNoticeReceived.employment.workplace"),
        "spellStart": today.isoformat(),
        "lastSickPayDay": today.isoformat(),
    }
    await done("hr-a", "POST", "case", "/v1/sick-notices", json=notice)
    certificate = {
        "personId": NUMBER,
        "certificateId": str(uuid4()),
        "unit": UNIT,
        "periods": [{"start": today.isoformat(), "end": today.isoformat(), "pct": 100}],
        "diagnoses": ["F438"],
        "functionLimits": mark("CertificateReceived.functionLimits"),
        "activityLimits": mark("CertificateReceived.activityLimits"),
        "prognosis": "UNCLEAR",
    }
    await done("care-coordinator", "POST", "case", "/v1/certificates", json=certificate)
    need = {"need": True, "types": ["OCCUPATIONAL"], "personView": mark("RehabNeedDecided.personView")}
    await done("fk-handler", "POST", "case", f"{at}/need-decisions", json=need)
    await _told_by_care(house, case_id)
    await _assessed(house, markers, at, await _referred(house, markers, at, body["expectedEnd"]))
    await _met(house, markers, at)
    return case_id


async def _consented(house: House, case_id: str, scope: str, **other: Any) -> None:
    body = {
        "scope": scope,
        "purpose": "COORDINATION",
        "dataClasses": ["P", "I", "D", "W", "M2", "L"],
        "form": "WRITTEN",
        "evidenceRef": str(uuid4()),
    }
    who = "care-coordinator" if scope == "KOORD_TO_FK" else "fk-handler"
    named = {"personId": NUMBER} if who == "care-coordinator" else {"caseId": case_id}
    await house.done(who, "POST", "case", "/v1/consents", json=body | named | other)


async def _told_by_care(house: House, case_id: str) -> None:
    await _consented(house, case_id, "KOORD_TO_FK")
    info = {
        "personId": NUMBER,
        "unit": UNIT,
        "coordinator": UNIT,
        "aim": "SHORTEN",
        "contactWanted": True,
        "consentAt": (await house.operator.now()).isoformat(),
    }
    await house.done("care-coordinator", "POST", "case", "/v1/koordineringsinfo", json=info)


async def _referred(house: House, markers: Markers, at: str, wished_by: str) -> str:
    for scope in ("AF", "SUS_REG"):
        await _consented(house, at.rpartition("/")[2], scope)
    referral = {
        "purpose": "JOINT_ASSESSMENT",
        "employmentStatus": "EMPLOYED",
        "incapacityPct": 50,
        "functionSummary": markers.field("ReferralToAF.functionSummary"),
        "wishedBy": wished_by,
    }
    made = await house.done("fk-handler", "POST", "case", f"{at}/referrals", json=referral)
    accepted = f"/v1/referrals/{made.json()['referralId']}/acceptance"
    await house.done("af-officer", "POST", "case", accepted, json={"officerRef": "officer-1"})
    return made.json()["referralId"]


async def _assessed(house: House, markers: Markers, at: str, referral: str) -> None:
    body = {
        "referralId": referral,
        "conclusion": "AF_ACTIVITY",
        "functionView": markers.field("JointAssessmentHeld.functionView"),
        "workView": markers.field("JointAssessmentHeld.workView"),
    }
    await house.done("af-officer", "POST", "meeting", f"{at}/joint-assessments", json=body)


async def _met(house: House, markers: Markers, at: str) -> None:
    await _consented(house, at.rpartition("/")[2], "EMP", counterparty=EMPLOYER_A)
    now, employer = await house.operator.now(), {"role": "EMPLOYER", "orgId": EMPLOYER_A}
    wish = {"kind": "STATUS", "purpose": markers.field("MeetingProposed.purpose"), "wishedBy": now.date().isoformat()}
    proposed = await house.done("hr-a", "POST", "meeting", f"{at}/meeting-proposals", json=wish)
    call = {
        "kind": "STATUS",
        "startsAt": (now + timedelta(hours=1)).isoformat(),
        "shortNoticeAgreed": True,
        "participants": [{"role": "PERSON"}, employer],
        "purpose": markers.field("MeetingCalled.purpose"),
        "proposalId": proposed.json()["meetingId"],
    }
    called = await house.done("fk-handler", "POST", "meeting", f"{at}/meetings", json=call)
    meeting = f"{at}/meetings/{called.json()['meetingId']}"
    await house.operator.move_clock({"to": (now + timedelta(hours=2)).isoformat()})
    held = {"form": "DIGITAL", "present": [{"role": "PERSON"}, {"role": "FK"}, employer]}
    await house.done("fk-handler", "POST", "meeting", f"{meeting}/holding", json=held)
    day = (now + timedelta(days=30)).date().isoformat()

    def minutes(fact: str) -> dict[str, Any]:
        agreed = {"who": employer, "what": markers.field(f"{fact}.agreements.what"), "by": day}
        return {"text": markers.field(f"{fact}.text"), "agreements": [agreed]}

    approved = minutes("MeetingMinutesApproved")
    await house.done("fk-handler", "POST", "meeting", f"{meeting}/minutes", json=approved)
    match = {"If-Match": (await house.call("fk-handler", "GET", "meeting", meeting)).headers["ETag"]}
    amended = minutes("MeetingMinutesAmended") | {"reason": "WRONG"}
    await house.done("fk-handler", "POST", "meeting", f"{meeting}/minutes/amendments", json=amended, headers=match)
    said = {"stance": "DISAGREES", "text": markers.field("PartyCommented.text")}
    await house.done("hr-a", "POST", "meeting", f"{meeting}/minutes/comments", json=said)


async def tipped(house: House, markers: Markers, employment: str) -> str:
    """A tip to Arbetsmiljöverket about the employer at whose employment (its id) the ground is seen. Answers its id."""
    seen = {"employmentId": employment}
    proposal = seen | {"grounds": ["NO_ADAPTATION"]}
    tip = (await house.done("fk-handler", "POST", "plan", "/v1/tips", json=proposal)).json()["tipId"]
    told = {
        "kind": "TIP",
        "workplace": markers.field("SupervisionTipSent.workplace"),
        "caseCount": 1,
        "facts": markers.field("SupervisionTipSent.facts"),
    }
    await house.done("fk-handler", "POST", "plan", f"/v1/tips/{tip}/sendings", json=seen | told)
    return tip
