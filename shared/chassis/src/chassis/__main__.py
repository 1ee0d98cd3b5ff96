"""`python -m chassis serve plan_service.main` and `python -m chassis migrate plan_service.main`."""

import asyncio
import importlib
import signal
import sys
from pathlib import Path
from typing import Any

import uvicorn

from chassis.garbage import collect_less_often
from chassis.log import LogWentBack
from chassis.migrating import migrate_blocking
from chassis.sampling import AtMost
from chassis.settings import Settings
from chassis.telemetry import start_logging, start_tracing

USAGE = "Usage: python -m chassis serve|migrate <service>.main"
STOPPED_ITSELF = 3


def main(arguments: list[str]) -> int:
    if len(arguments) != 2 or arguments[0] not in ("serve", "migrate"):
        print(USAGE, file=sys.stderr)
        return 2
    what, module = arguments
    settings = Settings()  # type: ignore[call-arg]
    if what == "migrate":
        migrate_blocking(migrations_of(module), settings)
        return 0
    try:
        import uvloop
    except ImportError:
        return asyncio.run(serve(module, settings))
    return uvloop.run(serve(module, settings))


def migrations_of(module: str) -> Path:
    """A service's migrations: beside its `src` in the workspace, inside the package where it is installed."""
    package = importlib.import_module(module.partition(".")[0])
    assert package.__file__ is not None
    here = Path(package.__file__).parent
    for place in (here / "migrations", here.parent.parent / "migrations"):
        if (place / "env.py").exists():
            return place
    raise SystemExit(f"No migrations found for {module}.")


async def serve(module: str, settings: Settings) -> int:
    """Run until told to stop. Answers 3 when the service stopped itself because going on would do harm."""
    loaded: Any = importlib.import_module(module)
    name: str = loaded.service.name
    start_logging(name, settings.log_level)
    tracing = start_tracing(name, AtMost(settings.trace_ratio, settings.trace_per_second), settings.trace_file)
    config = uvicorn.Config(
        loaded.app, host=settings.host, port=settings.port, log_config=None, access_log=False, lifespan="on",
        timeout_graceful_shutdown=5, server_header=False, proxy_headers=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn raises them again at its end; ours comes after that
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))
    serving = asyncio.create_task(server.serve())
    while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn offers no event for this
        await asyncio.sleep(0.01)
    collect_less_often()
    code = 0
    if serving.done():
        code = 1
    else:
        failed = loaded.app.state.runtime.failed
        await asyncio.wait({serving, failed}, return_when=asyncio.FIRST_COMPLETED)
        if failed.done():
            error = failed.result()
            why = str(error) if isinstance(error, LogWentBack) else type(error).__name__  # others may repeat content
            print(f"{name}-service stops: {why}", file=sys.stderr, flush=True)
            server.should_exit = True
            code = STOPPED_ITSELF
    await serving
    tracing.shutdown()
    return code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
