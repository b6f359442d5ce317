-- +goose Up
-- Addresses made for the answers of one guest to one event: mail that comes
-- there is that guest's, whatever it says of itself.
create table reply_address (
    account  integer not null,
    uid      text not null,
    attendee text not null,
    selector text not null,
    secret   text not null,
    agent    integer not null,
    created  integer not null,
    expires  integer not null,
    primary key (account, uid, attendee)
) strict, without rowid;
create unique index reply_address_selector on reply_address (account, selector);

-- What an account (0: the site) says of mail by an address, a domain ('ann@one.test',
-- 'one.test') or everybody ('').
create table sender_rule (
    account integer not null,
    subject text not null,
    rule    text not null,
    created integer not null,
    primary key (account, subject)
) strict, without rowid;

-- Who sent, or got, more mail than is good; one row an outbreak.
create table flood (
    kind    text not null,
    subject text not null,
    began   integer not null,
    last    integer not null,
    seen    integer not null,
    state   text not null,
    primary key (kind, subject, began)
) strict, without rowid;

-- Of a meeting with thousands of guests, the messages to one of them.
drop index entry_uid;
create index entry_uid on entry (account, uid, recipient);

-- Held messages by reason: those of an outbreak are settled together.
create index entry_held on entry (reason, account, id) where state = 'held';

insert into sqlite_stat1 (tbl, idx, stat) values
    ('reply_address', 'reply_address', '100000 500 10 1'),
    ('reply_address', 'reply_address_selector', '100000 500 1'),
    ('sender_rule', 'sender_rule', '1000 5 1'),
    ('flood', 'flood', '100 30 2 1'),
    ('entry', 'entry_uid', '1000000 10000 5 2'),
    ('entry', 'entry_held', '10000 1000 10 1');
analyze sqlite_schema;

-- +goose Down
drop index entry_held;
drop index entry_uid;
create index entry_uid on entry (account, uid);
drop table flood;
drop table sender_rule;
drop table reply_address;
