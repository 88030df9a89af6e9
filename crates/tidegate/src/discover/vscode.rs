//! Where editors and Open VSX's command line get their extensions.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Search, Source, SourceKind};

/// Files in which a user gives an editor another gallery, below the user's configuration folder.
const USER_PRODUCTS: [&str; 2] = ["VSCodium/product.json", "Code - OSS/product.json"];

/// What editors bring of their own, where they are installed. The terms of the last one's gallery let its own products use
/// it and no others, so it comes after those whose gallery is open.
const PRODUCTS: [&str; 11] = [
    "/usr/share/codium/resources/app/product.json",
    "/usr/lib/codium/resources/app/product.json",
    "/opt/vscodium-bin/resources/app/product.json",
    "/Applications/VSCodium.app/Contents/Resources/app/product.json",
    "/usr/lib/code-server/lib/vscode/product.json",
    "/usr/lib/node_modules/code-server/lib/vscode/product.json",
    "/usr/local/lib/node_modules/code-server/lib/vscode/product.json",
    "/usr/lib/code/product.json",
    "/usr/share/code/resources/app/product.json",
    "/opt/visual-studio-code/resources/app/product.json",
    "/Applications/Visual Studio Code.app/Contents/Resources/app/product.json",
];
/// Where those begin whose gallery is for its own products.
const LICENSED_FROM: usize = 8;

/// Looks at the variables, then at what users and editors say of their gallery, then at Open VSX's command line.
pub(crate) fn search(search: &mut Search<'_>) {
    let around = search.around;
    for name in ["OVSX_REGISTRY_URL", "VSCODE_GALLERY_SERVICE_URL"] {
        if let Some(value) = around.var(name) {
            search.offer(value, Source::new(SourceKind::Environment, name));
        }
    }
    if let Some(text) = around.var("EXTENSIONS_GALLERY") {
        let gallery = serde_json::from_str::<Value>(text).ok();
        match gallery.as_ref().and_then(|gallery| gallery.get("serviceUrl")?.as_str()) {
            Some(url) => search.offer(url, Source::new(SourceKind::Environment, "EXTENSIONS_GALLERY")),
            None => search.note("`EXTENSIONS_GALLERY` names no `serviceUrl` and is left out"),
        }
    }
    let of_user = USER_PRODUCTS.iter().filter_map(|path| Some(around.config_home()?.join(path)));
    for path in of_user.collect::<Vec<_>>() {
        product(search, &path, SourceKind::UserConfiguration);
    }
    for (at, path) in PRODUCTS.iter().enumerate() {
        let before = search.is_over();
        product(search, &around.on_machine(path), SourceKind::ClientDefault);
        if at >= LICENSED_FROM && search.is_over() && !before {
            search.note(
                "the terms of this gallery let its publisher's own products use it: whether a door may stand before it is for \
                 your licence to say",
            );
        }
    }
    if !search.is_over() {
        command_line(search);
    }
}

/// What an editor's own description says of its gallery.
fn product(search: &mut Search<'_>, path: &Path, kind: SourceKind) {
    if search.is_over() {
        return;
    }
    let Some(text) = search.around.read(path) else { return };
    let product = serde_json::from_str::<Value>(&text).ok();
    if let Some(url) = product.as_ref().and_then(|p| p.get("extensionsGallery")?.get("serviceUrl")?.as_str())
    {
        search.offer(url, Source::new(kind, path.display().to_string()));
    }
}

/// What Open VSX's command line asks by itself. It has no question for that, so its own source is read, not run.
fn command_line(search: &mut Search<'_>) {
    let around = search.around;
    let found = around.find_program("ovsx").and_then(|program| program.canonicalize().ok());
    let registry = found.as_deref().and_then(Path::parent).map(|folder| folder.join("registry.js"));
    let read = registry.and_then(|path: PathBuf| Some((around.read(&path)?, path)));
    match read.as_ref().and_then(|(text, path)| Some((default_url(text)?, path))) {
        Some((url, path)) => {
            search.offer(&url, Source::new(SourceKind::ClientDefault, path.display().to_string()));
        }
        None => search.missed(
            "no variable names a gallery, no editor with one is installed, and `ovsx` is not on `PATH` outside this project",
        ),
    }
}

/// The address in `DEFAULT_URL = '…'`.
fn default_url(source: &str) -> Option<String> {
    let lines = source.lines().filter(|line| line.contains("DEFAULT_URL"));
    lines
        .filter_map(|line| line.split_once('=').map(|(_, value)| value.trim().trim_end_matches(';').trim()))
        .filter_map(|value| value.strip_prefix(['\'', '"'])?.strip_suffix(['\'', '"']))
        .find(|value| value.contains("://"))
        .map(str::to_owned)
}
