-- +goose Up

-- Another's calendar as one person has it: their colour, their alarms' state,
-- their place in the list. Sharing itself is in share; collection 0 there is
-- the whole home (calendar-proxy-read, calendar-proxy-write).
create table mount (
    account      bigint not null, -- the person
    owner        bigint not null,
    collection   bigint not null,
    state        text not null, -- invited, accepted, declined
    seq          bigint not null,  -- in the person's home
    seen         bigint not null,  -- of the calendar's own changes, when seq was given
    display_name text not null,
    color        text not null,
    position     bigint not null,
    transparent  boolean not null,
    comment      text not null,
    properties   text not null,
    primary key (account, owner, collection)
);
create index mount_of on mount (owner, collection);

-- What one reader keeps with another's event: alarms, transparency.
create table personal (
    account    bigint not null, -- the owner of the event
    collection bigint not null,
    object     bigint not null,
    reader     bigint not null,
    tag        text not null,
    data       text not null,
    primary key (account, collection, object, reader)
);
create index personal_reader on personal (reader);

-- WebDAV locks (RFC 4918 6). The path is relative to the home.
create table lock (
    account  bigint not null,
    token    text collate "C" not null,
    path     text collate "C" not null,
    infinite boolean not null,
    shared   boolean not null,
    creator  bigint not null,
    owner    text not null,
    timeout  bigint not null,
    expires  bigint not null,
    primary key (account, token)
);

-- Plain collections of a home and what lies in them (RFC 4918 5.2, 9.3). The
-- octets are last, so that listing stops before them.
create table file (
    account      bigint not null,
    path         text collate "C" not null,
    directory    boolean not null,
    content_type text not null,
    language     text not null,
    etag         text not null,
    size         bigint not null,
    created      bigint not null,
    modified     bigint not null,
    properties   text not null,
    body         bytea not null,
    primary key (account, path)
);

-- Published calendars: who has the token reads.
create table feed (
    account    bigint not null,
    id         bigint not null,
    collection bigint not null,
    token      text collate "C" not null,
    detail     text not null, -- full, busy
    label      text not null,
    created    bigint not null,
    primary key (account, id)
);
create unique index feed_token on feed (token);

-- Calendars that the server keeps equal to an address.
create table subscription (
    account       bigint not null,
    collection    bigint not null,
    url           text not null,
    etag          text not null,
    last_modified text not null,
    digest        text not null,
    every         bigint not null, -- seconds
    tried         bigint not null,
    refreshed     bigint not null,
    due           bigint not null,
    failures      bigint not null,
    error         text not null,
    primary key (account, collection)
);
create index subscription_due on subscription (due);

-- Notifications of the CalendarServer kind, until their reader deletes them.
create table notification (
    account    bigint not null,
    id         bigint not null,
    name       text collate "C" not null,
    kind       text not null,
    owner      bigint not null,
    collection bigint not null,
    created    bigint not null,
    body       text not null,
    primary key (account, id)
);
create unique index notification_name on notification (account, name);

-- Managed attachments (RFC 8607).
create table attachment (
    account      bigint not null,
    id           bigint not null,
    token        text collate "C" not null,
    uid          text collate "C" not null,
    filename     text not null,
    content_type text not null,
    size         bigint not null,
    created      bigint not null,
    unused       bigint not null, -- since when no object names it, 0: one does
    body         bytea not null,
    primary key (account, id)
);
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
