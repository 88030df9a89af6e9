//! The packages of a run: real tarballs and packuments, as files that the upstream serves.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use sha2::Digest as _;
use tempfile::TempDir;
use tidegate_testkit::{BuiltFile, Package};

use super::BenchError;
use super::servers::Server;

/// Versions of the large packument.
pub(super) const VERSIONS: usize = 2200;
/// Files that are pulled cold, one after the other.
const COLD: usize = 15;
/// About the size of a version object of a large framework, in bytes.
const VERSION_BYTES: usize = 4600;

/// One package of one version.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) size: usize,
    pub(super) sha256: String,
    integrity: String,
    shasum: String,
}

/// The folder of a run and what is in it. Removed at the end.
#[derive(Debug)]
pub(super) struct Data {
    folder: TempDir,
    pub(super) small: Sample,
    pub(super) middle: Sample,
    pub(super) cold: Vec<Sample>,
    pub(super) herd: Sample,
    /// A package with [`VERSIONS`] versions of which none has a file.
    pub(super) wide: String,
}

impl Data {
    /// Writes the tarballs.
    pub(super) fn make(herd_megabytes: usize) -> Result<Self, BenchError> {
        let place = crate::tools::target().join("bench");
        let write = |source| BenchError::Write { path: place.clone(), source };
        std::fs::create_dir_all(&place).map_err(write)?;
        let folder = tempfile::Builder::new().prefix("run-").tempdir_in(&place).map_err(write)?;
        eprintln!("making packages in {}", folder.path().display());
        // nginx drops its rights where it was started as root.
        let files = folder.path().join("files");
        let sample = |name: &str, bytes: usize| sample(&files, name, bytes);
        Ok(Self {
            small: sample("bench-small", 3_600)?,
            middle: sample("bench-middle", 1_000_000)?,
            cold: (0..COLD)
                .map(|n| sample(&format!("bench-cold-{n}"), 1_000_000))
                .collect::<Result<_, _>>()?,
            herd: sample("bench-herd", herd_megabytes * 1_000_000)?,
            wide: "bench-wide".to_owned(),
            folder,
        })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The folder that the upstream serves.
    pub(super) fn files(&self) -> PathBuf {
        self.path().join("files")
    }

    /// Writes the packuments, plain and compressed, with file URLs at `upstream`.
    pub(super) fn write_documents(&self, upstream: &Server) -> Result<(), BenchError> {
        for sample in [&self.small, &self.middle, &self.herd].into_iter().chain(&self.cold) {
            let versions = [("1.0.0".to_owned(), version(upstream, sample, "1.0.0", 0))];
            self.write_document(&sample.name, &versions.into_iter().collect())?;
        }
        let none = Sample {
            name: self.wide.clone(),
            size: 4000,
            sha256: String::new(),
            integrity: self.small.integrity.clone(),
            shasum: self.small.shasum.clone(),
        };
        let versions = (0..VERSIONS)
            .map(|n| format!("{}.{}.{}", n / 100, n / 10 % 10, n % 10))
            .map(|text| (text.clone(), version(upstream, &none, &text, VERSION_BYTES)))
            .collect();
        self.write_document(&self.wide, &versions)
    }

    fn write_document(&self, name: &str, versions: &Map<String, Value>) -> Result<(), BenchError> {
        let newest = versions.keys().next_back().cloned().unwrap_or_default();
        let mut time = Map::new();
        time.insert("created".into(), json!("2020-01-01T00:00:00.000Z"));
        time.insert("modified".into(), json!("2024-01-01T00:00:00.000Z"));
        time.extend(versions.keys().map(|text| (text.clone(), json!("2023-05-05T05:05:05.000Z"))));
        let document = json!({
            "_id": name, "name": name, "dist-tags": { "latest": newest }, "versions": versions, "time": time,
            "license": "MIT",
        });
        let text = document.to_string();
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
        packed.write_all(text.as_bytes()).expect("writing to memory does not fail");
        let packed = packed.finish().expect("writing to memory does not fail");
        let folder = self.files().join("packuments");
        write(&folder.join(name), text.as_bytes())?;
        write(&folder.join(format!("{name}.gz")), &packed)
    }
}

fn sample(files: &Path, name: &str, bytes: usize) -> Result<Sample, BenchError> {
    let BuiltFile { name: file, bytes, sha1, integrity, .. } =
        Package::npm(name, "1.0.0").padded(bytes).build().remove(0);
    write(&files.join("npm").join(name).join("-").join(file), &bytes)?;
    Ok(Sample {
        name: name.to_owned(),
        size: bytes.len(),
        sha256: format!("{:x}", HexBytes(&sha2::Sha256::digest(&bytes))),
        integrity,
        shasum: sha1,
    })
}

/// Bytes as hexadecimal digits.
pub(super) struct HexBytes<'a>(pub(super) &'a [u8]);

impl std::fmt::LowerHex for HexBytes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A version object, filled up to about `bytes` with dependencies that no two versions share.
fn version(upstream: &Server, sample: &Sample, version: &str, bytes: usize) -> Value {
    let name = &sample.name;
    let mut dependencies = Map::new();
    while dependencies.len() * 46 < bytes {
        let n = dependencies.len();
        let key = sha2::Sha256::digest(format!("{n}"));
        dependencies
            .insert(format!("dependency-{:x}", HexBytes(&key[..6])), json!(format!("^{n}.{version}")));
    }
    json!({
        "name": name, "version": version, "license": "MIT", "main": "index.js", "dependencies": dependencies,
        "_id": format!("{name}@{version}"),
        "dist": {
            "integrity": sample.integrity, "shasum": sample.shasum, "unpackedSize": sample.size, "fileCount": 3,
            "tarball": format!("http://{}/npm/{name}/-/{name}-{version}.tgz", upstream.address),
        },
    })
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), BenchError> {
    let done =
        path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(path, bytes));
    done.map_err(|source| BenchError::Write { path: path.to_owned(), source })
}
