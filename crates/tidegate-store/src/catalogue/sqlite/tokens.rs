//! Tokens by digest.

use rusqlite::{OptionalExtension as _, Row, params};
use tidegate_model::{Principal, PrincipalKind, Timestamp};

use super::super::{CatalogueError, Scope, Token, TokenHash, Tokens};
use super::SqliteCatalogue;
use super::convert::{Bytes32, Lines, Millis, Text, Word, lines, principal_kind_word, repeats_key};

fn token(row: &Row<'_>) -> rusqlite::Result<Token> {
    Ok(Token {
        id: row.get(0)?,
        hash: TokenHash::from_bytes(row.get::<_, Bytes32>(1)?.0),
        principal: Principal {
            id: row.get(2)?,
            kind: row.get::<_, Word<PrincipalKind>>(3)?.0,
            groups: row.get::<_, Lines>(4)?.0,
            host: row.get(5)?,
            run: row.get(6)?,
        },
        scope: row.get::<_, Text<Scope>>(7)?.0,
        repositories: row.get::<_, Lines>(8)?.0,
        created_at: row.get::<_, Millis>(9)?.0,
        expires_at: row.get::<_, Option<Millis>>(10)?.map(|at| at.0),
        revoked_at: row.get::<_, Option<Millis>>(11)?.map(|at| at.0),
    })
}

impl Tokens for SqliteCatalogue {
    fn put_token(&self, token: &Token) -> Result<bool, CatalogueError> {
        self.write("recording a token", |c| {
            let inserted = c
                .prepare_cached(
                    "insert into token values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                )?
                .execute(params![
                    token.id,
                    Bytes32::from(&token.hash),
                    token.principal.id,
                    principal_kind_word(token.principal.kind),
                    lines("group", &token.principal.groups)?,
                    token.principal.host,
                    token.principal.run,
                    token.scope.as_str(),
                    lines("repository", &token.repositories)?,
                    Millis(token.created_at),
                    token.expires_at.map(Millis),
                    token.revoked_at.map(Millis),
                ]);
            match inserted {
                Err(e) if repeats_key(&e) => Ok(false),
                other => Ok(other? > 0),
            }
        })
    }

    fn token(&self, hash: &TokenHash) -> Result<Option<Token>, CatalogueError> {
        self.read("looking a token up", |c| {
            Ok(c.prepare_cached(
                "select id, hash, principal, kind, groups, host, run, scope, repositories,
                     created_at, expires_at, revoked_at
                 from token where hash = ?1",
            )?
            .query_row([Bytes32::from(hash)], token)
            .optional()?)
        })
    }

    fn tokens(&self, ended: bool, now: Timestamp) -> Result<Vec<Token>, CatalogueError> {
        self.read("listing tokens", |c| {
            Ok(c.prepare_cached(
                "select id, hash, principal, kind, groups, host, run, scope, repositories,
                     created_at, expires_at, revoked_at
                 from token
                 where ?1 or (revoked_at is null and (expires_at is null or expires_at > ?2))
                 order by created_at desc, id",
            )?
            .query_map(params![ended, Millis(now)], token)?
            .collect::<rusqlite::Result<_>>()?)
        })
    }

    fn revoke_token(&self, id: &str, at: Timestamp) -> Result<bool, CatalogueError> {
        self.write("revoking a token", |c| {
            let changed = c
                .prepare_cached(
                    "update token set revoked_at = ?2
                     where id = ?1 and revoked_at is null and (expires_at is null or expires_at > ?2)",
                )?
                .execute(params![id, Millis(at)])?;
            Ok(changed > 0)
        })
    }

    fn prune_tokens(&self, before: Timestamp) -> Result<u64, CatalogueError> {
        self.write("pruning tokens", |c| {
            let deleted = c
                .prepare_cached("delete from token where coalesce(revoked_at, expires_at) < ?1")?
                .execute([Millis(before)])?;
            Ok(deleted as u64)
        })
    }
}
