//! What a pattern cannot see: whether a candidate is built as the real thing is.

mod assigned;
mod jwt;
mod key;
mod password;

use std::ops::Range;

use serde::Deserialize;

use super::words;
use crate::views::base64;
use tidegate_model::finding::{Confidence, FindingSeverity as Severity};

/// Bytes of encoded text that are decoded, at most.
const DECODED_TEXT_BYTES: usize = 24 << 10;

/// A check of structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Structure {
    /// JSON Web Token (RFC 7519) with a signature.
    Jwt,
    /// The same, which Supabase issued for its service role.
    JwtServiceRole,
    /// PEM (RFC 7468) from its first line on: DER or OpenSSH's form inside.
    PemKey,
    /// The same without armour: the version and the algorithm of PKCS #8 (RFC 5208), with the sequence around them.
    DerKey,
    /// PGP private key in armour (RFC 9580).
    PgpKey,
    /// PuTTY's format.
    PuttyKey,
    /// Base64 of a PEM private key.
    Base64PemKey,
    /// Macaroon, version 2, with a location in front.
    Macaroon,
    /// Base64 of `user:password`.
    BasicAuth,
    /// Base64 of a password, or a password.
    EncodedPassword,
    /// The password of a URL.
    UrlPassword,
    /// A password that stands alone.
    Password,
    /// Whatever is given to something with a secret name.
    Assigned,
    /// Base64 of JSON.
    Base64Json,
    /// Base64 of random bytes.
    Base64Noise,
    /// Base64 of digits before the first dot (Discord).
    Base64Digits,
}

/// What a check found.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    /// Where the secret stands.
    pub(super) secret: Range<usize>,
    /// Another severity than the rule's.
    pub(super) severity: Option<Severity>,
    /// Another confidence than the rule's.
    pub(super) confidence: Option<Confidence>,
}

impl Judged {
    /// As the rule says.
    pub(super) fn plain_of(secret: Range<usize>) -> Self {
        Self { secret, severity: None, confidence: None }
    }

    fn plain(secret: Range<usize>) -> Option<Self> {
        Some(Self::plain_of(secret))
    }

    fn as_bad_as(secret: Range<usize>, severity: Severity, confidence: Confidence) -> Option<Self> {
        Some(Self { secret, severity: Some(severity), confidence: Some(confidence) })
    }
}

impl Structure {
    /// What the candidate is, or that it is none. `text` holds everything around it.
    pub(super) fn judge(self, text: &[u8], secret: Range<usize>) -> Option<Judged> {
        let value = text.get(secret.clone())?;
        let plain_if = |is: bool| if is { Judged::plain(secret.clone()) } else { None };
        match self {
            Self::Jwt => jwt::judge(value, secret),
            Self::JwtServiceRole => plain_if(jwt::is_service_role(value)),
            Self::PemKey => key::pem(text, secret),
            Self::DerKey => key::der(text, secret),
            Self::PgpKey => key::pgp(text, secret),
            Self::PuttyKey => key::putty(text, secret),
            Self::Base64PemKey => plain_if(key::is_base64_pem(value)),
            Self::Macaroon => plain_if(is_macaroon(value)),
            Self::BasicAuth => plain_if(password::is_basic_auth(value)),
            Self::EncodedPassword => plain_if(password::is_encoded(value)),
            Self::UrlPassword => password::of_url(text, secret),
            Self::Password => plain_if(password::is_plausible(value, b"")),
            Self::Assigned => assigned::judge(text, secret),
            Self::Base64Json => plain_if(decoded(value).first() == Some(&b'{')),
            Self::Base64Noise => plain_if(is_noise(&decoded(value))),
            Self::Base64Digits => {
                let first = value.split(|&b| b == b'.').next().unwrap_or_default();
                let digits = decoded(first);
                plain_if(digits.len() >= 15 && digits.iter().all(u8::is_ascii_digit))
            }
        }
    }
}

/// Decodes base64 of either alphabet, within bounds.
fn decoded(text: &[u8]) -> Vec<u8> {
    let text = &text[..text.len().min(DECODED_TEXT_BYTES)];
    let end = text.iter().rposition(|&b| b != b'=').map_or(0, |at| at + 1);
    let mut out = Vec::with_capacity(end / 4 * 3 + 3);
    base64::decode(&text[..end], &mut out);
    out
}

/// Whether bytes are too mixed to be text.
fn is_noise(bytes: &[u8]) -> bool {
    let text = bytes.iter().filter(|b| matches!(b, b'\t' | b'\n' | b'\r' | 0x20..=0x7e)).count();
    bytes.len() >= 16 && text * 100 < bytes.len() * 75 && words::entropy(bytes) > 3.5
}

/// `prefix-` and a macaroon of version 2 whose first field is a location: a host name.
fn is_macaroon(token: &[u8]) -> bool {
    let Some(dash) = token.iter().position(|&b| b == b'-') else { return false };
    let bytes = decoded(&token[dash + 1..]);
    let [2, 1, length, rest @ ..] = &bytes[..] else { return false };
    let location = rest.get(..usize::from(*length));
    location.is_some_and(|host| {
        host.contains(&b'.') && host.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
    }) && bytes.len() > usize::from(*length) + 40
}
