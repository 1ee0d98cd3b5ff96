"""Delete a stream, so that its service's relay fills it again from the log: `python delete_stream.py NATS_URL STREAM`.

Only where docs/runbooks/log-behind-stream.md tells you to. The user must be `ops`; no service may do this.
"""

import asyncio
import sys

import nats


async def delete(url: str, stream: str) -> None:
    connection = await nats.connect(url)
    try:
        await connection.jsm().delete_stream(stream)
    finally:
        await connection.close()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    asyncio.run(delete(*sys.argv[1:]))
