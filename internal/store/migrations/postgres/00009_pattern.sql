-- +goose Up
-- What the time index knows of an object for certain, so that nobody has to
-- read its text: a number of the calendar service, 0 for nothing.
alter table object add column known bigint not null default 0;
alter table occupancy add column known bigint not null default 0;

-- The lines of an object's text that decide when it takes place and whose time
-- that is, where a number cannot say it.
create table pattern (
    account bigint not null,
    object  bigint not null,
    text    text not null,
    primary key (account, object)
);

-- How far the time index was derived anew since its derivation last changed.
create table derivation (
    name    text collate "C" not null,
    version text not null,
    account bigint not null, -- done up to this
    object  bigint not null, -- and this one
    primary key (name)
);

-- +goose Down
drop table derivation;
drop table pattern;
alter table occupancy drop column known;
alter table object drop column known;
