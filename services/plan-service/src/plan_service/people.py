"""Who is the person with this number? case-service alone knows: it is asked when it has to be known, as the caller, and
where it gives no answer there is none."""

from typing import Any
from uuid import UUID

import httpx

from chassis.problems import Problem

SECONDS = 3.0
"""How long it may take to answer before the caller is asked to come back."""


class People:
    """case-service at one address, as far as this service asks it."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def reference(self, person_id: str, org_nr: str, passed_on: dict[str, str]) -> UUID | None:
        """The person's pseudonymous reference; None where nobody with this number has an employment there, or not for
        this caller. `passed_on` are the caller's own headers. Raises Problem: 422 `invalid-person-id`, 503."""
        try:
            answer = await self._client.post(
                "/v1/people/references", json={"personId": person_id, "orgNr": org_nr}, headers=passed_on
            )
            told: Any = answer.json() if answer.status_code in (200, 422) else {}
            if answer.status_code == 200:
                return UUID(told["personRef"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError):
            raise _away() from None
        if answer.status_code == 404:
            return None
        if answer.status_code == 422:
            raise Problem(
                422, "invalid-person-id", "This is not a personal identity number or a coordination number.",
                field="personId", do="Check the digits: the date of birth, four more, the last of them a check digit.",
            )  # fmt: skip
        raise _away()


class Nobody(People):
    """No address of case-service was given, so nobody can be asked."""

    def __init__(self) -> None:
        pass

    async def reference(self, person_id: str, org_nr: str, passed_on: dict[str, str]) -> UUID | None:
        raise _away()


def people_at(url: str) -> People:
    return People(httpx.AsyncClient(base_url=url, timeout=SECONDS)) if url else Nobody()


def _away() -> Problem:
    return Problem(
        503, "case-service-unavailable", "It cannot be found out just now whose number this is.",
        do="Try again in a while, or take the employment's own address.", headers={"Retry-After": "10"},
    )  # fmt: skip
