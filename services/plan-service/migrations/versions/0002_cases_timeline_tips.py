"""Read models of what is known of a case, of what happened about a plan, and of tips.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

from chassis.schema import hand_over, script

revision = "0002"
down_revision = "0001"

TABLES = """
create table views.cases (
    case_id uuid primary key,
    expected_days int,
    ended boolean not null
);
create table views.timeline (
    position bigint primary key,
    employment_id uuid not null,
    at timestamptz not null,
    event text not null,
    role text not null,
    about uuid not null,
    detail text not null
);
create index on views.timeline (employment_id, position);
create table views.tips (
    tip_id uuid primary key,
    number bigint not null,
    version int not null,
    org_nr text not null,
    grounds text not null,
    status text not null,
    sent_number bigint,
    kind text,
    case_count int,
    sent_at timestamptz,
    acknowledged_on date,
    outcome text,
    outcome_on date
);
create unique index on views.tips (number);
create unique index on views.tips (sent_number) where sent_number is not null;
create index on views.employments (person_ref, org_nr);
"""


def upgrade() -> None:
    script(op, TABLES)
    for table in ("cases", "timeline", "tips"):
        hand_over(op, table)
