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
const FOLLOWED_STEPS: u32 = 400_000;

/// Expressions looked at in all.
const STEPS: u32 = 20_000_000;

/// Calls of one function that are followed.
const CALLS_OF_A_FUNCTION: u32 = 48;

/// Calls within calls that are followed.
const CALL_DEPTH: usize = 12;

/// Constants that a loop goes through one by one, and statements of such a loop.
const UNROLLED: usize = 512;
const UNROLLED_BODY: usize = 6;

/// Levels of expressions and statements that are followed.
pub(super) const DEPTH: u32 = 300;

/// Texts run as code that are read in turn, in one file.
pub(super) const LAYERS: usize = 24;

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
    fn keep(&self, suite: Suite) -> Option<&Suite> {
        let free = self.slots.iter().find(|slot| slot.get().is_none())?;
        free.set(suite).ok()?;
        free.get()
    }
}

/// Names of one function call, one class body, or the module.
pub(super) struct Frame<'a> {
    pub(super) vars: HashMap<&'a str, Value<'a>>,
    parent: Option<u32>,
    class: Option<u32>,
    outer: HashSet<&'a str>,
    returned: Option<Value<'a>>,
}

/// A class of the file.
#[derive(Default)]
pub(super) struct Class<'a> {
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
    counts: HashMap<usize, u32>,
    results: HashMap<usize, Value<'a>>,
    waiting: Vec<Rc<Func<'a>>>,
    known: HashSet<usize>,
    log: Vec<(u32, &'a str, Option<Value<'a>>)>,
    branches: u32,
    /// Whether control left the last block by `break` or `continue`, so that what it changed still counts.
    soft: bool,
}

type Changes<'a> = Vec<(u32, &'a str, Option<Value<'a>>)>;

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
            if !self.counts.contains_key(&func.code.id()) {
                self.unasked(&func);
            }
        }
    }

    /// Follows a function of which no call was seen.
    fn unasked(&mut self, func: &Rc<Func<'a>>) {
        let mut func = (**func).clone();
        if let Some(class) = func.class {
            func.bound.get_or_insert(Value::of(Kind::Object(class)));
        }
        self.followed = self.followed.min(FOLLOWED_STEPS / 2);
        self.invoke(&func, &Args::default(), true);
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

    fn gate_set(&self) -> BTreeSet<Gate> {
        GATES
            .iter()
            .enumerate()
            .filter(|(bit, _)| self.gates & (1 << bit) != 0)
            .map(|(_, gate)| *gate)
            .collect()
    }

    // ---- Names ---------------------------------------------------------------------------------------------------

    fn push_frame(&mut self, parent: Option<u32>, class: Option<u32>) -> u32 {
        let index = u32::try_from(self.frames.len()).unwrap_or(u32::MAX);
        self.frames.push(Frame {
            vars: HashMap::new(),
            parent,
            class,
            outer: HashSet::new(),
            returned: None,
        });
        index
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

    fn set_in(&mut self, at: u32, name: &'a str, value: Value<'a>) {
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

    fn peek(&self, expr: &'a Expr) -> Value<'a> {
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

    fn peek_value(&mut self, expr: &'a Expr) -> Value<'a> {
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
        let kept = self.results.get(&id).map_or_else(|| value.clone(), |known| known.or(&value));
        self.results.insert(id, kept);
        value
    }

    fn bind(&mut self, func: &Func<'a>, args: &Args<'a>) {
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
            let value = Value::list(given.cloned().collect()).tainted(&args.rest);
            let value = message.iter().fold(value, |value, message| value.tainted(message));
            self.set_in(self.frame, rest.name.as_str(), value);
        }
        if let Some(rest) = &parameters.kwarg {
            let value = Value { kind: Kind::Dict(args.kw.clone().into()), ..Value::from(args.taint()) };
            self.set_in(self.frame, rest.name.as_str(), value);
        }
    }

    // ---- Statements --------------------------------------------------------------------------------------------------

    /// Follows statements one after another; tells whether control leaves the block for good.
    pub(super) fn block(&mut self, body: &'a [Stmt]) -> bool {
        self.depth += 1;
        let gates = self.gates;
        let mut leaves = false;
        if self.depth < DEPTH {
            for (index, statement) in body.iter().enumerate() {
                if self.steps > STEPS {
                    break;
                }
                leaves = self.statement(statement, body.get(index + 1));
                if leaves {
                    break;
                }
            }
            // Functions behind a `return` are still there to be seen, and so is code after an unconditional exit.
        }
        self.gates = gates;
        self.depth -= 1;
        leaves
    }

    fn statement(&mut self, statement: &'a Stmt, next: Option<&'a Stmt>) -> bool {
        self.soft = false;
        match statement {
            Stmt::Expr(node) => {
                if let (Expr::Name(name), Some(Stmt::Expr(code))) = (&*node.value, next)
                    && name.id.as_str() == "exec"
                {
                    // Python 2: `exec text`, which this parser reads as two statements.
                    let value = self.expr(&code.value);
                    let site = self.site(&*node.value);
                    self.run_text("exec", &value, &site);
                    return false;
                }
                if !node.value.is_string_literal_expr() {
                    self.expr(&node.value);
                }
                return self.ends(&node.value);
            }
            Stmt::Assign(node) => {
                let value = self.expr(&node.value);
                for target in &node.targets {
                    self.assign(target, value.clone(), Some(&node.value));
                }
            }
            Stmt::AugAssign(node) => {
                let old = self.expr(&node.target);
                let more = self.expr(&node.value);
                let value = self.binary(&old, node.op, &more, node.range.start().to_u32().into());
                self.assign(&node.target, value, None);
            }
            Stmt::AnnAssign(node) => {
                if let Some(value) = &node.value {
                    let value = self.expr(value);
                    self.assign(&node.target, value, None);
                }
            }
            Stmt::Return(node) => {
                let value = node.value.as_deref().map(|value| self.expr(value)).unwrap_or_default();
                self.give(value);
                return true;
            }
            Stmt::Raise(node) => {
                for value in [&node.exc, &node.cause].into_iter().flatten() {
                    self.expr(value);
                }
                return true;
            }
            Stmt::Break(_) | Stmt::Continue(_) => {
                self.soft = true;
                return true;
            }
            Stmt::If(node) => return self.if_statement(node),
            Stmt::For(node) => self.for_statement(node),
            Stmt::While(node) => {
                let test = self.expr(&node.test);
                self.gated(test.gates, |this| this.repeat(&node.body));
                self.branch(|this| this.block(&node.orelse));
            }
            Stmt::With(node) => {
                for item in &node.items {
                    let value = self.expr(&item.context_expr);
                    let value = self.entered(value);
                    if let Some(target) = &item.optional_vars {
                        self.assign(target, value, None);
                    }
                }
                return self.block(&node.body);
            }
            Stmt::Try(node) => return self.try_statement(node),
            Stmt::Match(node) => {
                let subject = self.expr(&node.subject);
                for case in &node.cases {
                    self.branch(|this| {
                        this.capture(&case.pattern, &subject);
                        if let Some(guard) = &case.guard {
                            this.expr(guard);
                        }
                        this.block(&case.body)
                    });
                }
            }
            Stmt::FunctionDef(node) => self.function(node),
            Stmt::ClassDef(node) => self.class(node),
            Stmt::Import(node) => self.import(node),
            Stmt::ImportFrom(node) => self.import_from(node),
            Stmt::Global(node) => self.declare(&node.names),
            Stmt::Nonlocal(node) => self.declare(&node.names),
            Stmt::Assert(node) => {
                self.expr(&node.test);
            }
            Stmt::Delete(_) | Stmt::TypeAlias(_) | Stmt::Pass(_) | Stmt::IpyEscapeCommand(_) => {}
        }
        false
    }

    /// Whether an expression never returns: the exits of a program.
    fn ends(&self, expr: &'a Expr) -> bool {
        let Expr::Call(call) = expr else { return false };
        match &*call.func {
            Expr::Name(name) => {
                matches!(name.id.as_str(), "exit" | "quit") && self.lookup(name.id.as_str()).is_none()
            }
            Expr::Attribute(node) => {
                matches!(node.attr.as_str(), "exit" | "_exit" | "abort")
                    && matches!(&*node.value, Expr::Name(name) if matches!(name.id.as_str(), "sys" | "os"))
            }
            _ => false,
        }
    }

    pub(super) fn give(&mut self, value: Value<'a>) {
        if let Some(frame) = self.frames.get_mut(self.frame as usize) {
            frame.returned = Some(match frame.returned.take() {
                Some(old) => old.or(&value),
                None => value,
            });
        }
    }

    fn declare(&mut self, names: &'a [ast::Identifier]) {
        if let Some(frame) = self.frames.get_mut(self.frame as usize) {
            frame.outer.extend(names.iter().map(ast::Identifier::as_str));
        }
    }

    /// Follows one way; what it changes counts beside what was there before.
    fn branch(&mut self, way: impl FnOnce(&mut Self) -> bool) -> bool {
        let (changes, leaves) = self.aside(way);
        if !leaves || self.soft {
            self.merge(changes, Vec::new());
        }
        leaves
    }

    /// Follows one way and takes back what it changed.
    fn aside(&mut self, way: impl FnOnce(&mut Self) -> bool) -> (Changes<'a>, bool) {
        let mark = self.log.len();
        self.branches += 1;
        let leaves = way(self);
        self.branches -= 1;
        let mut changes: Changes<'a> = Vec::new();
        let mut seen = HashSet::new();
        while self.log.len() > mark {
            let Some((frame, name, old)) = self.log.pop() else { break };
            let Some(vars) = self.frames.get_mut(frame as usize).map(|frame| &mut frame.vars) else {
                continue;
            };
            let new = match old {
                Some(old) => vars.insert(name, old),
                None => vars.remove(name),
            };
            if seen.insert((frame, name)) {
                changes.push((frame, name, new));
            }
        }
        (changes, leaves)
    }

    /// Joins what two ways changed with what was there.
    fn merge(&mut self, one: Changes<'a>, other: Changes<'a>) {
        let mut rest: HashMap<(u32, &'a str), Option<Value<'a>>> =
            other.into_iter().map(|(frame, name, value)| ((frame, name), value)).collect();
        let mut joined: Changes<'a> = Vec::new();
        for (frame, name, value) in one {
            let beside = match rest.remove(&(frame, name)) {
                Some(value) => value,
                None => self.frames.get(frame as usize).and_then(|frame| frame.vars.get(name).cloned()),
            };
            joined.push((frame, name, either(value, beside)));
        }
        let mut left: Vec<_> = rest.into_iter().collect();
        left.sort_unstable_by_key(|(key, _)| *key);
        for ((frame, name), value) in left {
            let beside = self.frames.get(frame as usize).and_then(|frame| frame.vars.get(name).cloned());
            joined.push((frame, name, either(value, beside)));
        }
        for (frame, name, value) in joined {
            if let Some(value) = value {
                self.set_in(frame, name, value);
            }
        }
    }

    pub(super) fn gated<T>(&mut self, gates: Gates, way: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.gates;
        self.gates |= gates;
        let result = way(self);
        self.gates = before;
        result
    }

    fn if_statement(&mut self, node: &'a ast::StmtIf) -> bool {
        let main = !self.script && is_main_guard(&node.test);
        let test = self.expr(&node.test);
        let scope = self.scope;
        if main {
            self.scope = Scope::Call;
        }
        let (mut changes, mut all_leave) =
            self.gated(test.gates, |this| this.aside(|this| this.block(&node.body)));
        self.scope = scope;
        let mut gates = test.gates;
        let mut exits = all_leave;
        if all_leave && !self.soft {
            changes.clear();
        }
        let mut has_else = false;
        let mut merged = changes;
        for clause in &node.elif_else_clauses {
            match &clause.test {
                Some(test) => gates |= self.expr(test).gates,
                None => has_else = true,
            }
            let (changes, leaves) = self.gated(gates, |this| this.aside(|this| this.block(&clause.body)));
            all_leave &= leaves;
            exits |= leaves;
            if !leaves || self.soft {
                if merged.is_empty() {
                    merged = changes;
                } else {
                    self.merge(std::mem::take(&mut merged), changes);
                }
            }
        }
        self.merge(merged, Vec::new());
        if exits {
            // What follows runs only where the condition let it.
            self.gates |= gates;
        }
        all_leave && has_else
    }

    fn for_statement(&mut self, node: &'a ast::StmtFor) {
        let iter = self.expr(&node.iter);
        if let Kind::List(items) = &iter.kind
            && node.body.len() <= UNROLLED_BODY
            && items.len() <= UNROLLED
            && self.loops < 2
            && self.followed < FOLLOWED_STEPS
            && items.iter().all(|item| matches!(item.kind, Kind::Int(_) | Kind::Text { exact: true, .. }))
        {
            return self.unrolled(node, &Rc::clone(items));
        }
        let item = self.element(&iter, u64::from(node.iter.range().start().to_u32()));
        self.branch(|this| {
            this.assign(&node.target, item.clone(), None);
            this.repeat(&node.body);
            false
        });
        self.branch(|this| this.block(&node.orelse));
    }

    /// A short loop over constants: passed as often as Python would pass it.
    fn unrolled(&mut self, node: &'a ast::StmtFor, items: &Rc<[Value<'a>]>) {
        self.loops += 1;
        let before = self.steps;
        for item in items.iter() {
            self.assign(&node.target, item.clone(), None);
            if self.block(&node.body) && !self.soft {
                break;
            }
        }
        self.followed = self.followed.saturating_add(self.steps - before);
        self.loops -= 1;
        self.branch(|this| this.block(&node.orelse));
    }

    /// A body that runs any number of times.
    fn repeat(&mut self, body: &'a [Stmt]) {
        self.loops += 1;
        let twice = self.loops <= 2 && self.followed < FOLLOWED_STEPS;
        let before = self.steps;
        self.branch(|this| {
            this.block(body);
            false
        });
        if twice {
            self.branch(|this| {
                this.block(body);
                false
            });
            self.followed = self.followed.saturating_add((self.steps - before) / 2);
        }
        self.loops -= 1;
    }

    fn try_statement(&mut self, node: &'a ast::StmtTry) -> bool {
        let leaves = self.block(&node.body);
        let mut all = leaves;
        if !leaves {
            all |= self.block(&node.orelse);
        }
        let gates = self.gates;
        for handler in &node.handlers {
            let ast::ExceptHandler::ExceptHandler(handler) = handler;
            all &= self.branch(|this| {
                if let Some(kind) = &handler.type_ {
                    this.expr(kind);
                }
                if let Some(name) = &handler.name {
                    this.set(name.as_str(), Value::default());
                }
                this.block(&handler.body)
            });
        }
        self.gates = gates;
        self.block(&node.finalbody) || all
    }

    /// Gives a value to a target.
    pub(super) fn assign(&mut self, target: &'a Expr, value: Value<'a>, from: Option<&'a Expr>) {
        self.depth += 1;
        match target {
            _ if self.depth > DEPTH => {}
            Expr::Name(name) => self.set(name.id.as_str(), value),
            Expr::Attribute(node) => self.store_attribute(node, &value),
            Expr::Subscript(node) => self.store_element(node, &value),
            Expr::Starred(node) => self.assign(&node.value, value.blurred(), None),
            Expr::Tuple(ast::ExprTuple { elts, .. }) | Expr::List(ast::ExprList { elts, .. }) => {
                let offset = from.map_or(0, |from| u64::from(from.range().start().to_u32()));
                match &value.kind {
                    Kind::List(items) if items.len() == elts.len() => {
                        for (target, item) in elts.iter().zip(Rc::clone(items).iter()) {
                            self.assign(target, item.clone(), None);
                        }
                    }
                    _ => {
                        let item = self.element(&value, offset);
                        for target in elts {
                            self.assign(target, item.clone(), None);
                        }
                    }
                }
            }
            _ => {}
        }
        self.depth -= 1;
    }

    fn store_element(&mut self, node: &'a ast::ExprSubscript, value: &Value<'a>) {
        let object = self.peek_value(&node.value);
        let key = self.expr(&node.slice);
        if let Some(name) = object.as_name() {
            let place = format!("{name}[]");
            let site = self.site(node);
            self.library_element(&place, &key, value, &site);
        }
        let kind = match (&object.kind, key.as_text()) {
            (Kind::Dict(items), Some(key)) if items.len() < 256 => {
                let mut items: Vec<_> = items.iter().filter(|(known, _)| &**known != key).cloned().collect();
                items.push((key.into(), value.clone()));
                Some(Kind::Dict(items.into()))
            }
            (Kind::Unknown, Some(key)) => Some(Kind::Dict(Rc::from([(Rc::from(key), value.clone())]))),
            _ => None,
        };
        let is_env = object.as_name() == Some("os.environ");
        if !is_env && (kind.is_some() || !value.taint.is_empty()) {
            self.enrich(&node.value, &value.taint, kind);
        }
    }

    fn capture(&mut self, pattern: &'a ast::Pattern, value: &Value<'a>) {
        self.depth += 1;
        if self.depth < DEPTH {
            let mut names = Vec::new();
            let mut parts: Vec<&'a ast::Pattern> = Vec::new();
            match pattern {
                ast::Pattern::MatchAs(node) => {
                    names.extend(node.name.as_ref());
                    parts.extend(node.pattern.as_deref());
                }
                ast::Pattern::MatchStar(node) => names.extend(node.name.as_ref()),
                ast::Pattern::MatchSequence(node) => parts.extend(&node.patterns),
                ast::Pattern::MatchOr(node) => parts.extend(&node.patterns),
                ast::Pattern::MatchMapping(node) => {
                    names.extend(node.rest.as_ref());
                    parts.extend(&node.patterns);
                }
                ast::Pattern::MatchClass(node) => {
                    parts.extend(&node.arguments.patterns);
                    parts.extend(node.arguments.keywords.iter().map(|keyword| &keyword.pattern));
                }
                ast::Pattern::MatchValue(_) | ast::Pattern::MatchSingleton(_) => {}
            }
            let whole = matches!(pattern, ast::Pattern::MatchAs(_));
            for name in names {
                self.set(name.as_str(), if whole { value.clone() } else { value.blurred() });
            }
            for part in parts {
                let part_value = if whole { value.clone() } else { value.blurred() };
                self.capture(part, &part_value);
            }
        }
        self.depth -= 1;
    }

    // ---- Definitions -------------------------------------------------------------------------------------------------

    fn function(&mut self, node: &'a ast::StmtFunctionDef) {
        let defaults = self.defaults(Some(&node.parameters));
        let class = self.frames.get(self.frame as usize).and_then(|frame| frame.class);
        let mut func = Func {
            code: Code::Def(node),
            frame: self.frame,
            bound: None,
            defaults,
            property: false,
            class,
            channel: None,
        };
        let mut wrappers = Vec::new();
        for decorator in &node.decorator_list {
            let value = self.expr(&decorator.expression);
            match value.as_name() {
                Some("builtins.property" | "functools.cached_property") => func.property = true,
                Some("builtins.staticmethod") => func.class = None,
                Some(name) if super::net::is_channel_decorator(name) => func.channel = Some(value.shown()),
                Some("atexit.register") => wrappers.push(value),
                _ if matches!(value.kind, Kind::Func(_) | Kind::Class(_)) => wrappers.push(value),
                _ => {}
            }
        }
        let func = Rc::new(func);
        self.register(&func);
        let mut value = Value::of(Kind::Func(func));
        let site = self.site(node);
        for wrapper in wrappers.iter().rev() {
            let args = Args { pos: vec![value.clone()], ..Args::default() };
            let wrapped = self.apply(wrapper, &args, &site);
            if matches!(wrapped.kind, Kind::Func(_) | Kind::Object(_)) {
                value = wrapped;
            }
        }
        self.set(node.name.as_str(), value);
    }

    pub(super) fn defaults(&mut self, parameters: Option<&'a ast::Parameters>) -> Rc<[(&'a str, Value<'a>)]> {
        let mut all = Vec::new();
        for parameter in parameters.into_iter().flat_map(|all| all.iter_non_variadic_params()) {
            if let Some(default) = parameter.default() {
                all.push((parameter.name().as_str(), self.expr(default)));
            }
        }
        all.into()
    }

    fn class(&mut self, node: &'a ast::StmtClassDef) {
        let mut bases = Vec::new();
        for base in node.bases() {
            bases.push(self.expr(base));
        }
        for keyword in node.keywords() {
            self.expr(&keyword.value);
        }
        for decorator in &node.decorator_list {
            self.expr(&decorator.expression);
        }
        let index = u32::try_from(self.classes.len()).unwrap_or(u32::MAX);
        self.classes.push(Class { members: HashMap::new(), bases });
        let frame = self.push_frame(Some(self.frame), Some(index));
        let outer = std::mem::replace(&mut self.frame, frame);
        self.block(&node.body);
        self.frame = outer;
        self.set(node.name.as_str(), Value::of(Kind::Class(index)));
        if self.script && self.library_bases(index).iter().any(|name| is_setup_command(name)) {
            self.run_setup_command(index);
        }
    }

    /// Follows what a command of setup.py does when it is run.
    pub(super) fn run_setup_command(&mut self, class: u32) {
        for name in ["__init__", "initialize_options", "finalize_options", "run"] {
            self.call_member(class, name, &Args::default());
        }
    }

    /// Calls a method of an object of a class of the file, if it has it.
    pub(super) fn call_member(&mut self, class: u32, name: &str, args: &Args<'a>) -> Option<Value<'a>> {
        let Kind::Func(func) = self.member(class, name)?.kind else { return None };
        let mut func = (*func).clone();
        func.bound = func.class.map(|_| Value::of(Kind::Object(class)));
        Some(self.invoke(&func, args, false))
    }

    fn import(&mut self, node: &'a ast::StmtImport) {
        for alias in &node.names {
            let name = alias.name.as_str();
            self.rec.import(name, self.scope);
            match &alias.asname {
                Some(local) => self.set(local.as_str(), Value::name(name)),
                None => {
                    let first = name.split('.').next().unwrap_or(name);
                    self.set(first, Value::name(first));
                }
            }
        }
    }

    fn import_from(&mut self, node: &'a ast::StmtImportFrom) {
        let dots = ".".repeat(node.level.min(16) as usize);
        let module = format!("{dots}{}", node.module.as_ref().map_or("", |module| module.as_str()));
        if node.module.is_some() {
            self.rec.import(&module, self.scope);
        }
        for alias in &node.names {
            let name = alias.name.as_str();
            let whole =
                if module.ends_with('.') { format!("{module}{name}") } else { format!("{module}.{name}") };
            if name == "*" {
                super::names::star(&module, |name| self.set(name, Value::name(&format!("{module}.{name}"))));
                if node.module.is_none() {
                    self.rec.import(&module, self.scope);
                }
                continue;
            }
            // What is taken may be a module of the package as well as a name in it.
            if node.level > 0 || module.contains('.') || !super::names::is_standard(&module) {
                self.rec.import(&whole, self.scope);
            }
            let local = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
            self.set(
                local,
                super::names::canonical(&whole)
                    .map_or_else(|| Value::name(&whole), |name| Value::name(&name)),
            );
        }
    }

    /// Reads a text as code in the names of here, as `exec` does.
    pub(super) fn nested(&mut self, code: &str, offset: u64) -> Option<Value<'a>> {
        let suite = super::parse_layer(code)?;
        let suite = self.layers.keep(suite)?;
        let at = self.at.replace(self.at.unwrap_or(offset));
        let mut last = Value::default();
        if let [Stmt::Expr(only)] = suite.as_slice() {
            last = self.expr(&only.value);
        } else {
            self.block(suite);
        }
        self.at = at;
        Some(last)
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

fn either<'a>(one: Option<Value<'a>>, other: Option<Value<'a>>) -> Option<Value<'a>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.or(&other)),
        (one, other) => one.or(other),
    }
}

/// `__name__ == '__main__'`, either way round.
fn is_main_guard(test: &Expr) -> bool {
    let Expr::Compare(node) = test else { return false };
    let [other] = &*node.comparators else { return false };
    let is_name = |expr: &Expr| matches!(expr, Expr::Name(name) if name.id.as_str() == "__name__");
    let is_main =
        |expr: &Expr| matches!(expr, Expr::StringLiteral(text) if text.value.to_str() == "__main__");
    is_name(&node.left) && is_main(other) || is_main(&node.left) && is_name(other)
}

/// Whether a library class is a command of setup.py.
pub(super) fn is_setup_command(name: &str) -> bool {
    let root = name.split('.').next().unwrap_or(name);
    matches!(root, "setuptools" | "distutils" | "wheel" | "skbuild" | "Cython" | "numpy")
}
