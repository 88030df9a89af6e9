//! Which of several manifests is the package's own.

use std::collections::HashSet;

use super::{Component, Found, How, purl};

/// A manifest where packages have their own.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) found: Found,
    pub(super) source: &'static str,
    pub(super) path: String,
}

/// The package's own manifest and the others. Its name begins the name of the file; where none does, a manifest stands for the
/// package only if no other is of its kind: jars are merged, and then hold the poms of all parts.
pub(super) fn choose(candidates: Vec<Candidate>, file: &str) -> (Option<Candidate>, Vec<Candidate>) {
    let file = purl::python_name(file);
    let is_named = |one: &Candidate| {
        let name = purl::python_name(&one.found.name);
        file.strip_prefix(&name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    let names: HashSet<String> =
        candidates.iter().filter(|one| rank(one) == 0).map(|one| one.found.full_name()).collect();
    let best = candidates
        .iter()
        .enumerate()
        .filter(|(_, one)| is_named(one) || names.len() <= 1)
        .min_by_key(|(_, one)| (rank(one), !is_named(one), one.found.version.is_none()))
        .map(|(at, _)| at);
    let mut others = candidates;
    let own = best.map(|at| others.remove(at));
    // The same coordinate in another file is no other package. What a jar calls itself for OSGi is the jar.
    if let Some(own) = &own {
        others.retain(|one| one.found.full_name() != own.found.full_name() && one.source != "MANIFEST.MF");
    }
    (own, others)
}

/// The names of OSGi come after those of package managers, and npm's file in another's package after its own.
fn rank(candidate: &Candidate) -> u8 {
    match candidate.source {
        "MANIFEST.MF" => 2,
        "package.json" if !candidate.path.contains("package/package.json") => 1,
        _ => 0,
    }
}

/// A jar is told once: not by its name for OSGi where its pom is there too; nor is a banner where a better source is.
pub(super) fn drop_bundles_told_better(components: &mut Vec<Component>) {
    let container =
        |path: &str| path.rsplit_once("!/").map_or_else(String::new, |(outer, _)| outer.to_owned());
    let with_poms: HashSet<String> = components
        .iter()
        .filter(|one| one.path.contains("META-INF/maven/"))
        .map(|one| container(&one.path))
        .collect();
    let sure: HashSet<String> = components
        .iter()
        .filter(|one| !matches!(one.how, How::Banner | How::SourceMap))
        .filter_map(|one| one.purl.clone())
        .collect();
    components.retain(|one| {
        let is_osgi = one.path.ends_with("META-INF/MANIFEST.MF") && one.purl.is_none();
        let is_told_better =
            one.how == How::Banner && one.purl.as_ref().is_some_and(|purl| sure.contains(purl));
        !(is_osgi && with_poms.contains(&container(&one.path)) || is_told_better)
    });
}
