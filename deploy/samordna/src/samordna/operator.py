"""What may the operator of the local stack ask of it, over the same HTTP as everybody else?"""

import functools
import ssl
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from samordna.backup import BackupRefused, Manifest, bring_back, read_manifest
from samordna.stack import Stack
from samordna.stepping import Status


class NotThere(Exception):
    """What was asked of a service or the desk could not be had. The text says why, in the service's own words."""


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Read once a process: it takes longer than a call to a service does."""
    return httpx.create_ssl_context()


def caller(timeout: float | None, **more: Any) -> httpx.AsyncClient:
    """A client for one call. No connection is kept: who is called may be killed before the next."""
    return httpx.AsyncClient(timeout=timeout, verify=_certificates(), **more)


class Operator:
    """Calls services and desk as `ops.operator`. Every method raises NotThere or httpx.HTTPError."""

    def __init__(self, stack: Stack, token: str) -> None:
        self._stack = stack
        self._headers = {"Authorization": f"Bearer {token}"}

    async def _call(self, method: str, url: str, timeout: float | None = 60, **more: Any) -> Any:
        async with caller(timeout, headers=self._headers) as client:
            answer = await client.request(method, url, **more)
        if answer.is_success:
            return answer.json()
        said: dict[str, Any] = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        raise NotThere(f"{said.get('detail', answer.status_code)} {said.get('do', '')}".strip())

    def _url(self, service: str, path: str) -> str:
        if service not in self._stack.members:
            raise NotThere(f"There is no service called {service!r}. Use one of: {', '.join(self._stack.members)}.")
        return f"{self._stack.url(service)}{path}"

    async def get(self, service: str, path: str) -> Any:
        return await self._call("GET", self._url(service, path))

    async def post(self, service: str, path: str, timeout: float | None = None) -> Any:
        return await self._call("POST", self._url(service, path), timeout)

    async def statuses(self) -> Mapping[str, Status | str]:
        """Every service's GET /status; in words, why one does not answer."""
        found = dict[str, Status | str]()
        for name in self._stack.members:
            try:
                found[name] = await self._call("GET", self._url(name, "/status"), 5)
            except (NotThere, httpx.HTTPError) as error:
                found[name] = str(error) or type(error).__name__
        return found

    async def now(self) -> datetime:
        return datetime.fromisoformat((await self._call("GET", f"{self._stack.desk_url}/clock"))["now"])

    async def move_clock(self, want: Mapping[str, Any]) -> dict[str, Any]:
        """Move the clock: {"to": moment} or {"days": n}, and {"without": [service, ...]}. Takes as long as it takes."""
        return await self._call("POST", f"{self._stack.desk_url}/clock", None, json=dict(want))

    async def level(self) -> dict[str, Any]:
        """Wait until everybody is level at the clock's moment; every service's status then."""
        return await self._call("GET", f"{self._stack.desk_url}/level", None)

    async def mail(self) -> list[dict[str, Any]]:
        """Every e-mail that was sent, oldest first."""
        return (await self._call("GET", f"{self._stack.desk_url}/mail"))["items"]


async def restore_service(
    stack: Stack, service: str, file: Path, keys: Path | None, set_aside: bool
) -> list[tuple[Manifest, Path]]:
    """Bring a stopped service's log back from `file`, and its keys from `keys` (else the present keys stay).

    With `set_aside` the present databases are renamed first; without it they must be empty. Raises BackupRefused."""
    if stack.process(service) is not None:
        raise BackupRefused(f"{service}-service is running. Stop it first: samordna stop {service}")
    wanted = [("log", service, file)] + ([("keys", f"{service}_keys", keys)] if keys else [])
    for kind, _, source in wanted:
        read_manifest(source, service, kind)
    if set_aside:
        for _, database, _ in wanted:
            await stack.postgres.set_aside(database)
        await stack.provide(service)
    await stack.migrate(service)
    told = stack.environment(service, owner=True)
    urls = {"log": told["SAMORDNA_OWNER_DATABASE_URL"], "keys": told["SAMORDNA_KEYS_OWNER_DATABASE_URL"]}
    return [
        (await bring_back(service, kind, urls[kind], f"{service}_app", source), source) for kind, _, source in wanted
    ]
