//! What passes by somebody else's business: keys and forms of a page, pictures of the screen, arguments of functions that are
//! replaced. The function that takes it runs here as if something came.

use super::super::facts::What;
use super::super::words;
use super::calls::Site;
use super::machine::Machine;
use super::value::{Shape, Taint, Value};

/// Parameters that a listener is given.
const PARAMETERS: usize = 4;

/// What an event tells, where it tells what somebody does.
fn of_event(event: &str) -> Option<&'static str> {
    Some(match event {
        "keydown" | "keyup" | "keypress" => "keyboard",
        "submit" | "formdata" => "form submit",
        "input" | "beforeinput" | "change" => "form input",
        "paste" | "copy" | "cut" => "clipboard event",
        // What a page asks for passes by its service worker.
        "fetch" => "hook page.fetch",
        _ => return None,
    })
}

/// What packages of others take from whoever sits there.
fn of_package(module: &str, path: &str) -> Option<&'static str> {
    Some(match module {
        "node-global-key-listener"
        | "iohook"
        | "uiohook-napi"
        | "gkm"
        | "keyspy"
        | "global-keypress"
        | "iohook-raub"
        | "win-global-key-listener"
        | "node-global-keyboard-hook"
        | "global-key-listener" => "keyboard",
        "screenshot-desktop"
        | "desktop-screenshot"
        | "node-screenshots"
        | "screenshot-node"
        | "fullscreen-screenshot" => "screen",
        "node-webcam" | "webcam-easy" => "camera",
        "node-record-lpcm16" | "mic" | "node-microphone" | "naudiodon" | "recorder-node" => "microphone",
        "robotjs"
        | "@jitsi/robotjs"
        | "@hurdlegroup/robotjs"
        | "@nut-tree/nut-js"
        | "@nut-tree-fork/nut-js"
            if path.contains("screen") =>
        {
            "screen"
        }
        "electron" if path.contains("desktopCapturer") => "screen",
        "navigator" if path.contains("getDisplayMedia") => "screen",
        // What is written in an editor, as soon as it is written.
        "vscode" if path.contains(".onDid") && path.contains("TextDocument") => "document",
        _ => return None,
    })
}

/// Whether what a function that is replaced gets is somebody else's: what they ask, show or keep.
fn is_passed(path: &str) -> bool {
    const BEGINS: &[&str] = &[
        "http.",
        "https.",
        "http2.",
        "net.",
        "tls.",
        "XMLHttpRequest.",
        "WebSocket.",
        "Storage.",
        "ethereum.",
        "solana.",
        "console.",
        "HTMLFormElement.",
        "HTMLInputElement.",
        "EventTarget.",
        "fs.",
        "child_process.",
        "Request.",
        "crypto.",
        "axios.",
    ];
    matches!(
        path,
        "fetch"
            | "navigator.sendBeacon"
            | "JSON.stringify"
            | "JSON.parse"
            | "XMLHttpRequest"
            | "WebSocket"
            | "alert"
    ) || BEGINS.iter().any(|start| path.starts_with(start))
}

/// Whether a member of what passes by is the very thing that somebody wants.
fn is_wanted(key: &str) -> bool {
    matches!(
        key,
        "value"
            | "key"
            | "code"
            | "keyCode"
            | "which"
            | "charCode"
            | "keychar"
            | "rawKey"
            | "name"
            | "cookie"
            | "data"
            | "body"
            | "authorization"
            | "Authorization"
            | "request"
            | "x-api-key"
            | "cookies"
            | "Cookie"
            | "set-cookie"
            | "password"
            | "pass"
    ) || (key.len() > 2 && words::is_secret_variable(key))
}

impl<'a> Machine<'a> {
    /// Runs a function that takes what passes by.
    pub(super) fn tap(&mut self, detail: &str, taker: Value<'a>, site: Site) -> Value<'a> {
        if !matches!(taker.shape, Shape::Function(_) | Shape::Bound(_)) {
            return Value::UNKNOWN;
        }
        let fact = self.maybe(What::Tapped, detail, site.offset);
        let passed = Value::tainted(self.taint_of(fact));
        self.call_value(taker, passed, &[passed; PARAMETERS], site)
    }

    /// What was answered to a request that failed comes in what is thrown.
    pub(super) fn answered(&mut self, start: u32, end: u32) -> Taint {
        self.drafts.answered(start, end).map_or(Taint(0), |fact| self.taint_of(fact))
    }

    /// A trap of a proxy is given what it stands before, and what passes.
    fn tap_trap(&mut self, path: &'a str, trap: Value<'a>, site: Site) {
        let fact = self.maybe(What::Tapped, &format!("hook {path}"), site.offset);
        let passed = Value::tainted(self.taint_of(fact));
        let original = self.name_value(path);
        self.run_callbacks(&[trap], &[original, passed, passed, passed], site);
    }

    /// A function stands where another stood.
    pub(super) fn tap_hook(&mut self, path: &'a str, value: Value<'a>, site: Site) {
        if !is_passed(path) {
            return;
        }
        let detail = format!("hook {path}");
        match value.shape {
            Shape::Function(_) => {
                let given = self.tap(&detail, value, site);
                // What wraps is often made by a function that is given the original.
                self.tap(&detail, given, site);
            }
            Shape::Object(id) => {
                // The traps of a proxy.
                for trap in ["apply", "construct", "get", "set"] {
                    if let Some(&function) = self.objects[id.0 as usize].members.get(trap) {
                        self.tap_trap(path, function, site);
                    }
                }
            }
            _ => {}
        }
    }

    /// A listener for what somebody does; whether it was one.
    pub(super) fn tap_event(&mut self, key: &str, arguments: &[Value<'a>], site: Site) -> bool {
        let listens = matches!(key, "addEventListener" | "attachEvent" | "on" | "live" | "delegate" | "bind");
        let Some(event) = arguments.first().and_then(Value::whole_text).filter(|_| listens) else {
            return false;
        };
        let event = event.trim_start_matches("on");
        let Some(detail) = event.split([' ', '.']).find_map(of_event) else { return false };
        if key != "addEventListener" && matches!(event, "input" | "change" | "copy" | "cut" | "fetch") {
            return false;
        }
        for &argument in &arguments[1..] {
            self.tap(detail, argument, site);
        }
        true
    }

    /// `onkeydown = …`; whether it listens to what somebody does.
    pub(super) fn tap_property(&mut self, key: &str, value: Value<'a>, site: Site) -> bool {
        let Some(detail) = key.strip_prefix("on").and_then(of_event) else { return false };
        self.tap(detail, value, site);
        true
    }

    /// What a package gives that looks at keys, screens and the like.
    pub(super) fn tap_package(&mut self, path: &str, site: Site) -> Taint {
        let module = path.split("()").next().unwrap_or(path);
        let module = module.split('.').next().unwrap_or(module);
        let Some(detail) = of_package(module, path) else { return Taint(0) };
        let fact = self.maybe(What::Tapped, detail, site.offset);
        self.taint_of(fact)
    }

    /// A member of what passes by.
    pub(super) fn tapped_member(&mut self, taint: Taint, key: &str, offset: u32) -> Taint {
        if taint.0 == 0 || !self.drafts.taps() || !is_wanted(key) {
            return taint;
        }
        let of = self.taints.get(taint).iter().find_map(|&(source, _)| {
            let is_tap = self.drafts.what(source) == Some(What::Tapped);
            self.drafts.detail(source).filter(|detail| is_tap && !detail.contains('#')).map(str::to_owned)
        });
        let Some(of) = of else { return taint };
        let fact = self.maybe(What::Tapped, &format!("{of}#{key}"), offset);
        let own = self.taint_of(fact);
        self.join(taint, own)
    }
}
