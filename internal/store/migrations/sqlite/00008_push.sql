-- +goose Up
-- Who is told by Web Push of changes of a collection (0: the home), until when,
-- and which state they know.
create table push_registration (
    token      text not null, -- of the registration's address
    account    integer not null, -- whose home it is
    collection integer not null,
    reader     integer not null, -- who registered
    resource   text not null, -- where the push service takes messages
    digest     text not null, -- of resource
    secrets    text not null, -- the reader's key and secret for the content
    content    integer not null,
    property   integer not null,
    created    integer not null,
    expires    integer not null,
    seen       integer not null, -- content: collection_state.seq
    changed    integer not null, -- anything: collection_state.changed
    looks      text not null, -- digest of the properties they know
    due        integer not null, -- not told again before
    failing    integer not null, -- since when it fails, 0: it does not
    primary key (token)
) strict, without rowid;
create unique index push_registration_of on push_registration (account, collection, reader, digest);
create index push_registration_reader on push_registration (reader);
create index push_registration_due on push_registration (due);

-- The key that tells push services who we are (RFC 8292).
create table push_key (
    id      integer not null,
    private blob not null,
    created integer not null,
    primary key (id)
) strict, without rowid;

-- +goose Down
drop table push_key;
drop table push_registration;
