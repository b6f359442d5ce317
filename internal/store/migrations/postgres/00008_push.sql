-- +goose Up
-- Who is told by Web Push of changes of a collection (0: the home), until when,
-- and which state they know.
create table push_registration (
    token      text collate "C" not null, -- of the registration's address
    account    bigint not null, -- whose home it is
    collection bigint not null,
    reader     bigint not null, -- who registered
    resource   text not null, -- where the push service takes messages
    digest     text collate "C" not null, -- of resource
    secrets    text not null, -- the reader's key and secret for the content
    content    boolean not null,
    property   boolean not null,
    created    bigint not null,
    expires    bigint not null,
    seen       bigint not null, -- content: collection_state.seq
    changed    bigint not null, -- anything: collection_state.changed
    looks      text not null, -- digest of the properties they know
    due        bigint not null, -- not told again before
    failing    bigint not null, -- since when it fails, 0: it does not
    primary key (token)
);
create unique index push_registration_of on push_registration (account, collection, reader, digest);
create index push_registration_reader on push_registration (reader);
create index push_registration_due on push_registration (due);

-- The key that tells push services who we are (RFC 8292).
create table push_key (
    id      bigint not null,
    private bytea not null,
    created bigint not null,
    primary key (id)
);

-- +goose Down
drop table push_key;
drop table push_registration;
