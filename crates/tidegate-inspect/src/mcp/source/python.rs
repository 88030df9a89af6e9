//! Servers in Python.

use std::collections::BTreeSet;

use ruff_python_ast::visitor::{Visitor, walk_expr, walk_stmt};
use ruff_python_ast::{
    Expr, ExprCall, FStringPart, InterpolatedStringElement, Operator, Stmt, StmtFunctionDef,
};
use ruff_text_size::{Ranged, TextRange};

use super::{Seen, Stands, is_copy, is_line, is_mail, is_recipients, is_told};
use crate::behaviour::python::with_tree;
use crate::mcp::remark::What;

/// Levels of operators that are folded.
const FOLDED: u32 = 400;

/// Reads a file; none where it cannot be parsed within bounds.
pub(super) fn read(bytes: &[u8]) -> Option<Seen> {
    with_tree(bytes, &|text, suite| {
        let mut walker =
            Walker { text, seen: Seen::default(), fetched: BTreeSet::new(), stands: Stands::Elsewhere };
        if let Some(text) = docstring(suite) {
            walker.seen.text(Stands::Elsewhere, &text, 0);
        }
        suite.iter().for_each(|statement| walker.visit_stmt(statement));
        walker.seen
    })
}

struct Walker<'t> {
    text: &'t str,
    seen: Seen,
    fetched: BTreeSet<String>,
    stands: Stands,
}

/// A text as far as it is constant, with `*` for what is not; none where nothing is.
fn folded(expression: &Expr, depth: u32) -> Option<String> {
    if depth > FOLDED {
        return None;
    }
    match expression {
        Expr::StringLiteral(text) => Some(text.value.to_str().to_owned()),
        Expr::FString(text) => {
            let mut out = String::new();
            for part in text.value.as_slice() {
                match part {
                    FStringPart::Literal(text) => out.push_str(text.as_str()),
                    FStringPart::FString(text) => {
                        for element in &text.elements {
                            match element {
                                InterpolatedStringElement::Literal(text) => out.push_str(&text.value),
                                InterpolatedStringElement::Interpolation(_) => out.push('*'),
                            }
                        }
                    }
                }
            }
            Some(out)
        }
        Expr::BinOp(operation) if operation.op == Operator::Add => {
            let (left, right) = (folded(&operation.left, depth + 1), folded(&operation.right, depth + 1));
            if left.is_none() && right.is_none() {
                return None;
            }
            let hole = || "*".to_owned();
            Some(left.unwrap_or_else(hole) + &right.unwrap_or_else(hole))
        }
        Expr::BinOp(operation) if operation.op == Operator::Mod => {
            folded(&operation.left, depth + 1).map(|text| text.replace("%s", "*"))
        }
        Expr::Call(call) => formatted(call, depth + 1),
        _ => None,
    }
}

/// `"…{}".format(x)`, `" ".join(["a", "b"])`, `textwrap.dedent("…")`
fn formatted(call: &ExprCall, depth: u32) -> Option<String> {
    let Expr::Attribute(member) = &*call.func else { return None };
    match member.attr.as_str() {
        "format" => {
            let text = folded(&member.value, depth)?;
            Some(text.replace("{}", "*"))
        }
        "join" => {
            let between = folded(&member.value, depth)?;
            let (Expr::List(ruff_python_ast::ExprList { elts, .. })
            | Expr::Tuple(ruff_python_ast::ExprTuple { elts, .. })) = call.arguments.args.first()?
            else {
                return None;
            };
            let items: Vec<String> =
                elts.iter().map(|item| folded(item, depth).unwrap_or_else(|| "*".to_owned())).collect();
            Some(items.join(&between))
        }
        "dedent" => folded(call.arguments.args.first()?, depth),
        _ => None,
    }
}

/// The last part of a name.
fn last_name(expression: &Expr) -> &str {
    match expression {
        Expr::Name(name) => name.id.as_str(),
        Expr::Attribute(member) => member.attr.as_str(),
        Expr::Call(call) => last_name(&call.func),
        _ => "",
    }
}

fn docstring(body: &[Stmt]) -> Option<String> {
    let Some(Stmt::Expr(first)) = body.first() else { return None };
    match &*first.value {
        Expr::StringLiteral(text) => Some(text.value.to_str().to_owned()),
        _ => None,
    }
}

impl Walker<'_> {
    fn source(&self, range: TextRange) -> &str {
        self.text.get(range.start().to_usize()..range.end().to_usize()).unwrap_or_default()
    }

    fn within(&mut self, stands: Stands, walk: impl FnOnce(&mut Self)) {
        let before = self.stands;
        if stands == Stands::Told {
            self.stands = stands;
        }
        walk(self);
        self.stands = before;
    }

    fn recipient(&mut self, key: &str, value: &Expr) {
        let constant = |value: &Expr| folded(value, 0).filter(|text| is_mail(text));
        let in_list = |value: &Expr| match value {
            Expr::List(list) => list.elts.iter().find_map(constant),
            Expr::Tuple(list) => list.elts.iter().find_map(constant),
            _ => None,
        };
        let found = if is_copy(key) {
            constant(value).or_else(|| in_list(value))
        } else if is_recipients(key) {
            match value {
                Expr::List(list) if list.elts.len() > 1 => in_list(value),
                // `to + ["x@y"]`
                Expr::BinOp(operation) if operation.op == Operator::Add => {
                    in_list(&operation.right).or_else(|| in_list(&operation.left))
                }
                value => constant(value).filter(|text| text.contains('*') && text.contains([',', ';'])),
            }
        } else {
            None
        };
        if let Some(found) = found {
            self.seen.remark(What::FixedRecipient(key.to_owned()), found, value.range().start().to_u32());
        }
    }

    fn is_fetched(&self, expression: &Expr) -> bool {
        let source = self.source(expression.range());
        let names = source.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        let comes = ["requests.get", "httpx.", "urlopen", ".json()", "aiohttp"];
        comes.iter().any(|call| source.contains(call))
            || names.into_iter().any(|name| self.fetched.contains(name))
    }

    fn call(&mut self, call: &ExprCall) {
        let callee = self.source(call.func.range()).to_owned();
        let name = last_name(&call.func).to_owned();
        let whole = self.source(call.range()).to_owned();
        let offset = call.range().start().to_u32();
        let keyword = |wanted: &str| {
            call.arguments
                .keywords
                .iter()
                .find(|keyword| keyword.arg.as_ref().is_some_and(|arg| arg == wanted))
                .map(|keyword| &keyword.value)
        };
        let first = call.arguments.args.first();
        let is_dynamic = first.is_some_and(|first| match first {
            Expr::StringLiteral(_) => false,
            first => folded(first, 0).is_none_or(|text| is_line(&text)),
        });
        let is_quoted = ["quote(", "escape(", "shlex"].iter().any(|word| whole.contains(word));
        let has_shell = matches!(keyword("shell"), Some(Expr::BooleanLiteral(value)) if value.value);
        let runs = callee.starts_with("os.system")
            || callee.starts_with("os.popen")
            || callee.contains("create_subprocess_shell")
            || callee.contains("getoutput")
            || callee.contains("getstatusoutput")
            || has_shell;
        let evaluates = matches!(callee.as_str(), "eval" | "exec");
        if (runs || evaluates) && is_dynamic && !is_quoted {
            self.seen.remark(What::Injectable(format!("{callee}()")), &whole, offset);
        }
        for keyword in &call.arguments.keywords {
            let Some(key) = &keyword.arg else { continue };
            self.recipient(key, &keyword.value);
            if key == "host"
                && folded(&keyword.value, 0).is_some_and(|host| matches!(host.as_str(), "0.0.0.0" | "::"))
            {
                self.seen.remark(What::OpenServer("0.0.0.0".to_owned()), &whole, offset);
            }
            if key == "description" && folded(&keyword.value, 0).is_none() && self.is_fetched(&keyword.value)
            {
                self.seen.remark(What::FetchedText, &whole, offset);
            }
        }
        if matches!(name.as_str(), "append" | "add" | "extend" | "insert")
            && callee.to_ascii_lowercase().contains("recipient") | callee.to_ascii_lowercase().contains("bcc")
            && let Some(found) = call
                .arguments
                .args
                .iter()
                .find_map(|argument| folded(argument, 0))
                .filter(|text| is_mail(text))
        {
            self.seen.remark(What::FixedRecipient("recipients".to_owned()), found, offset);
        }
        if name == "add_header" || name == "__setitem__" {
            let key = first.and_then(|first| folded(first, 0)).unwrap_or_default();
            if let Some(value) = call.arguments.args.get(1) {
                self.recipient(&key, value);
            }
        }
    }

    fn function(&mut self, function: &StmtFunctionDef) {
        let is_tool = function.decorator_list.iter().any(|decorator| {
            let name = last_name(&decorator.expression);
            matches!(name, "tool" | "prompt" | "resource" | "list_tools" | "register_tool")
        });
        // What a function says that is only for the file's own use, people read who work on it.
        let is_private = function.name.starts_with('_') && !function.name.starts_with("__");
        if let Some(text) = docstring(&function.body)
            && (is_tool || !is_private)
        {
            let stands = if is_tool { Stands::Told } else { Stands::Elsewhere };
            self.seen.text(stands, &text, function.range.start().to_u32());
        }
    }
}

impl Walker<'_> {
    /// What a text is put together from, where that is more than text.
    fn visit_parts(&mut self, expression: &Expr) {
        match expression {
            Expr::StringLiteral(_) => {}
            Expr::FString(_) => walk_expr(self, expression),
            Expr::BinOp(operation) if operation.op == Operator::Add => {
                self.visit_parts(&operation.left);
                self.visit_parts(&operation.right);
            }
            Expr::BinOp(operation) => self.visit_expr(&operation.right),
            other => self.visit_expr(other),
        }
    }
}

impl<'a> Visitor<'a> for Walker<'_> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::FunctionDef(function) => self.function(function),
            // A text that stands for itself does nothing; where it documents a function, that was looked at with it.
            Stmt::Expr(text) if matches!(&*text.value, Expr::StringLiteral(_)) => return,
            Stmt::Assign(assign) => {
                for target in &assign.targets {
                    let key = match target {
                        Expr::Name(name) => Some(name.id.to_string()),
                        Expr::Attribute(member) => Some(member.attr.to_string()),
                        Expr::Subscript(member) => folded(&member.slice, 0),
                        _ => None,
                    };
                    let Some(key) = key else { continue };
                    self.recipient(&key, &assign.value);
                    let is_fetched = self.is_fetched(&assign.value);
                    if is_fetched && matches!(target, Expr::Name(_)) {
                        self.fetched.insert(key.clone());
                    }
                    if is_fetched && matches!(key.as_str(), "description" | "__doc__") {
                        let evidence = self.source(assign.range).to_owned();
                        self.seen.remark(What::FetchedText, evidence, assign.range.start().to_u32());
                    }
                    if is_told(&key) || key == "__doc__" {
                        self.within(Stands::Told, |walker| walk_stmt(walker, statement));
                        return;
                    }
                }
            }
            _ => {}
        }
        walk_stmt(self, statement);
    }

    fn visit_expr(&mut self, expression: &'a Expr) {
        match expression {
            Expr::Call(call) => {
                self.call(call);
                if let Some(text) = formatted(call, 0) {
                    self.seen.text(self.stands, &text, call.range().start().to_u32());
                }
                let tells = matches!(
                    last_name(&call.func),
                    "Tool"
                        | "tool"
                        | "Field"
                        | "FastMCP"
                        | "Server"
                        | "TextContent"
                        | "Prompt"
                        | "add_tool"
                        | "prompt"
                );
                let stands = if tells { Stands::Told } else { Stands::Elsewhere };
                self.within(stands, |walker| walk_expr(walker, expression));
            }
            Expr::Dict(dict) => {
                for item in &dict.items {
                    let key = item.key.as_ref().and_then(|key| folded(key, 0)).unwrap_or_default();
                    self.recipient(&key, &item.value);
                    if matches!(key.as_str(), "description" | "tools")
                        && folded(&item.value, 0).is_none()
                        && self.is_fetched(&item.value)
                    {
                        let evidence = self.source(item.value.range()).to_owned();
                        self.seen.remark(What::FetchedText, evidence, item.value.range().start().to_u32());
                    }
                    let stands = if is_told(&key) { Stands::Told } else { Stands::Elsewhere };
                    self.within(stands, |walker| walker.visit_expr(&item.value));
                }
            }
            expression => match folded(expression, 0) {
                Some(text) => {
                    self.seen.text(self.stands, &text, expression.range().start().to_u32());
                    self.visit_parts(expression);
                }
                None => walk_expr(self, expression),
            },
        }
    }
}
