//! What was found signed about an image, as it is kept: bundles and signatures as they came, and what of it could not be had.

use serde::{Deserialize, Serialize};

/// How a registry tells what refers to an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Offer {
    /// It lists referrers, or keeps them or signatures under tags: what it does not list, it does not have.
    Listed,
    /// It does neither for this image, so that nothing is known of others.
    #[default]
    NotOffered,
}

/// Everything that was found about one image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Evidence {
    /// The form of this document.
    pub(super) version: u32,
    pub(super) offer: Offer,
    /// In the order in which the registry lists them.
    pub(super) items: Vec<Item>,
    /// How many more the registry lists than were fetched.
    pub(super) beyond: usize,
    /// Why not all of it could be had.
    pub(super) unavailable: Option<String>,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Item {
    pub(super) piece: Piece,
    /// Whether the registry showed it once and no longer does.
    #[serde(default)]
    pub(super) gone: bool,
    /// Whether it held when it was last checked.
    #[serde(default)]
    pub(super) held: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Piece {
    /// The text of a bundle.
    Bundle(String),
    /// A layer of cosign's, with its annotations.
    Signature { payload: String, signature: String, certificate: Option<String>, bundle: Option<String> },
    /// What is listed as one of these and is none: says why.
    Broken(String),
}

/// The form that is written.
const VERSION: u32 = 1;

impl Evidence {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self { version: VERSION, ..Self::default() }
    }

    /// Adds what was found now.
    pub(super) fn add(&mut self, piece: Piece) {
        if !self.items.iter().any(|item| item.piece == piece) {
            self.items.push(Item { piece, gone: false, held: false });
        }
    }

    /// Adds what held before and was not found again: a signature does not become untrue where its registry drops it.
    pub(super) fn remember(&mut self, before: Self) {
        for item in before.items.into_iter().filter(|item| item.held) {
            if !self.items.iter().any(|known| known.piece == item.piece) {
                self.offer = Offer::Listed;
                self.items.push(Item { gone: true, ..item });
            }
        }
    }

    /// Leaves out what is gone and does not hold any more.
    pub(super) fn forget_what_is_gone(&mut self) {
        self.items.retain(|item| !item.gone || item.held);
    }

    pub(super) fn read(document: &[u8]) -> Option<Self> {
        serde_json::from_slice(document).ok().filter(|read: &Self| read.version == VERSION)
    }

    pub(super) fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain values")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(text: &str) -> Piece {
        Piece::Bundle(text.to_owned())
    }

    fn texts(evidence: &Evidence) -> Vec<(&Piece, bool)> {
        evidence.items.iter().map(|item| (&item.piece, item.gone)).collect()
    }

    #[test]
    fn what_held_stays_and_what_did_not_goes() {
        let mut before = Evidence::new();
        for text in ["kept", "dropped", "bad"] {
            before.add(bundle(text));
        }
        before.items[0].held = true;
        before.items[1].held = true;
        let mut now = Evidence::new();
        now.add(bundle("kept"));
        now.add(bundle("kept"));
        now.remember(before);
        assert_eq!(texts(&now), [(&bundle("kept"), false), (&bundle("dropped"), true)]);
        assert_eq!(now.offer, Offer::Listed, "it was listed once");
        // Under another root it holds no longer, and there is nobody left to ask for it.
        now.items[1].held = false;
        now.forget_what_is_gone();
        assert_eq!(texts(&now), [(&bundle("kept"), false)]);
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let mut evidence = Evidence::new();
        evidence.add(bundle("{}"));
        evidence.add(Piece::Signature {
            payload: "p".into(),
            signature: "s".into(),
            certificate: None,
            bundle: Some("b".into()),
        });
        evidence.unavailable = Some("why".into());
        assert_eq!(Evidence::read(&evidence.write()), Some(evidence.clone()));
        evidence.version = 2;
        assert_eq!(Evidence::read(&evidence.write()), None, "of another form");
        assert_eq!(Evidence::read(b"[]"), None);
    }
}
