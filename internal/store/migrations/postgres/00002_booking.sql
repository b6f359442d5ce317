-- +goose Up
-- What a room or resource answers by itself, as JSON of the calendar service.
create table booking_policy (
    account bigint not null,
    policy  text not null,
    primary key (account)
);

-- The members of a group: people here, other groups, and people elsewhere.
create table member (
    account  bigint not null,
    key      text collate "C" not null,
    uri      text not null,
    position bigint not null,
    primary key (account, key)
);
create index member_key on member (key);

-- Who may act for whom in the eyes of an account. An empty principal is the
-- account itself, which names its own designates.
create table consent (
    account   bigint not null,
    principal text collate "C" not null,
    designate text collate "C" not null,
    uri       text not null,
    created   bigint not null,
    primary key (account, principal, designate)
);

-- +goose Down
drop table consent;
drop table member;
drop table booking_policy;
