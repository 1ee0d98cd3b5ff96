"""Where do the local stack's e-mails go? Into a folder, and nowhere else."""

import json
from collections.abc import Callable
from datetime import datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session


class PostBox:
    """Keeps every e-mail as it came (`<n>.eml`) with when and to whom (`<n>.json`)."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self.folder, self._now = folder, now
        folder.mkdir(parents=True, exist_ok=True)
        self._last = max((int(f.stem) for f in folder.glob("*.json")), default=0)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Called by aiosmtpd for each e-mail."""
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        self._last += 1
        (self.folder / f"{self._last}.eml").write_bytes(content)
        about = {"at": self._now().isoformat(), "from": envelope.mail_from, "to": envelope.rcpt_tos}
        (self.folder / f"{self._last}.json").write_text(json.dumps(about))
        return "250 kept"

    def all(self) -> list[dict[str, Any]]:
        """Every e-mail, oldest first: id, at (simulated time), from, to, subject, text."""
        numbers = sorted(int(f.stem) for f in self.folder.glob("*.json"))
        return [self._one(n) for n in numbers]

    def _one(self, number: int) -> dict[str, Any]:
        about: dict[str, Any] = json.loads((self.folder / f"{number}.json").read_text())
        message = message_from_bytes((self.folder / f"{number}.eml").read_bytes(), policy=policy.default)
        body = message.get_body(("plain", "html"))
        text = body.get_content() if body is not None else ""
        return {"id": number, **about, "subject": str(message.get("Subject", "")), "text": text}
