"""What does another service see of these facts? JSON Schema of each, and AsyncAPI of all: `python -m chassis.schemas
contracts.plan:PLAN` prints it.

Only the published form is described: sealed fields are not in it, and facts that stay inside their service are not
either. A reader must take fields it does not know, and may miss only those that are not `required`.
"""

import dataclasses
import importlib
import json
import sys
from datetime import date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from chassis.facts import Declared, Facts, Field, Shape

Json = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FORMAT = "application/schema+json;version=draft-2020-12"
USAGE = "Usage: python -m chassis.schemas <module>:<FACTS>"

TYPES: dict[type, Json] = {
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    str: {"type": "string"},
    UUID: {"type": "string", "format": "uuid"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
}
TEXT = TYPES[str]
ID = TYPES[UUID]
TIME = TYPES[datetime]
COUNT = {"type": "string", "pattern": "^[0-9]+$"}

ENVELOPE: dict[str, Json] = {
    "ce-specversion": {"const": "1.0"},
    "ce-id": {**ID, "description": "The event's id; the same however often it is sent."},
    "ce-time": {**TIME, "description": "When it happened."},
    "ce-recordedtime": {**TIME, "description": "When the log took it in."},
    "ce-subject": {**TEXT, "description": "The stream within the log."},
    "ce-streamversion": {**COUNT, "description": "Its place in that stream."},
    "ce-actororgtype": {**TEXT, "description": "Who acted: kind of organisation. Percent-encoded, as all text here."},
    "ce-actororgid": TEXT,
    "ce-actorrole": TEXT,
    "ce-actoruser": {**TEXT, "description": "The user's pseudonymous reference."},
    "content-type": {"const": "application/json"},
}
SOMETIMES: dict[str, Json] = {
    "ce-correlationid": ID,
    "ce-causationid": {**ID, "description": "What this came of."},
    "ce-caseid": ID,
    "ce-legalbasis": TEXT,
    "ce-consentids": {**TEXT, "description": "Ids separated by commas."},
    "traceparent": {**TEXT, "description": "W3C Trace Context."},
}


def schema(shape: Shape) -> Json:
    """JSON Schema 2020-12 of a record's published form. Each field says how sensitive it is in `x-data-class`."""
    return {"$schema": DIALECT, **_record(shape)}


def _record(shape: Shape) -> Json:
    seen = [f for f in shape.fields if not f.sealed]
    added_later = {f.name for f in dataclasses.fields(shape.cls) if f.default is not dataclasses.MISSING}
    return {
        "type": "object",
        "properties": {f.json: _field(f) for f in seen},
        "required": [f.json for f in seen if not f.optional and f.name not in added_later],
    }


def _field(f: Field) -> Json:
    one = _one(f)
    if f.many:
        one = {"type": "array", "items": one}
    elif f.optional:
        one = {**one, "type": [one["type"], "null"]}
        if "enum" in one:
            one["enum"] = [*one["enum"], None]
    return {**one, "x-data-class": f.classes.name} if f.classes else one


def _one(f: Field) -> Json:
    if f.nested is not None:
        return _record(f.nested)
    if f.coded is not None:
        return {"type": "string", "pattern": f"^(?:{f.coded.pattern})$"}
    if issubclass(f.type, Enum):
        values = [member.value for member in f.type]
        return {"type": "integer" if isinstance(values[0], int) else "string", "enum": values}
    return dict(TYPES[f.type])


def subject(service: str, declared: Declared) -> str:
    """Where on the bus a fact is published."""
    return f"{service}.0.{declared.name}.v{declared.fact.version}"


def asyncapi(facts: Facts) -> Json:
    """The AsyncAPI 3.0 document of everything that a service publishes."""
    service = facts.service
    seen = [d for d in facts if d.fact.published]
    messages = {d.name: _message(d) for d in seen}
    addresses = {d.name: subject(service, d) for d in seen}
    if len(seen) < len(facts.declared):
        messages["Withheld"] = _withheld(service)
        addresses["Withheld"] = f"{service}.0.Withheld.v1"
    return {
        "asyncapi": "3.0.0",
        "info": {"title": f"{service}-service", "version": "1.0.0", "description": _about(service)},
        "defaultContentType": "application/json",
        "channels": {a: _channel(a, name) for name, a in addresses.items()},
        "operations": {f"send{name}": _sends(a, name) for name, a in addresses.items()},
        "components": {"messages": messages, "messageTraits": {"fact": {"headers": _headers(service)}}},
    }


def _about(service: str) -> str:
    return (
        f"What {service}-service publishes to the NATS JetStream stream {service.upper()}: CloudEvents 1.0, binary "
        "mode. A message's sequence in the stream is its position in the service's log. Sealed fields are absent; "
        "they are read from the service itself."
    )


def _channel(address: str, name: str) -> Json:
    return {"address": address, "messages": {name: {"$ref": f"#/components/messages/{name}"}}}


def _sends(address: str, name: str) -> Json:
    channel = f"#/channels/{address}"
    return {"action": "send", "channel": {"$ref": channel}, "messages": [{"$ref": f"{channel}/messages/{name}"}]}


def _message(declared: Declared) -> Json:
    """A fact's message. What it is comes from here, who did it and when from the trait."""
    what = {"ce-type": {"const": declared.name}, "ce-schemaversion": {"const": str(declared.fact.version)}}
    meaning = " ".join((declared.fact.cls.__doc__ or "").partition("\n\n")[0].split())
    told = {"summary": meaning} if meaning and not meaning.startswith(f"{declared.fact.cls.__name__}(") else {}
    return {
        "name": declared.name,
        **told,
        "contentType": "application/json",
        "traits": [{"$ref": "#/components/messageTraits/fact"}],
        "headers": {"type": "object", "properties": what},
        "payload": {"schemaFormat": FORMAT, "schema": schema(declared.shape)},
    }


def _headers(service: str) -> Json:
    always: Json = {**ENVELOPE, "ce-source": {"const": f"/{service}"}, "ce-type": TEXT, "ce-schemaversion": COUNT}
    return {"type": "object", "properties": {**always, **SOMETIMES}, "required": list(always)}


def _withheld(service: str) -> Json:
    """What stands in the place of a fact that others may not see, so that no sequence is missing."""
    headers: Json = {
        "ce-specversion": {"const": "1.0"},
        "ce-id": ID,
        "ce-source": {"const": f"/{service}"},
        "ce-type": {"const": "withheld"},
    }
    return {
        "name": "Withheld",
        "summary": "Stands in the place of a fact that stays in the service. It has no body.",
        "headers": {"type": "object", "properties": headers, "required": list(headers)},
    }


def printed(facts: Facts) -> str:
    """The document as it is kept in docs/asyncapi."""
    return json.dumps(asyncapi(facts), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    module, colon, name = arguments[0].partition(":") if len(arguments) == 1 else ("", "", "")
    if not colon:
        print(USAGE, file=sys.stderr)
        return 2
    facts: Facts = getattr(importlib.import_module(module), name)
    sys.stdout.write(printed(facts))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
