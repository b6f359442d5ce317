-- +goose Up
-- What CIP counts of an event: versions of what went out, and answers.
create table cip_event (
    account bigint not null,
    uid     text collate "C" not null,
    wire    text collate "C" not null,
    version bigint not null,
    since   bigint not null,
    stamp   bigint not null,
    answers bigint not null,
    primary key (account, uid)
);
create index cip_event_wire on cip_event (wire) where wire <> '';

-- Calendar users elsewhere whose server said that they have another id now.
create table cip_moved (
    account bigint not null,
    old_key text collate "C" not null,
    new_key text collate "C" not null,
    new_uri text not null,
    created bigint not null,
    primary key (account, old_key)
);

-- An answer from outside names an event and not its owner.
create index object_meeting on object (uid) where organizer <> '';

-- +goose Down
drop index object_meeting;
drop table cip_moved;
drop table cip_event;
