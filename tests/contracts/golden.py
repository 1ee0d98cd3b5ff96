"""What was every fact's stored form when it was first declared? Kept in golden/, and never changed afterwards.

`python tests/contracts/golden.py --add` writes down what is not there yet: a new fact, or a new version of one. It
changes nothing that is there, since facts have been stored in that form.
"""

import json
import re
import sys
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5
from zlib import crc32

from chassis.codec import Codec
from chassis.facts import Declared, Facts, Field, Shape
from contracts.case import CASE
from contracts.meeting import MEETING
from contracts.notification import NOTIFICATION
from contracts.plan import PLAN

Json = dict[str, Any]

FOLDER = Path(__file__).parent / "golden"
CONTRACTS = (CASE, PLAN, MEETING, NOTIFICATION)
CODES = ("example-code", "5560000167", "0123456789abcdef" * 4, "SE5560000167-0001", "F321", "employer:5560000167")
"""One for each pattern in use; the first that fits is taken."""


def example(shape: Shape, path: str = "") -> Any:
    """A record with a value in every field, always the same: each comes from the field's name."""
    path = path or shape.cls.__name__
    return shape.cls(**{f.name: _values(f, f"{path}.{f.json}") for f in shape.fields})


def _values(f: Field, path: str) -> Any:
    return (_value(f, f"{path}.0"), _value(f, f"{path}.1")) if f.many else _value(f, path)


def _value(f: Field, path: str) -> Any:
    number = crc32(path.encode()) % 1000
    if f.nested is not None:
        return example(f.nested, path)
    if f.coded is not None:
        return _code(f.coded.pattern, path)
    if issubclass(f.type, Enum):
        return min(f.type, key=lambda member: str(member.value))
    return {
        "bool": number % 2 == 0,
        "int": number,
        "str": f"text in {path}, åäö",
        "UUID": uuid5(NAMESPACE_OID, path),
        "date": date(2026, 1, 1) + timedelta(days=number),
        "datetime": datetime(2026, 1, 1, 12, 30, 15, 123456, UTC) + timedelta(minutes=number),
    }[f.type.__name__]


def _code(pattern: str, path: str) -> str:
    fitting = next((code for code in CODES if re.fullmatch(pattern, code)), None)
    assert fitting is not None, f"{path}: no example fits {pattern}; add one to CODES in {__file__}."
    return fitting


def key(declared: Declared) -> str:
    return f"{declared.name}.v{declared.fact.version}"


def today(facts: Facts, declared: Declared) -> Json:
    """What is written down of a fact, as the code has it now."""
    encoded = Codec(facts).encode(example(declared.shape))
    leaves = list(declared.shape.walk())
    subject = f"{facts.service}.0.{declared.name}.v{declared.fact.version}"
    return {
        "name": encoded.name,
        "version": encoded.version,
        "published": declared.fact.published,
        "subject": subject if declared.fact.published else None,
        "keyOf": str(encoded.subject) if encoded.subject else None,
        "open": json.loads(encoded.open),
        "sealed": json.loads(encoded.sealed) if encoded.sealed else None,
        "sealedPaths": [".".join(path) for path, f in leaves if f.sealed],
        "codes": {".".join(p): sorted(m.value for m in f.type) for p, f in leaves if issubclass(f.type, Enum)},
    }


def page(service: str) -> Path:
    return FOLDER / f"{service}.json"


def kept(service: str) -> dict[str, Json]:
    """What is written down of a service's facts, by name and version."""
    return json.loads(page(service).read_text(encoding="utf-8")) if page(service).exists() else {}


def add(facts: Facts) -> list[str]:
    """Write down what is not there yet; answers what that was."""
    there = kept(facts.service)
    new = {key(d): today(facts, d) for d in facts if key(d) not in there}
    if new:
        FOLDER.mkdir(exist_ok=True)
        text = json.dumps({**there, **new}, indent=2, ensure_ascii=False)
        page(facts.service).write_text(text + "\n", encoding="utf-8")
    return list(new)


def main(arguments: list[str]) -> int:
    if arguments != ["--add"]:
        print("Usage: python tests/contracts/golden.py --add", file=sys.stderr)
        return 2
    for facts in CONTRACTS:
        for added in add(facts):
            print(f"{facts.service}: {added}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
