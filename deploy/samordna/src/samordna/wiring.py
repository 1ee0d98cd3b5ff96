"""What is a service's process told when it is started here, and when is it there?"""

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import httpx

from chassis.servers import CouldNotStart, Postgres
from samordna.state import ServiceState

READY = 60.0
"""Seconds a process may take until it answers."""

PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH", "SAMORDNA_LOG_LEVEL",
             "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS")  # fmt: skip
"""What of our own environment a service gets; everything else about it is decided here."""


def environment(
    home: Path, name: str, *, desk_url: str, nats_url: str, smtp_port: int, port: int, case_url: str
) -> dict[str, str]:
    """A service's settings but for its databases, as environment variables."""
    told = {
        "NATS_URL": nats_url,
        "MASTER_KEY_FILE": str(home / f"{name}.master.key"),
        "ISSUER": desk_url,
        "JWKS_URL": f"{desk_url}/jwks.json",
        "CLOCK": f"simulated:{home / 'clock'}",
        "PORT": str(port),
        "TRACE_FILE": str(home / f"{name}.traces.jsonl"),
        "TRACE_RATIO": "1",
        "TRACE_PER_SECOND": "inf",
        "SMTP_URL": f"smtp://127.0.0.1:{smtp_port}",
        "CASE_URL": case_url,
    }
    return passed_on() | {f"SAMORDNA_{key}": value for key, value in told.items()}


def databases(postgres: Postgres, name: str, service: ServiceState, owner: bool) -> dict[str, str]:
    """A service's database settings: the running role's, and the owner's when asked for."""
    log, keys = name, f"{name}_keys"
    app, own = (f"{name}_app", service.app_password), (f"{name}_owner", service.owner_password)
    told = {"DATABASE_URL": postgres.url(log, *app), "KEYS_DATABASE_URL": postgres.url(keys, *app)}
    if owner:
        told |= {"OWNER_DATABASE_URL": postgres.url(log, *own), "KEYS_OWNER_DATABASE_URL": postgres.url(keys, *own)}
    return {f"SAMORDNA_{key}": value for key, value in told.items()}


def passed_on() -> dict[str, str]:
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ}


async def answers(name: str, url: str, alive: Callable[[], bool], log: Path) -> None:
    """Wait until `url` answers 200. Raises CouldNotStart when the process has ended or the time is out."""
    said = "nothing"
    try:
        async with asyncio.timeout(READY), httpx.AsyncClient(timeout=5) as client:
            while True:
                if not alive():
                    raise CouldNotStart(name, "it ended", log)
                with contextlib.suppress(httpx.HTTPError):
                    answer = await client.get(url)
                    if answer.status_code == 200:
                        return
                    said = answer.text
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise CouldNotStart(name, f"not ready within {READY:.0f} s; it said {said}", log) from None
