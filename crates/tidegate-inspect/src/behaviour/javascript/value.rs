//! Values as the machine knows them: what is constant of them, what they are called, where they come from.

use rustc_hash::FxHashMap;

use super::table::Table;

/// Stands in a text for what is not constant; it is shown as `*`.
pub(super) const HOLE: char = '\u{10FFFF}';

/// [`HOLE`] as a text.
pub(super) const HOLE_TEXT: &str = "\u{10FFFF}";

/// Sources that one value remembers.
const SOURCES_OF_A_VALUE: usize = 48;

/// Alternatives that one value remembers.
const ALTERNATIVES: usize = 4;

/// A path of names that mean the same in every file: `process.env`, `child_process.exec`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct NameId(pub(super) u32);

/// A function of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FunctionId(pub(super) u32);

/// An object, array, class or instance that the file makes; one for each place that makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ObjectId(pub(super) u32);

/// A set of alternatives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct EitherId(pub(super) u32);

/// A set of sources. Zero is the empty one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Taint(pub(super) u32);

/// What is known of a value itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Shape<'a> {
    #[default]
    Unknown,
    Undefined,
    Text(&'a str),
    Number(f64),
    Flag(bool),
    Name(NameId),
    Function(FunctionId),
    Object(ObjectId),
    Either(EitherId),
    /// What settles a promise.
    Resolver(ObjectId),
    /// A callee and arguments that it has already: items of the object.
    Bound(ObjectId),
}

/// A value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Value<'a> {
    pub(super) shape: Shape<'a>,
    /// Where it comes from.
    pub(super) taint: Taint,
    /// Kinds of [`Gate`](super::super::facts::Gate) that it would make a condition; bits of [`super::gates`].
    pub(super) gates: u8,
    /// Whether what is constant of it became visible only by folding.
    pub(super) folded: bool,
}

impl<'a> Value<'a> {
    pub(super) const UNKNOWN: Self = Self { shape: Shape::Unknown, taint: Taint(0), gates: 0, folded: false };

    #[inline]
    pub(super) const fn of(shape: Shape<'a>) -> Self {
        Self { shape, taint: Taint(0), gates: 0, folded: false }
    }

    #[inline]
    pub(super) const fn text(text: &'a str) -> Self {
        Self::of(Shape::Text(text))
    }

    #[inline]
    pub(super) const fn tainted(taint: Taint) -> Self {
        Self { shape: Shape::Unknown, taint, gates: 0, folded: false }
    }

    #[inline]
    pub(super) const fn with_taint(mut self, taint: Taint) -> Self {
        self.taint = taint;
        self
    }

    #[inline]
    pub(super) const fn shaped(mut self, shape: Shape<'a>) -> Self {
        self.shape = shape;
        self
    }

    /// The text, if all of it or a part of it is constant.
    #[inline]
    pub(super) fn as_text(&self) -> Option<&'a str> {
        match self.shape {
            Shape::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text, if all of it is constant.
    pub(super) fn whole_text(&self) -> Option<&'a str> {
        self.as_text().filter(|text| !text.contains(HOLE))
    }

    pub(super) fn as_number(&self) -> Option<f64> {
        match self.shape {
            Shape::Number(number) => Some(number),
            _ => None,
        }
    }

    /// A number that can be an index.
    pub(super) fn as_index(&self) -> Option<usize> {
        match self.shape {
            Shape::Number(number) => index_of(number),
            Shape::Text(text) if text.len() < 10 => text.parse().ok(),
            _ => None,
        }
    }

    /// Whether all of it is constant.
    #[inline]
    pub(super) fn is_constant(&self) -> bool {
        matches!(self.shape, Shape::Text(_) | Shape::Number(_) | Shape::Flag(_))
    }

    #[inline]
    pub(super) fn is_callable(&self) -> bool {
        matches!(
            self.shape,
            Shape::Function(_) | Shape::Name(_) | Shape::Resolver(_) | Shape::Bound(_) | Shape::Either(_)
        )
    }
}

/// A number as an index, if it is one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
pub(super) fn index_of(number: f64) -> Option<usize> {
    (number.fract() == 0.0 && (0.0..4_294_967_296.0).contains(&number)).then_some(number as usize)
}

/// What an object is beyond its members. Numbers are indexes of drafted facts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Plain,
    Array,
    Promise,
    /// A request that is being made: what is sent, what comes back.
    Request {
        send: u32,
        receive: u32,
    },
    /// A connection: what is sent, the messages that come.
    Socket {
        send: u32,
        receive: u32,
    },
    /// A process that was started, and what it prints.
    Process {
        exec: u32,
        output: u32,
    },
    /// The standard input of a process.
    Input {
        exec: u32,
    },
    /// A file that is being written.
    Writing {
        write: u32,
    },
    /// A request of a browser that is not opened yet.
    Xhr,
    /// A script element.
    Script,
    /// An element or image that loads its address.
    Image,
    Server,
}

/// An object.
#[derive(Debug, Default)]
pub(super) struct Object<'a> {
    pub(super) kind: Kind,
    pub(super) members: Table<'a>,
    /// Elements of an array.
    pub(super) items: Vec<Value<'a>>,
    /// What stands under keys that are not known.
    pub(super) any: Value<'a>,
    /// Functions that stand under keys that are not known.
    pub(super) functions: Vec<FunctionId>,
    /// What it is an instance of, outside of the file.
    pub(super) class: Option<NameId>,
}

/// Sets of sources, each kept once.
#[derive(Debug)]
pub(super) struct Taints {
    sets: Vec<Box<[(u32, bool)]>>,
    known: FxHashMap<Box<[(u32, bool)]>, u32>,
    joins: FxHashMap<(u32, u32), u32>,
}

impl Taints {
    pub(super) fn new() -> Self {
        let mut taints = Self { sets: Vec::new(), known: FxHashMap::default(), joins: FxHashMap::default() };
        taints.intern(Vec::new());
        taints
    }

    fn intern(&mut self, set: Vec<(u32, bool)>) -> u32 {
        let set = set.into_boxed_slice();
        if let Some(&id) = self.known.get(&set) {
            return id;
        }
        let id = u32::try_from(self.sets.len()).unwrap_or(0);
        self.sets.push(set.clone());
        self.known.insert(set, id);
        id
    }

    pub(super) fn get(&self, taint: Taint) -> &[(u32, bool)] {
        self.sets.get(taint.0 as usize).map_or(&[], |set| set)
    }

    pub(super) fn one(&mut self, source: u32) -> Taint {
        Taint(self.intern(vec![(source, false)]))
    }

    #[inline]
    pub(super) fn join(&mut self, a: Taint, b: Taint) -> Taint {
        if a == b || b.0 == 0 {
            return a;
        }
        if a.0 == 0 {
            return b;
        }
        self.join_two(a, b)
    }

    fn join_two(&mut self, a: Taint, b: Taint) -> Taint {
        let key = (a.0.min(b.0), a.0.max(b.0));
        if let Some(&id) = self.joins.get(&key) {
            return Taint(id);
        }
        let mut set: Vec<_> = self.get(a).iter().chain(self.get(b)).copied().collect();
        // Of one source, decoded or not, the undecoded sorts first; both are kept.
        set.sort_unstable();
        set.dedup();
        set.truncate(SOURCES_OF_A_VALUE);
        let id = self.intern(set);
        self.joins.insert(key, id);
        Taint(id)
    }

    /// The same sources, with a decoder between.
    pub(super) fn decoded(&mut self, taint: Taint) -> Taint {
        if taint.0 == 0 {
            return taint;
        }
        let mut set: Vec<_> = self.get(taint).iter().map(|&(source, _)| (source, true)).collect();
        set.dedup();
        Taint(self.intern(set))
    }
}

/// Sets of alternatives.
#[derive(Debug, Default)]
pub(super) struct Eithers<'a> {
    sets: Vec<Vec<Shape<'a>>>,
}

impl<'a> Eithers<'a> {
    pub(super) fn get(&self, id: EitherId) -> &[Shape<'a>] {
        self.sets.get(id.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// One of both. What is unknown adds nothing.
    #[inline]
    pub(super) fn join(&mut self, a: Shape<'a>, b: Shape<'a>) -> Shape<'a> {
        let empty = |shape: Shape<'_>| matches!(shape, Shape::Unknown | Shape::Undefined | Shape::Flag(_));
        // The cheap question goes first: most joins are with what is unknown.
        if empty(b) || a == b {
            return a;
        }
        if empty(a) {
            return b;
        }
        self.join_two(a, b)
    }

    fn join_two(&mut self, a: Shape<'a>, b: Shape<'a>) -> Shape<'a> {
        let mut set: Vec<Shape<'a>> = Vec::with_capacity(ALTERNATIVES);
        for shape in [a, b] {
            let one = [shape];
            let shapes = match shape {
                Shape::Either(id) => self.get(id),
                _ => &one,
            };
            for &shape in shapes {
                if set.len() < ALTERNATIVES && !set.contains(&shape) {
                    set.push(shape);
                }
            }
        }
        if let Shape::Either(id) = a
            && self.get(id) == set
        {
            return a;
        }
        self.sets.push(set);
        Shape::Either(EitherId(u32::try_from(self.sets.len() - 1).unwrap_or(0)))
    }
}
