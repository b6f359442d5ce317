-- +goose Up
-- Where the octets of the row's own message, which are kept once for all guests,
-- belong in a mail: it is stored without them. '': it is stored as it is.
alter table entry_raw add column cut text not null default '';

-- +goose Down
alter table entry_raw drop column cut;
