//! Instances: what `new` makes.
use super::super::facts::What;
use super::calls::Site;
use super::gates;
use super::machine::Machine;
use super::value::{HOLE_TEXT, Kind, NameId, Shape, Value};

impl<'a> Machine<'a> {
    /// Makes an instance.
    pub(super) fn construct_value(
        &mut self,
        callee: Value<'a>,
        arguments: &[Value<'a>],
        site: Site,
    ) -> Value<'a> {
        match callee.shape {
            Shape::Name(name) => {
                let path = self.path(name);
                self.construct_name(name, path, arguments, site)
            }
            Shape::Function(id) => {
                let this = self.this_of(id);
                let given = self.call_function(id, arguments, Value::of(Shape::Object(this)));
                match given.shape {
                    Shape::Object(_) | Shape::Name(_) => given,
                    _ => Value::of(Shape::Object(this)),
                }
            }
            Shape::Object(id) => {
                let this = Value::of(Shape::Object(id));
                if let Some(&constructor) = self.objects[id.0 as usize].members.get("constructor")
                    && let Shape::Function(function) = constructor.shape
                {
                    self.call_function(function, arguments, this);
                } else if let Some(&base) = self.objects[id.0 as usize].members.get("super")
                    && let Shape::Function(function) = base.shape
                {
                    self.call_function(function, arguments, this);
                } else {
                    let taint = self.deep_all(arguments);
                    if taint.0 != 0 {
                        self.set_any(id, Value::tainted(taint));
                    }
                }
                this
            }
            Shape::Either(id) => {
                let mut result = Value::UNKNOWN;
                for shape in self.eithers.get(id).to_vec() {
                    let value = self.construct_value(Value::of(shape), arguments, site);
                    result = self.either(result, value);
                }
                result
            }
            _ => {
                let taint = self.deep_all(arguments);
                let taint = self.join(taint, callee.taint);
                Value::tainted(taint)
            }
        }
    }

    pub(super) fn construct_name(
        &mut self,
        name: NameId,
        path: &'a str,
        arguments: &[Value<'a>],
        site: Site,
    ) -> Value<'a> {
        let first = arguments.first().copied().unwrap_or(Value::UNKNOWN);
        match path {
            "Function"
            | "AsyncFunction"
            | "GeneratorFunction"
            | "Buffer"
            | "Array"
            | "Date"
            | "Deno.Command"
            | "vm.Script"
            | "vm.SourceTextModule"
            | "WebAssembly.Module"
            | "WebAssembly.Instance"
            | "DecompressionStream" => {
                let value = self.known(name, Value::UNKNOWN, arguments, site);
                return match path {
                    "vm.Script" => value.shaped(Shape::Unknown),
                    _ => value,
                };
            }
            "Promise" => {
                let id = self.object(site.place, Kind::Promise);
                let resolver = Value::of(Shape::Resolver(id));
                self.run_callbacks(arguments, &[resolver, resolver], site);
                return Value::of(Shape::Object(id));
            }
            "Proxy" => {
                if let Shape::Name(target) = first.shape
                    && let Some(&traps) = arguments.get(1)
                {
                    let target = self.path(target);
                    self.tap_hook(target, traps, site);
                }
                return first;
            }
            "http.ClientRequest" | "https.ClientRequest" | "_http_client.ClientRequest" => {
                let scheme = if path.starts_with("https") { "https" } else { "http" };
                let detail = self.address(scheme, arguments);
                return self.request(&detail, arguments, site);
            }
            "URL" | "String" | "Number" => {
                if path == "URL"
                    && let Some(base) = arguments.get(1).and_then(Value::as_text)
                    && let Some(text) = first.as_text()
                    && !text.contains("://")
                {
                    let taint = self.deep_all(arguments);
                    return self.folded(&format!("{base}{text}"), taint, site.offset);
                }
                return first;
            }
            "WebSocket" | "ws" | "EventSource" | "net.Socket" | "tls.TLSSocket" => {
                if path == "net.Socket" || path == "tls.TLSSocket" {
                    let id = self.object(site.place, Kind::Plain);
                    self.objects[id.0 as usize].class = Some(self.name("net"));
                    return Value::of(Shape::Object(id));
                }
                let connect = self.name("net.connect");
                let value = self.known(connect, Value::UNKNOWN, &arguments[..arguments.len().min(1)], site);
                return value;
            }
            "XMLHttpRequest" | "xhr2" | "xmlhttprequest.XMLHttpRequest" => {
                let id = self.object(site.place, Kind::Plain);
                self.objects[id.0 as usize].kind = Kind::Xhr;
                return Value::of(Shape::Object(id));
            }
            "Image" => {
                let id = self.object(site.place, Kind::Image);
                return Value::of(Shape::Object(id));
            }
            "Worker" | "SharedWorker" => {
                self.worker(first, arguments.get(1).copied(), site);
                return Value::UNKNOWN;
            }
            _ => {}
        }
        if path.starts_with("http.createServer") {
            let id = self.object(site.place, Kind::Server);
            return Value::of(Shape::Object(id));
        }
        let taint = self.deep_all(arguments);
        let id = self.object(site.place, Kind::Plain);
        if let Some(result) = self.name_result(name) {
            self.objects[id.0 as usize].class = Some(result);
        }
        if matches!(
            path,
            "Set" | "Array" | "Uint8Array" | "Uint16Array" | "Int8Array" | "Uint8ClampedArray" | "Blob"
        ) && let Shape::Object(given) = first.shape
            && self.kind(given) == Kind::Array
        {
            return first;
        }
        if taint.0 != 0 {
            self.set_any(id, Value::tainted(taint));
        }
        if let Some(text) = first.as_text() {
            self.set_member(id, "#text", Value::text(text));
        }
        let gates = gates::of_name(path);
        let given = self.run_callbacks(arguments, &[Value::tainted(taint); 2], site);
        Value { shape: Shape::Object(id), taint: self.join(taint, given.taint), gates, folded: false }
    }

    /// An address that is wholly constant, as a text or in the object that wraps it.
    fn whole_address(&self, value: Value<'a>) -> Option<&'a str> {
        value.whole_text().or_else(|| self.option(value, "#text").and_then(|text| text.whole_text()))
    }

    /// A worker runs a file, or text that it is given.
    pub(super) fn worker(&mut self, first: Value<'a>, options: Option<Value<'a>>, site: Site) {
        let text = first.as_text().unwrap_or(HOLE_TEXT);
        let evaluates = match options.map(|options| options.shape) {
            Some(Shape::Object(id)) => self.objects[id.0 as usize]
                .members
                .get("eval")
                .is_some_and(|eval| eval.shape == Shape::Flag(true)),
            _ => false,
        };
        let taint = self.deep(first);
        if evaluates {
            let name = self.name("eval");
            self.known(name, Value::UNKNOWN, &[first], site);
        } else if let Some(address) = self.whole_address(first).filter(|address| address.starts_with("data:"))
        {
            self.data_module(address, "Worker", first.with_taint(taint), site);
        } else if text.starts_with("data:") || text.starts_with("blob:") {
            let fact = self.fact(What::Eval, "Worker data:", site.offset, site.folded);
            self.flow(taint, fact);
        } else {
            let fact = self.maybe(What::Eval, "Worker", site.offset);
            self.flow(taint, fact);
        }
    }
}
