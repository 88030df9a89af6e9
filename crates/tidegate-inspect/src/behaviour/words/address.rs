//! Addresses: hosts, webhooks on any host, wallets.

use super::{Class, has};

/// The parts of an address that detectors compare.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// Scheme in lower case; empty where there is none.
    pub scheme: String,
    /// Host in lower case, without user and port; `*` where it is not constant.
    pub host: String,
    /// What follows the host, as it stands.
    pub path: String,
}

/// Endings of files that pages load by a relative address, none of which is a domain.
const FILES: &[&str] = &[
    "js", "mjs", "cjs", "wasm", "json", "css", "html", "htm", "svg", "png", "jpg", "jpeg", "gif", "webp",
    "map", "ts", "tsx", "jsx", "txt", "xml", "csv", "woff", "woff2", "ttf", "bin", "glb", "onnx",
];

/// Whether what could be a host is the name of a file.
fn is_file(host: &str) -> bool {
    host.rsplit_once('.').is_some_and(|(_, ending)| FILES.contains(&ending))
}

impl Address {
    /// Reads an address as it stands in code: a URL, or a host alone.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim().trim_matches(['"', '\'', '`']);
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.len() <= 12 => (scheme.to_ascii_lowercase(), rest),
            _ => (String::new(), text.strip_prefix("//").unwrap_or(text)),
        };
        let end = rest.find(['/', '?', '#', ' ', '\\', '"', '\'', ')', '<', '>', '|', ';', ',']);
        let (authority, path) = rest.split_at(end.unwrap_or(rest.len()));
        let host = authority.rsplit('@').next().unwrap_or_default();
        let host = match host.strip_prefix('[') {
            Some(inner) => inner.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let is_host = !host.is_empty()
            && host.len() < 254
            && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '*' | ':'))
            && (!scheme.is_empty() || host.contains(['.', ':']) || host == "localhost")
            && (!scheme.is_empty() || text.starts_with("//") || !is_file(&host));
        is_host.then(|| Self { scheme, host, path: path.to_owned() })
    }

    /// Whether the host is written in the code, wholly or in its last two labels.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        let mut labels = self.host.rsplit('.');
        let last = labels.next().unwrap_or_default();
        let second = labels.next();
        !last.contains('*') && second.is_some_and(|label| !label.is_empty() && label != "*" || last.len() > 3)
    }

    /// Whether it is this machine, a private network or a name kept for documentation.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let host = self.host.as_str();
        let numbers: Vec<u16> = host.split('.').filter_map(|part| part.parse().ok()).collect();
        let private =
            matches!(numbers[..], [127 | 10 | 0, _, _, _] | [192, 168, _, _] | [172, 16..=31, _, _]);
        private
            || matches!(host, "localhost" | "::1" | "::" | "example.com" | "example.org" | "example.net")
            || host.ends_with(".localhost")
            || host.ends_with(".local")
            || host.ends_with(".example.com")
    }

    /// Whether the host is an IPv4 address of the public network.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.host.split('.').count() == 4
            && self.host.split('.').all(|part| !part.is_empty() && part.parse::<u8>().is_ok())
            && !self.is_local()
    }

    /// Whether the host belongs to this service by its name.
    #[must_use]
    pub fn belongs_to(&self, service: &str) -> bool {
        service.len() >= 2
            && self.host.split(['.', '-']).any(|label| {
                label == service
                    || (service.len() >= 4 && (label.starts_with(service) || label.ends_with(service)))
            })
    }
}

/// Whether an address is one of a messenger's webhooks or bots with its token written out; the token is what makes it
/// somebody's own, and a library never has it.
#[must_use]
pub fn webhook(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let after = |mark: &str| lower.find(mark).and_then(|at| text.get(at + mark.len()..)).unwrap_or_default();
    let segments = |rest: &str| -> Vec<usize> {
        rest.split(['?', '#', '"', '\'', ' '])
            .next()
            .unwrap_or_default()
            .split('/')
            .map(token_length)
            .collect()
    };
    // Discord: number, then token.
    let discord = segments(after("/api/webhooks/"));
    if matches!(discord[..], [id, token, ..] if id >= 4 && token >= 8) {
        return true;
    }
    // Telegram: `bot`, number, colon, token.
    if after("/bot").split_once(':').is_some_and(|(id, rest)| {
        id.len() >= 4
            && id.chars().all(|c| c.is_ascii_digit())
            && token_length(rest.split('/').next().unwrap_or_default()) >= 8
    }) {
        return true;
    }
    // Slack: three tokens.
    let slack = segments(after("/services/"));
    if matches!(slack[..], [team, bot, token, ..] if team >= 5 && bot >= 5 && token >= 8) {
        return true;
    }
    let marks = [
        "/webhookb2/",
        "/webhook/",
        "/hooks/catch/",
        "/open-apis/bot/v2/hook/",
        "/trigger/",
        "access_token=",
        "/webhooks/",
    ];
    let by_mark = marks.iter().any(|mark| segments(after(mark)).iter().any(|length| *length >= 12));
    by_mark
        && (has(text, Class::Messenger)
            || lower.contains("webhook")
            || lower.contains("hooks.")
            || lower.contains("/robot/send"))
}

/// Length of a constant token; 0 where it holds a part that is not constant, or braces of a template.
fn token_length(text: &str) -> usize {
    let is_token = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.'));
    let is_name = text.chars().all(|c| c.is_ascii_uppercase() || c == '_') && text.contains('_');
    let distinct = text.chars().collect::<std::collections::BTreeSet<_>>().len();
    if is_token && !is_name && (distinct > 3 || text.chars().all(|c| c.is_ascii_digit())) {
        text.len()
    } else {
        0
    }
}

/// Whether a text is, as a whole, the address of a wallet: Ethereum, Bitcoin, Tron, Litecoin, Monero.
#[must_use]
pub fn is_wallet_address(text: &str) -> bool {
    let text = text.trim();
    let hex = |rest: &str| rest.len() == 40 && rest.bytes().all(|b| b.is_ascii_hexdigit());
    if let Some(rest) = text.strip_prefix("0x") {
        return hex(rest)
            && rest.bytes().any(|b| b != b'0' && b != b'e' && b != b'E' && b != b'f' && b != b'F');
    }
    let lower = |rest: &str| {
        (38..=62).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    if ["bc1q", "bc1p", "ltc1q"]
        .iter()
        .any(|prefix| text.strip_prefix(prefix).is_some_and(|rest| lower(rest) || rest.len() >= 30))
    {
        return text.bytes().all(|b| b.is_ascii_alphanumeric());
    }
    // The first character and the length are asked before the whole text is.
    let form = match text.as_bytes().first() {
        Some(b'1' | b'3' | b'T' | b'L') => (26..=35).contains(&text.len()),
        Some(b'4' | b'8') => text.len() == 95,
        _ => false,
    };
    if !form {
        return false;
    }
    let base58 = text.bytes().all(|b| b.is_ascii_alphanumeric() && !matches!(b, b'0' | b'O' | b'I' | b'l'));
    let mixed = text.bytes().any(|b| b.is_ascii_uppercase())
        && text.bytes().any(|b| b.is_ascii_lowercase())
        && text.bytes().filter(u8::is_ascii_digit).count() >= 3;
    base58 && mixed
}
