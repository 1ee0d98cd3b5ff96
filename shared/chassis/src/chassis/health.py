"""Is the service alive, is it ready, how far has everything come, and what has been set aside?"""

import contextlib
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Request, Response

from chassis.bus import BusUnavailable, stream_end
from chassis.connecting import LOST
from chassis.envelope import Actor
from chassis.identity import allow
from chassis.problems import Problem

router = APIRouter(tags=["operations"])
Operator = Annotated[Actor, allow("ops.operator")]
Position = Annotated[int, Path(ge=1, lt=2**63)]
T = TypeVar("T")


@router.get("/health/live", summary="Is the process alive?")
async def live() -> dict[str, str]:
    return {"status": "alive"}


@router.get("/health/ready", summary="Can it take requests? 503 says what is missing.")
async def ready(request: Request, response: Response) -> dict[str, Any]:
    runtime = request.app.state.runtime
    missing: list[str] = []
    try:
        await runtime.log.head()
    except LOST:
        missing.append("database")
    if not runtime.is_writable():
        missing.append("log held against its stream")
    if runtime.failed.done():
        missing.append(type(runtime.failed.result()).__name__)
    response.status_code = 503 if missing else 200
    return {"status": "waiting" if missing else "ready", "missing": missing}


@router.get("/status", summary="How far log, relay, listeners, read models and workers have come")
async def status(request: Request, who: Operator) -> dict[str, Any]:
    r = request.app.state.runtime
    rows = await r.pool.fetch("select name, position, moment from checkpoints")
    at = {row["name"]: row for row in rows}
    position = {name: row["position"] for name, row in at.items()}
    now = r.clock.now()
    workers: dict[str, Any] = {}
    for worker in r.service.workers:
        due = await worker.due(r)
        workers[worker.name] = {"due": due, "busy": due is not None and due <= now}
    head = await r.log.head()
    published = r.relay.published if r.settings.has("relay") and r.relay else None
    if published is None and r.relay is not None:
        with contextlib.suppress(BusUnavailable):
            published = (await stream_end(r.wire.client, r.name.upper())).sequence
    return {
        "service": r.name,
        "now": now,
        "head": head,
        "published": published,
        "listeners": {
            f.service: {
                "heard": position.get(f"hear:{f.service}", 0),
                "reacted": position.get(f"react:{f.service}", 0),
                "moment": at[f"hear:{f.service}"]["moment"] if f"hear:{f.service}" in at else None,
            }
            for f in r.service.hears
        },
        "views": {
            v.name: {s: position.get(f"view:{v.name}:{s}", 0) for s in v.sources} for v in r.service.views
        },
        "workers": workers,
        "deadLetters": await r.pool.fetchval("select count(*) from dead_letters"),
        "parts": r.settings.parts.split(","),
    }  # fmt: skip


@router.post("/ops/rebuild/{view}", summary="Rebuild a read model while the service goes on writing")
async def rebuild(view: str, request: Request, who: Operator) -> dict[str, Any]:
    folder = _known(request.app.state.runtime.folders, view, "view", "There is no such read model.")
    folded = await folder.rebuild()
    return {"view": view, "folded": folded, "digest": await folder.digest()}


@router.get("/ops/views/{view}/digest", summary="A hash over a read model's rows")
async def digest(view: str, request: Request, who: Operator) -> dict[str, Any]:
    folder = _known(request.app.state.runtime.folders, view, "view", "There is no such read model.")
    return {"view": view, "digest": await folder.digest()}


@router.get("/ops/dead-letters", summary="Messages that were set aside, oldest first")
async def dead_letters(request: Request, who: Operator) -> dict[str, Any]:
    rows = await request.app.state.runtime.pool.fetch(
        "select source, position, case_id, type, state, reason, attempts, since from dead_letters "
        "order by source, position limit 500"
    )
    return {"items": [dict(row) for row in rows]}


@router.post("/ops/dead-letters/{source}/{position}/replay", summary="Try a set-aside message again")
async def replay(source: str, position: Position, request: Request, who: Operator) -> dict[str, Any]:
    reactor = _known(request.app.state.runtime.reactors, source, "source", "This service does not hear that source.")
    return {"done": await reactor.replay(position)}


def _known(there: Mapping[str, T], name: str, what: str, otherwise: str) -> T:
    if name not in there:
        do = f"Use one of: {', '.join(sorted(there)) or 'none'}."
        raise Problem(404, f"unknown-{what}", otherwise, field=what, do=do)
    return there[name]
