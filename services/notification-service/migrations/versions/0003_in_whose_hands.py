"""In whose hands each case is, as case-service tells it: a handler's tasks are those of its own cases.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

from chassis.schema import hand_over, script

revision = "0003"
down_revision = "0002"

HANDS = """
create table views.hands (
    case_id uuid primary key,
    handler_ref text not null,
    substitute_ref text,
    substitute_until date
);
"""


def upgrade() -> None:
    script(op, HANDS)
    hand_over(op, "hands")
