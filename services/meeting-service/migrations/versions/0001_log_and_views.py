"""The log, and the read models of meetings and invitations.

Revision ID: 0001
Revises:
"""

from alembic import op

from chassis.schema import hand_over, install, script

revision = "0001"
down_revision = None

MEETINGS = """
create table views.meetings (
    meeting_id uuid primary key,
    number bigint not null,
    case_id uuid not null,
    kind text not null,
    status text not null,
    caller text not null,
    arrangement int not null,
    starts_at timestamptz,
    minutes int,
    form text,
    marked boolean not null,
    minutes_version int not null,
    agreements int not null,
    reason text,
    ended_at timestamptz
);
create index on views.meetings (case_id, number);
"""

INVITATIONS = """
create table views.invitations (
    invitation_id uuid primary key,
    meeting_id uuid not null,
    case_id uuid not null,
    ref text not null,
    kind text not null,
    caller text not null,
    required boolean not null,
    arrangement int not null,
    starts_at timestamptz not null,
    minutes int not null,
    form text not null,
    answer text,
    open boolean not null,
    ended boolean not null
);
create index on views.invitations (ref, starts_at, invitation_id) where not ended;
"""


def upgrade() -> None:
    install(op)
    for part in (MEETINGS, INVITATIONS):
        script(op, part)
    for view in ("meetings", "invitations"):
        hand_over(op, view)
