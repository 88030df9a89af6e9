//! Which form of the simple page a client wants (RFC 9110 §12.5.1, PEP 691).

use http::HeaderMap;
use http::header::ACCEPT;

/// How many media ranges are read; no client sends more than a handful.
const MAX_RANGES: usize = 32;

const JSON: &[&str] = &["application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.latest+json"];
const HTML: &[&str] =
    &["application/vnd.pypi.simple.v1+html", "application/vnd.pypi.simple.latest+html", "text/html"];

/// Whether the client prefers JSON. HTML wins a tie and stands in for anything unknown: every client reads it.
pub(super) fn prefers_json(headers: &HeaderMap) -> bool {
    let mut json = Weight::default();
    let mut html = Weight::default();
    let ranges = headers.get_all(ACCEPT).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','));
    for range in ranges.take(MAX_RANGES) {
        let (media, quality) = read(range);
        json.learn(&media, quality, JSON);
        html.learn(&media, quality, HTML);
    }
    json.quality > html.quality
}

/// The quality of a form, in thousandths, and how exactly the range named it: an exact range overrules a wildcard.
#[derive(Default)]
struct Weight {
    quality: u16,
    exactness: u8,
}

impl Weight {
    fn learn(&mut self, media: &str, quality: u16, names: &[&str]) {
        let exactness = if names.contains(&media) {
            3
        } else if media == "*/*" {
            1
        } else if media.strip_suffix("/*").is_some_and(|kind| {
            names.iter().any(|name| name.strip_prefix(kind).is_some_and(|rest| rest.starts_with('/')))
        }) {
            2
        } else {
            return;
        };
        if exactness > self.exactness || (exactness == self.exactness && quality > self.quality) {
            *self = Self { quality, exactness };
        }
    }
}

fn read(range: &str) -> (String, u16) {
    let mut parts = range.split(';');
    let media = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let quality = parts
        .find_map(|part| part.trim().strip_prefix(['q', 'Q'])?.trim_start().strip_prefix('='))
        .map_or(1000, |text| thousandths(text.trim()));
    (media, quality)
}

/// A quality that is no number means nothing is wanted, rather than everything.
fn thousandths(text: &str) -> u16 {
    match text.parse::<f32>() {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0..=1000 just before"
        )]
        Ok(quality) if quality.is_finite() => (quality * 1000.0).clamp(0.0, 1000.0) as u16,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(accept: &str, json: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().unwrap());
        assert_eq!(prefers_json(&headers), json, "{accept}");
    }

    #[test]
    fn clients_get_the_form_they_prefer() {
        let pip = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01";
        check(pip, true);
        check(
            "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01",
            true,
        );
        check("application/vnd.pypi.simple.latest+json", true);
        check("APPLICATION/vnd.PyPI.simple.v1+JSON", true);
        check("text/html;q=0.1, application/vnd.pypi.simple.v1+json;q=0.2", true);
        check("text/html", false);
        check("*/*", false);
        check("application/*", false);
        check("application/json", false);
        check("application/vnd.pypi.simple.v2+json", false);
        check("application/vnd.pypi.simple.v1+json;q=0", false);
        check("application/vnd.pypi.simple.v1+json;q=0.1, text/html;q=0.2", false);
        check("application/vnd.pypi.simple.v1+json;q=0.1, */*;q=0.5", false);
        check("text/html;q=0, application/*", true);
        check("application/vnd.pypi.simple.v1+json;q=NaN", false);
        check("", false);
        assert!(!prefers_json(&HeaderMap::new()));
    }
}
