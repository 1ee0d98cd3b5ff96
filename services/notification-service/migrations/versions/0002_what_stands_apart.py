"""Deadlines that stand in no case: tips have an agenda of their own. Tasks that are delegated.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

from chassis.schema import script

revision = "0002"
down_revision = "0001"

APART = """
alter table views.{view} add column agenda_id uuid;
update views.{view} set agenda_id = case_id;
alter table views.{view} alter column agenda_id set not null;
alter table views.{view} alter column case_id drop not null;
"""


DELEGATED = """
alter table views.deadlines add column delegated_to text not null default '';
alter table views.deadlines alter column delegated_to drop default;
create index on views.deadlines (owner_ref, due_at, deadline_id) where status = 'OPEN';
"""


def upgrade() -> None:
    for view in ("timers", "deadlines", "reminders", "timeline"):
        script(op, APART.format(view=view))
    script(op, DELEGATED)
