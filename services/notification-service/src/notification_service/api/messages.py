"""The inbox: what has been said to the caller's organisation or person."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter

from chassis.envelope import Actor
from chassis.http import Body, Page, Reads, allow, paged
from notification_service.api.who import FK, OWNERS
from notification_service.letters import letter
from notification_service.parties import inbox_of
from notification_service.views.reminders import Reminder, inbox, reminders

router = APIRouter()


class Message(Body):
    """A message in a party's inbox."""

    reminder_id: UUID
    about: UUID
    at: datetime
    subject: str
    text: str


class MessagePage(Body):
    items: list[Message]
    next: str | None


@router.get(
    "/messages", tags=["messages"], summary="The inbox of the caller's organisation or person, the newest first"
)
async def messages(read: Reads, page: Page, who: Annotated[Actor, allow(*FK, *OWNERS)]) -> MessagePage:
    async with read(reminders) as connection:
        rows = await inbox(connection, inbox_of(who), page.after, page.limit + 1)
    found = paged(rows, page, key=lambda r: (r.due_at, r.reminder_id))
    return MessagePage(items=[_message(r) for r in found["items"]], next=found["next"])


def _message(row: Reminder) -> Message:
    text = letter(row.template_id)
    return Message(reminder_id=row.reminder_id, about=row.about, at=row.due_at, subject=text.subject, text=text.body)
