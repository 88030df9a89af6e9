//! What a signing certificate claims of its build, in the extensions that Fulcio gives it (1.3.6.1.4.1.57264.1).

use sigstore_verify::crypto::{CertificateInfo, FulcioCiClaims};

use crate::requirement::Requirement;
use crate::verification::{Failure, Signer, Verification, bounded};

/// The issuer whose certificates carried only the deprecated claims until 2023.
const GITHUB_ACTIONS: &str = "https://token.actions.githubusercontent.com";

/// Writes the certificate's claims into `verification`. The builder is the certificate's identity (with a reusable
/// workflow: another repository's), the source is what its own claim names.
///
/// # Errors
/// If a claim is longer than any honest one.
pub(super) fn fill(
    verification: &mut Verification,
    certificate: &CertificateInfo,
    requirement: &Requirement,
) -> Result<(), Failure> {
    let identity = claim(certificate.identity.as_ref().map(|i| i.as_str()))?;
    let issuer = claim(certificate.issuer.as_deref())?;
    let claims = &certificate.ci_claims;
    verification.builder = claim(claims.build_signer_uri.as_deref())?.or_else(|| identity.clone());
    verification.run = claim(claims.run_invocation_uri.as_deref())?;
    verification.runner_environment = claim(claims.runner_environment.as_deref())?;
    if claims.source_repository_uri.is_some() {
        verification.source_repository = claim(claims.source_repository_uri.as_deref())?;
        verification.source_digest = claim(claims.source_repository_digest.as_deref())?;
        verification.source_ref = claim(claims.source_repository_ref.as_deref())?;
        verification.trigger = claim(claims.build_trigger.as_deref())?;
        verification.workflow = workflow(claims);
    } else if issuer.as_deref() == Some(GITHUB_ACTIONS) {
        // A certificate of today without the current claims is not one of that issuer's as we know them.
        if verification.signed_at.is_some_and(|at| at < requirement.proof_required_from) {
            fill_deprecated(verification, claims, identity.as_deref())?;
        }
    }
    if claims.is_empty() {
        verification.builder = None;
    }
    verification.signer = Some(Signer { issuer, identity, key_id: None });
    Ok(())
}

fn fill_deprecated(
    verification: &mut Verification,
    claims: &FulcioCiClaims,
    identity: Option<&str>,
) -> Result<(), Failure> {
    let old = &claims.deprecated_github;
    let Some(repository) = claim(old.workflow_repository.as_deref())? else { return Ok(()) };
    let repository = format!("https://github.com/{repository}");
    verification.source_digest = claim(old.workflow_sha.as_deref())?;
    verification.source_ref = claim(old.workflow_ref.as_deref())?;
    verification.trigger = claim(old.workflow_trigger.as_deref())?;
    verification.workflow =
        identity.and_then(|uri| path_within(uri, &repository, old.workflow_ref.as_deref()));
    verification.source_repository = Some(repository);
    Ok(())
}

fn claim(text: Option<&str>) -> Result<Option<String>, Failure> {
    text.map(bounded).transpose()
}

fn workflow(claims: &FulcioCiClaims) -> Option<String> {
    let (uri, repository) = (claims.build_config_uri.as_deref()?, claims.source_repository_uri.as_deref()?);
    path_within(uri, repository, claims.source_repository_ref.as_deref())
}

/// The path in `<repository>/<path>@<ref>`. A ref may hold an `@` of its own (`refs/tags/@scope/name@1.0.0`), so it is
/// cut off whole where it is known.
fn path_within(uri: &str, repository: &str, git_ref: Option<&str>) -> Option<String> {
    let rest = uri.strip_prefix(repository)?.strip_prefix('/')?.trim_start_matches('/');
    let known = git_ref.and_then(|r| rest.strip_suffix(r)?.strip_suffix('@'));
    let path = known.or_else(|| rest.split_once("@refs/").map(|(path, _)| path));
    let path = path.or_else(|| rest.split_once('@').map(|(path, _)| path)).unwrap_or(rest);
    (!path.is_empty()).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workflow_is_a_path_within_its_repository() {
        let check = |uri: &str, git_ref: Option<&str>, expected: Option<&str>| {
            assert_eq!(path_within(uri, "https://github.com/o/r", git_ref).as_deref(), expected, "{uri}");
        };
        let ours = "https://github.com/o/r/.github/workflows/a.yml@refs/tags/@s/p@1.0.0";
        check(ours, Some("refs/tags/@s/p@1.0.0"), Some(".github/workflows/a.yml"));
        check(ours, None, Some(".github/workflows/a.yml"));
        check("https://github.com/o/r//.gitlab-ci.yml@refs/heads/main", None, Some(".gitlab-ci.yml"));
        check(
            "https://github.com/o/r/.github/workflows/a.yml@0123abc",
            None,
            Some(".github/workflows/a.yml"),
        );
        // A repository whose name only begins alike, and another's workflow.
        check("https://github.com/o/r2/.github/workflows/a.yml@refs/heads/main", None, None);
        check("https://github.com/x/r/.github/workflows/a.yml@refs/heads/main", None, None);
        check("https://github.com/o/r/@refs/heads/main", None, None);
    }
}
