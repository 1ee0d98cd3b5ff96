"""Who lives here? The real local stack, and parties who call its services over HTTP as they would in earnest."""

import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from chassis.servers import Keeper
from chassis.servers.issuer import Issuer
from samordna.operator import Operator
from samordna.personas import PERSONAS
from samordna.stack import Stack, stack_up

PLAN = {"channel": "PORTAL", "drawnUpOn": "2026-03-02", "employeeConsulted": True}
"""The least an employer can hand in."""


@dataclass
class House:
    """A running stack. Every problem document that somebody is answered is kept in `problems`."""

    stack: Stack
    operator: Operator
    issuer: Issuer
    tokens: Mapping[str, str]
    client: httpx.AsyncClient
    problems: list[bytes] = field(default_factory=list[bytes])

    async def call(self, who: str | None, method: str, service: str, path: str, **more: Any) -> httpx.Response:
        """A request as a persona (None: without a token). Waits for nothing and tries nothing twice."""
        headers = dict(more.pop("headers", {}))
        if who is not None:
            headers["Authorization"] = f"Bearer {self.tokens[who]}"
        answer = await self.client.request(method, self.stack.url(service) + path, headers=headers, **more)
        if not answer.is_success:
            self.problems.append(answer.content)
        return answer

    async def done(self, who: str, method: str, service: str, path: str, **more: Any) -> httpx.Response:
        """A request that must succeed."""
        answer = await self.call(who, method, service, path, **more)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    async def read(self, who: str, service: str, path: str, **more: Any) -> Any:
        return (await self.done(who, "GET", service, path, **more)).json()

    async def heads(self) -> dict[str, int]:
        """The last position of every service's log, asked of PostgreSQL itself."""
        found = {n: await self.stack.postgres.execute("select position from log_head", database=n) for n in self.names}
        return {name: rows[0][0] for name, rows in found.items()}

    @property
    def names(self) -> list[str]:
        return list(self.stack.members)

    @staticmethod
    def employment(**other: Any) -> tuple[str, dict[str, Any]]:
        """Path and body of a new employment at employer A, with a plan owed from 31 March 2026 on."""
        body = {
            "caseId": str(uuid4()),
            "personRef": str(uuid4()),
            "orgNr": PERSONAS["hr-a"].org_id,
            "employmentKind": "ORDINARY",
            "workplace": "Lagret",
            "spellStart": "2026-03-02",
            "expectedDays": 90,
        }
        return f"/v1/employments/{uuid4()}", body | other

    async def registered(self, **other: Any) -> tuple[str, dict[str, Any]]:
        """As `employment`, and FK has registered it."""
        path, body = self.employment(**other)
        await self.done("fk-handler", "PUT", "plan", path, json=body)
        return path, body


@asynccontextmanager
async def house_open(checkout: Path, label: str, at: datetime) -> AsyncGenerator[House, None]:
    """A fresh stack of its own, up inside the block; nothing of it is left afterwards."""
    keeper = Keeper()
    stack = Stack(checkout, f"journey-{os.getpid()}-{label}", keep=keeper)
    try:
        async with stack_up(stack, at), httpx.AsyncClient(timeout=30) as client:
            issuer = Issuer(stack.desk_url, (stack.home / "issuer.pem").read_bytes())
            tokens = {name: issuer.token(persona, 3600) for name, persona in PERSONAS.items()}
            yield House(stack, Operator(stack, tokens["operator"]), issuer, tokens, client)
    finally:
        keeper.close()
        stack.wipe()
        for folder in {stack.place.home, stack.place.data}:
            folder.rmdir()
