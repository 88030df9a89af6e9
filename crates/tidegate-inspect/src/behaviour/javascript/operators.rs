//! Operators and assignments.
use oxc_ast::ast::{
    AssignmentExpression, AssignmentTarget, AssignmentTargetMaybeDefault, AssignmentTargetProperty,
    BinaryExpression, Expression, LogicalExpression, SimpleAssignmentTarget,
};
use oxc_span::GetSpan;
use oxc_syntax::operator::{AssignmentOperator, BinaryOperator, LogicalOperator, UnaryOperator};

use super::machine::Machine;
use super::members::{Key, root};
use super::value::{HOLE, Shape, Taint, Value};
use super::{names, strings};

impl<'a> Machine<'a> {
    /// A chain of operators is read in a loop: sums of thousands of parts are ordinary.
    pub(super) fn binary(&mut self, one: &'a BinaryExpression<'a>) -> Value<'a> {
        let mut chain = vec![one];
        let mut left = &one.left;
        loop {
            match left {
                Expression::BinaryExpression(inner) => {
                    chain.push(inner);
                    left = &inner.left;
                }
                Expression::ParenthesizedExpression(inner)
                    if matches!(inner.expression, Expression::BinaryExpression(_)) =>
                {
                    left = &inner.expression;
                }
                _ => break,
            }
        }
        let mut value = self.expression(left);
        let mut text: Option<String> = None;
        for operation in chain.into_iter().rev() {
            let right = self.expression(&operation.right);
            if operation.operator == BinaryOperator::Addition {
                value = self.add(value, right, &mut text);
            } else {
                if let Some(text) = text.take() {
                    value = self.folded(&text, value.taint, operation.span.start);
                }
                value = self.operate(operation, value, right);
            }
        }
        if let Some(text) = text {
            let known = Value { shape: Shape::Unknown, ..value };
            value = self.folded(&text, known.taint, one.span.start);
            (value.gates, value.folded) = (known.gates, known.folded || !text.contains(HOLE));
        }
        value
    }

    /// A sum; `text` is what has been put together so far.
    pub(super) fn add(&mut self, left: Value<'a>, right: Value<'a>, text: &mut Option<String>) -> Value<'a> {
        if text.is_none() {
            if let (Some(a), Some(b)) = (strings::arithmetic(left), strings::arithmetic(right)) {
                return Value { shape: Shape::Number(a + b), ..left };
            }
            let texts = |value: Value<'_>| {
                matches!(value.shape, Shape::Text(_) | Shape::Either(_) | Shape::Object(_))
            };
            if !texts(left) && !texts(right) {
                let taint = self.deep_all(&[left, right]);
                return Value {
                    shape: Shape::Unknown,
                    taint,
                    gates: left.gates | right.gates,
                    folded: left.folded || right.folded,
                };
            }
        }
        let mut result = Value { shape: Shape::Unknown, ..left };
        let mut sum = match text.take() {
            Some(text) => text,
            None => {
                let mut start = String::new();
                self.append(&mut start, left, &mut result);
                start
            }
        };
        self.append(&mut sum, right, &mut result);
        *text = Some(sum);
        result
    }

    pub(super) fn operate(
        &mut self,
        one: &'a BinaryExpression<'a>,
        left: Value<'a>,
        right: Value<'a>,
    ) -> Value<'a> {
        let taint = self.deep_all(&[left, right]);
        let mut value = Value {
            shape: Shape::Unknown,
            taint,
            gates: left.gates | right.gates,
            folded: left.folded || right.folded,
        };
        if let (Some(a), Some(b)) = (strings::numeric(left), strings::numeric(right))
            && let Some(number) = strings::operate(one.operator, a, b)
        {
            value.shape = Shape::Number(number);
            return value;
        }
        // Arithmetic on the code points of selectors: how text is hidden in what shows nothing.
        let base = right.as_number().or(left.as_number());
        if matches!(one.operator, BinaryOperator::Subtraction | BinaryOperator::Addition)
            && base.is_some_and(|base| [65_024.0, 917_760.0, 917_744.0, 917_504.0].contains(&base.abs()))
        {
            value.taint = self.decode("selectors", taint, one.span.start);
        }
        value
    }

    pub(super) fn logical(&mut self, one: &'a LogicalExpression<'a>) -> Value<'a> {
        let (left, asked) = self.test(&one.left);
        if let Some(outer) = self.asked.as_mut() {
            outer.extend(asked.iter().copied().take(16));
        }
        let (gates, held) = (self.gates, self.absent.len());
        self.gates |= left.gates;
        self.absent.extend(asked);
        self.branch += 1;
        let right = self.expression(&one.right);
        self.branch -= 1;
        self.absent.truncate(held);
        self.gates = gates;
        match one.operator {
            LogicalOperator::And => Value {
                shape: if right.shape == Shape::Unknown { Shape::Unknown } else { right.shape },
                taint: self.join(left.taint, right.taint),
                gates: left.gates | right.gates,
                folded: right.folded,
            },
            _ => self.either(left, right),
        }
    }

    pub(super) fn assignment(&mut self, one: &'a AssignmentExpression<'a>) -> Value<'a> {
        let right = self.expression(&one.right);
        let value = match one.operator {
            AssignmentOperator::Assign => right,
            AssignmentOperator::Addition => {
                let old = self.assigned_value(&one.left);
                let mut text = None;
                let mut sum = self.add(old, right, &mut text);
                if let Some(mut text) = text {
                    // In a loop there are more of them than one.
                    if self.in_loop > 0 {
                        text.push(HOLE);
                    }
                    let (gates, folded) = (sum.gates, sum.folded);
                    sum = self.folded(&text, sum.taint, one.span.start);
                    (sum.gates, sum.folded) = (gates, folded);
                }
                sum
            }
            AssignmentOperator::LogicalOr
            | AssignmentOperator::LogicalNullish
            | AssignmentOperator::LogicalAnd => {
                let old = self.assigned_value(&one.left);
                self.either(old, right)
            }
            operator => {
                let old = self.assigned_value(&one.left);
                let mut taint = self.deep_all(&[old, right]);
                if operator == AssignmentOperator::BitwiseXOR && is_computed(&one.left) {
                    taint = self.decode("xor", taint, one.span.start);
                }
                let numbers = strings::arithmetic(old).zip(strings::arithmetic(right));
                let shape = match (operator, numbers) {
                    (AssignmentOperator::Subtraction, Some((a, b))) if self.in_loop == 0 => {
                        Shape::Number(a - b)
                    }
                    _ => Shape::Unknown,
                };
                Value { shape, taint, gates: 0, folded: false }
            }
        };
        let mut value = value;
        if is_computed(&one.left)
            && one.operator == AssignmentOperator::Assign
            && names::is_xor(&one.right)
            && self.in_loop > 0
        {
            value.taint = self.decode("xor", value.taint, one.span.start);
        }
        let polyfill = matches!(one.right.without_parentheses(), Expression::LogicalExpression(_))
            || one.operator != AssignmentOperator::Assign;
        let held = self.absent.len();
        if polyfill
            && let Some(member) = one.left.as_member_expression()
            && let Shape::Name(name) = self.member_expression(member).shape
        {
            self.absent.push(name);
        }
        self.assign_target(&one.left, value);
        self.absent.truncate(held);
        value
    }

    pub(super) fn assigned_value(&mut self, target: &'a AssignmentTarget<'a>) -> Value<'a> {
        target.as_simple_assignment_target().map_or(Value::UNKNOWN, |target| self.target_value(target))
    }

    pub(super) fn target_value(&mut self, target: &'a SimpleAssignmentTarget<'a>) -> Value<'a> {
        match target {
            SimpleAssignmentTarget::AssignmentTargetIdentifier(id) => self.identifier(id.name.as_str()),
            target => {
                target.as_member_expression().map_or(Value::UNKNOWN, |member| self.member_expression(member))
            }
        }
    }

    pub(super) fn assign_target(&mut self, target: &'a AssignmentTarget<'a>, value: Value<'a>) {
        if let Some(simple) = target.as_simple_assignment_target() {
            return self.assign_simple(simple, value);
        }
        match target {
            AssignmentTarget::ArrayAssignmentTarget(array) => {
                for (index, element) in array.elements.iter().enumerate() {
                    if let Some(element) = element {
                        let part = self.element_at(value, index);
                        self.assign_maybe(element, part);
                    }
                }
            }
            AssignmentTarget::ObjectAssignmentTarget(object) => {
                for property in &object.properties {
                    match property {
                        AssignmentTargetProperty::AssignmentTargetPropertyIdentifier(one) => {
                            let part = self.member(value, one.binding.name.as_str(), one.span.start);
                            if let Some(cell) = self.lookup(self.frame.scope, one.binding.name.as_str()) {
                                self.assign_cell(cell, part, false);
                            }
                        }
                        AssignmentTargetProperty::AssignmentTargetPropertyProperty(one) => {
                            let part = match self.property_key(&one.name, one.computed) {
                                Some(key) => self.member(value, key, one.span.start),
                                None => Value::tainted(value.taint),
                            };
                            self.assign_maybe(&one.binding, part);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    pub(super) fn assign_maybe(&mut self, target: &'a AssignmentTargetMaybeDefault<'a>, value: Value<'a>) {
        match target {
            AssignmentTargetMaybeDefault::AssignmentTargetWithDefault(one) => {
                let other = self.expression(&one.init);
                let value = self.either(value, other);
                self.assign_target(&one.binding, value);
            }
            target => {
                if let Some(target) = target.as_assignment_target() {
                    self.assign_target(target, value);
                }
            }
        }
    }

    pub(super) fn assign_simple(&mut self, target: &'a SimpleAssignmentTarget<'a>, value: Value<'a>) {
        if let SimpleAssignmentTarget::AssignmentTargetIdentifier(id) = target {
            match self.lookup(self.frame.scope, id.name.as_str()) {
                Some(cell) => self.assign_cell(cell, value, false),
                None => {
                    let path = names::global(id.name.as_str());
                    let name = self.name(path);
                    if !self.hook(name, value, id.span.start, false) {
                        // An assignment makes the global, as far as this file is concerned.
                        let cell = self.declare(0, id.name.as_str());
                        self.assign_cell(cell, value, false);
                    }
                }
            }
            return;
        }
        let Some(member) = target.as_member_expression() else { return };
        let (object, key) = self.member_parts(member);
        let offset = member.span().start;
        match key {
            Key::Known(key, folded) => self.assign_member(object, key, value, offset, folded),
            Key::Unknown(_) => {
                if let Shape::Object(id) = object.shape {
                    self.set_any(id, value);
                }
                self.absorb(root(member), value);
            }
        }
        // What an unknown object was given comes out of it again.
        if !matches!(object.shape, Shape::Object(_) | Shape::Name(_) | Shape::Function(_)) {
            self.absorb(root(member), value);
        }
    }

    /// Gives a variable the origin of what was put into the object that it holds.
    pub(super) fn absorb(&mut self, root: Option<&'a str>, value: Value<'a>) {
        let taint = self.deep(value);
        if taint.0 == 0 {
            return;
        }
        if let Some(name) = root
            && let Some(cell) = self.lookup(self.frame.scope, name)
            && let Some(old) = self.cells.get(cell as usize).copied()
            && !matches!(old.shape, Shape::Name(_))
        {
            self.cells[cell as usize].taint = self.join(old.taint, taint);
        }
    }
}

pub(super) fn is_computed(target: &AssignmentTarget<'_>) -> bool {
    matches!(target, AssignmentTarget::ComputedMemberExpression(_))
}

pub(super) fn unary<'a>(operator: UnaryOperator, value: Value<'a>) -> Value<'a> {
    let number = strings::arithmetic(value);
    let shape = match (operator, number) {
        (UnaryOperator::UnaryNegation, Some(number)) => Shape::Number(-number),
        (UnaryOperator::UnaryPlus, Some(number)) => Shape::Number(number),
        #[expect(clippy::cast_possible_truncation, reason = "as the language does for numbers of this size")]
        (UnaryOperator::BitwiseNot, Some(number)) if number.abs() < 2_147_483_648.0 => {
            Shape::Number(f64::from(!(number as i32)))
        }
        (UnaryOperator::LogicalNot, Some(number)) => Shape::Flag(number == 0.0),
        (UnaryOperator::LogicalNot, None) => match value.shape {
            Shape::Flag(flag) => Shape::Flag(!flag),
            _ => Shape::Unknown,
        },
        (UnaryOperator::Void, _) => Shape::Undefined,
        _ => Shape::Unknown,
    };
    let gates = if operator == UnaryOperator::Void { 0 } else { value.gates };
    let taint = if matches!(operator, UnaryOperator::Void | UnaryOperator::Typeof | UnaryOperator::Delete) {
        Taint(0)
    } else {
        value.taint
    };
    Value { shape, taint, gates, folded: value.folded }
}
