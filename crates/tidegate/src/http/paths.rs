//! From a request's target to the part of the door it means.

/// What a path means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// `/`
    Front,
    /// `/healthz`
    Alive,
    /// `/readyz`
    Ready,
    /// `/metrics`
    Metrics,
    /// `/api/v1/…`, without the prefix.
    Api(&'a str),
    /// `/d/<decision>`
    Decision(&'a str),
    /// `/advisories/<id>`
    Advisory(&'a str),
    /// `/osv/v1/…`, without the prefix.
    Osv(&'a str),
    /// `/ledger/…`, without the prefix.
    Ledger(&'a str),
    /// `/mcp/run/<server>` or `/t/<token>/mcp/run/<server>`
    McpRun {
        /// The token in the path, where there is one.
        token: Option<&'a str>,
        /// The server's name.
        server: &'a str,
    },
    /// `/<repository>/…` or `/t/<token>/<repository>/…`
    Package {
        /// The token in the path, where there is one.
        token: Option<&'a str>,
        /// The repository's name.
        repository: &'a str,
        /// The raw rest below the repository's base.
        rest: &'a str,
    },
    /// `/v2/…`, where clients of image registries begin every path, without that.
    Images(&'a str),
    /// Nothing we know.
    Unknown,
}

/// Reads a raw path. Only the repository's own routes are ever decoded, and that by the ecosystem.
pub fn place(path: &str) -> Place<'_> {
    let Some(path) = path.strip_prefix('/') else { return Place::Unknown };
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    match first {
        "" if rest.is_empty() => Place::Front,
        "healthz" if path == first => Place::Alive,
        "readyz" if path == first => Place::Ready,
        "metrics" if path == first => Place::Metrics,
        "api" => rest.strip_prefix("v1/").map_or(Place::Unknown, Place::Api),
        "d" => Place::Decision(rest),
        "advisories" if !rest.is_empty() => Place::Advisory(rest),
        // Clients of image registries look for everything below `/v2/`, a token in the path too.
        "v2" => match rest.strip_prefix("t/").filter(|rest| rest.starts_with("tg_")) {
            Some(rest) => match with_token(rest) {
                Place::Unknown => Place::Images("t/"),
                place => place,
            },
            None => Place::Images(rest),
        },
        "osv" => rest.strip_prefix("v1/").map_or(Place::Unknown, Place::Osv),
        "ledger" if !rest.is_empty() => Place::Ledger(rest),
        "mcp" if rest.starts_with("run/") => Place::McpRun { token: None, server: &rest[4..] },
        "t" => match rest.split_once('/').and_then(|(token, rest)| Some((token, rest.split_once('/')?))) {
            Some((token, ("mcp", rest))) if rest.starts_with("run/") && !token.is_empty() => {
                Place::McpRun { token: Some(token), server: &rest[4..] }
            }
            _ => with_token(rest),
        },
        name if is_name(name) && !crate::config::RESERVED.contains(&name) && path.contains('/') => {
            Place::Package { token: None, repository: name, rest }
        }
        _ => Place::Unknown,
    }
}

/// `<token>/<repository>/…`
fn with_token(rest: &str) -> Place<'_> {
    match rest.split_once('/').and_then(|(token, rest)| Some((token, rest.split_once('/')?))) {
        Some((token, (repository, rest))) if is_name(repository) && !token.is_empty() => {
            Place::Package { token: Some(token), repository, rest }
        }
        _ => Place::Unknown,
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        assert_eq!(place("/"), Place::Front);
        assert_eq!(place("/healthz"), Place::Alive);
        assert_eq!(place("/api/v1/status"), Place::Api("status"));
        assert_eq!(
            place("/npm/left-pad"),
            Place::Package { token: None, repository: "npm", rest: "left-pad" }
        );
        assert_eq!(
            place("/v2/t/tg_x/oci/a/tags/list"),
            Place::Package { token: Some("tg_x"), repository: "oci", rest: "a/tags/list" }
        );
        assert_eq!(place("/v2/t/app/tags/list"), Place::Images("t/app/tags/list"));
        assert_eq!(place("/v2/t/tg_x/oci"), Place::Images("t/"));
        assert_eq!(place("/v2/"), Place::Images(""));
        assert_eq!(place("/v2/oci/org/app/tags/list"), Place::Images("oci/org/app/tags/list"));
        assert_eq!(place("/ledger/tile/0/x001/234"), Place::Ledger("tile/0/x001/234"));
        assert_eq!(place("/npm/"), Place::Package { token: None, repository: "npm", rest: "" });
        assert_eq!(
            place("/t/tg_x/npm/@a%2fb"),
            Place::Package { token: Some("tg_x"), repository: "npm", rest: "@a%2fb" }
        );
        assert_eq!(place("/mcp/run/files"), Place::McpRun { token: None, server: "files" });
        assert_eq!(place("/t/tg_x/mcp/run/files"), Place::McpRun { token: Some("tg_x"), server: "files" });
        for unknown in [
            "",
            "x",
            "//npm/x",
            "/npm",
            "/NPM/x",
            "/%6epm/x",
            "/t/x/npm",
            "/t//npm/x",
            "/api/v2/x",
            "/healthz/",
            "/../npm/x",
            "/npm%2fx/y",
        ] {
            assert_eq!(place(unknown), Place::Unknown, "{unknown}");
        }
    }
}
