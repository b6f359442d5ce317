-- +goose Up
-- What a room or resource answers by itself, as JSON of the calendar service.
create table booking_policy (
    account integer not null,
    policy  text not null,
    primary key (account)
) strict, without rowid;

-- The members of a group: people here, other groups, and people elsewhere.
create table member (
    account  integer not null,
    key      text not null,
    uri      text not null,
    position integer not null,
    primary key (account, key)
) strict, without rowid;
create index member_key on member (key);

-- Who may act for whom in the eyes of an account. An empty principal is the
-- account itself, which names its own designates.
create table consent (
    account   integer not null,
    principal text not null,
    designate text not null,
    uri       text not null,
    created   integer not null,
    primary key (account, principal, designate)
) strict, without rowid;

insert into sqlite_stat1 (tbl, idx, stat) values
    ('booking_policy', 'booking_policy', '100 1'),
    ('member', 'member', '5000 50 1'),
    ('member', 'member_key', '5000 3'),
    ('consent', 'consent', '5000 5 2 1');
analyze sqlite_schema;

-- +goose Down
drop table consent;
drop table member;
drop table booking_policy;
