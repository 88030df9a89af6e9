//! Expressions: what is constant of them, what they name, where their values come from.

use oxc_ast::ast::{
    Argument, ArrayExpressionElement, AssignmentExpression, AssignmentTarget, AssignmentTargetMaybeDefault,
    AssignmentTargetProperty, BinaryExpression, CallExpression, ChainElement, Expression, JSXAttributeItem,
    JSXAttributeValue, JSXChild, JSXElement, LogicalExpression, MemberExpression, NewExpression,
    ObjectExpression, ObjectPropertyKind, PropertyKey, SimpleAssignmentTarget, TemplateLiteral,
};
use oxc_span::GetSpan;
use oxc_syntax::operator::{AssignmentOperator, BinaryOperator, LogicalOperator, UnaryOperator};

use super::super::{facts::What, words};
use super::calls::Site;
use super::machine::{Code, FunctionInfo, Machine, TEXT_BYTES};
use super::statements::address;
use super::value::{FunctionId, HOLE, HOLE_TEXT, Kind, NameId, Shape, Taint, Value};
use super::{gates, names, strings};

/// Bytes from which a constant is a big one.
const BIG_CONSTANT_BYTES: usize = 4_096;

/// Numbers in an array that are a big constant.
const BIG_ARRAY: usize = 2_048;

/// Bits per byte that text in a language does not have.
const HIGH_ENTROPY: f64 = 4.6;

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

    fn expression_within(&mut self, expression: &'a Expression<'a>) -> Value<'a> {
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
                    self.settled(value)
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

    // ---- Constants -----------------------------------------------------------------------------------------------

    /// A constant text: it is told of where it is telling or big.
    pub(super) fn literal(&mut self, text: &'a str, offset: u32, folded: bool) -> Value<'a> {
        let mut value = Value::text(text);
        value.folded = folded;
        if text.len() > BIG_CONSTANT_BYTES && entropy(text.as_bytes()) > HIGH_ENTROPY {
            let start = &text[..text.floor_char_boundary(80)];
            value.taint = self.source(What::BigConstant, start, offset, folded);
        } else if text.len() >= 4 && words::is_telling(text) {
            self.fact(What::Text, text, offset, folded);
        }
        value
    }

    /// A text that folding made of others.
    pub(super) fn folded(&mut self, text: &str, taint: Taint, offset: u32) -> Value<'a> {
        let text = self.make_text(text);
        let mut value = Value::text(text).with_taint(taint);
        value.folded = true;
        if text.len() >= 4 && text.len() <= BIG_CONSTANT_BYTES && text != HOLE_TEXT && words::is_telling(text)
        {
            self.fact(What::Text, text, offset, true);
        }
        value
    }

    fn template(&mut self, one: &'a TemplateLiteral<'a>) -> Value<'a> {
        if let ([quasi], []) = (&one.quasis[..], &one.expressions[..]) {
            let text = quasi.value.cooked.as_ref().map_or(quasi.value.raw.as_str(), |text| text.as_str());
            return self.literal(text, one.span.start, false);
        }
        let mut text = String::new();
        let mut result = Value::UNKNOWN;
        for (index, quasi) in one.quasis.iter().enumerate() {
            text.push_str(quasi.value.cooked.as_ref().map_or("", |text| text.as_str()));
            if let Some(expression) = one.expressions.get(index) {
                let value = self.expression(expression);
                self.append(&mut text, value, &mut result);
            }
        }
        let folded = result.folded || !text.contains(HOLE);
        let mut value = self.folded(&text, result.taint, one.span.start);
        (value.gates, value.folded) = (result.gates, folded);
        value
    }

    /// Puts the text of a value behind a text, and its origin into the result.
    fn append(&mut self, text: &mut String, value: Value<'a>, result: &mut Value<'a>) {
        if text.len() < TEXT_BYTES {
            match self.constant_text(value) {
                Some(part) => text.push_str(&part),
                None => text.push(HOLE),
            }
        }
        let taint = self.deep(value);
        result.taint = self.join(result.taint, taint);
        result.gates |= value.gates;
        result.folded |= value.folded;
    }

    /// The text that a value becomes, as far as it is constant.
    pub(super) fn constant_text(&mut self, value: Value<'a>) -> Option<String> {
        match value.shape {
            Shape::Text(text) => Some(text.to_owned()),
            Shape::Number(number) => Some(strings::number_text(number)),
            Shape::Flag(flag) => Some(flag.to_string()),
            Shape::Either(id) => self.eithers.get(id).iter().find_map(|shape| match shape {
                Shape::Text(text) => Some((*text).to_owned()),
                _ => None,
            }),
            Shape::Object(id) => {
                let object = &self.objects[id.0 as usize];
                if object.kind != Kind::Array || object.items.is_empty() || object.items.len() > 4_096 {
                    return None;
                }
                let items = object.items.clone();
                let parts: Vec<String> = items
                    .into_iter()
                    .map(|item| strings::piece(item).unwrap_or(HOLE_TEXT.to_owned()))
                    .collect();
                Some(parts.join(","))
            }
            _ => None,
        }
    }

    // ---- Names ---------------------------------------------------------------------------------------------------

    pub(super) fn identifier(&mut self, name: &'a str) -> Value<'a> {
        if let Some(cell) = self.lookup(self.frame.scope, name) {
            return self.cells.get(cell as usize).copied().unwrap_or(Value::UNKNOWN);
        }
        match name {
            "undefined" => Value::of(Shape::Undefined),
            "NaN" => Value::of(Shape::Number(f64::NAN)),
            "Infinity" => Value::of(Shape::Number(f64::INFINITY)),
            "exports" => Value::of(Shape::Object(self.exports)),
            "arguments" => {
                let place = self.frame.function.map_or(0, |id| id.0 as usize + 1);
                let id = self.object(place, Kind::Array);
                self.objects[id.0 as usize].items = self.frame.arguments.clone();
                Value::of(Shape::Object(id))
            }
            "__dirname" | "__filename" => Value::text(HOLE_TEXT),
            _ => {
                let path = names::global(name);
                let mut value = self.name_value(path);
                value.gates = gates::of_name(path);
                value
            }
        }
    }

    /// Notes a name that a test asks for.
    pub(super) fn ask(&mut self, value: Value<'a>) -> Value<'a> {
        if let (Shape::Name(name), Some(asked)) = (value.shape, self.asked.as_mut())
            && asked.len() < 64
        {
            asked.push(name);
        }
        value
    }

    fn member_expression(&mut self, member: &'a MemberExpression<'a>) -> Value<'a> {
        let (object, key) = self.member_parts(member);
        match key {
            Key::Known(key, folded) => {
                let mut value = self.member(object, key, member.span().start);
                value.folded |= folded;
                self.ask(value)
            }
            Key::Unknown(key) => {
                if let Some(value) = self.member_unknown(object, key, member.span().start) {
                    return value;
                }
                let taint = self.deep(object);
                let taint = self.join(taint, key.taint);
                Value { shape: Shape::Unknown, taint, gates: object.gates | key.gates, folded: false }
            }
        }
    }

    /// A member whose key is not constant.
    fn member_unknown(&mut self, object: Value<'a>, key: Value<'a>, offset: u32) -> Option<Value<'a>> {
        match object.shape {
            Shape::Name(name) if self.path(name) == "process.env" => {
                let taint = self.source(What::EnvRead, "", offset, object.folded);
                let taint = self.join(taint, key.taint);
                Some(Value::tainted(taint))
            }
            Shape::Object(id) => {
                let info = &self.objects[id.0 as usize];
                let (any, kind) = (info.any, info.kind);
                if kind == Kind::Array {
                    return Some(self.element_of(object));
                }
                let taint = self.deep(object);
                let taint = self.join(taint, key.taint);
                Some(any.with_taint(taint))
            }
            _ => None,
        }
    }

    /// The object and key of a member expression.
    fn member_parts(&mut self, member: &'a MemberExpression<'a>) -> (Value<'a>, Key<'a>) {
        match member {
            MemberExpression::StaticMemberExpression(one) => {
                (self.expression(&one.object), Key::Known(one.property.name.as_str(), false))
            }
            MemberExpression::PrivateFieldExpression(one) => {
                (self.expression(&one.object), Key::Known(one.field.name.as_str(), false))
            }
            MemberExpression::ComputedMemberExpression(one) => {
                let object = self.expression(&one.object);
                let key = self.expression(&one.expression);
                let literal =
                    matches!(one.expression, Expression::StringLiteral(_) | Expression::NumericLiteral(_));
                (object, self.key(key, !literal))
            }
        }
    }

    fn key(&mut self, key: Value<'a>, computed: bool) -> Key<'a> {
        match key.shape {
            Shape::Text(text) if !text.contains(HOLE) => Key::Known(text, computed),
            Shape::Number(number) => {
                let text = strings::number_text(number);
                Key::Known(self.make_text(&text), false)
            }
            Shape::Either(id) => {
                let texts: Vec<&'a str> = self
                    .eithers
                    .get(id)
                    .iter()
                    .filter_map(|shape| match shape {
                        Shape::Text(text) => Some(*text),
                        _ => None,
                    })
                    .collect();
                texts.first().map_or(Key::Unknown(key), |text| Key::Known(text, true))
            }
            _ => Key::Unknown(key),
        }
    }

    pub(super) fn property_key(&mut self, key: &'a PropertyKey<'a>, computed: bool) -> Option<&'a str> {
        match key {
            PropertyKey::StaticIdentifier(id) => Some(id.name.as_str()),
            PropertyKey::PrivateIdentifier(id) => Some(id.name.as_str()),
            key => {
                let expression = key.as_expression()?;
                let value = match expression {
                    Expression::StringLiteral(one) if !computed => Value::text(one.value.as_str()),
                    _ => self.expression(expression),
                };
                match self.key(value, false) {
                    Key::Known(key, _) => Some(key),
                    Key::Unknown(_) => None,
                }
            }
        }
    }

    /// A member of a value.
    pub(super) fn member(&mut self, value: Value<'a>, key: &'a str, offset: u32) -> Value<'a> {
        let found = match value.shape {
            Shape::Name(name) => self.member_of_name(name, value, key, offset),
            Shape::Object(id) => self.member_of_object(id, key),
            Shape::Text(text) => match key {
                "length" if !text.contains(HOLE) => {
                    #[expect(clippy::cast_precision_loss, reason = "texts are far shorter")]
                    let length = text.encode_utf16().count() as f64;
                    Value::of(Shape::Number(length))
                }
                "constructor" => self.name_value("String"),
                _ => match key.parse::<usize>().ok().and_then(|index| text.chars().nth(index)) {
                    Some(character) => {
                        let text = self.make_text(character.encode_utf8(&mut [0; 4]));
                        Value::text(text)
                    }
                    None if strings::is_method(key) => self.name_value("prototype.method"),
                    None => Value::UNKNOWN,
                },
            },
            Shape::Function(id) => match key {
                "constructor" => self.name_value("Function"),
                "prototype" => Value::of(Shape::Object(self.this_of(id))),
                _ => {
                    let object = self.this_of(id);
                    self.member_of_object(object, key)
                }
            },
            Shape::Either(id) => {
                let mut result: Option<Value<'a>> = None;
                for shape in self.eithers.get(id).to_vec() {
                    let one = self.member(value.shaped(shape), key, offset);
                    result = Some(result.map_or(one, |before| self.either(before, one)));
                }
                result.unwrap_or(Value::UNKNOWN)
            }
            Shape::Number(_) if key == "constructor" => self.name_value("Number"),
            _ if key == "constructor" => self.name_value("constructor"),
            _ => Value::UNKNOWN,
        };
        Value {
            shape: found.shape,
            taint: self.join(found.taint, value.taint),
            gates: found.gates | value.gates,
            folded: found.folded || value.folded,
        }
    }

    fn member_of_name(&mut self, name: NameId, value: Value<'a>, key: &'a str, offset: u32) -> Value<'a> {
        let path = self.path(name);
        if path == "process.env" {
            let taint = self.source(What::EnvRead, key, offset, value.folded);
            let shape = names::folder_of(key).map_or(Shape::Unknown, Shape::Text);
            return Value { shape, taint, gates: gates::of_variable(key), folded: false };
        }
        if path == "module" && key == "exports" {
            let id = self.exports;
            return self.objects[id.0 as usize]
                .members
                .get("module.exports")
                .copied()
                .unwrap_or(Value::of(Shape::Object(id)));
        }
        let Some(member) = self.name_member(name, key) else { return Value::UNKNOWN };
        let path = self.path(member);
        let mut found = Value::of(Shape::Name(member));
        found.gates = gates::of_name(path);
        match names::constant(path) {
            Some(names::Constant::Text(text)) => found.shape = Shape::Text(text),
            Some(names::Constant::Identity) => {
                let fact = self.maybe(What::HostIdentity, path, offset);
                found.taint = self.taint_of(fact);
            }
            None => {}
        }
        found
    }

    fn member_of_object(&mut self, id: super::value::ObjectId, key: &'a str) -> Value<'a> {
        let object = &self.objects[id.0 as usize];
        if let Some(&value) = object.members.get(key) {
            return value;
        }
        let (kind, class, any) = (object.kind, object.class, object.any);
        if kind == Kind::Array {
            if let Ok(index) = key.parse::<usize>() {
                return object.items.get(index).copied().unwrap_or(any);
            }
            match key {
                #[expect(clippy::cast_precision_loss, reason = "arrays are far shorter")]
                "length" => return Value::of(Shape::Number(object.items.len() as f64)),
                "constructor" => return self.name_value("Array"),
                _ if strings::is_method(key) => return self.name_value("prototype.method"),
                _ => {}
            }
        }
        match (kind, key) {
            (Kind::Process { exec, .. }, "stdin") => {
                let input = self.object(id.0 as usize * 2 + 3, Kind::Input { exec });
                return Value::of(Shape::Object(input));
            }
            (Kind::Socket { .. }, "socket") => return Value::of(Shape::Object(id)),
            _ => {}
        }
        if let Some(class) = class
            && let Some(member) = self.name_member(class, key)
        {
            return Value::of(Shape::Name(member)).with_taint(any.taint);
        }
        if key == "constructor" {
            return self.name_value("constructor");
        }
        any
    }

    /// What `this` is in a function, and what its prototype and instances are.
    pub(super) fn this_of(&mut self, id: FunctionId) -> super::value::ObjectId {
        if let Some(object) = self.functions[id.0 as usize].this {
            return object;
        }
        let object = self.object(usize::MAX - id.0 as usize, Kind::Plain);
        self.functions[id.0 as usize].this = Some(object);
        object
    }

    pub(super) fn function_value(&mut self, code: Code<'a>, place: usize, scope: u32) -> Value<'a> {
        if let Some(&id) = self.function_of.get(&place) {
            return Value::of(Shape::Function(id));
        }
        let id = FunctionId(u32::try_from(self.functions.len()).unwrap_or(0));
        self.functions.push(FunctionInfo {
            code,
            outer: scope,
            scope: None,
            this: None,
            called: false,
            running: 0,
            contexts: rustc_hash::FxHashMap::default(),
            last: Value::UNKNOWN,
        });
        self.function_of.insert(place, id);
        Value::of(Shape::Function(id))
    }

    /// One value or the other.
    pub(super) fn either(&mut self, a: Value<'a>, b: Value<'a>) -> Value<'a> {
        Value {
            shape: self.eithers.join(a.shape, b.shape),
            taint: self.join(a.taint, b.taint),
            gates: a.gates | b.gates,
            folded: a.folded || b.folded,
        }
    }

    /// What a promise comes to.
    pub(super) fn settled(&mut self, value: Value<'a>) -> Value<'a> {
        if let Shape::Object(id) = value.shape
            && self.kind(id) == Kind::Promise
        {
            let any = self.objects[id.0 as usize].any;
            let taint = self.join(any.taint, value.taint);
            return any.with_taint(taint);
        }
        value
    }

    // ---- Literals of structure -----------------------------------------------------------------------------------

    fn array(&mut self, one: &'a oxc_ast::ast::ArrayExpression<'a>) -> Value<'a> {
        let id = self.object(address(one), Kind::Array);
        let mut items = Vec::with_capacity(one.elements.len().min(1 << 20));
        let mut taint = Taint(0);
        for element in &one.elements {
            match element {
                ArrayExpressionElement::SpreadElement(spread) => {
                    let value = self.expression(&spread.argument);
                    self.spread_into(&mut items, value);
                }
                ArrayExpressionElement::Elision(_) => items.push(Value::of(Shape::Undefined)),
                element => {
                    if let Some(expression) = element.as_expression() {
                        items.push(self.expression(expression));
                    }
                }
            }
        }
        if items.len() >= BIG_ARRAY && items.iter().all(|item| matches!(item.shape, Shape::Number(_))) {
            let start: Vec<String> = items.iter().take(16).filter_map(|item| strings::piece(*item)).collect();
            taint = self.source(What::BigConstant, &format!("[{},…", start.join(",")), one.span.start, false);
        }
        // What a callback put there in an earlier pass may be there before this one asks.
        let before = self.deep(Value::of(Shape::Object(id)));
        if before.0 != 0 {
            self.set_any(id, Value::tainted(before));
        }
        self.objects[id.0 as usize].items = items;
        Value::of(Shape::Object(id)).with_taint(taint)
    }

    pub(super) fn spread_into(&mut self, items: &mut Vec<Value<'a>>, value: Value<'a>) {
        match value.shape {
            Shape::Object(id) if self.kind(id) == Kind::Array && value.taint.0 == 0 => {
                let own: Vec<_> = self.objects[id.0 as usize].items.clone();
                let any = self.objects[id.0 as usize].any;
                items.extend(own);
                if any != Value::UNKNOWN {
                    items.push(any);
                }
            }
            Shape::Text(text) if text.len() < 4_096 => {
                for character in text.chars() {
                    let piece = self.make_text(character.encode_utf8(&mut [0; 4]));
                    items.push(Value::text(piece).with_taint(value.taint));
                }
            }
            _ => {
                let taint = self.deep(value);
                items.push(Value::tainted(taint));
            }
        }
    }

    fn object_literal(&mut self, one: &'a ObjectExpression<'a>) -> Value<'a> {
        let id = self.object(address(one), Kind::Plain);
        for property in &one.properties {
            match property {
                ObjectPropertyKind::ObjectProperty(property) => {
                    let key = self.property_key(&property.key, property.computed);
                    let value = self.expression(&property.value);
                    if let Shape::Function(function) = value.shape
                        && (property.method || self.functions[function.0 as usize].this.is_none())
                        && matches!(self.functions[function.0 as usize].code, Code::Function(_))
                    {
                        self.functions[function.0 as usize].this = Some(id);
                    }
                    match key {
                        Some(key) => self.set_member(id, key, value),
                        None => self.set_any(id, value),
                    }
                }
                ObjectPropertyKind::SpreadProperty(spread) => {
                    let value = self.expression(&spread.argument);
                    self.spread_object(id, value, spread.span.start);
                }
            }
        }
        Value::of(Shape::Object(id))
    }

    /// Everything of one object in another.
    pub(super) fn spread_object(&mut self, into: super::value::ObjectId, value: Value<'a>, offset: u32) {
        match value.shape {
            Shape::Object(from) if from != into => {
                let object = &self.objects[from.0 as usize];
                let keys = object.order.clone();
                let values: Vec<_> = keys.iter().filter_map(|key| object.members.get(key).copied()).collect();
                let any = object.any;
                for (key, value) in keys.into_iter().zip(values) {
                    self.set_member(into, key, value);
                }
                if any.taint.0 != 0 || value.taint.0 != 0 {
                    let taint = self.join(any.taint, value.taint);
                    self.set_any(into, Value::tainted(taint));
                }
            }
            Shape::Name(name) if self.path(name) == "process.env" => {
                let taint = self.source(What::EnvAll, "", offset, value.folded);
                self.set_any(into, Value::tainted(taint));
            }
            _ => {
                let taint = self.deep(value);
                if taint.0 != 0 {
                    self.set_any(into, Value::tainted(taint));
                }
            }
        }
    }

    // ---- Operators -----------------------------------------------------------------------------------------------

    /// A chain of operators is read in a loop: sums of thousands of parts are ordinary.
    fn binary(&mut self, one: &'a BinaryExpression<'a>) -> Value<'a> {
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
    fn add(&mut self, left: Value<'a>, right: Value<'a>, text: &mut Option<String>) -> Value<'a> {
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

    fn operate(&mut self, one: &'a BinaryExpression<'a>, left: Value<'a>, right: Value<'a>) -> Value<'a> {
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

    fn logical(&mut self, one: &'a LogicalExpression<'a>) -> Value<'a> {
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

    // ---- Assignments ---------------------------------------------------------------------------------------------

    fn assignment(&mut self, one: &'a AssignmentExpression<'a>) -> Value<'a> {
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

    fn assigned_value(&mut self, target: &'a AssignmentTarget<'a>) -> Value<'a> {
        target.as_simple_assignment_target().map_or(Value::UNKNOWN, |target| self.target_value(target))
    }

    fn target_value(&mut self, target: &'a SimpleAssignmentTarget<'a>) -> Value<'a> {
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

    fn assign_maybe(&mut self, target: &'a AssignmentTargetMaybeDefault<'a>, value: Value<'a>) {
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

    fn assign_simple(&mut self, target: &'a SimpleAssignmentTarget<'a>, value: Value<'a>) {
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

    // ---- Calls ---------------------------------------------------------------------------------------------------

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

    fn call(&mut self, one: &'a CallExpression<'a>) -> Value<'a> {
        let mut callee = one.callee.get_inner_expression();
        while let Expression::SequenceExpression(sequence) = callee {
            // `(0, eval)(x)`
            let Some((last, before)) = sequence.expressions.split_last() else { break };
            for part in before {
                self.expression(part);
            }
            callee = last.get_inner_expression();
        }
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

    fn construct(&mut self, one: &'a NewExpression<'a>) -> Value<'a> {
        let callee = self.expression(&one.callee);
        let arguments = self.arguments(&one.arguments);
        let site = Site { offset: one.span.start, place: address(one), folded: callee.folded };
        self.construct_value(callee, &arguments, site)
    }

    fn import_expression(&mut self, one: &'a oxc_ast::ast::ImportExpression<'a>) -> Value<'a> {
        let source = self.expression(&one.source);
        let site = Site { offset: one.span.start, place: address(one), folded: source.folded };
        self.load_module(source, "import", site)
    }

    // ---- JSX -----------------------------------------------------------------------------------------------------

    fn jsx(&mut self, one: &'a JSXElement<'a>) -> Value<'a> {
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

    fn jsx_children(&mut self, children: &'a [JSXChild<'a>]) {
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

/// The key of a member.
enum Key<'a> {
    /// Constant, and whether it was put together.
    Known(&'a str, bool),
    Unknown(Value<'a>),
}

/// The variable at the root of a member expression: `a` of `a.b.c`.
fn root<'a>(member: &'a MemberExpression<'a>) -> Option<&'a str> {
    let mut expression = member.object();
    loop {
        expression = match expression {
            Expression::Identifier(id) => return Some(id.name.as_str()),
            Expression::CallExpression(call) => call.callee.as_member_expression()?.object(),
            other => other.as_member_expression()?.object(),
        };
    }
}

fn is_computed(target: &AssignmentTarget<'_>) -> bool {
    matches!(target, AssignmentTarget::ComputedMemberExpression(_))
}

fn unary<'a>(operator: UnaryOperator, value: Value<'a>) -> Value<'a> {
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

/// Bits per byte, over the beginning of a text.
fn entropy(text: &[u8]) -> f64 {
    let sample = &text[..text.len().min(8_192)];
    let mut counts = [0_u32; 256];
    for &byte in sample {
        counts[usize::from(byte)] += 1;
    }
    #[expect(clippy::cast_precision_loss, reason = "a sample of a few thousand bytes")]
    let length = sample.len().max(1) as f64;
    counts
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| {
            let share = f64::from(count) / length;
            -share * share.log2()
        })
        .sum()
}
