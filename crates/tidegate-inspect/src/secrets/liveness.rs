//! How an issuer is asked whether a secret is still good.
//!
//! Nothing here opens a socket. Rules say what the question looks like; whoever asks it ([`Issuer`]) brings the address, which
//! comes from configuration and from nowhere else, and works outside the way that packages take.

use serde::Deserialize;

use super::Secret;

/// What an issuer says of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Liveness {
    /// It is accepted.
    Live,
    /// It is refused.
    Dead,
    /// The issuer could not be asked, or its answer says neither.
    Unknown,
}

/// Asks one issuer.
pub trait Issuer {
    /// Whether the secret is still good. Changes nothing at the issuer and writes the value nowhere.
    fn check(&self, secret: &Secret) -> Liveness;
}

/// A question that changes nothing, without the address of the issuer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LivenessRequest {
    /// The method: `GET`, or `POST` where the issuer wants it.
    pub method: String,
    /// The path below the issuer's address.
    pub path: String,
    /// The header that carries the secret.
    pub header: String,
    /// The header's value, with `{secret}` where the secret goes.
    pub value: String,
    /// Status codes that say it is good.
    pub live: Vec<u16>,
    /// Status codes that say it is not.
    pub dead: Vec<u16>,
}

impl LivenessRequest {
    /// What an answer's status says.
    #[must_use]
    pub fn judge(&self, status: u16) -> Liveness {
        match () {
            () if self.live.contains(&status) => Liveness::Live,
            () if self.dead.contains(&status) => Liveness::Dead,
            () => Liveness::Unknown,
        }
    }

    /// The header's value with the secret in it; none if the secret is no text that a header can carry.
    #[must_use]
    pub fn header_value(&self, secret: &Secret) -> Option<Secret> {
        let text = std::str::from_utf8(secret.expose()).ok()?;
        let is_plain = text.bytes().all(|b| b.is_ascii_graphic());
        is_plain.then(|| Secret::new(self.value.replace("{secret}", text).as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> LivenessRequest {
        LivenessRequest {
            method: "GET".to_owned(),
            path: "/user".to_owned(),
            header: "Authorization".to_owned(),
            value: "Bearer {secret}".to_owned(),
            live: vec![200],
            dead: vec![401],
        }
    }

    #[test]
    fn an_answer_that_is_neither_says_nothing() {
        let told = [200, 401, 403, 500].map(|status| request().judge(status));
        assert_eq!(told, [Liveness::Live, Liveness::Dead, Liveness::Unknown, Liveness::Unknown]);
    }

    #[test]
    fn a_secret_cannot_add_headers() {
        let value = |secret: &[u8]| request().header_value(&Secret::new(secret)).map(|v| v.expose().to_vec());
        assert_eq!(value(b"abc").as_deref(), Some(&b"Bearer abc"[..]));
        assert_eq!(value(b"abc\r\nX: y"), None);
        assert_eq!(value(b"\xff"), None);
    }
}
