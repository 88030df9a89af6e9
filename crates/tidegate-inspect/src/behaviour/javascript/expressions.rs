//! Expressions: what is constant of them, what they name, where their values come from.
use oxc_ast::ast::{
    Argument, CallExpression, ChainElement, Expression, JSXAttributeItem, JSXAttributeValue, JSXChild,
    JSXElement, NewExpression,
};

use super::calls::Site;
use super::machine::{Code, Machine};
use super::members::{Key, root};
use super::names;
use super::operators::unary;
use super::statements::address;
use super::value::{Shape, Value};

impl<'a> Machine<'a> {
    /// The value of an expression, and everything that evaluating it does.
    pub(super) fn expression(&mut self, expression: &'a Expression<'a>) -> Value<'a> {
        if !self.enter() {
            return Value::UNKNOWN;
        }
        let value = self.expression_within(expression);
        self.leave();
        value
    }

    pub(super) fn expression_within(&mut self, expression: &'a Expression<'a>) -> Value<'a> {
        match expression {
            Expression::StringLiteral(one) => self.literal(one.value.as_str(), one.span.start, false),
            Expression::NumericLiteral(one) => Value::of(Shape::Number(one.value)),
            Expression::BooleanLiteral(one) => Value::of(Shape::Flag(one.value)),
            Expression::NullLiteral(_) => Value::of(Shape::Undefined),
            Expression::TemplateLiteral(one) => self.template(one),
            Expression::Identifier(one) => {
                let value = self.identifier(one.name.as_str());
                self.ask(value)
            }
            Expression::ThisExpression(_) => self.frame.this,
            Expression::ArrayExpression(one) => self.array(one),
            Expression::ObjectExpression(one) => self.object_literal(one),
            Expression::ArrowFunctionExpression(one) => {
                self.function_value(Code::Arrow(one), address(&**one), self.frame.scope)
            }
            Expression::FunctionExpression(one) => {
                self.function_value(Code::Function(one), address(&**one), self.frame.scope)
            }
            Expression::ClassExpression(one) => self.class(one),
            Expression::AssignmentExpression(one) => self.assignment(one),
            Expression::BinaryExpression(one) => self.binary(one),
            Expression::LogicalExpression(one) => self.logical(one),
            Expression::ConditionalExpression(one) => {
                let (test, asked) = self.test(&one.test);
                let (gates, held) = (self.gates, self.absent.len());
                self.gates |= test.gates;
                self.absent.extend(asked);
                self.branch += 1;
                let a = self.expression(&one.consequent);
                let b = self.expression(&one.alternate);
                self.branch -= 1;
                self.absent.truncate(held);
                self.gates = gates;
                self.either(a, b)
            }
            Expression::UnaryExpression(one) => {
                let value = self.expression(&one.argument);
                unary(one.operator, value)
            }
            Expression::UpdateExpression(one) => {
                let value = self.target_value(&one.argument);
                let counted = value.shaped(Shape::Unknown);
                self.assign_simple(&one.argument, counted);
                counted
            }
            Expression::AwaitExpression(one) => {
                let value = self.expression(&one.argument);
                self.settled(value)
            }
            Expression::YieldExpression(one) => match &one.argument {
                Some(argument) => {
                    let value = self.expression(argument);
                    let value = self.settled(value);
                    // Whoever iterates over it gets this.
                    let taint = self.deep(value);
                    self.give_back(Value::tainted(taint));
                    value
                }
                None => Value::UNKNOWN,
            },
            Expression::CallExpression(one) => self.call(one),
            Expression::NewExpression(one) => self.construct(one),
            Expression::ImportExpression(one) => self.import_expression(one),
            Expression::SequenceExpression(one) => {
                let mut value = Value::UNKNOWN;
                for part in &one.expressions {
                    value = self.expression(part);
                }
                value
            }
            Expression::ParenthesizedExpression(one) => self.expression(&one.expression),
            Expression::ChainExpression(one) => match &one.expression {
                ChainElement::CallExpression(call) => self.call(call),
                ChainElement::TSNonNullExpression(one) => self.expression(&one.expression),
                element => element
                    .as_member_expression()
                    .map_or(Value::UNKNOWN, |member| self.member_expression(member)),
            },
            Expression::TaggedTemplateExpression(one) => {
                let tag = self.expression(&one.tag);
                let text = self.template(&one.quasi);
                let site = Site { offset: one.span.start, place: address(&**one), folded: tag.folded };
                self.call_value(tag, Value::UNKNOWN, &[text], site)
            }
            Expression::TSAsExpression(one) => self.expression(&one.expression),
            Expression::TSSatisfiesExpression(one) => self.expression(&one.expression),
            Expression::TSTypeAssertion(one) => self.expression(&one.expression),
            Expression::TSNonNullExpression(one) => self.expression(&one.expression),
            Expression::TSInstantiationExpression(one) => self.expression(&one.expression),
            Expression::JSXElement(one) => self.jsx(one),
            Expression::JSXFragment(one) => {
                self.jsx_children(&one.children);
                Value::UNKNOWN
            }
            Expression::ImportMeta(_) => self.name_value("import.meta"),
            Expression::PrivateInExpression(one) => {
                self.expression(&one.right);
                Value::UNKNOWN
            }
            Expression::Super(_) => match self.frame.this.shape {
                Shape::Object(id) => {
                    self.objects[id.0 as usize].members.get("super").copied().unwrap_or(self.frame.this)
                }
                _ => Value::UNKNOWN,
            },
            Expression::V8IntrinsicExpression(one) => {
                self.arguments(&one.arguments);
                Value::UNKNOWN
            }
            _ => expression
                .as_member_expression()
                .map_or(Value::UNKNOWN, |member| self.member_expression(member)),
        }
    }

    pub(super) fn arguments(&mut self, arguments: &'a [Argument<'a>]) -> Vec<Value<'a>> {
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            match argument {
                Argument::SpreadElement(spread) => {
                    let value = self.expression(&spread.argument);
                    self.spread_into(&mut values, value);
                }
                argument => {
                    if let Some(expression) = argument.as_expression() {
                        values.push(self.expression(expression));
                    }
                }
            }
        }
        values
    }

    pub(super) fn call(&mut self, one: &'a CallExpression<'a>) -> Value<'a> {
        let mut callee = one.callee.get_inner_expression();
        while let Expression::SequenceExpression(sequence) = callee {
            // `(0, eval)(x)`
            let Some((last, before)) = sequence.expressions.split_last() else { break };
            for part in before {
                self.expression(part);
            }
            callee = last.get_inner_expression();
        }
        self.here = one.span.start;
        let member = match callee {
            Expression::ChainExpression(chain) => chain.expression.as_member_expression(),
            other => other.as_member_expression(),
        };
        let mut site = Site { offset: one.span.start, place: address(one), folded: false };
        if let Some(member) = member {
            let (object, key) = self.member_parts(member);
            let arguments = self.arguments(&one.arguments);
            let xor = one.arguments.iter().filter_map(Argument::as_expression).any(names::is_xor);
            return match key {
                Key::Known(key, folded) => {
                    site.folded = folded || object.folded;
                    self.method(object, key, &arguments, site, root(member), xor)
                }
                Key::Unknown(key) => self.method_unknown(object, key, &arguments, site),
            };
        }
        let callee_value = match callee {
            Expression::Super(_) => {
                let arguments = self.arguments(&one.arguments);
                let base = self.expression(callee);
                if let Shape::Function(_) = base.shape {
                    self.call_value(base, self.frame.this, &arguments, site);
                } else if let Shape::Object(id) = self.frame.this.shape {
                    for value in arguments {
                        self.set_any(id, value);
                    }
                }
                return Value::UNKNOWN;
            }
            Expression::Identifier(id) if names::is_interop(id.name.as_str()) => {
                let arguments = self.arguments(&one.arguments);
                return arguments.first().copied().unwrap_or(Value::UNKNOWN);
            }
            callee => self.expression(callee),
        };
        let arguments = self.arguments(&one.arguments);
        site.folded = callee_value.folded;
        if let Expression::Identifier(id) = callee
            && names::is_runner(id.name.as_str())
        {
            // `__awaiter(this, void 0, void 0, function* () { … })`
            return self.run_callbacks(&arguments, &[], site);
        }
        self.call_value(callee_value, Value::UNKNOWN, &arguments, site)
    }

    pub(super) fn construct(&mut self, one: &'a NewExpression<'a>) -> Value<'a> {
        let callee = self.expression(&one.callee);
        let arguments = self.arguments(&one.arguments);
        let site = Site { offset: one.span.start, place: address(one), folded: callee.folded };
        self.construct_value(callee, &arguments, site)
    }

    pub(super) fn import_expression(&mut self, one: &'a oxc_ast::ast::ImportExpression<'a>) -> Value<'a> {
        let source = self.expression(&one.source);
        let site = Site { offset: one.span.start, place: address(one), folded: source.folded };
        self.load_module(source, "import", site)
    }

    pub(super) fn jsx(&mut self, one: &'a JSXElement<'a>) -> Value<'a> {
        if !self.enter() {
            return Value::UNKNOWN;
        }
        for attribute in &one.opening_element.attributes {
            match attribute {
                JSXAttributeItem::Attribute(attribute) => match &attribute.value {
                    Some(JSXAttributeValue::StringLiteral(text)) => {
                        self.literal(text.value.as_str(), text.span.start, false);
                    }
                    Some(JSXAttributeValue::ExpressionContainer(container)) => {
                        if let Some(expression) = container.expression.as_expression() {
                            self.expression(expression);
                        }
                    }
                    Some(JSXAttributeValue::Element(element)) => {
                        self.jsx(element);
                    }
                    _ => {}
                },
                JSXAttributeItem::SpreadAttribute(spread) => {
                    self.expression(&spread.argument);
                }
            }
        }
        self.jsx_children(&one.children);
        self.leave();
        Value::UNKNOWN
    }

    pub(super) fn jsx_children(&mut self, children: &'a [JSXChild<'a>]) {
        for child in children {
            match child {
                JSXChild::Element(element) => {
                    self.jsx(element);
                }
                JSXChild::Fragment(fragment) => {
                    if self.enter() {
                        self.jsx_children(&fragment.children);
                        self.leave();
                    }
                }
                JSXChild::ExpressionContainer(container) => {
                    if let Some(expression) = container.expression.as_expression() {
                        self.expression(expression);
                    }
                }
                JSXChild::Spread(spread) => {
                    self.expression(&spread.expression);
                }
                JSXChild::Text(_) => {}
            }
        }
    }
}
