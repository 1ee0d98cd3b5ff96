"""How does the local stack look on a screen? Tables for people, Swedish first."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from chassis.servers.issuer import Issuer, Persona
from samordna.stack import Stack
from samordna.stepping import Status
from samordna.tail import Seen


def addresses(stack: Stack) -> Table:
    """Where everything listens."""
    table = Table(title="Adresser / addresses", title_justify="left")
    table.add_column("process", no_wrap=True)
    table.add_column("adress / address", no_wrap=True)
    for name in stack.members:
        table.add_row(f"{name}-service", f"{stack.url(name)}/docs")
    table.add_row("desk (tid, biljetter, post / time, tokens, mail)", f"{stack.desk_url}/docs")
    table.add_row("PostgreSQL", f"127.0.0.1:{stack.state.postgres_port}")
    table.add_row("NATS", f"127.0.0.1:{stack.state.nats_port}")
    table.caption = f"Loggar / logs: {stack.home}/*.log"
    table.caption_justify = "left"
    return table


def personas(people: Mapping[str, Persona]) -> Table:
    """Who can be played."""
    table = Table(title="Personer / personas", title_justify="left")
    for column in ("namn / name", "roll / role", "organisation", "användarreferens / sub", "vem / who"):
        table.add_column(column)
    for name, p in people.items():
        table.add_row(name, p.role, p.org_id, p.user_ref, p.about)
    table.caption = (
        "Den försäkrade i ett visst fall / the insured person of a case: samordna token insured --person PERSONREF"
    )
    table.caption_justify = "left"
    return table


def tokens(issuer: Issuer, people: Mapping[str, Persona], valid_for: float) -> str:
    """A token for each, one a line, as a shell takes them."""
    return "\n".join(f"{n.upper().replace('-', '_')}={issuer.token(p, valid_for)}" for n, p in people.items())


def processes(stack: Stack) -> Table:
    table = Table(title="Processer / processes", title_justify="left")
    for column in ("process", "pid", "läge / state"):
        table.add_column(column)
    for name in stack.names:
        process = stack.process(name)
        table.add_row(name, str(process.seen.pid) if process else "-", _state(process is not None))
    return table


def _state(up: bool) -> Text:
    return Text("uppe / up", "green") if up else Text("nere / down", "red")


def positions(statuses: Mapping[str, Status | str]) -> RenderableType:
    """How far log, relay, listeners, views and workers have come, and how far each is behind."""
    table = Table(title="Positioner / positions", title_justify="left")
    for column in ("service", "vad / what", "position", "efter / lag", "till / up to"):
        table.add_column(column, no_wrap=True)
    for name, status in statuses.items():
        if isinstance(status, str):
            table.add_row(name, Text(f"svarar inte / does not answer: {status}", "red"))
        else:
            for number, row in enumerate(_rows(name, status, statuses)):
                table.add_row(name if number == 0 else "", *row)
        table.add_section()
    return table


def _rows(name: str, status: Status, statuses: Mapping[str, Status | str]) -> list[tuple[str, str, str, str]]:
    head = status["head"]
    rows = [("logg / log", str(head), "", _minute(status["now"]))]
    rows.append(("utsänt / published", str(status["published"]), _lag(head, status["published"]), ""))
    for source, at in status["listeners"].items():
        told = statuses.get(source)
        theirs = None if told is None or isinstance(told, str) else told["head"]
        rows.append((f"hört / heard {source}", str(at["heard"]), _lag(theirs, at["heard"]), _minute(at["moment"])))
        rows.append((f"reagerat / reacted {source}", str(at["reacted"]), _lag(at["heard"], at["reacted"]), ""))
    for view, sources in status["views"].items():
        for source, at in sources.items():
            wanted = head if source == name else status["listeners"][source]["heard"]
            rows.append((f"vy / view {view} <- {source}", str(at), _lag(wanted, at), ""))
    for worker, at in status["workers"].items():
        state = "arbetar / busy" if at["busy"] else "väntar / waiting"
        rows.append((f"arbetare / worker {worker}", state, "", _minute(at["due"])))
    rows.append(("undanlagda / dead letters", str(status["deadLetters"]), "", ""))
    return rows


def _minute(moment: str | None) -> str:
    return "-" if moment is None else datetime.fromisoformat(moment).strftime("%Y-%m-%d %H:%M")


def _lag(wanted: int | None, at: int | None) -> str:
    return "?" if wanted is None or at is None else str(wanted - at)


def dead_letters(items: Mapping[str, Sequence[Mapping[str, Any]]]) -> Table:
    table = Table(title="Undanlagda meddelanden / dead letters", title_justify="left")
    for column in (
        "service",
        "källa / source",
        "position",
        "typ / type",
        "läge / state",
        "skäl / reason",
        "sedan / since",
    ):
        table.add_column(column)
    for service, letters in items.items():
        for d in letters:
            told = (d["source"], d["position"], d["type"], d["state"], d["reason"], d["since"])
            table.add_row(service, *(str(x) for x in told))
    return table


def letter(one: Mapping[str, Any]) -> Text:
    """One line of `mail`."""
    to = ", ".join(one["to"])
    return Text.assemble((f"{one['id']:>4} ", "dim"), f"{_minute(one['at'])}  {to}  ", (one["subject"], "bold"))


def event(seen: Seen) -> Text:
    """One line of `events tail`."""
    at = seen.recorded_at.isoformat(timespec="seconds") if seen.recorded_at else "-"
    return Text.assemble(
        (f"{seen.position:>7} ", "dim"), f"{at}  ", (f"{seen.name:<28}", "bold"), f" {seen.stream}  ",
        (seen.actor, "cyan"),
    )  # fmt: skip
