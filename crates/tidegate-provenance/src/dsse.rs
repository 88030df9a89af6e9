//! Dead Simple Signing Envelope 1.0.2: a payload, its type, and signatures over both.
//!
//! Signatures are over the pre-authentication encoding, [`pae`]; the payload is stored as the bytes that were signed, so
//! nothing depends on how anybody writes JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::signing::{KeyId, PublicKey, SignError, SigningKey};

/// The most bytes of an envelope or bundle that are read.
pub const MAX_ENVELOPE_BYTES: usize = 1 << 20;
/// The most signatures of one envelope.
pub const MAX_SIGNATURES: usize = 16;

/// `DSSEv1 <length of type> <type> <length of payload> <payload>`, with lengths in bytes as decimals: what is signed.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut encoded = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    encoded.extend_from_slice(payload);
    encoded
}

/// An envelope as it is written: base64 of the payload, in this order.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// Standard base64 of what is said.
    pub payload: String,
    /// Media type of the payload.
    pub payload_type: String,
    /// Who signed it.
    pub signatures: Vec<Signature>,
}

/// One signature of an envelope.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Signature {
    /// Standard base64 of the signature.
    pub sig: String,
    /// Which key, as a hint: unsigned, so it decides only which key is tried.
    #[serde(default)]
    pub keyid: String,
}

/// An envelope that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InvalidEnvelope {
    /// Longer than [`MAX_ENVELOPE_BYTES`].
    #[error("{0} bytes are more than an envelope may have ({MAX_ENVELOPE_BYTES})")]
    TooLong(usize),
    /// Not the JSON of an envelope.
    #[error("this is not a DSSE envelope: expected `payload`, `payloadType` and `signatures`")]
    NotAnEnvelope(#[source] serde_json::Error),
    /// The payload or a signature is not base64.
    #[error("the {0} of the envelope is not standard base64")]
    NotBase64(&'static str),
    /// None, or more than [`MAX_SIGNATURES`].
    #[error("an envelope with {0} signatures: expected 1 to {MAX_SIGNATURES}")]
    SignatureCount(usize),
}

impl Envelope {
    /// Signs `payload` with each key.
    ///
    /// # Errors
    /// A key cannot sign.
    pub fn sign(payload_type: &str, payload: &[u8], keys: &[&dyn SigningKey]) -> Result<Self, SignError> {
        let encoded = pae(payload_type, payload);
        let signatures = keys
            .iter()
            .map(|key| {
                let sig = STANDARD.encode(key.sign(&encoded)?);
                Ok(Signature { sig, keyid: key.public_key().key_id().to_string() })
            })
            .collect::<Result<_, SignError>>()?;
        Ok(Self { payload: STANDARD.encode(payload), payload_type: payload_type.to_owned(), signatures })
    }

    /// Reads an envelope; nothing of it is verified yet.
    ///
    /// # Errors
    /// Too long, another form, no signature or too many.
    pub fn parse(json: &[u8]) -> Result<Self, InvalidEnvelope> {
        if json.len() > MAX_ENVELOPE_BYTES {
            return Err(InvalidEnvelope::TooLong(json.len()));
        }
        let envelope: Self = serde_json::from_slice(json).map_err(InvalidEnvelope::NotAnEnvelope)?;
        match envelope.signatures.len() {
            1..=MAX_SIGNATURES => Ok(envelope),
            count => Err(InvalidEnvelope::SignatureCount(count)),
        }
    }

    /// The bytes of the payload, unverified.
    ///
    /// # Errors
    /// It is not base64.
    pub fn payload_bytes(&self) -> Result<Vec<u8>, InvalidEnvelope> {
        STANDARD.decode(&self.payload).map_err(|_| InvalidEnvelope::NotBase64("payload"))
    }

    /// The keys among `keys` whose signature holds, each once.
    ///
    /// # Errors
    /// The payload or a signature is not base64.
    pub fn signers<'a>(
        &self,
        keys: impl Iterator<Item = &'a PublicKey>,
    ) -> Result<Vec<KeyId>, InvalidEnvelope> {
        let encoded = pae(&self.payload_type, &self.payload_bytes()?);
        let signatures = self
            .signatures
            .iter()
            .map(|signature| STANDARD.decode(&signature.sig))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| InvalidEnvelope::NotBase64("signature"))?;
        let signed = |key: &&PublicKey| signatures.iter().any(|bytes| key.verify(&encoded, bytes));
        let mut ids: Vec<KeyId> = keys.filter(signed).map(PublicKey::key_id).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pae_is_as_the_protocol_shows_it() {
        // The example of the DSSE protocol document.
        let encoded = pae("http://example.com/HelloWorld", b"hello world");
        assert_eq!(encoded, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
        assert_eq!(pae("", b""), b"DSSEv1 0  0 ");
    }

    #[test]
    fn envelopes_of_another_form_are_refused() {
        let check = |json: &str| Envelope::parse(json.as_bytes()).unwrap_err().to_string();
        assert!(check("{}").contains("not a DSSE envelope"));
        assert!(check(r#"{"payload":"","payloadType":"","signatures":[]}"#).contains("0 signatures"));
        // Two readers could read two values: neither is taken.
        let twice = r#"{"payload":"","payload":"YQ==","payloadType":"","signatures":[{"sig":""}]}"#;
        assert!(check(twice).contains("not a DSSE envelope"));
        assert!(check(&" ".repeat(MAX_ENVELOPE_BYTES + 1)).contains("more than"));
    }
}
