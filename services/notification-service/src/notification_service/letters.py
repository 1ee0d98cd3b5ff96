"""What does a message say? General words from a text file: no name, no number, no case, nothing about anybody.

The texts hold no placeholders, so nothing can slip into them. Swedish first, English second.
"""

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from importlib import resources
from uuid import UUID

from chassis.decider import record


@record
class Letter:
    subject: str
    body: str


@cache
def letter(template_id: str) -> Letter:
    """The text of a template. Its first line is the subject. Raises FileNotFoundError when there is none."""
    file = resources.files("notification_service") / "templates" / f"{template_id}.txt"
    subject, _, body = file.read_text(encoding="utf-8").partition("\n")
    return Letter(subject=subject.strip(), body=body.lstrip("\n"))


def message_id(reminder_id: UUID) -> str:
    """The same for every try, so that a receiver can drop a message that comes twice (RFC 5322)."""
    return f"<{reminder_id}@notification.samordna>"


def email(template_id: str, reminder_id: UUID, sender: str, to: str, now: datetime) -> EmailMessage:
    """The e-mail, ready to be handed over. Raises ValueError when an address cannot stand in a header."""
    text = letter(template_id)
    made = EmailMessage(policy=SMTP)
    made["Message-ID"] = message_id(reminder_id)
    made["Date"] = format_datetime(now)
    made["From"] = sender
    made["To"] = to
    made["Subject"] = text.subject
    made["Content-Language"] = "sv, en"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(text.body, cte="quoted-printable")
    return made
