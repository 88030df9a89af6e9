//! Manifests in TOML: cargo's.

use super::{Manifest, believable};

/// `Cargo.toml` (<https://doc.rust-lang.org/cargo/reference/manifest.html>). Values that a workspace states are not here.
pub(super) fn cargo(text: &str) -> Option<Manifest> {
    let document: toml::Table = toml::from_str(text).ok()?;
    let package = document.get("package").or_else(|| document.get("project"))?;
    let value = |key: &str| package.get(key).and_then(toml::Value::as_str);
    let mut manifest = Manifest::new("cargo", "Cargo.toml");
    manifest.name = Some(believable(value("name")?)?);
    manifest.version = value("version").and_then(believable);
    if let Some(text) = value("license") {
        manifest.state("license", text);
    }
    if let Some(file) = value("license-file") {
        manifest.state("license-file", &format!("SEE LICENSE IN {file}"));
    }
    Some(manifest)
}
