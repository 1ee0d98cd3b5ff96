"""The log, the files that come with plans, and the read model of employments.

Revision ID: 0001
Revises:
"""

from alembic import op

from chassis.migrating import app_role
from chassis.schema import hand_over, install, script

revision = "0001"
down_revision = None

DOCUMENTS = """
create table documents (
    document_ref uuid primary key,
    employment_id uuid not null,
    subject_key uuid not null,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    bytes int not null,
    pages int not null,
    content bytea not null,
    uploaded_at timestamptz not null,
    uploaded_by_org text not null,
    referred boolean not null default false,
    unique (employment_id, sha256)
);
alter table documents alter column content set storage external;
create index on documents (uploaded_at) where not referred;
comment on table documents is 'Files, encrypted under the key of the person they are about (subject_key).';
comment on column documents.referred is 'A plan in the log names this file; found by the sweep, never taken back.';
"""

EMPLOYMENTS = """
create table views.employments (
    employment_id uuid primary key,
    number bigint not null,
    version int not null,
    case_id uuid not null,
    person_ref uuid not null,
    org_nr text not null,
    employment_kind text not null,
    spell_start date not null,
    expected_days int not null,
    situation text not null,
    request_id uuid,
    due date,
    file_fault text,
    plan_id uuid,
    plan_version int,
    channel text,
    exemption text,
    submitted_at timestamptz,
    spell_day int,
    score int,
    quality text,
    shortcomings text,
    changed_at timestamptz not null
);
create unique index on views.employments (number);
create unique index on views.employments (org_nr, number);
create index on views.employments (situation, number);
"""


def upgrade() -> None:
    install(op)
    script(op, DOCUMENTS)
    script(op, EMPLOYMENTS)
    hand_over(op, "employments")
    op.execute(f"grant select, insert, delete on documents to {app_role()}")
    op.execute(f"grant update (uploaded_at, referred) on documents to {app_role()}")
