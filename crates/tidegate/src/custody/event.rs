//! From a decision in the ledger to what is stated of it.
//!
//! What is stated depends on the entry and on what the catalogue keeps about the bytes.

use tidegate_ecosystems::oci::MAX_MANIFEST_BYTES;
use tidegate_ledger::Entry;
use tidegate_ledger::entry::DecisionMade;
use tidegate_model::coordinate::{PackageRef, package_purl};
use tidegate_model::{Digest, Sha256};
use tidegate_provenance::custody::{
    BuildLevel, Decided, Dependency, Event, EventKind, InputAttestation, Origin, PublisherSignature,
    UpstreamProvenance,
};
use tidegate_provenance::{custody::statement::PublicUri, predicate};
use tidegate_store::catalogue::{Artifact, CatalogueError};

use crate::door::Door;
use crate::provenance::Checked;

/// What ends a text that an entry had no room for.
const CUT: char = '…';

/// What a decision changes for an artifact that is here; none where it changes nothing that is stated. Blocks.
///
/// A decision that was made without the bytes (from an index) is about those that the file was last stated to be. It tells
/// that they are held or refused; that they are let go is told by the decision that was made with them.
///
/// # Errors
/// The catalogue's.
pub(super) fn event_of(
    door: &Door,
    deployment: &PublicUri,
    entry: &Entry,
    made: &DecisionMade,
) -> Result<Option<Event>, CatalogueError> {
    let catalogue = &*door.store.catalogue;
    let action = made.decision.action;
    let Some(purl) = made.purl.as_deref() else { return Ok(None) };
    let sha256 = match (made.sha256, made.file.as_deref()) {
        (Some(sha256), _) => Some(sha256),
        (None, Some(file)) if !action.serves() => catalogue.custody_of_file(purl, file, &made.repository)?,
        _ => None,
    };
    let Some(sha256) = sha256 else { return Ok(None) };
    let Some(artifact) = catalogue.artifact(&sha256)? else { return Ok(None) };
    if purl.ends_with(CUT) {
        tracing::warn!(
            entry.seq = entry.seq,
            "nothing is stated of `{purl}`: the ledger had no room for its name"
        );
        return Ok(None);
    }
    let before = catalogue.custody_action(&sha256, purl, &made.repository)?;
    let Some(kind) = EventKind::following(before, action) else { return Ok(None) };
    let previous = catalogue.custody_head(&sha256, purl)?;
    let proven = Proven::of(door, purl, made.file.as_deref())?;
    let dependency = dependency(door, deployment, made, purl, &proven);
    Ok(Some(Event {
        deployment: deployment.clone(),
        purl: purl.to_owned(),
        sha256,
        sha512: artifact.sha512.clone(),
        bytes: artifact.size,
        repository: made.repository.to_string(),
        kind,
        at: made.decided_at,
        stored_at: artifact.first_stored_at,
        origin: origin(made, &artifact),
        decided: Decided {
            id: made.id,
            action,
            enforced: made.decision.enforced,
            rules: made.decision.reasons.iter().map(|reason| plain(&reason.rule)).collect(),
            policy: made.decision.policy_digest,
        },
        record: entry.record().to_string().parse().expect("INVARIANT: both write node and number alike"),
        // A person's release or block is an entry of its own; the decision that follows it is nobody's.
        actor: None,
        attestations: proven.attestations,
        level: proven.level,
        dependency,
        previous,
    }))
}

/// The most characters of a name: each has at most four bytes, and statements take 200.
const MAX_NAME_CHARS: usize = 50;

/// A name without what statements refuse, since it could be an address with a credential.
fn plain(name: &str) -> String {
    let plain: String = name.replace("://", "_").chars().take(MAX_NAME_CHARS).collect();
    plain.replace(['@', CUT], "_").replace(char::is_control, "_")
}

fn origin(made: &DecisionMade, artifact: &Artifact) -> Origin {
    let promised: Vec<Digest> = made.promised.iter().filter_map(|text| text.parse().ok()).collect();
    let own = Digest::from(artifact.sha256);
    let contradicts = |digest: &Digest| {
        let known = [Some(&own), artifact.sha512.as_ref()];
        known.into_iter().flatten().any(|known| known.algorithm() == digest.algorithm() && known != digest)
    };
    // An index that was read later may promise other bytes, which are then not these.
    let promised = if promised.iter().any(contradicts) { Vec::new() } else { promised };
    let name = made.upstream.as_deref().map_or_else(|| "upstream".to_owned(), plain);
    Origin::Upstream { name, promised }
}

/// What was verified of what others signed.
#[derive(Default)]
struct Proven {
    checked: Option<Checked>,
    attestations: Vec<InputAttestation>,
    level: BuildLevel,
}

impl Proven {
    fn of(door: &Door, purl: &str, file: Option<&str>) -> Result<Self, CatalogueError> {
        let (Ok(package), Some(file)) = (PackageRef::parse(purl), file) else { return Ok(Self::default()) };
        let package = package_purl(&package.name);
        let catalogue = &door.store.catalogue;
        let rows = catalogue.verifications_of(&package)?;
        let Some(row) = rows.into_iter().find(|row| row.purl == purl && row.file == file) else {
            return Ok(Self::default());
        };
        let Ok(checked) = serde_json::from_str::<Checked>(&row.result) else { return Ok(Self::default()) };
        let document = catalogue.attestations(&package, purl, file)?.map(|document| digest(&document));
        let mut proven = Self::default();
        for outcome in checked.outcomes.iter().filter(|outcome| outcome.is_verified()) {
            let (Some(kind), Some(document)) = (&outcome.predicate_type, document) else { continue };
            let input = InputAttestation { sha256: document, predicate_type: kind.clone() };
            if !proven.attestations.contains(&input) {
                proven.attestations.push(input);
            }
            if predicate::PROVENANCE.contains(&kind.as_str()) {
                // The platform's own identity signed it; how the platform is built is not known here.
                let level = if outcome.builder.is_some() { BuildLevel::Two } else { BuildLevel::One };
                proven.level = proven.level.max(level);
            }
        }
        proven.checked = Some(checked);
        Ok(proven)
    }

    fn build(&self) -> Option<&InputAttestation> {
        self.attestations.iter().find(|input| predicate::PROVENANCE.contains(&input.predicate_type.as_str()))
    }

    /// Whether everything was looked for and there is nothing.
    fn nothing_is_published(&self) -> bool {
        self.checked.as_ref().is_some_and(|c| c.outcomes.is_empty() && c.unavailable.is_none())
    }

    fn publisher_signature(&self) -> PublisherSignature {
        // Only a build says who it is here, by the address of its workflow: another signer may be a person.
        let verified =
            self.checked.iter().flat_map(|checked| &checked.outcomes).filter(|outcome| outcome.is_verified());
        let builder = verified
            .filter_map(|outcome| outcome.builder.as_deref())
            .find(|builder| builder.starts_with("https://"));
        match builder {
            Some(builder) => {
                PublisherSignature::Verified { method: "sigstore".to_owned(), key_id: builder.to_owned() }
            }
            None if self.nothing_is_published() => PublisherSignature::NotPublished,
            None => PublisherSignature::NotVerified,
        }
    }

    fn upstream_provenance(&self) -> UpstreamProvenance {
        match self.build() {
            Some(input) => UpstreamProvenance::Verified(input.clone()),
            None if self.nothing_is_published() => UpstreamProvenance::NotPublished,
            None => UpstreamProvenance::NotVerified,
        }
    }
}

/// What SLSA's dependency track wants to know; none where the upstream is not configured any more.
fn dependency(
    door: &Door,
    deployment: &PublicUri,
    made: &DecisionMade,
    purl: &str,
    proven: &Proven,
) -> Option<Dependency> {
    let package = PackageRef::parse(purl).ok()?;
    let upstreams = &door.repositories.get(&*made.repository)?.upstreams;
    let upstream =
        upstreams.iter().find(|upstream| Some(upstream.name.as_str()) == made.upstream.as_deref())?;
    // The host alone: a path may hold a token.
    let registry = upstream.base.url.origin().ascii_serialization().parse().ok()?;
    let inside = url::Url::parse(deployment.as_str()).ok()?;
    let path = inside.join(&made.repository).ok().and_then(|url| url.as_str().parse().ok());
    Some(Dependency {
        ingestor: deployment.clone(),
        registry,
        name: package.name.as_str().to_owned(),
        version: package.version?.as_str().to_owned(),
        path: path.unwrap_or_else(|| deployment.clone()),
        publisher_signature: proven.publisher_signature(),
        upstream_provenance: proven.upstream_provenance(),
    })
}

/// The SHA-256 of bytes.
pub(super) fn digest(bytes: &[u8]) -> Sha256 {
    use sha2::Digest as _;
    Sha256::new(sha2::Sha256::digest(bytes).into())
}

/// The media type of an image's manifest, by its own word. Blocks.
pub(super) fn media_type(door: &Door, sha256: &Sha256) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Typed {
        #[serde(rename = "mediaType")]
        media_type: Option<String>,
    }
    let blob = door.store.blobs.open_blob(sha256).ok()??;
    if blob.size() > MAX_MANIFEST_BYTES {
        return None;
    }
    serde_json::from_slice::<Typed>(blob.bytes()).ok()?.media_type
}
