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
# checks below may all read the state before the call. Index paths are forced because a plan made on a young table
# would scan it. Only what was refused is answered in rows: where the others stand follows from `base`.
#
# The checks are made before the head row is locked, while another call writes: a stream only grows and a key stays, and
# what another process adds in between makes the insertion fail, for (stream_id, version) and command_id are unique.
# That a new stream is new is left to the insertion altogether. When it fails nothing is written, and the call is sent
# again with `p_careful`: then every check is made under the lock. So it is when something is to be refused, and where
# no constraint helps: with guards, and with a request that adds no fact.
APPEND = """
create type new_guard as (request int, stream_id text, version int);
create type new_fact as (
    request int, stream_id text, version int, event_id uuid, type text, schema_version int, data bytea, sealed bytea,
    envelope bytea, subject_key uuid, facts int, command_id uuid, fingerprint bytea, result bytea);

create function append_facts(
    p_known bigint, p_now timestamptz, p_count int, p_guards new_guard[], p_facts new_fact[],
    p_careful boolean)
returns table (
    request bigint, verdict text, at_position bigint, at_version int, fingerprint bytea, answer bytea, stream text,
    recorded timestamptz)
language plpgsql security definer
set search_path = public, pg_temp
set enable_seqscan = off set enable_bitmapscan = off set plan_cache_mode = force_generic_plan
as $$
declare
    base bigint; v_at timestamptz; broken int[]; refused int[]; keyed boolean;
    careful constant boolean := p_careful or cardinality(p_guards) > 0 or cardinality(p_facts) > p_count;
begin
    loop
        if base is not null and cardinality(p_guards) > 0 then
            select array_agg(g.request) into broken from unnest(p_guards) g where g.version <> coalesce(
                (select e.version from events e where e.stream_id = g.stream_id order by e.version desc limit 1), 0);
        end if;
        if base is not null or not careful then
            select array_agg(f.request) filter (where
                       (f.version <> 1 or f.facts = 0 or p_careful) and f.version <> 1 + coalesce((
                           select e.version from events e where e.stream_id = f.stream_id
                           order by e.version desc limit 1), 0)
                       or coalesce((select true from commands c where c.command_id = f.command_id limit 1), false)
                       or f.request = any (broken)), bool_or(f.command_id is not null)
            into refused, keyed
            from unnest(p_facts) f where f.facts is not null;
        end if;
        exit when base is not null;

        update log_head h set position = h.position + p_count, recorded_at = greatest(h.recorded_at, p_now)
        returning h.position - p_count, h.recorded_at into base, v_at;
        if base is null or base < p_known then
            raise exception 'the log ends at % but position % has been seen', base, p_known using errcode = 'SL001';
        end if;
        exit when not careful and refused is null;
    end loop;

    if refused is not null then
        return query
        select f.request::bigint, case when c.command_id is not null then 'repeated' else 'conflict' end, c.position,
               case when c.command_id is not null then c.version when s.version <> f.version - 1 then s.version
                    else g.version end,
               c.fingerprint, c.result,
               case when c.command_id is not null or s.version <> f.version - 1 then f.stream_id else g.stream_id end,
               v_at
        from unnest(p_facts) f
        left join lateral (select * from commands k where k.command_id = f.command_id limit 1) c on true
        cross join lateral (select coalesce(max(e.version), 0) as version
                            from events e where e.stream_id = f.stream_id) s
        left join lateral (
            select b.stream_id, n.version
            from unnest(p_guards) b cross join lateral (
                select coalesce(max(e.version), 0) as version from events e where e.stream_id = b.stream_id) n
            where b.request = f.request and n.version <> b.version limit 1) g on true
        where f.facts is not null and f.request = any (refused);
        p_facts := array(select f from unnest(p_facts) f where f.request <> all (refused));
        p_count := (select count(*) from unnest(p_facts) f where f.event_id is not null);
        update log_head set position = base + p_count;
    end if;

    insert into events
    select base + f.nth, f.stream_id, f.version, f.event_id, f.type, f.schema_version, f.data, f.sealed, f.envelope,
           f.subject_key, v_at
    from unnest(p_facts) with ordinality as f(
        request, stream_id, version, event_id, type, schema_version, data, sealed, envelope, subject_key, facts,
        command_id, fingerprint, result, nth)
    where f.event_id is not null;

    if keyed then
        insert into commands
        select f.command_id, f.fingerprint, f.result,
               base + case f.facts when 0 then p_count else f.nth + f.facts - 1 end, f.version + f.facts - 1, v_at
        from unnest(p_facts) with ordinality as f(
            request, stream_id, version, event_id, type, schema_version, data, sealed, envelope, subject_key, facts,
            command_id, fingerprint, result, nth)
        where f.command_id is not null;
    end if;

    request := 0;
    at_position := base;
    recorded := v_at;
    return next;
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
