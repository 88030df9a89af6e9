//! `[custody]`: what is stated and signed of artifacts.

use std::path::PathBuf;

use tidegate_provenance::custody::statement::PublicUri;

/// `[custody]`
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CustodySection {
    /// Whether anything is stated.
    pub enabled: bool,
    /// Who states it: a URI, which need not answer. `server.public_url` where it is not said.
    pub deployment: Option<PublicUri>,
    /// The file with the key; a relative path begins at the data directory. `keys/custody.pem` where no key is named.
    pub key: Option<PathBuf>,
    /// A key in a token instead.
    pub pkcs11: Option<Pkcs11Key>,
    /// A program that signs instead, and its arguments.
    pub program: Vec<String>,
    /// What that program calls the key.
    pub program_key: String,
    /// Seconds after which that program is ended.
    pub program_seconds: u64,
}

impl Default for CustodySection {
    fn default() -> Self {
        Self {
            enabled: true,
            deployment: None,
            key: None,
            pkcs11: None,
            program: Vec::new(),
            program_key: "custody".into(),
            program_seconds: 20,
        }
    }
}

/// `custody.pkcs11`
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pkcs11Key {
    /// The vendor's library, as an absolute path.
    pub module: PathBuf,
    /// The token's label.
    pub token: String,
    /// The label of the key in it.
    pub label: String,
    /// File that holds the PIN.
    #[serde(default)]
    pub pin_file: Option<PathBuf>,
    /// Environment variable that holds the PIN.
    #[serde(default)]
    pub pin_env: Option<String>,
}
