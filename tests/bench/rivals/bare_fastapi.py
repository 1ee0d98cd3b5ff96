"""Rival: the least that FastAPI can do with the same request: read the body, check it with pydantic, answer.

No identity, no database, no log, no trace. Same uvicorn, event loop and HTTP parser, in a process of its own.
"""

import sys
import uuid
from datetime import date
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from tests.bench.loops import Outcome
from tests.bench.stage import Stage

app = FastAPI()


class Employment(BaseModel):
    caseId: uuid.UUID
    personRef: uuid.UUID
    orgNr: str
    employmentKind: str
    workplace: str
    spellStart: date
    expectedDays: int


@app.put("/v1/employments/{id}")
async def echo(id: uuid.UUID, body: Employment) -> Employment:
    return body


@app.get("/health/ready")
async def ready() -> dict[str, str]:
    return {"status": "ready"}


def measure(stage: Stage, seconds: float) -> Outcome:
    from tests.bench.serving import under_load

    def command(port: int) -> tuple[list[str], dict[str, str]]:
        return [sys.executable, "-m", "tests.bench.rivals.bare_fastapi", str(port)], {}

    log = Path(stage.master_key_file).with_name("bare-fastapi.log")
    return under_load(command, "/health/ready", token="-" * 400, seconds=seconds, log=log)


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False, loop="uvloop")
