-- +goose Up
-- The primary key of every table begins with the account. Instants are
-- microseconds since 1970 UTC, spans of objects are seconds; zero is "none".

create table account (
    id            integer primary key autoincrement,
    name          text not null unique,
    kind          text not null,
    display_name  text not null,
    password_hash text not null,
    disabled      integer not null,
    admin         integer not null,
    time_zone     text not null,
    language      text not null,
    created       integer not null,
    settings      blob not null,
    search        text not null
) strict;

-- The head of a home's change log: a narrow row, written by every change.
create table home (
    account integer not null,
    seq     integer not null,
    min_seq integer not null,
    primary key (account)
) strict, without rowid;

create table address (
    account  integer not null,
    key      text not null,
    uri      text not null,
    position integer not null,
    verified integer not null,
    primary key (account, key)
) strict, without rowid;
create unique index address_key on address (key);

create table app_password (
    account   integer not null,
    id        integer not null,
    label     text not null,
    hash      blob not null,
    created   integer not null,
    last_used integer not null,
    expires   integer not null,
    primary key (account, id)
) strict, without rowid;

create table session (
    account    integer not null,
    hash       blob not null,
    created    integer not null,
    expires    integer not null,
    user_agent text not null,
    primary key (account, hash)
) strict, without rowid;
create unique index session_hash on session (hash);
create index session_expires on session (expires);

create table redirect (
    account integer not null,
    old_key text not null,
    new_uri text not null,
    primary key (account, old_key)
) strict, without rowid;
create unique index redirect_key on redirect (old_key);

create table collection (
    account      integer not null,
    id           integer not null,
    name         text not null,
    kind         text not null,
    display_name text not null,
    description  text not null,
    color        text not null,
    position     integer not null,
    components   text not null,
    time_zone    text not null,
    transparent  integer not null,
    created      integer not null,
    modified     integer not null,
    properties   text not null,
    primary key (account, id)
) strict, without rowid;
create unique index collection_name on collection (account, name);

-- Apart from collection, whose row may hold a time zone and client properties:
-- every change to an object writes this one. "changed" moves with the
-- collection's own properties too.
create table collection_state (
    account    integer not null,
    collection integer not null,
    seq        integer not null,
    changed    integer not null,
    primary key (account, collection)
) strict, without rowid;

create table object (
    account      integer not null,
    collection   integer not null,
    id           integer not null,
    name         text not null,
    uid          text not null,
    etag         text not null,
    schedule_tag text not null,
    component    text not null,
    size         integer not null,
    created      integer not null,
    modified     integer not null,
    seq          integer not null,
    organizer    text not null,
    scheduling   integer not null,
    summary      text not null,
    first        integer not null,
    last         integer not null,
    horizon      integer not null,
    cover        text not null,
    properties   text not null,
    primary key (account, collection, id)
) strict, without rowid;
create unique index object_name on object (account, collection, name);
create unique index object_id on object (account, id);
create index object_uid on object (account, uid);
create index object_seq on object (account, collection, seq);
create index object_horizon on object (horizon) where horizon > 0;

-- Octets apart from metadata: listing a calendar never reads them. The memory
-- precedes the body so that reading it stops before the body. Tables of large
-- rows have a rowid: without, SQLite spills rows over a quarter of a page.
create table object_text (
    account integer not null,
    id      integer not null,
    memory  blob not null,
    body    blob not null,
    primary key (account, id)
) strict;

-- The time index: in which blocks of months an object takes place.
create table occupancy (
    account    integer not null,
    collection integer not null,
    period     integer not null,
    object     integer not null,
    first      integer not null,
    last       integer not null,
    primary key (account, collection, period, object)
) strict, without rowid;

create table tombstone (
    account    integer not null,
    collection integer not null,
    name       text not null,
    seq        integer not null,
    deleted    integer not null,
    primary key (account, collection, name)
) strict, without rowid;
create index tombstone_seq on tombstone (account, collection, seq);
create index tombstone_deleted on tombstone (deleted);

create table version (
    account    integer not null,
    object     integer not null,
    seq        integer not null,
    collection integer not null,
    name       text not null,
    uid        text not null,
    component  text not null,
    etag       text not null,
    size       integer not null,
    organizer  text not null,
    summary    text not null,
    modified   integer not null,
    replaced   integer not null,
    deleted    integer not null,
    body       blob not null,
    primary key (account, object, seq)
) strict;
create index version_uid on version (account, uid);
create index version_replaced on version (replaced);

create table share (
    account    integer not null,
    collection integer not null,
    grantee    integer not null,
    access     text not null,
    primary key (account, collection, grantee)
) strict, without rowid;
create index share_grantee on share (grantee);

create table entry (
    account       integer not null,
    id            integer not null,
    direction     text not null,
    transport     text not null,
    method        text not null,
    uid           text not null,
    recurrence_id text not null,
    sequence      integer not null,
    sender        text not null,
    recipient     text not null,
    state         text not null,
    reason        text not null,
    sentence      text not null,
    status        text not null,
    evidence      blob not null,
    calendar      blob not null,
    changes       blob not null,
    message_id    text not null,
    refs          text not null,
    digest        text not null,
    object        integer not null,
    created       integer not null,
    updated       integer not null,
    next_attempt  integer not null,
    attempts      text not null,
    lease_owner   text not null,
    lease_until   integer not null,
    refresh       integer not null,
    primary key (account, id)
) strict;
create unique index entry_id on entry (id);
create index entry_due on entry (next_attempt, id) where state in ('due', 'retry');
create index entry_open on entry (account, uid, recipient, id) where state in ('due', 'retry');
create index entry_uid on entry (account, uid);
create index entry_state on entry (state, id);
create index entry_digest on entry (account, digest);

create table entry_raw (
    account integer not null,
    id      integer not null,
    raw     blob not null,
    primary key (account, id)
) strict;

create table counter (
    name  text primary key,
    value integer not null
) strict, without rowid;
insert into counter (name, value) values ('entry', 0);

-- What the planner is to believe (https://sqlite.org/fileformat2.html#stat1tab):
-- homes are large and the columns after the account choose. Without this it
-- takes an account's rows for about ten and reads whole homes. Written by hand
-- so that plans are the same everywhere; nothing here runs ANALYZE.
analyze;
delete from sqlite_stat1;
insert into sqlite_stat1 (tbl, idx, stat) values
    ('account', 'sqlite_autoindex_account_1', '10000 1'),
    ('home', 'home', '10000 1'),
    ('address', 'address', '20000 2 1'),
    ('address', 'address_key', '20000 1'),
    ('app_password', 'app_password', '20000 5 1'),
    ('session', 'session', '20000 10 1'),
    ('session', 'session_hash', '20000 1'),
    ('session', 'session_expires', '20000 2'),
    ('redirect', 'redirect', '1000 2 1'),
    ('redirect', 'redirect_key', '1000 1'),
    ('collection', 'collection', '50000 5 1'),
    ('collection', 'collection_name', '50000 5 1'),
    ('collection_state', 'collection_state', '50000 5 1'),
    ('object', 'object', '1000000 10000 5000 1'),
    ('object', 'object_name', '1000000 10000 5000 1'),
    ('object', 'object_id', '1000000 10000 1'),
    ('object', 'object_uid', '1000000 10000 2'),
    ('object', 'object_seq', '1000000 10000 5000 1'),
    ('object', 'object_horizon', '100000 10'),
    ('object_text', 'sqlite_autoindex_object_text_1', '1000000 10000 1'),
    ('occupancy', 'occupancy', '2000000 20000 10000 50 1'),
    ('tombstone', 'tombstone', '100000 1000 500 1'),
    ('tombstone', 'tombstone_seq', '100000 1000 500 1'),
    ('tombstone', 'tombstone_deleted', '100000 2'),
    ('version', 'sqlite_autoindex_version_1', '1000000 10000 3 1'),
    ('version', 'version_uid', '1000000 10000 3'),
    ('version', 'version_replaced', '1000000 2'),
    ('share', 'share', '1000 20 4 1'),
    ('share', 'share_grantee', '1000 5'),
    ('entry', 'sqlite_autoindex_entry_1', '1000000 10000 1'),
    ('entry', 'entry_id', '1000000 1'),
    ('entry', 'entry_due', '1000 2 1'),
    ('entry', 'entry_open', '1000 10 2 1 1'),
    ('entry', 'entry_uid', '1000000 10000 5'),
    ('entry', 'entry_state', '1000000 200000 1'),
    ('entry', 'entry_digest', '1000000 10000 1'),
    ('entry_raw', 'sqlite_autoindex_entry_raw_1', '1000000 10000 1');
analyze sqlite_schema;

-- +goose Down
drop table counter;
drop table entry_raw;
drop table entry;
drop table share;
drop table version;
drop table tombstone;
drop table occupancy;
drop table object_text;
drop table object;
drop table collection_state;
drop table collection;
drop table redirect;
drop table session;
drop table app_password;
drop table address;
drop table home;
drop table account;
