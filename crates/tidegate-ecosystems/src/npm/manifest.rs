//! Reads one version's object in a packument: the package's own manifest and what the registry added.

use std::borrow::Cow;

use super::spans::{InvalidJson, Kind, Member, Reader, Span};

/// Members of a version's object in npm's abbreviated form
/// (<https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md>).
const ABBREVIATED: [&str; 20] = [
    "name",
    "version",
    "deprecated",
    "dependencies",
    "optionalDependencies",
    "devDependencies",
    "bundleDependencies",
    "bundledDependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "acceptDependencies",
    "bin",
    "directories",
    "dist",
    "engines",
    "cpu",
    "os",
    "libc",
    "_hasShrinkwrap",
    "funding",
];

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
        let mut seen = 0_u32;
        let mut repeated = false;
        let span = reader.object(|reader, name, key| {
            if let Some(position) = READ.iter().position(|read| *read == name) {
                repeated |= seen & (1 << position) != 0;
                seen |= 1 << position;
            }
            let value = raw.member(reader, &name, &mut repeated)?;
            if ABBREVIATED.contains(&&*name) || name == "hasInstallScript" {
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

/// Members of a version's object that are read and must not repeat.
const READ: [&str; 9] = [
    "version",
    "dist",
    "deprecated",
    "license",
    "licenses",
    "hasInstallScript",
    "gypfile",
    "scripts",
    "_npmUser",
];

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
