//! Follows Rust code: items, blocks, patterns, expressions, macros. Types are not known; names are, through `use`.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use syn::spanned::Spanned as _;
use syn::{Block, Expr, Item, Lit, Pat, Stmt};

use super::super::facts::{Gate, Scope, What};
use super::super::record::{Recorder, Site, Taint};
use super::value::{CONSTANT_BYTES, Kind, Made, Thing, Value};

/// Expressions looked at in all.
const STEPS: u32 = 3_000_000;

/// Calls within calls that are followed.
const CALL_DEPTH: usize = 10;

/// Calls of one function that are followed.
const CALLS_OF_A_FUNCTION: u32 = 24;

/// Levels of expressions.
const DEPTH: u32 = 250;

/// Elements of a constant list that are computed one by one.
const COMPUTED: usize = 4_096;

/// Names that `use` brings, and groups within groups of it.
const USES: usize = 20_000;
const USE_DEPTH: usize = 16;

/// The conditions, by bit.
const GATES: [Gate; 5] = [Gate::Ci, Gate::Time, Gate::Locale, Gate::Machine, Gate::Chance];

/// A function of the file.
#[derive(Clone, Copy)]
struct Function<'a> {
    signature: &'a syn::Signature,
    block: &'a Block,
    on_load: bool,
}

pub(super) struct Follow<'a> {
    pub(super) rec: Recorder,
    pub(super) scope: Scope,
    pub(super) gates: u8,
    pub(super) loops: u32,
    functions: HashMap<String, Function<'a>>,
    order: Vec<String>,
    uses: HashMap<String, String>,
    statics: HashMap<String, Value>,
    fields: HashMap<String, Value>,
    scopes: Vec<HashMap<String, Value>>,
    /// Scopes below this one belong to callers.
    floor: usize,
    branches: u32,
    calls: Vec<String>,
    counts: HashMap<String, u32>,
    starters: HashSet<String>,
    returned: Vec<Value>,
    depth: u32,
    steps: u32,
}

impl<'a> Follow<'a> {
    pub(super) fn new() -> Self {
        Self {
            rec: Recorder::default(),
            scope: Scope::Load,
            gates: 0,
            loops: 0,
            functions: HashMap::new(),
            order: Vec::new(),
            uses: HashMap::new(),
            statics: HashMap::new(),
            fields: HashMap::new(),
            scopes: vec![HashMap::new()],
            floor: 0,
            branches: 0,
            calls: Vec::new(),
            counts: HashMap::new(),
            starters: HashSet::new(),
            returned: Vec::new(),
            depth: 0,
            steps: 0,
        }
    }

    /// Follows a file: first what runs by itself, then what nobody in it calls.
    pub(super) fn file(&mut self, file: &'a syn::File) {
        self.collect(&file.items, 0);
        self.constants(&file.items, 0);
        let begin: Vec<String> = self
            .order
            .iter()
            .filter(|name| {
                self.starters.contains(*name) || self.functions.get(*name).is_some_and(|f| f.on_load)
            })
            .cloned()
            .collect();
        for name in begin {
            self.invoke(&name, &[], true);
        }
        self.scope = Scope::Call;
        for name in self.order.clone() {
            if !self.counts.contains_key(&name) {
                self.invoke(&name, &[], true);
            }
        }
    }

    pub(super) fn site(&self, span: proc_macro2::Span) -> Site {
        let gates: BTreeSet<Gate> = GATES
            .iter()
            .enumerate()
            .filter(|(bit, _)| self.gates & (1 << bit) != 0)
            .map(|(_, gate)| *gate)
            .collect();
        self.site_with(u64::try_from(span.byte_range().start).unwrap_or(0), gates)
    }

    pub(super) fn site_at(&self, offset: u64) -> Site {
        self.site_with(offset, BTreeSet::new())
    }

    fn site_with(&self, offset: u64, gates: BTreeSet<Gate>) -> Site {
        Site { offset, scope: self.scope, gates, folded: false }
    }

    // ---- Items -------------------------------------------------------------------------------------------------------

    fn collect(&mut self, items: &'a [Item], depth: u32) {
        if depth > DEPTH {
            return;
        }
        for item in items {
            match item {
                Item::Fn(item) => {
                    let on_load = item.sig.ident == "main" || item.attrs.iter().any(runs_by_itself);
                    self.add(
                        &item.sig.ident.to_string(),
                        Function { signature: &item.sig, block: &item.block, on_load },
                    );
                }
                Item::Impl(item) => {
                    for part in &item.items {
                        if let syn::ImplItem::Fn(part) = part {
                            let on_load = part.attrs.iter().any(runs_by_itself);
                            self.add(
                                &part.sig.ident.to_string(),
                                Function { signature: &part.sig, block: &part.block, on_load },
                            );
                        }
                    }
                }
                Item::Trait(item) => {
                    for part in &item.items {
                        if let syn::TraitItem::Fn(part) = part
                            && let Some(block) = &part.default
                        {
                            self.add(
                                &part.sig.ident.to_string(),
                                Function { signature: &part.sig, block, on_load: false },
                            );
                        }
                    }
                }
                Item::Mod(item) => match &item.content {
                    Some((_, items)) => self.collect(items, depth + 1),
                    None => {
                        let path = item.attrs.iter().find_map(|attr| text_of_attribute(attr, "path"));
                        let name = path.unwrap_or_else(|| item.ident.to_string());
                        self.rec.import(&name, Scope::Load);
                    }
                },
                Item::Use(item) => self.use_tree(&item.tree, String::new(), 0),
                Item::Static(item) if item.attrs.iter().any(is_start_section) => {
                    // The address of a function in a section that the loader runs.
                    let mut names = Paths(&mut self.starters);
                    syn::visit::Visit::visit_expr(&mut names, &item.expr);
                }
                _ => {}
            }
        }
    }

    fn add(&mut self, name: &str, function: Function<'a>) {
        // Methods of one name in several types: the first stands under its name, the others beside it.
        let mut key = name.to_owned();
        let mut number = 1_u32;
        while self.functions.contains_key(&key) && number < 512 {
            key = format!("{name}#{number}");
            number += 1;
        }
        if !self.functions.contains_key(&key) {
            self.order.push(key.clone());
            self.functions.insert(key, function);
        }
    }

    fn constants(&mut self, items: &'a [Item], depth: u32) {
        if depth > DEPTH {
            return;
        }
        for item in items {
            match item {
                Item::Const(item) => {
                    let value = self.expr(&item.expr);
                    self.statics.insert(item.ident.to_string(), value);
                }
                Item::Static(item) => {
                    let value = self.expr(&item.expr);
                    self.statics.insert(item.ident.to_string(), value);
                }
                Item::Impl(item) => {
                    for part in &item.items {
                        if let syn::ImplItem::Const(part) = part {
                            let value = self.expr(&part.expr);
                            self.statics.insert(part.ident.to_string(), value);
                        }
                    }
                }
                Item::Mod(item) => {
                    if let Some((_, items)) = &item.content {
                        self.constants(items, depth + 1);
                    }
                }
                Item::Macro(item) => {
                    let is_rules = item.mac.path.is_ident("macro_rules");
                    if !is_rules {
                        self.mac(&item.mac);
                    }
                }
                _ => {}
            }
        }
    }

    fn use_tree(&mut self, tree: &syn::UseTree, before: String, depth: usize) {
        if depth > USE_DEPTH || self.uses.len() > USES {
            return;
        }
        let with = |name: &str| if before.is_empty() { name.to_owned() } else { format!("{before}::{name}") };
        match tree {
            syn::UseTree::Path(part) => {
                let next = with(&part.ident.to_string());
                self.use_tree(&part.tree, next, depth + 1);
            }
            syn::UseTree::Name(part) => {
                let name = part.ident.to_string();
                let whole = if name == "self" { before } else { with(&name) };
                let local = whole.rsplit("::").next().unwrap_or(&whole).to_owned();
                self.uses.insert(local, whole);
            }
            syn::UseTree::Rename(part) => {
                let name = part.ident.to_string();
                let whole = if name == "self" { before } else { with(&name) };
                self.uses.insert(part.rename.to_string(), whole);
            }
            syn::UseTree::Group(part) => {
                for tree in &part.items {
                    self.use_tree(tree, before.clone(), depth + 1);
                }
            }
            _ => {}
        }
    }

    /// A path with its beginning replaced by what `use` says.
    fn resolved(&self, path: &syn::Path) -> String {
        let mut parts: Vec<String> =
            path.segments.iter().take(16).map(|part| part.ident.to_string()).collect();
        for _ in 0..2 {
            let Some(first) = parts.first() else { break };
            let Some(whole) = self.uses.get(first).filter(|whole| *whole != first) else { break };
            let begin: Vec<String> = whole.split("::").map(str::to_owned).collect();
            parts.splice(0..1, begin);
            if parts.len() > 24 {
                break;
            }
        }
        parts.retain(|part| part != "crate" && part != "self" && part != "super");
        parts.join("::")
    }

    // ---- Names ---------------------------------------------------------------------------------------------------------

    fn lookup(&self, name: &str) -> Option<&Value> {
        let own =
            self.scopes.get(self.floor..).unwrap_or_default().iter().rev().find_map(|scope| scope.get(name));
        own.or_else(|| self.statics.get(name))
    }

    fn declare(&mut self, name: String, value: Value) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name, value);
        }
    }

    /// Gives a variable another value; in a branch the old one counts beside it.
    fn store(&mut self, name: &str, value: Value, replace: bool) {
        let branches = self.branches;
        let floor = self.floor;
        let Some(slot) = self
            .scopes
            .get_mut(floor..)
            .unwrap_or_default()
            .iter_mut()
            .rev()
            .find_map(|scope| scope.get_mut(name))
        else {
            return;
        };
        *slot = if branches > 0 && !replace { value.or(slot) } else { value };
    }

    /// Puts a value behind a place expression.
    pub(super) fn put(&mut self, place: &Expr, value: Value, replace: bool) {
        match place {
            Expr::Path(path) => {
                if let Some(name) = path.path.get_ident() {
                    self.store(&name.to_string(), value, replace);
                }
            }
            Expr::Field(field) => {
                if let syn::Member::Named(name) = &field.member {
                    let known = self.fields.entry(name.to_string()).or_default();
                    *known = value.or(known);
                }
            }
            Expr::Index(index) => {
                let taint = value.taint;
                self.enrich(&index.expr, &taint);
            }
            Expr::Reference(inner) => self.put(&inner.expr, value, replace),
            Expr::Unary(inner) => self.put(&inner.expr, value, replace),
            Expr::Paren(inner) => self.put(&inner.expr, value, replace),
            _ => {}
        }
    }

    /// Something was put into what an expression stands for.
    pub(super) fn enrich(&mut self, place: &Expr, taint: &Taint) {
        if taint.is_empty() {
            return;
        }
        let root = match place {
            Expr::Reference(inner) => return self.enrich(&inner.expr, taint),
            Expr::MethodCall(inner) => return self.enrich(&inner.receiver, taint),
            Expr::Index(inner) => return self.enrich(&inner.expr, taint),
            Expr::Unary(inner) => return self.enrich(&inner.expr, taint),
            Expr::Try(inner) => return self.enrich(&inner.expr, taint),
            Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
            Expr::Field(_) => None,
            _ => return,
        };
        match root {
            Some(name) => {
                if let Some(value) = self.lookup(&name).cloned() {
                    self.store(&name, value.tainted(taint), true);
                }
            }
            None => self.put(place, Value::from(taint.clone()), false),
        }
    }

    // ---- Functions -----------------------------------------------------------------------------------------------------

    /// Whether the file has a function of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.functions.contains_key(name)
    }

    /// Follows a call of a function of the file.
    pub(super) fn invoke(&mut self, name: &str, args: &[Value], always: bool) -> Value {
        let passed = args.iter().fold(Taint::default(), |all, value| all.with(&value.taint));
        let Some(function) = self.functions.get(name).copied() else { return Value::from(passed) };
        let count = self.counts.get(name).copied().unwrap_or(0);
        let tired = self.calls.len() >= CALL_DEPTH || count >= CALLS_OF_A_FUNCTION || self.steps > STEPS / 2;
        if !always && tired || self.calls.iter().any(|known| known == name) || self.depth >= DEPTH {
            return Value::from(passed);
        }
        self.counts.insert(name.to_owned(), count + 1);
        self.calls.push(name.to_owned());
        let floor = std::mem::replace(&mut self.floor, self.scopes.len());
        let (gates, branches, loops) =
            (self.gates, std::mem::take(&mut self.branches), std::mem::take(&mut self.loops));
        self.scopes.push(HashMap::new());
        self.returned.push(Value::default());
        let takes_self =
            function.signature.inputs.iter().any(|input| matches!(input, syn::FnArg::Receiver(_)));
        let mut given = args.iter();
        if takes_self && args.len() == function.signature.inputs.len() {
            given.next();
        }
        for input in &function.signature.inputs {
            if let syn::FnArg::Typed(input) = input {
                let value = given.next().cloned().unwrap_or_default();
                self.bind(&input.pat, &value);
            }
        }
        let last = self.block(function.block);
        let early = self.returned.pop().unwrap_or_default();
        self.scopes.truncate(self.floor);
        self.floor = floor;
        (self.gates, self.branches, self.loops) = (gates, branches, loops);
        self.calls.pop();
        last.or(&early)
    }

    /// Follows the body of a closure.
    pub(super) fn closure(&mut self, closure: &syn::ExprClosure, args: &[Value]) -> Value {
        if self.depth >= DEPTH {
            return Value::default();
        }
        self.scopes.push(HashMap::new());
        self.returned.push(Value::default());
        let rest = args.last().map(Value::blurred).unwrap_or_default();
        for (at, pattern) in closure.inputs.iter().enumerate() {
            let value = args.get(at).cloned().unwrap_or_else(|| rest.clone());
            self.bind(pattern, &value);
        }
        let value = self.expr(&closure.body);
        let early = self.returned.pop().unwrap_or_default();
        self.scopes.pop();
        value.or(&early)
    }

    // ---- Statements ------------------------------------------------------------------------------------------------------

    pub(super) fn block(&mut self, block: &Block) -> Value {
        self.scopes.push(HashMap::new());
        let gates = self.gates;
        let mut last = Value::default();
        for statement in &block.stmts {
            if self.steps > STEPS {
                break;
            }
            last = Value::default();
            match statement {
                Stmt::Local(local) => {
                    let value = match &local.init {
                        Some(init) => {
                            let value = self.kept(&init.expr);
                            if let Some((_, other)) = &init.diverge {
                                self.aside(|this| this.expr(other));
                            }
                            value
                        }
                        None => Value::default(),
                    };
                    self.bind(&local.pat, &value);
                }
                Stmt::Expr(expr, semicolon) => {
                    let value = self.expr(expr);
                    // `if gate { return; }`: what follows runs only where the condition let it.
                    if let Expr::If(branch) = expr
                        && branch.then_branch.stmts.iter().any(leaves)
                    {
                        self.gates |= value.gates;
                    }
                    if semicolon.is_none() {
                        last = value;
                    }
                }
                Stmt::Macro(statement) => last = self.mac(&statement.mac),
                Stmt::Item(_) => {}
            }
        }
        self.gates = gates;
        self.scopes.pop();
        last
    }

    fn aside<T>(&mut self, way: impl FnOnce(&mut Self) -> T) -> T {
        self.branches += 1;
        let value = way(self);
        self.branches -= 1;
        value
    }

    fn bind(&mut self, pattern: &Pat, value: &Value) {
        self.depth += 1;
        if self.depth < DEPTH {
            match pattern {
                Pat::Ident(part) => {
                    self.declare(part.ident.to_string(), value.clone());
                    if let Some((_, inner)) = &part.subpat {
                        self.bind(inner, value);
                    }
                }
                Pat::Type(part) => self.bind(&part.pat, value),
                Pat::Reference(part) => self.bind(&part.pat, value),
                Pat::Paren(part) => self.bind(&part.pat, value),
                Pat::Tuple(part) => self.bind_all(part.elems.iter(), value, true),
                Pat::Slice(part) => self.bind_all(part.elems.iter(), value, true),
                Pat::TupleStruct(part) => self.bind_all(part.elems.iter(), value, false),
                Pat::Or(part) => self.bind_all(part.cases.iter(), value, false),
                Pat::Struct(part) => {
                    for field in &part.fields {
                        self.bind(&field.pat, &value.blurred());
                    }
                }
                Pat::Guard(part) => {
                    self.bind(&part.pat, value);
                    self.expr(&part.guard);
                }
                _ => {}
            }
        }
        self.depth -= 1;
    }

    fn bind_all<'p>(&mut self, parts: impl Iterator<Item = &'p Pat>, value: &Value, takes_apart: bool) {
        for (at, part) in parts.enumerate() {
            let item = match &value.kind {
                Kind::List(all) if takes_apart => all.get(at).cloned().unwrap_or_else(|| value.blurred()),
                _ if takes_apart => value.blurred(),
                // `Some(x)`, `Ok(x)`: the value itself.
                _ => value.clone(),
            };
            self.bind(part, &item);
        }
    }

    // ---- Expressions -------------------------------------------------------------------------------------------------------

    /// As [`Follow::expr`], but a closure is kept to be called later.
    fn kept(&mut self, expr: &Expr) -> Value {
        match expr {
            Expr::Closure(closure) => Value::of(Kind::Closure(Rc::new(closure.clone()))),
            other => self.expr(other),
        }
    }

    pub(super) fn expr(&mut self, expr: &Expr) -> Value {
        self.steps = self.steps.saturating_add(1);
        if self.depth >= DEPTH || self.steps > STEPS {
            return Value::default();
        }
        self.depth += 1;
        let value = self.known_expr(expr);
        self.depth -= 1;
        value
    }

    fn known_expr(&mut self, expr: &Expr) -> Value {
        match expr {
            Expr::Lit(literal) => self.literal(&literal.lit),
            Expr::Path(path) => match path.path.get_ident().map(ToString::to_string) {
                Some(name) => match self.lookup(&name) {
                    Some(value) => value.clone(),
                    None => Value::of(Kind::Path(self.resolved(&path.path).into())),
                },
                None => {
                    let last =
                        path.path.segments.last().map(|part| part.ident.to_string()).unwrap_or_default();
                    match self.statics.get(&last) {
                        Some(value) => value.clone(),
                        None => Value::of(Kind::Path(self.resolved(&path.path).into())),
                    }
                }
            },
            Expr::Paren(inner) => self.expr(&inner.expr),
            Expr::Group(inner) => self.expr(&inner.expr),
            Expr::Reference(inner) => self.expr(&inner.expr),
            Expr::RawAddr(inner) => self.expr(&inner.expr),
            Expr::Try(inner) => self.expr(&inner.expr),
            Expr::Await(inner) => self.expr(&inner.base),
            Expr::Cast(inner) => self.expr(&inner.expr),
            Expr::Unary(inner) => {
                let value = self.expr(&inner.expr);
                match inner.op {
                    syn::UnOp::Deref(_) => value,
                    _ => value.blurred(),
                }
            }
            Expr::Block(inner) => self.block(&inner.block),
            Expr::Unsafe(inner) => self.block(&inner.block),
            Expr::Async(inner) => self.block(&inner.block),
            Expr::Const(inner) => self.block(&inner.block),
            Expr::TryBlock(inner) => self.block(&inner.block),
            Expr::Closure(closure) => self.closure(closure, &[]),
            Expr::Array(list) => self.list(list.elems.iter()),
            Expr::Tuple(list) => self.list(list.elems.iter()),
            Expr::Repeat(inner) => self.expr(&inner.expr).blurred(),
            Expr::Struct(part) => {
                let mut taint = Taint::default();
                for field in &part.fields {
                    let value = self.expr(&field.expr);
                    taint = taint.with(&value.taint);
                    if let syn::Member::Named(name) = &field.member {
                        let known = self.fields.entry(name.to_string()).or_default();
                        *known = value.or(known);
                    }
                }
                if let Some(rest) = &part.rest {
                    taint = taint.with(&self.expr(rest).taint);
                }
                Value::from(taint)
            }
            Expr::Field(field) => {
                let object = self.expr(&field.base);
                match (&field.member, &object.kind) {
                    (syn::Member::Named(name), _) => {
                        let known = self.fields.get(&name.to_string()).cloned().unwrap_or_default();
                        known.tainted(&object.taint)
                    }
                    (syn::Member::Unnamed(at), Kind::List(all)) => {
                        all.get(at.index as usize).cloned().unwrap_or_else(|| object.blurred())
                    }
                    _ => object,
                }
            }
            Expr::Index(index) => {
                let object = self.expr(&index.expr);
                let key = self.expr(&index.index);
                match (&object.kind, key.as_int()) {
                    (Kind::List(all), Some(at)) => usize::try_from(at)
                        .ok()
                        .and_then(|at| all.get(at).cloned())
                        .unwrap_or_else(|| object.blurred()),
                    _ => object.blurred(),
                }
            }
            Expr::Binary(binary) => self.binary(binary),
            Expr::Assign(assign) => {
                let value = self.kept(&assign.right);
                self.put(&assign.left, value, false);
                Value::default()
            }
            Expr::If(branch) => {
                self.scopes.push(HashMap::new());
                let test = self.expr(&branch.cond);
                let gates = self.gates;
                self.gates |= test.gates;
                let mut value = self.aside(|this| this.block(&branch.then_branch));
                if let Some((_, other)) = &branch.else_branch {
                    let other = self.aside(|this| this.expr(other));
                    value = value.or(&other);
                }
                self.gates = gates;
                self.scopes.pop();
                value.gated(test.gates)
            }
            Expr::Let(part) => {
                let value = self.expr(&part.expr);
                self.bind(&part.pat, &value);
                Value::default().gated(value.gates)
            }
            Expr::Match(part) => {
                let subject = self.expr(&part.expr);
                let gates = self.gates;
                self.gates |= subject.gates;
                let mut all: Option<Value> = None;
                for arm in &part.arms {
                    self.scopes.push(HashMap::new());
                    self.bind(&arm.pat, &subject);
                    let value = self.aside(|this| this.expr(&arm.body));
                    self.scopes.pop();
                    all = Some(all.map_or_else(|| value.clone(), |all| all.or(&value)));
                }
                self.gates = gates;
                all.unwrap_or_default()
            }
            Expr::ForLoop(part) => {
                let iter = self.expr(&part.expr);
                self.rec.settle(&iter.taint);
                let item = element(&iter);
                self.scopes.push(HashMap::new());
                self.bind(&part.pat, &item);
                self.repeat(&part.body);
                if let (Expr::MethodCall(call), Pat::Ident(name)) = (&*part.expr, &*part.pat)
                    && call.method.to_string().ends_with("_mut")
                {
                    // What the body made of each element is what the whole is made of.
                    let made = self
                        .lookup(&name.ident.to_string())
                        .map(|value| value.taint.clone())
                        .unwrap_or_default();
                    self.enrich(&call.receiver, &made);
                }
                self.scopes.pop();
                Value::default()
            }
            Expr::While(part) => {
                self.scopes.push(HashMap::new());
                let test = self.expr(&part.cond);
                let gates = self.gates;
                self.gates |= test.gates;
                self.repeat(&part.body);
                self.gates = gates;
                self.scopes.pop();
                Value::default()
            }
            Expr::Loop(part) => {
                self.repeat(&part.body);
                Value::default()
            }
            Expr::Return(part) => {
                let value = part.expr.as_deref().map(|value| self.expr(value)).unwrap_or_default();
                if let Some(known) = self.returned.last_mut() {
                    *known = known.or(&value);
                }
                Value::default()
            }
            Expr::Break(part) => part.expr.as_deref().map(|value| self.expr(value)).unwrap_or_default(),
            Expr::Range(part) => {
                for bound in [&part.start, &part.end].into_iter().flatten() {
                    self.expr(bound);
                }
                Value::default()
            }
            Expr::Macro(part) => self.mac(&part.mac),
            Expr::Call(call) => self.call(call),
            Expr::MethodCall(call) => self.method_call(call),
            Expr::Yield(part) => part.expr.as_deref().map(|value| self.expr(value)).unwrap_or_default(),
            _ => Value::default(),
        }
    }

    fn repeat(&mut self, body: &Block) {
        self.loops += 1;
        let times = if self.loops <= 2 && self.steps < STEPS / 2 { 2 } else { 1 };
        for _ in 0..times {
            self.aside(|this| this.block(body));
        }
        self.loops -= 1;
    }

    fn list<'e>(&mut self, parts: impl Iterator<Item = &'e Expr>) -> Value {
        let all: Vec<Value> = parts.take(1 << 16).map(|part| self.expr(part)).collect();
        let bytes: Option<Vec<u8>> = if all.len() > 8 {
            all.iter().map(|item| u8::try_from(item.as_int()?).ok()).collect()
        } else {
            None
        };
        match bytes {
            Some(bytes) => Value::of(Kind::Bytes(bytes.into())),
            None => Value::list(all),
        }
    }

    fn literal(&mut self, literal: &Lit) -> Value {
        match literal {
            Lit::Str(text) => {
                let value = text.value();
                self.telling(&value, text.span(), false);
                self.big(Value::text(&value), value.as_bytes(), text.span())
            }
            Lit::ByteStr(bytes) => {
                let value = bytes.value();
                if let Ok(text) = std::str::from_utf8(&value) {
                    self.telling(text, bytes.span(), false);
                }
                self.big(Value::of(Kind::Bytes(value.as_slice().into())), &value, bytes.span())
            }
            Lit::Byte(byte) => Value::of(Kind::Int(i64::from(byte.value()))),
            Lit::Char(c) => Value::text(c.value().encode_utf8(&mut [0; 4])),
            Lit::Int(int) => {
                int.base10_parse::<i64>().map_or_else(|_| Value::default(), |int| Value::of(Kind::Int(int)))
            }
            Lit::Bool(value) => Value::of(Kind::Int(i64::from(value.value))),
            _ => Value::default(),
        }
    }

    fn big(&mut self, value: Value, bytes: &[u8], span: proc_macro2::Span) -> Value {
        if bytes.len() <= 4096 || !super::super::python::is_dense(bytes) {
            return value;
        }
        let begin = String::from_utf8_lossy(bytes.get(..64).unwrap_or_default()).into_owned();
        let site = self.site(span);
        let taint = self.rec.lazy_source(What::BigConstant, &begin, &site);
        value.tainted(&taint)
    }

    /// Puts down a text that is telling.
    pub(super) fn telling(&mut self, text: &str, span: proc_macro2::Span, folded: bool) {
        if is_telling(text) {
            let site = Site { folded, ..self.site(span) };
            self.rec.fact(What::Text, text, &site);
        }
    }

    /// As [`Follow::telling`], where no span is known.
    pub(super) fn telling_at(&mut self, text: &str, offset: u64) {
        if is_telling(text) {
            let site = self.site_at(offset);
            self.rec.fact(What::Text, text, &site);
        }
    }

    fn binary(&mut self, binary: &syn::ExprBinary) -> Value {
        // Chains lean to the left; they are walked, not descended.
        let mut parts = vec![binary];
        while let Some(Expr::Binary(left)) = parts.last().map(|binary| &*binary.left) {
            parts.push(left);
        }
        let Some(first) = parts.last() else { return Value::default() };
        let mut value = self.expr(&first.left);
        for binary in parts.iter().rev() {
            let right = self.expr(&binary.right);
            value = self.operator(&value, binary, &right);
        }
        value
    }

    fn operator(&mut self, left: &Value, binary: &syn::ExprBinary, right: &Value) -> Value {
        use syn::BinOp;
        let both = Value { kind: Kind::Unknown, ..left.or(right) };
        let ints = left.as_int().zip(right.as_int());
        match binary.op {
            BinOp::Add(_) => {
                if let Some((a, b)) = ints {
                    return a.checked_add(b).map_or(both, |sum| Value::of(Kind::Int(sum)));
                }
                if matches!(left.kind, Kind::Text { .. }) {
                    let text = format!("{}{}", left.shown(), right.shown());
                    let exact = left.as_text().is_some() && right.as_text().is_some();
                    return Value { kind: Kind::Text { text: text.into(), exact }, ..both };
                }
                both
            }
            BinOp::Sub(_) => match ints {
                Some((a, b)) => a.checked_sub(b).map_or(both, |difference| Value::of(Kind::Int(difference))),
                None => both,
            },
            BinOp::BitXor(_) | BinOp::BitXorAssign(_) => {
                let mut value = match ints {
                    Some((a, b)) => Value::of(Kind::Int(a ^ b)).fold(true),
                    None => both.clone(),
                };
                if self.loops > 0 {
                    let site = self.site(binary.op.span());
                    let taint = self.decoder("xor", &both.taint, &site);
                    value.taint = taint.clone();
                    if matches!(binary.op, BinOp::BitXorAssign(_)) {
                        self.enrich(&binary.left, &taint);
                    }
                }
                value
            }
            BinOp::BitOr(_) => match (&left.kind, &right.kind) {
                (Kind::Path(a), Kind::Path(b)) => {
                    Value { kind: Kind::Path(format!("{a}|{b}").into()), ..both }
                }
                (Kind::Int(a), Kind::Int(b)) => Value::of(Kind::Int(a | b)),
                _ => both,
            },
            BinOp::AddAssign(_) | BinOp::BitOrAssign(_) | BinOp::SubAssign(_) => {
                let sum = if matches!(left.kind, Kind::Text { .. }) {
                    let text = format!("{}{}", left.shown(), right.shown());
                    Value { kind: Kind::Text { text: text.into(), exact: false }, ..both }
                } else {
                    both
                };
                self.put(&binary.left, sum, true);
                Value::default()
            }
            BinOp::And(_)
            | BinOp::Or(_)
            | BinOp::Eq(_)
            | BinOp::Ne(_)
            | BinOp::Lt(_)
            | BinOp::Gt(_)
            | BinOp::Le(_)
            | BinOp::Ge(_) => Value::default().gated(left.gates | right.gates),
            _ => both,
        }
    }

    /// Puts down a decoder and what reaches it, and gives what comes out.
    pub(super) fn decoder(&mut self, kind: &str, input: &Taint, site: &Site) -> Taint {
        let out = self.rec.source(What::Decode, kind, site);
        if let Some(fact) = self.rec.fact(What::Decode, kind, site) {
            self.rec.arrive(input, fact);
        }
        out.with(&input.decoded())
    }

    /// Puts down what is done with a value, and which sources arrive there.
    pub(super) fn sink(&mut self, what: What, detail: &str, site: &Site, taint: &Taint) -> Option<u32> {
        let fact = self.rec.fact(what, detail, site)?;
        self.rec.arrive(taint, fact);
        if matches!(what, What::Exec | What::ExecDetached | What::LibraryLoad | What::MakeExecutable) {
            let kept = self.rec.kept_in(detail);
            self.rec.arrive(&kept, fact);
        }
        Some(fact)
    }

    fn call(&mut self, call: &syn::ExprCall) -> Value {
        let callee = match &*call.func {
            Expr::Path(path)
                if path.path.get_ident().is_none_or(|name| self.lookup(&name.to_string()).is_none()) =>
            {
                Value::of(Kind::Path(self.resolved(&path.path).into()))
            }
            other => self.expr(other),
        };
        let args = self.arguments(&call.args, &Taint::default());
        let site = self.site(call.func.span());
        match &callee.kind {
            Kind::Path(path) => {
                let path = Rc::clone(path);
                self.function(&path, &args, call, &site)
            }
            Kind::Closure(closure) => {
                let closure = Rc::clone(closure);
                self.closure(&closure, &args)
            }
            _ => Value::from(args.iter().fold(callee.taint.clone(), |all, value| all.with(&value.taint))),
        }
    }

    /// Arguments; closures among them are followed at once, with what is known of the others.
    pub(super) fn arguments(
        &mut self,
        args: &syn::punctuated::Punctuated<Expr, syn::Token![,]>,
        with: &Taint,
    ) -> Vec<Value> {
        let mut all = Vec::with_capacity(args.len().min(64));
        let mut taint = with.clone();
        for part in args {
            let value = match part {
                Expr::Closure(closure) => self.closure(closure, &[Value::from(taint.clone())]),
                other => self.expr(other),
            };
            taint = taint.with(&value.taint);
            all.push(value);
        }
        all
    }

    fn method_call(&mut self, call: &syn::ExprMethodCall) -> Value {
        let receiver = self.expr(&call.receiver);
        let name = call.method.to_string();
        let site = self.site(call.method.span());
        if let Some(value) = self.element_wise(&receiver, &name, call) {
            return value;
        }
        let args = self.arguments(&call.args, &receiver.taint);
        self.method(&receiver, &name, &args, call, &site)
    }

    /// `iter().map(|b| …)` over a constant: computed one by one.
    fn element_wise(&mut self, receiver: &Value, name: &str, call: &syn::ExprMethodCall) -> Option<Value> {
        let (Some(Expr::Closure(closure)), 1) = (call.args.first(), call.args.len()) else { return None };
        if !matches!(name, "map" | "for_each" | "filter_map" | "flat_map") {
            return None;
        }
        self.loops += 1;
        let items: Option<Vec<Value>> = match &receiver.kind {
            Kind::Bytes(bytes) if bytes.len() <= COMPUTED => {
                Some(bytes.iter().map(|byte| Value::of(Kind::Int(i64::from(*byte)))).collect())
            }
            Kind::List(all) if all.len() <= COMPUTED => Some(all.to_vec()),
            _ => None,
        };
        self.rec.settle(&receiver.taint);
        let value = match items {
            Some(items) => {
                let mut all = Vec::with_capacity(items.len());
                for item in items {
                    all.push(self.closure(closure, &[item]));
                    if self.steps > STEPS / 2 {
                        break;
                    }
                }
                Value::list(all)
            }
            None => self.closure(closure, &[element(receiver)]).blurred(),
        };
        self.loops -= 1;
        Some(value.tainted(&receiver.taint))
    }

    // ---- Macros ----------------------------------------------------------------------------------------------------------

    fn mac(&mut self, mac: &syn::Macro) -> Value {
        let name = mac.path.segments.last().map(|part| part.ident.to_string()).unwrap_or_default();
        let span = mac.path.span();
        let exprs = mac
            .parse_body_with(syn::punctuated::Punctuated::<Expr, syn::Token![,]>::parse_terminated)
            .map(|all| all.into_iter().collect::<Vec<Expr>>());
        match (name.as_str(), exprs) {
            ("format" | "concat" | "write" | "writeln" | "format_args", Ok(parts)) => {
                let skip = usize::from(name.starts_with("write"));
                let values: Vec<Value> = parts.iter().map(|part| self.expr(part)).collect();
                let text = if name == "concat" {
                    self.concatenated(&values)
                } else {
                    self.formatted(values.get(skip..).unwrap_or_default())
                };
                if let Kind::Text { text, .. } = &text.kind {
                    self.telling(text, span, false);
                }
                if skip == 1
                    && let (Some(target), Some(place)) = (values.first(), parts.first())
                {
                    self.written(target, &text.taint, span);
                    self.enrich(place, &text.taint);
                }
                text
            }
            ("env" | "option_env", Ok(parts)) => {
                let name = parts.first().map(|part| self.expr(part)).unwrap_or_default();
                let site = self.site(span);
                self.variable(&name, &site)
            }
            ("include_str" | "include_bytes", Ok(parts)) => {
                let path =
                    parts.first().map(|part| self.expr(part).shown()).unwrap_or_else(|| "*".to_owned());
                let site = self.site(span);
                let taint = self.rec.source(What::FileRead, &path, &site);
                Value::from(taint)
            }
            ("include", Ok(parts)) => {
                let path =
                    parts.first().map(|part| self.expr(part).shown()).unwrap_or_else(|| "*".to_owned());
                self.rec.import(&path, self.scope);
                Value::default()
            }
            ("vec", Ok(parts)) => self.list(parts.iter()),
            ("matches" | "assert" | "assert_eq" | "assert_ne" | "debug_assert" | "cfg", _) => {
                Value::default()
            }
            (_, Ok(parts)) => {
                let taint = parts.iter().fold(Taint::default(), |all, part| all.with(&self.expr(part).taint));
                Value::from(taint)
            }
            _ => match mac.parse_body_with(Block::parse_within) {
                Ok(statements) => {
                    let block = Block { brace_token: syn::token::Brace::default(), stmts: statements };
                    self.block(&block)
                }
                Err(_) => Value::default(),
            },
        }
    }

    fn concatenated(&mut self, parts: &[Value]) -> Value {
        let mut whole = Value::list(parts.to_vec());
        let text: String = parts.iter().map(Value::shown).collect();
        let exact = parts.iter().all(|part| part.as_text().is_some() || part.as_int().is_some());
        whole.kind = Kind::Text { text: text.into(), exact };
        whole
    }

    /// `format!`: `*` for what is not known.
    fn formatted(&mut self, parts: &[Value]) -> Value {
        let Some((pattern, given)) = parts.split_first() else { return Value::default() };
        let mut out = String::new();
        let mut taint = Taint::default();
        let mut exact = pattern.as_text().is_some();
        let mut next = 0;
        let pattern = pattern.shown();
        let mut rest = pattern.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '{' if rest.next_if_eq(&'{').is_some() => out.push('{'),
                '}' => {
                    rest.next_if_eq(&'}');
                    out.push('}');
                }
                '{' => {
                    let field: String = rest.by_ref().take_while(|c| *c != '}').collect();
                    let name = field.split(':').next().unwrap_or_default();
                    let value = if name.is_empty() {
                        next += 1;
                        given.get(next - 1).cloned()
                    } else if let Ok(at) = name.parse::<usize>() {
                        given.get(at).cloned()
                    } else {
                        self.lookup(name).cloned()
                    };
                    let value = value.unwrap_or_default();
                    self.rec.settle(&value.taint);
                    taint = taint.with(&value.taint);
                    exact &= value.as_text().is_some() || value.as_int().is_some();
                    out.push_str(&value.shown());
                }
                c => out.push(c),
            }
            if out.len() > CONSTANT_BYTES {
                break;
            }
        }
        // Named arguments are assignments to the parser; what they carry is in their values all the same.
        for value in given {
            taint = taint.with(&value.taint);
        }
        Value::of(Kind::Text { text: out.into(), exact }).tainted(&taint)
    }

    /// An environment variable is read.
    pub(super) fn variable(&mut self, name: &Value, site: &Site) -> Value {
        let text = name.as_text().unwrap_or_default();
        let taint = self.rec.source(What::EnvRead, text, site);
        let value = match super::super::python::folder_of_variable(text) {
            Some(folder) => Value::text(folder),
            None => Value::default(),
        };
        value.tainted(&taint).gated(super::super::python::gates_of_variable(text))
    }

    /// Something is written to a target of writing: file, socket, the input of a process.
    pub(super) fn written(&mut self, target: &Value, taint: &Taint, span: proc_macro2::Span) {
        let Some(made) = target.as_made() else { return };
        match made.what {
            Thing::File => {
                if let Some(fact) = made.fact {
                    self.rec.arrive(taint, fact);
                    self.rec.keep(&Taint::default(), &made.about, taint);
                }
            }
            Thing::Socket | Thing::Request => {
                let site = self.site(span);
                self.sink(What::NetSend, &made.about, &site, taint);
            }
            Thing::Child => {
                let site = self.site(span);
                self.sink(What::Exec, &made.about, &site, taint);
            }
            _ => {}
        }
    }
}

/// One element of what is gone through.
pub(super) fn element(value: &Value) -> Value {
    match &value.kind {
        Kind::List(all) => {
            let one = all.iter().take(64).cloned().reduce(|all, item| all.or(&item)).unwrap_or_default();
            let kind = match (all.len(), &one.kind) {
                (_, Kind::List(_) | Kind::Made(_)) | (1, _) => one.kind.clone(),
                (_, Kind::Text { text, .. }) => Kind::Text { text: Rc::clone(text), exact: false },
                _ => Kind::Unknown,
            };
            Value { kind, ..one }.tainted(&value.taint)
        }
        Kind::Made(made) => match made.what {
            Thing::Listener => {
                Value::of(Kind::Made(Rc::new(Made { what: Thing::Socket, ..(**made).clone() })))
                    .tainted(&value.taint)
            }
            _ => value.clone(),
        },
        _ => value.blurred(),
    }
}

/// Whether a statement leaves its block for good.
fn leaves(statement: &Stmt) -> bool {
    match statement {
        Stmt::Expr(Expr::Return(_), _) => true,
        Stmt::Expr(Expr::Call(call), _) => {
            matches!(&*call.func, Expr::Path(path) if path.path.segments.last().is_some_and(|part| part.ident == "exit"))
        }
        _ => false,
    }
}

/// `#[ctor]`, `#[proc_macro]` and its kin, and functions in a section that the loader runs.
fn runs_by_itself(attribute: &syn::Attribute) -> bool {
    let last = attribute.path().segments.last().map(|part| part.ident.to_string()).unwrap_or_default();
    matches!(last.as_str(), "ctor" | "dtor" | "proc_macro" | "proc_macro_derive" | "proc_macro_attribute")
        || is_start_section(attribute)
}

/// `#[link_section = ".init_array"]` and its kin on other systems, with or without `unsafe(…)`.
fn is_start_section(attribute: &syn::Attribute) -> bool {
    let names = |text: &str| {
        [".init_array", ".ctors", "__mod_init_func", ".CRT$X", ".fini_array", ".preinit_array"]
            .iter()
            .any(|known| text.contains(known))
    };
    match &attribute.meta {
        syn::Meta::NameValue(_) => {
            text_of_attribute(attribute, "link_section").is_some_and(|text| names(&text))
        }
        syn::Meta::List(list) => {
            list.tokens.to_string().contains("link_section") && names(&list.tokens.to_string())
        }
        syn::Meta::Path(_) => false,
    }
}

fn text_of_attribute(attribute: &syn::Attribute, name: &str) -> Option<String> {
    let syn::Meta::NameValue(pair) = &attribute.meta else { return None };
    let Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) = &pair.value else { return None };
    pair.path.is_ident(name).then(|| text.value())
}

/// Names of functions within an expression.
struct Paths<'s>(&'s mut HashSet<String>);

impl<'ast> syn::visit::Visit<'ast> for Paths<'_> {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let Some(last) = path.segments.last() {
            self.0.insert(last.ident.to_string());
        }
        syn::visit::visit_path(self, path);
    }
}

fn is_telling(text: &str) -> bool {
    (4..=CONSTANT_BYTES).contains(&text.len()) && super::super::words::is_telling(text)
}
