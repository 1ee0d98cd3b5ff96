"""Contacts, tasks and what happened in a case, over HTTP."""

from fastapi import APIRouter

from notification_service.api import cases, contacts, messages, tasks

router = APIRouter()
for part in (contacts, tasks, cases, messages):
    router.include_router(part.router)
