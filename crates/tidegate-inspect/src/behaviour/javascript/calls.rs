//! Calls: of functions of the file, of methods of what the file made, of what nobody knows.

use super::super::facts::What;
use super::machine::Machine;
use super::names;
use super::strings::{self, Folded};
use super::value::{HOLE_TEXT, Kind, NameId, ObjectId, Shape, Taint, Value};

/// Elements of an array for each of which a callback runs.
const ELEMENTS: usize = 2_048;

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
    fn unknown_call(&mut self, taint: Taint, arguments: &[Value<'a>]) -> Value<'a> {
        let deep = self.deep_all(arguments);
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
    fn run_all(&mut self, arguments: &[Value<'a>], parameters: &[Value<'a>], site: Site) -> Value<'a> {
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

    // ---- Methods -------------------------------------------------------------------------------------------------

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

    fn method_within(
        &mut self,
        object: Value<'a>,
        key: &'a str,
        arguments: &[Value<'a>],
        site: Site,
        xor: bool,
    ) -> Value<'a> {
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

    fn number_to_text(
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

    fn call_bound(&mut self, object: Value<'a>, key: &str, arguments: &[Value<'a>], site: Site) -> Value<'a> {
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

    fn fold_method(
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
                .order
                .iter()
                .filter_map(|name| info.members.get(name).copied())
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

    fn object_method(
        &mut self,
        object: Value<'a>,
        id: ObjectId,
        key: &'a str,
        arguments: &[Value<'a>],
        site: Site,
        xor: bool,
    ) -> Value<'a> {
        if let Some(&member) = self.objects[id.0 as usize].members.get(key)
            && member.is_callable()
        {
            return self.call_value(member, object, arguments, site);
        }
        let kind = self.kind(id);
        if let Some(value) = self.kind_method(object, id, kind, key, arguments, site) {
            return value;
        }
        if kind == Kind::Array
            && let Some(value) = self.array_method(object, id, key, arguments, site, xor)
        {
            return value;
        }
        if let Some(class) = self.objects[id.0 as usize].class
            && let Some(member) = self.name_member(class, key)
        {
            let any = self.objects[id.0 as usize].any.taint;
            let value = self.known(member, object, arguments, site);
            if let (Shape::Object(made), "connect") = (value.shape, key)
                && let kind @ Kind::Socket { .. } = self.kind(made)
            {
                // A socket that was made first and is connected now.
                self.objects[id.0 as usize].kind = kind;
            }
            let taint = self.deep_all(arguments);
            if taint.0 != 0 {
                self.set_any(id, Value::tainted(taint));
            }
            let taint = self.join(value.taint, any);
            return value.with_taint(taint);
        }
        // A member that is the result of an unknown call, or of a key that is not constant.
        let any = self.objects[id.0 as usize].any;
        if any.is_callable() && key != "hasOwnProperty" {
            return self.call_value(any, object, arguments, site);
        }
        let value = self.generic(object, key, arguments, site, xor);
        let taint = self.deep_all(arguments);
        if taint.0 != 0 && !matches!(key, "then" | "on" | "once" | "catch" | "hasOwnProperty") {
            self.set_any(id, Value::tainted(taint));
        }
        value
    }

    /// Methods of what is more than an object.
    fn kind_method(
        &mut self,
        object: Value<'a>,
        id: ObjectId,
        kind: Kind,
        key: &str,
        arguments: &[Value<'a>],
        site: Site,
    ) -> Option<Value<'a>> {
        let event = matches!(key, "on" | "once" | "addListener" | "addEventListener" | "prependListener");
        if key == "pipe" {
            let taint = self.deep(object);
            return Some(self.pipe(kind, taint, arguments, site));
        }
        match kind {
            Kind::Request { send, receive } => {
                let taint = self.taint_of(receive);
                if !event && !matches!(key, "then" | "catch" | "finally" | "json" | "text" | "buffer") {
                    let sent = self.deep_all(arguments);
                    self.flow(sent, send);
                }
                let given = self.run_all(arguments, &[Value::tainted(taint), Value::tainted(taint)], site);
                if matches!(key, "then" | "finally") {
                    let taint = self.join(given.taint, taint);
                    return Some(given.with_taint(taint));
                }
                Some(object)
            }
            Kind::Socket { send, receive } => {
                if event {
                    let quiet = arguments.first().and_then(Value::whole_text).is_some_and(|event| {
                        matches!(
                            event,
                            "open"
                                | "connect"
                                | "error"
                                | "close"
                                | "end"
                                | "ready"
                                | "secureConnect"
                                | "timeout"
                        )
                    });
                    let taint = if quiet { Taint(0) } else { self.taint_of(receive) };
                    self.run_all(arguments.get(1..).unwrap_or_default(), &[Value::tainted(taint); 2], site);
                    return Some(object);
                }
                match key {
                    "write" | "send" | "end" | "emit" | "sendto" | "volatile" => {
                        let sent = self.deep_all(arguments);
                        self.flow(sent, send);
                        self.run_callbacks(arguments, &[], site);
                        Some(object)
                    }
                    "connect" => {
                        self.run_callbacks(arguments, &[object], site);
                        Some(object)
                    }
                    _ => None,
                }
            }
            Kind::Process { exec, output } => {
                let taint = self.taint_of(output);
                match key {
                    "unref" => {
                        self.drafts.detach(exec);
                        Some(object)
                    }
                    "then" | "finally" => {
                        let given = self.run_all(arguments, &[object.with_taint(taint)], site);
                        Some(given)
                    }
                    _ if event => {
                        self.run_callbacks(arguments, &[], site);
                        Some(object)
                    }
                    _ => None,
                }
            }
            Kind::Input { exec } => {
                let sent = self.deep_all(arguments);
                self.flow(sent, exec);
                Some(object)
            }
            Kind::Writing { write } => {
                if event {
                    self.run_callbacks(arguments, &[], site);
                } else {
                    let sent = self.deep_all(arguments);
                    self.flow(sent, write);
                    self.run_callbacks(arguments, &[], site);
                    self.rewritten(write, sent);
                }
                Some(object)
            }
            Kind::Xhr if key == "open" => {
                self.open_request(id, arguments, site);
                Some(Value::UNKNOWN)
            }
            Kind::Script if key == "setAttribute" || key == "append" || key == "appendChild" => {
                let value = arguments.last().copied().unwrap_or(Value::UNKNOWN);
                let source = arguments.first().and_then(Value::whole_text);
                if key != "setAttribute" || matches!(source, Some("src")) {
                    self.script(value, site.offset);
                }
                Some(Value::UNKNOWN)
            }
            Kind::Server => {
                if key == "listen" {
                    let port = self.first_text(arguments);
                    self.fact(What::Listen, &port, site.offset, site.folded);
                    self.run_callbacks(arguments, &[], site);
                    return Some(object);
                }
                if event {
                    let taint = self.source(What::ChannelReceive, "", site.offset, false);
                    let socket = self.incoming(site, taint);
                    self.run_callbacks(arguments, &[socket, Value::tainted(taint)], site);
                    return Some(object);
                }
                None
            }
            Kind::Promise if matches!(key, "then" | "catch" | "finally") => {
                let value = self.settled(object);
                let given = self.run_all(arguments, &[value], site);
                Some(if key == "then" { given } else { self.either(object, given) })
            }
            _ => None,
        }
    }

    /// A connection that came to a server of the file.
    pub(super) fn incoming(&mut self, site: Site, taint: Taint) -> Value<'a> {
        let receive = self.taints.get(taint).first().map_or(super::drafts::NO_FACT, |&(fact, _)| fact);
        let send = self.maybe(What::NetSend, "", site.offset);
        let id = self.object(site.place ^ 0x5555, Kind::Socket { send, receive });
        Value::of(Shape::Object(id)).with_taint(taint)
    }

    /// What a stream gives goes where it is led.
    fn pipe(&mut self, from: Kind, taint: Taint, arguments: &[Value<'a>], site: Site) -> Value<'a> {
        let Some(&to) = arguments.first() else { return Value::tainted(taint) };
        if let Shape::Object(id) = to.shape {
            match self.kind(id) {
                Kind::Input { exec } => {
                    self.flow(taint, exec);
                    if matches!(from, Kind::Socket { .. }) {
                        let fact = self.fact(What::SocketToProcess, "pipe", site.offset, false);
                        self.flow(taint, fact);
                    }
                }
                Kind::Socket { send, .. } => {
                    self.flow(taint, send);
                    let process = self
                        .taints
                        .get(taint)
                        .iter()
                        .any(|&(fact, _)| self.drafts.what(fact) == Some(What::ExecOutput));
                    if process {
                        let fact = self.fact(What::SocketToProcess, "pipe", site.offset, false);
                        self.flow(taint, fact);
                    }
                }
                Kind::Request { send, .. } => self.flow(taint, send),
                Kind::Writing { write } => {
                    self.flow(taint, write);
                    self.rewritten(write, taint);
                }
                _ => {
                    let joined = Value::tainted(taint);
                    self.set_any(id, joined);
                }
            }
        }
        // A stream that decodes stands between.
        let decodes: Vec<u32> = self
            .taints
            .get(to.taint)
            .iter()
            .map(|&(fact, _)| fact)
            .filter(|&fact| self.drafts.what(fact) == Some(What::Decode))
            .collect();
        let mut taint = taint;
        if !decodes.is_empty() {
            for fact in decodes {
                self.flow(taint, fact);
            }
            taint = self.taints.decoded(taint);
        }
        Value { shape: to.shape, taint: self.join(taint, to.taint), gates: 0, folded: false }
    }

    fn array_method(
        &mut self,
        object: Value<'a>,
        id: ObjectId,
        key: &str,
        arguments: &[Value<'a>],
        site: Site,
        xor: bool,
    ) -> Option<Value<'a>> {
        let first = arguments.first().copied().unwrap_or(Value::UNKNOWN);
        let straight = self.branch == 0;
        match key {
            "push" | "unshift" => {
                for &argument in arguments {
                    let items = &mut self.objects[id.0 as usize].items;
                    if straight && items.len() < strings::PARTS {
                        if key == "push" { items.push(argument) } else { items.insert(0, argument) }
                    } else {
                        self.set_any(id, argument);
                    }
                }
                Some(Value::UNKNOWN)
            }
            "shift" | "pop" => {
                let any = self.objects[id.0 as usize].any;
                let items = &mut self.objects[id.0 as usize].items;
                if items.is_empty() {
                    return Some(any);
                }
                if !straight {
                    return Some(self.element_of(object));
                }
                Some(if key == "shift" { items.remove(0) } else { items.pop().unwrap_or(any) })
            }
            "reverse" => {
                if straight {
                    self.objects[id.0 as usize].items.reverse();
                }
                let fact = self.maybe(What::Decode, "reverse", site.offset);
                let own = self.taint_of(fact);
                let deep = self.deep(object);
                let deep = self.taints.decoded(deep);
                let taint = self.join(own, deep);
                Some(object.with_taint(taint))
            }
            "join" => {
                let separator = match arguments.first() {
                    None => ",",
                    Some(value) => value.as_text().unwrap_or(HOLE_TEXT),
                };
                let taint = self.deep(object);
                let info = &self.objects[id.0 as usize];
                if info.items.is_empty() || info.items.len() > strings::PARTS {
                    return Some(Value { gates: object.gates, ..Value::tainted(taint) });
                }
                let open = info.any != Value::UNKNOWN;
                let parts: Vec<String> = info
                    .items
                    .iter()
                    .map(|item| strings::piece(*item).unwrap_or(HOLE_TEXT.to_owned()))
                    .collect();
                let mut text = parts.join(separator);
                if open {
                    text.push_str(HOLE_TEXT);
                }
                Some(self.folded(&text, taint, site.offset))
            }
            "slice" | "splice" | "filter" | "sort" | "flat" | "concat" | "toSorted" | "toReversed" => {
                let new = self.object(site.place, Kind::Array);
                let mut items = self.objects[id.0 as usize].items.clone();
                let any = self.objects[id.0 as usize].any;
                match (key, first.as_index()) {
                    ("slice" | "splice", Some(from)) => {
                        let to = arguments.get(1).and_then(Value::as_index).unwrap_or(items.len());
                        let to = if key == "splice" { from.saturating_add(to) } else { to }.min(items.len());
                        items = items.get(from.min(to)..to).unwrap_or_default().to_vec();
                    }
                    ("concat", _) => {
                        for &argument in arguments {
                            self.spread_into(&mut items, argument);
                        }
                    }
                    ("toReversed", _) => items.reverse(),
                    ("filter" | "sort", _) => {
                        let element = self.element_of(object);
                        self.run_callbacks(arguments, &[element, element], site);
                    }
                    _ => {}
                }
                items.truncate(strings::PARTS);
                let info = &mut self.objects[new.0 as usize];
                info.items = items;
                info.any = any;
                Some(Value { shape: Shape::Object(new), ..object })
            }
            "map" | "flatMap" => {
                let new = self.object(site.place, Kind::Array);
                let items = self.objects[id.0 as usize].items.clone();
                let mut given = Vec::new();
                if !items.is_empty() && items.len() <= ELEMENTS && !self.exhausted() {
                    for (index, &item) in items.iter().enumerate() {
                        let taint = self.join(item.taint, object.taint);
                        #[expect(clippy::cast_precision_loss, reason = "at most a few thousand")]
                        let index = Value::of(Shape::Number(index as f64));
                        let value = self.run_all(
                            &arguments[..arguments.len().min(1)],
                            &[item.with_taint(taint), index, object],
                            site,
                        );
                        given.push(value);
                    }
                } else {
                    let element = self.element_of(object);
                    let value = self.run_all(arguments, &[element], site);
                    self.set_any(new, value);
                }
                let mut taint = object.taint;
                if xor {
                    let deep = self.deep(object);
                    taint = self.decode("xor", deep, site.offset);
                }
                self.objects[new.0 as usize].items = given;
                Some(Value::of(Shape::Object(new)).with_taint(taint))
            }
            "forEach" | "find" | "some" | "every" | "findIndex" | "reduce" | "reduceRight" | "findLast" => {
                let items = self.objects[id.0 as usize].items.clone();
                let element = self.element_of(object);
                let start = arguments.get(1).copied().unwrap_or(Value::UNKNOWN);
                let mut result = Value::UNKNOWN;
                if key.starts_with("reduce") {
                    result = self.run_all(arguments, &[start, element], site);
                    let taint = self.join(result.taint, element.taint);
                    result = result.shaped(Shape::Unknown).with_taint(taint);
                } else if key == "forEach" && items.len() <= 64 && !items.is_empty() {
                    for item in items {
                        let taint = self.join(item.taint, object.taint);
                        self.run_all(&arguments[..arguments.len().min(1)], &[item.with_taint(taint)], site);
                    }
                } else {
                    self.run_all(arguments, &[element], site);
                    result = element;
                }
                if xor {
                    result.taint = self.decode("xor", result.taint, site.offset);
                }
                Some(result)
            }
            "at" => Some(match first.as_index() {
                Some(index) => self.element_at(object, index),
                None => self.element_of(object),
            }),
            "entries" | "values" => Some(object),
            "includes" | "indexOf" | "keys" => Some(Value::UNKNOWN),
            "toString" => {
                self.array_method(object, id, "join", arguments.get(1..).unwrap_or_default(), site, false)
            }
            _ => None,
        }
    }

    /// A method of something unknown: what goes in comes out, and callbacks get what the receiver holds.
    pub(super) fn generic(
        &mut self,
        object: Value<'a>,
        key: &str,
        arguments: &[Value<'a>],
        site: Site,
        xor: bool,
    ) -> Value<'a> {
        let own = self.deep(object);
        let mut given = Value::UNKNOWN;
        match key {
            "then" => {
                let value = self.settled(object);
                let given = self.run_all(arguments, &[value.with_taint(own)], site);
                return given;
            }
            "pipe" => return self.pipe(Kind::Plain, own, arguments, site),
            "_compile" => {
                let fact = self.fact(What::Eval, "module._compile", site.offset, site.folded);
                let taint = self.deep_all(arguments);
                self.flow(taint, fact);
            }
            "fromCharCode" | "fromCodePoint" => {
                return self.character_codes(arguments, site, xor);
            }
            "getTimezoneOffset" | "resolvedOptions" => given.gates |= super::gates::of_method(key),
            _ => {}
        }
        let callbacks =
            arguments.iter().any(|argument| matches!(argument.shape, Shape::Function(_) | Shape::Bound(_)));
        if callbacks && (own.0 != 0 || !is_registrar(key)) {
            let taint = self.deep_all(arguments);
            let taint = self.join(own, taint);
            let parameter = Value { gates: object.gates, ..Value::tainted(taint) };
            given = self.run_callbacks(arguments, &[parameter; 3], site);
        } else if matches!(key, "forEach" | "map" | "replace") {
            given = self.run_all(arguments, &[Value::tainted(own)], site);
        }
        let taint = self.deep_all(arguments);
        let taint = self.join(own, taint);
        let mut taint = self.join(taint, given.taint);
        if xor && matches!(key, "map" | "replace" | "forEach" | "reduce" | "from") {
            taint = self.decode("xor", taint, site.offset);
        }
        let gates = object.gates | given.gates | super::gates::of_method(key);
        Value { shape: Shape::Unknown, taint, gates, folded: object.folded }
    }

    // ---- Members that are assigned -------------------------------------------------------------------------------

    pub(super) fn assign_member(
        &mut self,
        object: Value<'a>,
        key: &'a str,
        value: Value<'a>,
        offset: u32,
        folded: bool,
    ) {
        let site = Site { offset, place: offset as usize * 8 + 1, folded };
        match object.shape {
            Shape::Object(id) => {
                let kind = self.kind(id);
                match kind {
                    Kind::Script
                        if matches!(
                            key,
                            "src" | "text" | "textContent" | "innerHTML" | "innerText" | "href"
                        ) =>
                    {
                        self.script(value, offset);
                    }
                    Kind::Image if key == "src" => self.loaded(value, offset),
                    _ => {}
                }
                if key.starts_with("on") && value.is_callable() && kind != Kind::Plain {
                    let taint = match kind {
                        Kind::Socket { receive, .. } | Kind::Request { receive, .. }
                            if !matches!(key, "onopen" | "onerror" | "onclose") =>
                        {
                            self.taint_of(receive)
                        }
                        _ => Taint(0),
                    };
                    self.run_all(&[value], &[Value::tainted(taint)], site);
                }
                if kind == Kind::Array
                    && let Ok(index) = key.parse::<usize>()
                {
                    let items = &mut self.objects[id.0 as usize].items;
                    if index < items.len() {
                        items[index] = value;
                    } else if index == items.len() && index < strings::PARTS {
                        items.push(value);
                    } else {
                        self.set_any(id, value);
                    }
                    return;
                }
                self.set_member(id, key, value);
            }
            Shape::Name(name) => self.assign_to_name(name, key, value, site),
            Shape::Function(id) => {
                let this = self.this_of(id);
                if key == "prototype" {
                    self.spread_object(this, value, offset);
                    if let Shape::Object(prototype) = value.shape {
                        // Methods of the literal see what the constructor made.
                        self.functions[id.0 as usize].this = Some(this);
                        self.set_any(prototype, Value::UNKNOWN);
                    }
                } else {
                    self.set_member(this, key, value);
                }
            }
            Shape::Either(id) => {
                for shape in self.eithers.get(id).to_vec() {
                    if let Shape::Object(_) = shape {
                        self.assign_member(Value::of(shape), key, value, offset, folded);
                    }
                }
            }
            _ => {}
        }
    }

    fn assign_to_name(&mut self, name: NameId, key: &'a str, value: Value<'a>, site: Site) {
        if self.path(name) == "module" && key == "exports" {
            let id = self.exports;
            self.set_member(id, "module.exports", value);
            return;
        }
        let Some(member) = self.name_member(name, key) else { return };
        let path = self.path(member);
        if path.starts_with("location") && matches!(path, "location" | "location.href") {
            self.loaded(value, site.offset);
            return;
        }
        if key.starts_with("on") && value.is_callable() {
            self.run_callbacks(&[value], &[], site);
        }
        self.hook(member, value, site.offset, site.folded);
        if self.path(name) == "globalThis" && !names::is_hook(path) {
            let cell = self.declare(0, key);
            self.assign_cell(cell, value, false);
        }
    }

    /// Notes that something is replaced that others use; false where nobody else uses it.
    pub(super) fn hook(&mut self, name: NameId, value: Value<'a>, offset: u32, folded: bool) -> bool {
        let path = self.path(name);
        if !names::is_hook(path) {
            return false;
        }
        let lacking = self.absent.iter().any(|&absent| {
            let asked = self.path(absent);
            asked == path
                || (path.starts_with(asked) && path[asked.len()..].starts_with('.') && asked.contains('.'))
        });
        if !lacking && value.shape != Shape::Name(name) {
            let fact = self.fact(What::GlobalHook, path, offset, folded);
            let taint = self.deep(value);
            self.flow(taint, fact);
        }
        true
    }

    /// Code or an address in a script element.
    pub(super) fn script(&mut self, value: Value<'a>, offset: u32) {
        let text = value.as_text().unwrap_or(HOLE_TEXT);
        let detail = format!("script {text}");
        let fact = self.fact(What::Eval, &detail, offset, value.folded);
        let taint = self.deep(value);
        self.flow(taint, fact);
    }

    /// An address that is loaded as an image or page: it sends what stands in it.
    pub(super) fn loaded(&mut self, value: Value<'a>, offset: u32) {
        let taint = self.deep(value);
        let fact = self.maybe(What::NetSend, value.as_text().unwrap_or(HOLE_TEXT), offset);
        self.flow(taint, fact);
    }
}

/// Methods that keep a function for later, when something from outside comes.
fn is_registrar(name: &str) -> bool {
    matches!(
        name,
        "get"
            | "post"
            | "put"
            | "patch"
            | "delete"
            | "all"
            | "use"
            | "route"
            | "command"
            | "action"
            | "handle"
            | "handler"
            | "register"
            | "describe"
            | "it"
            | "test"
            | "addEventListener"
            | "define"
            | "extend"
            | "method"
            | "option"
            | "hook"
            | "tap"
            | "tapAsync"
            | "tapPromise"
            | "registerCommand"
            | "component"
            | "directive"
            | "factory"
            | "service"
            | "controller"
            | "mutation"
            | "query"
            | "procedure"
            | "memoize"
            | "debounce"
            | "throttle"
            | "wrap"
            | "setRequestHandler"
            | "tool"
    )
}
