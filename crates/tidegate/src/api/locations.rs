//! `GET /locations?purl=&file=`: where an upstream keeps a file, for lock files that must not name the door.

use serde_json::json;

use super::Handled;
use super::call::Call;
use super::problem::Problem;
use super::subject::{self, Asker};

pub(crate) async fn locate(call: &Call) -> Handled {
    let purl = subject::read_purl(call.required("purl")?)?;
    let repository = subject::repository_of(call, purl.name.ecosystem(), call.param("repository"))?;
    let subject = subject::load(&call.door, &repository, &purl.name, &Asker::from(&call.actor)).await?;
    let files = subject.package.index.files();
    let positions = match &purl.version {
        Some(version) => subject.files_of(version),
        None => (0..files.len()).collect(),
    };
    let wanted = call.param("file");
    let found: Vec<_> = positions
        .into_iter()
        .filter(|i| wanted.is_none_or(|file| files[*i].file.as_str() == file))
        .map(|i| {
            let mut url = files[i].location.clone();
            // Never a way for credentials to leave.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            json!({
                "version": files[i].version.as_str(), "file": files[i].file.as_str(), "url": url.as_str(),
                "digests": files[i].digests,
            })
        })
        .collect();
    if found.is_empty() {
        let what = wanted.or(purl.version.as_ref().map(|v| v.as_str())).unwrap_or_default();
        let shown = what.escape_debug();
        return Err(Problem::not_found(
            format!("{} lists no {shown} of {}", subject.package.upstream.name, subject.package.name),
            "check version and file name",
        ));
    }
    Ok(json!({
        "repository": &*repository.name, "upstream": subject.package.upstream.name,
        "upstream_url": subject.package.upstream.base.url.as_str(), "files": found,
    }))
}
