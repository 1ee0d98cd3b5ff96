"""The tables every service's database has, and who may do what to them.

The owner role migrates. The running service's role may call `append_facts`, read the log, and write its own notes and
read models; it can neither change nor delete a fact.
"""

from typing import Any, Protocol


class Operations(Protocol):
    """What of Alembic's `op` is used here."""

    def execute(self, sqltext: str) -> object: ...

    def get_bind(self) -> Any: ...


LOG = """
create table events (
    position bigint primary key,
    stream_id text collate "C" not null,
    version int not null,
    event_id uuid not null,
    type text collate "C" not null,
    schema_version int not null,
    data bytea not null,
    sealed bytea,
    envelope bytea not null,
    subject_key uuid,
    recorded_at timestamptz not null,
    unique (stream_id, version)
);
comment on table events is 'Facts. Position order is commit order, without gaps. Never changed, never deleted.';

create table log_head (
    one boolean primary key default true check (one),
    position bigint not null,
    recorded_at timestamptz not null
) with (fillfactor = 10);
insert into log_head values (true, 0, 'epoch');

create table commands (
    command_id uuid primary key,
    fingerprint bytea not null,
    result bytea not null,
    position bigint not null,
    version int not null,
    at timestamptz not null
);
comment on table commands is 'What each command was answered: ids, never content.';

create view readable_events as
select position, stream_id, version, type, schema_version, convert_from(data, 'UTF8')::json as data,
       sealed is not null as has_sealed, convert_from(envelope, 'UTF8') as envelope, recorded_at
from events;
"""

NOTES = """
create table checkpoints (
    name text primary key,
    position bigint not null default 0,
    moment timestamptz,
    moment_position bigint not null default 0
);
comment on table checkpoints is 'How far each follower has come, and up to which moment its source is known complete.';

create table heard (
    source text not null,
    position bigint not null,
    event_id uuid,
    type text not null,
    schema_version int not null,
    stream_id text not null,
    version int not null,
    case_id uuid,
    data bytea not null,
    envelope bytea not null,
    recorded_at timestamptz not null,
    primary key (source, position)
);
comment on table heard is 'This service''s own copy of what others told it.';

create table dead_letters (
    source text not null,
    position bigint not null,
    case_id uuid,
    type text not null,
    state text not null check (state in ('parked', 'behind', 'dead')),
    reason text not null,
    attempts int not null,
    since timestamptz not null,
    primary key (source, position)
);
create index on dead_letters (case_id);
comment on table dead_letters is 'Messages set aside, with those that followed them on the same case.';

create schema views;
"""

# Requests that touch one stream, or repeat one command, never share a call: the appender keeps them apart. So the
# checks below may all read the state before the call. Facts find their request by array index, not by a join, so that
# a call's cost grows with its size and not with its square. Index paths are forced because a plan made on a young
# table would scan it.
APPEND = """
create function append_facts(
    p_known bigint, p_now timestamptz,
    r_stream text[], r_expected int[], r_count int[], r_key uuid[], r_fingerprint bytea[], r_answer bytea[],
    g_request int[], g_stream text[], g_version int[],
    e_request int[], e_nth int[], e_id uuid[], e_type text[], e_schema int[], e_data bytea[], e_sealed bytea[],
    e_envelope bytea[], e_subject uuid[])
returns table (
    request int, verdict text, at_position bigint, at_version int, fingerprint bytea, answer bytea, stream text)
language plpgsql security definer
set search_path = public, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_bitmapscan = off
set plan_cache_mode = force_generic_plan
as $$
declare
    base bigint; last_at timestamptz; v_at timestamptz; n_added bigint;
    broken int[]; broken_stream text[]; broken_version int[];
    current_version int[]; seen boolean[]; before bigint[];
begin
    select h.position, h.recorded_at into base, last_at from log_head h for update;
    if base < p_known then
        raise exception 'the log ends at % but position % has been seen', base, p_known using errcode = 'SL001';
    end if;
    v_at := greatest(last_at, p_now);

    if cardinality(g_request) > 0 then
        select array_agg(b.r), array_agg(b.s), array_agg(b.cur) into broken, broken_stream, broken_version
        from (select distinct on (g.r) g.r, g.s, g.cur from (
                select u.r, u.s, u.v, coalesce(
                    (select e.version from events e where e.stream_id = u.s order by e.version desc limit 1), 0) as cur
                from unnest(g_request, g_stream, g_version) as u(r, s, v)) g
              where g.cur <> g.v) b;
    end if;

    -- `before` is the position a request's facts come after; null when it is not taken.
    with r as materialized (
        select t.ord, t.x, t.n,
               coalesce(
                   (select e.version from events e where e.stream_id = t.s order by e.version desc limit 1), 0) as cur,
               coalesce((select true from commands c where c.command_id = t.k limit 1), false) as known
        from unnest(r_stream, r_expected, r_count, r_key) with ordinality as t(s, x, n, k, ord)),
    judged as (
        select r.*, r.x = r.cur and not r.known and not coalesce(r.ord = any(broken), false) as taken from r),
    placed as (
        select j.ord, j.cur, j.known, case when j.taken then base + coalesce(
                   sum(j.n) filter (where j.taken)
                   over (order by j.ord rows between unbounded preceding and 1 preceding), 0) end as b
        from judged j)
    select array_agg(p.cur order by p.ord), array_agg(p.known order by p.ord), array_agg(p.b order by p.ord)
    into current_version, seen, before from placed p;

    insert into events
    select before[u.req] + u.nth, r_stream[u.req], current_version[u.req] + u.nth, u.id, u.ty, u.sv, u.da, u.se, u.en,
           u.su, v_at
    from unnest(e_request, e_nth, e_id, e_type, e_schema, e_data, e_sealed, e_envelope, e_subject)
         as u(req, nth, id, ty, sv, da, se, en, su)
    where before[u.req] is not null;
    get diagnostics n_added = row_count;

    insert into commands
    select t.k, t.f, t.a, t.b + t.n, t.cur + t.n, v_at
    from unnest(r_key, r_fingerprint, r_answer, r_count, current_version, before) as t(k, f, a, n, cur, b)
    where t.k is not null and t.b is not null;

    update log_head set position = base + n_added, recorded_at = v_at;

    return query
    select t.ord::int,
           case when t.known then 'repeated' when t.b is not null then 'appended' else 'conflict' end,
           case when t.known then c.position else t.b + t.n end,
           case when t.known then c.version when t.b is not null then t.cur + t.n
                when t.x <> t.cur then t.cur else g.v end,
           c.fingerprint, c.result,
           case when t.known or t.b is not null or t.x <> t.cur then t.s else g.s end
    from unnest(r_stream, r_expected, r_count, r_key, current_version, seen, before)
         with ordinality as t(s, x, n, k, cur, known, b, ord)
    left join commands c on c.command_id = case when t.known then t.k end
    left join unnest(broken, broken_stream, broken_version) as g(r, s, v) on g.r = t.ord;
end $$;

create function mark_moment(p_known bigint, p_now timestamptz) returns bigint
language plpgsql security definer set search_path = public, pg_temp as $$
declare base bigint;
begin
    update log_head set recorded_at = greatest(recorded_at, p_now) returning position into base;
    if base < p_known then
        raise exception 'the log ends at % but position % has been seen', base, p_known using errcode = 'SL001';
    end if;
    return base;
end $$;
comment on function mark_moment is 'Whatever is recorded from now on bears this moment or a later one.';
"""

GRANTS = """
grant usage on schema public to {app};
grant select on events, log_head, commands, readable_events to {app};
revoke all on function append_facts from public;
revoke all on function mark_moment from public;
grant execute on function append_facts, mark_moment to {app};
grant select, insert, update, delete on checkpoints, heard, dead_letters to {app};
grant usage, create on schema views to {app};
"""

KEYS = """
create table subject_keys (
    subject uuid primary key,
    wrapped bytea,
    made_at timestamptz not null default now(),
    forgotten_at timestamptz
);
comment on table subject_keys is 'One wrapped key per person. A missing wrapped key means: forgotten, for good.';
grant select, insert, update on subject_keys to {app};
"""


def install(op: Operations) -> None:
    """Create the core tables; called by each service's first migration. The grants go to the running service's role."""
    from chassis.migrating import app_role

    for part in (LOG, NOTES, APPEND, GRANTS.format(app=app_role())):
        script(op, part)


def script(op: Operations, sql: str) -> None:
    """Run several statements at once, which the driver does not do when it prepares them."""
    connection: Any = op.get_bind().connection.dbapi_connection
    connection.run_async(lambda driver: driver.execute(sql))


def hand_over(op: Operations, *tables: str) -> None:
    """Give read-model tables in schema `views` to the running service, which rebuilds and swaps them."""
    from chassis.migrating import app_role

    for table in tables:
        op.execute(f'alter table views."{table}" owner to {app_role()}')
