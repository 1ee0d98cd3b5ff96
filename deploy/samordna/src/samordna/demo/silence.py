"""The second half: employer B stays silent, is reminded, and the matter climbs; then we look for what must not be
anywhere, and for one trace through the house."""

import json
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator, Mapping
from datetime import timedelta
from typing import Any

import nats

from samordna.demo.play import Play


async def reminded(play: Play) -> None:
    await play.until(play.day(31) + timedelta(days=15))
    await play.until(play.day(31) + timedelta(days=22))
    days = [m["day"] - play.day(31) for m in (await play.mail("B"))[1:]]
    play.expect("B påminns dag +15 och +22 / B is reminded on +15 and +22", [d.days for d in days] == [15, 22], days)
    play.expect("A får inga påminnelser / A gets no reminders", len(await play.mail("A")) == 1)
    b = await play.read("hr-b", "plan", play.script.path("B"))
    play.expect("B ser vad som begärts / B sees what is asked", b["planStatus"] == "REQUESTED", b)


async def not_received(play: Play) -> None:
    due = play.day(31) + timedelta(days=29)
    await play.until(due - timedelta(days=1))
    early = await play.read("fk-handler", "plan", play.script.path("B"))
    play.expect("dag +28: fortfarande begärd / still requested", early["planStatus"] == "REQUESTED", early)
    await play.until(due)
    late = await play.read("fk-handler", "plan", play.script.path("B"))
    play.need("dag +29: inte mottagen / not received", late["planStatus"] == "NOT_RECEIVED", late)
    happened = await play.timeline("B")
    up = [h for h in happened if h["event"] == "DeadlineEscalated" and h["kind"] == "REQUESTED_PLAN"]
    play.expect("ärendet stiger till handläggaren / the matter goes to the handler",
                [h["who"] for h in up] == ["fk.handler"], up)  # fmt: skip
    tasks = await play.tasks("fk-handler", "B", "ASSESS_TIP")
    play.expect(
        "uppgift: fråga arbetsgivaren, bedöm tips / task: ask the employer, assess a tip", len(tasks) == 1, tasks
    )
    a = await play.read("fk-handler", "plan", play.script.path("A"))
    play.expect("A är orörd / A is untouched", a["planStatus"] == "ASSESSED", a)


async def climbs(play: Play) -> None:
    due = play.day(31) + timedelta(days=29 + 6)
    await play.until(due + timedelta(days=6))
    play.expect("sex dagar efter: enhetschefen vet inget än / the manager is not told yet",
                await play.tasks("fk-manager", "B", "ASSESS_TIP") == [])  # fmt: skip
    await play.until(due + timedelta(days=7))
    play.expect("+7: enhetschefen / the unit manager", len(await play.tasks("fk-manager", "B", "ASSESS_TIP")) == 1)
    await play.until(due + timedelta(days=14))
    play.expect(
        "+14: samverkansansvarig / the collaboration lead", len(await play.tasks("fk-lead", "B", "ASSESS_TIP")) == 1
    )
    task = (await play.tasks("fk-handler", "B", "ASSESS_TIP"))[0]
    done = await play.call("fk-handler", "POST", "notification", f"/v1/tasks/{task['deadlineId']}/done")
    play.expect("handläggaren bockar av / the handler ticks it off", done.is_success, done.text)
    left = [await play.tasks(who, "B", "ASSESS_TIP") for who in ("fk-handler", "fk-manager", "fk-lead")]
    play.expect("och den är borta för alla / and it is gone for all", left == [[], [], []], left)


async def nothing_leaked(play: Play) -> None:
    """What was written in free text, and addresses, are found neither on the bus, in logs, nor in traces."""
    told = play.script.told
    markers = [told["employmentA"]["workplace"], told["employmentB"]["workplace"]]
    markers += [told["contactA"]["address"], told["contactB"]["address"]]
    markers += [a[k] for a in told["planA"]["activities"] for k in ("description", "responsible")]
    messages = [m async for m in bus(play)]
    heads = sum([await play.head(name) for name in play.stack.members])
    play.expect("varje händelse finns på bussen / every fact is on the bus", len(messages) == heads, len(messages))
    found = [m for m in markers if any(m.encode() in text for text in messages)]
    play.expect("ingen fritext och ingen adress på bussen / no free text, no address on the bus", not found, found)
    files = [f for f in play.stack.home.glob("*") if f.suffix in (".log", ".jsonl")]
    texts = {f.name: f.read_text(errors="replace") for f in files}
    marked = [f"{m!r} in {name}" for name, text in texts.items() for m in markers if m in text]
    play.expect("inte heller i loggar eller spår / nor in logs or traces", len(texts) >= 4 and not marked, marked)
    seen = await play.read("hr-a", "plan", f"{play.script.path('A')}/plans/{play.notes['plan']}")
    play.expect("den som får läser den / who may, reads it", markers[-1] in json.dumps(seen, ensure_ascii=False), seen)


async def bus(play: Play) -> AsyncGenerator[bytes, None]:
    """Every message of every stream: subject, headers and body."""
    client = await nats.connect(play.stack.nats.url("ops"))
    try:
        js = client.jetstream()
        for name in play.stack.members:
            end = (await js.stream_info(name.upper())).state.last_seq
            messages = await js.subscribe(f"{name}.>", stream=name.upper(), ordered_consumer=True)
            for _ in range(end):
                m = await messages.next_msg(timeout=5)
                yield f"{m.subject} {m.headers} ".encode() + m.data
    finally:
        await client.close()


async def traced(play: Play) -> None:
    """One trace runs from the request into the next service."""
    spans = defaultdict[str, list[dict[str, Any]]](list)
    for span in _spans(play):
        spans[span["trace"]].append(span)
    wanted = "POST /employments/{employment_id}/plan-requests"
    tree = next((t for t in spans.values() if _through_the_house(t, wanted)), [])
    play.expect("ett spår går genom logg, relä och lyssnare till nästa tjänst / one trace through the house", tree)
    for line in _drawn(tree):
        play.out.print(f"     [dim]{line}[/dim]")


def _spans(play: Play) -> Iterator[dict[str, Any]]:
    for file in sorted(play.stack.home.glob("*.traces.jsonl")):
        for line in file.read_text().splitlines():
            if line.endswith("}"):  # a process killed on purpose may leave half a line
                yield json.loads(line)


def _through_the_house(spans: list[dict[str, Any]], wanted: str) -> bool:
    names = {s["name"] for s in spans}
    services = {s["service"] for s in spans}
    parts = {wanted, "log.append", "relay.publish", "listener.hear", "react EmployerPlanRequested"}
    return parts <= names and {"plan-service", "notification-service"} <= services


def _drawn(spans: list[dict[str, Any]]) -> list[str]:
    children = defaultdict[str | None, list[Mapping[str, Any]]](list)
    known = {s["span"] for s in spans}
    for s in sorted(spans, key=lambda s: s["start"]):
        children[s["parent"] if s["parent"] in known else None].append(s)

    def lines(parent: str | None, depth: int) -> Iterator[str]:
        for s in children[parent]:
            yield f"{'  ' * depth}{s['name']}  ({s['service']}, {(s['end'] - s['start']) / 1e6:.1f} ms)"
            yield from lines(s["span"], depth + 1)

    return list(lines(None, 0))
