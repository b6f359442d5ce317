-- +goose Up
-- Whom the configuration lets read everybody's calendars, or act for everybody,
-- and who did: a row for each home, hour and kind. The name stays when its
-- account goes.
create table visit (
    account integer not null,  -- whose home it was
    at      integer not null,  -- beginning of the hour
    visitor text not null,    -- URL name of the account
    changed integer not null, -- or only read
    primary key (account, at, visitor, changed)
) strict;
create index visit_at on visit (at);

-- +goose Down
drop table visit;
