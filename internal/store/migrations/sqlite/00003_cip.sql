-- +goose Up
-- What CIP counts of an event: versions of what went out, and answers.
create table cip_event (
    account integer not null,
    uid     text not null,
    wire    text not null,
    version integer not null,
    since   integer not null,
    stamp   integer not null,
    answers integer not null,
    primary key (account, uid)
) strict, without rowid;
create index cip_event_wire on cip_event (wire) where wire <> '';

-- Calendar users elsewhere whose server said that they have another id now.
create table cip_moved (
    account integer not null,
    old_key text not null,
    new_key text not null,
    new_uri text not null,
    created integer not null,
    primary key (account, old_key)
) strict, without rowid;

-- An answer from outside names an event and not its owner.
create index object_meeting on object (uid) where organizer <> '';

insert into sqlite_stat1 (tbl, idx, stat) values
    ('cip_event', 'cip_event', '100000 100 1'),
    ('cip_event', 'cip_event_wire', '10 1'),
    ('cip_moved', 'cip_moved', '100 2 1'),
    ('object', 'object_meeting', '200000 3');
analyze sqlite_schema;

-- +goose Down
drop index object_meeting;
drop table cip_moved;
drop table cip_event;
