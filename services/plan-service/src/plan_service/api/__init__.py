"""Employers' plans over HTTP: a request becomes a command; a view, or a stream, becomes a response."""

from fastapi import APIRouter

from plan_service.api import activities, assessments, documents, employments, finding, plans, tips

router = APIRouter()
for part in (finding, employments, documents, plans, assessments, activities, tips):
    router.include_router(part.router)
