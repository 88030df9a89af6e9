//! What an extension brings along: the members of a pack, and what it needs.
//!
//! Each of them is decided on by itself when it is asked for. Here it is asked beforehand whether any of its versions may be had,
//! so that the one that brings it can be judged by that, before an editor begins to install it. What cannot be told in time
//! counts as nothing: whoever asks for it learns then.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tidegate_model::facts::{ExtensionFacts, Group};
use tidegate_model::{Action, Ecosystem, PackageName, Principal, Timestamp};
use tokio::task::JoinSet;

use super::decide::{Ruleset, decide_all};
use super::documents;
use super::facts::{LocalState, Question};
use super::package::Package;
use crate::door::{Door, Repository};

/// The most packages that are looked at for one that brings them.
const MAX_BROUGHT: usize = 64;
/// How many of them are loaded at a time, and how long all of them may take.
const AT_A_TIME: usize = 8;
const PATIENCE: Duration = Duration::from_secs(5);

/// What may be had of packages that others bring along.
pub type Brought = HashMap<PackageName, Member>;

/// What may be had of one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Member {
    /// Some version.
    Offered,
    /// None now.
    Refused,
    /// None, and every one is blocked.
    Blocked,
}

/// Every package that some version brings along.
fn members(package: &Package) -> BTreeSet<PackageName> {
    let positions = 0..package.index.files().len();
    let all = positions.flat_map(|at| package.index.brings(at)).filter(|name| **name != package.name);
    let mut members = BTreeSet::new();
    for name in all {
        if members.len() == MAX_BROUGHT {
            break;
        }
        if !members.contains(name) {
            members.insert(name.clone());
        }
    }
    members
}

/// Sees to it that the indexes of what a package brings along are here, as far as that can be done soon.
pub(super) async fn load(door: &Arc<Door>, repository: &Arc<Repository>, package: &Package) {
    let mut waiting = members(package).into_iter();
    let loading = async {
        let mut running: JoinSet<()> = JoinSet::new();
        loop {
            while running.len() < AT_A_TIME
                && let Some(name) = waiting.next()
            {
                let (door, repository) = (Arc::clone(door), Arc::clone(repository));
                running.spawn(async move {
                    if let Err(error) = documents::load(&door, &repository, &name).await {
                        tracing::debug!(error = %error, "{name}, which another brings along, could not be had: {error}");
                    }
                });
            }
            if running.join_next().await.is_none() {
                break;
            }
        }
    };
    let _in_time = tokio::time::timeout(PATIENCE, loading).await;
}

/// What may be had of what a package brings along, for somebody, by what is in memory. Blocks.
///
/// # Errors
/// The catalogue's, as text.
pub(super) fn judge(
    door: &Door,
    repository: &Repository,
    package: &Package,
    rules: &Ruleset,
    (principal, client): (&Principal, Option<&str>),
    now: Timestamp,
) -> Result<Brought, String> {
    let mut brought = Brought::new();
    for name in members(package) {
        let key = (Arc::clone(&repository.name), name);
        let Some(member) = door.caches.packages.get(&key) else { continue };
        let local = LocalState::read(door, &member).map_err(|e| format!("{e}: {}", e.cause))?;
        let question = Question {
            repository,
            package: &member,
            position: 0,
            local: &local,
            blocks: &rules.blocks,
            approvals: &rules.approvals,
            advisories: &rules.advisories,
            principal,
            client,
            operation: "index",
            bytes: None,
        };
        let decisions = decide_all(rules, &question, now);
        let state = if decisions.iter().any(|d| d.serves()) || decisions.is_empty() {
            Member::Offered
        } else if decisions.iter().all(|d| d.action == Action::Block) {
            Member::Blocked
        } else {
            Member::Refused
        };
        brought.insert(key.1, state);
    }
    Ok(brought)
}

/// What is said of an extension because of what it brings along.
pub(super) fn facts(package: &Package, position: usize, brought: &Brought) -> Group<ExtensionFacts> {
    if package.name.ecosystem() != Ecosystem::Vscode {
        return super::facts::not_applicable();
    }
    let members = package.index.brings(position);
    let of = |wanted: &[Member]| -> Vec<String> {
        let is = |name: &&PackageName| brought.get(*name).is_some_and(|state| wanted.contains(state));
        members.iter().filter(is).map(ToString::to_string).collect()
    };
    Group::known(ExtensionFacts {
        brings: members.iter().map(ToString::to_string).collect(),
        refused: of(&[Member::Refused, Member::Blocked]),
        blocked: of(&[Member::Blocked]),
        ..ExtensionFacts::default()
    })
}
