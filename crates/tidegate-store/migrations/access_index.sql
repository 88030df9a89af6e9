-- One month of accesses, projected from the ledger. Not migrated: another version is projected anew.
-- Rows hold numbers; what repeats stands once in the side tables. Absent digests are empty blobs, so that
-- uniqueness holds for them too.

create table node (
    id   integer primary key,
    name text not null unique
) strict;

create table cursor (
    node integer primary key references node (id),
    seq  integer not null,
    -- when that entry happened
    at   integer not null
) strict;

create table subject (
    id      integer primary key,
    -- the first 16 bytes of the SHA-256 of package URL, file and digest
    key     blob not null unique,
    purl    text not null,
    file    text not null,
    sha256  blob not null,
    package text not null
) strict;
create index subject_package on subject (package);
create index subject_sha256 on subject (sha256);

-- Who asked, and from where. Commitments are a person's own, so there is nothing to share between people.
create table source (
    id         integer primary key,
    -- the first 16 bytes of the SHA-256 of everything else
    key        blob not null unique,
    actor      blob not null,
    kind       text not null,
    host       blob not null,
    address    blob not null,
    client     blob not null,
    credential blob not null
) strict;
create index source_actor on source (actor);
create index source_credential on source (credential) where length(credential) > 0;

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
    -- milliseconds since the month began, times 32,768, and a number that tells accesses of one moment apart
    id          integer not null primary key,
    subject     integer not null,
    source      integer not null,
    outcome     integer not null,
    node        integer not null,
    seq         integer not null,
    bytes       integer not null,
    range_first integer,
    range_last  integer,
    decision    blob
) strict, without rowid;
-- Counting reads these alone.
create index access_subject on access (subject, id, source, outcome);
create index access_source on access (source, id);
