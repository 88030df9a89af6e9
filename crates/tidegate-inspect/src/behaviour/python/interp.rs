//! Follows Python code: statements, names, branches. Values are abstract ([`Value`]), both branches are taken, loops are
//! passed once or twice, calls of functions of the file are followed with their arguments within a budget.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use ruff_python_ast::{self as ast, Expr, Stmt, Suite};
use ruff_text_size::Ranged;

use super::super::facts::{Gate, Scope, What};
use super::super::record::{Recorder, Site, Taint};
use super::value::{Args, Code, Func, Gates, Kind, Value};

/// Expressions looked at inside followed calls and repeated loops; beyond, calls pass their arguments through.
pub(super) const FOLLOWED_STEPS: u32 = 400_000;

/// Expressions looked at in all.
pub(super) const STEPS: u32 = 20_000_000;

/// Calls of one function that are followed.
const CALLS_OF_A_FUNCTION: u32 = 48;

/// Calls within calls that are followed.
const CALL_DEPTH: usize = 12;

/// Levels of expressions and statements that are followed.
pub(super) const DEPTH: u32 = 300;

/// Texts run as code that are read in turn, in one file.
pub(super) const LAYERS: usize = 24;

/// Bytes of a text that other modules may name.
const GIVEN_BYTES: usize = 1_024;

/// Functions of one file that are followed.
const FUNCTIONS: usize = 50_000;

/// The conditions, by bit.
pub(super) const GATES: [Gate; 5] = [Gate::Ci, Gate::Time, Gate::Locale, Gate::Machine, Gate::Chance];
pub(super) const CI: Gates = 1;
pub(super) const TIME: Gates = 2;
pub(super) const LOCALE: Gates = 4;
pub(super) const MACHINE: Gates = 8;
pub(super) const CHANCE: Gates = 16;

/// Keeps the trees of code that was found in constants as long as the values that point into it.
#[derive(Default)]
pub(super) struct Layers {
    slots: [OnceCell<Suite>; LAYERS],
}

impl Layers {
    pub(super) fn keep(&self, suite: Suite) -> Option<&Suite> {
        let free = self.slots.iter().find(|slot| slot.get().is_none())?;
        free.set(suite).ok()?;
        free.get()
    }
}

/// Names of one function call, one class body, or the module.
pub(super) struct Frame<'a> {
    pub(super) vars: HashMap<&'a str, Value<'a>>,
    pub(super) parent: Option<u32>,
    pub(super) class: Option<u32>,
    pub(super) outer: HashSet<&'a str>,
    pub(super) returned: Option<Value<'a>>,
    /// Whether a function or class was defined in it, which may ask for its names later.
    pub(super) is_kept: bool,
}

/// A class of the file.
#[derive(Default)]
pub(super) struct Class<'a> {
    pub(super) name: &'a str,
    pub(super) members: HashMap<Rc<str>, Value<'a>>,
    pub(super) bases: Vec<Value<'a>>,
}

pub(super) struct Interp<'a> {
    pub(super) rec: Recorder,
    pub(super) frames: Vec<Frame<'a>>,
    pub(super) frame: u32,
    pub(super) classes: Vec<Class<'a>>,
    pub(super) scope: Scope,
    pub(super) gates: Gates,
    /// Offset that stands for everything in code that came out of a constant.
    pub(super) at: Option<u64>,
    pub(super) layers: &'a Layers,
    /// Whether the file is run rather than imported: `setup.py`.
    pub(super) script: bool,
    pub(super) depth: u32,
    pub(super) steps: u32,
    pub(super) followed: u32,
    pub(super) loops: u32,
    pub(super) calls: Vec<usize>,
    pub(super) copied: usize,
    pub(super) gathered: usize,
    pub(super) counts: HashMap<usize, u32>,
    pub(super) results: HashMap<usize, Value<'a>>,
    pub(super) waiting: Vec<Rc<Func<'a>>>,
    pub(super) known: HashSet<usize>,
    pub(super) log: Vec<(u32, &'a str, Option<Value<'a>>)>,
    pub(super) branches: u32,
    /// Whether control left the last block by `break` or `continue`, so that what it changed still counts.
    pub(super) soft: bool,
}

impl<'a> Interp<'a> {
    pub(super) fn new(layers: &'a Layers, script: bool) -> Self {
        let mut new = Self {
            rec: Recorder::default(),
            frames: Vec::new(),
            frame: 0,
            classes: Vec::new(),
            scope: Scope::Load,
            gates: 0,
            at: None,
            layers,
            script,
            depth: 0,
            steps: 0,
            followed: 0,
            loops: 0,
            calls: Vec::new(),
            copied: 0,
            gathered: 0,
            counts: HashMap::new(),
            results: HashMap::new(),
            waiting: Vec::new(),
            known: HashSet::new(),
            log: Vec::new(),
            branches: 0,
            soft: false,
        };
        new.push_frame(None, None);
        new
    }

    /// Follows a module, then what nobody in it calls.
    pub(super) fn module(&mut self, body: &'a [Stmt]) {
        self.block(body);
        self.scope = Scope::Call;
        self.gates = 0;
        let mut done = 0;
        while let Some(func) = self.waiting.get(done).cloned() {
            done += 1;
            let is_new = !self.counts.contains_key(&func.code.id());
            let public = self.public_name(&func);
            match public.and_then(|name| self.rec.begin_function(&name)) {
                Some(given) => {
                    // Other modules may call it, with what nobody here knows.
                    let result = self.unasked(&func, &Args { rest: given, ..Args::default() });
                    self.rec.end_function(&result.taint);
                }
                None if is_new => {
                    self.unasked(&func, &Args::default());
                }
                None => {}
            }
        }
        self.give_constants();
    }

    /// The name by which other modules call a function, if they can.
    fn public_name(&self, func: &Func<'a>) -> Option<String> {
        let Code::Def(node) = func.code else { return None };
        let frame = self.frames.get(func.frame as usize)?;
        match frame.class {
            None if func.frame == 0 => Some(node.name.to_string()),
            Some(class) if frame.parent == Some(0) => {
                let class = self.classes.get(class as usize)?;
                Some(format!("{}.{}", class.name, node.name))
            }
            _ => None,
        }
    }

    /// Tells the texts at the top of the file that other modules may name.
    fn give_constants(&mut self) {
        let Some(frame) = self.frames.first() else { return };
        let mut all: Vec<(String, String)> = Vec::new();
        let mut keep = |name: String, value: &Value<'a>| {
            if let Kind::Text { text, exact: true } = &value.kind
                && (4..=GIVEN_BYTES).contains(&text.len())
            {
                all.push((name, text.to_string()));
            }
        };
        for (name, value) in &frame.vars {
            keep((*name).to_owned(), value);
            if let Kind::Class(class) = value.kind
                && let Some(class) = self.classes.get(class as usize)
            {
                class.members.iter().for_each(|(member, value)| keep(format!("{name}.{member}"), value));
            }
        }
        all.sort_unstable();
        all.iter().for_each(|(name, text)| self.rec.constant(name, text));
    }

    /// Follows a function of which no call was seen.
    pub(super) fn unasked(&mut self, func: &Rc<Func<'a>>, args: &Args<'a>) -> Value<'a> {
        let mut func = (**func).clone();
        if let Some(class) = func.class {
            func.bound.get_or_insert(Value::of(Kind::Object(class)));
        }
        self.followed = self.followed.min(FOLLOWED_STEPS / 2);
        self.invoke(&func, args, true)
    }

    pub(super) fn site(&self, node: &impl Ranged) -> Site {
        self.site_at(u64::from(node.range().start().to_u32()))
    }

    pub(super) fn site_at(&self, offset: u64) -> Site {
        Site {
            offset: self.at.unwrap_or(offset),
            scope: self.scope,
            gates: self.gate_set(),
            folded: self.at.is_some(),
        }
    }

    pub(super) fn gate_set(&self) -> BTreeSet<Gate> {
        GATES
            .iter()
            .enumerate()
            .filter(|(bit, _)| self.gates & (1 << bit) != 0)
            .map(|(_, gate)| *gate)
            .collect()
    }

    // ---- Names ---------------------------------------------------------------------------------------------------

    pub(super) fn push_frame(&mut self, parent: Option<u32>, class: Option<u32>) -> u32 {
        let index = u32::try_from(self.frames.len()).unwrap_or(u32::MAX);
        self.frames.push(Frame {
            vars: HashMap::new(),
            parent,
            class,
            outer: HashSet::new(),
            returned: None,
            is_kept: false,
        });
        index
    }

    /// Says that something may ask for the names of here when what runs here has ended.
    pub(super) fn keep_frame(&mut self) {
        if let Some(frame) = self.frames.get_mut(self.frame as usize) {
            frame.is_kept = true;
        }
    }

    /// Forgets the names of a call that has ended, and what the log since `mark` says of them, unless somebody may still ask.
    fn release(&mut self, index: u32, mark: usize) {
        let Some(frame) = self.frames.get_mut(index as usize).filter(|frame| !frame.is_kept) else { return };
        (frame.vars, frame.outer) = (HashMap::new(), HashSet::new());
        let since = self.log.split_off(mark.min(self.log.len()));
        self.log.extend(since.into_iter().filter(|(frame, ..)| *frame != index));
    }

    pub(super) fn lookup(&self, name: &str) -> Option<&Value<'a>> {
        let mut at = Some(self.frame);
        let mut first = true;
        while let Some(frame) = at.and_then(|index| self.frames.get(index as usize)) {
            if (first || frame.class.is_none())
                && let Some(value) = frame.vars.get(name)
            {
                return Some(value);
            }
            first = false;
            at = frame.parent;
        }
        None
    }

    pub(super) fn set(&mut self, name: &'a str, value: Value<'a>) {
        let mut at = self.frame;
        let outer = self.frames.get(at as usize).is_some_and(|frame| frame.outer.contains(name));
        if outer {
            let mut up = self.frames.get(at as usize).and_then(|frame| frame.parent);
            at = 0;
            while let Some(index) = up {
                let Some(frame) = self.frames.get(index as usize) else { break };
                if frame.vars.contains_key(name) {
                    at = index;
                    break;
                }
                up = frame.parent;
            }
            let value = match self.frames.get(at as usize).and_then(|frame| frame.vars.get(name)) {
                Some(old) => old.or(&value),
                None => value,
            };
            self.set_in(at, name, value);
        } else {
            self.set_in(at, name, value);
        }
    }

    pub(super) fn set_in(&mut self, at: u32, name: &'a str, value: Value<'a>) {
        let Some(frame) = self.frames.get_mut(at as usize) else { return };
        if let Some(class) = frame.class
            && let Some(class) = self.classes.get_mut(class as usize)
        {
            class.members.insert(name.into(), value.clone());
        }
        let old = frame.vars.insert(name, value);
        if self.branches > 0 {
            self.log.push((at, name, old));
        }
    }

    /// Changes what a name, an attribute or an element stands for, because something was put into it.
    pub(super) fn enrich(&mut self, target: &'a Expr, more: &Taint, kind: Option<Kind<'a>>) {
        match target {
            Expr::Name(name) => {
                let mut value = self.lookup(name.id.as_str()).cloned().unwrap_or_default().tainted(more);
                if let Some(kind) = kind {
                    value.kind = kind;
                }
                // Where the name lives further out, the outer one is meant.
                let mut at = Some(self.frame);
                while let Some(index) = at {
                    let Some(frame) = self.frames.get(index as usize) else { return };
                    if frame.vars.contains_key(name.id.as_str()) {
                        return self.set_in(index, name.id.as_str(), value);
                    }
                    at = frame.parent;
                }
                self.set_in(self.frame, name.id.as_str(), value);
            }
            Expr::Attribute(node) => {
                let mut value = self.peek(target).tainted(more);
                if let Some(kind) = kind {
                    value.kind = kind;
                }
                self.store_attribute(node, &value);
            }
            Expr::Subscript(node) => self.enrich(&node.value, more, None),
            Expr::Call(node) => {
                if let Expr::Attribute(func) = &*node.func {
                    self.enrich(&func.value, more, None);
                }
            }
            _ => {}
        }
    }

    pub(super) fn peek(&self, expr: &'a Expr) -> Value<'a> {
        match expr {
            Expr::Name(name) => self.lookup(name.id.as_str()).cloned().unwrap_or_default(),
            Expr::Attribute(node) => match (&*node.value, node.attr.as_str()) {
                (Expr::Name(name), attr) => match self.lookup(name.id.as_str()).map(|value| &value.kind) {
                    Some(Kind::Object(class) | Kind::Class(class)) => {
                        self.member(*class, attr).unwrap_or_default()
                    }
                    _ => Value::default(),
                },
                _ => Value::default(),
            },
            _ => Value::default(),
        }
    }

    /// A member of a class of the file or of its bases in the file.
    pub(super) fn member(&self, class: u32, name: &str) -> Option<Value<'a>> {
        let mut queue = vec![class];
        let mut seen = HashSet::new();
        while let Some(class) = queue.pop() {
            if !seen.insert(class) {
                continue;
            }
            let known = self.classes.get(class as usize)?;
            if let Some(value) = known.members.get(name) {
                return Some(value.clone());
            }
            for base in known.bases.iter().rev() {
                if let Kind::Class(base) = base.kind {
                    queue.push(base);
                }
            }
        }
        None
    }

    /// The library classes that a class of the file derives from.
    pub(super) fn library_bases(&self, class: u32) -> Vec<Rc<str>> {
        let mut queue = vec![class];
        let mut seen = HashSet::new();
        let mut all = Vec::new();
        while let Some(class) = queue.pop() {
            if !seen.insert(class) {
                continue;
            }
            for base in
                self.classes.get(class as usize).map(|class| class.bases.as_slice()).unwrap_or_default()
            {
                match &base.kind {
                    Kind::Class(base) => queue.push(*base),
                    Kind::Name(name, _) => all.push(Rc::clone(name)),
                    _ => {}
                }
            }
        }
        all
    }

    pub(super) fn store_attribute(&mut self, node: &'a ast::ExprAttribute, value: &Value<'a>) {
        let object = self.peek_value(&node.value);
        match &object.kind {
            Kind::Object(class) | Kind::Class(class) => {
                if let Some(class) = self.classes.get_mut(*class as usize) {
                    let known = class.members.get(node.attr.as_str());
                    let value = known.map_or_else(|| value.clone(), |known| value.or(known));
                    class.members.insert(node.attr.as_str().into(), value);
                }
            }
            Kind::Name(name, _) => {
                let place = format!("{name}.{}", node.attr);
                self.library_store(&place, value, node);
            }
            _ => {}
        }
        // What is put into a part is in the whole, unless the whole is an object whose members are known.
        if !matches!(object.kind, Kind::Object(_) | Kind::Class(_)) && !value.taint.is_empty() {
            self.enrich(&node.value, &value.taint, None);
        }
    }

    pub(super) fn peek_value(&mut self, expr: &'a Expr) -> Value<'a> {
        match expr {
            Expr::Name(name) => {
                self.lookup(name.id.as_str()).cloned().unwrap_or_else(|| self.builtin(name.id.as_str()))
            }
            other => self.expr(other),
        }
    }

    // ---- Functions of the file -------------------------------------------------------------------------------------

    pub(super) fn register(&mut self, func: &Rc<Func<'a>>) {
        if self.known.len() < FUNCTIONS && self.known.insert(func.code.id()) {
            self.waiting.push(Rc::clone(func));
        }
    }

    /// Follows a call of a function of the file.
    pub(super) fn invoke(&mut self, func: &Func<'a>, args: &Args<'a>, always: bool) -> Value<'a> {
        let id = func.code.id();
        let count = self.counts.get(&id).copied().unwrap_or(0);
        let tired = !always
            && (self.calls.len() >= CALL_DEPTH
                || count >= CALLS_OF_A_FUNCTION
                || self.followed > FOLLOWED_STEPS);
        if tired || self.calls.contains(&id) || self.depth >= DEPTH {
            let mut value = self.results.get(&id).cloned().unwrap_or_default();
            value.taint = value.taint.with(&args.taint());
            return value;
        }
        self.counts.insert(id, count + 1);
        let frame = self.push_frame(Some(func.frame), None);
        let caller = std::mem::replace(&mut self.frame, frame);
        let (gates, loops) = (self.gates, std::mem::take(&mut self.loops));
        let mark = self.log.len();
        self.calls.push(id);
        self.bind(func, args);
        let value = match func.code {
            Code::Def(node) => {
                self.block(&node.body);
                self.frames
                    .get_mut(frame as usize)
                    .and_then(|frame| frame.returned.take())
                    .unwrap_or_default()
            }
            Code::Lambda(node) => self.expr(&node.body),
        };
        self.calls.pop();
        (self.gates, self.loops) = (gates, loops);
        self.frame = caller;
        self.release(frame, mark);
        let kept = self.results.get(&id).map_or_else(|| value.clone(), |known| known.or(&value));
        self.results.insert(id, kept);
        value
    }

    pub(super) fn bind(&mut self, func: &Func<'a>, args: &Args<'a>) {
        let parameters = match func.code {
            Code::Def(node) => Some(&*node.parameters),
            Code::Lambda(node) => node.parameters.as_deref(),
        };
        let Some(parameters) = parameters else { return };
        let mut given = func.bound.iter().chain(&args.pos);
        let message = func.channel.as_ref().map(|address| {
            let site = self.site_at(func.code_offset());
            self.rec.source(What::ChannelReceive, address, &site)
        });
        for parameter in parameters.posonlyargs.iter().chain(&parameters.args).chain(&parameters.kwonlyargs) {
            let name = parameter.name().as_str();
            let positional = !parameters.kwonlyargs.iter().any(|other| std::ptr::eq(other, parameter));
            let value = if positional { given.next() } else { None };
            let mut value = value
                .or_else(|| args.named(name))
                .cloned()
                .or_else(|| {
                    func.defaults.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
                })
                .unwrap_or_default()
                .tainted(&args.rest);
            if let Some(message) = &message
                && name != "self"
            {
                value = value.tainted(message);
            }
            self.set_in(self.frame, name, value);
        }
        if let Some(rest) = &parameters.vararg {
            let given: Vec<Value<'a>> = given.cloned().collect();
            let value = self.gather(given).tainted(&args.rest);
            let value = message.iter().fold(value, |value, message| value.tainted(message));
            self.set_in(self.frame, rest.name.as_str(), value);
        }
        if let Some(rest) = &parameters.kwarg {
            let value = Value { kind: Kind::Dict(args.kw.clone().into()), ..Value::from(args.taint()) };
            self.set_in(self.frame, rest.name.as_str(), value);
        }
    }
}

impl Func<'_> {
    /// Where the function begins.
    pub(super) fn code_offset(&self) -> u64 {
        let range = match self.code {
            Code::Def(node) => node.range(),
            Code::Lambda(node) => node.range(),
        };
        range.start().to_u32().into()
    }
}
