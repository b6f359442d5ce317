-- +goose Up
-- How much scheduling mail came within an hour (since 1970), by whom and for
-- whom; every process that takes mail adds to it.
create table mail_count (
    hour integer not null,
    subject text not null,
    n    integer not null,
    primary key (hour, subject)
) strict, without rowid;
insert into sqlite_stat1 (tbl, idx, stat) values ('mail_count', 'mail_count', '20000 10000 1');
analyze sqlite_schema;

-- +goose Down
drop table mail_count;
