-- +goose Up
-- Keys and certificates for mail: people's own with their private part, other
-- people's, and authorities. Account 0 is the whole site.
create table mail_key (
    account     bigint not null,
    protocol    text collate "C" not null,
    fingerprint text collate "C" not null,
    role        text not null,
    state       text not null,
    addresses   text not null,
    material    bytea not null,
    secret      bytea not null,
    created     bigint not null,
    seen        bigint not null,
    primary key (account, protocol, fingerprint)
);

-- +goose Down
drop table mail_key;
