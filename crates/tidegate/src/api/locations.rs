//! `GET /locations?purl=&file=`: where an upstream keeps a file, for lock files that must not name the door.

use serde_json::json;

use super::Handled;
use super::call::Call;
use super::problem::Problem;
use super::subject;
use crate::pipeline::{denials, documents};

pub(crate) async fn locate(call: &Call) -> Handled {
    let purl = subject::read_purl(call.required("purl")?)?;
    let repository = subject::repository_of(call, purl.name.ecosystem(), call.param("repository"))?;
    // Where a file lies is no matter of policy, and a package may have thousands that would have to be decided on.
    let package = documents::load(&call.door, &repository, &purl.name)
        .await
        .map_err(|e| Problem::from(denials::of_load_error(purl.name.as_str(), &e)))?
        .package;
    let files = package.index.files();
    let wanted = call.param("file");
    let found: Vec<_> = (0..files.len())
        .filter(|i| purl.version.as_ref().is_none_or(|version| files[*i].version == *version))
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
            format!("{} lists no {shown} of {}", package.upstream.name, package.name),
            "check version and file name",
        ));
    }
    Ok(json!({
        "repository": &*repository.name, "upstream": package.upstream.name,
        "upstream_url": package.upstream.base.url.as_str(), "files": found,
    }))
}
