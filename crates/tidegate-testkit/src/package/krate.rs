//! `.crate` archives: everything below `<name>-<version>/`, with a manifest that cargo accepts.

use std::fmt::Write as _;

use bytes::Bytes;

use super::{BuiltFile, Package, archive};

/// The `.crate` file of a version.
pub(super) fn archive(package: &Package) -> BuiltFile {
    let mut files: Vec<(String, Bytes)> = vec![
        ("Cargo.toml".to_owned(), manifest(package).into()),
        (
            "src/lib.rs".to_owned(),
            format!(
                "//! Built by tidegate-testkit.\n/// The version.\npub const VERSION: &str = {:?};\n{}",
                package.version, package.code
            )
            .into(),
        ),
    ];
    if let Some(statements) = &package.install_code {
        files.push(("build.rs".to_owned(), format!("fn main() {{\n{statements}\n}}\n").into()));
    }
    files.extend(package.extra_files.iter().cloned());
    let root = format!("{}-{}", package.name, package.version);
    BuiltFile::new(format!("{root}.crate"), archive::tar_gz(&root, &files))
}

fn manifest(package: &Package) -> String {
    let mut out = format!(
        "[package]\nname = {:?}\nversion = {:?}\nedition = \"2021\"\ndescription = \"built by tidegate-testkit\"\n",
        package.name, package.version
    );
    if let Some(licence) = &package.licence {
        writeln!(out, "license = {licence:?}").expect("writing to a string does not fail");
    }
    out.push_str("\n[lib]\npath = \"src/lib.rs\"\n\n[dependencies]\n");
    for dependency in &package.dependencies {
        writeln!(out, "{} = {:?}", dependency.name, dependency.requirement)
            .expect("writing to a string does not fail");
    }
    out
}
