//! Which order the versions of an advisory follow, and versions as keys of that order.
//!
//! The orders are `tidegate-model`'s. Every boundary of an advisory is turned into a key once, when the advisory is
//! compiled; the order is stored beside it, so that a question is always keyed by the order of what it is compared with.

use tidegate_model::version::{VersionKey, VersionScheme};

/// Codes of the orders in segments. Never change one; add at the end.
const CODES: [VersionScheme; 13] = [
    VersionScheme::Semver,
    VersionScheme::Pub,
    VersionScheme::Pypi,
    VersionScheme::Maven,
    VersionScheme::RubyGems,
    VersionScheme::Packagist,
    VersionScheme::NuGet,
    VersionScheme::Dpkg,
    VersionScheme::Rpm,
    VersionScheme::Alpine,
    VersionScheme::Cran,
    VersionScheme::Hackage,
    VersionScheme::Textual,
];

/// The code of no order.
pub(crate) const NO_ORDER: u8 = 0;

/// The code of an order.
pub(crate) fn code(scheme: Option<VersionScheme>) -> u8 {
    let place = scheme.and_then(|scheme| CODES.iter().position(|known| *known == scheme));
    place.and_then(|place| u8::try_from(place + 1).ok()).unwrap_or(NO_ORDER)
}

/// The order of a code.
pub(crate) fn scheme(code: u8) -> Option<VersionScheme> {
    CODES.get(usize::from(code).checked_sub(1)?).copied()
}

/// Whether a code is one of ours.
pub(crate) fn is_code(code: u8) -> bool {
    usize::from(code) <= CODES.len()
}

/// The order of an ecosystem as a feed names it; of the large ones also in another case, or by tidegate's word.
pub(crate) fn of_ecosystem(text: &str, word: &str) -> Option<VersionScheme> {
    VersionScheme::from_osv(text).or_else(|| {
        let name = match word {
            "npm" | "cargo" | "vscode" => "npm",
            "pypi" => "PyPI",
            "go" => "Go",
            "maven" => "Maven",
            "rubygems" => "RubyGems",
            "packagist" => "Packagist",
            "nuget" => "NuGet",
            "hex" => "Hex",
            "pub" => "Pub",
            _ => return None,
        };
        VersionScheme::from_osv(name)
    })
}

/// A key's bytes.
pub(crate) fn key(scheme: Option<VersionScheme>, text: &str) -> Option<Vec<u8>> {
    Some(bytes(&scheme?.key(text)?))
}

fn bytes(key: &VersionKey) -> Vec<u8> {
    key.as_bytes().to_vec()
}

/// A version as it was asked for, turned into keys of one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VersionKeys {
    /// The key itself.
    pub exact: Vec<u8>,
    /// The key without a local part (PEP 440, `+cu118`), where there is one.
    pub without_local: Option<Vec<u8>>,
}

impl VersionKeys {
    /// The keys of a version; `None` where the text breaks the order's grammar.
    pub(crate) fn of(scheme: Option<VersionScheme>, text: &str) -> Option<Self> {
        let scheme = scheme?;
        Some(Self {
            exact: bytes(&scheme.key(text)?),
            without_local: scheme.key_without_local(text).as_ref().map(bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_has_a_code_and_comes_back() {
        for known in VersionScheme::ALL {
            assert_eq!(scheme(code(Some(known))), Some(known));
            assert!(is_code(code(Some(known))));
        }
        assert_eq!((scheme(NO_ORDER), code(None)), (None, NO_ORDER));
        assert!(!is_code(14) && is_code(NO_ORDER));
    }

    #[test]
    fn feeds_and_doors_name_the_same_order() {
        for (feed, word) in
            [("PyPI", "pypi"), ("Go", "go"), (concat!("crates", ".io"), "cargo"), ("Hex", "hex")]
        {
            assert_eq!(of_ecosystem(feed, word), of_ecosystem(word, word), "{feed}");
            assert!(of_ecosystem(feed, word).is_some());
        }
        assert_eq!(of_ecosystem("unheard-of", "unheard-of"), None);
    }
}
