"""How this service's database is migrated: see chassis.migrating."""

from chassis.migrating import run

run()
