-- What the door keeps besides blobs. Times are milliseconds since 1970, digests of fixed length are blobs.

create table setting (
    name  text not null primary key,
    value text not null
) strict, without rowid;

-- The body stands apart, so that recording a revalidation does not rewrite it.
create table document (
    id            integer primary key,
    repository    text not null,
    upstream      text not null,
    package       text not null,
    kind          text not null,
    etag          text,
    last_modified text,
    content_type  text,
    url           text not null,
    digest        blob not null check (length(digest) = 32),
    size          integer not null,
    fetched_at    integer not null,
    checked_at    integer not null,
    unique (repository, upstream, package, kind)
) strict;
create index document_checked on document (checked_at);

create table document_body (
    document integer primary key references document (id) on delete cascade,
    -- zstd with content size and checksum
    body     blob not null
) strict;

create table absent (
    repository text not null,
    upstream   text not null,
    package    text not null,
    until      integer not null,
    primary key (repository, upstream, package)
) strict, without rowid;

create table package (
    id        integer primary key,
    ecosystem text not null,
    name      text not null,
    unique (ecosystem, name)
) strict;

-- The last document of each source, to know its first one and to skip what is already recorded.
create table package_source (
    package  integer not null references package (id) on delete cascade,
    source   text not null,
    document blob not null check (length(document) = 32),
    first_at integer not null,
    primary key (package, source)
) strict, without rowid;

create table sighting (
    package       integer not null references package (id) on delete cascade,
    version       text not null,
    file          text not null,
    -- null: stood in the first document of its source, its age is unknown
    first_seen_at integer,
    digests       text not null,
    changed_at    integer,
    primary key (package, version, file)
) strict, without rowid;

create table pin (
    ecosystem text not null,
    package   text not null,
    version   text not null,
    file      text not null,
    sha256    blob not null check (length(sha256) = 32),
    at        integer not null,
    primary key (ecosystem, package, version, file)
) strict, without rowid;

create table artifact (
    sha256          blob not null primary key check (length(sha256) = 32),
    sha512          blob check (length(sha512) = 64),
    size            integer not null,
    kind            text not null,
    upstream_url    text,
    first_stored_at integer not null,
    last_access_at  integer not null,
    stored          integer not null check (stored in (0, 1)),
    pinned          integer not null default 0 check (pinned in (0, 1))
) strict, without rowid;
create index artifact_evictable on artifact (last_access_at) where stored = 1 and pinned = 0;

create table hold (
    sha256 blob not null check (length(sha256) = 32),
    reason text not null,
    at     integer not null,
    primary key (sha256, reason)
) strict, without rowid;

create table decision (
    seek       integer primary key,
    id         text not null unique,
    at         integer not null,
    package    text not null,
    purl       text not null,
    file       text,
    sha256     blob check (length(sha256) = 32),
    repository text not null,
    action     text not null,
    served     integer not null check (served in (0, 1)),
    json       text not null
) strict;
create index decision_package on decision (package, purl, seek);

-- The latest decision of each file in each repository: what is in quarantine now.
create table standing (
    purl       text not null,
    file       text not null,
    repository text not null,
    package    text not null,
    action     text not null,
    decision   integer not null references decision (seek),
    primary key (purl, file, repository)
) strict, without rowid;
create index standing_quarantined on standing (decision) where action = 'quarantine';

create table admission (
    package  text not null,
    purl     text not null,
    first_at integer not null,
    last_at  integer not null,
    primary key (package, purl)
) strict, without rowid;
