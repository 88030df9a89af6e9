-- What checking the attestations and signatures of files came to.

create table verification (
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
