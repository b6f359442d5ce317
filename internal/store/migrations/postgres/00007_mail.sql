-- +goose Up
-- Addresses made for the answers of one guest to one event: mail that comes
-- there is that guest's, whatever it says of itself.
create table reply_address (
    account  bigint not null,
    uid      text collate "C" not null,
    attendee text collate "C" not null,
    selector text collate "C" not null,
    secret   text not null,
    agent    boolean not null,
    created  bigint not null,
    expires  bigint not null,
    primary key (account, uid, attendee)
);
create unique index reply_address_selector on reply_address (account, selector);

-- What an account (0: the site) says of mail by an address, a domain ('ann@one.test',
-- 'one.test') or everybody ('').
create table sender_rule (
    account bigint not null,
    subject text collate "C" not null,
    rule    text not null,
    created bigint not null,
    primary key (account, subject)
);

-- Who sent, or got, more mail than is good; one row an outbreak.
create table flood (
    kind    text collate "C" not null,
    subject text collate "C" not null,
    began   bigint not null,
    last    bigint not null,
    seen    bigint not null,
    state   text not null,
    primary key (kind, subject, began)
);

-- Of a meeting with thousands of guests, the messages to one of them.
drop index entry_uid;
create index entry_uid on entry (account, uid, recipient);

-- Held messages by reason: those of an outbreak are settled together.
create index entry_held on entry (reason, account, id) where state = 'held';

-- +goose Down
drop index entry_held;
drop index entry_uid;
create index entry_uid on entry (account, uid);
drop table flood;
drop table sender_rule;
drop table reply_address;
