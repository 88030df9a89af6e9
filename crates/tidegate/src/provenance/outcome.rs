//! What checking one file came to, and the facts that follow.

use super::images::Offer;
use serde::{Deserialize, Serialize};
use tidegate_model::facts::{FactState, Group, ProvenanceFacts};
use tidegate_model::{Sha256, Stated, Timestamp};
use tidegate_provenance::{Evidence, Format, Reason, State, Verification, predicate};

/// The most outcomes that are kept of one file; the gravest come first.
const MAX_OUTCOMES: usize = 16;

/// Seconds after which evidence that could not be had is asked for again.
pub(super) const RETRY_SECONDS: i64 = 300;

/// What checking everything that is signed about one file came to. Kept as JSON beside the file's coordinate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Checked {
    /// One outcome for each attestation and signature.
    pub outcomes: Vec<Verification>,
    /// Why a document that the index announces could not be had, where it could not.
    pub unavailable: Option<String>,
    /// How the registry tells what is signed, of an image; of a package its index says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offer: Option<Offer>,
    /// Digest of the roots that were believed.
    pub roots: Option<Sha256>,
}

/// The version before, as far as its origin is known.
#[derive(Clone, Copy, Debug)]
pub struct Previous<'a>(pub Option<&'a Checked>);

/// The gravest first: what fails is never hidden behind what holds.
const fn gravity(state: &State) -> u8 {
    match state {
        State::Invalid { .. } => 0,
        State::Malformed => 1,
        State::PolicyMismatch { .. } => 2,
        State::StaleRoot => 3,
        State::Unsupported => 4,
        State::Verified => 5,
        State::Absent => 6,
        State::NotOffered => 7,
    }
}

impl Checked {
    /// Puts outcomes in order, gravest first, and keeps as many as fit.
    pub fn of(mut outcomes: Vec<Verification>, unavailable: Option<String>) -> Self {
        outcomes.sort_by_key(|outcome| gravity(&outcome.state));
        if outcomes.len() > MAX_OUTCOMES {
            // Neither what does not hold nor what does may push the other out.
            let (mut verified, mut others): (Vec<_>, Vec<_>) =
                outcomes.into_iter().partition(Verification::is_verified);
            others.truncate(MAX_OUTCOMES - verified.len().min(MAX_OUTCOMES / 2));
            verified.truncate(MAX_OUTCOMES - others.len());
            outcomes = others.into_iter().chain(verified).collect();
            outcomes.sort_by_key(|outcome| gravity(&outcome.state));
        }
        Self { outcomes, unavailable, roots: None, offer: None }
    }

    /// The same, with the roots that were believed.
    #[must_use]
    pub fn under(self, roots: Sha256) -> Self {
        Self { roots: Some(roots), ..self }
    }

    /// Whether it still says something. What failed under other roots may hold under these, and what could not be had a while
    /// ago may be there by now: either is as if nobody had looked, or nobody would look again. What held is looked at again
    /// when somebody asks for the file, and counts until then.
    pub fn stands(&self, checked_at: Timestamp, roots: Sha256, now: Timestamp) -> bool {
        if self.unavailable.is_some() && now.seconds_since(checked_at) >= RETRY_SECONDS {
            return false;
        }
        self.roots == Some(roots) || self.outcomes.iter().all(Verification::is_verified)
    }

    /// What is known of attestations: what the index says, and of an image how its registry answered.
    pub fn stated(&self, listed: &Stated<bool>) -> Stated<bool> {
        match self.offer {
            Some(Offer::Listed) => Stated::Known(!self.outcomes.is_empty()),
            Some(Offer::NotOffered) => Stated::NotOffered,
            None => listed.clone(),
        }
    }

    /// What says how the file was built, else who published it; only what verified.
    pub fn origin(&self) -> Option<&Verification> {
        let verified = || self.outcomes.iter().filter(|outcome| outcome.is_verified());
        verified()
            .find(|outcome| is_build(outcome))
            .or_else(|| verified().find(|outcome| outcome.source_repository.is_some()))
    }

    /// The first outcome that does not hold, with the sentence for people.
    fn failed(&self) -> Option<String> {
        let failed = self.outcomes.iter().find(|outcome| match outcome.state {
            // A registry's signature by a key that it does not list proves as much as none at all.
            State::Invalid { reason: Reason::UnknownKey } => outcome.format != Format::NpmSignature,
            State::Invalid { .. } | State::Malformed | State::PolicyMismatch { .. } => true,
            _ => false,
        })?;
        let what = what_it_is(failed);
        Some(match &failed.detail {
            Some(detail) => format!("{what}: {} ({detail})", failed.state),
            None => format!("{what}: {}", failed.state),
        })
    }

    /// The facts about the file; `stated` is what its index says of attestations.
    pub fn facts(
        &self,
        stated: &Stated<bool>,
        dropped: Option<bool>,
        previous: Previous<'_>,
    ) -> Group<ProvenanceFacts> {
        let mut facts = ProvenanceFacts { dropped, proven: self.proven(), ..ProvenanceFacts::default() };
        if let Some(reason) = self.failed() {
            (facts.status, facts.reason) = ("invalid".into(), Some(reason));
            return Group::known(facts);
        }
        if let Some(why) = &self.unavailable {
            facts.status = "offered".into();
            return Group {
                state: FactState::Error,
                why: Some(why.clone()),
                value: Some(facts),
                ..Group::default()
            };
        }
        let attested = self.outcomes.iter().filter(|o| !is_of_registry(o)).collect::<Vec<_>>();
        // Anybody may put evidence beside an image. What somebody unknown signed takes nothing from what holds.
        let outweighed =
            |o: &Verification| o.format == Format::Cosign && attested.iter().any(|o| o.is_verified());
        let stale = self.outcomes.iter().find(|o| o.state == State::StaleRoot && !outweighed(o));
        if let Some(stale) = stale {
            facts.status = "offered".into();
            let why = stale.detail.clone().unwrap_or_else(|| "the trust root is too old".into());
            return Group { state: FactState::Stale, why: Some(why), value: Some(facts), ..Group::default() };
        }
        if let Some(outcome) = attested.iter().find(|o| o.state == State::Unsupported && !outweighed(o)) {
            facts.status = "unsupported".into();
            let why = outcome.detail.clone().unwrap_or_else(|| "a form that is not known here".into());
            return Group {
                state: FactState::Unsupported,
                why: Some(why),
                value: Some(facts),
                ..Group::default()
            };
        }
        if attested.iter().any(|o| o.is_verified()) {
            facts.status = "verified".into();
            self.tell_origin(&mut facts);
            compare(&mut facts, previous);
            return Group::known(facts);
        }
        match stated {
            Stated::Known(offered) => {
                facts.status = if *offered { "offered" } else { "absent" }.into();
                Group::known(facts)
            }
            Stated::NotOffered => Group::gap(FactState::NotOffered, "the upstream offers no attestations"),
        }
    }

    fn proven(&self) -> Vec<String> {
        let mut words: Vec<String> = self
            .outcomes
            .iter()
            .filter(|outcome| outcome.is_verified())
            .filter_map(|outcome| match outcome.predicate_type.as_deref() {
                Some(_) if is_build(outcome) => Some("build"),
                Some(predicate::NPM_PUBLISH | predicate::PYPI_PUBLISH) => Some("publish"),
                _ if is_of_registry(outcome) => Some("registry"),
                _ if matches!(outcome.format, Format::Cosign | Format::Model) => Some("signature"),
                _ => None,
            })
            .map(str::to_owned)
            .collect();
        words.sort_unstable();
        words.dedup();
        words
    }

    fn tell_origin(&self, facts: &mut ProvenanceFacts) {
        let weakest = self
            .outcomes
            .iter()
            .filter(|outcome| outcome.is_verified() && !is_of_registry(outcome))
            .map(|outcome| evidence(outcome.evidence))
            .max_by_key(|(rank, _)| *rank);
        facts.evidence = weakest.map(|(_, word)| word.to_owned());
        let Some(origin) = self.origin() else { return };
        facts.builder.clone_from(&origin.builder);
        facts.source.clone_from(&origin.source_repository);
        facts.commit.clone_from(&origin.source_digest);
        facts.workflow.clone_from(&origin.workflow);
        facts.signed_at = origin.signed_at;
        facts.issuer = origin.signer.as_ref().and_then(|signer| signer.issuer.clone());
    }
}

/// Strongest first.
const fn evidence(evidence: Evidence) -> (u8, &'static str) {
    match evidence {
        Evidence::InclusionProof => (0, "inclusion_proof"),
        Evidence::TimestampOnly => (1, "timestamp"),
        Evidence::PromiseOnly => (2, "promise"),
        Evidence::SignatureOnly | Evidence::None => (3, "key"),
    }
}

/// Whether the registry signed it, which proves nothing of who built or published it.
const fn is_of_registry(outcome: &Verification) -> bool {
    matches!(outcome.format, Format::NpmSignature | Format::OpenVsx)
}

fn is_build(outcome: &Verification) -> bool {
    outcome.predicate_type.as_deref().is_some_and(|kind| predicate::PROVENANCE.contains(&kind))
}

fn what_it_is(outcome: &Verification) -> &'static str {
    match outcome.format {
        Format::NpmSignature | Format::OpenVsx => "the registry's signature",
        _ if is_build(outcome) => "build provenance",
        Format::Cosign => "what is signed about the image",
        Format::Model => "the model's signature",
        _ => "attestation",
    }
}

/// What changed since the version before, where both are proven.
fn compare(facts: &mut ProvenanceFacts, previous: Previous<'_>) {
    let Some(before) = previous.0.and_then(Checked::origin) else { return };
    if let (Some(now), Some(then)) = (&facts.source, &before.source_repository) {
        let changed = !now.eq_ignore_ascii_case(then);
        facts.source_changed = Some(changed);
        facts.source_before = changed.then(|| then.clone());
    }
    if let (Some(now), Some(then)) = (&facts.builder, &before.builder) {
        facts.builder_changed = Some(without_ref(now) != without_ref(then));
    }
}

/// A builder without the branch or tag at which its workflow stood: every release has another one.
fn without_ref(builder: &str) -> &str {
    builder.rsplit_once('@').map_or(builder, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_provenance::{Claim, Signer};

    fn build(source: &str, builder: &str) -> Verification {
        Verification {
            predicate_type: Some(predicate::SLSA_V1.to_owned()),
            source_repository: Some(source.to_owned()),
            builder: Some(builder.to_owned()),
            source_digest: Some("c0ffee".to_owned()),
            evidence: Evidence::InclusionProof,
            signer: Some(Signer { issuer: Some("https://issuer.example".into()), ..Signer::default() }),
            ..Verification::of(Format::Npm, State::Verified)
        }
    }

    fn publish() -> Verification {
        Verification {
            predicate_type: Some(predicate::NPM_PUBLISH.to_owned()),
            evidence: Evidence::PromiseOnly,
            ..Verification::of(Format::Npm, State::Verified)
        }
    }

    fn facts(outcomes: Vec<Verification>, stated: &Stated<bool>) -> Group<ProvenanceFacts> {
        Checked::of(outcomes, None).facts(stated, Some(false), Previous(None))
    }

    #[test]
    fn what_verified_is_told_with_the_weakest_evidence() {
        let group = facts(vec![publish(), build("https://git.example/a", "wf@v1")], &Stated::Known(true));
        let told = group.value.unwrap();
        assert_eq!((group.state, told.status.as_str()), (FactState::Known, "verified"));
        assert_eq!(told.proven, ["build", "publish"]);
        assert_eq!(told.evidence.as_deref(), Some("promise"));
        assert_eq!(told.source.as_deref(), Some("https://git.example/a"));
        assert_eq!((told.commit.as_deref(), told.source_changed), (Some("c0ffee"), None));
    }

    #[test]
    fn what_fails_is_never_hidden_by_what_holds() {
        let failing = [
            State::Invalid { reason: Reason::Signature },
            State::Malformed,
            State::PolicyMismatch { claim: Claim::SubjectName },
        ];
        for state in failing {
            let bad = Verification { detail: Some("why".into()), ..Verification::of(Format::Npm, state) };
            let told = facts(vec![build("s", "b"), bad], &Stated::Known(true)).value.unwrap();
            assert_eq!(told.status, "invalid", "{state}");
            assert_eq!(told.reason, Some(format!("attestation: {state} (why)")));
            assert_eq!(told.source, None, "nothing of a file that fails is told as proven");
        }
    }

    #[test]
    fn what_failed_under_other_roots_or_could_not_be_had_is_looked_at_again() {
        let (at, roots, others) =
            (Timestamp::from_unix_seconds(0), Sha256::new([1; 32]), Sha256::new([2; 32]));
        let failing = Verification::of(Format::Npm, State::Invalid { reason: Reason::Signature });
        let failed = Checked::of(vec![build("s", "b"), failing], None).under(roots);
        assert!(failed.stands(at, roots, at.plus_seconds(86_400)));
        assert!(!failed.stands(at, others, at));
        assert!(Checked::of(vec![build("s", "b")], None).under(roots).stands(at, others, at));
        let gap = Checked::of(vec![], Some("it did not answer".into())).under(roots);
        assert!(gap.stands(at, roots, at.plus_seconds(RETRY_SECONDS - 1)));
        assert!(!gap.stands(at, roots, at.plus_seconds(RETRY_SECONDS)));
    }

    #[test]
    fn a_registrys_signature_is_no_attestation() {
        let signed = Verification::of(Format::NpmSignature, State::Verified);
        let told = facts(vec![signed.clone()], &Stated::Known(false)).value.unwrap();
        assert_eq!(
            (told.status.as_str(), told.proven.as_slice()),
            ("absent", ["registry".to_owned()].as_slice())
        );
        assert_eq!(facts(vec![signed], &Stated::NotOffered).state, FactState::NotOffered);
        let forged = Verification::of(Format::NpmSignature, State::Invalid { reason: Reason::Signature });
        assert_eq!(facts(vec![forged], &Stated::NotOffered).value.unwrap().status, "invalid");
        let rotated = Verification::of(Format::NpmSignature, State::Invalid { reason: Reason::UnknownKey });
        let told = facts(vec![rotated], &Stated::Known(false)).value.unwrap();
        assert_eq!((told.status.as_str(), told.proven.len()), ("absent", 0));
    }

    #[test]
    fn what_could_not_be_had_is_a_gap_and_not_clean() {
        let checked = Checked::of(vec![], Some("upstream answered 500".into()));
        let group = checked.facts(&Stated::Known(true), None, Previous(None));
        assert_eq!((group.state, group.value.unwrap().status.as_str()), (FactState::Error, "offered"));
        let stale = facts(vec![Verification::of(Format::Npm, State::StaleRoot)], &Stated::Known(true));
        assert_eq!(stale.state, FactState::Stale);
        let odd = facts(vec![Verification::of(Format::Npm, State::Unsupported)], &Stated::Known(true));
        assert_eq!((odd.state, odd.value.unwrap().status.as_str()), (FactState::Unsupported, "unsupported"));
    }

    #[test]
    fn another_source_or_builder_than_before_shows_and_a_new_tag_does_not() {
        let before =
            Checked::of(vec![build("https://git.example/A", "https://git.example/wf@refs/tags/v1")], None);
        let told = |source: &str, builder: &str| {
            let now = Checked::of(vec![build(source, builder)], None);
            now.facts(&Stated::Known(true), None, Previous(Some(&before))).value.unwrap()
        };
        let same = told("https://git.example/a", "https://git.example/wf@refs/tags/v2");
        assert_eq!((same.source_changed, same.builder_changed), (Some(false), Some(false)));
        let moved = told("https://git.example/evil", "https://git.example/other@refs/tags/v2");
        assert_eq!((moved.source_changed, moved.builder_changed), (Some(true), Some(true)));
        assert_eq!(moved.source_before.as_deref(), Some("https://git.example/A"));
    }
}
