-- What an organisation lets in by name: models, extensions, servers, packages, by version, commit or digest.

create table approval (
    id         text not null primary key,
    purl       text not null,
    state      text not null,
    expires_at integer,
    revision   integer not null,
    json       text not null
) strict, without rowid;

create table approval_event (
    approval text not null references approval (id),
    revision integer not null,
    at       integer not null,
    actor    text not null,
    what     text not null,
    note     text,
    primary key (approval, revision)
) strict, without rowid;
