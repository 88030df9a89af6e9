-- One month of accesses, projected from the ledger. Not migrated: another version is projected anew.
-- Rows hold numbers; what repeats stands once in the side tables. Absent digests are empty blobs, so that
-- uniqueness holds for them too.

create table node (
    id   integer primary key,
    name text not null unique
) strict;

create table cursor (
    node integer primary key references node (id),
    seq  integer not null
) strict;

create table subject (
    id      integer primary key,
    purl    text not null,
    file    text not null,
    sha256  blob not null,
    package text not null,
    unique (purl, file, sha256)
) strict;
create index subject_package on subject (package);
create index subject_sha256 on subject (sha256);

create table actor (
    id        integer primary key,
    pseudonym blob not null,
    kind      text not null,
    unique (pseudonym, kind)
) strict;

create table origin (
    id         integer primary key,
    host       blob not null,
    address    blob not null,
    client     blob not null,
    credential blob not null,
    unique (address, client, host, credential)
) strict;

create table outcome (
    id         integer primary key,
    repository text not null,
    method     text not null,
    operation  text not null,
    status     integer not null,
    action     text not null,
    enforced   integer not null,
    cache      text not null,
    policy     blob not null,
    -- bytes of an artifact went out
    taken      integer not null,
    unique (repository, method, operation, status, action, enforced, cache, policy)
) strict;

create table access (
    subject     integer not null,
    at          integer not null,
    node        integer not null,
    seq         integer not null,
    actor       integer not null,
    origin      integer not null,
    outcome     integer not null,
    bytes       integer not null,
    range_first integer,
    range_last  integer,
    decision    text,
    primary key (subject, at, node, seq)
) strict, without rowid;
create index access_actor on access (actor, at);
create index access_at on access (at);
