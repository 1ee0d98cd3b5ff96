"""What is taken in as a plan's file, and what is not."""

import asyncio
import io
import struct
import zlib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String

from contracts.plan import FileFault
from plan_service.documents import inspection
from plan_service.documents.checking import MAX_BYTES, CannotCheck, Examiner, Fine, inspected
from plan_service.documents.inspection import holds_signature, look
from plan_service.documents.scanners import ClamdScanner, SignatureScanner, scanner_from
from plan_service.documents.signature import TEST_SIGNATURE

DEMO = Path(__file__).parents[3] / "deploy" / "demo" / "plan-employer-a.pdf"
Change = Callable[[Pdf], None]


def pdf(change: Change = lambda pdf: None, pages: int = 1, encryption: pikepdf.Encryption | None = None) -> bytes:
    with pikepdf.new() as made:
        for _ in range(pages):
            made.add_blank_page()
        change(made)
        out = io.BytesIO()
        made.save(out, encryption=encryption or False, object_stream_mode=pikepdf.ObjectStreamMode.generate)
        return out.getvalue()


def script() -> Dictionary:
    return Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))


def on_opening(made: Pdf) -> None:
    made.Root.OpenAction = script()


def on_turning_a_page(made: Pdf) -> None:
    made.pages[0].obj.AA = Dictionary(O=Dictionary(S=Name.URI, URI=String("https://example.org/seen")))


def on_clicking(made: Pdf) -> None:
    link = Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], A=script())
    made.pages[0].obj.Annots = Array([made.make_indirect(link)])


def in_the_name_tree(made: Pdf) -> None:
    made.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([String("a"), script()])))


def starting_a_program(made: Pdf) -> None:
    made.Root.OpenAction = Dictionary(S=Name.Launch, F=String("cmd.exe"))


def after_a_harmless_action(made: Pdf) -> None:
    made.Root.OpenAction = Dictionary(S=Name.GoTo, D=Array([made.pages[0].obj, Name.Fit]), Next=script())


def a_form_with_xfa(made: Pdf) -> None:
    made.Root.AcroForm = Dictionary(Fields=Array([]), XFA=Stream(made, b"<xdp/>"))


def a_file_within(made: Pdf) -> None:
    program = Stream(made, b"MZ", Type=Name.EmbeddedFile)
    spec = Dictionary(Type=Name.Filespec, F=String("tool.exe"), EF=Dictionary(F=made.make_indirect(program)))
    made.Root.Names = Dictionary(EmbeddedFiles=Dictionary(Names=Array([String("tool.exe"), spec])))


def a_form_that_sends_itself(made: Pdf) -> None:
    button = Dictionary(FT=Name.Btn, AA=Dictionary(U=Dictionary(S=Name.SubmitForm, F=String("https://example.org"))))
    made.Root.AcroForm = Dictionary(Fields=Array([made.make_indirect(button)]))


def nobody_points_to_it(made: Pdf) -> None:
    made.Root.PieceInfo = Dictionary(X=Dictionary(Private=Array([Array([script()])])))


@pytest.mark.parametrize(
    "active",
    [
        on_opening, on_turning_a_page, on_clicking, in_the_name_tree, starting_a_program, after_a_harmless_action,
        a_form_with_xfa, a_file_within, a_form_that_sends_itself, nobody_points_to_it,
    ],
)  # fmt: skip
def test_a_file_that_does_something_by_itself_is_refused(active: Change) -> None:
    assert look(pdf(active)).fault is FileFault.SCRIPTED


def opens_at_a_page(made: Pdf) -> None:
    made.Root.OpenAction = Array([made.pages[0].obj, Name.Fit])


def opens_with_a_harmless_action(made: Pdf) -> None:
    made.Root.OpenAction = Dictionary(S=Name.GoTo, D=Array([made.pages[0].obj, Name.Fit]))


def links_to_a_page_on_the_web(made: Pdf) -> None:
    link = Dictionary(
        Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], A=Dictionary(S=Name.URI, URI=String("https://av.se"))
    )
    made.pages[0].obj.Annots = Array([made.make_indirect(link)])


def has_a_plain_form(made: Pdf) -> None:
    made.Root.AcroForm = Dictionary(Fields=Array([Dictionary(FT=Name.Tx, T=String("Namn"))]))


@pytest.mark.parametrize(
    "plain", [opens_at_a_page, opens_with_a_harmless_action, links_to_a_page_on_the_web, has_a_plain_form]
)
def test_a_file_that_only_shows_something_is_taken(plain: Change) -> None:
    assert look(pdf(plain)).fault is None


def test_fifty_pages_are_taken_and_fifty_one_are_not() -> None:
    assert look(pdf(pages=50)) == inspection.Looked(None, 50)
    assert look(pdf(pages=51)).fault is FileFault.TOO_MANY_PAGES


@pytest.mark.parametrize("password", ["", "hemligt"])
def test_an_encrypted_file_is_refused_even_when_anybody_may_open_it(password: str) -> None:
    assert look(pdf(encryption=pikepdf.Encryption(owner="ägare", user=password))).fault is FileFault.ENCRYPTED


@pytest.mark.parametrize("broken", [b"%PDF-1.7", b"%PDF-1.7\n" + b"\x00" * 500, pdf()[:200], pdf(pages=0)])
def test_a_file_that_cannot_be_read_to_its_end_is_unreadable(broken: bytes) -> None:
    assert look(broken).fault is FileFault.UNREADABLE


def test_a_compression_bomb_ends_its_own_process_only() -> None:
    inner = zlib.compress(b"\x00" * (200 << 20), 9)
    head = b"%PDF-1.5\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
    xref = b"5 0 obj\n<</Type/XRef/Size 6/W[1 2 1]/Root 1 0 R/Filter/FlateDecode/Length %d>>\nstream\n" % len(inner)
    bomb = head + xref + inner + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF" % len(head)
    assert asyncio.run(inspected("look", bomb))["fault"] == FileFault.UNREADABLE


def test_the_test_signature_is_found_in_plain_sight_and_in_compressed_parts() -> None:
    def in_a_stream(made: Pdf) -> None:
        made.Root.Extra = made.make_indirect(Stream(made, b"x" * 5000 + TEST_SIGNATURE))

    def in_a_string(made: Pdf) -> None:
        made.Root.Extra = made.make_indirect(Dictionary(T=String(TEST_SIGNATURE.decode())))

    assert holds_signature(b"anything" + TEST_SIGNATURE)
    for hide in (in_a_stream, in_a_string):
        hidden = pdf(hide)
        assert TEST_SIGNATURE not in hidden
        assert holds_signature(hidden)
    assert not holds_signature(pdf())


# --- the whole examination ---


class Found:
    """A scanner that says what it is told to."""

    def __init__(self, infected: bool) -> None:
        self.infected = infected

    async def scan(self, content: bytes) -> bool:
        return self.infected


async def test_a_plain_plan_is_fine_and_known_by_its_hash() -> None:
    content = DEMO.read_bytes()
    found = await Examiner(SignatureScanner())(content)
    assert isinstance(found, Fine)
    assert (found.bytes, found.pages) == (len(content), 2)
    assert len(found.sha256) == 64


async def test_an_infected_file_is_malware_whatever_else_it_is() -> None:
    examine = Examiner(SignatureScanner())
    assert await examine(TEST_SIGNATURE) is FileFault.MALWARE
    assert await examine(pdf(on_opening) + TEST_SIGNATURE) is FileFault.MALWARE


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"PK\x03\x04 a document of another kind", FileFault.NOT_PDF),
        (b"MZ" + b"\x00" * 100 + b"%PDF-1.7", FileFault.NOT_PDF),
        (pdf(on_opening), FileFault.SCRIPTED),
        (b"\x00" * (MAX_BYTES + 1), FileFault.TOO_LARGE),
    ],
)
async def test_every_fault_has_its_name(content: bytes, fault: FileFault) -> None:
    assert await Examiner(Found(False))(content) is fault


async def test_ten_megabytes_are_not_too_large() -> None:
    assert await Examiner(Found(False))(b"\x00" * MAX_BYTES) is FileFault.NOT_PDF


async def test_an_inspection_that_takes_too_long_says_nothing_about_the_file() -> None:
    with pytest.raises(CannotCheck):
        await inspected("look", pdf(), seconds=0.001)


async def test_the_inspection_gets_no_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shown = tmp_path / "python"
    shown.write_text('#!/bin/sh\ncat >/dev/null\nprintf \'{"fault": null, "pages": %d}\' "$(env | grep -c SAMORDNA)"\n')
    shown.chmod(0o755)
    monkeypatch.setenv("SAMORDNA_DATABASE_URL", "postgresql://secret")
    monkeypatch.setattr("sys.executable", str(shown))
    assert (await inspected("look", b""))["pages"] == 0


# --- clamd ---


@asynccontextmanager
async def clamd(answer: bytes) -> AsyncGenerator[tuple[ClamdScanner, list[bytes]]]:
    """A daemon that speaks INSTREAM and always gives the same answer; the list holds what it was sent."""
    got: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
        parts: list[bytes] = []
        while size := struct.unpack("!L", await reader.readexactly(4))[0]:
            parts.append(await reader.readexactly(size))
        got.append(b"".join(parts))
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield ClamdScanner("127.0.0.1", server.sockets[0].getsockname()[1], seconds=5), got


async def test_a_daemon_is_sent_the_whole_file_and_believed() -> None:
    content = bytes(range(256)) * 1000
    async with clamd(b"stream: OK\0") as (scanner, got):
        assert await scanner.scan(content) is False
        assert got == [content]
    async with clamd(b"stream: Eicar-Signature FOUND\0") as (scanner, _):
        assert await scanner.scan(content) is True


@pytest.mark.parametrize("answer", [b"INSTREAM size limit exceeded. ERROR\0", b"", b"nonsense\0"])
async def test_a_daemon_that_gives_no_verdict_lets_nothing_through(answer: bytes) -> None:
    async with clamd(answer) as (scanner, _):
        with pytest.raises(CannotCheck):
            await scanner.scan(b"content")


async def test_a_daemon_that_is_away_lets_nothing_through() -> None:
    with pytest.raises(CannotCheck):
        await ClamdScanner("127.0.0.1", 1, seconds=5).scan(b"content")


def test_the_scanner_is_chosen_by_its_address() -> None:
    assert isinstance(scanner_from(""), SignatureScanner)
    assert isinstance(scanner_from("clamd://clamav:3310"), ClamdScanner)
    with pytest.raises(ValueError, match="clamd://"):
        scanner_from("http://clamav")
