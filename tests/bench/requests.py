"""Which HTTP requests are sent? Employments registered by FK, each one new, written out beforehand byte for byte.

Both services under load are sent exactly these bytes.
"""

import json
import random

from tests.bench.inputs import a_registration, uuid_of

PATH = "/v1/employments/{id}"


def requests(count: int, token: str, port: int, seed: int) -> list[bytes]:
    """`count` whole HTTP/1.1 requests with keep-alive, an Idempotency-Key and a bearer token each."""
    dice = random.Random(seed)
    made: list[bytes] = []
    for _ in range(count):
        e = a_registration(dice)
        body = json.dumps(
            {
                "caseId": str(e.case_id),
                "personRef": str(e.person_ref),
                "orgNr": e.org_nr,
                "employmentKind": e.employment_kind.value,
                "workplace": e.workplace,
                "spellStart": e.spell_start.isoformat(),
                "expectedDays": e.expected_days,
            }
        ).encode()
        head = (
            f"PUT {PATH.format(id=e.employment_id)} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Authorization: Bearer {token}\r\nIdempotency-Key: {uuid_of(dice)}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made
