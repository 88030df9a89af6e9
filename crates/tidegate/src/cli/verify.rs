//! `tidegate verify`: what is signed about a file or a package: what, by whom, built where, from which commit, and what of it
//! is not proven.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use tidegate_model::Digest;
use tidegate_provenance::{Instance, Origin, Requirement, Root, Roots, predicate};

use super::show::{Ask, FAINT, STRONG, safe, styled};
use super::{Failure, Outcome, print};
use crate::clock::Clock;

mod artifact;
mod attestation;
mod custody;
mod judge;
mod keys;
mod stored;
mod told;

use artifact::{Artifact, bounded};
use attestation::Attestation;
use judge::Judge;
use keys::Keys;
use told::{Told, conclusion, status};

/// The most bytes of a trust root.
const MAX_ROOT_BYTES: u64 = 1 << 20;
/// Wrong usage.
const USAGE: u8 = 2;

/// Say what is signed about a file or a package: what, by whom, built where, from which commit, and what is not proven.
///
/// A file is checked here, without a network: its attestation (npm, PEP 740, Sigstore and cosign bundles, statements of a door,
/// OpenPGP, signed notes, models, Open VSX) is recognised by its content. Of a package URL the door is asked what it stored. Ends
/// with 0 if all of it holds and what was demanded is met, 4 if something does not hold or is not what was demanded, 3 if
/// something is not proven; 1 a failure of our own, 2 wrong usage.
#[derive(Debug, Args)]
pub struct Verify {
    /// A file, the folder of a model, or a package URL such as `pkg:npm/left-pad@1.3.0`.
    #[arg(value_name = "FILE|DIR|PURL", required_unless_present = "digest", conflicts_with = "digest")]
    pub subject: Option<String>,
    /// Instead of a file: its digest, such as `sha512:…`. May be given once for each algorithm.
    #[arg(long, value_name = "ALGORITHM:HEX", requires = "attestation")]
    pub digest: Vec<Digest>,
    /// What is signed about it. Else looked for beside the file, under the usual names.
    #[arg(long, value_name = "FILE")]
    pub attestation: Vec<PathBuf>,
    /// A key that is expected: PEM, armoured OpenPGP keys, a registry's list of keys, or the key of a checksum database.
    #[arg(long, value_name = "FILE")]
    pub key: Vec<PathBuf>,
    /// The trust root (`trusted_root.json`) of the instance, instead of the one that is compiled in.
    #[arg(long, value_name = "FILE")]
    pub root: Option<PathBuf>,
    /// The Sigstore instance that has to vouch: `public-good` (unless told otherwise), `github`, `staging`, or an own one with --root.
    #[arg(long, value_name = "NAME")]
    pub instance: Option<String>,
    /// Demand this OIDC issuer, exactly.
    #[arg(long, value_name = "URL")]
    pub issuer: Option<String>,
    /// Demand this source repository, exactly: `https://github.com/owner/name`.
    #[arg(long, value_name = "URL")]
    pub source: Option<String>,
    /// Demand this workflow, exactly: `.github/workflows/release.yml`.
    #[arg(long, value_name = "PATH")]
    pub workflow: Option<String>,
    /// Demand a statement of this type; `provenance` is any version of SLSA's.
    #[arg(long, value_name = "TYPE")]
    pub predicate: Option<String>,
    /// Demand that it was signed under this name: a package URL, `name@version` of npm, a file's name.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    #[command(flatten)]
    ask: Ask,
}

impl Verify {
    /// Runs it.
    ///
    /// # Errors
    /// A file cannot be read, or there is no door to ask.
    pub fn run(self) -> Outcome {
        if let Some(wrong) = self.wrong_usage() {
            anstream::eprintln!("tidegate: {wrong}");
            return Ok(ExitCode::from(USAGE));
        }
        match &self.subject {
            Some(purl) if purl.starts_with("pkg:") => Ok(ExitCode::from(stored::run(&self.ask, purl)?)),
            _ => self.of_file(),
        }
    }

    /// What is wrong with the way it was called.
    fn wrong_usage(&self) -> Option<String> {
        let of_files = !self.attestation.is_empty() || !self.key.is_empty() || self.root.is_some();
        let demands =
            [&self.instance, &self.issuer, &self.source, &self.workflow, &self.predicate, &self.name];
        let is_purl = self.subject.as_ref().is_some_and(|subject| subject.starts_with("pkg:"));
        if is_purl && (of_files || demands.into_iter().any(Option::is_some)) {
            return Some(
                "of a package URL the door tells what it stored: files, keys and demands go with a FILE"
                    .into(),
            );
        }
        if let Some(weak) = self.digest.iter().find(|digest| !digest.algorithm().is_strong()) {
            return Some(format!("`{weak}` proves nothing: give a SHA-256, SHA-384 or SHA-512"));
        }
        let instance = self.instance.as_deref().map(Instance::named);
        match instance {
            Some(Instance::Own(name)) if self.root.is_none() => Some(format!(
                "no trust root of the instance `{name}` is compiled in (there are public-good, github and staging): give its own by --root FILE"
            )),
            _ => None,
        }
    }

    fn of_file(&self) -> Outcome {
        let now = Clock::system().now();
        let mut keys = Keys::default();
        for path in &self.key {
            keys.read(path)?;
        }
        let (roots, instance) = self.roots()?;
        let requirement = self.requirement(instance);
        let (places, found_beside) = self.places();
        let artifact = match &self.subject {
            Some(given) => Artifact::read(given, &places)?,
            None => Artifact::of_digests(self.digest.clone()),
        };
        let mut attestations = Vec::new();
        for place in &places {
            attestations.extend(attestation::read(place)?);
        }
        if let Some(path) = artifact.path.as_deref().filter(|path| places.is_empty() && path.is_file()) {
            attestations.extend(attestation::signed_within(path)?);
        }
        // Package URLs are signed with the `@` of a scope encoded, and typed without.
        let name = self.name.as_ref().map(|name| match name.starts_with("pkg:") {
            true => name.replacen("/@", "/%40", 1),
            false => name.clone(),
        });
        let name = name.as_deref();
        let judge =
            Judge { artifact: &artifact, keys: &keys, roots: &roots, requirement: &requirement, name, now };
        let mut all = judge.all(&attestations);
        if all.is_empty() {
            all.push(absent(&artifact));
        }
        if self.ask.json {
            self.lines(&artifact, &all)?;
        } else {
            print(&self.readable(&artifact, &keys, &attestations, found_beside, &all))?;
        }
        Ok(ExitCode::from(status(&all)))
    }

    /// Where attestations lie, and whether we found them ourselves.
    fn places(&self) -> (Vec<PathBuf>, bool) {
        match &self.subject {
            Some(given) if self.attestation.is_empty() => {
                let usual = attestation::places(Path::new(given));
                (usual.into_iter().filter(|place| place.is_file()).collect(), true)
            }
            _ => (self.attestation.clone(), false),
        }
    }

    /// The roots to believe, and the instance that has to vouch.
    fn roots(&self) -> Result<(Roots, Instance), Failure> {
        let named = self.instance.as_deref().map(Instance::named);
        let Some(path) = &self.root else {
            let instance = named.unwrap_or_default();
            let staging =
                (instance == Instance::Staging).then(|| Root::embedded(Instance::Staging)).flatten();
            let roots = staging.into_iter().fold(Roots::embedded(), Roots::with);
            return Ok((roots, instance));
        };
        let shown = path.display();
        let odd = |why: String| {
            Failure(format!(
                "the trust root `{shown}` cannot be used: {why}\n  give a trusted_root.json as the Sigstore instance publishes it"
            ))
        };
        let bytes =
            bounded(path, MAX_ROOT_BYTES)?.ok_or_else(|| odd("it is larger than any real one".into()))?;
        let text = String::from_utf8(bytes).map_err(|_| odd("it is no text".into()))?;
        let instance = named.unwrap_or_else(|| Instance::Own("own".to_owned()));
        let root = Root::from_json(instance.clone(), &text, Origin::Configured, None, Clock::system().now());
        Ok((Roots::embedded().with(root.map_err(|e| odd(Failure::from(e).0))?), instance))
    }

    fn requirement(&self, instance: Instance) -> Requirement {
        let predicate_types = match self.predicate.as_deref() {
            Some("provenance") => predicate::PROVENANCE.map(str::to_owned).to_vec(),
            Some(kind) => vec![kind.to_owned()],
            None => Vec::new(),
        };
        Requirement {
            instance,
            issuer: self.issuer.clone(),
            source_repository: self.source.clone(),
            workflow: self.workflow.clone(),
            predicate_types,
            ..Requirement::default()
        }
    }

    fn lines(&self, artifact: &Artifact, all: &[Told]) -> Result<(), Failure> {
        let mut out = String::new();
        for told in all {
            let mut line = told.json.clone();
            line["subject"] = artifact.shown.clone().into();
            line["digests"] = json!(artifact.digests);
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{line}");
        }
        print(&out)
    }

    fn readable(
        &self,
        artifact: &Artifact,
        keys: &Keys,
        attestations: &[Attestation],
        found_beside: bool,
        all: &[Told],
    ) -> String {
        let mut out = format!("{}\n", styled(STRONG, &safe(&artifact.shown)));
        let mut line = |text: &str| {
            let _ = writeln!(out, "  {}", styled(FAINT, &safe(text)));
        };
        if let (Some(digest), Some(_)) = (artifact.digests.first(), &artifact.path) {
            line(&digest.to_string());
        }
        if let Some(files) = &artifact.files {
            line(&format!("{} files", files.len()));
        }
        if found_beside && !attestations.is_empty() {
            let mut names: Vec<String> =
                attestations.iter().map(|one| one.path.display().to_string()).collect();
            names.dedup();
            let within = artifact.path.as_deref() == Some(attestations[0].path.as_path());
            let found = if within {
                "signed in itself".to_owned()
            } else {
                format!("beside it: {}", names.join(", "))
            };
            line(&found);
        }
        keys.shown.iter().for_each(|key| line(&format!("key: {key}")));
        all.iter().for_each(|told| out.push_str(&told.readable()));
        out.push_str(&conclusion(all));
        out
    }
}

/// Nothing is there to check.
fn absent(artifact: &Artifact) -> Told {
    let looked = artifact.path.as_deref().map(attestation::places).unwrap_or_default();
    let names: Vec<String> =
        looked.iter().filter_map(|place| Some(place.file_name()?.to_string_lossy().into_owned())).collect();
    let why = format!(
        "nothing signed lies beside it (looked for {}): give it by --attestation FILE",
        names.join(", ")
    );
    Told::nothing("beside the file", "nothing", "absent", why)
}
