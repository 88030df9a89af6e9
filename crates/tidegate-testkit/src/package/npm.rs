//! npm tarballs: everything below `package/`, with the manifest that also stands in the packument.

use serde_json::{Map, Value, json};

use super::{BuiltFile, Package, archive};

/// The tarball of a version and its manifest.
pub(super) fn tarball(package: &Package) -> BuiltFile {
    let manifest = manifest(package);
    let mut files = vec![
        (
            "package.json".to_owned(),
            serde_json::to_vec_pretty(&manifest).expect("a JSON value is serialisable").into(),
        ),
        ("index.js".to_owned(), format!("{}module.exports = {:?};\n", package.code, package.version).into()),
    ];
    files.extend(package.extra_files.iter().cloned());
    let base = package.name.rsplit('/').next().expect("a split has at least one part");
    let mut file =
        BuiltFile::new(format!("{base}-{}.tgz", package.version), archive::tar_gz("package", &files));
    file.manifest = manifest;
    file
}

fn manifest(package: &Package) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("name".into(), json!(package.name));
    out.insert("version".into(), json!(package.version));
    out.insert("description".into(), json!("built by tidegate-testkit"));
    out.insert("main".into(), json!("index.js"));
    if let Some(licence) = &package.licence {
        out.insert("license".into(), json!(licence));
    }
    if let Some(command) = &package.install_code {
        out.insert("scripts".into(), json!({ "install": command }));
    }
    if !package.dependencies.is_empty() {
        let needed: Map<String, Value> =
            package.dependencies.iter().map(|d| (d.name.clone(), json!(d.requirement))).collect();
        out.insert("dependencies".into(), Value::Object(needed));
    }
    out
}
