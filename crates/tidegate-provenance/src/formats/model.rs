//! OpenSSF model signing, version 1: a statement in a bundle whose predicate lists the digest of every file of a model.
//!
//! Its Sigstore method is a bundle like any other. Its key method signs the same statement with a bare key and logs
//! nothing. A file that the list does not name, or that is not there, fails: a model is all of its files.

use std::collections::BTreeMap;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use sigstore_verify::types::SignatureContent;
use sigstore_verify::types::bundle::VerificationMaterialContent;
use tidegate_model::{Algorithm, Digest};

use crate::keys::KeyUsage;
use crate::requirement::{Requirement, predicate};
use crate::roots::Trust;
use crate::sigstore;
use crate::statement::{PAYLOAD_TYPE, Statement};
use crate::subject::Subject;
use crate::verification::{
    Claim, Evidence, Failure, Format, Reason, State, Verification, bounded, printable,
};

use super::{fill_key, signed_by};

/// The most files of a model.
const MAX_FILES: usize = 100_000;

#[derive(Deserialize)]
struct Predicate {
    serialization: Serialization,
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Serialization {
    method: String,
    #[serde(default)]
    ignore_paths: Vec<String>,
}

#[derive(Deserialize)]
struct Resource {
    name: String,
    algorithm: String,
    digest: String,
}

/// Checks a model's signature. `files` are all files of the model by their path within it, with `/` between the parts,
/// each with its SHA-256; the signature file itself is not one of them.
pub fn verify(
    bundle: &[u8],
    files: &BTreeMap<String, Digest>,
    requirement: &Requirement,
    trust: Trust<'_>,
) -> Verification {
    check(bundle, files, requirement, trust).unwrap_or_else(|f| f.into_verification(Format::Model))
}

fn check(
    bundle: &[u8],
    files: &BTreeMap<String, Digest>,
    requirement: &Requirement,
    trust: Trust<'_>,
) -> Result<Verification, Failure> {
    let bundle = sigstore::parse(bundle)?;
    let SignatureContent::DsseEnvelope(envelope) = &bundle.content else {
        return Err(Failure::malformed("a model's signature is over a statement"));
    };
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(Failure::malformed(format!("the envelope holds `{}`", envelope.payload_type)));
    }
    let statement = Statement::parse(envelope.payload.as_bytes())?;
    let (name, root) = statement.only_subject()?;
    let logged = !bundle.verification_material.tlog_entries.is_empty();
    let by_key = matches!(bundle.verification_material.content, VerificationMaterialContent::PublicKey(_));
    let mut found = if by_key && !logged {
        let key = signed_by(&envelope.pae(), envelope.signature.sig.as_bytes(), requirement, trust)?;
        let kind = Verification::of(Format::Model, State::Verified);
        let mut found = Verification { evidence: Evidence::SignatureOnly, ..kind };
        found.predicate_type = Some(bounded(&statement.predicate_type)?);
        found.subject_name = Some(bounded(name)?);
        found.subject_digest = Some(root.clone());
        fill_key(&mut found, key, requirement)?;
        let kinds = &requirement.predicate_types;
        if !kinds.is_empty() && !kinds.contains(&statement.predicate_type) {
            found.mismatch(Claim::PredicateType, &kinds.join("` or `"), Some(&statement.predicate_type));
        }
        found
    } else {
        // The root digest comes out of the statement, so here it binds nothing; the list of files does, below.
        let subject = Subject::new([root.clone()]).named(name);
        sigstore::verify(Format::Model, &bundle, KeyUsage::Any, &subject, requirement, trust)?
    };
    if statement.predicate_type != predicate::MODEL_SIGNATURE {
        return Err(Failure::unsupported(format!(
            "a model's signature of the kind `{}`",
            statement.predicate_type
        )));
    }
    if compare(&statement, &root, files)? > 0 {
        found.not_proven("every file of it: the signature leaves out the paths that it says it ignores");
    }
    found.not_proven("that the model is called so: its name is that of the folder it was signed in");
    Ok(found)
}

/// Holds the files against the signed list. The answer is how many lie in paths that the signature ignores.
fn compare(statement: &Statement, root: &Digest, files: &BTreeMap<String, Digest>) -> Result<usize, Failure> {
    let predicate: Predicate = serde_json::from_value(statement.predicate.clone())
        .map_err(|e| Failure::malformed(format!("the list of files cannot be read: {e}")))?;
    if predicate.serialization.method != "files" {
        let method = &predicate.serialization.method;
        return Err(Failure::unsupported(format!("the list is of `{method}`, not of files")));
    }
    if predicate.resources.len() > MAX_FILES {
        return Err(Failure::malformed(format!("more than {MAX_FILES} files")));
    }
    let mut hasher = Sha256::new();
    let mut listed = BTreeMap::new();
    for resource in &predicate.resources {
        let digest = resource.read()?;
        hasher.update(digest.as_bytes());
        if listed.insert(resource.name.as_str(), digest).is_some() {
            return Err(Failure::malformed(format!("`{}` is listed twice", printable(&resource.name))));
        }
    }
    if hasher.finalize().as_slice() != root.as_bytes() {
        return Err(Failure::invalid(
            Reason::Payload,
            "the signed root digest is not that of the list of files",
        ));
    }
    let ignored = |path: &str| predicate.serialization.ignore_paths.iter().any(|i| is_within(path, i));
    let mut left_out = 0;
    for (path, digest) in files {
        match listed.remove(path.as_str()) {
            Some(signed) if signed == *digest => {}
            Some(_) => {
                let path = printable(path);
                return Err(Failure::invalid(
                    Reason::ArtifactDigest,
                    format!("`{path}` is not the file that was signed"),
                ));
            }
            None if ignored(path) => left_out += 1,
            None => {
                let path = printable(path);
                return Err(Failure::invalid(
                    Reason::ExtraFile,
                    format!("`{path}` is not among the signed files"),
                ));
            }
        }
    }
    match listed.keys().next() {
        Some(path) => Err(Failure::invalid(
            Reason::MissingFile,
            format!("`{}` was signed and is not there", printable(path)),
        )),
        None => Ok(left_out),
    }
}

impl Resource {
    fn read(&self) -> Result<Digest, Failure> {
        if self.algorithm != "sha256" {
            let algorithm = printable(&self.algorithm);
            return Err(Failure::unsupported(format!(
                "files are listed by `{algorithm}`, which is not checked"
            )));
        }
        let relative = !self.name.is_empty() && !self.name.starts_with('/');
        if !relative || self.name.split('/').any(|part| part.is_empty() || part == ".." || part == ".") {
            return Err(Failure::malformed(format!("`{}` is no path within a model", printable(&self.name))));
        }
        Digest::from_hex(Algorithm::Sha256, &self.digest)
            .ok_or_else(|| Failure::malformed("a digest is no SHA-256"))
    }
}

/// Whether `path` is `folder` or lies in it.
fn is_within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder.trim_end_matches('/'))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ignored_folder_covers_what_lies_in_it_alone() {
        for (path, folder, expected) in [
            (".git/config", ".git", true),
            (".git", ".git", true),
            (".github/x", ".git", false),
            ("a/b/c", "a/b/", true),
            ("ab", "a", false),
        ] {
            assert_eq!(is_within(path, folder), expected, "{path} in {folder}");
        }
    }
}
