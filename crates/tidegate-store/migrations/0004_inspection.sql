-- What inspection found, under the digest of the bytes; how a version compares with others; what is bundled in what.

create table inspection (
    sha256       blob not null primary key check (length(sha256) = 32),
    inspector    integer not null,
    inspected_at integer not null,
    -- JSON: what decisions read of it, small
    facts        text not null,
    -- zstd of JSON: everything
    report       blob not null
) strict, without rowid;
create index inspection_inspector on inspection (inspector);

create table comparison (
    package     text not null,
    purl        text not null,
    kind        text not null,
    sha256      blob not null check (length(sha256) = 32),
    -- the digest of what it was compared with: an artifact, or what the index says
    against     blob not null check (length(against) = 32),
    inspector   integer not null,
    compared_at integer not null,
    findings    text not null,
    primary key (package, purl, kind, sha256, against)
) strict, without rowid;
create index comparison_against on comparison (against);

create table component (
    package text not null,
    purl    text not null,
    sha256  blob not null check (length(sha256) = 32),
    path    text not null,
    primary key (package, purl, sha256, path)
) strict, without rowid;
create index component_sha256 on component (sha256);
create index pin_sha256 on pin (sha256);
