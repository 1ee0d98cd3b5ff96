"""Employers' plans over HTTP: a request becomes a command; a view, or a stream, becomes a response."""

from fastapi import APIRouter

from plan_service.api import assessments, documents, employments, plans

router = APIRouter()
for part in (employments, documents, plans, assessments):
    router.include_router(part.router)
