//! Names and members: what an identifier or a part of a value is.
use oxc_ast::ast::{Expression, MemberExpression, PropertyKey};
use oxc_span::GetSpan;

use super::super::facts::What;
use super::machine::{Code, FunctionInfo, Machine};
use super::value::{FunctionId, HOLE, HOLE_TEXT, Kind, NameId, Shape, Value};
use super::{gates, names, strings};

impl<'a> Machine<'a> {
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
                let name = self.name(names::global(name));
                Value { gates: self.says(name).0, ..Value::of(Shape::Name(name)) }
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

    pub(super) fn member_expression(&mut self, member: &'a MemberExpression<'a>) -> Value<'a> {
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
    pub(super) fn member_unknown(
        &mut self,
        object: Value<'a>,
        key: Value<'a>,
        offset: u32,
    ) -> Option<Value<'a>> {
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
    pub(super) fn member_parts(&mut self, member: &'a MemberExpression<'a>) -> (Value<'a>, Key<'a>) {
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

    pub(super) fn key(&mut self, key: Value<'a>, computed: bool) -> Key<'a> {
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
            // What may be a function and may be something else is asked for the kind it is, not to make code.
            Shape::Either(id)
                if key == "constructor"
                    && !self.eithers.get(id).iter().all(|shape| matches!(shape, Shape::Function(_))) =>
            {
                Value::UNKNOWN
            }
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
        let taint = self.join(found.taint, value.taint);
        Value {
            shape: found.shape,
            taint: self.tapped_member(taint, key, offset),
            gates: found.gates | value.gates,
            folded: found.folded || value.folded,
        }
    }

    pub(super) fn member_of_name(
        &mut self,
        name: NameId,
        value: Value<'a>,
        key: &'a str,
        offset: u32,
    ) -> Value<'a> {
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
        let (gates, constant) = self.says(member);
        let mut found = Value { gates, ..Value::of(Shape::Name(member)) };
        match constant {
            Some(names::Constant::Text(text)) => found.shape = Shape::Text(text),
            Some(names::Constant::Identity) => {
                let fact = self.maybe(What::HostIdentity, self.path(member), offset);
                found.taint = self.taint_of(fact);
            }
            None => {}
        }
        found
    }

    pub(super) fn member_of_object(&mut self, id: super::value::ObjectId, key: &'a str) -> Value<'a> {
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
}

/// The key of a member.
pub(super) enum Key<'a> {
    /// Constant, and whether it was put together.
    Known(&'a str, bool),
    Unknown(Value<'a>),
}

/// The variable at the root of a member expression: `a` of `a.b.c`.
pub(super) fn root<'a>(member: &'a MemberExpression<'a>) -> Option<&'a str> {
    let mut expression = member.object();
    loop {
        expression = match expression {
            Expression::Identifier(id) => return Some(id.name.as_str()),
            Expression::CallExpression(call) => call.callee.as_member_expression()?.object(),
            other => other.as_member_expression()?.object(),
        };
    }
}
