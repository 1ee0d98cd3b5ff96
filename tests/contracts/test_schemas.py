"""Do the schemas in docs/asyncapi say what is really published?"""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from nats.aio.client import Client
from tests.contracts.golden import CONTRACTS, Json, example

from chassis.codec import Codec
from chassis.envelope import Actor, Envelope, header_fields, to_headers
from chassis.facts import Declared, Facts
from chassis.relay import Relay
from chassis.schemas import asyncapi, printed, schema, subject

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
SOME = UUID(int=7)
ENVELOPE = Envelope(
    event_id=SOME, occurred_at=NOW,
    actor=Actor(org_type="FK", org_id="2021005521", role="fk.handler", user_ref="någon"),
    correlation_id=SOME, causation_id=SOME, case_id=SOME, legal_basis="SFB 110:31", consent_ids=(SOME, SOME),
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)  # fmt: skip
DECLARED = [(facts, d) for facts in CONTRACTS for d in facts]
each_fact = pytest.mark.parametrize(
    ("facts", "declared"), DECLARED, ids=lambda x: x.name if isinstance(x, Declared) else ""
)
each_contract = pytest.mark.parametrize("facts", CONTRACTS, ids=lambda f: f.service)


def faults(document: Any, against: Json) -> list[str]:
    Draft202012Validator.check_schema(against)
    found = Draft202012Validator(against, format_checker=FormatChecker()).iter_errors(document)
    return [f"{e.json_path}: {e.message}" for e in found]


def paths(document: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every leaf of a JSON document; places in lists do not count."""
    if isinstance(document, dict):
        for name, value in cast(Json, document).items():
            yield from paths(value, (*at, name))
    elif isinstance(document, list):
        for value in cast(list[Any], document):
            yield from paths(value, at)
    else:
        yield at


def described(against: Json, at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Json]]:
    """Every leaf that a schema describes."""
    for name, inner in against["properties"].items():
        inside = inner.get("items", inner)
        if "properties" in inside:
            yield from described(inside, (*at, name))
        else:
            yield (*at, name), inner


@each_contract
def test_the_committed_document_is_the_printed_one(facts: Facts) -> None:
    committed = (ROOT / f"docs/asyncapi/{facts.service}.json").read_text(encoding="utf-8")
    name = f"contracts.{facts.service}:{facts.service.upper()}"
    assert committed == printed(facts), (
        f"Print it anew: python -m chassis.schemas {name} > docs/asyncapi/{facts.service}.json"
    )


def test_the_command_prints_a_document() -> None:
    command = [sys.executable, "-m", "chassis.schemas"]
    done = subprocess.run([*command, "contracts.plan:PLAN"], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout)["asyncapi"] == "3.0.0"
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == 2


@each_fact
def test_what_is_published_fits_its_schema(facts: Facts, declared: Declared) -> None:
    published = json.loads(Codec(facts).encode(example(declared.shape)).open)
    against = schema(declared.shape)
    assert faults(published, against) == []
    assert {path for path, _ in described(against)} == set(paths(published))
    assert all(leaf["x-data-class"] for _, leaf in described(against))


@each_fact
def test_what_is_sealed_is_not_in_the_schema(facts: Facts, declared: Declared) -> None:
    sealed = {path for path, f in declared.shape.walk() if f.sealed}
    assert sealed.isdisjoint(path for path, _ in described(schema(declared.shape)))


@each_fact
def test_what_is_wrong_does_not_fit(facts: Facts, declared: Declared) -> None:
    published = json.loads(Codec(facts).encode(example(declared.shape)).open)
    against = schema(declared.shape)
    for name in against["properties"]:
        assert faults({**published, name: {"no": "such value"}}, against), name
    for name in against["required"]:
        assert faults({k: v for k, v in published.items() if k != name}, against), name


@each_fact
def test_the_relay_publishes_where_and_as_the_document_says(facts: Facts, declared: Declared) -> None:
    relay = Relay(facts.service, facts, cast(Any, None), Client(), lambda: NOW)
    data = Codec(facts).encode(example(declared.shape)).open
    block = to_headers(ENVELOPE)
    sent = relay.message(1, "thing-1", 1, declared.name, declared.fact.version, data, block, NOW)
    document = asyncapi(facts)
    reference = document["channels"][sent.subject.decode()]["messages"]
    told = document["components"]["messages"][declared.name if declared.fact.published else "Withheld"]
    assert list(reference) == [told["name"]]
    headers = header_fields(sent.headers)
    for against in (told["headers"], *(_at(document, t["$ref"])["headers"] for t in told.get("traits", ()))):
        assert faults(headers, against) == []
    known = {*told["headers"]["properties"], *document["components"]["messageTraits"]["fact"]["headers"]["properties"]}
    assert set(headers) <= known
    assert (sent.body == b"") is ("payload" not in told)


@each_contract
def test_what_stays_in_the_service_is_left_out(facts: Facts) -> None:
    document = asyncapi(facts)
    kept_back = {d.name for d in facts if not d.fact.published}
    assert kept_back.isdisjoint(document["components"]["messages"])
    assert not {subject(facts.service, d) for d in facts if d.name in kept_back} & set(document["channels"])
    assert {subject(facts.service, d) for d in facts if d.fact.published} <= set(document["channels"])


@each_contract
def test_every_reference_leads_somewhere(facts: Facts) -> None:
    document = asyncapi(facts)
    found = list(_references(document))
    assert found
    for reference in found:
        assert _at(document, reference)


def _references(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        for name, value in cast(Json, document).items():
            if name == "$ref":
                yield value
            else:
                yield from _references(value)
    elif isinstance(document, list):
        for value in cast(list[Any], document):
            yield from _references(value)


def _at(document: Json, reference: str) -> Json:
    here: Any = document
    for step in reference.removeprefix("#/").split("/"):
        here = here[step]
    return here
