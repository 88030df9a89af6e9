//! Editor extensions: archives with a manifest for the editor and one for the gallery.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{BuiltFile, Package, archive};

/// One file for each target platform; one for all of them where none is named.
pub(super) fn files(package: &Package) -> Vec<BuiltFile> {
    let all = [String::new()];
    let targets = if package.targets.is_empty() { &all[..] } else { &package.targets };
    targets.iter().map(|target| file(package, target)).collect()
}

fn file(package: &Package, target: &str) -> BuiltFile {
    let suffix = if is_universal(target) { String::new() } else { format!("@{target}") };
    let name = format!("{}-{}{suffix}.vsix", package.name, package.version);
    let mut files: Vec<(String, Bytes)> = vec![
        ("extension.vsixmanifest".to_owned(), vsix_manifest(package, target).into()),
        (
            "[Content_Types].xml".to_owned(),
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\".json\" ContentType=\"application/json\"/><Default Extension=\".vsixmanifest\" ContentType=\"text/xml\"/><Default Extension=\".js\" ContentType=\"application/javascript\"/><Default Extension=\".md\" ContentType=\"text/markdown\"/></Types>\n".into(),
        ),
        ("extension/package.json".to_owned(), manifest(package).to_string().into()),
        ("extension/README.md".to_owned(), readme(package).into()),
        ("extension/CHANGELOG.md".to_owned(), format!("# {}\n\nBetter.\n", package.version).into()),
        (
            "extension/extension.js".to_owned(),
            format!("exports.activate = function () {{}};\nexports.target = {target:?};\n{}", package.code).into(),
        ),
    ];
    files
        .extend(package.extra_files.iter().map(|(path, bytes)| (format!("extension/{path}"), bytes.clone())));
    BuiltFile::new(name, archive::zip(&files))
}

/// Whether a package is for every platform.
fn is_universal(target: &str) -> bool {
    matches!(target, "" | "universal")
}

/// Publisher and name.
pub(crate) fn id(package: &Package) -> (&str, &str) {
    package.name.split_once('.').expect("an extension is called `publisher.name`")
}

/// The editor's manifest.
pub(crate) fn manifest(package: &Package) -> Value {
    let (publisher, name) = id(package);
    let needs: Vec<&str> = package.dependencies.iter().map(|d| d.name.as_str()).collect();
    let mut manifest = json!({
        "name": name, "publisher": publisher, "version": package.version, "displayName": name,
        "description": "built by tidegate-testkit", "engines": { "vscode": "^1.60.0" },
        "main": "./extension.js", "activationEvents": ["onCommand:testkit.greet"],
        "contributes": { "commands": [{ "command": "testkit.greet", "title": "Greet" }] },
        "categories": ["Other"],
    });
    if let Some(licence) = &package.licence {
        manifest["license"] = json!(licence);
    }
    if !needs.is_empty() {
        manifest["extensionDependencies"] = json!(needs);
    }
    if !package.pack.is_empty() {
        manifest["extensionPack"] = json!(package.pack);
    }
    manifest
}

/// What introduces it.
pub(crate) fn readme(package: &Package) -> String {
    format!("# {}\n\nVersion {}.\n", package.name, package.version)
}

/// The gallery's manifest.
pub(crate) fn vsix_manifest(package: &Package, target: &str) -> String {
    let (publisher, name) = id(package);
    let target = if is_universal(target) { String::new() } else { format!(" TargetPlatform=\"{target}\"") };
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<PackageManifest Version=\"2.0.0\" xmlns=\"http://schemas.microsoft.com/developer/vsx-schema/2011\"><Metadata><Identity Language=\"en-US\" Id=\"{name}\" Version=\"{}\" Publisher=\"{publisher}\"{target}/><DisplayName>{name}</DisplayName><Description xml:space=\"preserve\">built by tidegate-testkit</Description></Metadata><Installation><InstallationTarget Id=\"Microsoft.VisualStudio.Code\"/></Installation><Dependencies/><Assets><Asset Type=\"Microsoft.VisualStudio.Code.Manifest\" Path=\"extension/package.json\" Addressable=\"true\"/></Assets></PackageManifest>\n",
        package.version
    )
}
