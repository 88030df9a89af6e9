//! Statements: every branch is run; what a condition asks stands at the facts behind it.

use oxc_ast::ast::{
    BindingPattern, Class, ClassElement, Declaration, ExportDefaultDeclarationKind, ForStatementInit,
    ForStatementLeft, IfStatement, ImportDeclaration, ImportDeclarationSpecifier, ModuleDeclaration,
    Statement, TSModuleReference, TSNamespaceDeclarationBody, VariableDeclaration, VariableDeclarationKind,
};

use super::super::facts::What;
use super::machine::{Code, Machine};
use super::names;
use super::value::{Kind, ObjectId, Shape, Taint, Value};

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
    // ---- Names that a block declares -----------------------------------------------------------------------------

    /// Declares what statements declare: `let`, `const`, classes and functions in `scope`, `var` in `outer`.
    pub(super) fn hoist(&mut self, body: &'a [Statement<'a>], scope: u32, outer: u32) {
        for statement in body {
            self.hoist_one(statement, scope, outer);
        }
    }

    fn hoist_one(&mut self, statement: &'a Statement<'a>, scope: u32, outer: u32) {
        if let Some(declaration) = statement.as_declaration() {
            return self.hoist_declaration(declaration, scope, outer);
        }
        match statement {
            Statement::ExportDeclaration(export) => self.hoist_declaration(&export.declaration, scope, outer),
            Statement::ExportDefaultDeclaration(export) => match &export.declaration {
                ExportDefaultDeclarationKind::FunctionDeclaration(function) => {
                    self.hoist_function(function, scope);
                }
                ExportDefaultDeclarationKind::ClassDeclaration(class) => {
                    if let Some(id) = &class.id {
                        self.declare(scope, id.name.as_str());
                    }
                }
                _ => {}
            },
            Statement::ImportDeclaration(import) => {
                for specifier in import.specifiers.iter().flatten() {
                    let local = match specifier {
                        ImportDeclarationSpecifier::ImportSpecifier(one) => &one.local,
                        ImportDeclarationSpecifier::ImportDefaultSpecifier(one) => &one.local,
                        ImportDeclarationSpecifier::ImportNamespaceSpecifier(one) => &one.local,
                    };
                    self.declare(scope, local.name.as_str());
                }
            }
            _ => self.hoist_vars(statement, outer),
        }
    }

    fn hoist_declaration(&mut self, declaration: &'a Declaration<'a>, scope: u32, outer: u32) {
        match declaration {
            Declaration::VariableDeclaration(variables) => {
                let target = if variables.kind == VariableDeclarationKind::Var { outer } else { scope };
                self.hoist_variables(variables, target);
            }
            Declaration::FunctionDeclaration(function) => self.hoist_function(function, scope),
            Declaration::ClassDeclaration(class) => {
                if let Some(id) = &class.id {
                    self.declare(scope, id.name.as_str());
                }
            }
            Declaration::TSEnumDeclaration(one) => {
                self.declare(scope, one.id.name.as_str());
            }
            Declaration::TSImportEqualsDeclaration(import) => {
                self.declare(scope, import.id.name.as_str());
            }
            _ => {}
        }
    }

    fn hoist_function(&mut self, function: &'a oxc_ast::ast::Function<'a>, scope: u32) {
        if function.body.is_none() {
            return;
        }
        let value = self.function_value(Code::Function(function), address(function), scope);
        if let Some(id) = &function.id {
            let cell = self.declare(scope, id.name.as_str());
            self.assign_cell(cell, value, true);
        }
    }

    fn hoist_variables(&mut self, variables: &'a VariableDeclaration<'a>, scope: u32) {
        for variable in &variables.declarations {
            self.hoist_pattern(&variable.id, scope);
        }
    }

    pub(super) fn hoist_pattern(&mut self, pattern: &'a BindingPattern<'a>, scope: u32) {
        match pattern {
            BindingPattern::BindingIdentifier(id) => {
                self.declare(scope, id.name.as_str());
            }
            BindingPattern::ObjectPattern(object) => {
                for property in &object.properties {
                    self.hoist_pattern(&property.value, scope);
                }
                if let Some(rest) = &object.rest {
                    self.hoist_pattern(&rest.argument, scope);
                }
            }
            BindingPattern::ArrayPattern(array) => {
                for element in array.elements.iter().flatten() {
                    self.hoist_pattern(element, scope);
                }
                if let Some(rest) = &array.rest {
                    self.hoist_pattern(&rest.argument, scope);
                }
            }
            BindingPattern::AssignmentPattern(pattern) => self.hoist_pattern(&pattern.left, scope),
        }
    }

    /// `var` within nested statements belongs to the function.
    fn hoist_vars(&mut self, statement: &'a Statement<'a>, outer: u32) {
        if !self.enter() {
            return;
        }
        match statement {
            Statement::VariableDeclaration(variables) if variables.kind == VariableDeclarationKind::Var => {
                self.hoist_variables(variables, outer);
            }
            Statement::BlockStatement(block) => {
                for one in &block.body {
                    self.hoist_vars(one, outer);
                }
            }
            Statement::IfStatement(test) => {
                self.hoist_vars(&test.consequent, outer);
                if let Some(alternate) = &test.alternate {
                    self.hoist_vars(alternate, outer);
                }
            }
            Statement::ForStatement(one) => {
                if let Some(ForStatementInit::VariableDeclaration(variables)) = &one.init
                    && variables.kind == VariableDeclarationKind::Var
                {
                    self.hoist_variables(variables, outer);
                }
                self.hoist_vars(&one.body, outer);
            }
            Statement::ForInStatement(one) => {
                self.hoist_left(&one.left, outer);
                self.hoist_vars(&one.body, outer);
            }
            Statement::ForOfStatement(one) => {
                self.hoist_left(&one.left, outer);
                self.hoist_vars(&one.body, outer);
            }
            Statement::WhileStatement(one) => self.hoist_vars(&one.body, outer),
            Statement::DoWhileStatement(one) => self.hoist_vars(&one.body, outer),
            Statement::LabeledStatement(one) => self.hoist_vars(&one.body, outer),
            Statement::WithStatement(one) => self.hoist_vars(&one.body, outer),
            Statement::SwitchStatement(one) => {
                for case in &one.cases {
                    for statement in &case.consequent {
                        self.hoist_vars(statement, outer);
                    }
                }
            }
            Statement::TryStatement(one) => {
                for statement in &one.block.body {
                    self.hoist_vars(statement, outer);
                }
                for statement in one.handler.iter().flat_map(|handler| &handler.body.body) {
                    self.hoist_vars(statement, outer);
                }
                for statement in one.finalizer.iter().flat_map(|block| &block.body) {
                    self.hoist_vars(statement, outer);
                }
            }
            _ => {}
        }
        self.leave();
    }

    fn hoist_left(&mut self, left: &'a ForStatementLeft<'a>, scope: u32) {
        if let ForStatementLeft::VariableDeclaration(variables) = left
            && variables.kind == VariableDeclarationKind::Var
        {
            self.hoist_variables(variables, scope);
        }
    }

    // ---- Running -------------------------------------------------------------------------------------------------

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

    fn block_scope(&mut self, place: usize) -> u32 {
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

    fn statement_within(&mut self, statement: &'a Statement<'a>) -> End {
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
                        self.bind(&parameter.pattern, Value::UNKNOWN, true);
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

    fn if_statement(&mut self, one: &'a IfStatement<'a>) -> End {
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

    fn loop_statement(&mut self, statement: &'a Statement<'a>) {
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

    fn begin_loop(&mut self) {
        self.in_loop += 1;
        self.branch += 1;
    }

    fn end_loop(&mut self) {
        self.in_loop -= 1;
        self.branch -= 1;
    }

    /// The keys of an object; of the environment, all of it.
    fn keys_of(&mut self, right: &'a oxc_ast::ast::Expression<'a>) -> Value<'a> {
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

    fn loop_over(
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

    fn variables(&mut self, variables: &'a VariableDeclaration<'a>) {
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

    fn declaration(&mut self, declaration: &'a Declaration<'a>) {
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

    fn namespace(&mut self, body: &'a TSNamespaceDeclarationBody<'a>) {
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

    fn module_declaration(&mut self, module: &'a ModuleDeclaration<'a>) {
        match module {
            ModuleDeclaration::ImportDeclaration(import) => self.import_declaration(import),
            ModuleDeclaration::ExportDeclaration(export) => self.declaration(&export.declaration),
            ModuleDeclaration::ExportDefaultDeclaration(export) => match &export.declaration {
                ExportDefaultDeclarationKind::ClassDeclaration(class) => {
                    let value = self.class(class);
                    if let Some(id) = &class.id
                        && let Some(cell) = self.lookup(self.frame.scope, id.name.as_str())
                    {
                        self.assign_cell(cell, value, true);
                    }
                }
                other => {
                    if let Some(expression) = other.as_expression() {
                        self.expression(expression);
                    }
                }
            },
            ModuleDeclaration::ExportAllDeclaration(export) => {
                self.module(export.source.value.as_str());
            }
            ModuleDeclaration::ExportFromDeclaration(export) if !export.export_kind.is_type() => {
                self.module(export.source.value.as_str());
            }
            ModuleDeclaration::TSExportAssignment(export) => {
                self.expression(&export.expression);
            }
            _ => {}
        }
    }

    fn import_declaration(&mut self, import: &'a ImportDeclaration<'a>) {
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

    // ---- Functions and classes -----------------------------------------------------------------------------------

    /// Binds parameters and runs a body.
    pub(super) fn function_body(&mut self, code: Code<'a>, arguments: &[Value<'a>]) {
        let parameters = match code {
            Code::Function(function) => &function.params,
            Code::Arrow(arrow) => &arrow.params,
        };
        let scope = self.frame.scope;
        for (index, parameter) in parameters.items.iter().enumerate() {
            self.hoist_pattern(&parameter.pattern, scope);
            let given = arguments.get(index).copied();
            let value = match (&parameter.initializer, given) {
                (Some(initializer), given) => {
                    let other = self.expression(initializer);
                    match given {
                        Some(value) if !matches!(value.shape, Shape::Undefined) => value,
                        _ => other,
                    }
                }
                (None, given) => given.unwrap_or(Value::UNKNOWN),
            };
            self.bind(&parameter.pattern, value, true);
        }
        if let Some(rest) = &parameters.rest {
            self.hoist_pattern(&rest.rest.argument, scope);
            let array = self.object(address(&**rest), Kind::Array);
            let left: Vec<_> = arguments.iter().skip(parameters.items.len()).copied().collect();
            self.objects[array.0 as usize].items = left;
            self.bind(&rest.rest.argument, Value::of(Shape::Object(array)), true);
        }
        match code {
            Code::Function(function) => {
                if let Some(id) = &function.id
                    && function.is_expression()
                {
                    // A named function expression knows itself.
                    let cell = self.declare(scope, id.name.as_str());
                    if let Some(&own) = self.function_of.get(&address(function)) {
                        self.assign_cell(cell, Value::of(Shape::Function(own)), true);
                    }
                }
                if let Some(body) = &function.body {
                    self.hoist(&body.statements, scope, scope);
                    self.statements(&body.statements);
                }
            }
            Code::Arrow(arrow) => match &arrow.body {
                oxc_ast::ast::ArrowFunctionBody::FunctionBody(body) => {
                    self.hoist(&body.statements, scope, scope);
                    self.statements(&body.statements);
                }
                body => {
                    if let Some(expression) = body.as_expression() {
                        let value = self.expression(expression);
                        self.frame.returns = value;
                    }
                }
            },
        }
    }

    /// A class: one object is the class, its prototype and all of its instances.
    pub(super) fn class(&mut self, class: &'a Class<'a>) -> Value<'a> {
        let id = self.object(address(class), Kind::Plain);
        let mut parent = Value::UNKNOWN;
        if let Some(heritage) = &class.heritage {
            parent = self.expression(&heritage.expression);
            match parent.shape {
                Shape::Name(name) => self.objects[id.0 as usize].class = self.name_result(name),
                Shape::Object(base) => self.inherit(id, base),
                _ => {}
            }
        }
        let before = (self.frame.this, self.frame.returns);
        self.frame.this = Value::of(Shape::Object(id));
        // Methods first: what a static block calls may stand behind it.
        for element in &class.body.body {
            if let ClassElement::MethodDefinition(method) = element
                && method.value.body.is_some()
            {
                let code = Code::Function(&method.value);
                let value = self.function_value(code, address(&*method.value), self.frame.scope);
                if let Shape::Function(function) = value.shape {
                    self.functions[function.0 as usize].this = Some(id);
                }
                if let Some(key) = self.property_key(&method.key, method.computed) {
                    self.set_member(id, key, value);
                }
            }
        }
        for element in &class.body.body {
            match element {
                ClassElement::PropertyDefinition(property) => {
                    if let Some(value) = &property.value {
                        let value = self.expression(value);
                        if let Some(key) = self.property_key(&property.key, property.computed) {
                            self.set_member(id, key, value);
                        }
                    }
                }
                ClassElement::AccessorProperty(property) => {
                    if let Some(value) = &property.value {
                        self.expression(value);
                    }
                }
                ClassElement::StaticBlock(block) => {
                    self.block(&block.body, address(&**block));
                }
                _ => {}
            }
        }
        (self.frame.this, self.frame.returns) = before;
        Value::of(Shape::Object(id)).with_taint(parent.taint)
    }

    fn inherit(&mut self, id: ObjectId, base: ObjectId) {
        if id == base {
            return;
        }
        let base = &self.objects[base.0 as usize];
        let (class, members) = (base.class, base.order.clone());
        let values: Vec<_> = members.iter().filter_map(|key| base.members.get(key).copied()).collect();
        self.objects[id.0 as usize].class = class;
        for (key, value) in members.into_iter().zip(values) {
            if key != "constructor" {
                self.set_member(id, key, value);
            } else if !self.objects[id.0 as usize].members.contains_key("super") {
                self.set_member(id, "super", value);
            }
        }
    }

    // ---- Patterns ------------------------------------------------------------------------------------------------

    /// Gives names the parts of a value.
    pub(super) fn bind(&mut self, pattern: &'a BindingPattern<'a>, value: Value<'a>, declares: bool) {
        match pattern {
            BindingPattern::BindingIdentifier(id) => {
                if let Some(cell) = self.lookup(self.frame.scope, id.name.as_str()) {
                    self.assign_cell(cell, value, declares);
                }
            }
            BindingPattern::ObjectPattern(object) => {
                let mut rest_taint = value.taint;
                for property in &object.properties {
                    let part = match self.property_key(&property.key, property.computed) {
                        Some(key) => self.member(value, key, property.span.start),
                        None => Value::tainted(value.taint),
                    };
                    self.bind(&property.value, part, declares);
                }
                if let Some(rest) = &object.rest {
                    let deep = self.deep(value);
                    rest_taint = self.join(rest_taint, deep);
                    let whole = match value.shape {
                        Shape::Name(name) if self.path(name) == "process.env" => {
                            let own = self.source(What::EnvAll, "", rest.span.start, value.folded);
                            Value::tainted(self.join(rest_taint, own))
                        }
                        _ => value.with_taint(rest_taint),
                    };
                    self.bind(&rest.argument, whole, declares);
                }
            }
            BindingPattern::ArrayPattern(array) => {
                for (index, element) in array.elements.iter().enumerate() {
                    if let Some(element) = element {
                        let part = self.element_at(value, index);
                        self.bind(element, part, declares);
                    }
                }
                if let Some(rest) = &array.rest {
                    let taint: Taint = self.deep(value);
                    self.bind(&rest.argument, value.with_taint(taint), declares);
                }
            }
            BindingPattern::AssignmentPattern(pattern) => {
                let other = self.expression(&pattern.right);
                let value = match value.shape {
                    Shape::Unknown | Shape::Undefined if value.taint.0 == 0 => other,
                    _ => value,
                };
                self.bind(&pattern.left, value, declares);
            }
        }
    }

    /// An element of an array, or a part of what is not one.
    pub(super) fn element_at(&mut self, value: Value<'a>, index: usize) -> Value<'a> {
        if let Shape::Object(id) = value.shape {
            let object = &self.objects[id.0 as usize];
            if let Some(&item) = object.items.get(index) {
                let taint = self.join(item.taint, value.taint);
                return item.with_taint(taint);
            }
            let any = object.any;
            let taint = self.join(any.taint, value.taint);
            return any.with_taint(taint);
        }
        let taint = self.deep(value);
        Value { shape: Shape::Unknown, taint, gates: value.gates, folded: value.folded }
    }
}
