"""What every read table shares."""

import sqlalchemy as sa

METADATA = sa.MetaData(schema="views")

OWN, CASE = "plan", "case"
"""Where rows come from: this service's own log, and what case-service tells."""
