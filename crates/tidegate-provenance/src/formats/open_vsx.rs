//! Open VSX's signature archive (`.sigzip`): a ZIP with `.signature.sig`, a raw Ed25519 signature over the whole `.vsix`
//! with the registry's published key; beside it a list of digests that is not signed and proves nothing.
//!
//! The Visual Studio Marketplace's archive holds a CMS signature (`.signature.p7s`) instead; that one is `unsupported`.

use std::io::{Cursor, Read as _};

use crate::requirement::Requirement;
use crate::roots::Trust;
use crate::subject::Subject;
use crate::verification::{Evidence, Failure, Format, State, Verification};

use super::{fill_key, miss_predicate, signed_by};

/// The most bytes of a signature archive: its list of digests grows with the files of the extension.
const MAX_ARCHIVE_BYTES: usize = 16 << 20;

/// The most entries of a signature archive. Real ones have three.
const MAX_ENTRIES: usize = 16;

/// An Ed25519 signature.
const SIGNATURE_BYTES: usize = 64;

const SIGNATURE: &str = ".signature.sig";
const OTHER_SIGNATURE: &str = ".signature.p7s";

/// Checks a signature archive over the bytes of an extension.
pub fn verify(
    archive: &[u8],
    extension: &[u8],
    subject: &Subject,
    requirement: &Requirement,
    trust: Trust<'_>,
) -> Verification {
    check(archive, extension, subject, requirement, trust)
        .unwrap_or_else(|f| f.into_verification(Format::OpenVsx))
}

fn check(
    archive: &[u8],
    extension: &[u8],
    subject: &Subject,
    requirement: &Requirement,
    trust: Trust<'_>,
) -> Result<Verification, Failure> {
    let signature = signature(archive)?;
    let key = signed_by(extension, &signature, requirement, trust)?;
    let mut found = Verification {
        evidence: Evidence::SignatureOnly,
        subject_digest: subject.digests.first().cloned(),
        ..Verification::of(Format::OpenVsx, State::Verified)
    };
    found.not_proven("who published it: the registry signs what it serves, for every publisher with one key");
    fill_key(&mut found, key, requirement)?;
    miss_predicate(&mut found, requirement);
    Ok(found)
}

fn signature(archive: &[u8]) -> Result<Vec<u8>, Failure> {
    let odd = |what: &str| Failure::malformed(format!("the signature archive {what}"));
    if archive.len() > MAX_ARCHIVE_BYTES {
        return Err(odd("is larger than any real one"));
    }
    let mut zip = zip::ZipArchive::new(Cursor::new(archive)).map_err(|_| odd("is no ZIP archive"))?;
    if zip.len() > MAX_ENTRIES {
        return Err(odd("has more entries than any real one"));
    }
    let mut bytes = Vec::new();
    let other = zip.index_for_name(OTHER_SIGNATURE).is_some();
    match zip.by_name(SIGNATURE) {
        // One byte more than a signature has, so that a longer entry shows.
        Ok(entry) => {
            let limit = SIGNATURE_BYTES as u64 + 1;
            entry.take(limit).read_to_end(&mut bytes).map_err(|_| odd("cannot be unpacked"))?;
        }
        Err(_) if other => {
            return Err(Failure::unsupported(
                "the signature archive holds a CMS signature, which is not checked",
            ));
        }
        Err(_) => return Err(odd("holds no signature")),
    }
    if bytes.len() != SIGNATURE_BYTES {
        return Err(odd("holds no Ed25519 signature"));
    }
    Ok(bytes)
}
