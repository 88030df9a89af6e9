-- Made by the tests from the migrations; compare, do not edit.

CREATE TABLE absent (
    repository text not null,
    upstream   text not null,
    package    text not null,
    until      integer not null,
    primary key (repository, upstream, package)
) strict, without rowid;

CREATE TABLE admission (
    package  text not null,
    purl     text not null,
    first_at integer not null,
    last_at  integer not null,
    primary key (package, purl)
) strict, without rowid;

CREATE TABLE advisory_hold (
    advisory         text not null primary key,
    reason           text not null,
    state            text not null,
    since            integer not null,
    generation       integer not null,
    downloads        integer not null,
    downloads_in_all integer not null,
    sources          integer not null,
    packages         text not null,
    decided_at       integer,
    decided_by       text
) strict, without rowid;

CREATE TABLE alarm (
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

CREATE TABLE approval (
    id         text not null primary key,
    purl       text not null,
    state      text not null,
    expires_at integer,
    revision   integer not null,
    json       text not null
) strict, without rowid;

CREATE TABLE approval_event (
    approval text not null references approval (id),
    revision integer not null,
    at       integer not null,
    actor    text not null,
    what     text not null,
    note     text,
    primary key (approval, revision)
) strict, without rowid;

CREATE TABLE artifact (
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

CREATE TABLE comparison (
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

CREATE TABLE component (
    package text not null,
    purl    text not null,
    sha256  blob not null check (length(sha256) = 32),
    path    text not null,
    primary key (package, purl, sha256, path)
) strict, without rowid;

CREATE TABLE context (
    person     integer not null references person (id) on delete cascade,
    kind       text not null,
    value      text not null,
    salt       blob not null check (length(salt) = 32),
    commitment blob not null unique check (length(commitment) = 32),
    primary key (person, kind, value)
) strict, without rowid;

CREATE TABLE custody_event (
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

CREATE TABLE custody_policy (
    record text not null primary key,
    at     integer not null,
    policy blob not null check (length(policy) = 32)
) strict, without rowid;

CREATE TABLE custody_statement (
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

CREATE TABLE decision (
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

CREATE TABLE document (
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

CREATE TABLE document_body (
    document integer primary key references document (id) on delete cascade,
    -- zstd with content size and checksum
    body     blob not null
) strict;

CREATE TABLE edge (
    -- package URL, without version where any version is meant
    parent text not null,
    -- package URL with version: what has the parent in it, is made of it or brings it along
    child  text not null,
    kind   text not null,
    at     integer not null,
    -- the entry of the decision that it was learnt with
    record text,
    primary key (parent, child, kind)
) strict, without rowid;

CREATE TABLE exposure (
    package  text not null,
    purl     text not null,
    advisory text not null,
    why      text not null,
    since    integer not null,
    primary key (package, purl, advisory)
) strict, without rowid;

CREATE TABLE hold (
    sha256 blob not null check (length(sha256) = 32),
    reason text not null,
    at     integer not null,
    primary key (sha256, reason)
) strict, without rowid;

CREATE TABLE inspection (
    sha256       blob not null primary key check (length(sha256) = 32),
    inspector    integer not null,
    inspected_at integer not null,
    -- JSON: what decisions read of it, small
    facts        text not null,
    -- zstd of JSON: everything
    report       blob not null
) strict, without rowid;

CREATE TABLE ledger_head (
    log  text primary key,
    size integer not null,
    root blob not null,
    note text not null,
    runs text not null
) strict, without rowid;

CREATE TABLE liveness (
    secret_hash text not null,
    detector    text not null,
    state       text not null,
    asked_at    integer not null,
    primary key (secret_hash, detector)
) strict, without rowid;

CREATE TABLE local_block (
    number       integer primary key autoincrement,
    purl         text not null,
    sha256       blob check (length(sha256) = 32),
    reason       text not null,
    actor        text not null,
    at           integer not null,
    withdrawn_at integer,
    withdrawn_by text
) strict;

CREATE TABLE mcp_tool (
    server        text not null,
    kind          text not null,
    name          text not null,
    digest        blob not null,
    definition    text not null,
    state         text not null,
    first_seen_at integer not null,
    last_seen_at  integer not null,
    decided_by    text,
    decided_at    integer,
    reason        text,
    expires_at    integer,
    primary key (server, kind, name, digest)
) strict, without rowid;

CREATE TABLE package (
    id        integer primary key,
    ecosystem text not null,
    name      text not null,
    unique (ecosystem, name)
) strict;

CREATE TABLE package_source (
    package  integer not null references package (id) on delete cascade,
    source   text not null,
    document blob not null check (length(document) = 32),
    first_at integer not null,
    primary key (package, source)
) strict, without rowid;

CREATE TABLE person (
    id         integer primary key,
    principal  text not null unique,
    kind       text not null,
    key        blob not null check (length(key) = 32),
    pseudonym  blob not null unique check (length(pseudonym) = 32),
    created_at integer not null
, seen_at integer not null default 0) strict;

CREATE TABLE pin (
    ecosystem text not null,
    package   text not null,
    version   text not null,
    file      text not null,
    sha256    blob not null check (length(sha256) = 32),
    at        integer not null,
    primary key (ecosystem, package, version, file)
) strict, without rowid;

CREATE TABLE setting (
    name  text not null primary key,
    value text not null
) strict, without rowid;

CREATE TABLE sighting (
    package       integer not null references package (id) on delete cascade,
    version       text not null,
    file          text not null,
    -- null: stood in the first document of its source, its age is unknown
    first_seen_at integer,
    digests       text not null,
    changed_at    integer,
    primary key (package, version, file)
) strict, without rowid;

CREATE TABLE standing (
    purl       text not null,
    file       text not null,
    repository text not null,
    package    text not null,
    action     text not null,
    decision   integer not null references decision (seek),
    primary key (purl, file, repository)
) strict, without rowid;

CREATE TABLE token (
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

CREATE TABLE verification (
    package    text not null,
    purl       text not null,
    file       text not null,
    -- the digest that was promised or found and that the evidence was checked against, as algorithm:hex
    subject    text not null,
    -- digest over the evidence, the subject, what was demanded and the roots believed
    key        blob not null check (length(key) = 32),
    checked_at integer not null,
    -- JSON: what decisions read of it
    result     text not null,
    -- zstd of the document of attestations, byte for byte; null where there is none
    document   blob,
    primary key (package, purl, file)
) strict, without rowid;

CREATE TABLE waiver (
    id         text not null primary key,
    purl       text not null,
    state      text not null,
    expires_at integer,
    revision   integer not null,
    json       text not null
) strict, without rowid;

CREATE TABLE waiver_event (
    waiver   text not null references waiver (id),
    revision integer not null,
    at       integer not null,
    actor    text not null,
    what     text not null,
    note     text,
    primary key (waiver, revision)
) strict, without rowid;

CREATE INDEX admission_crate on admission (replace(lower(package), '_', '-'))
    where substr(package, 1, 10) = 'pkg:cargo/';

CREATE UNIQUE INDEX alarm_open on alarm (kind, subject) where acknowledged_at is null;

CREATE INDEX artifact_evictable on artifact (last_access_at) where stored = 1 and pinned = 0;

CREATE INDEX comparison_against on comparison (against);

CREATE INDEX component_sha256 on component (sha256);

CREATE INDEX context_value on context (kind, value);

CREATE INDEX custody_event_file on custody_event (purl, file, repository, number);

CREATE INDEX custody_statement_bundle on custody_statement (bundle_digest) where manifest is not null;

CREATE INDEX custody_statement_manifest on custody_statement (manifest_digest) where manifest is not null;

CREATE INDEX decision_package on decision (package, purl, seek);

CREATE INDEX document_checked on document (checked_at);

CREATE INDEX exposure_advisory on exposure (advisory);

CREATE INDEX inspection_inspector on inspection (inspector);

CREATE INDEX pin_sha256 on pin (sha256);

CREATE INDEX standing_quarantined on standing (decision) where action = 'quarantine';

CREATE INDEX token_principal on token (principal);
