-- When a person last did something; who has a value: an address, a machine, a run; and what came into what.

alter table person add column seen_at integer not null default 0;
update person set seen_at = created_at;

create index context_value on context (kind, value);

create table edge (
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
