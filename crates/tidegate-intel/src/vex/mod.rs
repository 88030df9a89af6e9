//! VEX statements, found by the vulnerability and the product they speak of.

use std::collections::HashMap;

use bytes::Bytes;
use tidegate_model::{Sha256, Timestamp};

use crate::ecosystem::normal_name;
use crate::feeds::FeedKind;
use crate::feeds::openvex::Statement;
use crate::segment::container::{Container, SectionId, SegmentError, SegmentKind, Writer, u64_at};

const META: SectionId = SectionId::checked(1, "description");
const STATEMENTS: SectionId = SectionId::checked(2, "statements");

/// The most bytes of statements that are unpacked.
const MAX_UNPACKED_BYTES: u64 = 1 << 30;

/// What a table says of itself.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct VexMeta {
    pub feed: String,
    pub kind: FeedKind,
    pub as_of: Option<Timestamp>,
    pub source: Sha256,
}

/// An open table of statements.
#[derive(Debug)]
pub struct VexTable {
    meta: VexMeta,
    statements: Vec<Statement>,
    by_id: HashMap<String, Vec<usize>>,
}

/// Writes a table. Statements are sorted, each once.
pub(crate) fn write(meta: &VexMeta, mut statements: Vec<Statement>) -> Writer {
    statements.sort();
    statements.dedup();
    let json = serde_json::to_vec(&statements).expect("statements are plain JSON");
    let mut packed = (json.len() as u64).to_le_bytes().to_vec();
    packed.extend(zstd::bulk::compress(&json, 3).expect("packing fails for lack of memory only"));
    let mut writer = Writer::new(SegmentKind::Vex);
    writer.section(META, serde_json::to_vec(meta).expect("a description is plain JSON"));
    writer.section(STATEMENTS, packed);
    writer
}

impl VexTable {
    /// Opens a table and checks it.
    ///
    /// # Errors
    /// [`SegmentError`] says what is wrong with it.
    pub fn open(bytes: &Bytes) -> Result<Self, SegmentError> {
        let wrong = |what| SegmentError::inconsistent(STATEMENTS.name, what);
        let file = Container::open(bytes, SegmentKind::Vex)?;
        let meta = serde_json::from_slice(&file.section(META)?)
            .map_err(|_| SegmentError::inconsistent(META.name, "it cannot be read"))?;
        let packed = file.section(STATEMENTS)?;
        if packed.len() < 8 {
            return Err(wrong("there are none"));
        }
        let stated = Some(u64_at(&packed, 0)).filter(|len| *len <= MAX_UNPACKED_BYTES);
        let stated =
            stated.and_then(|len| usize::try_from(len).ok()).ok_or_else(|| wrong("it is too large"))?;
        let json = zstd::bulk::decompress(&packed[8..], stated).map_err(|_| wrong("it does not unpack"))?;
        let statements: Vec<Statement> =
            serde_json::from_slice(&json).map_err(|_| wrong("it cannot be read"))?;
        let mut by_id: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, statement) in statements.iter().enumerate() {
            for id in &statement.ids {
                by_id.entry(id.clone()).or_default().push(index);
            }
        }
        Ok(Self { meta, statements, by_id })
    }

    pub(crate) const fn meta(&self) -> &VexMeta {
        &self.meta
    }

    pub(crate) fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Statements about a vulnerability (any of its ids) in a package: those whose product is the package, and in which no
    /// other package is named as the part that is meant. Newest first.
    pub fn about<'t>(&'t self, ids: &[String], package: &Product<'_>) -> Vec<&'t Statement> {
        let mut found: Vec<&Statement> = ids
            .iter()
            .filter_map(|id| self.by_id.get(id))
            .flatten()
            .map(|index| &self.statements[*index])
            .filter(|statement| package.is_meant(statement))
            .collect();
        found.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.cmp(b)));
        found.dedup();
        found
    }
}

/// A package as VEX statements name it.
#[derive(Clone, Copy, Debug)]
pub struct Product<'a> {
    /// tidegate's word for the ecosystem.
    pub ecosystem: &'a str,
    /// Name in the ecosystem's own spelling, scope included.
    pub name: &'a str,
    /// The version.
    pub version: &'a str,
}

impl Product<'_> {
    fn is_meant(&self, statement: &Statement) -> bool {
        self.is(&statement.product) && statement.subcomponent.as_deref().is_none_or(|part| self.is(part))
    }

    /// Whether a package URL is of this package: same type and name, and the same version where it has one.
    fn is(&self, purl: &str) -> bool {
        let Some((ecosystem, name, version)) = split_purl(purl) else { return false };
        let word = if ecosystem == "golang" { "go" } else { &*ecosystem };
        word == self.ecosystem
            && normal_name(word, &name) == normal_name(self.ecosystem, self.name)
            && version.is_none_or(|v| {
                v == self.version || (word == "go" && v.strip_prefix('v') == Some(self.version))
            })
    }
}

/// Type, name with namespace, and version of a package URL.
fn split_purl(purl: &str) -> Option<(String, String, Option<String>)> {
    let rest = purl.strip_prefix("pkg:")?.trim_start_matches('/');
    let rest = rest.split(['?', '#']).next()?;
    let (ecosystem, path) = rest.split_once('/')?;
    let (path, version) = match path.rsplit_once('@') {
        Some((path, version)) if !path.is_empty() && !path.ends_with('/') => (path, Some(version)),
        _ => (path, None),
    };
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().ok().map(Into::into);
    let version = match version {
        Some(version) => Some(decode(version)?),
        None => None,
    };
    Some((ecosystem.to_ascii_lowercase(), decode(path)?, version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::openvex::VexStatus;

    fn statement(product: &str, part: Option<&str>) -> Statement {
        Statement {
            ids: vec!["CVE-2024-0001".into(), "GHSA-a".into()],
            product: product.into(),
            subcomponent: part.map(str::to_owned),
            status: VexStatus::NotAffected,
            justification: None,
            author: "a".into(),
            at: None,
            document: "d".into(),
        }
    }

    #[test]
    fn a_statement_counts_only_for_the_product_it_means() {
        let meta = VexMeta {
            feed: "vex".into(),
            kind: FeedKind::Openvex,
            as_of: None,
            source: Sha256::new([0; 32]),
        };
        let table =
            |statements: Vec<Statement>| VexTable::open(&write(&meta, statements).finish().into()).unwrap();
        let asked = Product { ecosystem: "npm", name: "@acme/lib", version: "1.0.0" };
        for (product, part, counts) in [
            ("pkg:npm/%40acme/lib@1.0.0", None, true),
            ("pkg:npm/@acme/lib", None, true),
            ("pkg:npm/%40acme/lib@2.0.0", None, false),
            ("pkg:npm/lib", None, false),
            ("pkg:pypi/%40acme/lib", None, false),
            ("pkg:npm/%40acme/lib", Some("pkg:npm/other"), false),
            ("pkg:npm/%40acme/lib", Some("pkg:npm/%40acme/lib@1.0.0"), true),
            ("something else", None, false),
        ] {
            let table = table(vec![statement(product, part)]);
            assert_eq!(
                table.about(&["GHSA-a".into()], &asked).len(),
                usize::from(counts),
                "{product} {part:?}"
            );
            assert!(table.about(&["GHSA-b".into()], &asked).is_empty());
        }
        let go = Product { ecosystem: "go", name: "example.test/m", version: "1.2.3" };
        assert_eq!(
            table(vec![statement("pkg:golang/example.test/m@v1.2.3", None)])
                .about(&["CVE-2024-0001".into()], &go)
                .len(),
            1
        );
    }
}
