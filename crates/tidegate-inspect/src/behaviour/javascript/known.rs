//! What known names do when they are called: the facts of a file come from here.

use oxc_allocator::Allocator;

use super::super::facts::What;
use super::calls::Site;
use super::machine::Machine;
use super::value::{HOLE, HOLE_TEXT, Kind, NameId, ObjectId, Shape, Taint, Value};
use super::{gates, names, parse, strings};

/// Texts that are read as code because the file would run them.
const TEXTS_RUN: u32 = 16;

/// Bytes of such a text.
const TEXT_RUN_BYTES: usize = 256 << 10;

/// Paths that were written and are remembered.
const WRITTEN: usize = 256;

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
        let value = self.known_global(path, arguments, site);
        if let Some(value) = value {
            return value;
        }
        let value = match module {
            "fs" | "Deno" | "Bun" => self.known_file(module, function, arguments, site),
            "child_process" | "shelljs" | "execa" | "cross-spawn" | "node-pty" => {
                self.known_process(path, function, arguments, site)
            }
            "http" | "https" | "http2" | "axios" | "got" | "request" | "superagent" | "needle" | "undici"
            | "phin" | "ky" | "bent" | "net" | "tls" | "dgram" | "dns" | "got.stream" | "jQuery" | "$" => {
                self.known_network(module, function, arguments, site)
            }
            "os" => self.known_machine(path, function, site),
            "path" => self.known_path(function, arguments, site),
            _ => None,
        };
        let value =
            value.or_else(|| self.known_other(name, path, module, function, receiver, arguments, site));
        value.unwrap_or_else(|| self.unknown_name(name, path, receiver, arguments, site))
    }

    /// A name of which nothing is known: its result is a name, what goes in comes out, callbacks run.
    fn unknown_name(
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
        let given = self.callbacks_of(path, arguments, taint, site);
        let taint = self.join(taint, given.taint);
        let shape = match self.name_result(name) {
            Some(result) => Shape::Name(result),
            None => Shape::Unknown,
        };
        Value { shape, taint, gates: gate_bits | receiver.gates, folded: site.folded }
    }

    fn callbacks_of(&mut self, path: &str, arguments: &[Value<'a>], taint: Taint, site: Site) -> Value<'a> {
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
        self.run_callbacks(arguments, &[Value::tainted(taint); 3], site)
    }

    /// The origin of a name that is itself a source when it is used whole.
    pub(super) fn taint_of_name(&mut self, name: NameId) -> Taint {
        if self.path(name) != "process.env" {
            return Taint(0);
        }
        // Told only if it reaches something: `spawn(x, { env: process.env })` does not.
        let fact = self.maybe(What::EnvAll, "", 0);
        self.taint_of(fact)
    }

    // ---- Texts of arguments --------------------------------------------------------------------------------------

    fn text_at(&mut self, arguments: &[Value<'a>], index: usize) -> String {
        match arguments.get(index) {
            Some(&value) => self.constant_text(value).unwrap_or_else(|| self.text_of_object(value)),
            None => String::new(),
        }
    }

    /// The constant of an object that wraps one (`new URL('…')`), else a hole.
    fn text_of_object(&mut self, value: Value<'a>) -> String {
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

    fn option(&self, value: Value<'a>, key: &str) -> Option<Value<'a>> {
        match value.shape {
            Shape::Object(id) => self.objects.get(id.0 as usize)?.members.get(key).copied(),
            _ => None,
        }
    }

    fn option_text(&mut self, value: Value<'a>, keys: &[&str]) -> Option<String> {
        for key in keys {
            if let Some(found) = self.option(value, key)
                && !matches!(found.shape, Shape::Undefined)
            {
                return Some(self.constant_text(found).unwrap_or_else(|| self.text_of_object(found)));
            }
        }
        None
    }

    fn option_flag(&self, value: Value<'a>, key: &str) -> bool {
        self.option(value, key).is_some_and(|value| value.shape == Shape::Flag(true))
    }

    /// The address of a request, as far as it is constant.
    fn address(&mut self, scheme: &str, arguments: &[Value<'a>]) -> String {
        let mut fallback = String::new();
        for &argument in arguments {
            if let Shape::Object(_) = argument.shape {
                if let Some(url) = self.option_text(argument, &["url", "uri", "href", "#text"]) {
                    let base =
                        self.option_text(argument, &["baseURL", "baseUrl", "prefixUrl"]).unwrap_or_default();
                    return format!("{base}{url}");
                }
                if let Some(host) = self.option_text(argument, &["hostname", "host"]) {
                    let protocol = self
                        .option_text(argument, &["protocol"])
                        .unwrap_or_else(|| format!("{}:", if scheme.is_empty() { "http" } else { scheme }));
                    let port = self
                        .option_text(argument, &["port"])
                        .map(|port| format!(":{port}"))
                        .unwrap_or_default();
                    let path = self.option_text(argument, &["path", "pathname"]).unwrap_or_default();
                    return format!("{protocol}//{host}{port}{path}");
                }
            } else if let Some(text) = self.constant_text(argument) {
                if text.contains("://") || text.starts_with("//") || text.starts_with("data:") {
                    return text;
                }
                if fallback.is_empty() {
                    fallback = text;
                }
            } else if fallback.is_empty() && !argument.is_callable() {
                HOLE_TEXT.clone_into(&mut fallback);
            }
        }
        fallback
    }

    // ---- Network -------------------------------------------------------------------------------------------------

    /// A request with everything that it is given; callbacks get the answer.
    fn request(&mut self, detail: &str, arguments: &[Value<'a>], site: Site) -> Value<'a> {
        let send = self.fact(What::NetSend, detail, site.offset, site.folded);
        let receive = self.fact(What::NetReceive, detail, site.offset, site.folded);
        let data: Vec<_> =
            arguments.iter().copied().filter(|value| !matches!(value.shape, Shape::Function(_))).collect();
        let taint = self.deep_all(&data);
        self.flow(taint, send);
        let taint = self.taint_of(receive);
        let id = self.object(site.place, Kind::Request { send, receive });
        self.objects[id.0 as usize].kind = Kind::Request { send, receive };
        let answer = Value::tainted(taint);
        self.run_callbacks(arguments, &[answer; 3], site);
        Value::of(Shape::Object(id)).with_taint(taint)
    }

    /// A connection.
    fn connect(&mut self, detail: &str, arguments: &[Value<'a>], site: Site) -> Value<'a> {
        let send = self.fact(What::NetSend, detail, site.offset, site.folded);
        let receive = self.fact(What::ChannelReceive, detail, site.offset, site.folded);
        let id = self.object(site.place, Kind::Socket { send, receive });
        self.objects[id.0 as usize].kind = Kind::Socket { send, receive };
        let taint = self.taint_of(receive);
        let value = Value::of(Shape::Object(id)).with_taint(taint);
        self.run_callbacks(arguments, &[Value::of(Shape::Object(id))], site);
        value
    }

    /// `open` of a request of a browser.
    pub(super) fn open_request(&mut self, id: ObjectId, arguments: &[Value<'a>], site: Site) {
        let detail = self.text_at(arguments, 1);
        let value = self.request(&detail, arguments, site);
        if let Shape::Object(request) = value.shape {
            self.objects[id.0 as usize].kind = self.kind(request);
            self.set_any(id, Value::tainted(value.taint));
        }
    }

    fn known_network(
        &mut self,
        module: &str,
        function: &str,
        arguments: &[Value<'a>],
        site: Site,
    ) -> Option<Value<'a>> {
        let scheme = if module == "https" { "https" } else { "http" };
        match (module, function) {
            ("http" | "https" | "http2", "request" | "get") => {
                let detail = self.address(scheme, arguments);
                Some(self.request(&detail, arguments, site))
            }
            ("http" | "https" | "net" | "tls" | "http2", "createServer" | "createSecureServer") => {
                let taint = if matches!(module, "net" | "tls") {
                    self.source(What::ChannelReceive, "", site.offset, false)
                } else {
                    Taint(0)
                };
                let socket = if taint.0 == 0 { Value::UNKNOWN } else { self.incoming(site, taint) };
                self.run_callbacks(arguments, &[socket, Value::UNKNOWN], site);
                let id = self.object(site.place, Kind::Server);
                Some(Value::of(Shape::Object(id)))
            }
            ("net" | "tls", "connect" | "createConnection") | ("http2", "connect") => {
                let detail = self.socket_address(arguments);
                Some(self.connect(&detail, arguments, site))
            }
            ("dgram", "createSocket") => Some(self.connect("udp", &[], site)),
            (
                "dns",
                "lookup" | "resolve" | "resolve4" | "resolve6" | "resolveTxt" | "resolveAny" | "resolveMx"
                | "resolveCname" | "resolveNs" | "resolveSrv" | "reverse" | "lookupService",
            ) => {
                let detail = self.text_at(arguments, 0);
                let query = self.fact(What::DnsQuery, &detail, site.offset, site.folded);
                let taint = self.deep_all(arguments.get(..1).unwrap_or_default());
                self.flow(taint, query);
                let text = matches!(function, "resolveTxt" | "resolveAny")
                    || arguments
                        .get(1)
                        .and_then(Value::whole_text)
                        .is_some_and(|kind| matches!(kind, "TXT" | "ANY"));
                let taint = if text {
                    self.source(What::DnsReceive, &detail, site.offset, site.folded)
                } else {
                    Taint(0)
                };
                self.run_callbacks(arguments, &[Value::UNKNOWN, Value::tainted(taint)], site);
                Some(Value::tainted(taint))
            }
            (
                "axios" | "superagent" | "needle" | "undici" | "got" | "request" | "phin" | "ky"
                | "got.stream",
                "get" | "post" | "put" | "patch" | "delete" | "head" | "request" | "stream" | "pipeline"
                | "fetch" | "postForm" | "putForm" | "del" | "options" | "defaults",
            ) if function != "defaults" => {
                let detail = self.address("", arguments);
                Some(self.request(&detail, arguments, site))
            }
            ("jQuery" | "$", "ajax" | "get" | "post" | "getJSON") => {
                let detail = self.address("", arguments);
                let value = self.request(&detail, arguments, site);
                if let (Some(success), Shape::Object(id)) =
                    (arguments.iter().find_map(|&argument| self.option(argument, "success")), value.shape)
                {
                    let _ = id;
                    self.run_callbacks(&[success], &[Value::tainted(value.taint)], site);
                }
                Some(value)
            }
            ("jQuery" | "$", "getScript") => {
                let text = arguments.first().copied().unwrap_or(Value::UNKNOWN);
                self.script(text, site.offset);
                Some(Value::UNKNOWN)
            }
            _ => None,
        }
    }

    fn socket_address(&mut self, arguments: &[Value<'a>]) -> String {
        for &argument in arguments {
            if let Some(host) = self.option_text(argument, &["host", "hostname", "path"]) {
                let port = self.option_text(argument, &["port"]).unwrap_or_default();
                return if port.is_empty() { host } else { format!("{host}:{port}") };
            }
        }
        let mut parts = Vec::new();
        for &argument in arguments {
            match argument.shape {
                Shape::Text(text) => parts.insert(0, text.to_owned()),
                Shape::Number(number) => parts.push(strings::number_text(number)),
                _ => {}
            }
        }
        parts.truncate(2);
        if parts.is_empty() { HOLE_TEXT.to_owned() } else { parts.join(":") }
    }

    // ---- Processes -----------------------------------------------------------------------------------------------

    /// A process. What the options say of its environment is not sent anywhere.
    fn process(&mut self, arguments: &[Value<'a>], site: Site) -> Value<'a> {
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
        let hidden = self.option_flag(options, "detached") || self.option_flag(options, "windowsHide");
        let what = if hidden { What::ExecDetached } else { What::Exec };
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

    fn known_process(
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

    // ---- Files ---------------------------------------------------------------------------------------------------

    fn known_file(
        &mut self,
        module: &str,
        function: &str,
        arguments: &[Value<'a>],
        site: Site,
    ) -> Option<Value<'a>> {
        let base = function.strip_suffix("Sync").unwrap_or(function);
        let detail = self.text_at(arguments, 0);
        let folded = site.folded;
        let callback = |machine: &mut Self, taint: Taint| {
            machine.run_callbacks(arguments, &[Value::UNKNOWN, Value::tainted(taint)], site);
            Some(Value::tainted(taint))
        };
        match base {
            "readFile" | "createReadStream" | "readJson" | "readJSON" | "readTextFile" | "file"
            | "openAsBlob" => {
                let fact = if base == "file" && module == "Bun" {
                    self.maybe(What::FileRead, &detail, site.offset)
                } else {
                    self.fact(What::FileRead, &detail, site.offset, folded)
                };
                let mut taint = self.taint_of(fact);
                let written = self.written_to(&detail);
                taint = self.join(taint, written);
                callback(self, taint)
            }
            "writeFile" | "appendFile" | "outputFile" | "writeJson" | "writeJSON" | "outputJson"
            | "writeTextFile" | "createWriteStream" | "write"
                if base != "write" || module == "Bun" =>
            {
                let write = self.fact(What::FileWrite, &detail, site.offset, folded);
                let data = arguments.get(1).copied().unwrap_or(Value::UNKNOWN);
                let taint = if base == "createWriteStream" { Taint(0) } else { self.deep(data) };
                self.flow(taint, write);
                self.remember_written(&detail, taint);
                let options = arguments.get(if base == "createWriteStream" { 1 } else { 2 }).copied();
                if let Some(mode) = options.and_then(|options| self.option(options, "mode"))
                    && executable(mode)
                {
                    self.fact(What::MakeExecutable, &detail, site.offset, folded);
                }
                if base == "createWriteStream" {
                    let id = self.object(site.place, Kind::Writing { write });
                    self.objects[id.0 as usize].kind = Kind::Writing { write };
                    return Some(Value::of(Shape::Object(id)));
                }
                callback(self, Taint(0))
            }
            "copyFile" | "copy" | "cp" | "rename" | "move" | "link" | "symlink" => {
                let to = self.text_at(arguments, 1);
                let read = self.maybe(What::FileRead, &detail, site.offset);
                let write = self.fact(What::FileWrite, &to, site.offset, folded);
                let taint = self.taint_of(read);
                self.flow(taint, write);
                let taint = self.written_to(&detail);
                self.remember_written(&to, taint);
                callback(self, Taint(0))
            }
            "unlink" | "rm" | "rmdir" | "remove" | "emptyDir" | "rimraf" => {
                self.fact(What::FileDelete, &detail, site.offset, folded);
                callback(self, Taint(0))
            }
            "truncate" => {
                self.fact(What::FileWrite, &detail, site.offset, folded);
                callback(self, Taint(0))
            }
            "readdir" | "opendir" | "readDir" | "glob" => {
                let taint = self.source(What::FolderRead, &detail, site.offset, folded);
                callback(self, taint)
            }
            "chmod" | "lchmod" => {
                let mode = arguments.get(1).copied().unwrap_or(Value::UNKNOWN);
                if executable(mode) || mode.shape == Shape::Unknown {
                    self.fact(What::MakeExecutable, &detail, site.offset, folded);
                }
                callback(self, Taint(0))
            }
            "spawn" | "$" | "run" if module != "fs" => {
                let value = match arguments.first().and_then(|&first| self.option(first, "cmd")) {
                    Some(command) => self.process(&[command], site),
                    None => self.process(arguments, site),
                };
                Some(value)
            }
            "Command" if module == "Deno" => {
                let mut all = arguments.get(..1).unwrap_or_default().to_vec();
                all.extend(arguments.get(1).and_then(|&options| self.option(options, "args")));
                Some(self.process(&all, site))
            }
            "connect" | "connectTls" if module != "fs" => {
                let detail = self.socket_address(arguments);
                Some(self.connect(&detail, arguments, site))
            }
            "serve" | "listen" if module != "fs" => {
                let port = self.first_text(arguments);
                self.fact(What::Listen, &port, site.offset, folded);
                callback(self, Taint(0))
            }
            "dlopen" if module != "fs" => {
                self.fact(What::LibraryLoad, &detail, site.offset, folded);
                Some(Value::UNKNOWN)
            }
            "hostname" if module == "Deno" => {
                let taint = self.source(What::HostIdentity, "Deno.hostname", site.offset, folded);
                Some(Value::tainted(taint))
            }
            "exists" | "access" | "stat" | "mkdir" | "ensureDir" | "mkdirp" | "ensureFile" | "lstat"
            | "realpath" | "mkdtemp" | "pathExists" => {
                self.run_callbacks(arguments, &[Value::UNKNOWN; 2], site);
                Some(Value::UNKNOWN)
            }
            _ => None,
        }
    }

    fn remember_written(&mut self, path: &str, taint: Taint) {
        if taint.0 == 0
            || path.chars().filter(|&character| character != HOLE).count() < 3
            || self.written.len() >= WRITTEN
        {
            return;
        }
        let path = self.make_text(path);
        if !self.written.contains(&(path, taint)) {
            self.written.push((path, taint));
        }
    }

    /// A stream to a file was given something.
    pub(super) fn rewritten(&mut self, write: u32, taint: Taint) {
        if let Some(detail) = self.drafts.detail(write) {
            // Shown details write `*` for holes; paths are compared in that form.
            let detail = detail.to_owned();
            self.remember_written(&detail, taint);
        }
    }

    /// Where the content of a path that was written before comes from.
    fn written_to(&mut self, path: &str) -> Taint {
        let shown = super::drafts::shown(path);
        let mut taint = Taint(0);
        for (written, from) in self.written.clone() {
            if super::drafts::shown(written) == shown {
                taint = self.join(taint, from);
            }
        }
        taint
    }

    /// A command that names a path that was written before runs what was written.
    fn runs_written(&mut self, command: &str, fact: u32) {
        let command = super::drafts::shown(command);
        for (written, taint) in self.written.clone() {
            let path = super::drafts::shown(written);
            let name = path.rsplit('/').next().unwrap_or(&path);
            if command.contains(&path) || (name.len() > 3 && command.contains(name)) {
                self.flow(taint, fact);
            }
        }
    }

    // ---- The machine, paths --------------------------------------------------------------------------------------

    fn known_machine(&mut self, path: &str, function: &str, site: Site) -> Option<Value<'a>> {
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

    fn known_path(&mut self, function: &str, arguments: &[Value<'a>], site: Site) -> Option<Value<'a>> {
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

    // ---- Globals -------------------------------------------------------------------------------------------------

    fn known_global(&mut self, path: &str, arguments: &[Value<'a>], site: Site) -> Option<Value<'a>> {
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
            "execa" | "cross-spawn" | "$" | "nano-spawn" | "tinyexec" | "child_process" => {
                self.process(arguments, site)
            }
            "atob" | "js-base64" => self.decoded_value("base64", "base64", first, site),
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
            "socket.io-client" | "io" => {
                let detail = self.address("", arguments);
                self.connect(&detail, &[], site)
            }
            _ => return None,
        };
        Some(value)
    }

    /// Buffers from texts and numbers.
    fn buffer(&mut self, arguments: &[Value<'a>], site: Site) -> Value<'a> {
        let first = arguments.first().copied().unwrap_or(Value::UNKNOWN);
        let encoding = arguments.get(1).and_then(Value::whole_text).map(str::to_ascii_lowercase);
        match encoding.as_deref() {
            Some("base64" | "base64url") => self.decoded_value("base64", "base64", first, site),
            Some("hex") => self.decoded_value("hex", "hex", first, site),
            _ => match first.shape {
                Shape::Object(id) if self.kind(id) == Kind::Array => {
                    let items = self.objects[id.0 as usize].items.clone();
                    if items.len() < 4 && first.taint.0 == 0 {
                        return first;
                    }
                    let mut value = self.character_codes(&items, site, false);
                    value.taint = self.join(value.taint, first.taint);
                    value
                }
                _ => first,
            },
        }
    }

    /// Text of a constant that a decoder is applied to, or where it comes from.
    fn decoded_value(&mut self, kind: &str, encoding: &str, value: Value<'a>, site: Site) -> Value<'a> {
        let from = self.deep(value);
        let taint = self.decode(kind, from, site.offset);
        let text = value.whole_text().and_then(|text| strings::decode(encoding, text));
        match text {
            Some(text) => self.folded(&text, taint, site.offset),
            None => Value { gates: value.gates, ..Value::tainted(taint) },
        }
    }

    /// Text of character codes.
    pub(super) fn character_codes(&mut self, arguments: &[Value<'a>], site: Site, xor: bool) -> Value<'a> {
        let from = self.deep_all(arguments);
        let mut text = String::new();
        let mut known = !arguments.is_empty();
        for argument in arguments {
            match argument
                .as_number()
                .and_then(super::value::index_of)
                .and_then(|code| u32::try_from(code).ok())
            {
                Some(code) => text.push(char::from_u32(code & 0x1F_FFFF).unwrap_or('\u{FFFD}')),
                None => known = false,
            }
        }
        let kind = if xor { "xor" } else { "charcode" };
        let taint = if known && arguments.len() == 1 {
            // One constant character is no decoder; many of them, put together, are seen as the text.
            let fact = self.maybe(What::Decode, kind, site.offset);
            let own = self.taint_of(fact);
            self.join(from, own)
        } else {
            self.decode(kind, from, site.offset)
        };
        if known { self.folded(&text, taint, site.offset) } else { Value::tainted(taint) }
    }

    // ---- Code ----------------------------------------------------------------------------------------------------

    /// Text that is run as code: a fact, and where the text is constant, what it does.
    fn run_code(&mut self, how: &str, code: Value<'a>, arguments: &[Value<'a>], site: Site) -> Value<'a> {
        let taint = self.deep_all(arguments);
        if let Some(text) = code.whole_text() {
            let bare = text.trim().trim_end_matches(';').trim();
            if matches!(bare, "return this" | "this" | "return globalThis" | "globalThis") {
                return self.name_value("globalThis");
            }
            if let Some(name) = bare.strip_prefix("return ").or(Some(bare))
                && !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'))
                && !name.starts_with(|character: char| character.is_ascii_digit())
            {
                // The usual way around bundlers: `eval('require')`.
                let name = self.make_text(name);
                if how == "eval" {
                    return self.identifier(name);
                }
            }
        }
        let detail = match code.as_text() {
            Some(text) if text != HOLE_TEXT => format!("{how} {}", &text[..text.floor_char_boundary(400)]),
            _ => how.to_owned(),
        };
        let fact = self.fact(What::Eval, &detail, site.offset, site.folded);
        self.flow(taint, fact);
        let mut value = Value::tainted(taint);
        if let Some(text) = code.whole_text()
            && text.len() > 8
            && text.len() <= TEXT_RUN_BYTES
            && self.texts_run < TEXTS_RUN
        {
            self.texts_run += 1;
            let allocator: &'a Allocator = self.allocator;
            if let Some(program) = parse::text(allocator, text) {
                let before = self.text_place.replace(self.text_place.unwrap_or(site.offset));
                let inner = self.run_text(program);
                self.text_place = before;
                value = Value { taint: self.join(taint, inner.taint), ..inner };
            }
        }
        value
    }

    /// Imports a module.
    pub(super) fn module(&mut self, specifier: &'a str) -> Value<'a> {
        self.import(specifier);
        if specifier.len() > 100 {
            return Value::UNKNOWN;
        }
        let path = names::module(specifier);
        let mut value = self.name_value(path);
        value.gates = gates::of_name(path);
        value
    }

    /// Loads a module by a value.
    pub(super) fn load_module(&mut self, source: Value<'a>, how: &str, site: Site) -> Value<'a> {
        let taint = self.deep(source);
        if let Some(specifier) = source.whole_text() {
            if specifier.starts_with("data:") {
                let fact = self.fact(What::Eval, &format!("{how} data:"), site.offset, source.folded);
                self.flow(taint, fact);
                return Value::tainted(taint);
            }
            if specifier.contains("://") && !specifier.starts_with("file:") {
                let receive = self.source(What::NetReceive, specifier, site.offset, source.folded);
                let fact = self.fact(What::Eval, &format!("{how} {specifier}"), site.offset, source.folded);
                self.flow(receive, fact);
                return Value::tainted(receive);
            }
            if specifier.ends_with(".node") {
                self.fact(What::LibraryLoad, specifier, site.offset, source.folded);
            }
            let written = self.written_to(specifier);
            if written.0 != 0 {
                let fact = self.fact(What::DynamicImport, specifier, site.offset, source.folded);
                self.flow(written, fact);
            }
            let value = self.module(specifier);
            return Value { folded: value.folded || source.folded, ..value };
        }
        let detail = source.as_text().unwrap_or(HOLE_TEXT);
        if detail.starts_with("data:") || detail.starts_with("http") {
            let fact = self.fact(What::Eval, &format!("{how} {detail}"), site.offset, source.folded);
            self.flow(taint, fact);
            return Value::tainted(taint);
        }
        let fact = self.fact(What::DynamicImport, detail, site.offset, source.folded);
        self.flow(taint, fact);
        let written = self.written_to(detail);
        self.flow(written, fact);
        Value::tainted(self.taints.join(taint, written))
    }
}

/// Whether a mode lets a file be run.
fn executable(mode: Value<'_>) -> bool {
    let bits = match mode.shape {
        Shape::Number(number) => super::value::index_of(number),
        Shape::Text(text) => usize::from_str_radix(text.trim_start_matches("0o"), 8)
            .ok()
            .or_else(|| text.contains("+x").then_some(0o111)),
        _ => None,
    };
    bits.is_some_and(|bits| bits & 0o111 != 0)
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
