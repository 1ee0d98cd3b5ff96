"""`samordna`: the local stack from the command line."""

import asyncio
import contextlib
import math
import signal
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar
from uuid import UUID

import httpx
import typer
from rich.console import Console

from chassis.servers import CouldNotStart, Keeper, checkout_of
from chassis.servers.issuer import Issuer
from chassis.servers.process import comes_true
from samordna import show
from samordna.backup import BackupRefused, Manifest, back_up
from samordna.demo.story import tell
from samordna.members import MEMBERS
from samordna.operator import NotThere, Operator, restore_service
from samordna.personas import PERSONAS, insured
from samordna.stack import Stack
from samordna.tail import tail as tail_stream

T = TypeVar("T")
TOKEN_LASTS = 8 * 3600

app = typer.Typer(help="Den lokala stacken / the local stack.", no_args_is_help=True, add_completion=False,
                  pretty_exceptions_enable=False)  # fmt: skip
events_app = typer.Typer(help="Händelser / events.", no_args_is_help=True)
letters_app = typer.Typer(help="Undanlagda meddelanden / dead letters.", no_args_is_help=True)
app.add_typer(events_app, name="events")
app.add_typer(letters_app, name="dead-letters")
out = Console(width=None if sys.stdout.isatty() else 120)
err = Console(stderr=True, soft_wrap=True)

Service = Annotated[str, typer.Argument(help=" | ".join(m.name for m in MEMBERS))]
File = Annotated[Path, typer.Argument(help="Arkivet / the archive")]
Chosen = {"stack": "stack"}


@app.callback()
def choose(
    stack: Annotated[
        str, typer.Option(help="Vilken av utcheckningens stackar / which of this checkout's stacks")
    ] = "stack",
) -> None:
    Chosen["stack"] = stack


# --- up and down ---


@app.command()
def up(
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Lämna den igång / leave it running")] = False,
    at: Annotated[datetime | None, typer.Option(help="Klockans början / the clock's first moment (UTC)")] = None,
) -> None:
    """Starta allt och stanna kvar (Ctrl-C stoppar). / Start everything and stay (Ctrl-C stops it)."""
    keeper = None if detach else Keeper()
    stack = _stack(keeper)
    if at is not None and stack.has_clock:
        _fail("Den här stackens klocka går redan. Ta bort stacken med `samordna down --wipe`, eller flytta tiden med "
              "`samordna clock`. / This stack's clock has begun. Remove the stack, or move time.")  # fmt: skip
    if stack.running() == stack.names:
        out.print("Stacken är redan uppe. / The stack is up already.", style="green")
        _print_stack(stack)
        return
    _run(_up(stack, at.replace(tzinfo=UTC) if at else None, stay=not detach))


async def _up(stack: Stack, at: datetime | None, stay: bool) -> None:
    done = False
    try:
        await stack.up(at)
        done = not stay
        _print_stack(stack)
        if stay:
            out.print("\nCtrl-C stoppar. / Ctrl-C stops it.", style="bold")
            await comes_true(lambda: not stack.running(), math.inf, 0.3)
            out.print("Stacken har stoppats utifrån. / The stack was stopped from elsewhere.")
            done = True
    finally:
        if not done:
            out.print("Stoppar ... / stopping ...")
            await asyncio.shield(stack.down())


def _print_stack(stack: Stack) -> None:
    out.print(show.addresses(stack))
    out.print(show.personas(PERSONAS))
    out.print(f"Biljetter, giltiga {TOKEN_LASTS // 3600} h (samordna token NAMN) / tokens (samordna token NAME):")
    print(show.tokens(_issuer(stack), PERSONAS, TOKEN_LASTS))


@app.command()
def demo() -> None:
    """Spela berättelsen om två arbetsgivare, från början till slut. / Play the story of two employers."""
    keeper = Keeper()
    if not _run(tell(_checkout(), out, keeper)):
        raise typer.Exit(1)


@app.command()
def down(
    wipe: Annotated[bool, typer.Option(help="Radera också allt sparat / delete everything kept as well")] = False,
) -> None:
    """Stoppa allt. / Stop everything."""
    stack = _stack()
    running = stack.running()
    _run(stack.down())
    if wipe:
        stack.wipe()
    out.print(f"Stoppade / stopped: {', '.join(running) or '-'}")


@app.command()
def stop(service: Service) -> None:
    """Stoppa en process. / Stop one process."""
    stack = _stack()
    _known(stack, service)
    _run(stack.stop(service))


@app.command()
def start(service: Service) -> None:
    """Starta en stoppad process igen. / Start a stopped process again."""
    stack = _stack()
    _known(stack, service)
    _run(stack.start(service))


# --- looking ---


@app.command()
def status() -> None:
    """Processer, positioner, eftersläpning. / Processes, positions, lag."""
    stack = _stack()
    out.print(show.processes(stack))
    if stack.process("desk") and stack.state.services:
        out.print(show.positions(_run(_operator(stack).statuses())))


@app.command()
def token(
    persona: Annotated[str, typer.Argument(help=", ".join(PERSONAS))],
    person: Annotated[
        UUID | None, typer.Option(help="personRef: vem den försäkrade är / who the insured person is")
    ] = None,
) -> None:
    """En biljett för någon. / A token for somebody."""
    if persona not in PERSONAS:
        _fail(f"Välj en av / use one of: {', '.join(PERSONAS)}")
    if person is not None and persona != "insured":
        _fail("--person hör till insured. / --person belongs to insured.")
    who = PERSONAS[persona] if person is None else insured(person)
    print(_issuer(_stack()).token(who, TOKEN_LASTS))


@app.command()
def clock(
    days: Annotated[float | None, typer.Option(help="Dagar framåt / days to move on")] = None,
    to: Annotated[datetime | None, typer.Option(help="Till detta ögonblick, UTC / to this moment, UTC")] = None,
    without: Annotated[list[str] | None, typer.Option(help="Tjänst som är nere / service that is down")] = None,
) -> None:
    """Visa eller flytta tiden. / Show time or move it."""
    operator = _operator(_stack())
    if days is None and to is None:
        out.print(_run(operator.now()))
        return
    target: dict[str, Any] = {"days": days} if to is None else {"to": to.replace(tzinfo=UTC).isoformat()}
    moved = _run(operator.move_clock({**target, "without": without or []}))
    for step in moved["steps"]:
        out.print(f"{step['at']}  {step['service'] or ''} {step['worker'] or ''}")


@app.command()
def mail() -> None:
    """Breven som skickats. / The e-mails that were sent."""
    for letter in _run(_operator(_stack()).mail()):
        out.print(show.letter(letter))


@events_app.command("tail")
def tail(
    service: Service,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Fortsätt / go on")] = False,
    last: Annotated[int, typer.Option("-n", help="Så många bakåt / so many back", min=0)] = 20,
) -> None:
    """Det senaste på en tjänsts ström. / The latest on a service's stream."""
    stack = _stack()
    _known(stack, service)

    async def print_all() -> None:
        async for seen in tail_stream(stack.nats.url("ops"), service, last, follow):
            out.print(show.event(seen))

    _run(print_all())


# --- mending ---


@app.command()
def rebuild(service: Service, view: Annotated[str, typer.Argument(help="Läsmodellen / the read model")]) -> None:
    """Bygg om en läsmodell medan tjänsten arbetar. / Rebuild a read model while the service works."""
    done = _run(_operator(_stack()).post(service, f"/ops/rebuild/{view}"))
    out.print(f"{service}.{view}: {done['folded']} händelser / events, {done['digest']}")


@letters_app.command("list")
def letters(service: Annotated[str | None, typer.Argument()] = None) -> None:
    """Visa dem. / Show them."""
    stack = _stack()
    names = [service] if service else list(stack.members)
    operator = _operator(stack)
    out.print(show.dead_letters({name: _run(operator.get(name, "/ops/dead-letters"))["items"] for name in names}))


@letters_app.command("replay")
def replay(service: Service, source: str, position: int) -> None:
    """Försök igen med ett. / Try one again."""
    done = _run(_operator(_stack()).post(service, f"/ops/dead-letters/{source}/{position}/replay"))["done"]
    if not done:
        _fail("Det gick inte den här gången heller. / It did not go through this time either.")
    out.print("Klart. / Done.")


Keys = Annotated[Path | None, typer.Option(help="Nycklarnas arkiv, för sig / the keys' archive, apart")]


@app.command()
def backup(service: Service, file: File, keys: Keys = None) -> None:
    """Spara en tjänsts logg; nycklarna i en egen fil. / Keep a service's log; its keys in a file of their own."""
    stack = _stack()
    _known(stack, service)
    told = stack.environment(service, owner=True)
    _tell(_run(back_up(service, "log", told["SAMORDNA_OWNER_DATABASE_URL"], file)), file)
    if keys is not None:  # after the log, so that no fact in it lacks its key
        _tell(_run(back_up(service, "keys", told["SAMORDNA_KEYS_OWNER_DATABASE_URL"], keys)), keys)
    else:
        err.print("Nycklarna är inte med; spara dem för sig med --keys. / The keys are not in it; use --keys.")


@app.command()
def restore(
    service: Service, file: File, keys: Keys = None,
    set_aside: Annotated[bool, typer.Option(help="Döp om det som finns först / rename what is there first")] = False,
) -> None:  # fmt: skip
    """Läs tillbaka en tjänsts logg. / Bring a service's log back."""
    stack = _stack()
    _known(stack, service)
    for manifest, source in _run(restore_service(stack, service, file, keys, set_aside)):
        _tell(manifest, source)
    out.print(f"Starta tjänsten / start the service: samordna start {service}")


def _tell(manifest: Manifest, file: Path) -> None:
    rows = ", ".join(f"{name} {table.rows}" for name, table in manifest.tables.items())
    out.print(f"{file}: {manifest.service} {manifest.kind}, position {manifest.head} ({rows})")


# --- shared by the commands ---


def _stack(keep: Keeper | None = None) -> Stack:
    try:
        return Stack(_checkout(), Chosen["stack"], keep=keep, say=lambda line: err.print(line, style="dim"))
    except CouldNotStart as error:
        _fail(str(error))


def _checkout() -> Path:
    """The checkout we stand in; from anywhere else, the one this program was installed from."""
    here = checkout_of(Path.cwd())
    return here if (here / "deploy" / "samordna").exists() else checkout_of(Path(__file__))


def _issuer(stack: Stack) -> Issuer:
    pem = stack.home / "issuer.pem"
    if not pem.exists():
        _fail("Stacken har aldrig varit uppe; kör `samordna up`. / The stack was never up; run `samordna up`.")
    return Issuer(stack.desk_url, pem.read_bytes())


def _operator(stack: Stack) -> Operator:
    return Operator(stack, _issuer(stack).token(PERSONAS["operator"], TOKEN_LASTS))


def _known(stack: Stack, name: str) -> None:
    if name not in stack.names:
        _fail(f"{name}: finns inte / is not known. {', '.join(stack.names)}")


def _fail(why: str) -> NoReturn:
    err.print(why, style="red", markup=False, highlight=False)
    raise typer.Exit(1)


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end. Ctrl-C and SIGTERM end it in an orderly way; expected errors become one message."""

    async def main() -> T:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    try:
        return asyncio.run(main())
    except (CouldNotStart, BackupRefused, NotThere) as error:
        _fail(str(error))
    except (httpx.HTTPError, OSError) as error:
        _fail(f"Stacken svarar inte / the stack does not answer: {type(error).__name__}: {error}")
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise typer.Exit(130) from None


def main() -> None:
    with contextlib.suppress(BrokenPipeError):
        app()
    sys.exit(0)
