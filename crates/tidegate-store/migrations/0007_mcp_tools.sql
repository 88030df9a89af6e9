-- What MCP servers offer, text by text: what was seen, what is pinned, who approved it.

create table mcp_tool (
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
