//! Servers elsewhere, from the configuration to what is asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderValue;
use tidegate_ecosystems::UpstreamBase;
use tidegate_model::Secret;

use super::http::Remote;
use crate::config::McpSection;
use crate::door::DoorError;
use crate::upstream::{Client, NamePatterns, Upstream};

/// Servers by name; `client` learns that somebody chose where they live.
///
/// # Errors
/// Credentials that are named and not there.
pub fn configured(section: &McpSection, client: &Client) -> Result<BTreeMap<String, Arc<Remote>>, DoorError> {
    let mut remotes = BTreeMap::new();
    for (name, server) in &section.server {
        let authorization = match &server.token_env {
            None => None,
            Some(variable) => {
                let missing = || DoorError::Credentials {
                    repository: format!("mcp.server.{name}"),
                    variable: variable.clone(),
                };
                let token =
                    std::env::var(variable).ok().filter(|token| !token.is_empty()).ok_or_else(missing)?;
                let value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| missing())?;
                Some(Secret::new(value))
            }
        };
        let upstream = Arc::new(Upstream::new(
            name.clone(),
            UpstreamBase { url: server.url.clone() },
            authorization,
            NamePatterns::default(),
            &[],
            "the configuration".into(),
        ));
        client.trust_host_of(&upstream);
        let remote = Remote { upstream, purl: server.purl.clone(), methods: section.methods.clone() };
        remotes.insert(name.clone(), Arc::new(remote));
    }
    Ok(remotes)
}
