-- What people do and what is known of them: exceptions, blocks, alarms, tokens, and the private table.

create table waiver (
    id         text not null primary key,
    purl       text not null,
    state      text not null,
    expires_at integer,
    revision   integer not null,
    json       text not null
) strict, without rowid;

create table waiver_event (
    waiver   text not null references waiver (id),
    revision integer not null,
    at       integer not null,
    actor    text not null,
    what     text not null,
    note     text,
    primary key (waiver, revision)
) strict, without rowid;

create table local_block (
    number       integer primary key autoincrement,
    purl         text not null,
    sha256       blob check (length(sha256) = 32),
    reason       text not null,
    actor        text not null,
    at           integer not null,
    withdrawn_at integer,
    withdrawn_by text
) strict;

create table alarm (
    number          integer primary key autoincrement,
    kind            text not null,
    subject         text not null,
    message         text not null,
    json            text not null,
    first_at        integer not null,
    at              integer not null,
    count           integer not null,
    acknowledged_at integer,
    acknowledged_by text
) strict;
create unique index alarm_open on alarm (kind, subject) where acknowledged_at is null;

create table token (
    id           text not null primary key,
    hash         blob not null unique check (length(hash) = 32),
    principal    text not null,
    kind         text not null,
    groups       text not null,
    host         text,
    run          text,
    scope        text not null,
    repositories text not null,
    created_at   integer not null,
    expires_at   integer,
    revoked_at   integer
) strict, without rowid;
create index token_principal on token (principal);

create table person (
    id         integer primary key,
    principal  text not null unique,
    kind       text not null,
    key        blob not null check (length(key) = 32),
    pseudonym  blob not null unique check (length(pseudonym) = 32),
    created_at integer not null
) strict;

create table context (
    person     integer not null references person (id) on delete cascade,
    kind       text not null,
    value      text not null,
    salt       blob not null check (length(salt) = 32),
    commitment blob not null unique check (length(commitment) = 32),
    primary key (person, kind, value)
) strict, without rowid;
