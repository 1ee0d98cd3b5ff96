"""Hand over the messages that have been decided on: to the mail server or the SMS gateway within the allowed hours,
or to the inbox. A party gets them where it wants them: what it did not choose, and an SMS that no gateway takes, goes
by e-mail or to the inbox instead, and that is recorded.

A message is recorded as sent after the mail server has taken it. When the process dies between the two, or the mail
server takes a message and the connection breaks before it says so, the message is handed over again, with the same
Message-ID, so that the receiving side can drop the second. Those are the only ways in which one can be sent twice.

A mail server that cannot be reached loses nothing and stops nothing else: messages wait, and are tried again after a
pause that grows. Pauses are in real time, because mail servers live in it.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import aiosmtplib

from chassis.service import Runtime, Worker, per_runtime
from chassis.telemetry import get_logger
from notification_service.days import sendable_from
from notification_service.domain.agenda import agenda_for
from notification_service.domain.contact import Reachable, contact
from notification_service.domain.known import message_of
from notification_service.domain.message import Waiting
from notification_service.hindrances import (
    NO_CHANNEL,
    NO_CONTACT,
    NO_EMAIL,
    NO_LETTER,
    NOT_CHOSEN,
    PROTECTION,
    REFUSED,
    may_be_protected,
    takes_email,
    why_no_sms,
)
from notification_service.letters import email
from notification_service.mailing import ServerTrouble, connect, give, leave
from notification_service.noting import note_failed, note_sent, note_waiting, real_now, reroute
from notification_service.parties import party_key
from notification_service.settings import NotificationSettings
from notification_service.sms import GatewayTrouble, NumberRefused, SmsGateway
from notification_service.versions import Rules
from notification_service.views.reminders import Reminder, never_tried, reminders, to_hand_over

log_line = get_logger(__name__)

GROUP = 200
LOOK_EVERY = 1.0
LOOK_EVERY_SIMULATED = 0.05


FORGET_OLD = (
    "delete from public.deliveries d where not exists "
    "(select 1 from views.reminders r where r.reminder_id = d.reminder_id and r.status = 'WAITING')"
)


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
            others = await to_hand_over(connection, False, real_now(), GROUP)
            mail = await to_hand_over(connection, True, real_now(), GROUP) if open_now else []
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
                await note_waiting(runtime, texts[n:])
                return

    async def _text(self, runtime: Runtime, gateway: SmsGateway | None, reminder: Reminder) -> None:
        if not await _is_waiting(runtime, reminder):
            return
        party, _ = await runtime.load(contact, party_key(reminder.recipient_ref))
        hindrance = PROTECTION if may_be_protected(reminder) else why_no_sms(party, gateway)
        if hindrance is None and reminder.reminder_id not in self._taken:
            assert gateway is not None
            assert isinstance(party, Reachable)
            try:
                await gateway.send(reminder.reminder_id, party.phone)
                self._taken.add(reminder.reminder_id)
            except NumberRefused:
                hindrance = REFUSED
        if hindrance is None:
            await note_sent(runtime, reminder)
            self._taken.discard(reminder.reminder_id)
        else:
            by_mail = takes_email(party) and hindrance != PROTECTION
            await reroute(runtime, reminder, "EMAIL" if by_mail else "PORTAL", hindrance)

    # --- e-mail ---

    async def _send_all(self, runtime: Runtime, mail: Sequence[Reminder], settings: NotificationSettings) -> None:
        """Over one connection, in order. What cannot be handed over now waits; what never can has failed."""
        left = list(mail)
        server = aiosmtplib.SMTP(**settings.mail_server())  # type: ignore[arg-type]
        try:
            await connect(server)
            while left:
                await self._send(runtime, server, left[0], settings)
                left.pop(0)
            await leave(server)
        except ServerTrouble as trouble:
            log_line.warning("mail.waiting", messages=len(left), why=type(trouble.__cause__).__name__)
            await note_waiting(runtime, left)
        finally:
            server.close()

    async def _send(
        self, runtime: Runtime, server: aiosmtplib.SMTP, reminder: Reminder, settings: NotificationSettings
    ) -> None:
        if not await _is_waiting(runtime, reminder):
            return
        party, _ = await runtime.load(contact, party_key(reminder.recipient_ref))
        if may_be_protected(reminder):
            await reroute(runtime, reminder, "PORTAL", PROTECTION)
            return
        match party:
            case Reachable(address=address, channels=channels) if address and "EMAIL" in channels:
                await self._hand_over(runtime, server, reminder, address, settings)
            case Reachable(channels=channels) if "EMAIL" not in channels:
                await reroute(runtime, reminder, "PORTAL", NOT_CHOSEN)
            case Reachable():
                await note_failed(runtime, reminder, NO_EMAIL)
            case _:
                await note_failed(runtime, reminder, NO_CONTACT)

    async def _hand_over(
        self, runtime: Runtime, server: aiosmtplib.SMTP, reminder: Reminder, to: str, settings: NotificationSettings
    ) -> None:
        if reminder.reminder_id not in self._taken:
            now = runtime.clock.now()
            try:
                letter = email(reminder.template_id, reminder.reminder_id, settings.smtp_from, to, now)
            except (ValueError, FileNotFoundError):
                return await note_failed(runtime, reminder, NO_LETTER)
            refused = await give(server, letter)
            if refused is not None:
                return await _refused(runtime, reminder, refused)
            self._taken.add(reminder.reminder_id)
        await note_sent(runtime, reminder)
        self._taken.discard(reminder.reminder_id)
        return None


async def _is_waiting(runtime: Runtime, reminder: Reminder) -> bool:
    """False when it was handed over, withdrawn or sent another way since the read model was read."""
    state, _ = await runtime.load(agenda_for(reminder.case_id), reminder.agenda_id)
    message = message_of(state, reminder.reminder_id)
    return isinstance(message, Waiting) and message.due.channel == reminder.channel


async def _refused(runtime: Runtime, reminder: Reminder, code: int) -> None:
    """4xx: not now; 5xx: never (RFC 5321, 4.2.1)."""
    if code < 500:
        await note_waiting(runtime, [reminder])
    else:
        await note_failed(runtime, reminder, REFUSED)


async def _into_inbox(runtime: Runtime, reminder: Reminder) -> None:
    """A portal message is in the inbox as soon as it is recorded as sent; other channels are not offered yet."""
    if reminder.channel == "PORTAL":
        await note_sent(runtime, reminder)
    else:
        await note_failed(runtime, reminder, NO_CHANNEL)


# --- what is noted ---


def worker(rules: Rules) -> Worker:
    """The delivery, keeping to the sending hours of these rules."""
    of = per_runtime(lambda: Delivery(rules))
    return Worker(name="delivery", run=lambda r: of(r).run(r), due=lambda r: of(r).due(r))
