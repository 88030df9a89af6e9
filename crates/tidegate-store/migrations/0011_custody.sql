-- What was stated and signed of artifacts: one row for each event, and one for each statement about it.

create table custody_event (
    -- the order in which they were stated
    number     integer primary key,
    sha256     blob not null check (length(sha256) = 32),
    purl       text not null,
    file       text,
    repository text not null,
    event      text not null,
    -- what the decision does, so that the next change is told from a repetition
    action     text not null,
    at         integer not null,
    -- the ledger's entry, <node>-<number>: stated once
    record     text not null unique,
    -- digest of the payload of the custody record, and of the one before it: 32 zeros in the first of a chain
    payload    blob not null check (length(payload) = 32),
    previous   blob not null check (length(previous) = 32),
    -- two records that follow the same one would be a fork
    unique (sha256, purl, previous)
) strict;
create index custody_event_file on custody_event (purl, file, repository, number);

create table custody_statement (
    event           integer not null references custody_event (number) on delete cascade,
    -- place among the statements of one event; 0 is the custody record
    position        integer not null,
    predicate_type  text not null,
    payload         blob not null check (length(payload) = 32),
    bundle_digest   blob not null check (length(bundle_digest) = 32),
    -- zstd of the Sigstore bundle, byte for byte
    bundle          blob not null,
    -- of images: the OCI manifest that refers to the image and holds the bundle
    manifest_digest blob check (length(manifest_digest) = 32),
    manifest        blob,
    primary key (event, position)
) strict, without rowid;
create index custody_statement_bundle on custody_statement (bundle_digest) where manifest is not null;
create index custody_statement_manifest on custody_statement (manifest_digest) where manifest is not null;

-- Policies that came into force, by the ledger: who verifies a statement needs them.
create table custody_policy (
    record text not null primary key,
    at     integer not null,
    policy blob not null check (length(policy) = 32)
) strict, without rowid;
