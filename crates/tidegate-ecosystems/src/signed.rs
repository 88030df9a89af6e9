//! What a registry offers that is signed about a file: attestations in documents of their own, signatures in the index.

use crate::DocumentRequest;

/// How a document of attestations is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AttestationForm {
    /// npm's answer for one version: a list of Sigstore bundles with their predicate types.
    Npm,
    /// PyPI's provenance object for one file (PEP 740).
    Pep740,
    /// Open VSX's archive with the registry's signature over one extension.
    OpenVsx,
}

impl AttestationForm {
    /// The word in the catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Pep740 => "pep740",
            Self::OpenVsx => "open_vsx",
        }
    }

    /// Whether it is the registry that signs, and not whoever published or built the file.
    pub const fn is_of_registry(self) -> bool {
        matches!(self, Self::OpenVsx)
    }
}

/// A document of attestations that an index announces for one file.
#[derive(Clone, Debug)]
pub struct AttestationDocument {
    /// How it is written.
    pub form: AttestationForm,
    /// How it is asked for.
    pub request: DocumentRequest,
    /// How the one key is asked for that it is signed with, where the index names one.
    pub key: Option<DocumentRequest>,
}

/// What a registry itself signed of one file: the text `name@version:integrity`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrySignatures {
    /// The integrity as the index writes it.
    pub integrity: String,
    /// Name of the key and base64 of the signature, for each.
    pub signatures: Vec<(String, String)>,
}

/// The most signatures of a registry that are looked at for one file.
pub const MAX_REGISTRY_SIGNATURES: usize = 8;
