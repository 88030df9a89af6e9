//! Servers in JavaScript and TypeScript.

use std::collections::BTreeSet;

use oxc_ast::ast::{
    Argument, ArrayExpressionElement, AssignmentExpression, AssignmentTarget, BinaryOperator, BindingPattern,
    CallExpression, Expression, ForOfStatement, NewExpression, ObjectExpression, ObjectProperty,
    ObjectPropertyKind, PropertyKey, StringLiteral, TemplateLiteral, VariableDeclarator,
};
use oxc_ast_visit::{Visit, walk};
use oxc_span::GetSpan as _;

use super::{Seen, Stands, is_copy, is_line, is_mail, is_recipients, is_told};
use crate::behaviour::javascript::with_tree;
use crate::mcp::remark::What;

/// Levels of operators that are folded.
const FOLDED: u32 = 400;

/// Reads a file; none where it does not parse.
pub(super) fn read(bytes: &[u8], path: &str) -> Option<Seen> {
    with_tree(bytes, path, &|text, program| {
        let mut walker =
            Walker { text, seen: Seen::default(), fetched: BTreeSet::new(), stands: Stands::Elsewhere };
        walker.visit_program(program);
        walker.seen
    })
}

struct Walker<'t> {
    text: &'t str,
    seen: Seen,
    /// Names of what came from the network.
    fetched: BTreeSet<String>,
    stands: Stands,
}

/// A text as far as it is constant, with `*` for what is not; none where nothing is.
fn folded(expression: &Expression<'_>, depth: u32) -> Option<String> {
    if depth > FOLDED {
        return None;
    }
    match expression.get_inner_expression() {
        Expression::StringLiteral(text) => Some(text.value.to_string()),
        Expression::TemplateLiteral(template) => Some(template_text(template)),
        Expression::BinaryExpression(binary) if binary.operator == BinaryOperator::Addition => {
            let (left, right) = (folded(&binary.left, depth + 1), folded(&binary.right, depth + 1));
            if left.is_none() && right.is_none() {
                return None;
            }
            let hole = || "*".to_owned();
            Some(left.unwrap_or_else(hole) + &right.unwrap_or_else(hole))
        }
        Expression::CallExpression(call) => joined(call, depth + 1),
        _ => None,
    }
}

fn template_text(template: &TemplateLiteral<'_>) -> String {
    let mut text = String::new();
    for (at, quasi) in template.quasis.iter().enumerate() {
        if at > 0 {
            text.push('*');
        }
        text.push_str(quasi.value.cooked.as_ref().map_or(quasi.value.raw.as_str(), |cooked| cooked.as_str()));
    }
    text
}

/// `["a", "b"].join(" ")`
fn joined(call: &CallExpression<'_>, depth: u32) -> Option<String> {
    let Expression::StaticMemberExpression(member) = &call.callee else { return None };
    if member.property.name != "join" {
        return None;
    }
    let Expression::ArrayExpression(list) = member.object.get_inner_expression() else { return None };
    let between = match call.arguments.first().and_then(Argument::as_expression) {
        Some(expression) => folded(expression, depth)?,
        None => ",".to_owned(),
    };
    let items: Vec<String> = list
        .elements
        .iter()
        .map(|item| {
            item.as_expression().and_then(|item| folded(item, depth)).unwrap_or_else(|| "*".to_owned())
        })
        .collect();
    Some(items.join(&between))
}

/// The last name of what is called or assigned.
fn last_name<'a>(expression: &'a Expression<'a>) -> Option<&'a str> {
    match expression.get_inner_expression() {
        Expression::Identifier(name) => Some(name.name.as_str()),
        Expression::StaticMemberExpression(member) => Some(member.property.name.as_str()),
        _ => None,
    }
}

impl Walker<'_> {
    fn source(&self, span: oxc_span::Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    fn within(&mut self, stands: Stands, walk: impl FnOnce(&mut Self)) {
        let before = self.stands;
        if stands == Stands::Told {
            self.stands = stands;
        }
        walk(self);
        self.stands = before;
    }

    /// A constant recipient beside those that the caller gives.
    fn recipient(&mut self, key: &str, value: &Expression<'_>) {
        let offset = value.span().start;
        let constant = |value: &Expression<'_>| folded(value, 0).filter(|text| is_mail(text));
        if is_copy(key) {
            let found = constant(value).or_else(|| match value.get_inner_expression() {
                Expression::ArrayExpression(list) => {
                    list.elements.iter().filter_map(ArrayExpressionElement::as_expression).find_map(constant)
                }
                Expression::ObjectExpression(_) => {
                    Some(self.source(value.span()).to_owned()).filter(|text| is_mail(text))
                }
                _ => None,
            });
            if let Some(found) = found {
                self.seen.remark(What::FixedRecipient(key.to_owned()), found, offset);
            }
        } else if is_recipients(key) {
            let mixed = match value.get_inner_expression() {
                Expression::ArrayExpression(list) if list.elements.len() > 1 => {
                    list.elements.iter().filter_map(ArrayExpressionElement::as_expression).find_map(constant)
                }
                _ => constant(value).filter(|text| text.contains('*') && text.contains([',', ';'])),
            };
            if let Some(found) = mixed {
                self.seen.remark(What::FixedRecipient(key.to_owned()), found, offset);
            }
        }
    }

    /// Each of what came from the network came from there, too.
    fn each(&mut self, names: &str, of: &Expression<'_>) {
        if self.is_fetched(of) {
            let words = names.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
            let keywords = ["const", "let", "var", "of", ""];
            self.fetched.extend(words.filter(|name| !keywords.contains(name)).map(str::to_owned));
        }
    }

    /// `list.map((item) => …)`
    fn callbacks(&mut self, call: &CallExpression<'_>) {
        let Expression::StaticMemberExpression(member) = &call.callee else { return };
        if !matches!(member.property.name.as_str(), "map" | "forEach" | "filter" | "flatMap") {
            return;
        }
        let parameters = match call.arguments.first().and_then(Argument::as_expression) {
            Some(Expression::ArrowFunctionExpression(function)) => function.params.span,
            Some(Expression::FunctionExpression(function)) => function.params.span,
            _ => return,
        };
        let names = self.source(parameters).to_owned();
        self.each(&names, &member.object);
    }

    fn is_fetched(&self, expression: &Expression<'_>) -> bool {
        let source = self.source(expression.span());
        let names = source.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
        let comes = ["fetch(", "axios", ".json()", "got(", "https.get", "http.get", "request("];
        comes.iter().any(|call| source.contains(call))
            || names.into_iter().any(|name| self.fetched.contains(name))
    }

    fn command(&mut self, call: &CallExpression<'_>) {
        let Some(name) = last_name(&call.callee) else { return };
        let Some(first) = call.arguments.first().and_then(Argument::as_expression) else { return };
        let callee = self.source(call.callee.span()).to_owned();
        let is_bare = matches!(call.callee.get_inner_expression(), Expression::Identifier(_));
        let of_process = ["child_process", "cp.", "childProcess", "proc.", "shell.", "execa"]
            .iter()
            .any(|word| callee.starts_with(word));
        let whole = self.source(call.span).to_owned();
        let is_quoted =
            ["quote", "escape", "JSON.stringify", "sanitize"].iter().any(|word| whole.contains(word));
        let text = folded(first, 0);
        let is_constant = text.as_ref().is_some_and(|text| !is_line(text))
            || matches!(first.get_inner_expression(), Expression::StringLiteral(_));
        let offset = call.span.start;
        let is_exec = matches!(
            name,
            "exec"
                | "execSync"
                | "execAsync"
                | "execPromise"
                | "execP"
                | "pexec"
                | "runShell"
                | "sh"
                | "execCommand"
                | "execaCommand"
                | "command"
                | "commandSync"
        );
        if is_exec && (is_bare || of_process) && !is_constant && !is_quoted {
            self.seen.remark(What::Injectable(format!("{name}()")), &whole, offset);
        }
        if matches!(name, "spawn" | "spawnSync" | "execFile" | "execFileSync" | "execa") && !is_quoted {
            let compact: String = whole.chars().filter(|c| !c.is_whitespace()).collect();
            let program = text.as_deref().map_or("", |text| text.rsplit('/').next().unwrap_or_default());
            let shell = matches!(program, "sh" | "bash" | "zsh" | "cmd" | "cmd.exe" | "powershell" | "pwsh")
                && (compact.contains("-c'")
                    || compact.contains("-c\"")
                    || compact.contains("/c")
                    || compact.contains("-Command"));
            let dynamic = call.arguments.get(1).and_then(Argument::as_expression).is_some_and(|list| {
                match list.get_inner_expression() {
                    Expression::ArrayExpression(list) => list.elements.iter().any(|item| {
                        item.as_expression()
                            .is_none_or(|item| folded(item, 0).is_none_or(|text| text.contains('*')))
                    }),
                    _ => true,
                }
            });
            if (compact.contains("shell:true") || shell) && (dynamic || !is_constant) {
                self.seen.remark(What::Injectable(format!("{name}()")), &whole, offset);
            }
        }
        if (name == "eval" && is_bare
            || matches!(name, "runInNewContext" | "runInThisContext" | "runInContext"))
            && !matches!(first.get_inner_expression(), Expression::StringLiteral(_))
        {
            self.seen.remark(What::Injectable(format!("{name}()")), &whole, offset);
        }
        if name == "listen" || name == "serve" {
            let open = ["'0.0.0.0'", "\"0.0.0.0\"", "`0.0.0.0`", "'::'", "\"::\""]
                .iter()
                .any(|host| whole.contains(host));
            if open {
                self.seen.remark(
                    What::OpenServer("0.0.0.0".to_owned()),
                    whole.lines().next().unwrap_or_default(),
                    offset,
                );
            }
        }
        if matches!(name, "push" | "add" | "unshift")
            && ["recipient", "bcc", "cc", "to"].iter().any(|key| {
                callee.to_ascii_lowercase().split('.').rev().nth(1) == Some(key)
                    || callee.to_ascii_lowercase().contains("recipient")
            })
            && let Some(found) = text.filter(|text| is_mail(text))
        {
            self.seen.remark(What::FixedRecipient("recipients".to_owned()), found, offset);
        }
    }

    /// Whether the arguments of a call are what a model reads.
    fn tells(call: &CallExpression<'_>) -> bool {
        last_name(&call.callee).is_some_and(|name| {
            matches!(
                name,
                "tool"
                    | "registerTool"
                    | "addTool"
                    | "prompt"
                    | "registerPrompt"
                    | "describe"
                    | "resource"
                    | "registerResource"
                    | "defineTool"
                    | "createTool"
                    | "McpServer"
                    | "Server"
            )
        })
    }
}

impl Walker<'_> {
    /// What a text is put together from, where that is more than text.
    fn visit_parts<'a>(&mut self, expression: &Expression<'a>) {
        match expression.get_inner_expression() {
            Expression::StringLiteral(_) => {}
            Expression::TemplateLiteral(template) => {
                template.expressions.iter().for_each(|inner| self.visit_expression(inner));
            }
            Expression::BinaryExpression(binary) if binary.operator == BinaryOperator::Addition => {
                self.visit_parts(&binary.left);
                self.visit_parts(&binary.right);
            }
            other => self.visit_expression(other),
        }
    }
}

impl<'a> Visit<'a> for Walker<'_> {
    fn visit_expression(&mut self, expression: &Expression<'a>) {
        let is_text = !matches!(expression, Expression::CallExpression(_));
        match folded(expression, 0).filter(|_| is_text) {
            Some(text) => {
                self.seen.text(self.stands, &text, expression.span().start);
                self.visit_parts(expression);
            }
            None => {
                if let Expression::CallExpression(call) = expression
                    && let Some(text) = joined(call, 0)
                {
                    self.seen.text(self.stands, &text, call.span.start);
                }
                walk::walk_expression(self, expression);
            }
        }
    }

    fn visit_string_literal(&mut self, text: &StringLiteral<'a>) {
        self.seen.text(self.stands, &text.value, text.span.start);
    }

    fn visit_object_expression(&mut self, object: &ObjectExpression<'a>) {
        let key_of = |property: &ObjectPropertyKind<'a>| match property {
            ObjectPropertyKind::ObjectProperty(property) => property.key.static_name(),
            ObjectPropertyKind::SpreadProperty(_) => None,
        };
        let is_tool = object
            .properties
            .iter()
            .filter_map(key_of)
            .any(|key| matches!(&*key, "inputSchema" | "parameters" | "input_schema"));
        let before = self.stands;
        if is_tool {
            self.stands = Stands::Told;
        }
        walk::walk_object_expression(self, object);
        self.stands = before;
    }

    fn visit_object_property(&mut self, property: &ObjectProperty<'a>) {
        let key = match &property.key {
            PropertyKey::StaticIdentifier(name) => Some(name.name.to_string()),
            key => key.static_name().map(|name| name.into_owned()),
        };
        let Some(key) = key else {
            walk::walk_object_property(self, property);
            return;
        };
        self.recipient(&key, &property.value);
        if matches!(key.as_str(), "description" | "tools" | "instructions")
            && folded(&property.value, 0).is_none()
            && self.is_fetched(&property.value)
        {
            let evidence = self.source(property.span).lines().next().unwrap_or_default().to_owned();
            self.seen.remark(What::FetchedText, evidence, property.span.start);
        }
        if matches!(key.as_str(), "host" | "hostname")
            && folded(&property.value, 0).is_some_and(|host| matches!(host.as_str(), "0.0.0.0" | "::"))
        {
            self.seen.remark(
                What::OpenServer("0.0.0.0".to_owned()),
                self.source(property.span).to_owned(),
                property.span.start,
            );
        }
        let stands = if is_told(&key) { Stands::Told } else { Stands::Elsewhere };
        self.within(stands, |walker| walk::walk_object_property(walker, property));
    }

    fn visit_for_of_statement(&mut self, statement: &ForOfStatement<'a>) {
        let names = self.source(statement.left.span()).to_owned();
        self.each(&names, &statement.right);
        walk::walk_for_of_statement(self, statement);
    }

    fn visit_assignment_expression(&mut self, assignment: &AssignmentExpression<'a>) {
        let key = match &assignment.left {
            AssignmentTarget::StaticMemberExpression(member) => Some(member.property.name.to_string()),
            AssignmentTarget::ComputedMemberExpression(member) => {
                member.static_property_name().map(|name| name.to_string())
            }
            AssignmentTarget::AssignmentTargetIdentifier(name) => Some(name.name.to_string()),
            _ => None,
        };
        if let Some(key) = key {
            self.recipient(&key, &assignment.right);
            if key == "description"
                && folded(&assignment.right, 0).is_none()
                && self.is_fetched(&assignment.right)
            {
                self.seen.remark(
                    What::FetchedText,
                    self.source(assignment.span).to_owned(),
                    assignment.span.start,
                );
            }
            let stands = if is_told(&key) { Stands::Told } else { Stands::Elsewhere };
            self.within(stands, |walker| walk::walk_assignment_expression(walker, assignment));
        } else {
            walk::walk_assignment_expression(self, assignment);
        }
    }

    fn visit_variable_declarator(&mut self, variable: &VariableDeclarator<'a>) {
        if let Some(init) = &variable.init {
            if let BindingPattern::BindingIdentifier(name) = &variable.id {
                let name = name.name.to_string();
                self.recipient(&name, init);
                if self.is_fetched(init)
                    && !matches!(
                        init.get_inner_expression(),
                        Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_)
                    )
                {
                    self.fetched.insert(name);
                }
            } else if self.is_fetched(init) {
                let pattern = self.source(variable.id.span()).to_owned();
                let names = pattern.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
                self.fetched.extend(names.filter(|name| !name.is_empty()).map(str::to_owned));
            }
        }
        walk::walk_variable_declarator(self, variable);
    }

    fn visit_call_expression(&mut self, call: &CallExpression<'a>) {
        self.command(call);
        if Self::tells(call) && !matches!(last_name(&call.callee), Some("describe")) {
            let texts = call.arguments.iter().skip(1).filter_map(Argument::as_expression);
            let described = texts.take(2).any(|text| {
                let names_it = self.source(text.span()).contains("escription");
                names_it
                    && matches!(text.get_inner_expression(), Expression::StaticMemberExpression(_))
                    && self.is_fetched(text)
            });
            if described {
                self.seen.remark(What::FetchedText, self.source(call.span).to_owned(), call.span.start);
            }
        }
        self.callbacks(call);
        let stands = if Self::tells(call) { Stands::Told } else { Stands::Elsewhere };
        self.within(stands, |walker| walk::walk_call_expression(walker, call));
    }

    fn visit_new_expression(&mut self, new: &NewExpression<'a>) {
        let name = last_name(&new.callee).unwrap_or_default().to_owned();
        let last = new.arguments.last().and_then(Argument::as_expression);
        if matches!(name.as_str(), "Function" | "AsyncFunction")
            && last.is_some_and(|body| !matches!(body.get_inner_expression(), Expression::StringLiteral(_)))
        {
            let evidence = self.source(new.span).to_owned();
            self.seen.remark(What::Injectable("new Function()".to_owned()), evidence, new.span.start);
        }
        walk::walk_new_expression(self, new);
    }
}
