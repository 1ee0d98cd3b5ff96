"""Where the read models' tables stand, and what the service is called."""

import sqlalchemy as sa

METADATA = sa.MetaData(schema="views")
OWN = "meeting"
