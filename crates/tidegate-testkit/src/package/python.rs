//! Wheels (PEP 427) and source distributions (PEP 517) that need nothing but the standard library to build.

use std::fmt::Write as _;

use base64::Engine as _;
use bytes::Bytes;
use sha2::Digest as _;

use super::{BuiltFile, Package, PythonForms, archive};

/// The files of a version: wheel, source distribution or both.
pub(super) fn files(package: &Package) -> Vec<BuiltFile> {
    match package.forms {
        PythonForms::Wheel => vec![wheel(package)],
        PythonForms::Sdist => vec![sdist(package)],
        PythonForms::Both => vec![wheel(package), sdist(package)],
    }
}

/// The name as file names carry it: PEP 503 normalised, with underscores.
fn distribution(package: &Package) -> String {
    crate::upstream::normalise(&package.name).replace('-', "_")
}

fn wheel(package: &Package) -> BuiltFile {
    let name = format!("{}-{}-py3-none-any.whl", distribution(package), package.version);
    let mut file = BuiltFile::new(name, archive::zip(&installed_files(package)));
    let listed = package.listed.iter().find(|(member, _)| member == "metadata");
    let listed = listed.and_then(|(_, text)| text.as_str()).map(str::to_owned);
    file.metadata = Some(listed.unwrap_or_else(|| metadata(package)).into());
    file
}

/// What the wheel holds: the module, and the `.dist-info` folder with a RECORD of right hashes.
fn installed_files(package: &Package) -> Vec<(String, Bytes)> {
    let module = distribution(package);
    let info = format!("{module}-{}.dist-info", package.version);
    let mut files: Vec<(String, Bytes)> = vec![
        (
            format!("{module}/__init__.py"),
            format!("VERSION = {:?}\n{}", package.version, package.code).into(),
        ),
        (format!("{info}/METADATA"), metadata(package).into()),
        (
            format!("{info}/WHEEL"),
            "Wheel-Version: 1.0\nGenerator: tidegate-testkit\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
                .into(),
        ),
    ];
    files.extend(package.extra_files.iter().map(|(path, bytes)| (format!("{module}/{path}"), bytes.clone())));
    let mut record = String::new();
    for (path, bytes) in &files {
        let digest = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(bytes));
        writeln!(record, "{path},sha256={digest},{}", bytes.len())
            .expect("writing to a string does not fail");
    }
    writeln!(record, "{info}/RECORD,,").expect("writing to a string does not fail");
    files.push((format!("{info}/RECORD"), record.into()));
    files
}

fn metadata(package: &Package) -> String {
    let mut out = format!(
        "Metadata-Version: 2.1\nName: {}\nVersion: {}\nSummary: built by tidegate-testkit\n",
        package.name, package.version
    );
    if let Some(licence) = &package.licence {
        writeln!(out, "License: {licence}").expect("writing to a string does not fail");
    }
    out.push_str("Requires-Python: >=3.6\n");
    for dependency in &package.dependencies {
        writeln!(out, "Requires-Dist: {}{}", dependency.name, dependency.requirement)
            .expect("writing to a string does not fail");
    }
    out
}

/// A source distribution whose build backend stands inside it and zips the tree that a wheel would hold, so that
/// building asks no index for build requirements.
fn sdist(package: &Package) -> BuiltFile {
    let mut files: Vec<(String, Bytes)> = vec![
        ("PKG-INFO".to_owned(), metadata(package).into()),
        (
            "pyproject.toml".to_owned(),
            "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n".into(),
        ),
        ("backend.py".to_owned(), backend(package).into()),
    ];
    files.extend(installed_files(package).into_iter().map(|(path, bytes)| (format!("tree/{path}"), bytes)));
    let root = format!("{}-{}", distribution(package), package.version);
    BuiltFile::new(format!("{root}.tar.gz"), archive::tar_gz(&root, &files))
}

fn backend(package: &Package) -> String {
    let wheel = format!("{}-{}-py3-none-any.whl", distribution(package), package.version);
    let at_install = package.install_code.as_deref().unwrap_or("");
    format!(
        r#"import pathlib, zipfile

def build_wheel(directory, config_settings=None, metadata_directory=None):
    tree = pathlib.Path(__file__).parent / "tree"
    with zipfile.ZipFile(pathlib.Path(directory) / "{wheel}", "w") as out:
        for path in sorted(tree.rglob("*")):
            if path.is_file():
                out.write(path, path.relative_to(tree).as_posix())
    return "{wheel}"

{at_install}
"#
    )
}
