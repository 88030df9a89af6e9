//! A project's files, put together from the simple page and, where the upstream has it, the legacy JSON document.

use tidegate_model::{Algorithm, Digest, ListedFile, PackageName, Stated, Timestamp, Version};

use super::page::{Link, Page, Status, yanked};
use super::project::{Project, Release};
use super::{FORM_HTML, FORM_JSON, FORM_PROJECT_JSON, FORM_VERSION_JSON, project, render, vulnerabilities};
use crate::advice::Advise;
use crate::index::Verdicts;
use crate::signed::{AttestationDocument, AttestationForm};
use crate::upstream::MAX_API_BYTES;
use crate::{DocumentRequest, Index, IndexError, Links, Rendered, UpstreamBase, Verdict, View};

/// The index of one project.
pub(super) struct Listing {
    pub(super) package: PackageName,
    /// Where the upstream keeps its other services, where that is known.
    pub(super) root: Option<UpstreamBase>,
    /// The simple page; its `files` and `links` run in parallel.
    pub(super) page: Page,
    pub(super) project: Option<Project>,
    weight: usize,
}

impl Listing {
    pub(super) fn new(
        package: PackageName,
        root: Option<UpstreamBase>,
        mut page: Page,
        project: Option<Project>,
    ) -> Self {
        // An index that announces provenance for one file would announce it for any that has it.
        let offers_provenance = minor(page.api_version.as_deref()) >= Some(PROVENANCE_SINCE)
            || page.links.iter().any(|link| link.provenance.is_some());
        let deprecated = page.status.as_ref().and_then(deprecation);
        for (file, link) in page.files.iter_mut().zip(&mut page.links) {
            if offers_provenance {
                file.attestation = Stated::Known(link.provenance.is_some());
            }
            file.deprecated.clone_from(&deprecated);
            if let Some(project) = &project {
                if let Some(release) = project.release(file.file.as_str()) {
                    supplement(file, link, release);
                }
                if project.latest.as_ref() == Some(&file.version) {
                    file.licence = project.licence.clone();
                }
            }
        }
        let weight = weigh(&page) + project.as_ref().map_or(0, Project::weight);
        Self { package, root, page, project, weight }
    }

    /// Why a file is shown as yanked; `None` where it is not. A position without a decision is withheld.
    pub(super) fn mark(&self, position: usize, verdicts: Verdicts<'_>) -> Option<String> {
        let upstream = self.page.links[position].yanked.as_deref();
        let ours = match verdicts.get(position) {
            Some(Verdict { withheld: false, .. }) => return upstream.map(str::to_owned),
            Some(Verdict { message, .. }) if !message.is_empty() => message.as_str(),
            Some(_) => "withheld by policy",
            None => "withheld: nothing was decided about this file",
        };
        Some(match upstream {
            None => ours.to_owned(),
            Some("") => format!("{ours}; also yanked upstream"),
            Some(reason) => format!("{ours}; also yanked upstream: {reason}"),
        })
    }
}

impl Index for Listing {
    fn package(&self) -> &PackageName {
        &self.package
    }

    fn files(&self) -> &[ListedFile] {
        &self.page.files
    }

    fn render(&self, view: &View, verdicts: Verdicts<'_>, links: &Links) -> Result<Rendered, IndexError> {
        match (view.form, view.selector.as_deref()) {
            (FORM_HTML, None) => Ok(render::html(self, verdicts)),
            (FORM_JSON, None) => Ok(render::json(self, verdicts)),
            (FORM_PROJECT_JSON, None) => Ok(project::render_project(self, verdicts, links)),
            (FORM_VERSION_JSON, Some(version)) => Ok(project::render_version(self, version, verdicts, links)),
            _ => Err(IndexError::NoSuchView(view.form.to_owned())),
        }
    }

    fn tells_vulnerabilities(&self, view: &View) -> bool {
        matches!(view.form, FORM_PROJECT_JSON | FORM_VERSION_JSON)
    }

    fn render_advised(
        &self,
        view: &View,
        verdicts: Verdicts<'_>,
        links: &Links,
        advise: Option<Advise<'_>>,
    ) -> Result<Rendered, IndexError> {
        if self.tells_vulnerabilities(view) {
            Ok(vulnerabilities::render(self, view, verdicts, links, advise))
        } else {
            self.render(view, verdicts, links)
        }
    }

    fn attestations(&self, position: usize) -> Option<AttestationDocument> {
        let url = self.page.links.get(position)?.provenance.clone()?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return None;
        }
        let request = DocumentRequest::get(url, super::INTEGRITY, MAX_API_BYTES);
        Some(AttestationDocument { form: AttestationForm::Pep740, request, key: None })
    }

    fn weight(&self) -> usize {
        self.weight
    }

    fn project_published_at(&self) -> Option<Timestamp> {
        // Versions whose files are gone stay in the legacy document.
        let listed = self.page.files.iter().filter_map(|file| file.published_at).min();
        let released = self.project.as_ref().and_then(Project::first_published_at);
        listed.into_iter().chain(released).min()
    }
}

/// The minor version of PEP 629's API version that brought `provenance` (PEP 740).
const PROVENANCE_SINCE: u32 = 3;

fn minor(version: Option<&str>) -> Option<u32> {
    version?.strip_prefix("1.")?.parse().ok()
}

/// The text that policy and people read for PEP 792's statuses.
fn deprecation(status: &Status) -> Option<String> {
    if status.status == "active" {
        return None;
    }
    let said = format!("upstream marks the project as {}", status.status);
    Some(match status.reason.as_deref() {
        Some(reason) if !reason.is_empty() => format!("{said}: {reason}"),
        _ => said,
    })
}

/// Fills in what the page leaves out. What the page says stands; only a yank counts from either side.
fn supplement(file: &mut ListedFile, link: &mut Link, release: &Release) {
    if file.published_at.is_none()
        && let Some((text, time)) = &release.uploaded
    {
        file.published_at = Some(*time);
        link.upload_time = Some(text.clone());
    }
    file.size = file.size.or(release.size);
    if let Some(digest) = &release.sha256
        && !file.digests.iter().any(|digest| digest.algorithm().is_strong())
    {
        file.digests.insert(0, digest.clone());
        link.hashes.insert(0, (Algorithm::Sha256.as_str().into(), Digest::hex(digest)));
    }
    if link.requires_python.is_none() {
        link.requires_python.clone_from(&release.requires_python);
    }
    if link.yanked.is_none()
        && let Some(reason) = &release.yanked
    {
        link.yanked = Some(reason.clone());
        file.yanked = Some(yanked(reason));
    }
}

/// Roughly the heap behind a page.
fn weigh(page: &Page) -> usize {
    let pairs = |pairs: &[(String, String)]| pairs.iter().map(|(k, v)| k.len() + v.len() + 48).sum::<usize>();
    let file = |file: &ListedFile| {
        size_of::<ListedFile>()
            + file.file.as_str().len()
            + file.location.as_str().len()
            + file.digests.len() * 80
    };
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let link = |link: &Link| {
        size_of::<Link>()
            + pairs(&link.hashes)
            + link.core_metadata.as_deref().map_or(0, pairs)
            + text(&link.requires_python)
            + text(&link.yanked)
            + text(&link.upload_time)
            + link.provenance.as_ref().map_or(0, |url| url.as_str().len())
            + link.extra.len() * 128
    };
    page.files.iter().map(file).sum::<usize>()
        + page.links.iter().map(link).sum::<usize>()
        + page.versions.as_ref().map_or(0, |versions| versions.len() * 40)
        + (page.extra.len() + page.extra_meta.len()) * 256
}

/// The versions that have files, each once, oldest first.
pub(super) fn versions(files: &[ListedFile]) -> Vec<&Version> {
    let mut versions: Vec<&Version> = files.iter().map(|file| &file.version).collect();
    versions.sort();
    versions.dedup();
    versions
}
