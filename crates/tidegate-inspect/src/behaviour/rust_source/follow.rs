//! Follows Rust code: items, blocks, patterns, expressions, macros. Types are not known; names are, through `use`.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use syn::{Block, Expr, Item, Lit, Pat, Stmt};

use super::super::facts::{Gate, Scope};
use super::super::record::{Recorder, Site, Taint};
use super::value::{Kind, Made, Thing, Value};

/// Expressions looked at in all.
pub(super) const STEPS: u32 = 3_000_000;

/// Calls within calls that are followed.
const CALL_DEPTH: usize = 10;

/// Calls of one function that are followed.
const CALLS_OF_A_FUNCTION: u32 = 24;

/// Levels of expressions.
pub(super) const DEPTH: u32 = 250;

/// Names that `use` brings, and groups within groups of it.
const USES: usize = 20_000;
const USE_DEPTH: usize = 16;

/// The conditions, by bit.
const GATES: [Gate; 5] = [Gate::Ci, Gate::Time, Gate::Locale, Gate::Machine, Gate::Chance];

/// A function of the file.
#[derive(Clone, Copy)]
pub(super) struct Function<'a> {
    signature: &'a syn::Signature,
    block: &'a Block,
    on_load: bool,
}

pub(super) struct Follow<'a> {
    pub(super) rec: Recorder,
    pub(super) scope: Scope,
    pub(super) gates: u8,
    pub(super) loops: u32,
    pub(super) functions: HashMap<String, Function<'a>>,
    pub(super) order: Vec<String>,
    pub(super) uses: HashMap<String, String>,
    pub(super) statics: HashMap<String, Value>,
    pub(super) fields: HashMap<String, Value>,
    pub(super) scopes: Vec<HashMap<String, Value>>,
    /// Scopes below this one belong to callers.
    pub(super) floor: usize,
    pub(super) branches: u32,
    pub(super) calls: Vec<String>,
    pub(super) counts: HashMap<String, u32>,
    pub(super) starters: HashSet<String>,
    pub(super) returned: Vec<Value>,
    pub(super) depth: u32,
    pub(super) steps: u32,
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
        // Rust has no code of its own before `main`: what a lazy static does, it does for the first who asks for it.
        self.scope = Scope::Call;
        self.constants(&file.items, 0);
        self.scope = Scope::Load;
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

    pub(super) fn site_with(&self, offset: u64, gates: BTreeSet<Gate>) -> Site {
        Site { offset, scope: self.scope, gates, folded: false }
    }

    // ---- Items -------------------------------------------------------------------------------------------------------

    pub(super) fn collect(&mut self, items: &'a [Item], depth: u32) {
        if depth > DEPTH {
            return;
        }
        for item in items.iter().filter(|item| !only_in_tests(item)) {
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

    pub(super) fn add(&mut self, name: &str, function: Function<'a>) {
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

    pub(super) fn constants(&mut self, items: &'a [Item], depth: u32) {
        if depth > DEPTH {
            return;
        }
        for item in items.iter().filter(|item| !only_in_tests(item)) {
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

    pub(super) fn use_tree(&mut self, tree: &syn::UseTree, before: String, depth: usize) {
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
    pub(super) fn resolved(&self, path: &syn::Path) -> String {
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

    pub(super) fn lookup(&self, name: &str) -> Option<&Value> {
        let own =
            self.scopes.get(self.floor..).unwrap_or_default().iter().rev().find_map(|scope| scope.get(name));
        own.or_else(|| self.statics.get(name))
    }

    pub(super) fn declare(&mut self, name: String, value: Value) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name, value);
        }
    }

    /// Gives a variable another value; in a branch the old one counts beside it.
    pub(super) fn store(&mut self, name: &str, value: Value, replace: bool) {
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

    pub(super) fn aside<T>(&mut self, way: impl FnOnce(&mut Self) -> T) -> T {
        self.branches += 1;
        let value = way(self);
        self.branches -= 1;
        value
    }

    pub(super) fn bind(&mut self, pattern: &Pat, value: &Value) {
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

    pub(super) fn bind_all<'p>(
        &mut self,
        parts: impl Iterator<Item = &'p Pat>,
        value: &Value,
        takes_apart: bool,
    ) {
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

/// Items that only the crate's own tests are built with: nobody who depends on it ever has them.
fn only_in_tests(item: &Item) -> bool {
    let attributes = match item {
        Item::Fn(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Const(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => return false,
    };
    attributes.iter().any(|attribute| {
        let is_cfg = attribute.path().is_ident("cfg");
        attribute.path().is_ident("test")
            || is_cfg && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
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
