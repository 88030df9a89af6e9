//! The ruleset in force: policy, waivers, blocks by hand. Swapped as one, so that no decision mixes two of them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tidegate_intel::Snapshot;
use tidegate_ledger::entry::{PolicyChange, Text};
use tidegate_ledger::pseudonym::Pseudonym;
use tidegate_ledger::{Body, EntryDraft};
use tidegate_model::Timestamp;
use tidegate_model::approval::ApprovalSet;
use tidegate_policy::{Policy, PolicyErrors, WaiverSet};
use tidegate_store::catalogue::{ApprovalFilter, Catalogue, CatalogueError, WaiverFilter};

use super::{Door, TENANT};
use crate::intel::{Advisories, effects};
use crate::pipeline::decide::Ruleset;

/// Where a policy comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicySource {
    /// A pack that ships with the binary.
    Pack(String),
    /// A file.
    File(PathBuf),
}

impl std::fmt::Display for PolicySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pack(name) => write!(f, "pack {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
        }
    }
}

/// Why a ruleset cannot be put in force.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// There is no such pack.
    #[error("there is no policy pack `{0}`: the packs are baseline, strict and observe")]
    NoSuchPack(String),
    /// The file cannot be read.
    #[error("the policy file `{}` cannot be read: {source}\n  correct [policy] file in the configuration", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not a policy.
    #[error("{0}")]
    Invalid(#[from] PolicyErrors),
    /// The catalogue failed.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
}

/// Compiles a policy.
///
/// # Errors
/// [`RulesError`].
pub(super) fn compile(source: &PolicySource) -> Result<Policy, RulesError> {
    match source {
        PolicySource::Pack(name) => Policy::pack(name).ok_or_else(|| RulesError::NoSuchPack(name.clone())),
        PolicySource::File(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|source| RulesError::Unreadable { path: path.clone(), source })?;
            let compiled = Policy::compile(&text, &path.display().to_string())?;
            for warning in &compiled.warnings {
                tracing::warn!("{}: {}", warning.place, warning.what);
            }
            Ok(compiled.policy)
        }
    }
}

/// Puts a ruleset together from a policy and what the catalogue holds. Blocks.
///
/// # Errors
/// The catalogue's.
pub(super) fn assemble(
    policy: Policy,
    source: &PolicySource,
    catalogue: &dyn Catalogue,
    advisories: Advisories,
    epoch: u64,
) -> Result<Ruleset, CatalogueError> {
    let waivers = catalogue.waivers(&WaiverFilter::default())?.into_iter().map(|w| w.waiver).collect();
    let waivers = WaiverSet::new(waivers);
    let approvals = catalogue.approvals(&ApprovalFilter::default())?.into_iter().map(|a| a.approval);
    let approvals = Arc::new(ApprovalSet::new(approvals.collect()));
    let blocks = catalogue.local_blocks(false)?;
    let one_class = policy.principal_selectors() == 0 && waivers.iter().all(|w| w.principals.is_empty());
    Ok(Ruleset {
        policy,
        source: source.to_string(),
        waivers,
        approvals,
        blocks,
        advisories,
        epoch,
        one_class,
    })
}

impl Door {
    /// Reads policy, waivers and blocks again and puts them in force. What was decided before is decided anew. Blocks.
    ///
    /// # Errors
    /// [`RulesError`]; the ruleset in force stays.
    pub fn reload_rules(&self) -> Result<Arc<Ruleset>, RulesError> {
        let source = self.policy_source.lock().expect("no panic while holding it").clone();
        self.put_in_force(&source)
    }

    /// As [`Self::reload_rules`], in the name of whoever asked for it.
    ///
    /// # Errors
    /// [`RulesError`]; the ruleset in force stays.
    pub fn reload_rules_for(&self, actor: Pseudonym) -> Result<Arc<Ruleset>, RulesError> {
        let source = self.policy_source.lock().expect("no panic while holding it").clone();
        self.put_in_force_by(&source, Some(actor))
    }

    /// Puts another policy in force, in nobody's name. Blocks.
    ///
    /// # Errors
    /// [`RulesError`]; the ruleset in force stays.
    pub fn put_in_force(&self, source: &PolicySource) -> Result<Arc<Ruleset>, RulesError> {
        self.put_in_force_by(source, None)
    }

    /// Puts another policy in force; `actor` is who asked for it, where somebody did. Blocks.
    ///
    /// # Errors
    /// [`RulesError`]; the ruleset in force stays.
    pub fn put_in_force_by(
        &self,
        source: &PolicySource,
        actor: Option<Pseudonym>,
    ) -> Result<Arc<Ruleset>, RulesError> {
        let policy = compile(source)?;
        let mut held = self.policy_source.lock().expect("no panic while holding it");
        let before = self.rules();
        let advisories = before.advisories.clone();
        let rules = Arc::new(assemble(policy, source, &*self.store.catalogue, advisories, before.epoch + 1)?);
        if rules.policy.digest() != before.policy.digest() {
            self.record_policy(&rules, Some(before.policy.digest()), actor);
        }
        *held = source.clone();
        *self.rules.write().expect("no panic while holding it") = Arc::clone(&rules);
        Ok(rules)
    }

    /// Puts other advisories in force, with what is held back. What was decided before is decided anew. What that means for
    /// controls is told once it is noted how current they are: see [`Self::note_checked`]. Blocks.
    pub fn put_advisories_in_force(&self, snapshot: Arc<Snapshot>) {
        let _one_at_a_time = self.policy_source.lock().expect("no panic while holding it");
        let before = self.rules();
        // A slower thread must not bring back what a faster one replaced.
        if snapshot.generation() < before.advisories.snapshot.generation() {
            return;
        }
        let holds = effects::holds(&*self.store.catalogue).map(Arc::new).unwrap_or_else(|error| {
            tracing::error!(error = %error, "what is held back could not be read: {error}");
            Arc::clone(&before.advisories.holds)
        });
        let advisories = Advisories { snapshot, holds, ..before.advisories.clone() };
        let rules = Ruleset { advisories, epoch: before.epoch + 1, ..Ruleset::clone(&before) };
        *self.rules.write().expect("no panic while holding it") = Arc::new(rules);
    }

    /// Puts in force what is held back by now. Blocks.
    ///
    /// # Errors
    /// The catalogue's; what was in force stays.
    pub fn put_holds_in_force(&self) -> Result<(), CatalogueError> {
        let _one_at_a_time = self.policy_source.lock().expect("no panic while holding it");
        let before = self.rules();
        let holds = Arc::new(effects::holds(&*self.store.catalogue)?);
        let advisories = Advisories { holds, ..before.advisories.clone() };
        let rules = Ruleset { advisories, epoch: before.epoch + 1, ..Ruleset::clone(&before) };
        *self.rules.write().expect("no panic while holding it") = Arc::new(rules);
        Ok(())
    }

    /// Has everything decided anew: what decisions rest on has changed, though not the rules. Blocks for an instant.
    pub fn decide_anew(&self) {
        let _one_at_a_time = self.policy_source.lock().expect("no panic while holding it");
        let before = self.rules();
        let rules = Ruleset { epoch: before.epoch + 1, ..Ruleset::clone(&before) };
        *self.rules.write().expect("no panic while holding it") = Arc::new(rules);
    }

    /// Notes when each feed was last current. Decisions stand: only the time at which they have to be made again moves.
    pub fn note_checked(&self, checked: BTreeMap<String, Timestamp>) {
        let _one_at_a_time = self.policy_source.lock().expect("no panic while holding it");
        let before = self.rules();
        let advisories = Advisories { checked: Arc::new(checked), ..before.advisories.clone() };
        let rules = Ruleset { advisories, ..Ruleset::clone(&before) };
        *self.rules.write().expect("no panic while holding it") = Arc::new(rules);
        self.look_for_degradations();
    }

    /// Finds out which controls are missing or too old, for status, answers and entries.
    pub fn look_for_degradations(&self) {
        let now = self.clock.now();
        let mut found = self.rules().advisories.degradations(now);
        found.extend(self.events.degradations(now));
        found.extend(self.inspection.degradations());
        found.extend(self.tree.degradations());
        found.extend(self.cosigners.degradations());
        found.extend(crate::provenance::told::degradations(self, now));
        let lines = found.iter().map(ToString::to_string);
        *self.degraded.write().expect("no panic while holding it") = lines.map(Text::from).collect();
        super::controls::tell(self, &found);
    }

    pub(super) fn record_policy(
        &self,
        rules: &Ruleset,
        previous: Option<tidegate_model::Sha256>,
        actor: Option<Pseudonym>,
    ) {
        let change = PolicyChange {
            policy: rules.policy.digest(),
            previous,
            source: rules.source.as_str().into(),
            rules: rules.policy.rules().len() as u64,
            actor,
        };
        let entry = EntryDraft { time: self.clock.now(), tenant: TENANT.into(), body: Body::Policy(change) };
        if let Err(error) = self.recorder.append(&entry) {
            tracing::error!(error = %error, "a change of policy could not be recorded: {error}");
        }
    }
}
