"""Ours: plan-service as it is deployed, all its parts running, registering employments over HTTP.

Each request is authenticated, validated, decided, encrypted and durable before it is answered; its Idempotency-Key is
kept; tracing samples at the product's default.
"""

import sys
from pathlib import Path

import asyncpg
import uvloop
from tests.bench.loops import Outcome
from tests.bench.runtimes import SAMPLING
from tests.bench.serving import under_load
from tests.bench.stage import Stage

from chassis.servers.issuer import Issuer, Persona, issuer_served

HANDLER = Persona(
    user_ref="0c1b7c0e-52d5-4bb1-8a0f-5b0a6f1d7a10", org_type="FK", org_id="2021005521", role="fk.handler"
)


def measure(stage: Stage, seconds: float) -> Outcome:
    with issuer_served() as issuer:
        return _measure(stage, seconds, issuer)


def _measure(stage: Stage, seconds: float, issuer: Issuer) -> Outcome:
    home = Path(stage.master_key_file).parent
    spans = home / "http-spans.jsonl"
    spans.unlink(missing_ok=True)
    environment = {
        "SAMORDNA_DATABASE_URL": stage.app,
        "SAMORDNA_KEYS_DATABASE_URL": stage.keys_app,
        "SAMORDNA_NATS_URL": stage.nats_plan,
        "SAMORDNA_MASTER_KEY_FILE": stage.master_key_file,
        "SAMORDNA_ISSUER": issuer.url,
        "SAMORDNA_JWKS_URL": f"{issuer.url}/jwks.json",
        "SAMORDNA_TRACE_FILE": str(spans),
    }

    def command(port: int) -> tuple[list[str], dict[str, str]]:
        run = [sys.executable, "-m", "chassis", "serve", "plan_service.main"]
        return run, environment | {"SAMORDNA_PORT": str(port)}

    found = under_load(
        command, "/health/ready", token=issuer.token(HANDLER), seconds=seconds, log=home / "plan-service.log"
    )
    stored = uvloop.run(_stored(stage))
    assert stored == sum(found["statuses"].values()), "each answered command must be in the log, once"
    return found | SAMPLING | {"spans": sum(1 for _ in spans.open())}


async def _stored(stage: Stage) -> int:
    connection = await asyncpg.connect(stage.app)
    try:
        return await connection.fetchval("select count(*) from events where type = 'EmploymentRegistered'")
    finally:
        await connection.close()
