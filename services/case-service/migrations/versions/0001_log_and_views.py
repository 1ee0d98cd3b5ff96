"""The log, and the read models of cases, consents, referrals, and of what the other services tell.

Revision ID: 0001
Revises:
"""

from alembic import op

from chassis.schema import hand_over, install, script

revision = "0001"
down_revision = None

CASES = """
create table views.cases (
    case_id uuid primary key,
    number bigint not null,
    version int not null,
    person_ref uuid not null,
    status text not null,
    spell_start date not null,
    chain_start date not null,
    opened_at timestamptz not null,
    expected_end date not null,
    expected_days int not null,
    benefit text not null,
    restricted boolean not null,
    handler_ref text,
    unit text,
    substitute_ref text,
    substitute_until date,
    certificates int not null,
    need_level text,
    need boolean,
    need_decided_at timestamptz,
    infos_waiting int not null,
    milestone text,
    outcome text,
    closed_at timestamptz,
    changed_at timestamptz not null,
    opening int not null,
    consents text not null,
    consents_end boolean not null
);
create unique index on views.cases (number);
create index on views.cases (person_ref);
create index on views.cases (handler_ref, number);
create index on views.cases (substitute_ref, number) where substitute_ref is not null;
create index on views.cases (status, number);
create index on views.cases (number) where consents_end;
"""

CONSENTS = """
create table views.consents (
    consent_id uuid primary key,
    case_id uuid not null,
    opening int not null,
    giving int not null,
    scope text not null,
    counterparty text not null,
    purpose text not null,
    data_classes text not null,
    valid_from date not null,
    valid_to date not null,
    form text not null,
    status text not null,
    ended_at timestamptz
);
create index on views.consents (case_id);
"""

REFERRALS = """
create table views.referrals (
    referral_id uuid primary key,
    number bigint not null,
    version int not null,
    case_id uuid not null,
    sent_to text not null,
    consent_id uuid not null,
    purpose text not null,
    wished_by date not null,
    sent_at timestamptz not null,
    status text not null,
    officer_ref text,
    office text,
    reason text,
    answered_at timestamptz
);
create index on views.referrals (case_id);
create unique index on views.referrals (sent_to, number);
"""

TIMELINE = """
create table views.timeline (
    id uuid primary key,
    case_id uuid not null,
    at timestamptz not null,
    source text not null,
    position bigint not null,
    event text not null,
    role text not null,
    about uuid,
    detail text not null
);
create unique index on views.timeline (case_id, at, source, position);
"""

HEARD = """
create table views.employment_plans (
    employment_id uuid primary key,
    case_id uuid not null,
    org_nr text not null,
    told text not null,
    plan_id uuid,
    plan_version int,
    quality text
);
create index on views.employment_plans (case_id);

create table views.open_deadlines (
    deadline_id uuid primary key,
    case_id uuid not null,
    kind text not null,
    about uuid not null,
    due_at timestamptz not null,
    owner_role text not null,
    missed boolean not null,
    escalated_to text
);
create index on views.open_deadlines (case_id, due_at);
"""


def upgrade() -> None:
    install(op)
    for part in (CASES, CONSENTS, REFERRALS, TIMELINE, HEARD):
        script(op, part)
    for view in ("cases", "consents", "referrals", "timeline", "employment_plans", "open_deadlines"):
        hand_over(op, view)
