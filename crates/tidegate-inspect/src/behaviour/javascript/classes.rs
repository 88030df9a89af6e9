//! Functions, classes and patterns: where values get their names.
use oxc_ast::ast::{BindingPattern, Class, ClassElement};

use super::super::facts::What;
use super::machine::{Code, Machine};
use super::statements::address;
use super::value::{Kind, ObjectId, Shape, Taint, Value};

impl<'a> Machine<'a> {
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

    pub(super) fn inherit(&mut self, id: ObjectId, base: ObjectId) {
        if id == base {
            return;
        }
        let base = &self.objects[base.0 as usize];
        let class = base.class;
        let members: Vec<_> = base.members.iter().copied().collect();
        self.objects[id.0 as usize].class = class;
        for (key, value) in members {
            if key != "constructor" {
                self.set_member(id, key, value);
            } else if !self.objects[id.0 as usize].members.contains_key("super") {
                self.set_member(id, "super", value);
            }
        }
    }

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
