"""What stands in the way of a message to this party by this channel?"""

from notification_service.domain.contact import Contact, Reachable
from notification_service.sms import SmsGateway
from notification_service.views.reminders import Reminder

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


def may_be_protected(reminder: Reminder) -> bool:
    return reminder.recipient_ref.startswith("person:")


def takes_email(party: Contact) -> bool:
    return isinstance(party, Reachable) and bool(party.address) and "EMAIL" in party.channels


def why_no_sms(party: Contact, gateway: SmsGateway | None) -> str | None:
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
