-- What issuers said of secrets that were found, by the keyed hash of the value.

create table liveness (
    secret_hash text not null,
    detector    text not null,
    state       text not null,
    asked_at    integer not null,
    primary key (secret_hash, detector)
) strict, without rowid;
