"""How is a letter given to the mail server, and what does it answer: taken, refused for now, refused for good?"""

import contextlib
from email.message import EmailMessage

import aiosmtplib


class ServerTrouble(Exception):
    """The mail server cannot be used just now; it is not about any one message."""


async def connect(server: aiosmtplib.SMTP) -> None:
    try:
        await server.connect()
    except (aiosmtplib.SMTPException, OSError) as error:
        raise ServerTrouble from error


async def leave(server: aiosmtplib.SMTP) -> None:
    with contextlib.suppress(aiosmtplib.SMTPException, OSError):
        await server.quit()


async def give(server: aiosmtplib.SMTP, letter: EmailMessage) -> int | None:
    """The code with which the server refuses this message, None when it takes it. Raises ServerTrouble."""
    try:
        await server.send_message(letter)
    except aiosmtplib.SMTPRecipientsRefused as refused:
        return refused.recipients[0].code
    except aiosmtplib.SMTPDataError as refused:
        return refused.code
    except (aiosmtplib.SMTPException, OSError) as error:  # greeting, log-in, sender, connection: not this message
        raise ServerTrouble from error
    return None
