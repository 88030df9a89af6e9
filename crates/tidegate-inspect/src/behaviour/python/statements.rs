//! Follows statements: both ways of a branch, loops once or twice, handlers, patterns, assignments.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use ruff_python_ast::{self as ast, Expr, Stmt};
use ruff_text_size::Ranged;

use super::super::facts::Scope;
use super::interp::{DEPTH, FOLLOWED_STEPS, Interp, STEPS};
use super::value::{Gates, Kind, Value};

/// Constants that a loop goes through one by one, and statements of such a loop.
const UNROLLED: usize = 512;
const UNROLLED_BODY: usize = 6;

/// What a way changed: frame, name, new value.
type Changes<'a> = Vec<(u32, &'a str, Option<Value<'a>>)>;

impl<'a> Interp<'a> {
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

    pub(super) fn statement(&mut self, statement: &'a Stmt, next: Option<&'a Stmt>) -> bool {
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
    pub(super) fn ends(&self, expr: &'a Expr) -> bool {
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

    pub(super) fn declare(&mut self, names: &'a [ast::Identifier]) {
        if let Some(frame) = self.frames.get_mut(self.frame as usize) {
            frame.outer.extend(names.iter().map(ast::Identifier::as_str));
        }
    }

    /// Follows one way; what it changes counts beside what was there before.
    pub(super) fn branch(&mut self, way: impl FnOnce(&mut Self) -> bool) -> bool {
        let (changes, leaves) = self.aside(way);
        if !leaves || self.soft {
            self.merge(changes, Vec::new());
        }
        leaves
    }

    /// Follows one way and takes back what it changed.
    pub(super) fn aside(&mut self, way: impl FnOnce(&mut Self) -> bool) -> (Changes<'a>, bool) {
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
    pub(super) fn merge(&mut self, one: Changes<'a>, other: Changes<'a>) {
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

    pub(super) fn if_statement(&mut self, node: &'a ast::StmtIf) -> bool {
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

    pub(super) fn for_statement(&mut self, node: &'a ast::StmtFor) {
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
    pub(super) fn unrolled(&mut self, node: &'a ast::StmtFor, items: &Rc<[Value<'a>]>) {
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
    pub(super) fn repeat(&mut self, body: &'a [Stmt]) {
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

    pub(super) fn try_statement(&mut self, node: &'a ast::StmtTry) -> bool {
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

    pub(super) fn store_element(&mut self, node: &'a ast::ExprSubscript, value: &Value<'a>) {
        let object = self.peek_value(&node.value);
        let key = self.expr(&node.slice);
        if let Some(name) = object.as_name() {
            let place = format!("{name}[]");
            let site = self.site(node);
            self.library_element(&place, &key, value, &site);
        }
        let kind = match (&object.kind, key.as_text()) {
            (Kind::Dict(items), Some(key)) if items.len() < 256 && self.room(items.len() + 1) => {
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

    pub(super) fn capture(&mut self, pattern: &'a ast::Pattern, value: &Value<'a>) {
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
