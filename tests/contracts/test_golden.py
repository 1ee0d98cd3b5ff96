"""Is every fact still stored and published as when it was first declared? The logs keep that form for ever."""

import json
from pathlib import Path
from typing import Annotated

import pytest
from tests.contracts import golden
from tests.contracts.golden import CONTRACTS, Json, add, example, kept, key, today

from chassis.classes import DataClass
from chassis.codec import Codec
from chassis.decider import record
from chassis.facts import Declared, Fact, Facts

DECLARED = [(facts, d) for facts in CONTRACTS for d in facts]
KEPT = [(facts, name) for facts in CONTRACTS for name in kept(facts.service)]
ADD = "python tests/contracts/golden.py --add"
CHANGED = (
    "{0} is no longer stored or published as it was, and logs hold it in the old form. Undo the change, or give the "
    f"fact a new version with an upcast from the old one, and write that down with `{ADD}`."
)


def differences(was: Json, now: Json) -> list[str]:
    """What changed. Codes may be added, never taken away."""
    found = [name for name in was if name != "codes" and was[name] != now[name]]
    lost = [path for path, codes in was["codes"].items() if not set(codes) <= set(now["codes"].get(path, ()))]
    return found + [f"codes of {path}" for path in lost]


@pytest.mark.parametrize(("facts", "declared"), DECLARED, ids=lambda x: x.name if isinstance(x, Declared) else "")
def test_a_fact_is_as_it_was_declared_first(facts: Facts, declared: Declared) -> None:
    was = kept(facts.service).get(key(declared))
    assert was is not None, f"{key(declared)} is new: write down how it is stored with `{ADD}` and commit the file."
    assert differences(was, today(facts, declared)) == [], CHANGED.format(key(declared))


@pytest.mark.parametrize(("facts", "name"), KEPT, ids=lambda x: x if isinstance(x, str) else "")
def test_what_was_ever_stored_can_be_read(facts: Facts, name: str) -> None:
    was = kept(facts.service)[name]
    assert was["name"] in facts.by_name, (
        f"{was['name']} is declared no more, but logs hold it: facts are never taken away."
    )
    codec, declared = Codec(facts), facts.by_name[was["name"]]
    sealed = json.dumps(was["sealed"]).encode() if was["sealed"] is not None else None
    read = codec.decode(was["name"], was["version"], json.dumps(was["open"]).encode(), sealed)
    codec.decode(was["name"], was["version"], json.dumps(was["open"]).encode())
    if was["version"] == declared.fact.version:
        assert read == example(declared.shape)


@record
class Thing:
    thing_id: Annotated[int, DataClass.P]


@record
class WiderThing:
    thing_id: Annotated[int, DataClass.P]
    size: Annotated[int, DataClass.P]


def test_adding_writes_down_what_is_new_and_leaves_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden, "FOLDER", tmp_path)
    assert add(Facts("tiny", [Fact("Thing", 1, Thing)])) == ["Thing.v1"]
    first = kept("tiny")["Thing.v1"]
    changed = Facts("tiny", [Fact("Thing", 1, WiderThing)])
    assert add(changed) == []
    assert kept("tiny")["Thing.v1"] == first
    assert differences(first, today(changed, changed.by_name["Thing"])) == ["open"]
    assert add(Facts("tiny", [Fact("Thing", 2, WiderThing, upcasts={1: lambda raw: {**raw, "size": 0}})])) == [
        "Thing.v2"
    ]
    assert list(kept("tiny")) == ["Thing.v1", "Thing.v2"]


def test_a_code_may_be_added_but_not_taken_away() -> None:
    one, two = {"codes": {"kind": ["A"]}}, {"codes": {"kind": ["A", "B"]}}
    assert differences(one, two) == []
    assert differences(two, one) == ["codes of kind"]
