//! Methods of objects that the file made, and of what nobody knows.
use super::super::facts::What;
use super::calls::Site;
use super::machine::Machine;
use super::value::{Kind, ObjectId, Shape, Taint, Value};

impl<'a> Machine<'a> {
    pub(super) fn object_method(
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
    pub(super) fn kind_method(
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
                    // A stream of a connection, and what is written to it.
                    "request" => {
                        let sent = self.deep_all(arguments);
                        self.flow(sent, send);
                        Some(object)
                    }
                    "write" | "send" | "end" | "emit" | "sendto" | "volatile" | "publish" => {
                        let sent = self.deep_all(arguments);
                        self.flow(sent, send);
                        // A datagram says with each message where it goes.
                        let to = arguments.iter().skip(1).rev().find_map(Value::whole_text);
                        if let Some(to) = to.filter(|to| key == "send" && to.contains('.')) {
                            let fact =
                                self.fact(What::NetSend, &format!("udp://{to}"), site.offset, site.folded);
                            self.flow(sent, fact);
                        }
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
    pub(super) fn pipe(
        &mut self,
        from: Kind,
        taint: Taint,
        arguments: &[Value<'a>],
        site: Site,
    ) -> Value<'a> {
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
        // `.action(…)` says what happens when somebody types a command.
        if callbacks && key != "action" && (own.0 != 0 || !is_registrar(key)) {
            let taint = self.deep_all(arguments);
            let taint = self.join(own, taint);
            let parameter = Value { gates: object.gates, ..Value::tainted(taint) };
            given = self.run_callbacks(arguments, &[parameter; 3], site);
        } else if matches!(key, "forEach" | "map" | "replace") {
            given = self.run_all(arguments, &[Value::tainted(own)], site);
        }
        let taint = self.deep_back(arguments);
        let taint = self.join(own, taint);
        let mut taint = self.join(taint, given.taint);
        if xor && matches!(key, "map" | "replace" | "forEach" | "reduce" | "from") {
            taint = self.decode("xor", taint, site.offset);
        }
        let gates = object.gates | given.gates | super::gates::of_method(key);
        Value { shape: Shape::Unknown, taint, gates, folded: object.folded }
    }
}

/// Methods that keep a function for later, when something from outside comes.
pub(super) fn is_registrar(name: &str) -> bool {
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
