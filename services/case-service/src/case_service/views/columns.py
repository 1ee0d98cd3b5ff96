"""Where the read models' tables stand, and what the services are called."""

import sqlalchemy as sa

METADATA = sa.MetaData(schema="views")
OWN, PLAN, MEETING, NOTIFICATION = "case", "plan", "meeting", "notification"
