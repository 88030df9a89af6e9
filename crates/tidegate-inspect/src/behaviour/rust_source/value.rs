//! What is known of a value while Rust code is followed.

use std::rc::Rc;

use super::super::record::Taint;

/// Bytes of one folded constant.
pub(super) const CONSTANT_BYTES: usize = 1 << 20;

/// One value: what it is and where it comes from.
#[derive(Clone, Default)]
pub(super) struct Value {
    pub(super) kind: Kind,
    pub(super) taint: Taint,
    pub(super) gates: u8,
    pub(super) folded: bool,
}

/// What a value is.
#[derive(Clone, Default)]
pub(super) enum Kind {
    #[default]
    Unknown,
    Int(i64),
    /// A text or path; where it is not exact, `*` stands for what is not known.
    Text {
        text: Rc<str>,
        exact: bool,
    },
    Bytes(Rc<[u8]>),
    List(Rc<[Value]>),
    /// A constant or function by its path.
    Path(Rc<str>),
    Closure(Rc<syn::ExprClosure>),
    /// Something under construction or in use: a command, a request, a socket.
    Made(Rc<Made>),
}

/// Something that methods make step by step.
#[derive(Clone, Default)]
pub(super) struct Made {
    pub(super) what: Thing,
    /// Command line, address or path so far.
    pub(super) about: String,
    /// A command's streams go nowhere, or it has no window or a session of its own.
    pub(super) hidden: u8,
    /// A file that is written: its fact.
    pub(super) fact: Option<u32>,
}

/// Kinds of things under construction.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) enum Thing {
    #[default]
    Other,
    Command,
    Child,
    Client,
    Request,
    Response,
    Socket,
    Listener,
    OpenOptions,
    File,
    Permissions,
    Registry,
    Clipboard,
    Keychain,
    Nowhere,
}

impl Value {
    pub(super) fn of(kind: Kind) -> Self {
        Self { kind, ..Self::default() }
    }

    pub(super) fn from(taint: Taint) -> Self {
        Self { taint, ..Self::default() }
    }

    pub(super) fn text(text: &str) -> Self {
        Self::of(Kind::Text { text: text.into(), exact: true })
    }

    pub(super) fn partly(text: &str) -> Self {
        Self::of(Kind::Text { text: text.into(), exact: false })
    }

    pub(super) fn made(what: Thing, about: &str) -> Self {
        Self::of(Kind::Made(Rc::new(Made { what, about: about.to_owned(), ..Made::default() })))
    }

    pub(super) fn list(all: Vec<Self>) -> Self {
        let taint = all.iter().fold(Taint::default(), |taint, value| taint.with(&value.taint));
        let gates = all.iter().fold(0, |gates, value| gates | value.gates);
        let folded = all.iter().any(|value| value.folded);
        Self { kind: Kind::List(all.into()), taint, gates, folded }
    }

    pub(super) fn tainted(mut self, taint: &Taint) -> Self {
        self.taint = self.taint.with(taint);
        self
    }

    pub(super) fn gated(mut self, gates: u8) -> Self {
        self.gates |= gates;
        self
    }

    pub(super) fn fold(mut self, folded: bool) -> Self {
        self.folded |= folded;
        self
    }

    pub(super) fn blurred(&self) -> Self {
        Self { kind: Kind::Unknown, taint: self.taint.clone(), gates: self.gates, folded: false }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text { text, exact: true } => Some(text),
            Kind::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    pub(super) fn as_int(&self) -> Option<i64> {
        match self.kind {
            Kind::Int(int) => Some(int),
            _ => None,
        }
    }

    pub(super) fn as_path(&self) -> Option<&str> {
        match &self.kind {
            Kind::Path(path) => Some(path),
            _ => None,
        }
    }

    pub(super) fn as_made(&self) -> Option<&Made> {
        match &self.kind {
            Kind::Made(made) => Some(made),
            _ => None,
        }
    }

    /// Bytes that are known whole, from literals and lists of numbers.
    pub(super) fn as_bytes(&self) -> Option<Vec<u8>> {
        match &self.kind {
            Kind::Text { text, exact: true } => Some(text.as_bytes().to_vec()),
            Kind::Bytes(bytes) => Some(bytes.to_vec()),
            Kind::List(all) => all.iter().map(|item| u8::try_from(item.as_int()?).ok()).collect(),
            _ => None,
        }
    }

    /// What a value looks like as a text, `*` for what is not known.
    pub(super) fn shown(&self) -> String {
        match &self.kind {
            Kind::Text { text, .. } => text.to_string(),
            Kind::Int(int) => int.to_string(),
            Kind::Bytes(bytes) => {
                String::from_utf8_lossy(bytes.get(..bytes.len().min(2048)).unwrap_or_default()).into_owned()
            }
            Kind::Made(made) if !made.about.is_empty() => made.about.clone(),
            _ => "*".to_owned(),
        }
    }

    pub(super) fn or(&self, other: &Self) -> Self {
        let kind = match (&self.kind, &other.kind) {
            (Kind::Unknown, kind) | (kind, Kind::Unknown) => kind.clone(),
            (Kind::Text { text: a, .. }, Kind::Text { text: b, .. }) if a != b => {
                Kind::Text { text: Rc::clone(if a.len() >= b.len() { a } else { b }), exact: false }
            }
            (kind, _) => kind.clone(),
        };
        Self {
            kind,
            taint: self.taint.with(&other.taint),
            gates: self.gates | other.gates,
            folded: self.folded || other.folded,
        }
    }
}
