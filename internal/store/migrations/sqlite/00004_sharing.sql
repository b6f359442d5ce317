-- +goose Up

-- Another's calendar as one person has it: their colour, their alarms' state,
-- their place in the list. Sharing itself is in share; collection 0 there is
-- the whole home (calendar-proxy-read, calendar-proxy-write).
create table mount (
    account      integer not null, -- the person
    owner        integer not null,
    collection   integer not null,
    state        text not null, -- invited, accepted, declined
    seq          integer not null,  -- in the person's home
    seen         integer not null,  -- of the calendar's own changes, when seq was given
    display_name text not null,
    color        text not null,
    position     integer not null,
    transparent  integer not null,
    comment      text not null,
    properties   text not null,
    primary key (account, owner, collection)
) strict, without rowid;
create index mount_of on mount (owner, collection);

-- What one reader keeps with another's event: alarms, transparency.
create table personal (
    account    integer not null, -- the owner of the event
    collection integer not null,
    object     integer not null,
    reader     integer not null,
    tag        text not null,
    data       text not null,
    primary key (account, collection, object, reader)
) strict, without rowid;
create index personal_reader on personal (reader);

-- WebDAV locks (RFC 4918 6). The path is relative to the home.
create table lock (
    account  integer not null,
    token    text not null,
    path     text not null,
    infinite integer not null,
    shared   integer not null,
    creator  integer not null,
    owner    text not null,
    timeout  integer not null,
    expires  integer not null,
    primary key (account, token)
) strict, without rowid;

-- Plain collections of a home and what lies in them (RFC 4918 5.2, 9.3). The
-- octets are last, so that listing stops before them.
create table file (
    account      integer not null,
    path         text not null,
    directory    integer not null,
    content_type text not null,
    language     text not null,
    etag         text not null,
    size         integer not null,
    created      integer not null,
    modified     integer not null,
    properties   text not null,
    body         blob not null,
    primary key (account, path)
) strict;

-- Published calendars: who has the token reads.
create table feed (
    account    integer not null,
    id         integer not null,
    collection integer not null,
    token      text not null,
    detail     text not null, -- full, busy
    label      text not null,
    created    integer not null,
    primary key (account, id)
) strict, without rowid;
create unique index feed_token on feed (token);

-- Calendars that the server keeps equal to an address.
create table subscription (
    account       integer not null,
    collection    integer not null,
    url           text not null,
    etag          text not null,
    last_modified text not null,
    digest        text not null,
    every         integer not null, -- seconds
    tried         integer not null,
    refreshed     integer not null,
    due           integer not null,
    failures      integer not null,
    error         text not null,
    primary key (account, collection)
) strict, without rowid;
create index subscription_due on subscription (due);

-- Notifications of the CalendarServer kind, until their reader deletes them.
create table notification (
    account    integer not null,
    id         integer not null,
    name       text not null,
    kind       text not null,
    owner      integer not null,
    collection integer not null,
    created    integer not null,
    body       text not null,
    primary key (account, id)
) strict, without rowid;
create unique index notification_name on notification (account, name);

-- Managed attachments (RFC 8607).
create table attachment (
    account      integer not null,
    id           integer not null,
    token        text not null,
    uid          text not null,
    filename     text not null,
    content_type text not null,
    size         integer not null,
    created      integer not null,
    unused       integer not null, -- since when no object names it, 0: one does
    body         blob not null,
    primary key (account, id)
) strict;
create unique index attachment_token on attachment (token);
create index attachment_uid on attachment (account, uid);
create index attachment_unused on attachment (unused) where unused > 0;

-- +goose Down
drop table attachment;
drop table notification;
drop table subscription;
drop table feed;
drop table file;
drop table lock;
drop table personal;
drop table mount;
