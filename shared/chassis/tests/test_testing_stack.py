"""What tests run on is itself tested: databases are fresh, durable and quick; tokens are real."""

import time

import asyncpg
import httpx
import jwt

from chassis.servers import Database, Nats
from chassis.servers.issuer import Issuer
from chassis.testing_stack import Databases, Tokens, as_operator, forget_streams, keys_schema


async def _one_table(database: Database) -> None:
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute("CREATE TABLE filled (n int)")
    await owner.close()


async def test_a_database_is_fresh_and_nothing_is_lost_in_it(database: Databases) -> None:
    first, second = await database("fresh", setup=_one_table), await database("fresh", setup=_one_table)
    writer = await asyncpg.connect(first.owner_url)
    await writer.execute("INSERT INTO filled VALUES (1)")
    assert await writer.fetchval("SHOW fsync") == "on"
    reader = await asyncpg.connect(second.owner_url)
    assert await reader.fetchval("SELECT count(*) FROM filled") == 0
    await writer.close()
    await reader.close()


async def test_a_copied_database_is_there_in_a_moment(database: Databases) -> None:
    await database("quick", setup=keys_schema)
    begun = time.perf_counter()
    await database("quick", setup=keys_schema)
    assert time.perf_counter() - begun < 1.0


async def test_a_token_can_be_checked_against_the_served_keys(issuer: Issuer, token: Tokens) -> None:
    async with httpx.AsyncClient() as client:
        keys = jwt.PyJWKSet.from_dict((await client.get(f"{issuer.url}/jwks.json")).json())
    said = jwt.decode(token("emp.hr", org_id="5560000001"), keys.keys[0], ["ES256"], audience="samordna")
    assert (said["org_type"], said["org_id"], said["role"]) == ("EMPLOYER", "5560000001", "emp.hr")
    assert token("emp.hr", aud="elsewhere") != token("emp.hr")


async def test_streams_of_an_earlier_test_can_be_forgotten(nats_server: Nats) -> None:
    async with as_operator(nats_server) as connection:
        await connection.jetstream().add_stream(name="EARLIER", subjects=["earlier.>"])
        await forget_streams(nats_server, "EARLIER")
        assert "EARLIER" not in [s.config.name for s in await connection.jsm().streams_info()]
