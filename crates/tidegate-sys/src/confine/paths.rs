//! Landlock: no file by its name, no TCP, no signal and no socket to anyone outside.

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, LandlockStatus, Ruleset, RulesetAttr as _, RulesetStatus, Scope,
};

/// The newest ABI whose rights are taken away. An older kernel takes away those that it knows.
const NEWEST: ABI = ABI::V9;

/// Closes every path, and what else the kernel's ABI can close. The ABI in force.
pub(super) fn close(missing: &mut Vec<String>) -> Option<u32> {
    let restricted = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(NEWEST)))
        .and_then(|rules| rules.scope(Scope::from_all(NEWEST)))
        .and_then(Ruleset::create)
        .and_then(landlock::RulesetCreated::restrict_self);
    let status = match restricted {
        Ok(status) => status,
        Err(error) => {
            missing.push(format!("landlock: {error}"));
            return None;
        }
    };
    match (status.ruleset, status.landlock) {
        (RulesetStatus::NotEnforced, _)
        | (_, LandlockStatus::NotEnabled | LandlockStatus::NotImplemented) => {
            missing.push("landlock: the kernel does not offer it".to_owned());
            None
        }
        (_, LandlockStatus::Available { effective_abi, .. }) => Some(effective_abi as u32),
        // INVARIANT: every other status is one that a newer crate adds, for a ruleset that is enforced.
        #[expect(unreachable_patterns, reason = "the enum may grow")]
        _ => Some(0),
    }
}
