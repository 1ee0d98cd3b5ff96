"""At the end we look for what must not be anywhere, and for one trace through the house."""

import json
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator, Mapping
from pathlib import Path
from typing import Any

import nats

from samordna.demo.play import Play

ROOT = "POST /cases"
"""The request that the trace begins in: FK opens a case."""

REACTIONS = {
    ("plan-service", "react CaseOpened"),
    ("meeting-service", "react CaseOpened"),
    ("notification-service", "react CaseOpened"),
    ("notification-service", "react EmploymentRegistered"),
}
"""Who does something about a case that is opened, and about the employment that plan-service then knows."""


async def nothing_leaked(play: Play) -> None:
    """What was written in free text, and addresses, are found neither on the bus, in logs, nor in traces."""
    markers = _sealed(play)
    messages = [m async for m in bus(play)]
    heads = sum([await play.head(name) for name in play.stack.members])
    play.expect("varje händelse finns på bussen / every fact is on the bus", len(messages) == heads, len(messages))
    found = [m for m in markers if any(m.encode() in text for text in messages)]
    play.expect("ingen fritext och ingen adress på bussen / no free text, no address on the bus", not found, found)
    files = [f for f in play.stack.home.glob("*") if f.suffix in (".log", ".jsonl")]
    texts = {f.name: f.read_text(errors="replace") for f in files}
    marked = [f"{m!r} in {name}" for name, text in texts.items() for m in markers if m in text]
    play.expect("inte heller i loggar eller spår / nor in logs or traces", len(texts) >= 4 and not marked, marked)
    seen = await play.read("hr-a", "plan", f"{play.path('A')}/plans/{play.notes['plan']}")
    play.expect("den som får läser den / who may, reads it", markers[-1] in json.dumps(seen, ensure_ascii=False), seen)


def _sealed(play: Play) -> list[str]:
    """Everything in the story that may not leave the service it was told to; last what hr-a may read in A's plan."""
    told = play.script.told
    sealed = [play.script.person_id(which)[2:] for which in ("A", "B")]
    sealed += [told["caseA"]["employments"][0]["workplace"], told["noticeB"]["workplace"]]
    sealed += [told["contactA"]["address"], told["contactB"]["address"]]
    sealed += [told["certificate"][k] for k in ("functionLimits", "activityLimits")]
    sealed += [told["decision"]["personView"], told["meeting"]["purpose"], told["minutes"]["text"]]
    sealed += [told["proposal"]["purpose"], told["contact"]["purpose"]]
    sealed += [a["what"] for a in told["minutes"]["agreements"]]
    sealed += [told["referral"]["functionSummary"], told["assessment"]["functionView"], told["assessment"]["workView"]]
    sealed += [told["tip"]["facts"], told["tip"]["factsWithPerson"]]
    sealed += [a[k] for a in told["planA"]["activities"] for k in ("description", "responsible")]
    return sealed


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
    """One trace: from FK's request to open case A, through case-service's log, to the last thing that any service did
    because of it. It is drawn as a tree and written to `build/trace.json`."""
    tree = next((t for t in _traces(play).values() if _began(t, ROOT)), [])
    play.need("ett spår börjar i begäran att öppna fallet / one trace begins in the request", tree)
    services = {s["service"].removesuffix("-service") for s in tree}
    play.expect("det går genom alla fyra tjänster / it runs through all four", services == set(play.stack.members))
    known = {s["span"] for s in tree}
    loose = [s["name"] for s in tree if s["parent"] not in known and s["name"] != ROOT]
    play.expect("varje led hänger på ett annat / each link hangs on another", not loose, loose)
    reactions = {(s["service"], s["name"]) for s in tree if s["name"].startswith("react ")}
    play.expect("till den sista reaktionen / to the last reaction", reactions == REACTIONS, reactions)
    written = _write(play, tree)
    play.expect("skrivet i / written to build/trace.json", {s["trace"] for s in written["spans"]} == {written["trace"]})
    for line in _drawn(tree):
        play.out.print(f"     [dim]{line}[/dim]")


def _traces(play: Play) -> Mapping[str, list[dict[str, Any]]]:
    """Every span that the services wrote, by trace; in each trace the earliest first."""
    spans = [span for file in play.stack.home.glob("*.traces.jsonl") for span in _spans(file)]
    traces = defaultdict[str, list[dict[str, Any]]](list)
    for span in sorted(spans, key=lambda s: s["start"]):
        traces[span["trace"]].append(span)
    return traces


def _spans(file: Path) -> Iterator[dict[str, Any]]:
    for line in file.read_text().splitlines():
        if line.endswith("}"):  # a process killed on purpose may leave half a line
            yield json.loads(line)


def _began(spans: list[dict[str, Any]], root: str) -> bool:
    """Is this the trace of that request, and of one that was not a repeat and led to something?"""
    return spans[0]["name"] == root and any(s["name"].startswith("react ") for s in spans)


def _write(play: Play, tree: list[dict[str, Any]]) -> dict[str, Any]:
    """Write the trace as a file; what stands in it when it is read again."""
    file = play.stack.home.parent / "trace.json"
    file.write_text(json.dumps({"trace": tree[0]["trace"], "spans": tree}, indent=2) + "\n")
    return json.loads(file.read_text())


def _drawn(spans: list[dict[str, Any]]) -> list[str]:
    children = defaultdict[str | None, list[Mapping[str, Any]]](list)
    known = {s["span"] for s in spans}
    for s in spans:
        children[s["parent"] if s["parent"] in known else None].append(s)

    def lines(parent: str | None, depth: int) -> Iterator[str]:
        for s in children[parent]:
            yield f"{'  ' * depth}{s['name']}  ({s['service']}, {(s['end'] - s['start']) / 1e6:.1f} ms)"
            yield from lines(s["span"], depth + 1)

    return list(lines(None, 0))
