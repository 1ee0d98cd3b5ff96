"""What is sealed comes to light nowhere, and stands before whoever may read it."""

import importlib
import io
import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from uuid import uuid4

import asyncpg
import pikepdf
import pytest
from tests.journeys.house import House
from tests.journeys.marking import Markers
from tests.journeys.planting import NUMBER, PHONE, lived, tipped
from tests.journeys.searching import everything, search

from chassis.classes import DataClass
from chassis.decider import record
from chassis.facts import Fact, Facts
from chassis.keys import PostgresKeys, read_master_key
from contracts.values import Ref
from samordna.members import MEMBERS
from samordna.personas import EMPLOYER_A

CONTRACTS: Mapping[str, Facts] = {m.name: importlib.import_module(m.module).service.facts for m in MEMBERS}
PDF = {"Content-Type": "application/pdf"}
JSON = {"Content-Type": "application/json"}


@dataclass
class Planted:
    """What was entered, and where it can be read again."""

    markers: Markers
    employment: str
    plan: str
    document: str
    file: bytes
    in_file: str
    open_mark: str


@pytest.fixture(scope="module")
async def planted(house: House) -> Planted:
    """A marker in every sealed field, each entered through REST by the party that enters it in earnest."""
    markers, trace = Markers(CONTRACTS.values()), uuid4().hex
    address = f"{markers.field('ContactSet.address')}@arbetsgivare.example"
    markers.given("ContactSet.phone", PHONE)
    contact = {"channels": ["EMAIL"], "address": address, "phone": PHONE}
    await house.done("hr-a", "PUT", "notification", f"/v1/contacts/employer:{EMPLOYER_A}", json=contact)
    traced = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    path, body = house.employment(workplace=markers.field("EmploymentRegistered.workplace"))
    await house.done("fk-handler", "PUT", "plan", path, json=body, headers=traced)
    day_25 = await house.operator.now() + timedelta(days=1)
    await house.operator.move_clock({"to": day_25.isoformat()})

    in_file = markers.other()
    file = pdf_that_says(in_file)
    taken = (await house.done("hr-a", "POST", "plan", f"{path}/documents", content=file, headers=PDF)).json()
    said = a_plan(markers, "PlanSubmitted") | {"documentRef": taken["documentRef"]}
    plan = (await house.done("hr-a", "POST", "plan", f"{path}/plans", json=said)).json()["planId"]
    match = {"If-Match": (await house.call("hr-a", "GET", "plan", path)).headers["ETag"]}
    changed = a_plan(markers, "PlanRevised") | {"changes": [markers.field("PlanRevised.changes")]}
    await house.done("hr-a", "POST", "plan", f"{path}/plans/{plan}/versions", json=changed, headers=match)
    await refused(house, path, markers)
    await lived(house, markers)
    await tipped(house, markers, path.rpartition("/")[2])
    await house.stack.postgres.execute(f"do $$ begin raise log '{trace}'; end $$")
    await house.operator.level()
    return Planted(markers, path, plan, taken["documentRef"], file, in_file, trace)


def a_plan(markers: Markers, fact: str) -> dict[str, Any]:
    activity = {
        "kind": "TASKS",
        "description": markers.field(f"{fact}.activities.description"),
        "responsible": markers.field(f"{fact}.activities.responsible"),
    }
    reason = markers.field(f"{fact}.notConsultedReason")
    return {"channel": "PORTAL", "drawnUpOn": "2026-03-20", "employeeConsulted": False,
            "notConsultedReason": reason, "activities": [activity]}  # fmt: skip


def pdf_that_says(mark: str, script: str = "") -> bytes:
    """A PDF with `mark` on its page and in its title, not compressed, and a script if wanted."""
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page()
        page.contents_add(pdf.make_stream(f"BT ({mark}) Tj ET".encode()))
        pdf.docinfo["/Title"] = mark
        if script:
            pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=script)
        out = io.BytesIO()
        pdf.save(out, compress_streams=False, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    assert out.getvalue().count(mark.encode()) == 2
    return out.getvalue()


async def refused(house: House, path: str, markers: Markers) -> None:
    """Markers in whatever can be sent and is not taken."""
    mark, documents = markers.other, f"{path}/documents"
    for answer in (
        await house.call("hr-a", "POST", "plan", documents, content=mark().encode(), headers=PDF),
        await house.call("hr-a", "POST", "plan", documents, content=pdf_that_says(mark(), mark()), headers=PDF),
        await house.call("fk-handler", "PUT", "plan", path, json=house.employment(workplace=mark())[1]),
        await house.call("fk-handler", "PUT", "plan", path, json=house.employment(orgNr=mark())[1]),
        await house.call("fk-handler", "PUT", "plan", path, json=house.employment(**{mark(): mark()})[1]),
        await house.call("fk-handler", "PUT", "plan", path, content=f'{{"workplace": "{mark()}'.encode(), headers=JSON),
        await house.call("hr-a", "POST", "plan", f"{path}/plans", json={"notConsultedReason": mark() * 2000}),
        await house.call("hr-a", "PUT", "notification", f"/v1/contacts/{mark()}", json={}),
        await house.call("hr-b", "PUT", "notification", f"/v1/contacts/employer:{EMPLOYER_A}",
                         json={"channels": ["EMAIL"], "address": f"{mark()}@example.se"}),
        await house.call("fk-handler", "GET", "plan", f"/v1/employments/{mark()}"),
        await house.call("fk-handler", "GET", "plan", f"/v1/employments?planStatus={mark()}&after={mark()}"),
        await house.call("fk-handler", "GET", "plan", path, headers={"Read-After": mark()}),
        await house.call("fk-handler", "PUT", "plan", path, headers={"Idempotency-Key": f"{mark()} å".encode()},
                         json=house.employment()[1]),
        await house.call(None, "GET", "notification", "/v1/tasks", headers={"Authorization": f"Bearer {mark()}"}),
        await house.call(None, "GET", "plan", f"/{mark()}"),
    ):  # fmt: skip
        assert 400 <= answer.status_code < 500, answer.text


def test_every_sealed_field_has_been_planted(planted: Planted) -> None:
    assert planted.markers.unplanted == set(), "Enter these too, in `planted` above."
    marks = [mark for mark in planted.markers.planted.values() if mark != NUMBER]
    assert len(set(marks)) == len(marks) > 0


def test_only_these_sealed_fields_hold_no_text(planted: Planted) -> None:
    """That they stay sealed is a law of the codec; here it is noticed when another comes."""
    assert planted.markers.wordless == {
        "CaseOpened.protectionLevel",
        "CertificateReceived.diagnoses",
        "CertificateReceived.prognosis",
        "CertificateReceived.prognosisDays",
        "InitialAssessmentDone.barriers",
    }


def test_a_sealed_field_that_nobody_plants_is_told() -> None:
    @record
    class ContactMoved:
        party_key: Ref
        street: Annotated[str, DataClass.I]
        note: Annotated[str, DataClass.P]

    markers = Markers([Facts("new", [Fact("ContactMoved", 1, ContactMoved, person="party_key")])])
    markers.field("ContactMoved.street")
    assert markers.unplanted == {"ContactMoved.note"}  # free text is sealed whatever its class
    with pytest.raises(KeyError):
        markers.field("ContactMoved.city")


async def test_each_marker_is_sealed_in_its_field_in_the_log(house: House, planted: Planted) -> None:
    held = {field for name, facts in CONTRACTS.items() async for field in sealed_in_log(house, name, facts, planted)}
    assert held == set(planted.markers.planted)


async def sealed_in_log(house: House, name: str, facts: Facts, planted: Planted) -> AsyncGenerator[str, None]:
    """The sealed fields in whose stored form, opened with the service's keys, their marker stands."""
    events = await house.stack.postgres.execute(
        "select type, event_id, subject_key, sealed from events where sealed is not null", database=name
    )
    async with asyncpg.create_pool(house.stack.environment(name)["SAMORDNA_KEYS_DATABASE_URL"], min_size=1) as pool:
        keys = PostgresKeys(pool, read_master_key(house.stack.home / f"{name}.master.key"))
        for type, event_id, subject, sealed in events:
            plain = json.loads(await keys.open(subject, event_id.bytes, sealed) or b"{}")
            for path, field in facts.by_name[type].shape.walk():
                full = f"{type}.{'.'.join(path)}"
                mark = planted.markers.planted.get(full)
                if field.sealed and mark and any(mark in text for text in at(plain, path)):
                    yield full


def at(plain: Any, path: tuple[str, ...]) -> Iterator[str]:
    """Every text at a path of names, through lists."""
    if isinstance(plain, list):
        for one in plain:
            yield from at(one, path)
    elif path and isinstance(plain, dict):
        yield from at(plain.get(path[0]), path[1:])
    elif isinstance(plain, str):
        yield plain


async def test_what_stands_openly_is_found_in_every_kind_of_place(house: House, planted: Planted) -> None:
    found = await search(house, planted.open_mark, "employment-unknown")
    assert {kind for kind, _ in found} == {
        "table", "message", "data file of nats", "data file of postgres", "log file of postgres", "trace",
        "service log", "problem",
    }  # fmt: skip
    assert {("table", "plan: public.events"), ("table", "notification: public.heard")} <= set(found)


async def test_what_is_sealed_is_found_nowhere(house: House, planted: Planted) -> None:
    logs = {name for name in house.stack.names if house.stack.log(name).exists()}
    assert logs == set(house.stack.names)
    assert await search(house, planted.markers.herd) == []


async def test_a_persons_number_is_found_nowhere(house: House, planted: Planted) -> None:
    numbers = NUMBER[2:].encode(), PHONE[3:].encode()  # however they are written: without century, without country
    assert [where async for where, content in everything(house) if any(n in content for n in numbers)] == []


async def test_who_may_read_it_reads_it(house: House, planted: Planted) -> None:
    m, path = planted.markers.planted, planted.employment
    for who in ("fk-handler", "hr-a"):
        shown = await house.read(who, "plan", path)
        assert shown["workplace"] == m["EmploymentRegistered.workplace"]
        plan = json.dumps(await house.read(who, "plan", f"{path}/plans/{planted.plan}"))
        assert {f for f, mark in m.items() if mark in plan} == {f for f in m if f.startswith("Plan")}
        file = await house.done(who, "GET", "plan", f"{path}/documents/{planted.document}")
        assert file.content == planted.file
        assert planted.in_file.encode() in file.content
    recipients = {to for letter in await house.operator.mail() for to in letter["to"]}
    assert recipients == {f"{m['ContactSet.address']}@arbetsgivare.example"}


async def test_who_may_not_read_it_does_not(house: House, planted: Planted) -> None:
    path, case = planted.employment, (await house.read("fk-handler", "plan", planted.employment))["caseId"]
    for who in ("hr-b", "care-coordinator", "af-officer", "insured", "av-inspector", "operator", None):
        for part in ("", f"/plans/{planted.plan}", f"/documents/{planted.document}"):
            answer = await house.call(who, "GET", "plan", f"{path}{part}")
            assert answer.status_code in (401, 403, 404)
            assert planted.markers.herd not in answer.text
    for what in ("timeline", "deadlines"):
        seen = await house.done("fk-handler", "GET", "notification", f"/v1/cases/{case}/{what}")
        assert planted.markers.herd not in seen.text
