"""What is there under a name? Asked by the documents' tests: names in the code, and addresses that are answered."""

import dataclasses
import importlib
import re
from collections.abc import Iterator
from typing import Any

from fastapi.routing import APIRoute

from chassis.health import router as operations
from chassis.service import Service


def found(dotted: str) -> bool:
    """Does `module.Name` (or `module.Name.field`) exist?"""
    parts = dotted.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            thing: Any = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for name in parts[cut:]:
            if not hasattr(thing, name):
                return dataclasses.is_dataclass(thing) and name in {f.name for f in dataclasses.fields(thing)}
            thing = getattr(thing, name)
        return True
    return False


def addresses() -> set[str]:
    """Every method and path that a service answers, `PUT /v1/employments/{}` for example."""
    told = {(method, route.path) for route in routes(operations.routes) for method in route.methods or ()}
    for module in ("case_service.main", "meeting_service.main", "plan_service.main", "notification_service.main"):
        service: Service = importlib.import_module(module).service
        paths = importlib.import_module(module).app.openapi()["paths"]
        told |= {(method.upper(), path) for path, methods in paths.items() for method in methods}
        assert service.name in module
    return {f"{method} {re.sub(r'{[^}]*}', '{}', path)}" for method, path in told}


def routes(given: list[Any]) -> Iterator[APIRoute]:
    return (route for route in given if isinstance(route, APIRoute))
