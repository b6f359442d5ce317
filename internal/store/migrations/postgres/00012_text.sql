-- +goose Up
-- The octets of large messages, apart from their rows: they are written once for
-- all guests who get the same, and not again when a row changes. entry.text is
-- where a row's are; 0: in the row; less than 0: they are the text of the object,
-- an item of the inbox.
create table entry_text (
    account  bigint not null,
    id       bigint not null, -- of the first row that has it
    calendar bytea not null,
    primary key (account, id)
);
alter table entry add column text bigint not null default 0;
create index entry_text_of on entry (account, text) where text <> 0;

-- +goose Down
update entry set calendar = (select t.calendar from entry_text t where t.account = entry.account and t.id = entry.text) where text > 0;
update entry set calendar = (select t.body from object_text t where t.account = entry.account and t.id = -entry.text) where text < 0;
drop index entry_text_of;
alter table entry drop column text;
drop table entry_text;
