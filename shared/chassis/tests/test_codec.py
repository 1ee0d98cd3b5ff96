"""A fact becomes bytes in two halves and comes back whole, blank or not at all; never as something else."""

import json
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given

from chassis.classes import Coded, DataClass
from chassis.codec import Codec, NotACode, Unreadable
from chassis.decider import record
from chassis.facts import Fact, Facts
from chassis.testing_facts import records

P, ID, D, W = DataClass.P, DataClass.I, DataClass.D, DataClass.W
ABOUT = UUID("018f0000-0000-7000-8000-000000000001")


class Mood(StrEnum):
    GOOD = "GOOD"
    BAD = "BAD"


@record
class Word:
    text: Annotated[str, W]


@record
class Spot:
    row: Annotated[int, P]


@record
class Line:
    line_id: Annotated[UUID, P]
    mood: Annotated[Mood | None, W]
    mark: Annotated[str | None, P, Coded(r"[a-z]+")]
    said: Annotated[str | None, W]
    words: tuple[Word, ...]


@record
class Told:
    about_ref: Annotated[UUID, P]
    code: Annotated[str, P, Coded(r"[A-Z]{1,9}")]
    codes: Annotated[tuple[str, ...], P, Coded(r"[A-Z]{1,9}")]
    told_at: Annotated[datetime, P]
    on: Annotated[date | None, D]
    sure: Annotated[bool, W]
    born: Annotated[date, ID]
    count: Annotated[int | None, ID]
    title: Annotated[str, W]
    changes: Annotated[tuple[str, ...], W]
    spot: Spot
    first: Line
    last: Line | None
    lines: tuple[Line, ...]
    later: Annotated[int, P] = 7


@record
class Open:
    about_ref: Annotated[UUID, P]


FACTS = Facts("tiny", [Fact("Told", 1, Told, person="about_ref"), Fact("Open", 1, Open)])
CODEC = Codec(FACTS)


def line(said: str | None = None, *words: str) -> Line:
    return Line(line_id=ABOUT, mood=Mood.GOOD, mark=None, said=said, words=tuple(Word(text=w) for w in words))


def told(**more: Any) -> Told:
    usual: dict[str, Any] = {
        "about_ref": ABOUT, "code": "A", "codes": ("B",), "told_at": datetime(2026, 3, 2, tzinfo=UTC), "on": None,
        "sure": True, "born": date(1990, 1, 1), "count": 3, "title": "Anna", "changes": ("Bo",),
        "spot": Spot(row=4), "first": line("Cia", "Dag"), "last": None, "lines": (line(), line("Eva", "Fia", "Gun")),
    }  # fmt: skip
    return Told(**(usual | more))


def open_json(fact: object) -> dict[str, Any]:
    return json.loads(CODEC.encode(fact).open)


@given(records(FACTS.by_name["Told"].shape))
def test_any_fact_comes_back_as_it_was(fact: Told) -> None:
    e = CODEC.encode(fact)
    assert CODEC.decode(e.name, e.version, e.open, e.sealed) == fact
    assert (e.name, e.version, e.subject) == ("Told", 1, fact.about_ref)


@given(records(FACTS.by_name["Told"].shape))
def test_what_others_get_is_the_same_fact_with_blanks(fact: Told) -> None:
    seen: Told = CODEC.decode("Told", 1, CODEC.encode(fact).open)
    for name in ("about_ref", "code", "codes", "told_at", "on", "sure", "spot", "later"):
        assert getattr(seen, name) == getattr(fact, name)
    assert (seen.born, seen.count, seen.title, seen.changes) == (None, None, "", ())
    for there, was in zip((seen.first, *seen.lines), (fact.first, *fact.lines), strict=True):
        assert (there.line_id, there.mood, there.mark, there.said) == (was.line_id, was.mood, was.mark, None)
        assert there.words == tuple(Word(text="") for _ in was.words)
    assert (seen.last is None) is (fact.last is None)


def test_nothing_sealed_stands_in_the_open_half() -> None:
    e = CODEC.encode(told())
    for word in (b"Anna", b"Bo", b"Cia", b"Dag", b"Eva", b"Fia", b"Gun", b"1990"):
        assert word not in e.open
        assert e.sealed is not None
        assert word in e.sealed
    assert open_json(told()) == {
        "aboutRef": str(ABOUT), "code": "A", "codes": ["B"], "toldAt": "2026-03-02T00:00:00Z", "on": None, "sure": True,
        "spot": {"row": 4}, "first": {"lineId": str(ABOUT), "mood": "GOOD", "mark": None, "words": [{}]}, "last": None,
        "lines": [{"lineId": str(ABOUT), "mood": "GOOD", "mark": None, "words": []},
                  {"lineId": str(ABOUT), "mood": "GOOD", "mark": None, "words": [{}, {}]}],
        "later": 7,
    }  # fmt: skip


def test_nothing_open_stands_in_the_sealed_half() -> None:
    sealed = json.loads(CODEC.encode(told()).sealed or b"")
    assert sealed == {
        "born": "1990-01-01", "count": 3, "title": "Anna", "changes": ["Bo"], "last": None,
        "first": {"said": "Cia", "words": [{"text": "Dag"}]},
        "lines": [{"said": None, "words": []}, {"said": "Eva", "words": [{"text": "Fia"}, {"text": "Gun"}]}],
    }  # fmt: skip


def test_a_fact_with_nothing_to_seal_has_no_sealed_half() -> None:
    assert CODEC.encode(Open(about_ref=ABOUT)).sealed is None


@pytest.mark.parametrize("prose", ["Anna", "A B", "", "A\n", "ABCDEFGHIJ", "199001011234", "Å"])
def test_a_coded_field_refuses_prose_and_does_not_repeat_it(prose: str) -> None:
    for wrong in (told(code=prose), told(codes=("B", prose))):
        with pytest.raises(NotACode, match=r"Told\.codes? must be a code") as refusal:
            CODEC.encode(wrong)
        assert not prose or prose not in str(refusal.value)


def test_a_record_that_is_not_in_the_contract_cannot_be_encoded() -> None:
    with pytest.raises(KeyError):
        CODEC.encode(line())


def test_a_name_that_is_not_in_the_contract_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="no event is called Sold"):
        CODEC.decode("Sold", 1, b"{}")
    assert (CODEC.knows("Told"), CODEC.knows("Sold")) == (True, False)


def test_a_version_newer_than_the_code_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="v2 is newer than this code, which knows v1"):
        CODEC.decode("Told", 2, CODEC.encode(told()).open)


BROKEN = {
    "not JSON": b'{"aboutRef"', "nothing": b"", "another kind of value": b"[]",
    "a missing field": b"{}",
    "null where there must be a value": b'{"aboutRef":null}',
    "a wrong type": b'{"aboutRef":7}', "no reference": b'{"aboutRef":"Anna"}',
}  # fmt: skip


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_bytes_that_are_not_the_fact_are_unreadable_and_not_repeated(data: bytes) -> None:
    for sealed in (None, b"{}"):
        with pytest.raises(Unreadable) as error:
            CODEC.decode("Open", 1, data, sealed)
        assert "Anna" not in str(error.value)


def test_halves_that_do_not_belong_together_are_unreadable() -> None:
    long, short = CODEC.encode(told()), CODEC.encode(told(lines=(line(),)))
    with pytest.raises(Unreadable):
        CODEC.decode("Told", 1, long.open, short.sealed)


def test_fields_that_are_not_known_are_passed_over() -> None:
    raw = open_json(told()) | {"colour": "RED"}
    assert CODEC.decode("Told", 1, json.dumps(raw).encode()) == CODEC.decode("Told", 1, CODEC.encode(told()).open)


def test_a_field_added_later_with_a_default_is_the_default_in_older_facts() -> None:
    raw = open_json(told(later=9))
    del raw["later"], raw["on"]
    older: Told = CODEC.decode("Told", 1, json.dumps(raw).encode())
    assert (older.later, older.on) == (7, None)


# --- older versions ---


@record
class Renamed:
    about_ref: Annotated[UUID, P]
    minutes: Annotated[int, P]
    title: Annotated[str, W]


def to_seconds(raw: dict[str, Any]) -> dict[str, Any]:
    return {**raw, "seconds": raw["hours"] * 3600}


def to_minutes(raw: dict[str, Any]) -> dict[str, Any]:
    return {**raw, "minutes": raw["seconds"] // 60, "title": raw.get("heading", "")}


NEWER = Codec(Facts("tiny", [Fact("Renamed", 3, Renamed, "about_ref", upcasts={1: to_seconds, 2: to_minutes})]))
OLDEST = json.dumps({"aboutRef": str(ABOUT), "hours": 2}).encode()
OLDER = json.dumps({"aboutRef": str(ABOUT), "seconds": 240}).encode()


@pytest.mark.parametrize(("version", "data", "minutes"), [(1, OLDEST, 120), (2, OLDER, 4)])
def test_older_versions_are_brought_up_step_by_step(version: int, data: bytes, minutes: int) -> None:
    assert NEWER.decode("Renamed", version, data) == Renamed(about_ref=ABOUT, minutes=minutes, title="")


def test_sealed_fields_are_brought_up_together_with_open_ones() -> None:
    opened = NEWER.decode("Renamed", 1, OLDEST, b'{"heading":"Anna"}')
    assert opened == Renamed(about_ref=ABOUT, minutes=120, title="Anna")


def test_what_is_written_is_the_newest_version() -> None:
    assert NEWER.encode(Renamed(about_ref=uuid4(), minutes=1, title="")).version == 3


def test_an_older_fact_that_cannot_be_brought_up_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        NEWER.decode("Renamed", 1, OLDER)


@pytest.mark.parametrize("version", [0, -1])
def test_there_was_no_version_before_the_first(version: int) -> None:
    with pytest.raises(Unreadable):
        NEWER.decode("Renamed", version, OLDEST)
