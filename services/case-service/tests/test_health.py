"""What a case says about health: read by whom FK and the law name, and by nobody else."""

from typing import Any
from uuid import uuid4

IKR = {"method": "SASSAM", "needLevel": "CLEAR", "barriers": ["PAIN", "STAMINA"], "nextStep": "ASK_EMPLOYER"}


async def places(desk: Any) -> tuple[dict[str, Any], dict[str, Any], str, str]:
    """A case, what was certified, and where its certificate and its assessment are read."""
    opened, body = await desk.certified()
    assert (await desk.fk.post(f"{opened['at']}/assessments", json=IKR)).status_code == 201
    case = await desk.read(opened["at"])
    at = opened["at"]
    return opened, body, f"{at}/certificates/{case['certificates'][0]}", f"{at}/assessments/{case['assessments'][0]}"


async def test_fk_and_the_person_read_a_certificate_and_an_assessment_whole(desk: Any) -> None:
    opened, body, certificate, assessment = await places(desk)
    person = desk.running.by("person", user_ref=opened["personRef"])
    for who in (desk.fk, desk.running.by("fk.specialist"), person):
        said = await desk.read(certificate, who)
        given = {k: v for k, v in body.items() if k != "personId"}
        assert said == given | {"prognosisDays": None, "suggestedMeasures": [], "contactWanted": False}
        found = await desk.read(assessment, who)
        assert {k: v for k, v in found.items() if k != "assessmentId"} == IKR


async def test_nobody_else_reads_about_somebodys_health(desk: Any) -> None:
    opened, body, certificate, assessment = await places(desk)
    await desk.consented(opened)
    everybody = ("fk.unit_manager", "fk.collab_lead", "emp.hr", "emp.manager", "af.officer", "av.inspector",
                 "care.coordinator", "ops.operator")  # fmt: skip
    for at in (certificate, assessment):
        for role in everybody:
            answer = await desk.running.by(role).get(at)
            assert (answer.status_code, answer.json()["type"]) == (403, "/problems/role-not-allowed"), role
        somebody_else = await desk.running.by("person", user_ref=str(uuid4())).get(at)
        nowhere = await desk.fk.get(at.replace(opened["caseId"], str(uuid4())))
        for answer in (somebody_else, nowhere):
            assert (answer.status_code, answer.json()["type"]) == (404, "/problems/case-unknown")
        assert body["functionLimits"] not in somebody_else.text


async def test_a_certificate_is_read_in_its_own_case_only(desk: Any) -> None:
    _, _, certificate, assessment = await places(desk)
    other = (await desk.opened())["at"]
    for at, type in ((certificate, "certificate-unknown"), (assessment, "assessment-unknown")):
        room, _, id = at.rpartition("/")
        answer = await desk.fk.get(f"{other}/{room.rpartition('/')[2]}/{id}")
        assert (answer.status_code, answer.json()["type"]) == (404, f"/problems/{type}")
