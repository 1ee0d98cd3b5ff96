"""What is in this file? Read in a process of its own, because whoever sent it may mean harm.

`python -I -m plan_service.documents.inspection look|scan` reads a file from standard input and answers in JSON. The
process has no secrets in its environment, little memory and little time: what breaks it breaks nothing else.
"""

import io
import json
import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pikepdf
from pikepdf import settings

from contracts.plan import FileFault
from plan_service.documents.signature import TEST_SIGNATURE

MAX_PAGES = 50
MEMORY = 1 << 30
CPU_SECONDS = 10
DECODED = 64 << 20
"""Bytes that one compressed part may unfold to; a bomb unfolds to more."""

ACTIVE_KEYS = frozenset({"/JS", "/JavaScript", "/XFA", "/EF", "/EmbeddedFiles", "/RichMediaContent", "/3DD"})
"""Keys that only stand where there is a script, a form with scripts, or a file within the file."""

ACTIVE_ACTIONS = frozenset(
    {"/JavaScript", "/Launch", "/ImportData", "/SubmitForm", "/GoToE", "/Rendition", "/RichMediaExecute", "/GoTo3DView"}
)
ACTIVE_TYPES = frozenset({"/EmbeddedFile", "/FileAttachment", "/RichMedia", "/3D", "/Movie"})
HARMLESS_BY_ITSELF = frozenset({"/GoTo", "/Named"})
"""The only actions that may run without somebody clicking: they turn pages."""


@dataclass(frozen=True)
class Looked:
    """What an inspection found: a fault, or how many pages a plain document has."""

    fault: FileFault | None
    pages: int = 0


def look(content: bytes) -> Looked:
    """Is this a PDF that can be read by people and does nothing by itself?"""
    try:
        with pikepdf.open(io.BytesIO(content), suppress_warnings=True) as pdf:
            if pdf.is_encrypted:
                return Looked(FileFault.ENCRYPTED)
            if any(_is_active(part) for part in _parts(pdf)):
                return Looked(FileFault.SCRIPTED)
            pages = len(pdf.pages)
    except pikepdf.PasswordError:
        return Looked(FileFault.ENCRYPTED)
    except Exception:  # whatever a file makes the parser raise, it is the file that cannot be read
        return Looked(FileFault.UNREADABLE)
    if pages > MAX_PAGES:
        return Looked(FileFault.TOO_MANY_PAGES, pages)
    return Looked(None if pages else FileFault.UNREADABLE, pages)


def holds_signature(content: bytes) -> bool:
    """Does the test signature stand anywhere, in the file's bytes or in what its parts unfold to?"""
    if TEST_SIGNATURE in content:
        return True
    try:
        with pikepdf.open(io.BytesIO(content), suppress_warnings=True) as pdf:
            return any(TEST_SIGNATURE in text for part in _parts(pdf) for text in _texts(part))
    except Exception:
        return False  # what cannot be read is refused by `look`


def _parts(pdf: pikepdf.Pdf) -> Iterator[Any]:
    """Every object of the file and everything directly in it, whether or not a page leads to it."""
    for top in (pdf.trailer, *pdf.objects):
        waiting: list[Any] = [top]
        while waiting:
            part = waiting.pop()
            yield part
            waiting += [inner for inner in _inside(part) if not getattr(inner, "is_indirect", False)]


def _inside(part: Any) -> list[Any]:
    if isinstance(part, pikepdf.Stream):
        return [value for _, value in part.stream_dict.items()]
    if isinstance(part, pikepdf.Dictionary):
        return [value for _, value in part.items()]
    return list(part) if isinstance(part, pikepdf.Array) else []


def _is_active(part: Any) -> bool:
    if isinstance(part, pikepdf.Stream):
        part = part.stream_dict
    if not isinstance(part, pikepdf.Dictionary):
        return False
    return (
        not ACTIVE_KEYS.isdisjoint(part.keys())
        or _name(part, "/S") in ACTIVE_ACTIONS
        or _name(part, "/Type") in ACTIVE_TYPES
        or _name(part, "/Subtype") in ACTIVE_TYPES
        or _runs_by_itself(part.get("/OpenAction"))
        or any(_runs_by_itself(action) for action in _actions(part.get("/AA")))
    )


def _actions(additional: Any) -> list[Any]:
    return [action for _, action in additional.items()] if isinstance(additional, pikepdf.Dictionary) else []


def _runs_by_itself(action: Any) -> bool:
    """An action that opens with the file or with a page; a mere destination is an array or a name."""
    return isinstance(action, pikepdf.Dictionary) and _name(action, "/S") not in (*HARMLESS_BY_ITSELF, "")


def _name(part: Any, key: str) -> str:
    value = part.get(key)
    return str(value) if isinstance(value, pikepdf.Name) else ""


def _texts(part: Any) -> Iterator[bytes]:
    if isinstance(part, pikepdf.String):
        yield bytes(part)
    elif isinstance(part, pikepdf.Stream):
        try:
            yield part.read_bytes()
        except pikepdf.PdfError:
            yield part.read_raw_bytes()


def confine() -> None:
    """Give this process little memory, little time, and nothing to write to."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    settings.set_qpdf_limits(
        flate_max_memory=DECODED,
        run_length_max_memory=DECODED,
        png_max_memory=DECODED,
        tiff_max_memory=DECODED,
        dct_max_memory=DECODED,
        max_stream_filters=4,
        parser_max_nesting=200,
        doc_max_warnings=1000,
    )


def main(what: str) -> None:
    confine()
    content = sys.stdin.buffer.read()
    if what == "scan":
        found: dict[str, Any] = {"infected": holds_signature(content)}
    else:
        looked = look(content)
        found = {"fault": looked.fault, "pages": looked.pages}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
