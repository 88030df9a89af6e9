//! Which format an inventory has.

use super::InventoryFormat;
use super::json::{Refusal, members, text};
use crate::npm::spans::Reader;

/// How much of a text file is looked at to tell its format, in bytes.
const SNIFFED_BYTES: usize = 64 << 10;

/// By content, then by name. `Err` says what the file looks like where that helps, and is empty otherwise.
pub(super) fn detect(file_name: &str, bytes: &[u8]) -> Result<InventoryFormat, &'static str> {
    let bytes = bytes.strip_prefix(super::BYTE_ORDER_MARK).unwrap_or(bytes);
    let by_name = by_name(file_name);
    let first = bytes.iter().copied().find(|b| !b.is_ascii_whitespace());
    let by_content = match first {
        Some(b'{' | b'[') => by_json(bytes),
        Some(b'<') => by_xml(&String::from_utf8_lossy(&bytes[..bytes.len().min(SNIFFED_BYTES)])),
        _ => by_text(&String::from_utf8_lossy(&bytes[..bytes.len().min(SNIFFED_BYTES)])),
    };
    match by_content {
        Ok(Some(format)) => Ok(format),
        Ok(None) => by_name.ok_or(""),
        // A known format that is not read stays one under whatever name.
        Err(hint) => Err(hint),
    }
}

type Told = Result<Option<InventoryFormat>, &'static str>;

fn by_name(file_name: &str) -> Option<InventoryFormat> {
    let base = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
    let lower = base.to_ascii_lowercase();
    Some(match base {
        "go.mod" => InventoryFormat::GoMod,
        "go.sum" | "go.work.sum" => InventoryFormat::GoSum,
        "gradle.lockfile" | "buildscript-gradle.lockfile" | "settings-gradle.lockfile" => {
            InventoryFormat::GradleLockfile
        }
        "Gemfile.lock" | "gems.locked" => InventoryFormat::GemfileLock,
        "composer.lock" => InventoryFormat::ComposerLock,
        "pom.xml" => InventoryFormat::MavenPom,
        _ if lower.ends_with(".pom") => InventoryFormat::MavenPom,
        _ if lower.ends_with(".cdx.json") || lower == "bom.json" => InventoryFormat::CycloneDx,
        _ if lower.ends_with(".spdx3.json") || lower.ends_with(".spdx.jsonld") => InventoryFormat::Spdx3,
        _ if lower.ends_with(".spdx.json") => InventoryFormat::Spdx2,
        _ => return None,
    })
}

/// What the members of a document say of its format. They may stand in any order, so all of it is passed.
fn by_json(bytes: &[u8]) -> Told {
    const KEYS: &[&str] = &[
        "bomFormat",
        "$schema",
        "spdxVersion",
        "@context",
        "@graph",
        "content-hash",
        "packages",
        "packages-dev",
        "lockfileVersion",
    ];
    let (mut cyclonedx, mut schema, mut spdx2, mut spdx3, mut graph) = (false, false, false, false, false);
    let (mut hash, mut packages, mut npm) = (false, false, false);
    let read = Reader::new(bytes).map_err(Refusal::from).and_then(|mut reader| {
        members(&mut reader, KEYS, |reader, key| {
            match key {
                "bomFormat" => cyclonedx = text(reader)?.is_some_and(|t| t.eq_ignore_ascii_case("cyclonedx")),
                "$schema" => schema = text(reader)?.is_some_and(|t| t.contains("cyclonedx")),
                "spdxVersion" => spdx2 = text(reader)?.is_some(),
                "@context" => {
                    let start = reader.position() as usize;
                    let span = reader.skip()?;
                    spdx3 =
                        String::from_utf8_lossy(&bytes[start..span.end as usize]).contains("spdx.org/rdf/3");
                }
                "@graph" => graph = reader.skip().map(|_| true)?,
                "content-hash" | "packages-dev" => hash = reader.skip().map(|_| true)?,
                "packages" => packages = reader.skip().map(|_| true)?,
                _ => npm = reader.skip().map(|_| true)?,
            }
            Ok(())
        })
    });
    if read.is_err() && !(cyclonedx || spdx2 || spdx3) {
        // Broken JSON whose name says what it should be gets its error from that format's reader.
        return Ok(None);
    }
    Ok(match () {
        () if cyclonedx || schema => Some(InventoryFormat::CycloneDx),
        () if spdx2 => Some(InventoryFormat::Spdx2),
        () if spdx3 => Some(InventoryFormat::Spdx3),
        () if hash && packages && !npm => Some(InventoryFormat::ComposerLock),
        () if graph => return Err("; a JSON-LD graph whose `@context` is not SPDX 3's is not read"),
        () => None,
    })
}

fn by_xml(head: &str) -> Told {
    if head.contains("cyclonedx.org/schema/bom") {
        return Err("; this looks like CycloneDX as XML: convert it to JSON");
    }
    if head.contains("spdx.org/rdf") {
        return Err("; this looks like SPDX as RDF/XML: convert it to JSON");
    }
    let project = head.contains("<project") && (head.contains("maven") || head.contains("<modelVersion"));
    Ok(project.then_some(InventoryFormat::MavenPom))
}

fn by_text(head: &str) -> Told {
    if head.starts_with("SPDXVersion:") || head.contains("\nSPDXVersion:") {
        return Err("; this looks like SPDX as tag:value text: convert it to JSON");
    }
    let lines = || head.lines().map(str::trim_end).filter(|line| !line.trim().is_empty());
    let is_sum = |line: &str| {
        let mut fields = line.split_whitespace();
        matches!((fields.next(), fields.next(), fields.next(), fields.next()), (Some(_), Some(v), Some(h), None)
            if v.starts_with('v') && h.starts_with("h1:"))
    };
    Ok(match () {
        () if lines().next().is_some_and(is_sum) => Some(InventoryFormat::GoSum),
        () if lines().any(|l| l.starts_with("# This is a Gradle generated file for dependency locking")) => {
            Some(InventoryFormat::GradleLockfile)
        }
        () if lines().any(|l| matches!(l, "GEM" | "GIT" | "PATH")) && lines().any(|l| l == "  specs:") => {
            Some(InventoryFormat::GemfileLock)
        }
        () if lines().find(|l| !l.starts_with("//")).is_some_and(|l| l.starts_with("module "))
            && lines().any(|l| l.starts_with("go ") || l.starts_with("require")) =>
        {
            Some(InventoryFormat::GoMod)
        }
        () => None,
    })
}
