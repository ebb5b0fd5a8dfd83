-- The recording: one file holds one run, or the outcomes of a sweep over many seeds.
--
-- First questions, in the sqlite3 shell:
--     select * from failures;    -- which seeds failed, and what to type to see one
--     select * from timeline;    -- what happened to the cluster, in order
--     select * from latency;     -- how long operations took
--     select * from events where kind = 'drop' and detail = 'vote_request';
--
-- Tables hold integers, for speed and size; the views (in the plural) hold names and are what
-- people and reports should read. How much a file holds is its level: `outcome` fills the
-- tables above the line below, `history` all of them but without the events of messages,
-- timers and disks, `trace` everything.
--
-- Unsigned 64-bit values are stored in SQLite's signed 64-bit integers bit for bit, so that a
-- seed or a digest of 2^63 or more shows as negative in a table; the views print seeds
-- unsigned. Times are virtual nanoseconds since the run began; NULL is "never" or "none".
--
-- A change to anything here is a new version (RECORDING_VERSION in schema.h).

pragma application_id = 0x46414c43;
pragma user_version = 2;

create table recording (
    -- What this file is: a single row.
    purpose text not null,       -- 'run' or 'sweep'
    level text not null,         -- 'outcome', 'history' or 'trace'
    program_version text not null,
    scenario_file text not null, -- As it was given on the command line.
    scenario_text text not null, -- The whole JSON text: a recording can be run again.
    duration_ns integer not null,
    state text not null          -- 'unfinished' until the program has closed the file.
);
create table scenario_set (
    -- What `--set` changed in the scenario, in the order given.
    position integer primary key,
    assignment text not null     -- 'PATH=VALUE'
);
create table run (
    -- One row for each seed that was run.
    seed integer primary key,
    state text not null,         -- 'unfinished', 'finished', or 'crashed' (its process died).
    hash text,                   -- Of the trace, 16 hexadecimal digits: equal hash, equal run.
    event_count integer,
    simulated_ns integer,
    wall_ns integer,             -- Real time; NULL in a sweep, whose file depends on nothing real.
    met integer,                 -- 1: every expectation was met.
    signal integer               -- That killed its process; NULL: none.
);
create table verdict (
    -- What each enabled check of each run found.
    seed integer not null,
    check_id integer not null,
    verdict_id integer not null,
    expected_id integer,         -- A verdict, -1 for 'sometimes', NULL for none.
    exercised integer,           -- How often it could have broken.
    at_ns integer,               -- Of the first violation,
    event integer,               -- and the sequence number of the event that showed it.
    detail text,                 -- What was seen, in words.
    primary key (seed, check_id)
) without rowid;
create table metric (
    -- What was measured; names end in their units.
    seed integer not null,
    metric_id integer not null,
    value integer not null,
    primary key (seed, metric_id)
) without rowid;
create table checkpoint (
    -- The rolling hash after every 4,096th event: says where two runs part.
    event integer primary key,
    hash text not null
);
create table name (
    -- Words for the numbers in the other tables.
    what text not null,          -- 'check', 'verdict', 'metric', 'event', 'drop', 'fate', ...
    owner integer not null,      -- 'message', 'fact', 'setting', 'command', 'bug': the kind of
                                 -- node; 'value' of a fact: 256 * the kind + the fact; and
                                 -- 'choice' of a setting: 256 * the kind + the setting; else 0.
    id integer not null,
    text text not null,
    primary key (what, owner, id)
) without rowid;

-- ---- From level history on; they belong to the one run of the file ---------------------------

create table node (
    -- Servers, then clients.
    node integer primary key,
    name text not null,
    kind_id integer not null,    -- name 'node kind'; clients are of kind 'client'.
    node_group text not null,    -- Its group, or a client's workload.
    zone text not null,
    region text not null,
    absent integer not null,     -- 1: not there until it joins.
    bugs integer not null        -- Bit set of planted bugs, name 'bug'.
);
create table setting (
    -- What every node was set to at the start; changes are events of kind 'setting'.
    node integer not null,
    setting_id integer not null, -- name 'setting' of the node's kind
    low integer not null,
    high integer not null,       -- Equal to low unless the setting is a range.
    primary key (node, setting_id)
) without rowid;
create table fault (
    -- The schedule of faults: the scenario's, and those drawn for this seed.
    fault integer primary key,   -- From 0, as in events of kind 'fault'.
    kind_id integer not null,    -- name 'fault'
    drawn integer not null,      -- 1: by a swarm rule.
    at_ns integer not null,
    for_ns integer,              -- Undone after that; NULL: stays.
    every_ns integer,            -- Comes again; NULL: once.
    targets text not null,       -- In words: 'n1 n2', 'leader', 'zone a'.
    peers text not null,
    shape text,                  -- Of a partition.
    amount integer not null      -- Nanoseconds, ppb, ppm or an index, as the kind needs.
);
create table operation (
    -- What clients saw, in the order of invocation.
    operation integer primary key,
    client integer not null,
    sequence integer not null,   -- Of the client's session, from 1.
    function_id integer not null,
    key integer,                 -- Of a register or a list; NULL for a transaction: see part.
    value integer,               -- Written or appended; NULL for a read.
    expected integer,            -- What a compare-and-set replaces; else NULL. 0 is "absent".
    result integer,              -- What a register's read answered, 0 for absent; else NULL.
    outcome_id integer not null,
    invoke_ns integer not null,
    return_ns integer,           -- NULL: never ended, or the client gave up.
    server integer,              -- That answered.
    attempts integer not null
);
create table part (
    -- What a transaction does, in its order, and what it read; a list's read is a part as well.
    operation integer not null,
    place integer not null,      -- Within the operation, from 1.
    function_id integer not null,
    key integer not null,
    value integer,               -- Written or appended; NULL for a read.
    result integer,              -- What a register's read answered, 0 for absent; else NULL.
    list text,                   -- What a list's read answered: a JSON array; else NULL.
    primary key (operation, place)
) without rowid;
create table event (
    -- One row for each event, in the order of the run. What `detail`, `a` and `b` hold depends
    -- on the kind: see the view `events` and sim/trace.h.
    sequence integer primary key, -- From 1, without gaps at level trace.
    time_ns integer not null,
    kind integer not null,        -- name 'event'
    node integer,                 -- NULL: none, like the next.
    peer integer,                 -- Of kind 'setting': the administrator.
    detail integer not null,
    size_bytes integer not null,
    a integer not null,
    b integer not null
);
-- Only of the kinds that are few: it costs the others nothing.
create index event_rare on event (kind) where kind < 5 or kind > 14;

-- ---- Outcomes ------------------------------------------------------------------------------

create view runs as -- Runs with their seeds as people write them.
select printf('%u', seed) as seed, state, hash, event_count, simulated_ns, wall_ns, met, signal,
    (select count(*) from verdict v where v.seed = run.seed) as checks
from run;

create view verdicts as -- Verdicts by name, and whether each is what the scenario expects.
select printf('%u', v.seed) as seed, c.text as 'check', n.text as verdict,
    case v.expected_id when -1 then 'sometimes' else x.text end as expected,
    case when v.expected_id is null then n.text not in ('violated', 'stuck', 'unknown')
        when v.expected_id = -1 then n.text in ('holds', 'violated', 'vacuous')
        else v.verdict_id = v.expected_id end as met,
    v.exercised, v.at_ns, v.event, v.detail
from verdict v
join name c on c.what = 'check' and c.owner = 0 and c.id = v.check_id
join name n on n.what = 'verdict' and n.owner = 0 and n.id = v.verdict_id
left join name x on x.what = 'verdict' and x.owner = 0 and x.id = v.expected_id;

create view metrics as -- Metrics by name.
select printf('%u', m.seed) as seed, n.text as metric, m.value
from metric m join name n on n.what = 'metric' and n.owner = 0 and n.id = m.metric_id;

create view failures as -- Seeds that failed, why, and the command that shows one.
with command(text) as (
    select 'fallacy run ''' || replace(scenario_file, '''', '''\''''') || '''' || coalesce((
        select group_concat(' --set ''' || replace(assignment, '''', '''\''''') || '''', '')
        from (select assignment from scenario_set order by position)), '')
    from recording)
select r.seed, v."check", v.verdict, v.expected, v.at_ns,
    case when r.signal is not null then 'killed by signal ' || r.signal else v.detail end as detail,
    command.text || ' --seed ' || r.seed || ' --level trace --out seed-' || r.seed || '.db' as command
from runs r join command left join verdicts v on v.seed = r.seed and not v.met
where r.met = 0 or r.state = 'crashed';

-- ---- The history ----------------------------------------------------------------------------

create view operations as -- Operations by name, with their latency.
select o.operation, c.name as client, o.sequence, f.text as function, o.key, o.value, o.expected,
    o.result, (select group_concat(p.text, ', ') from parts p where p.operation = o.operation)
    as parts, n.text as outcome, o.invoke_ns, o.return_ns, o.return_ns - o.invoke_ns as latency_ns,
    s.name as server, o.attempts
from operation o join node c on c.node = o.client
join name f on f.what = 'function' and f.owner = 0 and f.id = o.function_id
join name n on n.what = 'outcome' and n.owner = 0 and n.id = o.outcome_id
left join node s on s.node = o.server;

create view parts as -- Parts of list reads and transactions by name, and in words.
select p.operation, p.place, f.text as function, p.key, p.value, p.result, p.list,
    f.text || ' ' || p.key || coalesce(' ' || p.value, ' = ' || p.result, ' = ' || p.list, '')
        as text
from part p join name f on f.what = 'function' and f.owner = 0 and f.id = p.function_id
order by p.operation, p.place;

create view latency as -- Quantiles of the operations that ended ok, by function.
with ranked as (
    select function, latency_ns, count(*) over (partition by function) as total,
        row_number() over (partition by function order by latency_ns) as place
    from operations where outcome = 'ok')
select function, total as operations, min(latency_ns) as min_ns,
    max(latency_ns) filter (where place = (total * 50 + 99) / 100) as p50_ns,
    max(latency_ns) filter (where place = (total * 90 + 99) / 100) as p90_ns,
    max(latency_ns) filter (where place = (total * 99 + 99) / 100) as p99_ns,
    max(latency_ns) as max_ns
from ranked group by function;

create view facts as -- What nodes published, with the value before.
select e.sequence, e.time_ns, n.name as node, f.text as fact,
    coalesce(v.text, cast(e.a as text)) as value, coalesce(w.text, cast(e.b as text)) as before
from event e join node n on n.node = e.node
left join name f on f.what = 'fact' and f.owner = n.kind_id and f.id = e.detail
left join name v on v.what = 'value' and v.owner = 256 * n.kind_id + e.detail and v.id = e.a
left join name w on w.what = 'value' and w.owner = 256 * n.kind_id + e.detail and w.id = e.b
where e.kind = 15;

create view leadership as -- Who led from when until when, and in which term; NULL: to the end.
select n.name as node, e.time_ns as from_ns,
    (select min(x.time_ns) from event x where x.kind in (1, 4, 15) and x.node = e.node
        and x.sequence > e.sequence and (x.kind <> 15 or x.detail = e.detail)) as until_ns,
    (select x.a from event x join name t on t.what = 'fact' and t.owner = n.kind_id
            and t.id = x.detail and t.text = 'term'
        where x.kind = 15 and x.node = e.node and x.time_ns <= e.time_ns
        order by x.sequence desc limit 1) as term
from event e join node n on n.node = e.node
join name f on f.what = 'fact' and f.owner = n.kind_id and f.id = e.detail and f.text = 'role'
join name v on v.what = 'value' and v.owner = 256 * n.kind_id + e.detail and v.id = e.a
    and v.text = 'leader'
where e.kind = 15;

create view faults as -- Faults that took hold: on whom, from when until when.
select e.sequence, f.fault, k.text as kind, n.name as node, p.name as peer, e.time_ns as from_ns,
    (select min(x.time_ns) from event x where x.kind = 16 and x.b = 0 and x.a = e.a
        and x.node = e.node and x.sequence > e.sequence) as until_ns,
    f.targets, f.peers, f.shape, f.amount, f.drawn
from event e left join fault f on f.fault = e.a
left join name k on k.what = 'fault' and k.owner = 0 and k.id = e.detail
left join node n on n.node = e.node left join node p on p.node = e.peer
where e.kind = 16 and e.b = 1;

create view settings as -- What every node was set to at the start.
select n.name as node, t.text as setting, s.low, s.high, c.text as choice
from setting s join node n on n.node = s.node
join name t on t.what = 'setting' and t.owner = n.kind_id and t.id = s.setting_id
left join name c on c.what = 'choice' and c.owner = 256 * n.kind_id + s.setting_id
    and c.id = s.low;

-- ---- The trace ------------------------------------------------------------------------------

create view events as -- Every event with names for its numbers.
select e.sequence, e.time_ns, k.text as kind, n.name as node,
    case e.kind when 18 then a.text else p.name end as peer,
    case when e.kind in (5, 6, 7) then (select m.text from name m where m.what = 'message'
            and m.owner = case e.kind when 5 then n.kind_id else p.kind_id end and m.id = e.detail)
        when e.kind = 15 then (select m.text from name m
            where m.what = 'fact' and m.owner = n.kind_id and m.id = e.detail)
        when e.kind = 18 then (select m.text from name m
            where m.what = 'setting' and m.owner = n.kind_id and m.id = e.detail)
        when e.kind in (11, 12, 13, 14, 16, 19) then (select m.text from name m
            where m.owner = 0 and m.id = e.detail and m.what = case e.kind when 11 then 'status'
                when 14 then 'outcome' when 16 then 'fault' when 19 then 'check'
                else 'function' end)
        when e.kind in (8, 9) then cast(e.detail as text) end as detail,
    case when e.kind in (5, 6, 7, 9) then e.size_bytes end as size_bytes,
    case when e.kind in (5, 6, 7) then e.a >> 8 end as ordinal,
    case when e.kind in (5, 6, 7) then (select group_concat(m.text, ' ') from name m
        where m.what = 'fate' and m.owner = 0 and m.id & e.a & 255) end as fate,
    case e.kind when 7 then (select m.text from name m
        where m.what = 'drop' and m.owner = 0 and m.id = e.b) end as drop_reason,
    e.a, e.b
from event e
left join name k on k.what = 'event' and k.owner = 0 and k.id = e.kind
left join node n on n.node = e.node left join node p on p.node = e.peer
left join name a on e.kind = 18 and a.what = 'administrator' and a.owner = 0 and a.id = e.peer;

create view messages as -- Every message sent, with its fate; a duplicated one has two rows.
with arrival as materialized (
    select sequence, time_ns, kind, node, peer, a >> 8 as ordinal, a, b from event
    where kind in (6, 7))
select s.sequence, s.time_ns as sent_ns, f.name as sender, t.name as receiver, m.text as message,
    s.size_bytes, s.a >> 8 as ordinal,
    case when r.kind = 6 then 'delivered' when r.kind = 7 then 'dropped'
        when s.a & 1 then 'lost' else 'in flight' end as fate,
    (select d.text from name d where r.kind = 7 and d.what = 'drop' and d.owner = 0
        and d.id = r.b) as drop_reason,
    (select group_concat(x.text, ' ') from name x where x.what = 'fate' and x.owner = 0
        and x.id & coalesce(r.a, s.a) & 255) as flags,
    r.sequence as arrival, r.time_ns as arrived_ns, r.time_ns - s.time_ns as delay_ns
from event s join node f on f.node = s.node join node t on t.node = s.peer
left join name m on m.what = 'message' and m.owner = f.kind_id and m.id = s.detail
left join arrival r on r.peer = s.node and r.node = s.peer and r.ordinal = s.a >> 8
where s.kind = 5;

create view timeline as -- What happened to the cluster: hosts, facts, faults, settings, clocks.
select e.sequence, e.time_ns, n.name as node,
    case e.kind when 0 then 'boots' when 1 then 'crashes' when 2 then 'pauses'
        when 3 then 'resumes' when 4 then 'leaves'
        when 15 then f.fact || ' ' || f.value || ' (was ' || f.before || ')'
        when 16 then 'fault ' || coalesce(k.text, e.detail) || case e.b when 1 then ' begins'
            else ' ends' end || coalesce(', towards ' || p.name, '')
        when 17 then 'clock: ' || printf('%+.3f ms, drift %+d ppb', e.a / 1e6, e.b)
        when 18 then 'setting ' || coalesce(t.text, e.detail) || ' = '
            || coalesce(h.text, e.a || case when e.b <> e.a then '..' || e.b else '' end)
            || coalesce(' by ' || a.text, '')
        when 19 then 'VIOLATES ' || coalesce(c.text, e.detail) end as what
from event e left join node n on n.node = e.node left join node p on p.node = e.peer
left join facts f on e.kind = 15 and f.sequence = e.sequence
left join name k on k.what = 'fault' and k.owner = 0 and k.id = e.detail
left join name t on t.what = 'setting' and t.owner = n.kind_id and t.id = e.detail
left join name h on h.what = 'choice' and h.owner = 256 * n.kind_id + e.detail and h.id = e.a
left join name a on a.what = 'administrator' and a.owner = 0 and a.id = e.peer
left join name c on c.what = 'check' and c.owner = 0 and c.id = e.detail
where e.kind < 5 or e.kind > 14
order by e.sequence;
