"""The log, the read models, and the notes of the delivery.

Revision ID: 0001
Revises:
"""

from alembic import op

from chassis.migrating import app_role
from chassis.schema import hand_over, install, script

revision = "0001"
down_revision = None

TIMERS = """
create table views.timers (
    deadline_id uuid primary key,
    case_id uuid not null,
    next_at timestamptz not null,
    done int not null,
    later text not null
);
create index on views.timers (next_at);
"""

DEADLINES = """
create table views.deadlines (
    deadline_id uuid primary key,
    case_id uuid not null,
    kind text not null,
    about uuid not null,
    due_at timestamptz not null,
    set_at timestamptz not null,
    owner_role text not null,
    owner_ref text not null,
    owner_sees boolean not null,
    rule text not null,
    rule_version text not null,
    status text not null,
    missed boolean not null,
    escalated_to text not null,
    ended_at timestamptz,
    unreached text not null,
    by_hand boolean not null,
    roles text not null
);
create index on views.deadlines (case_id, due_at, deadline_id);
create index on views.deadlines using gin (string_to_array(roles, ' ')) where status = 'OPEN';
"""

REMINDERS = """
create table views.reminders (
    reminder_id uuid primary key,
    case_id uuid not null,
    deadline_id uuid not null,
    about uuid not null,
    channel text not null,
    template_id text not null,
    recipient_ref text not null,
    attempt int not null,
    due_at timestamptz not null,
    status text not null,
    ended_at timestamptz,
    cause text not null
);
create index on views.reminders (due_at, reminder_id) where status = 'WAITING';
create index on views.reminders (recipient_ref, due_at, reminder_id) where channel = 'PORTAL';
"""

TIMELINE = """
create table views.timeline (
    position bigint primary key,
    case_id uuid not null,
    at timestamptz not null,
    event text not null,
    kind text not null,
    about uuid not null,
    due_at timestamptz,
    who text not null,
    detail text not null
);
create index on views.timeline (case_id, position);
"""

DELIVERIES = """
create table deliveries (
    reminder_id uuid primary key,
    tries int not null,
    next_try timestamptz not null
);
comment on table deliveries is 'Messages that could not be handed over yet, in real time. A note, not a fact.';
"""


def upgrade() -> None:
    install(op)
    for ddl in (TIMERS, DEADLINES, REMINDERS, TIMELINE, DELIVERIES):
        script(op, ddl)
    hand_over(op, "timers", "deadlines", "reminders", "timeline")
    op.execute(f"grant select, insert, update, delete on deliveries to {app_role()}")
