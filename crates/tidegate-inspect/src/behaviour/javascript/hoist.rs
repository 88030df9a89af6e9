//! Names that a block declares, before any of it runs.
use oxc_ast::ast::{
    BindingPattern, Declaration, ExportDefaultDeclarationKind, ForStatementInit, ForStatementLeft,
    ImportDeclarationSpecifier, Statement, VariableDeclaration, VariableDeclarationKind,
};

use super::machine::{Code, Machine};
use super::statements::address;

impl<'a> Machine<'a> {
    /// Declares what statements declare: `let`, `const`, classes and functions in `scope`, `var` in `outer`.
    pub(super) fn hoist(&mut self, body: &'a [Statement<'a>], scope: u32, outer: u32) {
        for statement in body {
            self.hoist_one(statement, scope, outer);
        }
    }

    pub(super) fn hoist_one(&mut self, statement: &'a Statement<'a>, scope: u32, outer: u32) {
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

    pub(super) fn hoist_declaration(&mut self, declaration: &'a Declaration<'a>, scope: u32, outer: u32) {
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

    pub(super) fn hoist_function(&mut self, function: &'a oxc_ast::ast::Function<'a>, scope: u32) {
        if function.body.is_none() {
            return;
        }
        let value = self.function_value(Code::Function(function), address(function), scope);
        if let Some(id) = &function.id {
            let cell = self.declare(scope, id.name.as_str());
            self.assign_cell(cell, value, true);
        }
    }

    pub(super) fn hoist_variables(&mut self, variables: &'a VariableDeclaration<'a>, scope: u32) {
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
    pub(super) fn hoist_vars(&mut self, statement: &'a Statement<'a>, outer: u32) {
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

    pub(super) fn hoist_left(&mut self, left: &'a ForStatementLeft<'a>, scope: u32) {
        if let ForStatementLeft::VariableDeclaration(variables) = left
            && variables.kind == VariableDeclarationKind::Var
        {
            self.hoist_variables(variables, scope);
        }
    }
}
