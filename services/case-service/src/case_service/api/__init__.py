"""Cases over HTTP: a request becomes a command; a view, or a stream, becomes a response."""

from fastapi import APIRouter

from case_service.api import care, cases, consents, handling, health, people, referrals

router = APIRouter()
for part in (people, cases, health, handling, care, consents, referrals):
    router.include_router(part.router)
