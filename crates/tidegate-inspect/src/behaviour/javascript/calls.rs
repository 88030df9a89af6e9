//! Calls: of functions of the file, of methods of what the file made, of what nobody knows.
use super::super::facts::What;
use super::machine::Machine;
use super::strings::{self, Folded};
use super::value::{Kind, Shape, Taint, Value};

/// Functions of a table of which nobody knows which is called.
const TABLE: usize = 600;

/// Where a call stands.
#[derive(Clone, Copy)]
pub(super) struct Site {
    pub(super) offset: u32,
    /// The address of its code.
    pub(super) place: usize,
    /// Whether what is called became visible only by folding.
    pub(super) folded: bool,
}

impl<'a> Machine<'a> {
    /// Calls a value.
    pub(super) fn call_value(
        &mut self,
        callee: Value<'a>,
        this: Value<'a>,
        arguments: &[Value<'a>],
        site: Site,
    ) -> Value<'a> {
        match callee.shape {
            Shape::Function(id) => {
                let value = self.call_function(id, arguments, this);
                let taint = self.join(value.taint, callee.taint);
                Value { gates: value.gates | callee.gates, ..value.with_taint(taint) }
            }
            Shape::Name(name) => {
                let mut value = self.known(name, this, arguments, site);
                value.gates |= callee.gates;
                value.taint = self.join(value.taint, callee.taint);
                value
            }
            Shape::Bound(id) => {
                let items = self.objects[id.0 as usize].items.clone();
                let Some((inner, given)) = items.split_first() else { return Value::UNKNOWN };
                let mut all = given.to_vec();
                all.extend_from_slice(arguments);
                if !self.enter() {
                    return Value::UNKNOWN;
                }
                let value = self.call_value(*inner, this, &all, site);
                self.leave();
                value
            }
            Shape::Resolver(id) => {
                let value = arguments.first().copied().unwrap_or(Value::UNKNOWN);
                let value = self.settled(value);
                self.set_any(id, value);
                Value::UNKNOWN
            }
            Shape::Either(id) => {
                let mut result: Option<Value<'a>> = None;
                for shape in self.eithers.get(id).to_vec() {
                    let value = self.call_value(callee.shaped(shape), this, arguments, site);
                    result = Some(result.map_or(value, |before| self.either(before, value)));
                }
                result.unwrap_or(Value::UNKNOWN)
            }
            Shape::Object(id) => {
                if let Some(class) = self.objects[id.0 as usize].class {
                    return self.known(class, this, arguments, site);
                }
                self.unknown_call(callee.taint, arguments)
            }
            _ => self.unknown_call(callee.taint, arguments),
        }
    }

    /// A call of which nothing is known: what goes in comes out. What only wraps a function gives that function.
    pub(super) fn unknown_call(&mut self, taint: Taint, arguments: &[Value<'a>]) -> Value<'a> {
        self.hand_back(taint, arguments);
        let deep = self.deep_back(arguments);
        let taint = self.join(taint, deep);
        let gates = arguments.iter().fold(0, |gates, value| gates | value.gates);
        let mut callable =
            arguments.iter().filter(|value| value.is_callable() || matches!(value.shape, Shape::Text(_)));
        let shape = match (callable.next(), callable.next()) {
            (Some(one), None) if matches!(one.shape, Shape::Function(_) | Shape::Text(_)) => {
                match one.shape {
                    // What an unknown function makes of a text is unknown.
                    Shape::Text(_) => Shape::Unknown,
                    shape => shape,
                }
            }
            _ => Shape::Unknown,
        };
        Value { shape, taint, gates, folded: false }
    }

    /// Runs every function among arguments with these parameters; what they give, and where the others come from.
    pub(super) fn run_callbacks(
        &mut self,
        arguments: &[Value<'a>],
        parameters: &[Value<'a>],
        site: Site,
    ) -> Value<'a> {
        let mut result = Value::UNKNOWN;
        for &argument in arguments {
            if argument.shape == Shape::Unknown && argument.taint.0 != 0 {
                self.hand_back(argument.taint, parameters);
            }
            if matches!(
                argument.shape,
                Shape::Function(_) | Shape::Bound(_) | Shape::Resolver(_) | Shape::Either(_)
            ) {
                let value = self.call_value(argument, Value::UNKNOWN, parameters, site);
                let value = self.settled(value);
                result = self.either(result, value);
            }
        }
        result
    }

    /// As [`Self::run_callbacks`], also for names: `.then(eval)`.
    pub(super) fn run_all(
        &mut self,
        arguments: &[Value<'a>],
        parameters: &[Value<'a>],
        site: Site,
    ) -> Value<'a> {
        let mut result = self.run_callbacks(arguments, parameters, site);
        for &argument in arguments {
            if matches!(argument.shape, Shape::Name(_)) {
                let value = self.call_value(argument, Value::UNKNOWN, parameters, site);
                result = self.either(result, value);
            }
        }
        result
    }

    /// A decoder: where what comes out comes from.
    pub(super) fn decode(&mut self, kind: &str, taint: Taint, offset: u32) -> Taint {
        let fact = self.fact(What::Decode, kind, offset, false);
        self.flow(taint, fact);
        let before = self.taints.decoded(taint);
        let own = self.taint_of(fact);
        self.join(before, own)
    }

    /// Calls a method.
    pub(super) fn method(
        &mut self,
        object: Value<'a>,
        key: &'a str,
        arguments: &[Value<'a>],
        site: Site,
        root: Option<&'a str>,
        xor: bool,
    ) -> Value<'a> {
        if !self.enter() {
            return Value::UNKNOWN;
        }
        let value = self.method_within(object, key, arguments, site, xor);
        self.leave();
        if !matches!(object.shape, Shape::Name(_) | Shape::Text(_)) && !matches!(key, "then" | "catch") {
            for &argument in arguments {
                if argument.taint.0 != 0 || matches!(argument.shape, Shape::Object(_)) {
                    self.absorb(root, argument);
                }
            }
        }
        value
    }

    pub(super) fn method_within(
        &mut self,
        object: Value<'a>,
        key: &'a str,
        arguments: &[Value<'a>],
        site: Site,
        xor: bool,
    ) -> Value<'a> {
        if arguments.len() > 1 && self.tap_event(key, arguments, site) {
            return object;
        }
        let reflects = matches!(object.shape, Shape::Name(name) if self.path(name) == "Reflect");
        if object.is_callable() && !reflects && matches!(key, "call" | "apply" | "bind") {
            return self.call_bound(object, key, arguments, site);
        }
        if key == "constructor" && !matches!(object.shape, Shape::Object(_)) {
            // `(async () => {}).constructor('…')`
            let constructor = self.member(object, key, site.offset);
            return self.call_value(constructor, Value::UNKNOWN, arguments, site);
        }
        match object.shape {
            Shape::Name(name) => {
                if matches!(key, "then" | "finally") {
                    return self.run_all(arguments, &[object], site);
                }
                let Some(member) = self.name_member(name, key) else {
                    return self.generic(object, key, arguments, site, xor);
                };
                let mut value = if xor && matches!(key, "fromCharCode" | "fromCodePoint") {
                    self.character_codes(arguments, site, true)
                } else {
                    self.known(member, object, arguments, site)
                };
                value.taint = self.join(value.taint, object.taint);
                value.gates |= object.gates;
                value
            }
            Shape::Text(text) => match strings::method(text, key, arguments) {
                Some(folded) => self.fold_method(object, folded, arguments, site),
                None => self.generic(object, key, arguments, site, xor),
            },
            Shape::Number(number) if key == "toString" => {
                self.number_to_text(object, number, arguments, site)
            }
            Shape::Object(id) => self.object_method(object, id, key, arguments, site, xor),
            Shape::Function(id) => {
                let this = self.this_of(id);
                let member = self.objects[this.0 as usize].members.get(key).copied();
                match member {
                    Some(member) if member.is_callable() => self.call_value(member, object, arguments, site),
                    _ => self.generic(object, key, arguments, site, xor),
                }
            }
            Shape::Either(id) => {
                let mut result: Option<Value<'a>> = None;
                for shape in self.eithers.get(id).to_vec() {
                    let value = self.method(object.shaped(shape), key, arguments, site, None, xor);
                    result = Some(result.map_or(value, |before| self.either(before, value)));
                }
                result.unwrap_or(Value::UNKNOWN)
            }
            _ => self.generic(object, key, arguments, site, xor),
        }
    }

    pub(super) fn number_to_text(
        &mut self,
        object: Value<'a>,
        number: f64,
        arguments: &[Value<'a>],
        site: Site,
    ) -> Value<'a> {
        let radix = arguments.first().and_then(Value::as_index).unwrap_or(10);
        let text = match (radix, super::value::index_of(number)) {
            (10, _) => strings::number_text(number),
            (radix @ 2..=36, Some(mut rest)) => {
                let mut digits = Vec::new();
                while digits.is_empty() || rest > 0 {
                    let digit = u32::try_from(rest % radix).unwrap_or(0);
                    digits.push(char::from_digit(digit, u32::try_from(radix).unwrap_or(10)).unwrap_or('0'));
                    rest /= radix;
                }
                digits.iter().rev().collect()
            }
            _ => return Value::tainted(object.taint),
        };
        self.folded(&text, object.taint, site.offset)
    }

    pub(super) fn call_bound(
        &mut self,
        object: Value<'a>,
        key: &str,
        arguments: &[Value<'a>],
        site: Site,
    ) -> Value<'a> {
        let this = arguments.first().copied().unwrap_or(Value::UNKNOWN);
        let rest = arguments.get(1..).unwrap_or_default();
        match key {
            "call" => self.call_value(object, this, rest, site),
            "apply" => {
                let mut all = Vec::new();
                if let Some(&list) = rest.first() {
                    self.spread_into(&mut all, list);
                }
                self.call_value(object, this, &all, site)
            }
            _ => {
                if rest.is_empty() {
                    return object;
                }
                let id = self.object(site.place, Kind::Plain);
                let mut items = vec![object];
                items.extend_from_slice(rest);
                self.objects[id.0 as usize].items = items;
                Value { shape: Shape::Bound(id), ..object }
            }
        }
    }

    pub(super) fn fold_method(
        &mut self,
        object: Value<'a>,
        folded: Folded,
        arguments: &[Value<'a>],
        site: Site,
    ) -> Value<'a> {
        let taint = self.deep_all(arguments);
        let taint = self.join(object.taint, taint);
        match folded {
            Folded::Same => object,
            Folded::Text(text) => self.folded(&text, taint, site.offset),
            Folded::Number(number) => Value::of(Shape::Number(number)).with_taint(taint),
            Folded::Parts(parts) => {
                let id = self.object(site.place, Kind::Array);
                let items = parts
                    .iter()
                    .map(|part| {
                        let text = self.make_text(part);
                        Value { folded: true, ..Value::text(text).with_taint(taint) }
                    })
                    .collect();
                self.objects[id.0 as usize].items = items;
                Value::of(Shape::Object(id)).with_taint(taint)
            }
        }
    }

    /// A method whose name is not constant. Any function of a table may be meant.
    pub(super) fn method_unknown(
        &mut self,
        object: Value<'a>,
        key: Value<'a>,
        arguments: &[Value<'a>],
        site: Site,
    ) -> Value<'a> {
        let taint = self.deep_all(&[object, key]);
        if let Shape::Object(id) = object.shape {
            let info = &self.objects[id.0 as usize];
            let table: Vec<Value<'a>> = info
                .members
                .values()
                .copied()
                .chain(info.items.iter().copied())
                .chain(info.functions.iter().map(|&function| Value::of(Shape::Function(function))))
                .filter(|value| matches!(value.shape, Shape::Function(_) | Shape::Name(_)))
                .take(TABLE)
                .collect();
            if !table.is_empty() {
                let mut result = Value::tainted(taint);
                for callee in table {
                    let value = self.call_value(callee, object, arguments, site);
                    result = self.either(result, value);
                }
                return result;
            }
        }
        let value = self.unknown_call(taint, arguments);
        if taint.0 != 0 {
            self.run_callbacks(arguments, &[Value::tainted(taint)], site);
        }
        value.shaped(Shape::Unknown)
    }
}
