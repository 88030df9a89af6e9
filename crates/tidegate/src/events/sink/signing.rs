//! Signatures in the Standard Webhooks form: HMAC-SHA-256 over id, time and body, so that a receiver knows who sent an event
//! and that it is no old one sent again (<https://www.standardwebhooks.com>, "Signature scheme").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tidegate_model::Secret;

/// What a secret begins with.
const PREFIX: &str = "whsec_";
/// The shortest and the longest key, in bytes, as the specification has them.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// The most keys at a time: one, and those it takes the place of.
const MAX_KEYS: usize = 4;

/// Keys that sign: each adds a signature, so that a receiver may go over to a new one whenever it likes.
#[derive(Clone, Debug)]
pub struct Keys(Vec<Secret<Vec<u8>>>);

/// Text that holds no usable keys. Says nothing of the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidKeys(&'static str);

impl Keys {
    /// Reads one or more secrets, `whsec_` and base64, a line or word each.
    ///
    /// # Errors
    /// What is wrong, without the text.
    pub fn parse(text: &str) -> Result<Self, InvalidKeys> {
        let keys = text.split_whitespace().map(key).collect::<Result<Vec<_>, _>>()?;
        match keys.len() {
            0 => Err(InvalidKeys("it is empty")),
            1..=MAX_KEYS => Ok(Self(keys)),
            _ => Err(InvalidKeys("it holds more than four secrets")),
        }
    }

    /// The value of `webhook-signature`.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let sign = |key: &Secret<Vec<u8>>| {
            let mut mac =
                Hmac::<Sha256>::new_from_slice(key.expose()).expect("HMAC takes keys of any length");
            mac.update(format!("{id}.{timestamp}.").as_bytes());
            mac.update(body);
            format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
        };
        self.0.iter().map(sign).collect::<Vec<_>>().join(" ")
    }
}

fn key(text: &str) -> Result<Secret<Vec<u8>>, InvalidKeys> {
    let coded = text.strip_prefix(PREFIX).ok_or(InvalidKeys("it does not begin with whsec_"))?;
    let key = BASE64.decode(coded).map_err(|_| InvalidKeys("what follows whsec_ is not base64"))?;
    if !KEY_BYTES.contains(&key.len()) {
        return Err(InvalidKeys("the key is not 24 to 64 bytes long"));
    }
    Ok(Secret::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference implementations.
    #[test]
    fn signs_as_the_reference_does() {
        let keys = Keys::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
        let signed = keys.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_key_adds_a_signature() {
        let one = BASE64.encode([1; 32]);
        let two = BASE64.encode([2; 32]);
        let keys = Keys::parse(&format!("whsec_{one}\nwhsec_{two}\n")).unwrap();
        let signed = keys.sign("id", 1, b"{}");
        assert_eq!(signed.split(' ').count(), 2);
        assert!(signed.starts_with(&Keys::parse(&format!("whsec_{one}")).unwrap().sign("id", 1, b"{}")));
    }

    #[test]
    fn what_is_no_secret_is_refused_and_not_repeated() {
        let short = format!("whsec_{}", BASE64.encode([1; 8]));
        let many = format!("whsec_{} ", BASE64.encode([1; 32])).repeat(5);
        for (text, what) in [
            ("", "empty"),
            ("hunter2hunter2hunter2", "whsec_"),
            ("whsec_!!!!", "base64"),
            (&short, "24 to 64"),
            (&many, "more than four"),
        ] {
            let error = Keys::parse(text).unwrap_err().to_string();
            assert!(error.contains(what) && !error.contains("hunter2"), "{error}");
        }
        assert!(
            !format!("{:?}", Keys::parse(&format!("whsec_{}", BASE64.encode([7; 32]))).unwrap())
                .contains('7')
        );
    }
}
