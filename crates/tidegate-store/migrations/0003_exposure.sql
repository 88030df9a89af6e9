-- What follows from advisories for what was admitted: what was told of each version, and what waits for a person.

create table exposure (
    package  text not null,
    purl     text not null,
    advisory text not null,
    why      text not null,
    since    integer not null,
    primary key (package, purl, advisory)
) strict, without rowid;
create index exposure_advisory on exposure (advisory);

create table advisory_hold (
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

-- Advisories name a crate with `-` or `_`, as they please; it was admitted under its own spelling.
create index admission_crate on admission (replace(lower(package), '_', '-'))
    where substr(package, 1, 10) = 'pkg:cargo/';
