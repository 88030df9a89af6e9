//! The machine that runs a file without running it: every statement once or twice, every branch, with values of which only
//! constants, names and origins are known.
//!
//! A function runs when the file calls it, with what it is called with, and once with unknown arguments if nobody calls it.
//! Everything is bounded: steps, what functions take when they run again, depth, contexts of a function, objects, bytes of folded text.
use std::hash::{Hash, Hasher};

use oxc_allocator::Allocator;
use oxc_ast::ast::{ArrowFunctionExpression, Function, Program, Statement};
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};

use super::super::facts::{Links, Scope, What};
use super::drafts::Drafts;
use super::heap::Heap;
use super::links::Given;
use super::names::Constant;
use super::scopes::ScopeInfo;
use super::value::{Eithers, FunctionId, Kind, NameId, Object, ObjectId, Shape, Taint, Taints, Value};

/// Bytes of text that folding may make.
const FOLDED_BYTES: usize = 8 << 20;

/// Bytes of one text that folding makes.
pub(super) const TEXT_BYTES: usize = 1 << 20;

/// Elements of arrays that are put together from other arrays, in one file: beyond, what is in them is not known one by one any
/// more, only where it comes from.
const GATHERED: usize = 1 << 19;

/// Calls within calls.
const CALL_DEPTH: u32 = 24;

/// Expressions and statements within each other, calls included.
const DEPTH: u32 = 1_200;

/// Contexts in which a large function runs.
const CONTEXTS: usize = 6;

/// Contexts in which a small function runs: index functions of string tables.
const SMALL_CONTEXTS: usize = 4_000;

/// Bytes of a small function.
const SMALL_FUNCTION_BYTES: u32 = 700;

/// Steps that functions may take when they run again, in a file of no bytes.
const REPEATED_STEPS: u64 = 100_000;

/// As [`REPEATED_STEPS`], for every four bytes.
const REPEATED_STEPS_OF_BYTES: u64 = 1;

/// Objects made at one place that are kept apart.
const OBJECTS_OF_A_PLACE: u32 = 64;

/// Objects in all.
const OBJECTS: usize = 400_000;

/// Bytes of a path of names.
const NAME_BYTES: usize = 120;

/// The code of a function.
#[derive(Clone, Copy)]
pub(super) enum Code<'a> {
    Function(&'a Function<'a>),
    Arrow(&'a ArrowFunctionExpression<'a>),
}

impl Code<'_> {
    fn bytes(self) -> u32 {
        match self {
            Self::Function(function) => function.span.size(),
            Self::Arrow(arrow) => arrow.span.size(),
        }
    }
}

/// A function of the file.
pub(super) struct FunctionInfo<'a> {
    pub(super) code: Code<'a>,
    pub(super) outer: u32,
    pub(super) scope: Option<u32>,
    /// What `this` is in it, and what `new` gives.
    pub(super) this: Option<ObjectId>,
    /// Whether it has run in this pass.
    pub(super) called: bool,
    pub(super) running: u32,
    pub(super) contexts: FxHashMap<u64, Value<'a>>,
    pub(super) last: Value<'a>,
}

/// The call that runs.
pub(super) struct Frame<'a> {
    pub(super) scope: u32,
    pub(super) this: Value<'a>,
    pub(super) returns: Value<'a>,
    pub(super) arguments: Vec<Value<'a>>,
    pub(super) function: Option<FunctionId>,
}

/// See the module.
pub(super) struct Machine<'a> {
    pub(super) allocator: &'a Allocator,
    pub(super) cells: Vec<Value<'a>>,
    /// The function that a cell belongs to, and the origin of what other functions put there.
    pub(super) owners: Vec<(Option<FunctionId>, Taint)>,
    pub(super) scopes: Vec<ScopeInfo>,
    /// Numbers of the names that are declared anywhere.
    pub(super) symbols: FxHashMap<&'a str, u32>,
    /// Scopes of blocks, by the address of the block.
    pub(super) blocks: FxHashMap<usize, u32>,
    pub(super) functions: Vec<FunctionInfo<'a>>,
    pub(super) function_of: FxHashMap<usize, FunctionId>,
    pub(super) objects: Heap<'a>,
    places: FxHashMap<(usize, u32), ObjectId>,
    uses: FxHashMap<usize, u32>,
    pub(super) eithers: Eithers<'a>,
    names: Vec<&'a str>,
    /// Of each name: the gates that it tells of, and what it stands for.
    says: Vec<(u8, Option<Constant>)>,
    /// Of each name, whether it is a source itself when it is used whole: the environment, what other files give.
    pub(super) sources: Vec<bool>,
    /// The name of the environment, once it is named.
    pub(super) environment: Option<NameId>,
    name_ids: FxHashMap<&'a str, NameId>,
    name_members: FxHashMap<(NameId, &'a str), NameId>,
    pub(super) taints: Taints,
    pub(super) drafts: Drafts,
    /// Whether constants are telling, by where they stand.
    pub(super) telling: FxHashMap<(usize, usize), bool>,
    /// Paths that were written, and what was written there.
    pub(super) written: Vec<(&'a str, Taint)>,
    pub(super) frame: Frame<'a>,
    pub(super) stage: Scope,
    pub(super) gates: u8,
    /// Branches and loops around the statement, within its function.
    pub(super) branch: u32,
    pub(super) in_loop: u32,
    depth: u32,
    calls: u32,
    steps: u64,
    step_limit: u64,
    repeats: Repeats,
    folded_bytes: usize,
    gathered: usize,
    /// Names that a test asks for, while one is read.
    pub(super) asked: Option<Vec<NameId>>,
    /// Names whose absence the code around is about.
    pub(super) absent: Vec<NameId>,
    /// Where the call stands that runs.
    pub(super) here: u32,
    /// The place of the text that is run, while a text is run.
    pub(super) text_place: Option<u32>,
    pub(super) texts_run: u32,
    pub(super) imports: Vec<&'a str>,
    pub(super) late_imports: Vec<&'a str>,
    /// What a module gives away; members of `module.exports`.
    pub(super) exports: ObjectId,
    pub(super) seen_imports: FxHashSet<(&'a str, bool)>,
    /// What `export` gives away.
    pub(super) given: Vec<(&'a str, Given<'a>)>,
    /// Where ends to other files stand, by the digest of what they tell.
    pub(super) ends: FxHashMap<(What, u64), u32>,
    /// Of names of other files: the file and the name there.
    pub(super) end_names: FxHashMap<NameId, Option<&'a str>>,
    /// Names under which what comes from another file is given away again.
    pub(super) again: Vec<(String, String)>,
}

impl<'a> Machine<'a> {
    pub(super) fn new(allocator: &'a Allocator, bytes: usize) -> Self {
        let mut machine = Self {
            allocator,
            cells: Vec::new(),
            owners: Vec::new(),
            scopes: vec![ScopeInfo::default()],
            symbols: FxHashMap::default(),
            blocks: FxHashMap::default(),
            functions: Vec::new(),
            function_of: FxHashMap::default(),
            objects: Heap::of_a_file(bytes),
            places: FxHashMap::default(),
            uses: FxHashMap::default(),
            eithers: Eithers::default(),
            names: Vec::new(),
            says: Vec::new(),
            sources: Vec::new(),
            environment: None,
            name_ids: FxHashMap::default(),
            name_members: FxHashMap::default(),
            taints: Taints::new(),
            drafts: Drafts::default(),
            telling: FxHashMap::default(),
            written: Vec::new(),
            frame: Frame {
                scope: 0,
                this: Value::UNKNOWN,
                returns: Value::UNKNOWN,
                arguments: Vec::new(),
                function: None,
            },
            stage: Scope::Load,
            gates: 0,
            branch: 0,
            in_loop: 0,
            depth: 0,
            calls: 0,
            steps: 0,
            step_limit: 30_000 + bytes as u64,
            repeats: Repeats::of_a_file(bytes),
            folded_bytes: 0,
            gathered: 0,
            asked: None,
            absent: Vec::new(),
            here: 0,
            text_place: None,
            texts_run: 0,
            imports: Vec::new(),
            late_imports: Vec::new(),
            exports: ObjectId(0),
            seen_imports: FxHashSet::default(),
            given: Vec::new(),
            ends: FxHashMap::default(),
            end_names: FxHashMap::default(),
            again: Vec::new(),
        };
        machine.objects.push(Object::default());
        machine
    }

    /// Runs a program: a second time if something may flow in an order that the first time did not see.
    pub(super) fn run(&mut self, program: &'a Program<'a>) {
        self.pass(program);
        if self.drafts.may_flow() {
            self.steps = 0;
            self.repeats.begin();
            self.uses.clear();
            for function in &mut self.functions {
                function.called = false;
                function.contexts.clear();
            }
            self.pass(program);
        }
    }

    pub(super) fn pass(&mut self, program: &'a Program<'a>) {
        self.frame.scope = 0;
        self.frame.this = Value::of(Shape::Object(self.exports));
        self.stage = Scope::Load;
        self.given.clear();
        self.again.clear();
        self.program(&program.body);
        self.give_away();
        // What the file does not call itself: functions found meanwhile are appended, so the list is walked by index.
        self.stage = Scope::Call;
        let mut index = 0;
        while index < self.functions.len() {
            if !self.functions[index].called {
                self.begin_unasked();
                let id = FunctionId(u32::try_from(index).unwrap_or(0));
                let this = self.functions[index].this;
                let this = this.map_or(Value::UNKNOWN, |object| Value::of(Shape::Object(object)));
                self.call_function(id, &[], this);
            }
            index += 1;
        }
    }

    /// Before a function runs that the file does not call itself.
    pub(super) fn begin_unasked(&mut self) {
        self.stage = Scope::Call;
        self.gates = 0;
        self.branch = 0;
        self.absent.clear();
        // Nothing is left out for want of steps: what was not called runs once.
        self.steps = self.steps.min(self.step_limit / 2);
    }

    pub(super) fn program(&mut self, body: &'a [Statement<'a>]) {
        self.hoist(body, self.frame.scope, self.frame.scope);
        let gates = self.gates;
        self.statements(body);
        self.gates = gates;
    }

    /// Runs the statements of a text, in a scope of its own within the global one.
    pub(super) fn run_text(&mut self, program: &'a Program<'a>) -> Value<'a> {
        let scope = self.new_scope(Some(0));
        let frame = Frame {
            scope,
            this: Value::UNKNOWN,
            returns: Value::UNKNOWN,
            arguments: Vec::new(),
            function: None,
        };
        let before = std::mem::replace(&mut self.frame, frame);
        self.program(&program.body);
        let frame = std::mem::replace(&mut self.frame, before);
        frame.returns
    }

    /// Goes one deeper, if that is still allowed.
    pub(super) fn enter(&mut self) -> bool {
        self.steps += 1;
        self.repeats.step();
        if self.depth >= DEPTH {
            return false;
        }
        self.depth += 1;
        true
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    pub(super) fn exhausted(&self) -> bool {
        self.steps > self.step_limit
    }

    /// A text that folding made. Too long a one is cut, and ends with a hole.
    pub(super) fn make_text(&mut self, text: &str) -> &'a str {
        let cut = &text[..text.floor_char_boundary(TEXT_BYTES)];
        self.folded_bytes += cut.len();
        if self.folded_bytes > FOLDED_BYTES {
            return super::value::HOLE_TEXT;
        }
        self.allocator.alloc_str(cut)
    }

    /// Whether so many more elements may be taken out of arrays into others.
    pub(super) fn room(&mut self, elements: usize) -> bool {
        self.gathered = self.gathered.saturating_add(elements);
        self.gathered <= GATHERED
    }

    pub(super) fn name(&mut self, path: &'a str) -> NameId {
        if let Some(&id) = self.name_ids.get(path) {
            return id;
        }
        let id = NameId(u32::try_from(self.names.len()).unwrap_or(0));
        self.names.push(path);
        self.says.push((super::gates::of_name(path), super::names::constant(path)));
        self.sources.push(path == "process.env" || path.contains(Links::MARK));
        if path == "process.env" {
            self.environment = Some(id);
        }
        self.name_ids.insert(path, id);
        id
    }

    pub(super) fn path(&self, name: NameId) -> &'a str {
        self.names.get(name.0 as usize).copied().unwrap_or("")
    }

    /// The gates that a name tells of, and what it stands for.
    pub(super) fn says(&self, name: NameId) -> (u8, Option<Constant>) {
        self.says.get(name.0 as usize).copied().unwrap_or((0, None))
    }

    pub(super) fn name_value(&mut self, path: &'a str) -> Value<'a> {
        Value::of(Shape::Name(self.name(path)))
    }

    /// A member of a name; none where the path becomes too long to mean anything.
    pub(super) fn name_member(&mut self, name: NameId, member: &'a str) -> Option<NameId> {
        if let Some(&id) = self.name_members.get(&(name, member)) {
            return Some(id);
        }
        let base = self.path(name);
        if base.len() + member.len() > NAME_BYTES {
            return None;
        }
        let joined = super::names::member(base, member);
        let path: &'a str = match joined {
            std::borrow::Cow::Borrowed(path) => self.allocator.alloc_str(path),
            std::borrow::Cow::Owned(path) => self.allocator.alloc_str(&path),
        };
        let id = self.name(path);
        self.name_members.insert((name, member), id);
        Some(id)
    }

    /// What calling or constructing a name gives.
    pub(super) fn name_result(&mut self, name: NameId) -> Option<NameId> {
        self.name_member(name, "()")
    }

    /// The object that is made at a place. `place` is the address of its code.
    pub(super) fn object(&mut self, place: usize, kind: Kind) -> ObjectId {
        let uses = self.uses.entry(place).or_insert(0);
        let instance = (*uses).min(OBJECTS_OF_A_PLACE);
        *uses += 1;
        if let Some(&id) = self.places.get(&(place, instance)) {
            if let Some(object) = self.objects.quietly(id.0 as usize)
                && object.kind == Kind::Plain
            {
                object.kind = kind;
            }
            return id;
        }
        if self.objects.len() >= OBJECTS {
            return ObjectId(0);
        }
        let id = ObjectId(u32::try_from(self.objects.len()).unwrap_or(0));
        self.objects.push(Object { kind, ..Object::default() });
        self.places.insert((place, instance), id);
        id
    }

    pub(super) fn kind(&self, id: ObjectId) -> Kind {
        self.objects.get(id.0 as usize).map_or(Kind::Plain, |object| object.kind)
    }

    pub(super) fn set_member(&mut self, id: ObjectId, key: &'a str, value: Value<'a>) {
        let branch = self.branch > 0;
        let mut value = value;
        let old = self.objects[id.0 as usize].members.get(key).copied();
        if let Some(old) = old {
            if branch {
                value.shape = self.eithers.join(value.shape, old.shape);
            }
            value.taint = self.taints.join(value.taint, old.taint);
        }
        if old != Some(value) {
            self.objects.set_member(id, key, value, old);
        }
    }

    /// Stores under a key that is not known.
    pub(super) fn set_any(&mut self, id: ObjectId, value: Value<'a>) {
        let taint = self.deep(value);
        let old = self.objects[id.0 as usize].any;
        let joined = Value {
            shape: self.eithers.join(value.shape, old.shape),
            taint: self.taints.join(taint, old.taint),
            gates: 0,
            folded: value.folded || old.folded,
        };
        if joined != old {
            self.objects[id.0 as usize].any = joined;
        }
        if let Shape::Function(function) = value.shape
            && let Some(object) = self.objects.quietly(id.0 as usize)
            && object.functions.len() < 64
            && !object.functions.contains(&function)
        {
            object.functions.push(function);
        }
    }

    /// Runs a function with these arguments, or tells what it gave when it ran with the like.
    pub(super) fn call_function(
        &mut self,
        id: FunctionId,
        arguments: &[Value<'a>],
        this: Value<'a>,
    ) -> Value<'a> {
        self.steps += 1;
        self.repeats.step();
        let key = signature(arguments, this);
        let spent = self.exhausted();
        let Some(info) = self.functions.get_mut(id.0 as usize) else { return Value::UNKNOWN };
        if let Some(&value) = info.contexts.get(&key) {
            return value;
        }
        let tainted = arguments.iter().any(|value| value.taint.0 != 0);
        let small = info.code.bytes() <= SMALL_FUNCTION_BYTES;
        let mut contexts = if small { SMALL_CONTEXTS } else { CONTEXTS };
        if tainted {
            contexts *= 3;
        }
        let last = info.last;
        let repeats = info.called;
        let full = info.contexts.len() >= contexts
            || info.running > 1
            || repeats
                && info.contexts.len() > usize::from(tainted)
                && self.repeats.are_spent(arguments.iter().all(Value::is_constant));
        if full || self.calls >= CALL_DEPTH || self.depth + 60 > DEPTH || spent {
            let taint = self.deep_back(arguments);
            return last.with_taint(self.taints.join(taint, last.taint));
        }
        info.called = true;
        info.running += 1;
        // While it runs, whoever calls it again gets what is known so far.
        info.contexts.insert(key, Value::UNKNOWN);
        let (code, outer) = (info.code, info.outer);
        let this = match (info.this, this.shape) {
            (Some(own), Shape::Unknown) => Value::of(Shape::Object(own)),
            _ => this,
        };
        let scope = self.scope_of_function(id, outer);
        let this = match code {
            Code::Arrow(_) => self.frame.this,
            Code::Function(_) => this,
        };
        let frame = Frame {
            scope,
            this,
            returns: Value::of(Shape::Undefined),
            arguments: arguments.to_vec(),
            function: Some(id),
        };
        let before = std::mem::replace(&mut self.frame, frame);
        let (branch, in_loop, gates) = (self.branch, self.in_loop, self.gates);
        (self.branch, self.in_loop) = (0, 0);
        let repeats = self.repeats.enter(repeats);
        self.calls += 1;
        self.function_body(code, arguments);
        self.calls -= 1;
        self.repeats.leave(repeats);
        (self.branch, self.in_loop, self.gates) = (branch, in_loop, gates);
        let frame = std::mem::replace(&mut self.frame, before);
        if let Some(info) = self.functions.get_mut(id.0 as usize) {
            info.running -= 1;
            info.contexts.insert(key, frame.returns);
            info.last = frame.returns;
        }
        frame.returns
    }
}

/// Steps within functions that have run before. What runs first runs whatever it takes; what runs again has so many steps.
#[derive(Debug, Default)]
struct Repeats {
    steps: u64,
    limit: u64,
    is_within: bool,
}

impl Repeats {
    fn of_a_file(bytes: usize) -> Self {
        Self { limit: REPEATED_STEPS + REPEATED_STEPS_OF_BYTES * bytes as u64 / 4, ..Self::default() }
    }

    fn begin(&mut self) {
        self.steps = 0;
    }

    #[inline]
    fn step(&mut self) {
        self.steps += u64::from(self.is_within);
    }

    /// Functions that take constants alone are likely to give constants: they have more.
    fn are_spent(&self, constants: bool) -> bool {
        self.steps > if constants { 4 * self.limit } else { self.limit }
    }

    fn enter(&mut self, repeats: bool) -> bool {
        std::mem::replace(&mut self.is_within, repeats)
    }

    fn leave(&mut self, before: bool) {
        self.is_within = before;
    }
}

/// What of arguments can change what a function does.
fn signature(arguments: &[Value<'_>], this: Value<'_>) -> u64 {
    let mut hasher = FxHasher::default();
    for value in arguments.iter().chain([&this]) {
        std::mem::discriminant(&value.shape).hash(&mut hasher);
        match value.shape {
            Shape::Text(text) => text.hash(&mut hasher),
            Shape::Number(number) => number.to_bits().hash(&mut hasher),
            Shape::Flag(flag) => flag.hash(&mut hasher),
            Shape::Name(id) => id.hash(&mut hasher),
            Shape::Function(id) => id.hash(&mut hasher),
            Shape::Object(id) | Shape::Resolver(id) | Shape::Bound(id) => id.hash(&mut hasher),
            Shape::Either(id) => id.hash(&mut hasher),
            Shape::Unknown | Shape::Undefined => {}
        }
        (value.taint, value.gates).hash(&mut hasher);
    }
    hasher.finish()
}
