-- +goose Up
-- Keys and certificates for mail: people's own with their private part, other
-- people's, and authorities. Account 0 is the whole site.
create table mail_key (
    account     integer not null,
    protocol    text not null,
    fingerprint text not null,
    role        text not null,
    state       text not null,
    addresses   text not null,
    material    blob not null,
    secret      blob not null,
    created     integer not null,
    seen        integer not null,
    primary key (account, protocol, fingerprint)
) strict, without rowid;

insert into sqlite_stat1 (tbl, idx, stat) values ('mail_key', 'mail_key', '5000 50 50 1');
analyze sqlite_schema;

-- +goose Down
drop table mail_key;
