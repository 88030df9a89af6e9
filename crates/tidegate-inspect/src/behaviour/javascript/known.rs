//! What known names do when they are called: the facts of a file come from here.
use super::super::facts::What;
use super::calls::Site;
use super::machine::Machine;
use super::value::{HOLE_TEXT, Kind, NameId, Shape, Taint, Value};
use super::{gates, strings};

impl<'a> Machine<'a> {
    /// Calls a name.
    pub(super) fn known(
        &mut self,
        name: NameId,
        receiver: Value<'a>,
        arguments: &[Value<'a>],
        site: Site,
    ) -> Value<'a> {
        let path = self.path(name);
        let (module, function) = path.rsplit_once('.').unwrap_or(("", path));
        if path == "addEventListener" && self.tap_event(path, arguments, site) {
            return Value::UNKNOWN;
        }
        let value = self.known_global(path, arguments, site);
        if let Some(value) = value {
            return value;
        }
        if path.starts_with("vscode.") && function == "sendText" {
            // A terminal of an editor runs what it is sent.
            let line = arguments.get(..1).unwrap_or_default();
            return self.process(line, site);
        }
        let value = match module {
            "fs" | "Deno" | "Bun" => {
                let mut value = None;
                for arguments in self.alternatives(arguments) {
                    value = self.known_file(module, function, &arguments, site);
                }
                value
            }
            "child_process" | "shelljs" | "execa" | "cross-spawn" | "node-pty" => {
                self.known_process(path, function, arguments, site)
            }
            "http" | "https" | "http2" | "axios" | "got" | "request" | "superagent" | "needle" | "undici"
            | "phin" | "ky" | "bent" | "socket.io-client" | "mqtt" | "nats" | "amqplib" | "net" | "tls"
            | "dgram" | "dns" | "got.stream" | "jQuery" | "$" => {
                self.known_network(module, function, arguments, site)
            }
            "os" => self.known_machine(path, function, site),
            "path" => self.known_path(function, arguments, site),
            _ => None,
        };
        let value = value.or_else(|| self.known_other(path, module, function, receiver, arguments, site));
        value.unwrap_or_else(|| self.unknown_name(name, path, receiver, arguments, site))
    }

    /// The arguments of a call where one of the first two may be one of several texts or lists: each on its own. What is chosen by the
    /// platform stands in the same order in both.
    fn alternatives(&self, arguments: &[Value<'a>]) -> Vec<Vec<Value<'a>>> {
        let shapes = |value: &Value<'a>| match value.shape {
            Shape::Either(id) => {
                let all: Vec<Shape<'a>> = self.eithers.get(id).to_vec();
                let kinds = |shape: &Shape<'a>| matches!(shape, Shape::Text(_) | Shape::Object(_));
                if all.iter().all(kinds) { all } else { Vec::new() }
            }
            _ => Vec::new(),
        };
        let sets: Vec<Vec<Shape<'a>>> = arguments.iter().take(2).map(shapes).collect();
        let count = sets.iter().map(Vec::len).max().unwrap_or(0).max(1);
        (0..count)
            .map(|index| {
                let mut all = arguments.to_vec();
                for (value, set) in all.iter_mut().zip(&sets) {
                    if let Some(&shape) = set.get(index).or(set.last()) {
                        value.shape = shape;
                    }
                }
                all
            })
            .collect()
    }

    /// A name of which nothing is known: its result is a name, what goes in comes out, callbacks run.
    pub(super) fn unknown_name(
        &mut self,
        name: NameId,
        path: &'a str,
        receiver: Value<'a>,
        arguments: &[Value<'a>],
        site: Site,
    ) -> Value<'a> {
        let taint = self.deep_all(arguments);
        let taint = self.join(taint, receiver.taint);
        let mut gate_bits = gates::of_name(path);
        let function = path.rsplit('.').next().unwrap_or(path);
        gate_bits |= gates::of_method(function);
        let imported = self.hand_over(name, arguments, site);
        let tapped = self.tap_package(path, site);
        let imported = self.join(imported, tapped);
        let given = self.callbacks_of(path, arguments, [taint, imported], site);
        let back = self.deep_back(arguments);
        let taint = self.join(back, receiver.taint);
        let taint = self.join(taint, imported);
        let taint = self.join(taint, given.taint);
        let shape = match self.name_result(name) {
            Some(result) => Shape::Name(result),
            None => Shape::Unknown,
        };
        Value { shape, taint, gates: gate_bits | receiver.gates, folded: site.folded }
    }

    pub(super) fn callbacks_of(
        &mut self,
        path: &str,
        arguments: &[Value<'a>],
        [taint, imported]: [Taint; 2],
        site: Site,
    ) -> Value<'a> {
        let function = path.rsplit('.').next().unwrap_or(path);
        let defers = matches!(
            function,
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
                | "describe"
                | "it"
                | "test"
                | "addEventListener"
                | "registerCommand"
                | "registerTool"
                | "tool"
                | "setRequestHandler"
                | "handle"
                | "memoize"
                | "debounce"
                | "throttle"
                | "once"
                | "component"
                | "defineComponent"
                | "forwardRef"
                | "memo"
                | "useEffect"
                | "useCallback"
                | "useMemo"
                | "createServer"
                | "defineProperty"
                | "onRequest"
                | "inherits"
                | "deprecate"
                | "callbackify"
                | "lazy"
                | "before"
                | "after"
                | "beforeEach"
                | "afterEach"
                | "suite"
                | "bench"
        ) && taint.0 == 0;
        if defers && function != "createServer" {
            return Value::UNKNOWN;
        }
        let taint = self.join(taint, imported);
        self.run_callbacks(arguments, &[Value::tainted(taint); 3], site)
    }

    /// The origin of a name that is itself a source when it is used whole.
    pub(super) fn taint_of_name(&mut self, name: NameId) -> Taint {
        if self.environment != Some(name) {
            return self.imported(name);
        }
        // Told only if it reaches something: `spawn(x, { env: process.env })` does not.
        let fact = self.maybe(What::EnvAll, "", self.here);
        self.taint_of(fact)
    }

    pub(super) fn text_at(&mut self, arguments: &[Value<'a>], index: usize) -> String {
        match arguments.get(index) {
            Some(&value) => self.constant_text(value).unwrap_or_else(|| self.text_of_object(value)),
            None => String::new(),
        }
    }

    /// The constant of an object that wraps one (`new URL('…')`), else a hole.
    pub(super) fn text_of_object(&mut self, value: Value<'a>) -> String {
        if let Shape::Object(id) = value.shape
            && let Some(text) = self.objects[id.0 as usize].members.get("#text").and_then(Value::as_text)
        {
            return text.to_owned();
        }
        HOLE_TEXT.to_owned()
    }

    /// The first constant among arguments.
    pub(super) fn first_text(&mut self, arguments: &[Value<'a>]) -> String {
        for &argument in arguments {
            if let Some(text) = self.constant_text(argument) {
                return text;
            }
            for key in ["port", "host"] {
                if let Some(text) = self.option(argument, key).and_then(strings::piece) {
                    return text;
                }
            }
        }
        String::new()
    }

    pub(super) fn option(&self, value: Value<'a>, key: &str) -> Option<Value<'a>> {
        match value.shape {
            Shape::Object(id) => self.objects.get(id.0 as usize)?.members.get(key).copied(),
            _ => None,
        }
    }

    pub(super) fn option_text(&mut self, value: Value<'a>, keys: &[&str]) -> Option<String> {
        for key in keys {
            if let Some(found) = self.option(value, key)
                && !matches!(found.shape, Shape::Undefined)
            {
                return Some(self.constant_text(found).unwrap_or_else(|| self.text_of_object(found)));
            }
        }
        None
    }

    pub(super) fn option_flag(&self, value: Value<'a>, key: &str) -> bool {
        self.option(value, key).is_some_and(|value| value.shape == Shape::Flag(true))
    }

    /// A process. What the options say of its environment is not sent anywhere.
    pub(super) fn process(&mut self, arguments: &[Value<'a>], site: Site) -> Value<'a> {
        let mut value = Value::UNKNOWN;
        for arguments in self.alternatives(arguments) {
            value = self.one_process(&arguments, site);
        }
        value
    }

    fn one_process(&mut self, arguments: &[Value<'a>], site: Site) -> Value<'a> {
        let mut words = Vec::new();
        let mut given = Taint(0);
        let mut options = Value::UNKNOWN;
        for (index, &argument) in arguments.iter().enumerate() {
            match argument.shape {
                Shape::Object(id) if self.kind(id) == Kind::Array => {
                    let (items, any) = {
                        let object = &self.objects[id.0 as usize];
                        (object.items.clone(), object.any)
                    };
                    for item in items {
                        words.push(self.constant_text(item).unwrap_or_else(|| HOLE_TEXT.to_owned()));
                    }
                    if any != Value::UNKNOWN {
                        words.push(HOLE_TEXT.to_owned());
                    }
                    let taint = self.deep(argument);
                    given = self.join(given, taint);
                }
                Shape::Object(_) if index > 0 => options = argument,
                Shape::Function(_) | Shape::Bound(_) | Shape::Undefined => {}
                _ if index > 1 => {}
                _ => {
                    words.push(self.constant_text(argument).unwrap_or_else(|| self.text_of_object(argument)));
                    let taint = self.deep(argument);
                    given = self.join(given, taint);
                }
            }
        }
        if words.is_empty() {
            words.push(HOLE_TEXT.to_owned());
        }
        let detail = words.join(" ");
        let folded =
            site.folded || arguments.first().is_some_and(|value| value.folded && value.as_text().is_some());
        // `windowsHide` alone spares people a window that would open and close; the program still ends with its parent.
        let what = if self.option_flag(options, "detached") { What::ExecDetached } else { What::Exec };
        let exec = self.fact(what, &detail, site.offset, folded);
        self.flow(given, exec);
        if let Some(input) = self.option(options, "input") {
            let taint = self.deep(input);
            self.flow(taint, exec);
        }
        self.runs_written(&detail, exec);
        let output = self.maybe(What::ExecOutput, &detail, site.offset);
        let taint = self.taint_of(output);
        let id = self.object(site.place, Kind::Process { exec, output });
        self.objects[id.0 as usize].kind = Kind::Process { exec, output };
        self.run_callbacks(arguments, &[Value::UNKNOWN, Value::tainted(taint), Value::tainted(taint)], site);
        Value::of(Shape::Object(id)).with_taint(taint)
    }

    pub(super) fn known_process(
        &mut self,
        path: &str,
        function: &str,
        arguments: &[Value<'a>],
        site: Site,
    ) -> Option<Value<'a>> {
        let runs = matches!(
            function,
            "exec"
                | "execSync"
                | "execFile"
                | "execFileSync"
                | "spawn"
                | "spawnSync"
                | "fork"
                | "sync"
                | "command"
                | "commandSync"
                | "execa"
                | "execaSync"
                | "execaCommand"
                | "execaCommandSync"
                | "$"
                | "node"
                | "execaNode"
        ) || path == "cross-spawn";
        runs.then(|| self.process(arguments, site))
    }

    pub(super) fn known_machine(&mut self, path: &str, function: &str, site: Site) -> Option<Value<'a>> {
        let gate_bits = gates::of_name(path);
        let identity = matches!(
            function,
            "hostname"
                | "userInfo"
                | "networkInterfaces"
                | "platform"
                | "homedir"
                | "cpus"
                | "arch"
                | "release"
                | "type"
                | "version"
                | "totalmem"
                | "freemem"
                | "uptime"
                | "machine"
                | "loadavg"
        );
        if function == "tmpdir" {
            return Some(Value::text(HOLE_TEXT));
        }
        if !identity {
            return None;
        }
        let taint = self.source(What::HostIdentity, path, site.offset, site.folded);
        let shape = match function {
            "homedir" => Shape::Text("~"),
            "userInfo" => Shape::Name(self.name("os.userInfo()")),
            _ => Shape::Unknown,
        };
        Some(Value { shape, taint, gates: gate_bits, folded: false })
    }

    pub(super) fn known_path(
        &mut self,
        function: &str,
        arguments: &[Value<'a>],
        site: Site,
    ) -> Option<Value<'a>> {
        let taint = self.deep_all(arguments);
        let text = match function {
            "join" | "resolve" => {
                let mut parts: Vec<String> =
                    (0..arguments.len()).map(|index| self.text_at(arguments, index)).collect();
                if function == "resolve"
                    && let Some(last) = parts.iter().rposition(|part| part.starts_with(['/', '~']))
                {
                    parts.drain(..last);
                }
                strings::join_path(&parts)
            }
            "normalize" => strings::join_path(&[self.text_at(arguments, 0)]),
            "basename" => {
                let text = self.text_at(arguments, 0);
                text.rsplit('/').next().unwrap_or(HOLE_TEXT).to_owned()
            }
            "dirname" => {
                let text = self.text_at(arguments, 0);
                text.rsplit_once('/').map_or(HOLE_TEXT, |(folder, _)| folder).to_owned()
            }
            _ => return None,
        };
        Some(self.folded(&text, taint, site.offset))
    }

    pub(super) fn known_global(
        &mut self,
        path: &str,
        arguments: &[Value<'a>],
        site: Site,
    ) -> Option<Value<'a>> {
        let first = arguments.first().copied().unwrap_or(Value::UNKNOWN);
        let value = match path {
            "require" => self.load_module(first, "require", site),
            "eval" | "Function" | "AsyncFunction" | "GeneratorFunction" => {
                return Some(self.run_code(
                    path,
                    arguments.last().copied().unwrap_or(Value::UNKNOWN),
                    arguments,
                    site,
                ));
            }
            "setTimeout"
            | "setInterval"
            | "setImmediate"
            | "queueMicrotask"
            | "requestIdleCallback"
            | "requestAnimationFrame" => {
                match first.shape {
                    Shape::Text(_) => {
                        self.run_code(path, first, &[first], site);
                    }
                    Shape::Name(_) | Shape::Bound(_) | Shape::Function(_) | Shape::Either(_) => {
                        let rest = arguments.get(2..).unwrap_or_default();
                        self.call_value(first, Value::UNKNOWN, rest, site);
                    }
                    _ => {}
                }
                // A value of which nothing but its origin is known may be text.
                if first.shape == Shape::Unknown && first.taint.0 != 0 {
                    let fact = self.maybe(What::Eval, path, site.offset);
                    self.flow(first.taint, fact);
                }
                Value::UNKNOWN
            }
            "fetch" | "axios" | "got" | "request" | "superagent" | "needle" | "phin" | "ky" | "xhr"
            | "$fetch" | "ofetch" => {
                let detail = self.address("", arguments);
                self.request(&detail, arguments, site)
            }
            "socket.io-client" => {
                let detail = self.address("", arguments);
                self.connect(&detail, arguments, site)
            }
            "execa" | "cross-spawn" | "$" | "nano-spawn" | "tinyexec" | "child_process" => {
                self.process(arguments, site)
            }
            "atob" | "js-base64" => self.decoded_value("base64", "base64", first, site),
            // With `decodeURIComponent` around it this is how bytes become text; with nothing to escape it changes nothing.
            "escape" if first.whole_text().is_some_and(|text| text.is_ascii() && !text.contains('%')) => {
                first
            }
            "unescape" => self.decoded_value("percent", "unescape", first, site),
            "decodeURIComponent" | "decodeURI" => self.decoded_value("percent", "percent", first, site),
            "Buffer" => self.buffer(arguments, site),
            "String" | "structuredClone" | "Object" => first,
            "parseInt" | "parseFloat" | "Number" | "BigInt" => {
                let radix =
                    u32::try_from(arguments.get(1).and_then(Value::as_index).unwrap_or(10)).unwrap_or(10);
                parse_number(first, radix, self.deep(first))
            }
            "Array" => {
                let id = self.object(site.place, Kind::Array);
                if arguments.len() > 1 {
                    self.objects[id.0 as usize].items = arguments.to_vec();
                }
                Value::of(Shape::Object(id))
            }
            "Date" => Value { gates: gates::of_name("Date"), ..Value::UNKNOWN },
            "rimraf" | "del" | "trash" => {
                let detail = self.text_at(arguments, 0);
                self.fact(What::FileDelete, &detail, site.offset, site.folded);
                self.run_callbacks(arguments, &[], site);
                Value::UNKNOWN
            }
            "glob" | "fast-glob" | "globby" | "walkdir" | "tiny-glob" | "recursive-readdir" | "klaw" => {
                let detail = self.text_at(arguments, 0);
                let taint = self.source(What::FolderRead, &detail, site.offset, site.folded);
                self.run_callbacks(arguments, &[Value::tainted(taint); 2], site);
                Value::tainted(taint)
            }
            "username" | "os-name" | "node-machine-id" | "systeminformation" => {
                let detail = path.to_owned();
                let taint = self.source(What::HostIdentity, &detail, site.offset, site.folded);
                Value { gates: gates::of_name(path), ..Value::tainted(taint) }
            }
            "importScripts" => {
                let fact = self.fact(What::Eval, "importScripts", site.offset, site.folded);
                let taint = self.deep_all(arguments);
                self.flow(taint, fact);
                Value::UNKNOWN
            }
            "io" => {
                let detail = self.address("", arguments);
                self.connect(&detail, &[], site)
            }
            _ => return None,
        };
        Some(value)
    }
}

/// A number that a text spells.
fn parse_number<'a>(value: Value<'a>, radix: u32, taint: Taint) -> Value<'a> {
    let number = match value.shape {
        Shape::Number(number) => Some(number),
        Shape::Text(text) => {
            let text = text.trim();
            let (text, radix) = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
                Some(rest) => (rest, 16),
                None => (text, if (2..=36).contains(&radix) { radix } else { 10 }),
            };
            let digits: String =
                text.chars().take_while(|character| character.is_digit(radix)).take(12).collect();
            #[expect(clippy::cast_precision_loss, reason = "twelve digits")]
            u64::from_str_radix(&digits, radix).ok().map(|number| number as f64)
        }
        _ => None,
    };
    Value {
        shape: number.map_or(Shape::Unknown, Shape::Number),
        taint,
        gates: value.gates,
        folded: value.folded,
    }
}
