"""Who plays, what is expected, and what came of it: the stage on which the story's steps are played."""

import json
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
from rich.console import Console

from chassis.servers.issuer import Issuer
from samordna.operator import Operator, caller
from samordna.personas import insured
from samordna.stack import Stack

SWEDEN = ZoneInfo("Europe/Stockholm")


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and kind of a refusal; the kind is empty where it was none."""
    return answer.status_code, "" if answer.is_success else answer.json()["type"].removeprefix("/problems/")


class Broken(Exception):
    """The story cannot go on: what the next steps build on did not happen."""


@dataclass
class Script:
    """The story's inputs, as they lie in `deploy/demo/`."""

    told: Mapping[str, Any]
    plan_file: bytes

    @property
    def begins(self) -> datetime:
        return datetime.fromisoformat(self.told["begins"])

    def person_id(self, which: str) -> str:
        """The number of person A or B; both are ones that belong to nobody."""
        return self.told["caseA" if which == "A" else "noticeB"]["personId"]


def read_script(folder: Path) -> Script:
    told: dict[str, Any] = json.loads((folder / "story.json").read_text())
    return Script(told, (folder / told["planFile"]).read_bytes())


@dataclass
class Ids:
    """By what case A or B, its person and its employment go, once the services have said so."""

    case: str
    person: str
    employment: str


@dataclass
class Play:
    """The running story. `call` acts as somebody; `expect` notes whether what should be so is so."""

    stack: Stack
    script: Script
    operator: Operator
    issuer: Issuer
    tokens: dict[str, str]
    out: Console
    ids: dict[str, Ids] = field(default_factory=dict[str, Ids])
    met: int = 0
    steps: dict[str, int] = field(default_factory=dict[str, int])
    failed: list[str] = field(default_factory=list[str])
    notes: dict[str, Any] = field(default_factory=dict[str, Any])
    _step: str = ""

    @property
    def expectations(self) -> int:
        return sum(self.steps.values())

    def expect(self, what: str, so: object, seen: object = None) -> bool:
        """Note an expectation; when it is not so, say what was seen instead."""
        self.steps[self._step] += 1
        if so:
            self.met += 1
            self.out.print(f"   [green]✓[/green] {what}")
        else:
            self.failed.append(f"{self._step}: {what}")
            self.out.print(f"   [red]✗ {what}[/red]" + (f"\n     såg / saw: {seen}" if seen is not None else ""))
        return bool(so)

    def need(self, what: str, so: object, seen: object = None) -> None:
        """An expectation without which the story cannot go on."""
        if not self.expect(what, so, seen):
            raise Broken(what)

    @asynccontextmanager
    async def step(self, name: str, title: str) -> AsyncGenerator[None, None]:
        """One step of the story. A step in which nothing is expected counts as one that failed."""
        self._step = name
        self.steps.setdefault(name, 0)
        began = time.monotonic()
        self.out.print(f"\n[bold]{title}[/bold]")
        yield
        if not self.steps[name]:
            self.expect("steget prövar något / the step checks something", False)
        self.out.print(f"   [dim]{time.monotonic() - began:.1f} s[/dim]")

    # --- whom it is about ---

    def knows(self, which: str, ids: Ids) -> None:
        """From now on case A or B has ids, and its person a token of their own: `person-a`, `person-b`."""
        self.ids[which] = ids
        self.tokens[f"person-{which.lower()}"] = self.issuer.token(insured(UUID(ids.person)), 3600)

    def path(self, which: str) -> str:
        """The address of employment A or B in plan-service."""
        return f"/v1/employments/{self.ids[which].employment}"

    def at(self, which: str) -> str:
        """The address of case A or B, in whichever service."""
        return f"/v1/cases/{self.ids[which].case}"

    # --- as somebody ---

    async def call(self, who: str | None, method: str, service: str, path: str, **more: Any) -> httpx.Response:
        """A request as `who` (None: without a token). Waits for nothing and tries nothing twice."""
        headers = dict(more.pop("headers", {}))
        if who is not None:
            headers["Authorization"] = f"Bearer {self.tokens[who]}"
        async with caller(20) as client:
            return await client.request(method, self.stack.url(service) + path, headers=headers, **more)

    async def read(self, who: str, service: str, path: str, **more: Any) -> Any:
        """GET, which must succeed."""
        answer = await self.call(who, "GET", service, path, **more)
        if answer.status_code != 200:
            raise Broken(f"GET {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json()

    async def get_past(self, who: str, service: str, path: str, *done: httpx.Response) -> Any:
        """GET, which must succeed, and sees what those commands did."""
        return await self.read(who, service, path, headers={"Read-After": done[-1].headers["Samordna-Position"]})

    async def head(self, service: str) -> int:
        return int((await self.operator.get(service, "/status"))["head"])

    # --- time ---

    def day(self, n: int) -> date:
        """Spell day n of both employments."""
        return date.fromisoformat(self.script.told["caseA"]["spellStart"]) + timedelta(days=n - 1)

    async def until(self, day: date, hour: int = 12) -> None:
        """Move the clock to that hour, Swedish time, everybody level at every due time on the way."""
        to = datetime(day.year, day.month, day.day, hour, tzinfo=SWEDEN)
        await self.operator.move_clock({"to": to.isoformat()})

    async def mail(self, which: str) -> list[dict[str, Any]]:
        """Every e-mail to employer A or B, oldest first, with the Swedish day on which it came."""
        address = self.script.told[f"contact{which}"]["address"]
        found = [m for m in await self.operator.mail() if address in m["to"]]
        return [m | {"day": datetime.fromisoformat(m["at"]).astimezone(SWEDEN).date()} for m in found]

    async def tasks(self, who: str, which: str, kind: str) -> list[dict[str, Any]]:
        """The open tasks of `who`'s role or party of that kind, about case A or B, or ("") about no case."""
        items = (await self.read(who, "notification", "/v1/tasks?limit=100"))["items"]
        case = self.ids[which].case if which else None
        return [t for t in items if t["caseId"] == case and t["kind"] == kind]

    async def timeline(self, which: str) -> list[dict[str, Any]]:
        """What notification-service did in case A or B."""
        return (await self.read("fk-handler", "notification", f"{self.at(which)}/timeline?limit=100"))["items"]

    async def deadlines(self, which: str, kind: str = "", who: str = "fk-handler") -> list[dict[str, Any]]:
        """The deadlines of case A or B that `who` sees, those of that kind."""
        items = (await self.read(who, "notification", f"{self.at(which)}/deadlines?limit=100"))["items"]
        return [d for d in items if kind in ("", d["kind"])]

    # --- trouble ---

    async def kill(self, service: str) -> None:
        """SIGKILL, and see that it is gone."""
        await self.stack.kill(service)
        try:
            await self.call(None, "GET", service, "/health/live")
            answered = True
        except httpx.HTTPError:
            answered = False
        self.expect(f"{service}-service dödas hårt: inget svar / killed hard: no answer", not answered)

    def result(self, seconds: float) -> dict[str, Any]:
        return {"expectations": self.expectations, "met": self.met, "seconds": round(seconds, 1), "steps": self.steps}
