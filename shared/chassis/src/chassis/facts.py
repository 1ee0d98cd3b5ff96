"""One declaration per event: what a fact is called, what it holds, how sensitive each field is, who else may see it.

A fact is a plain record whose fields carry a `DataClass`. `Facts` checks that when the module is imported, so a field
without a class does not build. Everything else (stored form, published form, JSON Schema, what tests plant as
markers) is worked out from the `Shape` found here.
"""

import dataclasses
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from chassis.classes import SEALED_CLASSES, Coded, DataClass

LEAVES = (bool, int, str, UUID, datetime, date)
Upcast = Callable[[dict[str, Any]], dict[str, Any]]


class Undeclared(TypeError):
    """A field has no data class, or a type that cannot be stored. Raised while the contract is being imported."""


@dataclass(frozen=True)
class Field:
    """One field of a record: its name in Python, its pinned name in JSON, its type and how sensitive it is."""

    name: str
    json: str
    type: Any
    optional: bool
    many: bool
    classes: DataClass | None
    coded: Coded | None
    nested: "Shape | None"

    @property
    def sealed(self) -> bool:
        """Encrypted at rest and absent from the bus: classes I, M1, M2, and free text whatever its class."""
        if self.nested is not None:
            return False
        return self.classes in SEALED_CLASSES or (self.type is str and self.coded is None)


@dataclass(frozen=True)
class Shape:
    """What a record holds, field by field."""

    cls: type
    fields: tuple[Field, ...]

    @property
    def seals(self) -> bool:
        """Does any field, at any depth, have to be encrypted?"""
        return any(f.sealed or (f.nested is not None and f.nested.seals) for f in self.fields)

    def walk(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Field]]:
        """Every leaf with its path of JSON names."""
        for f in self.fields:
            if f.nested is None:
                yield (*path, f.json), f
            else:
                yield from f.nested.walk((*path, f.json))

    def classes(self) -> frozenset[DataClass]:
        return frozenset(f.classes for _, f in self.walk() if f.classes is not None)


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


def shape_of(cls: type) -> Shape:
    """The shape of a record. Raises Undeclared where a field has no class or cannot be stored."""
    hints = get_type_hints(cls, include_extras=True)
    fields = tuple(_field(cls, f.name, hints[f.name]) for f in dataclasses.fields(cls))
    if len({f.json for f in fields}) != len(fields):
        raise Undeclared(f"{cls.__name__}: two fields have the same name in JSON.")
    return Shape(cls, fields)


def _field(owner: type, name: str, hint: Any) -> Field:
    where = f"{owner.__name__}.{name}"
    marks: list[Any] = []
    hint, optional, many = _peel(hint, marks)
    nested = shape_of(hint) if dataclasses.is_dataclass(hint) and isinstance(hint, type) else None
    classes = [m for m in marks if isinstance(m, DataClass)]
    coded = next((m for m in marks if isinstance(m, Coded)), None)
    if nested is None:
        if not (isinstance(hint, type) and (hint in LEAVES or issubclass(hint, Enum))):
            raise Undeclared(
                f"{where}: {hint!r} cannot be stored. Use one of {', '.join(t.__name__ for t in LEAVES)}, "
                "an Enum, a record, or a tuple of these."
            )
        if len(classes) != 1:
            raise Undeclared(
                f"{where}: needs exactly one data class, for example Annotated[..., DataClass.P]; found {len(classes)}."
            )
        if coded is not None and hint is not str:
            raise Undeclared(f"{where}: only a string can be Coded.")
    elif classes:
        raise Undeclared(f"{where}: is a record; its own fields carry the data classes.")
    return Field(name, camel(name), hint, optional, many, classes[0] if classes else None, coded, nested)


def _peel(hint: Any, marks: list[Any]) -> tuple[Any, bool, bool]:
    """Take Annotated, `| None` and `tuple[X, ...]` off a type hint, collecting the marks on the way."""
    optional = many = False
    while True:
        origin = get_origin(hint)
        if origin is Annotated:
            hint, *found = get_args(hint)
            marks.extend(found)
        elif origin in (Union, types.UnionType):
            inner = [a for a in get_args(hint) if a is not type(None)]
            if len(inner) != 1 or len(inner) == len(get_args(hint)):
                raise Undeclared(f"{hint!r} is a union; only `X | None` can be stored.")
            hint, optional = inner[0], True
        elif origin is tuple:
            args = get_args(hint)
            if len(args) != 2 or args[1] is not Ellipsis or many:
                raise Undeclared(f"{hint!r}: only `tuple[X, ...]`, one level deep, can be stored.")
            hint, many = args[0], True
        else:
            if optional and many:
                raise Undeclared(f"A tuple of {hint!r} cannot hold or be None; an empty tuple says the same.")
            return hint, optional, many


@dataclass(frozen=True)
class Fact:
    """One row of a contract: the pinned name and version under which a record is stored for ever.

    `published=False` keeps a fact inside its service: on the bus its place is taken by a message without a body.
    `person` says which field holds the reference of the person (or party) whose key seals the sealed fields.
    `linked=False`: no link is kept with it, neither case nor correlation, causation, consents or trace.
    `upcasts[n]` turns the JSON form of version n into that of version n + 1; sealed fields may be missing in it.
    """

    name: str
    version: int
    cls: type
    person: str | None = None
    published: bool = True
    linked: bool = True
    upcasts: Mapping[int, Upcast] = field(default_factory=dict[int, Upcast])


@dataclass(frozen=True)
class Declared:
    """A fact's row together with its shape."""

    fact: Fact
    shape: Shape

    @property
    def name(self) -> str:
        return self.fact.name


class Facts:
    """A service's contract: every event it can add. Checked as it is built."""

    def __init__(self, service: str, facts: Iterable[Fact]) -> None:
        self.service = service
        self.declared = tuple(Declared(f, shape_of(f.cls)) for f in facts)
        self.by_name = {d.name: d for d in self.declared}
        self.by_class = {d.fact.cls: d for d in self.declared}
        self._check()

    def _check(self) -> None:
        if len(self.by_name) != len(self.declared) or len(self.by_class) != len(self.declared):
            raise Undeclared(f"{self.service}: a name or a record is declared twice.")
        for d in self.declared:
            missing = [v for v in range(1, d.fact.version) if v not in d.fact.upcasts]
            if missing:
                raise Undeclared(f"{d.name}: no upcast from version {missing}.")
            names = {f.name: f for f in d.shape.fields}
            if d.shape.seals and d.fact.person is None:
                raise Undeclared(f"{d.name}: has sealed fields, so `person` must name the field whose key seals them.")
            f = names.get(d.fact.person) if d.fact.person is not None else None
            if d.fact.person is not None and (f is None or f.type is not UUID or f.optional or f.many or f.sealed):
                raise Undeclared(f"{d.name}: `person` must name an open field that always holds one UUID.")

    def __iter__(self) -> Iterator[Declared]:
        return iter(self.declared)
