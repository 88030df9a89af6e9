//! Tokens that registries of images hand out for one repository at a time.
//!
//! A registry answers whom it does not know with the place where a token is to be had (the distribution project's token
//! authentication). The credentials that were configured go there, and the token goes to the registry's own host alone.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use http::Method;
use http::header::{self, HeaderMap, HeaderValue};
use tidegate_ecosystems::oci::challenge::Challenge;
use tidegate_model::Secret;
use url::Url;

use super::client::{MAX_ANSWER_BYTES, check_status};
use super::{Client, Upstream, UpstreamError};

/// What follows a repository's name in an address.
const VERBS: [&str; 4] = ["/manifests/", "/blobs/", "/tags/", "/referrers/"];
/// The most tokens that are kept of one upstream; the oldest make room.
const MAX_TOKENS: usize = 2_000;
/// How long a token is good for whose answer does not say, and the longest that is believed.
const DEFAULT_LIFE: Duration = Duration::from_secs(60);
const MAX_LIFE: Duration = Duration::from_secs(3_600);
/// So much earlier than its end a token is no longer used.
const MARGIN: Duration = Duration::from_secs(10);

/// The tokens of one upstream, by the repository that each is for.
#[derive(Debug, Default)]
pub struct Tokens {
    kept: Mutex<HashMap<String, (Secret<HeaderValue>, Instant)>>,
}

impl Tokens {
    /// The token for an address, where one is kept that is still good.
    pub fn of(&self, url: &Url) -> Option<Secret<HeaderValue>> {
        let kept = self.kept.lock().expect("no panic while holding it");
        let (token, until) = kept.get(space(url)?)?;
        (Instant::now() < *until).then(|| token.clone())
    }

    /// Keeps what an answer of the place of tokens holds, for addresses of the same repository. `false` where it holds none.
    pub fn keep(&self, url: &Url, answer: &[u8]) -> bool {
        let (Some(space), Some((token, life))) = (space(url), read(answer)) else { return false };
        let mut kept = self.kept.lock().expect("no panic while holding it");
        if kept.len() >= MAX_TOKENS {
            let now = Instant::now();
            kept.retain(|_, (_, until)| now < *until);
            let soonest = kept.iter().min_by_key(|(_, (_, until))| *until).map(|(space, _)| space.clone());
            if let Some(soonest) = soonest.filter(|_| kept.len() >= MAX_TOKENS) {
                kept.remove(&soonest);
            }
        }
        kept.insert(space.to_owned(), (token, Instant::now() + life));
        true
    }

    /// Forgets a token that was not taken.
    pub fn forget(&self, url: &Url) {
        if let Some(space) = space(url) {
            self.kept.lock().expect("no panic while holding it").remove(space);
        }
    }
}

impl Client {
    /// Gets a token for an address from where the registry says.
    pub(super) async fn introduce(
        &self,
        upstream: &Upstream,
        tokens: &Tokens,
        url: &Url,
        challenge: &Challenge,
    ) -> Result<(), UpstreamError> {
        let broken =
            |why: &str| UpstreamError::Broken { upstream: upstream.name.clone(), why: why.to_owned() };
        let mut place: Url =
            challenge.realm.parse().map_err(|_| broken("it names no address where tokens are to be had"))?;
        let secure_enough =
            place.scheme() == "https" || (place.scheme() == "http" && upstream.base.url.scheme() == "http");
        self.trust_neighbour(upstream, &place);
        if !secure_enough || !self.private.allows_literal(&place) {
            let host = place.host_str().unwrap_or("").to_owned();
            return Err(UpstreamError::ForeignHost { upstream: upstream.name.clone(), host });
        }
        let said = [("service", &challenge.service), ("scope", &challenge.scope)];
        let said = said.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        place.query_pairs_mut().extend_pairs(said);
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        // A name and a password are what tokens are given for. A token that was configured is for the registry itself.
        let basic = upstream.authorization.as_ref().map(Secret::expose).filter(|value| {
            value
                .to_str()
                .is_ok_and(|text| text.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic ")))
        });
        if let Some(basic) = basic {
            headers.insert(header::AUTHORIZATION, basic.clone());
        }
        let response = self.send_once(upstream, &Method::GET, &place, &headers, None).await?;
        if response.status().is_redirection() {
            return Err(broken("the place of its tokens sends us elsewhere"));
        }
        check_status(upstream, &response)?;
        let answer = self.collect(upstream, response, None, MAX_ANSWER_BYTES as u64).await?;
        if tokens.keep(url, &answer) { Ok(()) } else { Err(broken("the place of its tokens gave none")) }
    }
}

/// The part of an address that names its repository.
fn space(url: &Url) -> Option<&str> {
    let path = url.path();
    let ends = VERBS.iter().filter_map(|verb| path.rfind(verb)).max()?;
    path.get(..ends)
}

fn read(answer: &[u8]) -> Option<(Secret<HeaderValue>, Duration)> {
    let answer: serde_json::Value = serde_json::from_slice(answer).ok()?;
    let token = answer["token"].as_str().or_else(|| answer["access_token"].as_str())?;
    let mut header = HeaderValue::from_str(&format!("Bearer {token}")).ok().filter(|_| !token.is_empty())?;
    header.set_sensitive(true);
    let life = answer["expires_in"].as_u64().map_or(DEFAULT_LIFE, Duration::from_secs).min(MAX_LIFE);
    Some((Secret::new(header), life.saturating_sub(MARGIN).max(MARGIN)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(path: &str) -> Url {
        format!("https://registry.example{path}").parse().unwrap()
    }

    #[test]
    fn a_token_is_for_one_repository() {
        let tokens = Tokens::default();
        let manifest = url("/v2/org/app/manifests/latest");
        assert!(tokens.of(&manifest).is_none());
        assert!(tokens.keep(&manifest, br#"{"token":"abc","expires_in":300}"#));
        let blob = url("/v2/org/app/blobs/sha256:00");
        assert_eq!(tokens.of(&blob).unwrap().expose(), "Bearer abc");
        for other in ["/v2/org/other/blobs/sha256:00", "/v2/org/blobs/sha256:00", "/v2/"] {
            assert!(tokens.of(&url(other)).is_none(), "{other}");
        }
        tokens.forget(&blob);
        assert!(tokens.of(&manifest).is_none());
    }

    #[test]
    fn answers_without_a_token_are_none() {
        let tokens = Tokens::default();
        for bad in ["", "[]", "{}", r#"{"token":""}"#, r#"{"token":7}"#, "{\"token\":\"a\\nb\"}"] {
            assert!(!tokens.keep(&url("/v2/a/blobs/x"), bad.as_bytes()), "{bad}");
        }
        assert!(tokens.keep(&url("/v2/a/blobs/x"), br#"{"access_token":"abc"}"#));
        assert!(!tokens.keep(&url("/token"), br#"{"token":"abc"}"#), "of no repository");
    }
}
