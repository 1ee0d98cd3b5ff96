"""A declaration that could leak, lose or garble something does not build."""

from dataclasses import field
from datetime import date
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import pytest

from chassis.classes import Coded, DataClass
from chassis.decider import record
from chassis.facts import Fact, Facts, Shape, Undeclared, shape_of

P, ID, W, M1 = DataClass.P, DataClass.I, DataClass.W, DataClass.M1
Ref = Annotated[UUID, P]


class Colour(StrEnum):
    RED = "RED"


@record
class Line:
    kind: Annotated[Colour, W]
    said: Annotated[str, W]


@record
class Told:
    about: Ref
    code: Annotated[str, P, Coded(r"[A-Z]+")]
    words: Annotated[str, W]
    name: Annotated[Colour, ID]
    diagnosis: Annotated[date | None, M1]
    lines: tuple[Line, ...]


def declared(hint: Any) -> Shape:
    return shape_of(record(type("Made", (), {"__annotations__": {"given": hint}})))


def test_a_field_without_a_class_does_not_build() -> None:
    with pytest.raises(Undeclared, match=r"Made\.given: needs exactly one data class.*found 0"):
        declared(int)


def test_a_field_with_two_classes_does_not_build() -> None:
    with pytest.raises(Undeclared, match="found 2"):
        declared(Annotated[int, P, W])


@record
class Marked:
    around: Annotated[int | None, P]
    within: Annotated[int, P] | None
    around_many: Annotated[tuple[int, ...], P]
    on_each: tuple[Annotated[int, P], ...]


def test_a_class_is_found_wherever_it_stands_in_the_hint() -> None:
    assert [f.classes for f in shape_of(Marked).fields] == [P, P, P, P]


def test_a_record_in_a_record_needs_classes_on_its_own_fields() -> None:
    @record
    class Inner:
        bare: int

    with pytest.raises(Undeclared, match=r"Inner\.bare"):
        declared(Inner)
    with pytest.raises(Undeclared, match="its own fields carry the data classes"):
        declared(Annotated[Line, ID])


@pytest.mark.parametrize("hint", [float, bytes, dict[str, str], list[int], int | str, tuple[int, int],
                                  tuple[tuple[int, ...], ...], object, Any], ids=str)  # fmt: skip
def test_what_has_no_pinned_form_cannot_be_declared(hint: Any) -> None:
    with pytest.raises(Undeclared):
        declared(Annotated[hint, P])


@pytest.mark.parametrize("hint", [tuple[int, ...] | None, tuple[int | None, ...]], ids=str)
def test_a_tuple_is_never_none_and_holds_none_of_it(hint: Any) -> None:
    with pytest.raises(Undeclared, match="cannot hold or be None"):
        declared(Annotated[hint, P])


def test_only_a_string_can_be_coded() -> None:
    with pytest.raises(Undeclared, match="only a string"):
        declared(Annotated[int, P, Coded(r"\d+")])


def test_two_fields_that_would_share_a_name_in_json_do_not_build() -> None:
    with pytest.raises(Undeclared, match="same name in JSON"):
        shape_of(record(type("Made", (), {"__annotations__": {"a_b": Ref, "aB": Ref}})))


def test_classes_of_people_and_all_free_text_are_sealed_whatever_the_class() -> None:
    sealed = {f.name: f.sealed for f in shape_of(Told).fields}
    assert sealed == {"about": False, "code": False, "words": True, "name": True, "diagnosis": True, "lines": False}
    assert [path for path, f in shape_of(Told).walk() if f.sealed] == [
        ("words",), ("name",), ("diagnosis",), ("lines", "said"),
    ]  # fmt: skip


@pytest.mark.parametrize("sensitive", DataClass)
@pytest.mark.parametrize("kind", [bool, int, UUID, date, Colour], ids=lambda t: t.__name__)
def test_exactly_identity_diagnosis_and_function_are_sealed_besides_text(sensitive: DataClass, kind: type) -> None:
    assert declared(Annotated[kind, sensitive]).seals is (sensitive in {DataClass.I, DataClass.M1, DataClass.M2})


def test_a_coded_identity_is_still_sealed() -> None:
    assert declared(Annotated[str, ID, Coded(r"\d{12}")]).seals


def facts(*rows: Fact) -> Facts:
    return Facts("tiny", rows)


def test_sealed_fields_need_somebody_whose_key_seals_them() -> None:
    with pytest.raises(Undeclared, match="`person` must name the field whose key"):
        facts(Fact("Told", 1, Told))
    assert facts(Fact("Told", 1, Told, person="about")).by_name["Told"].shape.seals


@record
class Wrapped:
    about: Ref
    lines: tuple[Line, ...]


def test_sealed_fields_deep_inside_need_that_too() -> None:
    with pytest.raises(Undeclared, match="`person` must name the field whose key"):
        facts(Fact("Wrapped", 1, Wrapped))


@record
class Odd:
    maybe: Annotated[UUID | None, P]
    several: Annotated[tuple[UUID, ...], P]
    number: Annotated[int, P]
    hidden: Annotated[UUID, ID]
    words: Annotated[str, W]


@pytest.mark.parametrize("person", ["maybe", "several", "number", "hidden", "nobody"])
def test_the_person_is_an_open_field_that_always_holds_one_reference(person: str) -> None:
    with pytest.raises(Undeclared, match="always holds one UUID"):
        facts(Fact("Odd", 1, Odd, person=person))


@record
class Plain:
    about: Ref


def test_a_name_and_a_record_are_declared_once() -> None:
    for rows in ([Fact("A", 1, Plain), Fact("A", 1, Told, person="about")], [Fact("A", 1, Plain), Fact("B", 1, Plain)]):
        with pytest.raises(Undeclared, match="declared twice"):
            facts(*rows)


def test_every_older_version_needs_a_way_up() -> None:
    for known, missing in ({1: dict}, 2), ({2: dict}, 1):
        with pytest.raises(Undeclared, match=rf"no upcast from version \[{missing}\]"):
            facts(Fact("Plain", 3, Plain, upcasts=known))


def test_a_record_shows_no_content() -> None:
    @record
    class Secret:
        number: str
        kept: tuple[str, ...] = field(default=())

    assert repr(Secret(number="199001011234")) == str(Secret(number="199001011234")) == "Secret(number, kept)"
