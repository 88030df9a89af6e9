//! Checksums that issuers put into their tokens.

use serde::Deserialize;

use crate::bytes::crc32;

/// What a token's own checksum says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Checksum {
    /// The format has none, or it is not known.
    None,
    /// It fits: nobody types that by chance.
    Valid,
    /// It does not fit. Formats change, so this makes a finding less sure and never removes it.
    Wrong,
}

/// How the checksum of a format is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChecksumKind {
    /// `prefix_` and a body, then six base62 digits of the CRC-32 of the body (GitHub, npm).
    Crc32Base62,
    /// All before the last `_`, then eight hexadecimal digits of its CRC-32, least significant byte first (Grafana).
    Crc32HexLittle,
    /// All but the last seven characters, then seven base36 digits of its CRC-32 (GitLab's routable tokens).
    Crc32Base36,
    /// Bech32 (BIP 173): age keys.
    Bech32,
    /// Sixteen characters of base32 behind four letters (AWS access key ids).
    Base32Body,
}

impl ChecksumKind {
    /// What the checksum of `token` says.
    pub(crate) fn check(self, token: &[u8]) -> Checksum {
        let fits = match self {
            Self::Crc32Base62 => crc32_base62(token),
            Self::Crc32HexLittle => crc32_hex_little(token),
            Self::Crc32Base36 => crc32_base36(token),
            Self::Bech32 => Some(bech32(token)),
            Self::Base32Body => Some(is_base32(token.get(4..).unwrap_or_default())),
        };
        match fits {
            None => Checksum::None,
            Some(true) => Checksum::Valid,
            Some(false) => Checksum::Wrong,
        }
    }
}

/// The `width` digits of `value` in the base of the alphabet, most significant first.
fn digits(mut value: u32, alphabet: &[u8], width: usize) -> Vec<u8> {
    let base = alphabet.len() as u32;
    let mut digits = vec![alphabet[0]; width];
    for digit in digits.iter_mut().rev() {
        *digit = alphabet[(value % base) as usize];
        value /= base;
    }
    digits
}

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn crc32_base62(token: &[u8]) -> Option<bool> {
    let body = &token[token.iter().position(|&b| b == b'_')? + 1..];
    let (body, sum) = body.split_at(body.len().checked_sub(6)?);
    Some(digits(crc32(body), BASE62, 6) == sum)
}

fn crc32_hex_little(token: &[u8]) -> Option<bool> {
    let at = token.iter().rposition(|&b| b == b'_')?;
    let sum: String = crc32(&token[..at]).to_le_bytes().iter().map(|b| format!("{b:02x}")).collect();
    Some(sum.as_bytes() == &token[at + 1..])
}

fn crc32_base36(token: &[u8]) -> Option<bool> {
    let (body, sum) = token.split_at(token.len().checked_sub(7)?);
    // Only the routable form has one: its last part is a length of two digits and the checksum.
    let last = body.iter().rposition(|&b| b == b'.')?;
    (body.len() - last == 3).then(|| digits(crc32(body), &BASE36, 7) == sum)
}

const BASE36: [u8; 36] = *b"0123456789abcdefghijklmnopqrstuvwxyz";

fn is_base32(body: &[u8]) -> bool {
    body.iter().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7'))
}

const BECH32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

fn bech32(token: &[u8]) -> bool {
    let lower = token.to_ascii_lowercase();
    let Some(one) = lower.iter().rposition(|&b| b == b'1') else { return false };
    let (prefix, data) = (&lower[..one], &lower[one + 1..]);
    let values: Option<Vec<u8>> =
        data.iter().map(|d| BECH32.iter().position(|b| b == d).map(|value| value as u8)).collect();
    let Some(values) = values else { return false };
    let expanded =
        prefix.iter().map(|b| b >> 5).chain([0]).chain(prefix.iter().map(|b| b & 31)).chain(values);
    let generator = [0x3b6a_57b2_u32, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let sum = expanded.fold(1u32, |sum, value| {
        let top = sum >> 25;
        let shifted = (sum & 0x01ff_ffff) << 5 ^ u32::from(value);
        generator.iter().enumerate().fold(shifted, |s, (n, g)| if top >> n & 1 == 1 { s ^ g } else { s })
    });
    sum == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_padded() {
        assert_eq!(digits(0, BASE62, 6), b"000000");
        assert_eq!(digits(61, BASE62, 6), b"00000z");
        assert_eq!(digits(u32::MAX, BASE62, 6), b"4gfFC3");
    }

    #[test]
    fn bech32_takes_the_published_strings() {
        // From BIP 173.
        assert!(bech32(b"A12UEL5L"));
        assert!(bech32(b"split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w"));
        assert!(!bech32(b"A12UEL5M"));
        assert!(!bech32(b"no separator"));
    }

    #[test]
    fn a_checksum_that_is_not_there_is_none() {
        assert_eq!(ChecksumKind::Crc32Base62.check(b"short"), Checksum::None);
        assert_eq!(ChecksumKind::Crc32Base36.check(b"kind-abcdefghijklmnop"), Checksum::None);
        assert_eq!(ChecksumKind::Crc32HexLittle.check(b"kind_body_00000000"), Checksum::Wrong);
        assert_eq!(ChecksumKind::Base32Body.check(b"ABCD"), Checksum::Valid);
        assert_eq!(ChecksumKind::Base32Body.check(b"ABCD0"), Checksum::Wrong);
    }
}
