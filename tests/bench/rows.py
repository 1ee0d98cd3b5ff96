"""Did two rebuilds end with equal rows? A hash over all of them in key order."""

import asyncpg

QUERY = """
select md5(string_agg(r::text, '|' order by r.employment_id)) || ' ' || count(*)
from views.employments r
"""


async def digest(url: str) -> str:
    """The hash and the number of rows of the read model of employments in this database."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(QUERY)
    finally:
        await connection.close()
