//! Approvals: entries of the lists of what an organisation lets in by name, with an owner, a reason and an end.
//!
//! An approval opens nothing by itself: it is a fact that rules read. What is approved is looked into and decided on like
//! everything else, and an advisory or a finding refuses it in spite of it.

use std::collections::HashMap;

use crate::waiver::WaiverState;
use crate::{Sha256, Timestamp};

/// One approval: of what exactly, by whom, until when.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Its id, for example `A-7F3K2A`.
    pub id: String,
    /// Package URL with its version or commit; without one only together with a digest.
    pub purl: String,
    /// Only for these bytes.
    #[serde(default)]
    pub digest: Option<Sha256>,
    /// Only in these repositories; empty means all.
    #[serde(default)]
    pub repositories: Vec<String>,
    /// Who asked.
    pub requested_by: String,
    /// Who approved.
    #[serde(default)]
    pub approved_by: Vec<String>,
    /// Where it stands; the words are those of an exception.
    #[serde(default)]
    pub state: WaiverState,
    /// When it was asked for.
    pub created_at: Option<Timestamp>,
    /// Not valid from then on; compulsory.
    pub expires_at: Option<Timestamp>,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// Ticket that tracks it.
    #[serde(default)]
    pub ticket: Option<String>,
}

impl Approval {
    /// Whether it is in force at `now`.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.state == WaiverState::Approved && self.expires_at.is_some_and(|end| now < end)
    }
}

/// What approvals say of one artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing<'a> {
    /// It is approved, by this one: of those that cover it the one that lasts longest.
    Approved(&'a Approval),
    /// It is approved if its bytes are those of this one; they are not here yet.
    ByBytes(&'a Approval),
    /// Nothing covers it.
    Not,
}

/// Approvals by what they are about.
#[derive(Clone, Debug, Default)]
pub struct ApprovalSet {
    by_purl: HashMap<String, Vec<Approval>>,
}

impl ApprovalSet {
    /// From approvals in any state.
    pub fn new(approvals: Vec<Approval>) -> Self {
        let mut by_purl: HashMap<String, Vec<Approval>> = HashMap::new();
        for approval in approvals {
            by_purl.entry(approval.purl.clone()).or_default().push(approval);
        }
        Self { by_purl }
    }

    /// How an artifact stands at `now`: its package URL with version, the same without, its digest where the bytes are here, and
    /// the repository it is asked through.
    pub fn standing(
        &self,
        (purl, package): (&str, &str),
        sha256: Option<Sha256>,
        repository: &str,
        now: Timestamp,
    ) -> Standing<'_> {
        let of = |purl: &str| self.by_purl.get(purl).into_iter().flatten();
        let here = |approval: &&Approval| {
            approval.repositories.is_empty() || approval.repositories.iter().any(|name| name == repository)
        };
        // An approval of a package as a whole is none: without a version it is about bytes.
        let without_version = of(package).filter(|approval| approval.digest.is_some());
        let covering = of(purl).chain(without_version).filter(|approval| approval.is_valid(now)).filter(here);
        let mut standing = Standing::Not;
        for approval in covering {
            let lasts_longer = |than: &Approval| approval.expires_at > than.expires_at;
            match (approval.digest, sha256, standing) {
                (Some(digest), Some(bytes), _) if digest != bytes => {}
                (Some(_), None, Standing::Not) => standing = Standing::ByBytes(approval),
                (Some(_), None, _) => {}
                (_, _, Standing::Approved(known)) if !lasts_longer(known) => {}
                _ => standing = Standing::Approved(approval),
            }
        }
        standing
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_purl.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PURL: &str = "pkg:huggingface/acme/tiny@0123456789012345678901234567890123456789";
    const PACKAGE: &str = "pkg:huggingface/acme/tiny";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    fn approval(id: &str, purl: &str, end: i64) -> Approval {
        Approval {
            id: id.into(),
            purl: purl.into(),
            state: WaiverState::Approved,
            expires_at: Some(at(end)),
            ..Approval::default()
        }
    }

    fn standing(set: &ApprovalSet, sha256: Option<Sha256>, now: i64) -> Option<&str> {
        match set.standing((PURL, PACKAGE), sha256, "huggingface", at(now)) {
            Standing::Approved(approval) => Some(&approval.id),
            Standing::ByBytes(_) => Some("by bytes"),
            Standing::Not => None,
        }
    }

    #[test]
    fn a_version_is_approved_until_the_end_and_no_longer() {
        let set = ApprovalSet::new(vec![approval("A-1", PURL, 100), approval("A-2", PURL, 200)]);
        assert_eq!(standing(&set, None, 0), Some("A-2"));
        assert_eq!(standing(&set, None, 199), Some("A-2"));
        assert_eq!(standing(&set, None, 200), None);
    }

    #[test]
    fn an_approval_of_bytes_is_of_those_bytes() {
        let (these, others) = (Sha256::new([1; 32]), Sha256::new([2; 32]));
        for purl in [PURL, PACKAGE] {
            let of_bytes = Approval { digest: Some(these), ..approval("A-1", purl, 100) };
            let set = ApprovalSet::new(vec![of_bytes]);
            assert_eq!(standing(&set, Some(these), 0), Some("A-1"));
            assert_eq!(standing(&set, Some(others), 0), None);
            assert_eq!(standing(&set, None, 0), Some("by bytes"));
        }
    }

    #[test]
    fn what_is_asked_for_taken_back_elsewhere_or_of_every_version_approves_nothing() {
        for not in [
            Approval { state: WaiverState::Requested, ..approval("A-1", PURL, 100) },
            Approval { state: WaiverState::Revoked, ..approval("A-1", PURL, 100) },
            Approval { repositories: vec!["other".into()], ..approval("A-1", PURL, 100) },
            Approval { expires_at: None, ..approval("A-1", PURL, 100) },
            approval("A-1", PACKAGE, 100),
        ] {
            let set = ApprovalSet::new(vec![not.clone()]);
            assert_eq!(standing(&set, None, 0), None, "{not:?}");
        }
        let here = Approval { repositories: vec!["huggingface".into()], ..approval("A-1", PURL, 100) };
        assert_eq!(standing(&ApprovalSet::new(vec![here]), None, 0), Some("A-1"));
    }
}
