//! Statements: every branch is run; what a condition asks stands at the facts behind it.
use oxc_ast::ast::{
    BindingPattern, Declaration, ExportDefaultDeclarationKind, ForStatementInit, ForStatementLeft,
    IfStatement, ImportDeclaration, ImportDeclarationSpecifier, ModuleDeclaration, Statement,
    TSModuleReference, TSNamespaceDeclarationBody, VariableDeclaration, VariableDeclarationKind,
};

use super::super::facts::What;
use super::links::{self, Given};
use super::machine::{Code, Machine};
use super::names;
use super::value::{Shape, Value};

/// Whether what follows a statement is reached.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Goes,
    Ends,
}

/// The address of a piece of code, which stays where it is while the machine runs.
pub(super) fn address<T>(node: &T) -> usize {
    std::ptr::from_ref(node).addr()
}

impl<'a> Machine<'a> {
    /// Runs statements one after another. A condition that ends the block stands before all that follows.
    pub(super) fn statements(&mut self, body: &'a [Statement<'a>]) -> End {
        let mut end = End::Goes;
        for statement in body {
            if self.statement(statement) == End::Ends {
                end = End::Ends;
            }
        }
        end
    }

    /// A block with names of its own.
    pub(super) fn block(&mut self, body: &'a [Statement<'a>], place: usize) -> End {
        let declares = body.iter().any(|statement| {
            !matches!(statement, Statement::VariableDeclaration(one) if one.kind == VariableDeclarationKind::Var)
                && statement.as_declaration().is_some()
        });
        if !declares {
            return self.statements(body);
        }
        let scope = self.block_scope(place);
        let before = std::mem::replace(&mut self.frame.scope, scope);
        // `var` was declared with the function; declaring it again here would hide it.
        for statement in body {
            if let Some(declaration) = statement.as_declaration()
                && !matches!(declaration, Declaration::VariableDeclaration(one) if one.kind == VariableDeclarationKind::Var)
            {
                self.hoist_declaration(declaration, scope, scope);
            }
        }
        let gates = self.gates;
        let end = self.statements(body);
        if end == End::Ends {
            self.gates = gates;
        }
        self.frame.scope = before;
        end
    }

    pub(super) fn block_scope(&mut self, place: usize) -> u32 {
        let parent = self.frame.scope;
        if let Some(&scope) = self.blocks.get(&place) {
            return scope;
        }
        let scope = self.new_scope(Some(parent));
        self.blocks.insert(place, scope);
        scope
    }

    pub(super) fn statement(&mut self, statement: &'a Statement<'a>) -> End {
        if !self.enter() {
            return End::Goes;
        }
        let end = self.statement_within(statement);
        self.leave();
        end
    }

    pub(super) fn statement_within(&mut self, statement: &'a Statement<'a>) -> End {
        match statement {
            Statement::ExpressionStatement(one) => {
                self.expression(&one.expression);
                return if names::exits(&one.expression) { End::Ends } else { End::Goes };
            }
            Statement::BlockStatement(block) => return self.block(&block.body, address(&**block)),
            Statement::IfStatement(one) => return self.if_statement(one),
            Statement::ReturnStatement(one) => {
                if let Some(argument) = &one.argument {
                    let value = self.expression(argument);
                    self.give_back(value);
                }
                return End::Ends;
            }
            Statement::ThrowStatement(one) => {
                self.expression(&one.argument);
                return End::Ends;
            }
            Statement::BreakStatement(_) | Statement::ContinueStatement(_) => return End::Ends,
            Statement::ForStatement(_)
            | Statement::ForInStatement(_)
            | Statement::ForOfStatement(_)
            | Statement::WhileStatement(_)
            | Statement::DoWhileStatement(_) => self.loop_statement(statement),
            Statement::LabeledStatement(one) => {
                self.statement(&one.body);
            }
            Statement::WithStatement(one) => {
                self.expression(&one.object);
                self.statement(&one.body);
            }
            Statement::SwitchStatement(one) => {
                let discriminant = self.expression(&one.discriminant);
                let gates = self.gates;
                self.gates |= discriminant.gates;
                self.branch += 1;
                for case in &one.cases {
                    if let Some(test) = &case.test {
                        self.expression(test);
                    }
                    self.block(&case.consequent, address(case));
                }
                self.branch -= 1;
                self.gates = gates;
            }
            Statement::TryStatement(one) => {
                let gates = self.gates;
                self.block(&one.block.body, address(&*one.block));
                self.gates = gates;
                if let Some(handler) = &one.handler {
                    self.branch += 1;
                    if let Some(parameter) = &handler.param {
                        self.hoist_pattern(&parameter.pattern, self.frame.scope);
                        let caught = self.answered(one.block.span.start, one.block.span.end);
                        self.bind(&parameter.pattern, Value::tainted(caught), true);
                    }
                    self.block(&handler.body.body, address(&*handler.body));
                    self.branch -= 1;
                }
                self.gates = gates;
                if let Some(finalizer) = &one.finalizer {
                    self.block(&finalizer.body, address(&**finalizer));
                }
            }
            _ => {
                if let Some(declaration) = statement.as_declaration() {
                    self.declaration(declaration);
                } else if let Some(module) = statement.as_module_declaration() {
                    self.module_declaration(module);
                }
            }
        }
        End::Goes
    }

    /// What a function gives back, from one of its ends or several.
    pub(super) fn give_back(&mut self, value: Value<'a>) {
        let old = self.frame.returns;
        self.frame.returns = Value {
            shape: self.eithers.join(value.shape, old.shape),
            taint: self.join(value.taint, old.taint),
            gates: value.gates | old.gates,
            folded: value.folded || old.folded,
        };
    }

    pub(super) fn if_statement(&mut self, one: &'a IfStatement<'a>) -> End {
        let (test, asked) = self.test(&one.test);
        let (gates, held) = (self.gates, self.absent.len());
        self.gates |= test.gates;
        self.absent.extend(asked);
        self.branch += 1;
        let then = self.statement(&one.consequent);
        let other = match &one.alternate {
            Some(alternate) => self.statement(alternate),
            None => End::Goes,
        };
        self.branch -= 1;
        self.absent.truncate(held);
        // `if (ci) return;`: all that follows stands behind the condition.
        if then == End::Goes && other == End::Goes || test.gates == 0 {
            self.gates = gates;
        }
        if then == End::Ends && other == End::Ends { End::Ends } else { End::Goes }
    }

    /// A condition, and the names that it asks for.
    pub(super) fn test(
        &mut self,
        test: &'a oxc_ast::ast::Expression<'a>,
    ) -> (Value<'a>, Vec<super::value::NameId>) {
        let before = self.asked.replace(Vec::new());
        let value = self.expression(test);
        let asked = std::mem::replace(&mut self.asked, before).unwrap_or_default();
        (value, asked)
    }

    pub(super) fn loop_statement(&mut self, statement: &'a Statement<'a>) {
        let gates = self.gates;
        let scope = self.frame.scope;
        match statement {
            Statement::ForStatement(one) => {
                match &one.init {
                    Some(ForStatementInit::VariableDeclaration(variables)) => {
                        if variables.kind != VariableDeclarationKind::Var {
                            self.frame.scope = self.block_scope(address(&**one));
                            self.hoist_variables(variables, self.frame.scope);
                        }
                        self.variables(variables);
                    }
                    Some(init) => {
                        if let Some(expression) = init.as_expression() {
                            self.expression(expression);
                        }
                    }
                    None => {}
                }
                // What counts has many values; the first is none of them.
                self.begin_loop();
                if let Some(update) = &one.update {
                    self.expression(update);
                }
                if let Some(test) = &one.test {
                    self.gates |= self.test(test).0.gates;
                }
                self.statement(&one.body);
                self.end_loop();
            }
            Statement::ForInStatement(one) => {
                let value = self.keys_of(&one.right);
                self.loop_over(&one.left, value, address(&**one), &one.body);
            }
            Statement::ForOfStatement(one) => {
                let value = self.expression(&one.right);
                let value = self.element_of(value);
                self.loop_over(&one.left, value, address(&**one), &one.body);
            }
            Statement::WhileStatement(one) => {
                self.begin_loop();
                self.gates |= self.test(&one.test).0.gates;
                self.statement(&one.body);
                self.end_loop();
            }
            Statement::DoWhileStatement(one) => {
                self.begin_loop();
                self.statement(&one.body);
                self.test(&one.test);
                self.end_loop();
            }
            _ => {}
        }
        self.frame.scope = scope;
        self.gates = gates;
    }

    pub(super) fn begin_loop(&mut self) {
        self.in_loop += 1;
        self.branch += 1;
    }

    pub(super) fn end_loop(&mut self) {
        self.in_loop -= 1;
        self.branch -= 1;
    }

    /// The keys of an object; of the environment, all of it.
    pub(super) fn keys_of(&mut self, right: &'a oxc_ast::ast::Expression<'a>) -> Value<'a> {
        let value = self.expression(right);
        let mut taint = self.deep(value);
        if let Shape::Name(name) = value.shape
            && self.path(name) == "process.env"
        {
            let own = self.source(What::EnvAll, "", oxc_span::GetSpan::span(right).start, value.folded);
            taint = self.join(taint, own);
        }
        Value::tainted(taint)
    }

    pub(super) fn loop_over(
        &mut self,
        left: &'a ForStatementLeft<'a>,
        value: Value<'a>,
        place: usize,
        body: &'a Statement<'a>,
    ) {
        self.begin_loop();
        match left {
            ForStatementLeft::VariableDeclaration(variables) => {
                if variables.kind != VariableDeclarationKind::Var {
                    self.frame.scope = self.block_scope(place);
                    self.hoist_variables(variables, self.frame.scope);
                }
                for variable in &variables.declarations {
                    self.bind(&variable.id, value, true);
                }
            }
            _ => {
                if let Some(target) = left.as_assignment_target() {
                    self.assign_target(target, value);
                }
            }
        }
        self.statement(body);
        self.end_loop();
    }

    /// One element of an array or of whatever is iterated over.
    pub(super) fn element_of(&mut self, value: Value<'a>) -> Value<'a> {
        let taint = self.deep(value);
        let Shape::Object(id) = value.shape else { return Value::tainted(taint) };
        let items = self.objects[id.0 as usize].items.clone();
        let any = self.objects[id.0 as usize].any;
        let mut shape = any.shape;
        for item in items.iter().take(8) {
            shape = self.eithers.join(shape, item.shape);
        }
        Value { shape, taint, gates: 0, folded: value.folded }
    }

    pub(super) fn variables(&mut self, variables: &'a VariableDeclaration<'a>) {
        for variable in &variables.declarations {
            match &variable.init {
                Some(init) => {
                    let value = self.expression(init);
                    self.bind(&variable.id, value, true);
                }
                None if variables.kind != VariableDeclarationKind::Var => {
                    // The origin stays: what another pass found is still true.
                    if let BindingPattern::BindingIdentifier(id) = &variable.id
                        && let Some(cell) = self.lookup(self.frame.scope, id.name.as_str())
                    {
                        let taint = self.cells[cell as usize].taint;
                        self.cells[cell as usize] = Value::of(Shape::Undefined).with_taint(taint);
                    }
                }
                None => {}
            }
        }
    }

    pub(super) fn declaration(&mut self, declaration: &'a Declaration<'a>) {
        match declaration {
            Declaration::VariableDeclaration(variables) => self.variables(variables),
            Declaration::ClassDeclaration(class) => {
                let value = self.class(class);
                if let Some(id) = &class.id
                    && let Some(cell) = self.lookup(self.frame.scope, id.name.as_str())
                {
                    self.assign_cell(cell, value, true);
                }
            }
            Declaration::TSEnumDeclaration(one) => {
                for member in &one.body.members {
                    if let Some(initializer) = &member.initializer {
                        self.expression(initializer);
                    }
                }
            }
            Declaration::TSNamespaceDeclaration(one) => self.namespace(&one.body),
            Declaration::TSGlobalDeclaration(one) => {
                self.block(&one.body.body, address(&one.body));
            }
            Declaration::TSImportEqualsDeclaration(import) => {
                if let TSModuleReference::ExternalModuleReference(reference) = &import.module_reference {
                    let value = self.module(reference.expression.value.as_str());
                    let cell = self.declare(self.frame.scope, import.id.name.as_str());
                    self.assign_cell(cell, value, true);
                }
            }
            _ => {}
        }
    }

    pub(super) fn namespace(&mut self, body: &'a TSNamespaceDeclarationBody<'a>) {
        match body {
            TSNamespaceDeclarationBody::TSModuleBlock(block) => {
                let scope = self.block_scope(address(&**block));
                let before = std::mem::replace(&mut self.frame.scope, scope);
                self.hoist(&block.body, scope, scope);
                self.statements(&block.body);
                self.frame.scope = before;
            }
            TSNamespaceDeclarationBody::TSNamespaceDeclaration(inner) => {
                if self.enter() {
                    self.namespace(&inner.body);
                    self.leave();
                }
            }
        }
    }

    pub(super) fn module_declaration(&mut self, module: &'a ModuleDeclaration<'a>) {
        match module {
            ModuleDeclaration::ImportDeclaration(import) => self.import_declaration(import),
            ModuleDeclaration::ExportDeclaration(export) => {
                self.declaration(&export.declaration);
                self.give_declared(&export.declaration);
            }
            ModuleDeclaration::ExportNamedDeclaration(export) => {
                for one in &export.specifiers {
                    let local = links::export_name(&one.local);
                    self.give(links::export_name(&one.exported), Given::Local(local));
                }
            }
            ModuleDeclaration::ExportDefaultDeclaration(export) => match &export.declaration {
                ExportDefaultDeclarationKind::ClassDeclaration(class) => {
                    let value = self.class(class);
                    if let Some(id) = &class.id
                        && let Some(cell) = self.lookup(self.frame.scope, id.name.as_str())
                    {
                        self.assign_cell(cell, value, true);
                    }
                    self.give("", Given::Value(value));
                }
                ExportDefaultDeclarationKind::FunctionDeclaration(function) => {
                    let value =
                        self.function_value(Code::Function(function), address(&**function), self.frame.scope);
                    self.give("", Given::Value(value));
                }
                other => {
                    if let Some(expression) = other.as_expression() {
                        let value = self.expression(expression);
                        self.give("", Given::Value(value));
                    }
                }
            },
            ModuleDeclaration::ExportAllDeclaration(export) => {
                let module = self.module(export.source.value.as_str());
                let name = export.exported.as_ref().map_or("*", links::export_name);
                self.give(name, Given::Value(module));
            }
            ModuleDeclaration::ExportFromDeclaration(export) if !export.export_kind.is_type() => {
                let module = self.module(export.source.value.as_str());
                for one in &export.specifiers {
                    let value = self.member(module, links::export_name(&one.local), one.span.start);
                    self.give(links::export_name(&one.exported), Given::Value(value));
                }
            }
            ModuleDeclaration::TSExportAssignment(export) => {
                self.expression(&export.expression);
            }
            _ => {}
        }
    }

    pub(super) fn import_declaration(&mut self, import: &'a ImportDeclaration<'a>) {
        if import.import_kind.is_type() {
            return;
        }
        let module = self.module(import.source.value.as_str());
        for specifier in import.specifiers.iter().flatten() {
            let (local, value) = match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(one) => {
                    let name = one.imported.name();
                    let key: &'a str = self.allocator.alloc_str(name.as_str());
                    let offset = one.span.start;
                    (&one.local, self.member(module, key, offset))
                }
                ImportDeclarationSpecifier::ImportDefaultSpecifier(one) => (&one.local, module),
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(one) => (&one.local, module),
            };
            let cell = self.declare(self.frame.scope, local.name.as_str());
            self.assign_cell(cell, value, true);
        }
    }
}
