//! The private table.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use tidegate_ledger::pseudonym::{Commitment, PersonKey, Pseudonym, Salt};
use tidegate_model::{PrincipalKind, Timestamp};

use super::super::{
    CatalogueCause, CatalogueError, Context, ContextKind, Forgotten, NewContext, NewPerson, People, Person,
};
use super::SqliteCatalogue;
use super::convert::{Bytes32, Millis, Text, Word, principal_kind_word};
use super::forget;

fn person(row: &Row<'_>) -> rusqlite::Result<Person> {
    Ok(Person {
        principal: row.get(0)?,
        kind: row.get::<_, Word<PrincipalKind>>(1)?.0,
        key: PersonKey::from_bytes(row.get::<_, Bytes32>(2)?.0),
        pseudonym: Pseudonym::new(row.get::<_, Bytes32>(3)?.0),
        created_at: row.get::<_, Millis>(4)?.0,
        seen_at: row.get::<_, Millis>(5)?.0,
    })
}

fn person_where(
    c: &Connection,
    column: &'static str,
    value: &dyn rusqlite::ToSql,
) -> rusqlite::Result<Option<Person>> {
    c.prepare_cached(&format!(
        "select principal, kind, key, pseudonym, created_at, seen_at from person where {column} = ?1"
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

/// More commitments than this are looked for in all that there are, in the order in which they lie.
const MANY: usize = 2000;

fn all_values(
    c: &Connection,
    commitments: &[Commitment],
) -> Result<HashMap<Commitment, String>, CatalogueCause> {
    let wanted: HashSet<&Commitment> = commitments.iter().collect();
    let mut every = c.prepare_cached("select commitment, value from context")?;
    let mut rows = every.query([])?;
    let mut values = HashMap::with_capacity(commitments.len());
    while let Some(row) = rows.next()? {
        let commitment = Commitment::new(row.get::<_, Bytes32>(0)?.0);
        if wanted.contains(&commitment) {
            values.insert(commitment, row.get(1)?);
        }
    }
    Ok(values)
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
                "insert into person (principal, kind, key, pseudonym, created_at, seen_at) values (?1, ?2, ?3, ?4, ?5, ?5)
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

    fn values_of(&self, commitments: &[Commitment]) -> Result<HashMap<Commitment, String>, CatalogueError> {
        self.read("looking behind commitments", |c| {
            if commitments.len() > MANY {
                return all_values(c, commitments);
            }
            let mut find = c.prepare_cached("select value from context where commitment = ?1")?;
            let mut values = HashMap::new();
            for commitment in commitments {
                let value = find.query_row([Bytes32(*commitment.as_bytes())], |row| row.get(0)).optional()?;
                values.extend(value.map(|value| (*commitment, value)));
            }
            Ok(values)
        })
    }

    fn names_of(&self, pseudonyms: &[Pseudonym]) -> Result<HashMap<Pseudonym, String>, CatalogueError> {
        self.read("looking pseudonyms up", |c| {
            let mut find = c.prepare_cached("select principal from person where pseudonym = ?1")?;
            let mut names = HashMap::new();
            for pseudonym in pseudonyms {
                let name = find.query_row([bytes(pseudonym)], |row| row.get(0)).optional()?;
                names.extend(name.map(|name| (*pseudonym, name)));
            }
            Ok(names)
        })
    }

    fn contexts_of_value(&self, kind: ContextKind, value: &str) -> Result<Vec<Context>, CatalogueError> {
        self.read("looking up who has a value", |c| {
            Ok(c.prepare_cached(
                "select p.pseudonym, c.kind, c.value, c.salt, c.commitment
                 from context c join person p on p.id = c.person where c.kind = ?1 and c.value = ?2",
            )?
            .query_map([kind.as_str(), value], context)?
            .collect::<rusqlite::Result<_>>()?)
        })
    }

    fn note_person_seen(&self, principal: &str, at: Timestamp) -> Result<(), CatalogueError> {
        self.write("noting that a person was seen", |c| {
            c.prepare_cached("update person set seen_at = max(seen_at, ?2) where principal = ?1")?
                .execute(params![principal, Millis(at)])?;
            Ok(())
        })
    }

    fn forget_person(
        &self,
        principal: &str,
        unknown: &Pseudonym,
    ) -> Result<Option<Forgotten>, CatalogueError> {
        // Read by a connection of its own: there may be many, and nobody else should wait.
        let told = self.read(forget::DOING, |c| forget::decisions_that_name(c, principal))?;
        self.write(forget::DOING, |c| {
            let known = person_where(c, "principal", &principal)?.map(|person| person.pseudonym);
            forget::forget(c, principal, known, unknown, &told)
        })
    }

    fn scrub(&self) -> Result<bool, CatalogueError> {
        self.writer.alone(forget::DOING, forget::write_anew)?;
        match self.writer.checkpoint(forget::DOING) {
            Ok(()) => {}
            Err(CatalogueError { cause: CatalogueCause::Busy, .. }) => return Ok(false),
            Err(error) => return Err(error),
        }
        self.write(forget::DOING, forget::is_done)?;
        Ok(true)
    }

    fn is_scrub_due(&self) -> Result<bool, CatalogueError> {
        self.read(forget::DOING, forget::is_due)
    }

    fn people(&self) -> Result<Vec<Person>, CatalogueError> {
        self.read("listing people", |c| {
            Ok(c.prepare_cached(
                "select principal, kind, key, pseudonym, created_at, seen_at from person order by principal",
            )?
            .query_map([], person)?
            .collect::<rusqlite::Result<_>>()?)
        })
    }
}
