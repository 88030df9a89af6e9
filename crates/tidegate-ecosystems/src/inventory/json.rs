//! Reading JSON inventories: lenient about what a format may hold beyond what is needed here, with the place of each
//! component, and without building a tree of the document.

use std::borrow::Cow;

use tidegate_model::{Algorithm, Digest};

use super::{Component, Inventory, InventoryError, Lines, MAX_TEXT_BYTES, NoOsv, OsvPackage, Place, Purl};
use crate::npm::spans::{InvalidJson, Kind, Reader};

/// An error on the way: of the JSON, of what it says at some place, or of a bound.
#[derive(Debug)]
pub(super) enum Refusal {
    Json(InvalidJson),
    At(u32, String),
    Inventory(InventoryError),
}

impl From<InvalidJson> for Refusal {
    fn from(value: InvalidJson) -> Self {
        Self::Json(value)
    }
}

impl From<InventoryError> for Refusal {
    fn from(value: InventoryError) -> Self {
        Self::Inventory(value)
    }
}

impl Refusal {
    /// As an error that names the line.
    pub(super) fn into_error(self, lines: &Lines) -> InventoryError {
        let at = |offset: u32, why: String| InventoryError::MalformedAt { line: lines.at(offset), why };
        match self {
            Self::Json(e) => at(u32::try_from(e.at).unwrap_or(u32::MAX), e.why.to_owned()),
            Self::At(offset, why) => at(offset, why),
            Self::Inventory(e) => e,
        }
    }
}

/// Reads the members of an object whose keys are `known` and passes the others; a value of another kind is passed. A
/// known key that repeats is refused: which of the two counts differs between parsers.
pub(super) fn members<'a>(
    reader: &mut Reader<'a>,
    known: &[&'static str],
    mut member: impl FnMut(&mut Reader<'a>, &'static str) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    if reader.kind() != Kind::Object {
        reader.skip()?;
        return Ok(());
    }
    let mut seen = 0u64;
    reader.object(|reader, name, key| {
        let Some(at) = known.iter().position(|known| **known == *name) else {
            reader.skip()?;
            return Ok(());
        };
        if seen & (1 << at) != 0 {
            return Err(Refusal::At(key.start, format!("`{}` stands twice in one object", known[at])));
        }
        seen |= 1 << at;
        member(reader, known[at])
    })?;
    Ok(())
}

/// Reads the items of an array with their index. A single value counts as an array of one, as JSON-LD has it; `null` and
/// other scalars that are no text as an empty one.
pub(super) fn items<'a>(
    reader: &mut Reader<'a>,
    mut item: impl FnMut(&mut Reader<'a>, usize) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    match reader.kind() {
        Kind::Array => {
            let mut index = 0;
            reader.array(|reader| {
                item(reader, index)?;
                index += 1;
                Ok::<(), Refusal>(())
            })?;
        }
        Kind::Object | Kind::String => item(reader, 0)?,
        Kind::Scalar => {
            reader.skip()?;
        }
    }
    Ok(())
}

/// A text, or none where the value is of another kind, empty, or longer than anything real.
pub(super) fn text<'a>(reader: &mut Reader<'a>) -> Result<Option<Cow<'a, str>>, Refusal> {
    let (_, text) = reader.text()?;
    Ok(text.filter(|t| !t.is_empty() && t.len() <= MAX_TEXT_BYTES))
}

/// As [`text`], owned.
pub(super) fn owned(reader: &mut Reader<'_>) -> Result<Option<String>, Refusal> {
    Ok(text(reader)?.map(Cow::into_owned))
}

/// Reads a whole document: its members as [`members`] does, then nothing.
pub(super) fn document<'a>(
    text: &'a str,
    lines: &Lines,
    known: &[&'static str],
    member: impl FnMut(&mut Reader<'a>, &'static str) -> Result<(), Refusal>,
) -> Result<(), InventoryError> {
    let read = |reader: &mut Reader<'a>| {
        if reader.kind() != Kind::Object {
            return Err(Refusal::At(reader.position(), "expected an object".into()));
        }
        members(reader, known, member)?;
        reader.end()?;
        Ok(())
    };
    Reader::new(text.as_bytes())
        .map_err(Refusal::from)
        .and_then(|mut reader| read(&mut reader))
        .map_err(|refusal| refusal.into_error(lines))
}

/// A digest whose algorithm is spelled as SBOMs spell it (`SHA-256`, `SHA256`, `sha256`); none where it is one that is
/// not compared here or where the digits do not fit.
pub(super) fn digest(algorithm: &str, digits: &str) -> Option<Digest> {
    let word: String =
        algorithm.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let algorithm = match word.as_str() {
        "sha512" => Algorithm::Sha512,
        "sha384" => Algorithm::Sha384,
        "sha256" => Algorithm::Sha256,
        "sha1" => Algorithm::Sha1,
        "md5" => Algorithm::Md5,
        _ => return None,
    };
    Digest::from_hex(algorithm, &digits.to_ascii_lowercase())
}

/// What SBOMs state of a component, before it becomes one.
#[derive(Default)]
pub(super) struct Stated {
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) purl: Option<String>,
    pub(super) cpe: Option<String>,
    pub(super) digests: Vec<Digest>,
    pub(super) licence: Option<String>,
}

impl Stated {
    /// The component, with a remark on what does not fit together; none where neither a name nor a package URL stands.
    pub(super) fn into_component(self, place: Place, inventory: &mut Inventory) -> Option<Component> {
        let what = self.purl.as_deref().or(self.name.as_deref()).unwrap_or_default().to_owned();
        let parsed = self.purl.as_deref().map(str::parse::<Purl>);
        let purl = match parsed {
            Some(Ok(purl)) => Some(purl),
            Some(Err(why)) => {
                inventory.remark(
                    place.line,
                    &what,
                    format!("is not a package URL: {why}; it is not looked up"),
                );
                None
            }
            None => None,
        };
        if purl.is_none() && self.name.is_none() {
            inventory.remark(place.line, &what, "has neither a name nor a package URL that can be read");
            return None;
        }
        let of_purl = purl.as_ref().and_then(|purl| purl.version.clone());
        if let (Some(a), Some(b)) = (&of_purl, &self.version)
            && differ(a, b)
        {
            let why = format!("says version `{}` beside the package URL's, which counts", super::shown(b));
            inventory.remark(place.line, &what, why);
        }
        let version = of_purl.or(self.version);
        let osv = match &purl {
            Some(purl) => OsvPackage::of(purl, version.as_deref()),
            None => Err(NoOsv::NoPurl),
        };
        Some(Component {
            name: purl.as_ref().map(Purl::full_name).or(self.name).unwrap_or_default(),
            version,
            purl,
            cpe: self.cpe,
            osv,
            scope: None,
            digests: self.digests,
            licence: self.licence,
            place,
        })
    }
}

/// Whether two spellings cannot be one version: tools write Go's with and without `v`, and leave epochs out.
fn differ(of_purl: &str, stated: &str) -> bool {
    let plain = |text: &str| -> String {
        let text = text.split_once(':').map_or(text, |(_, after)| after);
        text.strip_prefix('v').unwrap_or(text).to_owned()
    };
    plain(of_purl) != plain(stated)
}
