//! What is known of a value while Python code is followed.

use std::rc::Rc;

use ruff_python_ast::{ExprLambda, StmtFunctionDef};

use super::super::record::Taint;

/// Bytes of one folded constant; longer ones count as unknown.
pub(super) const CONSTANT_BYTES: usize = 8 << 20;

/// Elements of a container that are known one by one.
pub(super) const ELEMENTS: usize = 65_536;

/// Bytes of a text of which parts are not known: what it begins with is told, and no more of it is ever run or decoded.
pub(super) const VAGUE_BYTES: usize = 64 << 10;

/// Elements of containers that are put together from other containers, in one file: beyond, what is in them is not known one
/// by one any more, only where it comes from.
pub(super) const GATHERED: usize = 1 << 20;

/// Kinds of conditions as bits, in the order of `GATES`.
pub(in super::super) type Gates = u8;

/// One value: what it is, where it comes from, what a condition on it would mean.
#[derive(Clone, Debug)]
pub(super) struct Value<'a> {
    pub(super) kind: Kind<'a>,
    pub(super) taint: Taint,
    pub(super) gates: Gates,
    pub(super) folded: bool,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Kind<'a> {
    Unknown,
    Int(i64),
    /// A text; where it is not exact, `*` stands for what is not known.
    Text {
        text: Rc<str>,
        exact: bool,
    },
    Bytes(Rc<[u8]>),
    /// Something of a library by its dotted path; `()` stands for "what calling it gave". The second part is what it was
    /// made with (address, command), as far as known.
    Name(Rc<str>, Option<Rc<str>>),
    Func(Rc<Func<'a>>),
    /// A class of this file, and an object of one.
    Class(u32),
    Object(u32),
    List(Rc<[Value<'a>]>),
    Dict(Rc<[(Rc<str>, Value<'a>)]>),
    /// A method of a value that is not of a library.
    Method(Rc<(Value<'a>, Rc<str>)>),
    /// A callee with arguments already given.
    Partial(Rc<(Value<'a>, Args<'a>)>),
    /// An open file: the fact of writing, if it is written, and its path.
    File(Option<u32>, Rc<Value<'a>>),
}

/// A function or lambda of this file.
#[derive(Clone, Debug)]
pub(super) struct Func<'a> {
    pub(super) code: Code<'a>,
    pub(super) frame: u32,
    pub(super) bound: Option<Value<'a>>,
    pub(super) defaults: Rc<[(&'a str, Value<'a>)]>,
    pub(super) property: bool,
    pub(super) class: Option<u32>,
    /// Its parameters are messages of a channel with this address.
    pub(super) channel: Option<Rc<str>>,
}

/// The body of a function.
#[derive(Clone, Copy, Debug)]
pub(super) enum Code<'a> {
    Def(&'a StmtFunctionDef),
    Lambda(&'a ExprLambda),
}

impl Code<'_> {
    /// What tells functions apart: the node itself, which does not move.
    pub(super) fn id(self) -> usize {
        match self {
            Self::Def(node) => std::ptr::from_ref(node).addr(),
            Self::Lambda(node) => std::ptr::from_ref(node).addr(),
        }
    }
}

/// Arguments of a call.
#[derive(Clone, Debug, Default)]
pub(super) struct Args<'a> {
    pub(super) pos: Vec<Value<'a>>,
    pub(super) kw: Vec<(Rc<str>, Value<'a>)>,
    /// What comes in by `*` and `**` of unknown content.
    pub(super) rest: Taint,
}

impl<'a> Args<'a> {
    /// An argument by position or name.
    pub(super) fn get(&self, position: usize, name: &str) -> Option<&Value<'a>> {
        self.pos.get(position).or_else(|| self.named(name))
    }

    /// An argument by name.
    pub(super) fn named(&self, name: &str) -> Option<&Value<'a>> {
        self.kw.iter().find(|(known, _)| &**known == name).map(|(_, value)| value)
    }

    /// Sources of all arguments.
    pub(super) fn taint(&self) -> Taint {
        self.taint_but(&[])
    }

    /// Sources of all arguments but those of some names.
    pub(super) fn taint_but(&self, names: &[&str]) -> Taint {
        let named = self.kw.iter().filter(|(name, _)| !names.contains(&&**name)).map(|(_, value)| value);
        self.pos.iter().chain(named).fold(self.rest.clone(), |all, value| all.with(&value.taint))
    }

    /// Conditions that any argument carries.
    pub(super) fn gates(&self) -> Gates {
        self.values().fold(0, |all, value| all | value.gates)
    }

    /// All arguments, first the positional ones.
    pub(super) fn values(&self) -> impl Iterator<Item = &Value<'a>> {
        self.pos.iter().chain(self.kw.iter().map(|(_, value)| value))
    }
}

/// As much of a text that is known in part as is kept.
pub(super) fn beginning(text: &str) -> &str {
    text.get(..text.floor_char_boundary(VAGUE_BYTES)).unwrap_or(text)
}

impl Default for Value<'_> {
    fn default() -> Self {
        Self { kind: Kind::Unknown, taint: Taint::default(), gates: 0, folded: false }
    }
}

impl<'a> Value<'a> {
    pub(super) fn of(kind: Kind<'a>) -> Self {
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

    pub(super) fn bytes(bytes: &[u8]) -> Self {
        Self::of(Kind::Bytes(bytes.into()))
    }

    pub(super) fn name(name: &str) -> Self {
        Self::of(Kind::Name(name.into(), None))
    }

    pub(super) fn list(values: Vec<Self>) -> Self {
        let taint = values.iter().fold(Taint::default(), |all, value| all.with(&value.taint));
        let folded = values.iter().any(|value| value.folded);
        let gates = values.iter().fold(0, |all, value| all | value.gates);
        Self { kind: Kind::List(values.into()), taint, gates, folded }
    }

    pub(super) fn tainted(mut self, taint: &Taint) -> Self {
        self.taint = self.taint.with(taint);
        self
    }

    pub(super) fn gated(mut self, gates: Gates) -> Self {
        self.gates |= gates;
        self
    }

    pub(super) fn fold(mut self, folded: bool) -> Self {
        self.folded |= folded;
        self
    }

    /// The same value without what no bound lets it keep: a text that is known in part keeps its beginning.
    pub(super) fn bounded(mut self) -> Self {
        if let Kind::Text { text, exact: false } = &self.kind
            && text.len() > VAGUE_BYTES
        {
            self.kind = Kind::Text { text: beginning(text).into(), exact: false };
        }
        self
    }

    /// The same sources and conditions without what the value is.
    pub(super) fn blurred(&self) -> Self {
        Self { kind: Kind::Unknown, taint: self.taint.clone(), gates: self.gates, folded: false }
    }

    /// The name of something of a library.
    pub(super) fn as_name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Name(name, _) => Some(name),
            _ => None,
        }
    }

    /// A text that is known whole; bytes count if they are UTF-8.
    pub(super) fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text { text, exact: true } => Some(text),
            Kind::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// Content as bytes, if it is known whole.
    pub(super) fn as_bytes(&self) -> Option<&[u8]> {
        match &self.kind {
            Kind::Text { text, exact: true } => Some(text.as_bytes()),
            Kind::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Bytes of a text or of bytes.
    pub(super) fn length(&self) -> usize {
        match &self.kind {
            Kind::Text { text, .. } => text.len(),
            Kind::Bytes(bytes) => bytes.len(),
            _ => 0,
        }
    }

    pub(super) fn as_int(&self) -> Option<i64> {
        match self.kind {
            Kind::Int(int) => Some(int),
            _ => None,
        }
    }

    /// What a value looks like as a text, `*` for what is not known.
    pub(super) fn shown(&self) -> Rc<str> {
        match &self.kind {
            Kind::Text { text, .. } => Rc::clone(text),
            Kind::Bytes(bytes) => {
                let end = bytes.len().min(super::super::facts::DETAIL_BYTES);
                String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into()
            }
            Kind::Int(int) => int.to_string().into(),
            Kind::Name(_, Some(about)) => Rc::clone(about),
            Kind::File(_, path) => path.shown(),
            _ => "*".into(),
        }
    }

    /// As [`Value::shown`]; a constant of another module stands there by its name, to be filled in when that module is known.
    pub(super) fn told(&self) -> Rc<str> {
        match &self.kind {
            Kind::Name(name, None)
                if name.contains('.') && !name.contains(['(', '[']) && super::names::may_be_own(name) =>
            {
                super::super::modules::open(name).into()
            }
            _ => self.shown(),
        }
    }

    /// What either may be.
    pub(super) fn or(&self, other: &Self) -> Self {
        let kind = match (&self.kind, &other.kind) {
            (Kind::Unknown, kind) | (kind, Kind::Unknown) => kind.clone(),
            (Kind::Text { text: a, exact: ea }, Kind::Text { text: b, exact: eb }) => {
                // The telling one of two texts: what is known stands before what is not, what is longer before what
                // is short. Neither is exact any more, unless they are the same.
                let better = if a.len() >= b.len() { a } else { b };
                Kind::Text { text: Rc::clone(better), exact: *ea && *eb && (a == b || better.len() > 8) }
            }
            (Kind::Text { text, .. }, Kind::Int(_)) | (Kind::Int(_), Kind::Text { text, .. }) => {
                Kind::Text { text: Rc::clone(text), exact: false }
            }
            (Kind::Int(a), Kind::Int(b)) if a != b => Kind::Unknown,
            (Kind::List(a), Kind::List(b)) => {
                Kind::List(if a.len() >= b.len() { Rc::clone(a) } else { Rc::clone(b) })
            }
            (Kind::Func(a), _) => Kind::Func(Rc::clone(a)),
            (_, Kind::Func(b)) => Kind::Func(Rc::clone(b)),
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
