"""Hand over the messages that have been decided on: to the mail server or the SMS gateway within the allowed hours,
or to the inbox. A party gets them where it wants them: what it did not choose, and an SMS that no gateway takes, goes
by e-mail or to the inbox instead, and that is recorded.

A message is recorded as sent after the mail server has taken it. When the process dies between the two, or the mail
server takes a message and the connection breaks before it says so, the message is handed over again, with the same
Message-ID, so that the receiving side can drop the second. Those are the only ways in which one can be sent twice.

A mail server that cannot be reached loses nothing and stops nothing else: messages wait, and are tried again after a
pause that grows. Pauses are in real time, because mail servers live in it.
"""

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from uuid import UUID

import aiosmtplib

from chassis.clock import hashed_id
from chassis.service import Runtime, Worker, per_runtime
from chassis.telemetry import get_logger
from contracts.notification import ReminderChannel
from notification_service.days import sendable_from
from notification_service.domain.agenda import agenda_for, message_of
from notification_service.domain.contact import Contact, Reachable, contact
from notification_service.domain.message import (
    MessageCommand,
    RecordReminderFailed,
    RecordReminderSent,
    RerouteReminder,
    Waiting,
)
from notification_service.letters import email
from notification_service.parties import party_key
from notification_service.settings import NotificationSettings
from notification_service.sms import GatewayTrouble, NumberRefused, SmsGateway
from notification_service.versions import Rules
from notification_service.views.reminders import Reminder, lies_in_inbox, never_tried, reminders, to_hand_over

log_line = get_logger(__name__)

GROUP = 200
LONGEST_PAUSE = 600
LOOK_EVERY = 1.0
LOOK_EVERY_SIMULATED = 0.05

NO_CONTACT = "NO_CONTACT"
NO_EMAIL = "NO_EMAIL"
NO_PHONE = "NO_PHONE"
NO_GATEWAY = "NO_GATEWAY"
NOT_CHOSEN = "NOT_CHOSEN"
PROTECTION = "PROTECTION_UNKNOWN"
"""Nothing may leave for a person whose identity is protected, and this service does not hear yet who that is (row 40).
So nothing leaves for any insured person: it lies in the inbox."""
REFUSED = "REFUSED"
NO_CHANNEL = "CHANNEL_NOT_OFFERED"
NO_LETTER = "CANNOT_BE_WRITTEN"


WAIT = (
    "insert into public.deliveries (reminder_id, tries, next_try) select id, 1, $2::timestamptz + interval '1 second' "
    "from unnest($1::uuid[]) as id on conflict (reminder_id) do update set tries = deliveries.tries + 1, "
    "next_try = $2::timestamptz + least(power(2, least(deliveries.tries, 20)), $3::int) * interval '1 second'"
)


FORGET_OLD = (
    "delete from public.deliveries d where not exists "
    "(select 1 from views.reminders r where r.reminder_id = d.reminder_id and r.status = 'WAITING')"
)


class ServerTrouble(Exception):
    """The mail server cannot be used just now; it is not about any one message."""


class Delivery:
    """The delivery at work in one process. `taken` are messages that the mail server has and the log does not know."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._taken: set[UUID] = set()

    async def run(self, runtime: Runtime) -> None:
        """Deliver until cancelled."""
        settings = NotificationSettings()  # type: ignore[call-arg]
        if settings.sms_gateway() is None:
            log_line.warning(
                "sms.none", why="No gateway is set (SAMORDNA_SMS_URL): e-mail or the inbox is used instead."
            )
        pause = LOOK_EVERY_SIMULATED if runtime.clock.simulated else LOOK_EVERY
        await runtime.caught_up(reminders, {})
        await runtime.pool.execute(FORGET_OLD)
        while True:
            if not await self.deliver(runtime, settings):
                await runtime.changed(pause)

    async def due(self, runtime: Runtime) -> datetime | None:
        """Since when, or from when on, there is something to hand over. What was tried in vain waits in real time and
        so is nothing that a simulated clock has to wait for."""
        async with runtime.engine.connect() as connection:
            inbox = await never_tried(connection, mail=False)
            mail = await never_tried(connection, mail=True)
        now = runtime.clock.now()
        opens = self._sendable_from(now)
        return min((t for t in (inbox, mail if mail is None or opens == now else opens) if t), default=None)

    async def deliver(self, runtime: Runtime, settings: NotificationSettings) -> bool:
        """Hand over one group of messages; was there any?"""
        await runtime.caught_up(reminders, {})
        now = runtime.clock.now()
        open_now = self._sendable_from(now) == now
        async with runtime.engine.connect() as connection:
            others = await to_hand_over(connection, False, _real_now(), GROUP)
            mail = await to_hand_over(connection, True, _real_now(), GROUP) if open_now else []
        for reminder in others:
            await _into_inbox(runtime, reminder)
        await self._text_all(runtime, [r for r in mail if r.channel == "SMS"], settings)
        letters = [r for r in mail if r.channel == "EMAIL"]
        if letters:
            await self._send_all(runtime, letters, settings)
        return bool(others or mail)

    def _sendable_from(self, now: datetime) -> datetime:
        return sendable_from(now, self._rules.in_force(now).sending)

    # --- SMS ---

    async def _text_all(self, runtime: Runtime, texts: Sequence[Reminder], settings: NotificationSettings) -> None:
        """In order. When the gateway is away the rest waits; what can never go by SMS goes another way."""
        gateway = settings.sms_gateway()
        for n, reminder in enumerate(texts):
            try:
                await self._text(runtime, gateway, reminder)
            except GatewayTrouble as trouble:
                log_line.warning("sms.waiting", messages=len(texts) - n, why=type(trouble.__cause__).__name__)
                await _wait(runtime, texts[n:])
                return

    async def _text(self, runtime: Runtime, gateway: SmsGateway | None, reminder: Reminder) -> None:
        if not await _is_waiting(runtime, reminder):
            return
        party, _ = await runtime.load(contact, party_key(reminder.recipient_ref))
        hindrance = PROTECTION if _may_be_protected(reminder) else _why_no_sms(party, gateway)
        if hindrance is None and reminder.reminder_id not in self._taken:
            assert gateway is not None
            assert isinstance(party, Reachable)
            try:
                await gateway.send(reminder.reminder_id, party.phone)
                self._taken.add(reminder.reminder_id)
            except NumberRefused:
                hindrance = REFUSED
        if hindrance is None:
            await _sent(runtime, reminder)
            self._taken.discard(reminder.reminder_id)
        else:
            by_mail = _takes_email(party) and hindrance != PROTECTION
            await _reroute(runtime, reminder, "EMAIL" if by_mail else "PORTAL", hindrance)

    # --- e-mail ---

    async def _send_all(self, runtime: Runtime, mail: Sequence[Reminder], settings: NotificationSettings) -> None:
        """Over one connection, in order. What cannot be handed over now waits; what never can has failed."""
        left = list(mail)
        server = aiosmtplib.SMTP(**settings.mail_server())  # type: ignore[arg-type]
        try:
            await _connect(server)
            while left:
                await self._send(runtime, server, left[0], settings)
                left.pop(0)
            await _leave(server)
        except ServerTrouble as trouble:
            log_line.warning("mail.waiting", messages=len(left), why=type(trouble.__cause__).__name__)
            await _wait(runtime, left)
        finally:
            server.close()

    async def _send(
        self, runtime: Runtime, server: aiosmtplib.SMTP, reminder: Reminder, settings: NotificationSettings
    ) -> None:
        if not await _is_waiting(runtime, reminder):
            return
        party, _ = await runtime.load(contact, party_key(reminder.recipient_ref))
        if _may_be_protected(reminder):
            await _reroute(runtime, reminder, "PORTAL", PROTECTION)
            return
        match party:
            case Reachable(address=address, channels=channels) if address and "EMAIL" in channels:
                await self._hand_over(runtime, server, reminder, address, settings)
            case Reachable(channels=channels) if "EMAIL" not in channels:
                await _reroute(runtime, reminder, "PORTAL", NOT_CHOSEN)
            case Reachable():
                await _failed(runtime, reminder, NO_EMAIL)
            case _:
                await _failed(runtime, reminder, NO_CONTACT)

    async def _hand_over(
        self, runtime: Runtime, server: aiosmtplib.SMTP, reminder: Reminder, to: str, settings: NotificationSettings
    ) -> None:
        if reminder.reminder_id not in self._taken:
            now = runtime.clock.now()
            try:
                letter = email(reminder.template_id, reminder.reminder_id, settings.smtp_from, to, now)
            except (ValueError, FileNotFoundError):
                return await _failed(runtime, reminder, NO_LETTER)
            refused = await _give(server, letter)
            if refused is not None:
                return await _refused(runtime, reminder, refused)
            self._taken.add(reminder.reminder_id)
        await _sent(runtime, reminder)
        self._taken.discard(reminder.reminder_id)
        return None


async def _is_waiting(runtime: Runtime, reminder: Reminder) -> bool:
    """False when it was handed over, withdrawn or sent another way since the read model was read."""
    state, _ = await runtime.load(agenda_for(reminder.case_id), reminder.agenda_id)
    message = message_of(state, reminder.reminder_id)
    return isinstance(message, Waiting) and message.due.channel == reminder.channel


def _may_be_protected(reminder: Reminder) -> bool:
    return reminder.recipient_ref.startswith("person:")


def _takes_email(party: Contact) -> bool:
    return isinstance(party, Reachable) and bool(party.address) and "EMAIL" in party.channels


def _why_no_sms(party: Contact, gateway: SmsGateway | None) -> str | None:
    """What stands in the way of an SMS to this party, or None."""
    match party:
        case Reachable(channels=channels) if "SMS" not in channels:
            return NOT_CHOSEN
        case Reachable(phone=phone) if not phone:
            return NO_PHONE
        case Reachable():
            return NO_GATEWAY if gateway is None else None
        case _:
            return NO_CONTACT


async def _connect(server: aiosmtplib.SMTP) -> None:
    try:
        await server.connect()
    except (aiosmtplib.SMTPException, OSError) as error:
        raise ServerTrouble from error


async def _leave(server: aiosmtplib.SMTP) -> None:
    with contextlib.suppress(aiosmtplib.SMTPException, OSError):
        await server.quit()


async def _give(server: aiosmtplib.SMTP, letter: EmailMessage) -> int | None:
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


async def _refused(runtime: Runtime, reminder: Reminder, code: int) -> None:
    """4xx: not now; 5xx: never (RFC 5321, 4.2.1)."""
    if code < 500:
        await _wait(runtime, [reminder])
    else:
        await _failed(runtime, reminder, REFUSED)


async def _into_inbox(runtime: Runtime, reminder: Reminder) -> None:
    """A portal message is in the inbox as soon as it is recorded as sent; other channels are not offered yet."""
    if reminder.channel == "PORTAL":
        await _sent(runtime, reminder)
    else:
        await _failed(runtime, reminder, NO_CHANNEL)


# --- what is noted ---


async def _sent(runtime: Runtime, reminder: Reminder) -> None:
    command = RecordReminderSent(reminder_id=reminder.reminder_id)
    await _record(runtime, reminder, command, "sent")


async def _failed(runtime: Runtime, reminder: Reminder, cause: str) -> None:
    command = RecordReminderFailed(reminder_id=reminder.reminder_id, cause=cause)
    await _record(runtime, reminder, command, "failed")


async def _reroute(runtime: Runtime, reminder: Reminder, instead: str, cause: str) -> None:
    async with runtime.engine.connect() as connection:
        lies_there = instead == "PORTAL" and await lies_in_inbox(connection, reminder)
    channel = ReminderChannel(instead)
    command = RerouteReminder(reminder_id=reminder.reminder_id, instead=channel, cause=cause, lies_there=lies_there)
    await _record(runtime, reminder, command, f"{reminder.channel}>{instead}")


async def _record(runtime: Runtime, reminder: Reminder, command: MessageCommand, what: str) -> None:
    command_id = hashed_id("delivery", str(reminder.reminder_id), what)
    keeper = agenda_for(reminder.case_id)
    await runtime.act(keeper, reminder.agenda_id, command, command_id=command_id, case_id=reminder.case_id)
    await runtime.pool.execute("delete from public.deliveries where reminder_id = $1", reminder.reminder_id)


async def _wait(runtime: Runtime, mail: Sequence[Reminder]) -> None:
    """Note that these could not be handed over, and when they are tried again."""
    ids: list[UUID] = [r.reminder_id for r in mail]
    await runtime.pool.execute(WAIT, ids, _real_now(), LONGEST_PAUSE)


def _real_now() -> datetime:
    return datetime.now(UTC)


def worker(rules: Rules) -> Worker:
    """The delivery, keeping to the sending hours of these rules."""
    of = per_runtime(lambda: Delivery(rules))
    return Worker(name="delivery", run=lambda r: of(r).run(r), due=lambda r: of(r).due(r))
