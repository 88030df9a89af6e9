//! Reads one version's object in a packument: the package's own manifest and what the registry added.

use std::borrow::Cow;

use super::spans::{InvalidJson, Kind, Member, Reader, Span};

/// Whether npm's abbreviated form has this member of a version's object
/// (<https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md>).
fn is_abbreviated(member: &str) -> bool {
    matches!(
        member,
        "name"
            | "version"
            | "deprecated"
            | "dependencies"
            | "optionalDependencies"
            | "devDependencies"
            | "bundleDependencies"
            | "bundledDependencies"
            | "peerDependencies"
            | "peerDependenciesMeta"
            | "acceptDependencies"
            | "bin"
            | "directories"
            | "dist"
            | "engines"
            | "cpu"
            | "os"
            | "libc"
            | "_hasShrinkwrap"
            | "hasInstallScript"
            | "funding"
    )
}

/// The place, as a bit, of a member that is read and so must not repeat; 0 for any other.
fn bit_of(member: &str) -> u16 {
    match member {
        "version" => 1,
        "dist" => 1 << 1,
        "deprecated" => 1 << 2,
        "license" => 1 << 3,
        "licence" => 1 << 4,
        "licenses" => 1 << 5,
        "hasInstallScript" => 1 << 6,
        "gypfile" => 1 << 7,
        "scripts" => 1 << 8,
        "_npmUser" => 1 << 9,
        _ => 0,
    }
}

/// What is read of one version's object.
#[derive(Default)]
pub(super) struct RawVersion<'a> {
    pub(super) version: Option<Cow<'a, str>>,
    pub(super) tarball: Option<(Span, Cow<'a, str>)>,
    pub(super) integrity: Option<Cow<'a, str>>,
    pub(super) shasum: Option<Cow<'a, str>>,
    pub(super) attested: bool,
    pub(super) attestations_url: Option<Span>,
    pub(super) deprecated: Option<String>,
    pub(super) licence: Option<String>,
    pub(super) publisher: Option<Cow<'a, str>>,
    pub(super) says_install_script: bool,
    pub(super) install_script: bool,
    pub(super) kept: Vec<Span>,
}

impl<'a> RawVersion<'a> {
    /// Reads one value of `versions`; `None` where it is no object or repeats a member that is read.
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<(Span, Option<Self>), InvalidJson> {
        if reader.kind() != Kind::Object {
            return Ok((reader.skip()?, None));
        }
        let mut raw = Self::default();
        let mut seen = 0_u16;
        let mut repeated = false;
        let span = reader.object(|reader, name, key| {
            let bit = bit_of(&name);
            repeated |= seen & bit != 0;
            seen |= bit;
            let value = raw.member(reader, &name, &mut repeated)?;
            if is_abbreviated(&name) {
                raw.kept.push(Member { key, value }.whole());
            }
            Ok::<_, InvalidJson>(())
        })?;
        Ok((span, (!repeated).then_some(raw)))
    }

    fn member(
        &mut self,
        reader: &mut Reader<'a>,
        name: &str,
        repeated: &mut bool,
    ) -> Result<Span, InvalidJson> {
        Ok(match name {
            "version" => {
                let (span, text) = reader.text()?;
                self.version = text;
                span
            }
            "dist" if reader.kind() == Kind::Object => self.dist(reader, repeated)?,
            "deprecated" => {
                let text = reader.text()?;
                // `true` is seen in old documents; an empty text and `false` take a deprecation back.
                self.deprecated = text.1.map(Cow::into_owned).filter(|text| !text.is_empty());
                text.0
            }
            "license" | "licence" => {
                let (span, licence) = licence(reader)?;
                self.licence = licence.or(self.licence.take());
                span
            }
            "licenses" => {
                let (span, licence) = licence(reader)?;
                self.licence = self.licence.take().or(licence);
                span
            }
            "hasInstallScript" | "gypfile" => {
                let (span, says_so) = reader.is_literal("true")?;
                self.says_install_script |= says_so && name == "hasInstallScript";
                self.install_script |= says_so;
                span
            }
            "scripts" if reader.kind() == Kind::Object => reader.object(|reader, script, _| {
                let (_, command) = reader.text()?;
                if matches!(&*script, "preinstall" | "install" | "postinstall") {
                    self.install_script |= command.is_some_and(|command| !command.trim().is_empty());
                }
                Ok::<_, InvalidJson>(())
            })?,
            "_npmUser" if reader.kind() == Kind::Object => reader.object(|reader, member, _| {
                let (_, text) = reader.text()?;
                if member == "name" {
                    self.publisher = text.filter(|text| !text.is_empty());
                }
                Ok::<_, InvalidJson>(())
            })?,
            _ => reader.skip()?,
        })
    }

    fn dist(&mut self, reader: &mut Reader<'a>, repeated: &mut bool) -> Result<Span, InvalidJson> {
        let mut seen = 0_u8;
        reader.object(|reader, name, _| {
            let mut once = |bit: u8| {
                *repeated |= seen & bit != 0;
                seen |= bit;
            };
            match &*name {
                "tarball" => {
                    once(1);
                    let (span, text) = reader.text()?;
                    self.tarball = text.map(|text| (span, text));
                }
                "integrity" => {
                    once(2);
                    self.integrity = reader.text()?.1;
                }
                "shasum" => {
                    once(4);
                    self.shasum = reader.text()?.1;
                }
                "attestations" if reader.kind() == Kind::Object => {
                    once(8);
                    self.attested = true;
                    let mut urls = 0;
                    reader.object(|reader, name, _| {
                        let (span, text) = reader.text()?;
                        if name == "url" && text.is_some() {
                            urls += 1;
                            self.attestations_url = Some(span);
                        }
                        Ok::<_, InvalidJson>(())
                    })?;
                    *repeated |= urls > 1;
                }
                _ => {
                    reader.skip()?;
                }
            }
            Ok::<_, InvalidJson>(())
        })
    }
}

/// Reads the forms in which licences are declared: a string, `{type}`, or an array of those.
fn licence(reader: &mut Reader<'_>) -> Result<(Span, Option<String>), InvalidJson> {
    let mut declared: Vec<String> = Vec::new();
    let span = match reader.kind() {
        Kind::Array => reader.array(|reader| {
            declared.extend(one_licence(reader)?.1);
            Ok::<_, InvalidJson>(())
        })?,
        _ => {
            let (span, one) = one_licence(reader)?;
            declared.extend(one);
            span
        }
    };
    Ok((span, (!declared.is_empty()).then(|| declared.join(" OR "))))
}

fn one_licence(reader: &mut Reader<'_>) -> Result<(Span, Option<String>), InvalidJson> {
    let mut found = None;
    let span = if reader.kind() == Kind::Object {
        reader.object(|reader, name, _| {
            let (_, text) = reader.text()?;
            if name == "type" || (name == "name" && found.is_none()) {
                found = text.map(Cow::into_owned);
            }
            Ok::<_, InvalidJson>(())
        })?
    } else {
        let (span, text) = reader.text()?;
        found = text.map(Cow::into_owned);
        span
    };
    Ok((span, found.filter(|text| !text.trim().is_empty())))
}
