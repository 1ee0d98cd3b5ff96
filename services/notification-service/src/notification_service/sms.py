"""How does a message reach a phone? Through a gateway that somebody runs for us, spoken to over HTTP.

The gateway is posted `{"to": "+46...", "text": "...", "reference": "<id>"}` and answers 2xx when it has taken the
message. The reference is the same for every try, so that it can drop what comes twice. Without a gateway there is no
SMS: the caller is told so, and nothing is pretended.
"""

from typing import Protocol
from uuid import UUID

import httpx

TEXT = (
    "Du har ett meddelande i Samordna. Logga in för att läsa det. / You have a message in Samordna. Log in to read it."
)
"""The whole of every SMS: no name, no case, no link."""


class GatewayTrouble(Exception):
    """The gateway cannot be used just now; it is not about this one message."""


class NumberRefused(Exception):
    """The gateway will never take a message to this number."""


class SmsGateway(Protocol):
    async def send(self, reference: UUID, to: str) -> None:
        """Hand over one message. Raises GatewayTrouble or NumberRefused."""
        ...


class HttpGateway:
    """A gateway at a URL. `token` is its password, sent as a bearer token when there is one."""

    def __init__(self, url: str, token: str, timeout: float) -> None:
        self._url, self._timeout = url, timeout
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def send(self, reference: UUID, to: str) -> None:
        body = {"to": to, "text": TEXT, "reference": str(reference)}
        try:
            async with httpx.AsyncClient(timeout=self._timeout, headers=self._headers) as client:
                status = (await client.post(self._url, json=body)).status_code
        except httpx.HTTPError as error:
            raise GatewayTrouble from error
        if status in (400, 404, 410, 422):
            raise NumberRefused
        if not 200 <= status < 300:  # also 401 and 403: that is about us, not about the number
            raise GatewayTrouble
