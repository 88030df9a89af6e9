//! The private table.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use tidegate_ledger::pseudonym::{Commitment, PersonKey, Pseudonym, Salt};
use tidegate_model::PrincipalKind;

use super::super::{
    CatalogueCause, CatalogueError, Context, ContextKind, Forgotten, NewContext, NewPerson, People, Person,
};
use super::SqliteCatalogue;
use super::convert::{Bytes32, Millis, Text, Word, principal_kind_word};

fn person(row: &Row<'_>) -> rusqlite::Result<Person> {
    Ok(Person {
        principal: row.get(0)?,
        kind: row.get::<_, Word<PrincipalKind>>(1)?.0,
        key: PersonKey::from_bytes(row.get::<_, Bytes32>(2)?.0),
        pseudonym: Pseudonym::new(row.get::<_, Bytes32>(3)?.0),
        created_at: row.get::<_, Millis>(4)?.0,
    })
}

fn person_where(
    c: &Connection,
    column: &'static str,
    value: &dyn rusqlite::ToSql,
) -> rusqlite::Result<Option<Person>> {
    c.prepare_cached(&format!(
        "select principal, kind, key, pseudonym, created_at from person where {column} = ?1"
    ))?
    .query_row([value], person)
    .optional()
}

fn context(row: &Row<'_>) -> rusqlite::Result<Context> {
    Ok(Context {
        pseudonym: Pseudonym::new(row.get::<_, Bytes32>(0)?.0),
        kind: row.get::<_, Text<ContextKind>>(1)?.0,
        value: row.get(2)?,
        salt: Salt::from_bytes(row.get::<_, Bytes32>(3)?.0),
        commitment: Commitment::new(row.get::<_, Bytes32>(4)?.0),
    })
}

fn find_context(
    c: &Connection,
    pseudonym: &Pseudonym,
    kind: ContextKind,
    value: &str,
) -> rusqlite::Result<Option<Context>> {
    c.prepare_cached(
        "select p.pseudonym, c.kind, c.value, c.salt, c.commitment
         from context c join person p on p.id = c.person
         where p.pseudonym = ?1 and c.kind = ?2 and c.value = ?3",
    )?
    .query_row(params![bytes(pseudonym), kind.as_str(), value], context)
    .optional()
}

const fn bytes(pseudonym: &Pseudonym) -> Bytes32 {
    Bytes32(*pseudonym.as_bytes())
}

fn gone() -> CatalogueCause {
    CatalogueCause::Unreadable { what: "person", why: "it is gone right after it was written".to_owned() }
}

impl People for SqliteCatalogue {
    fn person(&self, principal: &str) -> Result<Option<Person>, CatalogueError> {
        self.read("looking a person up", |c| Ok(person_where(c, "principal", &principal)?))
    }

    fn person_or_insert(&self, new: &NewPerson<'_>) -> Result<Person, CatalogueError> {
        if let Some(known) = self.person(new.principal)? {
            return Ok(known);
        }
        self.write("making a person known", |c| {
            c.prepare_cached(
                "insert into person (principal, kind, key, pseudonym, created_at) values (?1, ?2, ?3, ?4, ?5)
                 on conflict (principal) do nothing",
            )?
            .execute(params![
                new.principal,
                principal_kind_word(new.kind),
                new.key.expose(),
                bytes(&new.pseudonym),
                Millis(new.at)
            ])?;
            person_where(c, "principal", &new.principal)?.ok_or_else(gone)
        })
    }

    fn person_by_pseudonym(&self, pseudonym: &Pseudonym) -> Result<Option<Person>, CatalogueError> {
        self.read("looking a pseudonym up", |c| Ok(person_where(c, "pseudonym", &bytes(pseudonym))?))
    }

    fn context(
        &self,
        pseudonym: &Pseudonym,
        kind: ContextKind,
        value: &str,
    ) -> Result<Option<Context>, CatalogueError> {
        self.read("looking a commitment up", |c| Ok(find_context(c, pseudonym, kind, value)?))
    }

    fn context_or_insert(&self, new: &NewContext<'_>) -> Result<Context, CatalogueError> {
        if let Some(known) = self.context(&new.pseudonym, new.kind, new.value)? {
            return Ok(known);
        }
        self.write("keeping a commitment", |c| {
            c.prepare_cached(
                "insert into context (person, kind, value, salt, commitment)
                 select id, ?2, ?3, ?4, ?5 from person where pseudonym = ?1
                 on conflict (person, kind, value) do nothing",
            )?
            .execute(params![
                bytes(&new.pseudonym),
                new.kind.as_str(),
                new.value,
                new.salt.expose(),
                Bytes32(*new.commitment.as_bytes())
            ])?;
            find_context(c, &new.pseudonym, new.kind, new.value)?.ok_or_else(|| {
                CatalogueCause::Refused(format!("nobody has the pseudonym `{}`", new.pseudonym))
            })
        })
    }

    fn context_by_commitment(&self, commitment: &Commitment) -> Result<Option<Context>, CatalogueError> {
        self.read("looking behind a commitment", |c| {
            Ok(c.prepare_cached(
                "select p.pseudonym, c.kind, c.value, c.salt, c.commitment
                 from context c join person p on p.id = c.person where c.commitment = ?1",
            )?
            .query_row([Bytes32(*commitment.as_bytes())], context)
            .optional()?)
        })
    }

    fn forget_person(&self, principal: &str) -> Result<Option<Forgotten>, CatalogueError> {
        const DOING: &str = "forgetting a person";
        let forgotten = self.write(DOING, |c| {
            let Some(known) = person_where(c, "principal", &principal)? else { return Ok(None) };
            let contexts = c
                .prepare_cached(
                    "delete from context where person = (select id from person where principal = ?1)",
                )?
                .execute([principal])?;
            let tokens = c.prepare_cached("delete from token where principal = ?1")?.execute([principal])?;
            c.prepare_cached("delete from person where principal = ?1")?.execute([principal])?;
            Ok(Some(Forgotten {
                pseudonym: known.pseudonym,
                contexts: contexts as u64,
                tokens: tokens as u64,
            }))
        })?;
        if forgotten.is_some() {
            // Deleted rows are overwritten (`secure_delete`); the log still holds the pages as they were before.
            // Where a reader is in the way, the next checkpoint does it; the erasure itself must still be recorded.
            if let Err(e) = self.writer.checkpoint(DOING) {
                tracing::warn!(error = %e, "a forgotten person's pages stay in the write-ahead log a while longer");
            }
        }
        Ok(forgotten)
    }

    fn people(&self) -> Result<Vec<Person>, CatalogueError> {
        self.read("listing people", |c| {
            Ok(c.prepare_cached(
                "select principal, kind, key, pseudonym, created_at from person order by principal",
            )?
            .query_map([], person)?
            .collect::<rusqlite::Result<_>>()?)
        })
    }
}
