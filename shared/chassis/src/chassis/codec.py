"""How a fact becomes bytes and comes back: pinned names and versions, open and sealed parts apart.

The open part is JSON and is what travels on the bus. The sealed part is JSON too, but only ever leaves this module to
be encrypted. A reader that may not open it, or whose key has been destroyed, sees blanks: "", None or ().
"""

import dataclasses
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec

from chassis.facts import Declared, Facts, Field, Shape

Json = dict[str, Any]
_encode = msgspec.json.Encoder(uuid_format="canonical").encode
_parse: Callable[[bytes], Any] = msgspec.json.Decoder().decode


class Unreadable(Exception):
    """A stored or heard fact has a name or version that this code does not know, or its bytes are not that fact."""


class NotACode(ValueError):
    """A field that may only hold a code was given something else. The value is not repeated here."""


class Encoded(msgspec.Struct, frozen=True, gc=False):
    """A fact as bytes: `sealed` is still plain text here and must be encrypted under `subject`'s key before storing.

    `linked` says whether it may be stored with what leads from it to a case or a request."""

    name: str
    version: int
    open: bytes
    sealed: bytes | None
    subject: UUID | None
    linked: bool = True


class Codec:
    """Encodes and decodes every fact of one contract."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._by_class = {d.fact.cls: _Coder(d) for d in facts}
        self._by_name = {d.name: self._by_class[d.fact.cls] for d in facts}

    def encode(self, fact: object) -> Encoded:
        """Raises NotACode where a coded field holds prose, KeyError for a record that is not in the contract."""
        return self._by_class[type(fact)].encode(fact)

    def decode(self, name: str, version: int, data: bytes, sealed: bytes | None = None) -> Any:
        """The record, upcast to today's version. `sealed` is the decrypted sealed part, or None for blanks."""
        coder = self._by_name.get(name)
        if coder is None:
            raise Unreadable(f"{self.facts.service}: no event is called {name}.")
        return coder.decode(version, data, sealed)

    def knows(self, name: str) -> bool:
        return name in self._by_name


class _Coder:
    def __init__(self, declared: Declared) -> None:
        self.fact = declared.fact
        self.shape = declared.shape
        self.seals = declared.shape.seals
        self._open, self._sealed = _dumper(self.shape, False), _dumper(self.shape, True)
        struct, build = _reader(self.shape)
        self._decoder = msgspec.json.Decoder(struct)
        self._convert: Callable[[Any], Any] = lambda raw: msgspec.convert(raw, struct)
        self._build = build

    def encode(self, fact: Any) -> Encoded:
        sealed = _encode(self._sealed(fact)) if self.seals else None
        subject = getattr(fact, self.fact.person) if self.fact.person else None
        return Encoded(self.fact.name, self.fact.version, _encode(self._open(fact)), sealed, subject, self.fact.linked)

    def decode(self, version: int, data: bytes, sealed: bytes | None) -> Any:
        try:
            if version == self.fact.version and sealed is None:
                return self._build(self._decoder.decode(data))
            raw: Json = _parse(data)
            if sealed is not None:
                _merge(raw, _parse(sealed))
            return self._build(self._convert(self._upcast(version, raw)))
        except (msgspec.MsgspecError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise Unreadable(f"{self.fact.name} v{version}: the stored form does not fit the contract.") from error

    def _upcast(self, version: int, raw: Json) -> Json:
        if version > self.fact.version:
            raise Unreadable(f"{self.fact.name} v{version} is newer than this code, which knows v{self.fact.version}.")
        for step in range(version, self.fact.version):
            raw = self.fact.upcasts[step](raw)
        return raw


def _dumper(shape: Shape, sealed: bool) -> Callable[[Any], Json]:
    """Compile a function from a record to the JSON form of its open (or sealed) half."""
    leaves = [(f.name, f.json) for f in shape.fields if f.nested is None and f.sealed is sealed]
    checks = [(f.name, re.compile(f.coded.pattern).fullmatch, f.many) for f in shape.fields if f.coded and not sealed]
    nested = [
        (f.name, f.json, f.many, _dumper(f.nested, sealed))
        for f in shape.fields
        if f.nested is not None and (f.nested.seals or not sealed)
    ]

    def dump(record: Any) -> Json:
        values = record.__dict__
        for name, fits, many in checks:
            value = values[name]
            if value is not None and not (all(map(fits, value)) if many else fits(value)):
                raise NotACode(f"{shape.cls.__name__}.{name} must be a code; free text does not belong in it.")
        raw = {json: values[name] for name, json in leaves}
        for name, json, many, inner in nested:
            value = values[name]
            raw[json] = [inner(v) for v in value] if many else value if value is None else inner(value)
        return raw

    return dump


def _merge(raw: Any, sealed: Any) -> None:
    """Lay the sealed half into the open half; lists are merged item by item."""
    for key, value in sealed.items():
        there = raw.get(key)
        if isinstance(there, dict):
            _merge(there, value)
        elif isinstance(there, list) and there and isinstance(there[0], dict):
            for a, b in zip(there, value, strict=True):
                _merge(a, b)
        else:
            raw[key] = value


def _blank(f: Field) -> Any:
    if f.many:
        return ()
    return "" if f.type is str and not f.optional else None


def _reader(shape: Shape) -> tuple[type, Callable[[Any], Any]]:
    """A struct that reads the JSON form, and a function from that struct to the record.

    Sealed fields may be missing, and so may what the record has a default for: fields added later. All else is needed.
    """
    members: list[tuple[Any, ...]] = []
    defaults = {f.name: f.default for f in dataclasses.fields(shape.cls) if f.default is not dataclasses.MISSING}
    nested: list[tuple[str, bool, Callable[[Any], Any]]] = []
    for f in shape.fields:
        kind: Any = f.type
        if f.nested is not None:
            kind, build = _reader(f.nested)
            nested.append((f.name, f.many, build))
        hint: Any = tuple[kind, ...] if f.many else kind | None if f.optional or f.sealed else kind
        if f.sealed or f.optional or f.name in defaults:
            members.append((f.name, hint, _blank(f) if f.sealed else defaults.get(f.name)))
        else:
            members.append((f.name, hint))
    rename = {f.name: f.json for f in shape.fields}
    struct = msgspec.defstruct(shape.cls.__name__, members, kw_only=True, rename=rename, gc=False)
    return struct, _builder(shape.cls, nested)


def _builder(cls: type, nested: list[tuple[str, bool, Callable[[Any], Any]]]) -> Callable[[Any], Any]:
    asdict = msgspec.structs.asdict

    def build(struct: Any) -> Any:
        values = asdict(struct)
        for name, many, inner in nested:
            value = values[name]
            if value is not None:
                values[name] = tuple(map(inner, value)) if many else inner(value)
        made: Any = object.__new__(cls)
        made.__dict__.update(values)  # frozen records are filled once, here, past their own __setattr__
        return made

    return build
