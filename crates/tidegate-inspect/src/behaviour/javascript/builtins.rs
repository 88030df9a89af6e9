//! What the language itself brings.
use super::super::facts::What;
use super::calls::Site;
use super::machine::Machine;
use super::value::{Kind, Shape, Taint, Value};
use super::{gates, strings};

impl<'a> Machine<'a> {
    /// What the language itself brings.
    pub(super) fn known_builtin(
        &mut self,
        module: &str,
        function: &str,
        arguments: &[Value<'a>],
        site: Site,
    ) -> Option<Value<'a>> {
        let first = arguments.first().copied().unwrap_or(Value::UNKNOWN);
        let value = match (module, function) {
            (
                "Object",
                "keys"
                | "values"
                | "entries"
                | "getOwnPropertyNames"
                | "freeze"
                | "create"
                | "fromEntries"
                | "seal",
            )
            | ("Reflect", "ownKeys")
            | ("JSON", "stringify")
            | ("querystring" | "qs", "stringify" | "encode")
            | ("util", "inspect" | "format")
            | ("v8", "serialize") => {
                let mut taint = self.deep_all(arguments);
                if arguments.iter().any(|value| self.is_environment(*value)) {
                    let own = self.source(What::EnvAll, "", site.offset, first.folded);
                    taint = self.join(taint, own);
                }
                if module == "Object" && matches!(function, "freeze" | "create" | "seal" | "fromEntries") {
                    return Some(first.with_taint(taint));
                }
                if function == "values"
                    && let Shape::Object(id) = first.shape
                {
                    let array = self.object(site.place, Kind::Array);
                    let object = &self.objects[id.0 as usize];
                    let values = object.members.values().copied().collect();
                    self.objects[array.0 as usize].items = values;
                    return Some(Value::of(Shape::Object(array)).with_taint(taint));
                }
                Value { folded: first.folded, ..Value::tainted(taint) }
            }
            ("Object", "assign") => {
                let mut taint = Taint(0);
                for &source in arguments.get(1..).unwrap_or_default() {
                    match first.shape {
                        Shape::Object(id) => self.spread_object(id, source, site.offset),
                        _ => {
                            let own = self.deep(source);
                            taint = self.join(taint, own);
                        }
                    }
                }
                let own = self.join(first.taint, taint);
                first.with_taint(own)
            }
            ("Object", "getPrototypeOf") => first,
            ("Object" | "Reflect", "defineProperty") => {
                self.defines(arguments, site);
                first
            }
            ("Reflect", "apply") => {
                let mut all = Vec::new();
                if let Some(&list) = arguments.get(2) {
                    self.spread_into(&mut all, list);
                }
                let this = arguments.get(1).copied().unwrap_or(Value::UNKNOWN);
                self.call_value(first, this, &all, Site { folded: true, ..site })
            }
            ("Reflect", "construct") => {
                let mut all = Vec::new();
                if let Some(&list) = arguments.get(1) {
                    self.spread_into(&mut all, list);
                }
                self.construct_value(first, &all, site)
            }
            ("Reflect", "get") => {
                let key = arguments.get(1).and_then(Value::whole_text)?;
                Value { folded: true, ..self.member(first, key, site.offset) }
            }
            ("JSON", "parse") => {
                let taint = self.deep(first);
                let shape = if self.is_environment(first) { first.shape } else { Shape::Unknown };
                Value { shape, ..Value::tainted(taint) }
            }
            ("Array", "from" | "of") => {
                let array = self.object(site.place, Kind::Array);
                let mut items = Vec::new();
                self.spread_into(&mut items, first);
                self.objects[array.0 as usize].items = items;
                let value = Value::of(Shape::Object(array)).with_taint(first.taint);
                match arguments.get(1) {
                    Some(&callback) => self.method(
                        value,
                        "map",
                        &[callback],
                        Site { place: site.place + 1, ..site },
                        None,
                        false,
                    ),
                    None => value,
                }
            }
            ("String", "fromCharCode" | "fromCodePoint") => self.character_codes(arguments, site, false),
            ("String", "raw") => first,
            ("Buffer", "from") => return self.known_global_buffer(arguments, site),
            ("Buffer", "concat") => {
                let taint = self.deep_all(arguments);
                let text = self.constant_list(first);
                match text {
                    Some(text) => self.folded(&text, taint, site.offset),
                    None => Value::tainted(taint),
                }
            }
            ("Promise", "resolve" | "reject") => first,
            ("Promise", "all" | "allSettled" | "race" | "any") => return Some(first),
            ("Date", "now") | ("performance", "now") => {
                Value { gates: gates::of_name("Date"), ..Value::UNKNOWN }
            }
            ("Math", "floor" | "round" | "ceil" | "trunc" | "abs" | "max" | "min") => {
                let gates = arguments.iter().fold(0, |all, value| all | value.gates);
                let taint = self.deep_all(arguments);
                let shape = match first.as_number() {
                    Some(number) if function == "floor" => Shape::Number(number.floor()),
                    _ => Shape::Unknown,
                };
                Value { shape, taint, gates, folded: false }
            }
            ("Math", "random") => Value { gates: gates::of_name("Math.random"), ..Value::UNKNOWN },
            ("url" | "URL", "parse" | "format" | "pathToFileURL" | "fileURLToPath" | "createObjectURL") => {
                first
            }
            ("events", "once") => {
                let taint = self.deep_all(arguments);
                Value::tainted(taint)
            }
            ("stream" | "stream/promises" | "stream.promises", "pipeline") | ("", "pump") => {
                let mut from = first;
                for &to in arguments.get(1..).unwrap_or_default() {
                    from = self.generic(from, "pipe", &[to], site, false);
                }
                self.run_callbacks(arguments, &[], site);
                from
            }
            ("console", _) => {
                self.run_callbacks(arguments, &[], site);
                Value::UNKNOWN
            }
            _ => return None,
        };
        Some(value)
    }

    pub(super) fn known_global_buffer(&mut self, arguments: &[Value<'a>], site: Site) -> Option<Value<'a>> {
        let name = self.name("Buffer");
        Some(self.known(name, Value::UNKNOWN, arguments, site))
    }

    /// Constants of an array, one behind the other.
    pub(super) fn constant_list(&mut self, value: Value<'a>) -> Option<String> {
        let Shape::Object(id) = value.shape else { return None };
        let object = &self.objects[id.0 as usize];
        if object.items.is_empty() || object.any != Value::UNKNOWN {
            return None;
        }
        object.items.iter().map(|item| strings::piece(*item)).collect()
    }

    pub(super) fn is_environment(&self, value: Value<'a>) -> bool {
        matches!(value.shape, Shape::Name(name) if self.path(name) == "process.env")
    }

    /// `Object.defineProperty(globalThis, 'fetch', …)`
    pub(super) fn defines(&mut self, arguments: &[Value<'a>], site: Site) {
        let [target, key, descriptor] = arguments else { return };
        let Some(key) = key.whole_text() else { return };
        let mut value = Value::UNKNOWN;
        if let Shape::Object(id) = descriptor.shape {
            let members = &self.objects[id.0 as usize].members;
            value = members.get("value").or(members.get("get")).copied().unwrap_or(Value::UNKNOWN);
        }
        match target.shape {
            Shape::Name(name) => {
                if let Some(member) = self.name_member(name, key) {
                    self.hook(member, value, site.offset, site.folded);
                }
            }
            Shape::Object(id) => self.set_member(id, key, value),
            _ => {}
        }
    }
}
