-- +goose Up
-- How much scheduling mail came within an hour (since 1970), by whom and for
-- whom; every process that takes mail adds to it.
create table mail_count (
    hour    bigint not null,
    subject text collate "C" not null,
    n       bigint not null,
    primary key (hour, subject)
);

-- +goose Down
drop table mail_count;
