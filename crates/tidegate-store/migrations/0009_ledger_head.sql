-- The newest signed head of each log, moved by compare-and-swap on its size and root.

create table ledger_head (
    log  text primary key,
    size integer not null,
    root blob not null,
    note text not null,
    runs text not null
) strict, without rowid;
