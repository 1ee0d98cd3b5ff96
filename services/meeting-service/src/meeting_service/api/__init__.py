"""Meetings over HTTP: a request becomes a command; a view, or a stream, becomes a response."""

from fastapi import APIRouter

from meeting_service.api import assessments, calling, holding, reading

router = APIRouter()
for part in (reading, calling, holding, assessments):
    router.include_router(part.router)
