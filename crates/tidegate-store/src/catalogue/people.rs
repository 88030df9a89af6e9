//! The private table: names, keys and salts behind the pseudonyms and commitments of the ledger.
//!
//! The ledger holds `HMAC(key of the person, principal)` and salted digests of addresses and agents. Deleting the key,
//! the name and the salts here makes those entries speak of nobody, while every proof over them still verifies.

use std::collections::HashMap;
use std::str::FromStr;

use tidegate_ledger::pseudonym::{Commitment, PersonKey, Pseudonym, Salt};
use tidegate_model::{PrincipalKind, Timestamp};

use super::CatalogueError;

/// A person to make known.
#[derive(Clone, Debug)]
pub struct NewPerson<'a> {
    /// The principal's name.
    pub principal: &'a str,
    /// What kind of principal.
    pub kind: PrincipalKind,
    /// Random, of this person alone.
    pub key: PersonKey,
    /// What the ledger calls the person: made from the key.
    pub pseudonym: Pseudonym,
    /// When.
    pub at: Timestamp,
}

/// A known person.
#[derive(Clone, Debug)]
pub struct Person {
    /// The principal's name.
    pub principal: String,
    /// What kind of principal.
    pub kind: PrincipalKind,
    /// The person's key.
    pub key: PersonKey,
    /// What the ledger calls the person.
    pub pseudonym: Pseudonym,
    /// When the person became known.
    pub created_at: Timestamp,
    /// When the person was last noted to have done something; accesses are not noted here, see
    /// [`crate::access_index::AccessIndex::actors_since`].
    pub seen_at: Timestamp,
}

/// What a commitment is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ContextKind {
    /// Network address.
    Address,
    /// Client and its version, as it calls itself.
    Client,
    /// Machine.
    Host,
    /// Credential, by its name.
    Credential,
}

impl ContextKind {
    /// The word in the catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Client => "client",
            Self::Host => "host",
            Self::Credential => "credential",
        }
    }
}

/// A word that is no kind of context.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a kind of context: expected address, client, host or credential")]
pub struct InvalidContextKind(String);

impl FromStr for ContextKind {
    type Err = InvalidContextKind;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Address, Self::Client, Self::Host, Self::Credential]
            .into_iter()
            .find(|k| k.as_str() == text)
            .ok_or_else(|| InvalidContextKind(text.chars().take(40).collect()))
    }
}

/// A value to commit to.
#[derive(Clone, Debug)]
pub struct NewContext<'a> {
    /// Whose.
    pub pseudonym: Pseudonym,
    /// What it is about.
    pub kind: ContextKind,
    /// The value itself.
    pub value: &'a str,
    /// Random, of this value of this person alone.
    pub salt: Salt,
    /// What the ledger holds: digest of salt and value.
    pub commitment: Commitment,
}

/// A value behind a commitment.
#[derive(Clone, Debug)]
pub struct Context {
    /// Whose.
    pub pseudonym: Pseudonym,
    /// What it is about.
    pub kind: ContextKind,
    /// The value itself.
    pub value: String,
    /// Its salt.
    pub salt: Salt,
    /// What the ledger holds.
    pub commitment: Commitment,
}

/// What was deleted with a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// What the ledger goes on calling the person; goes into the entry that records the erasure.
    pub pseudonym: Pseudonym,
    /// How many values of theirs.
    pub contexts: u64,
    /// How many tokens of theirs.
    pub tokens: u64,
    /// How many other rows named the person: waivers, approvals, blocks, alarms, decisions. They go on with
    /// [`Forgotten::stand_in`] in the name's place.
    pub mentions: u64,
}

impl Forgotten {
    /// What stands where the name stood: the beginning of the pseudonym, which the ledger has whole.
    pub fn stand_in(&self) -> String {
        stand_in(&self.pseudonym)
    }
}

/// What stands where the name of a forgotten person stood.
pub fn stand_in(pseudonym: &Pseudonym) -> String {
    format!("forgotten-{:.16}", pseudonym.to_string())
}

/// People.
pub trait People: Send + Sync {
    /// The person with this principal's name.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn person(&self, principal: &str) -> Result<Option<Person>, CatalogueError>;

    /// Makes a person known unless one has that name; returns the one who is known.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn person_or_insert(&self, person: &NewPerson<'_>) -> Result<Person, CatalogueError>;

    /// The person behind a pseudonym; `None` for one who was forgotten.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn person_by_pseudonym(&self, pseudonym: &Pseudonym) -> Result<Option<Person>, CatalogueError>;

    /// The salt and commitment of a value of a person.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn context(
        &self,
        pseudonym: &Pseudonym,
        kind: ContextKind,
        value: &str,
    ) -> Result<Option<Context>, CatalogueError>;

    /// Keeps a value unless the person has it already; returns the one that is kept.
    ///
    /// # Errors
    /// [`CatalogueError`]; so is a pseudonym of nobody.
    fn context_or_insert(&self, context: &NewContext<'_>) -> Result<Context, CatalogueError>;

    /// The value behind a commitment; `None` where its person was forgotten.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn context_by_commitment(&self, commitment: &Commitment) -> Result<Option<Context>, CatalogueError>;

    /// The values behind commitments; those of people who were forgotten are not among them.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn values_of(&self, commitments: &[Commitment]) -> Result<HashMap<Commitment, String>, CatalogueError>;

    /// The names behind pseudonyms; those of people who were forgotten are not among them.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn names_of(&self, pseudonyms: &[Pseudonym]) -> Result<HashMap<Pseudonym, String>, CatalogueError>;

    /// Everybody's commitments to a value.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn contexts_of_value(&self, kind: ContextKind, value: &str) -> Result<Vec<Context>, CatalogueError>;

    /// Notes that a person did something.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn note_person_seen(&self, principal: &str, at: Timestamp) -> Result<(), CatalogueError>;

    /// Deletes a person's name, key, values, salts and tokens, and puts a stand-in where other rows named the person; a scrub is
    /// due then. `unknown` is the pseudonym of one who is named somewhere and never took anything. `None` where nothing at
    /// all names that person.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn forget_person(
        &self,
        principal: &str,
        unknown: &Pseudonym,
    ) -> Result<Option<Forgotten>, CatalogueError>;

    /// Writes every table that may name people anew and empties the write-ahead log, so that nothing of a deleted row stays
    /// in the files. False where a reader was in the way of the log; it is due still.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn scrub(&self) -> Result<bool, CatalogueError>;

    /// Whether somebody was forgotten and the files were not scrubbed since: a stop came between.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn is_scrub_due(&self) -> Result<bool, CatalogueError>;

    /// Everyone known, by name.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn people(&self) -> Result<Vec<Person>, CatalogueError>;
}
