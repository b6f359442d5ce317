-- +goose Up
-- What coalescing must know of a message that waits: whether it is the first
-- its recipient hears of something, and whether it opens their answer again;
-- and of which state of the object (version.seq) the change was made that
-- caused it, so that the change can be taken back.
alter table entry add column opens boolean not null default false;
alter table entry add column asks boolean not null default false;
alter table entry add column base bigint not null default 0;
-- What scheduling remembered beside that state.
alter table version add column memory bytea not null default '';

-- +goose Down
alter table version drop column memory;
alter table entry drop column base;
alter table entry drop column asks;
alter table entry drop column opens;
