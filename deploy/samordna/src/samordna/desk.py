"""What does the local stack need that a real deployment gets from elsewhere? Tokens, time that can be moved, a postbox.

One small process: `python -m samordna.desk FOLDER`, configured by `desk.json` in that folder. It exists only here.
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncGenerator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any
from uuid import UUID

import httpx
import uvicorn
from aiosmtpd.smtp import SMTP
from fastapi import FastAPI, Response
from fastapi.responses import PlainTextResponse

from chassis import problems
from chassis.clock import SimulatedClock, set_simulated
from chassis.edge import Edge
from chassis.envelope import Actor
from chassis.http import Body
from chassis.identity import Verifier, allow
from chassis.problems import Problem
from chassis.servers.issuer import Issuer
from samordna.personas import PERSONAS, insured
from samordna.post import PostBox
from samordna.stepping import NotLevel, Status, Step, level, move

Operator = Annotated[Actor, allow("ops.operator")]
LONGEST = timedelta(days=3660)
"""The clock may be moved ten years at once; more is a slip of the finger."""


class WantToken(Body):
    """`person_ref`: whom the insured person is to be, as case-service says when a case is opened or found."""

    persona: str
    valid_for: int = 8 * 3600
    person_ref: UUID | None = None


class WantTime(Body):
    """Either a moment or a number of days (and hours); `without` names services that are down on purpose."""

    to: datetime | None = None
    days: float | None = None
    without: tuple[str, ...] = ()


class Desk:
    """The desk's things. `services` maps each service's name to its base URL."""

    def __init__(self, home: Path, url: str, services: Mapping[str, str]) -> None:
        self.home, self.services = home, services
        self.issuer = Issuer(url, _key(home / "issuer.pem"))
        self.clock = SimulatedClock(home / "clock")
        self.post = PostBox(home / "mail", self.clock.now)
        self.moving = asyncio.Lock()
        self.client = httpx.AsyncClient(timeout=10)

    async def ask(self) -> dict[str, Status | str]:
        """Every service's GET /status at once; in words, why one does not answer."""
        bearer = {"Authorization": f"Bearer {self.issuer.token(PERSONAS['operator'])}"}
        answers = await asyncio.gather(*(self._ask_one(url, bearer) for url in self.services.values()))
        return dict(zip(self.services, answers, strict=True))

    async def _ask_one(self, url: str, bearer: Mapping[str, str]) -> Status | str:
        try:
            answer = await self.client.get(f"{url}/status", headers=dict(bearer))
        except httpx.HTTPError as error:
            return type(error).__name__
        return answer.json() if answer.status_code == 200 else f"status {answer.status_code}"

    def set_clock(self, to: datetime) -> None:
        set_simulated(self.home / "clock", to)


def _key(file: Path) -> bytes:
    """The issuer's private key, made at the first start and kept, so that tokens outlive a restart."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_bytes(Issuer("").key_pem())
    return file.read_bytes()


def create_desk(desk: Desk) -> FastAPI:
    app = FastAPI(title="samordna desk", version="1")
    problems.install(app)
    app.add_middleware(Edge)

    async def jwks() -> dict[str, Any]:
        return desk.issuer.jwks()

    app.state.runtime = SimpleNamespace(verifier=Verifier(desk.issuer.url, desk.issuer.audience, jwks))
    app.get("/jwks.json", summary="The issuer's public keys")(jwks)
    _people(app, desk)
    _time(app, desk)
    _mail(app, desk)
    return app


def _people(app: FastAPI, desk: Desk) -> None:
    @app.get("/personas", summary="Everybody who can be played here")
    async def personas() -> dict[str, Any]:
        return {name: {"about": p.about, "role": p.role, "orgType": p.org_type, "orgId": p.org_id, "sub": p.user_ref}
                for name, p in PERSONAS.items()}  # fmt: skip

    @app.post("/token", summary="A token for one of them")
    async def token(want: WantToken) -> dict[str, Any]:
        persona = PERSONAS.get(want.persona)
        if persona is None:
            raise Problem(422, "unknown-persona", "There is no such persona.", field="persona",
                          do=f"Use one of: {', '.join(PERSONAS)}.")  # fmt: skip
        if want.person_ref is not None:
            if want.persona != "insured":
                raise Problem(422, "not-the-insured", "Only the insured person has a reference of a person.",
                              field="personRef", do="Leave it out, or ask for the persona insured.")  # fmt: skip
            persona = insured(want.person_ref)
        made = desk.issuer.token(persona, want.valid_for)
        return {"access_token": made, "token_type": "Bearer", "expires_in": want.valid_for}


def _time(app: FastAPI, desk: Desk) -> None:
    @app.get("/clock", summary="What time is it here?")
    async def clock() -> dict[str, Any]:
        return {"now": desk.clock.now(), "moving": desk.moving.locked()}

    @app.post("/clock", summary="Move time on, stepping from one due time to the next")
    async def move_clock(want: WantTime, who: Operator) -> dict[str, Any]:
        if desk.moving.locked():
            raise Problem(409, "clock-is-moving", "The clock is being moved already.", do="Try again when it stands.")
        async with desk.moving:
            now = desk.clock.now()
            steps = await _moved(desk, now, _target(want, now), want.without)
        return {"from": now, "now": desk.clock.now(), "steps": [_told(s) for s in steps]}

    @app.get("/level", summary="Wait until everybody is level, without moving the clock")
    async def wait_level(who: Operator) -> dict[str, Any]:
        async with desk.moving:
            return {"services": await _level(desk)}


def _target(want: WantTime, now: datetime) -> datetime:
    if (want.to is None) == (want.days is None):
        raise Problem(422, "invalid-input", "Say either `to` or `days`.", field="to", do="Send one of the two.")
    target = want.to if want.to is not None else now + timedelta(days=want.days or 0)
    if target.tzinfo is None:
        raise Problem(422, "invalid-input", "A moment needs its offset.", field="to", do="Write 2026-03-02T08:00:00Z.")
    if target < now:
        raise Problem(422, "time-goes-forward", "The clock can only be moved forward.", field="to",
                      do=f"It is {now.isoformat()} here.")  # fmt: skip
    if target - now > LONGEST:
        raise Problem(422, "too-far", "The clock can be moved at most ten years at once.", field="to",
                      do="Move it in several steps.")  # fmt: skip
    return target


async def _moved(desk: Desk, now: datetime, target: datetime, without: tuple[str, ...]) -> list[Step]:
    if unknown := sorted(set(without) - set(desk.services)):
        raise Problem(422, "unknown-service", f"There is no service called {unknown[0]!r}.", field="without")
    try:
        return await move(desk.ask, now, target, desk.set_clock, without=without)
    except NotLevel as error:
        raise _not_level(desk, error) from error


async def _level(desk: Desk) -> Mapping[str, Status | str]:
    try:
        return await level(desk.ask, desk.clock.now())
    except NotLevel as error:
        raise _not_level(desk, error) from error


def _not_level(desk: Desk, error: NotLevel) -> Problem:
    return Problem(
        503, "not-level", f"Not everybody got level at {desk.clock.now().isoformat()}: {error}",
        do="See the logs of those named; name services that are down on purpose in `without`.",
        extra={"why": error.why},
    )  # fmt: skip


def _told(step: Step) -> dict[str, Any]:
    return {"at": step.at, "service": step.service, "worker": step.worker}


def _mail(app: FastAPI, desk: Desk) -> None:
    @app.get("/mail", summary="Every e-mail that was sent, oldest first")
    async def mail(who: Operator) -> dict[str, Any]:
        return {"items": desk.post.all()}

    @app.get("/mail/{number}", summary="One e-mail as it came", response_class=PlainTextResponse)
    async def one(number: int, who: Operator) -> Response:
        file = desk.post.folder / f"{number}.eml"
        if not file.exists():
            raise Problem(404, "not-found", "There is no such e-mail.")
        return Response(file.read_bytes(), media_type="message/rfc822")


@contextlib.asynccontextmanager
async def postbox_open(box: PostBox, port: int) -> AsyncGenerator[int, None]:
    """Take e-mails on a loopback port (0: any free one); gives the port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(box, hostname="samordna.local", loop=loop), "127.0.0.1", port)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()


async def serve(home: Path) -> None:
    """Run until told to stop. `desk.json`: {"port": 1, "smtp": 2, "services": {"plan": "http://..."}}"""
    told: dict[str, Any] = json.loads((home / "desk.json").read_text())
    desk = Desk(home, f"http://127.0.0.1:{told['port']}", told["services"])
    config = uvicorn.Config(
        create_desk(desk), "127.0.0.1", told["port"], log_level="warning", timeout_graceful_shutdown=2
    )
    async with postbox_open(desk.post, told["smtp"]):
        await uvicorn.Server(config).serve()
    await desk.client.aclose()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
