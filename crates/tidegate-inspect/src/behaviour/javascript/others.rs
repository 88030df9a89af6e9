//! Names of which each does something of its own: decoders, timers, promises, the clipboard, other people's packages.

use super::super::facts::What;
use super::calls::Site;
use super::machine::Machine;
use super::value::{HOLE_TEXT, Kind, NameId, Shape, Taint, Value};
use super::{gates, strings};

/// Instances that send what they are given: mail, chats, hosts of repositories.
const SENDERS: &[&str] = &[
    "nodemailer.createTransport()",
    "node-telegram-bot-api()",
    "telegraf()",
    "telegraf.Telegraf()",
    "grammy.Bot()",
    "discord.js.WebhookClient()",
    "discord.js.Client()",
    "discord-webhook-node.Webhook()",
    "@slack/webhook.IncomingWebhook()",
    "@slack/web-api.WebClient()",
];

/// Instances that ask a chain.
const CHAINS: &[&str] =
    &["ethers", "web3", "@solana/web3.js", "@ethersproject/providers", "viem", "bitcoin-core", "tronweb"];

impl<'a> Machine<'a> {
    /// Everything that has no module of its own.
    #[expect(clippy::too_many_arguments, reason = "the parts of one name, taken apart once")]
    pub(super) fn known_other(
        &mut self,
        name: NameId,
        path: &'a str,
        module: &str,
        function: &str,
        receiver: Value<'a>,
        arguments: &[Value<'a>],
        site: Site,
    ) -> Option<Value<'a>> {
        let first = arguments.first().copied().unwrap_or(Value::UNKNOWN);
        if let Some(value) = self.known_builtin(module, function, arguments, site) {
            return Some(value);
        }
        if let Some(value) = self.known_decoder(path, receiver, arguments, site) {
            return Some(value);
        }
        let value = match path {
            "vm.runInNewContext"
            | "vm.runInThisContext"
            | "vm.runInContext"
            | "vm.compileFunction"
            | "vm.Script"
            | "vm.SourceTextModule"
            | "vm2.VM().run"
            | "vm2.NodeVM().run" => self.code(path, first, site),
            _ if function == "_compile" => {
                let fact = self.fact(What::Eval, "module._compile", site.offset, site.folded);
                let taint = self.deep(first);
                self.flow(taint, fact);
                Value::UNKNOWN
            }
            "process.nextTick" => {
                let rest = arguments.get(1..).unwrap_or_default();
                self.call_value(first, Value::UNKNOWN, rest, site)
            }
            "process.on" | "process.once" => {
                self.run_callbacks(arguments, &[], site);
                Value::UNKNOWN
            }
            "process.binding" | "process.getBuiltinModule" => self.load_module(first, "require", site),
            "Module._load" => self.load_module(first, "require", site),
            "process.dlopen" => {
                let detail = arguments.get(1).and_then(Value::as_text).unwrap_or(HOLE_TEXT);
                let fact = self.fact(What::LibraryLoad, detail, site.offset, site.folded);
                let taint = self.deep_all(arguments);
                self.flow(taint, fact);
                Value::UNKNOWN
            }
            "ffi.Library" | "ffi-napi.Library" | "ffi-rs.open" | "koffi.load" | "bun:ffi.dlopen" => {
                let detail = first.as_text().unwrap_or(HOLE_TEXT);
                self.fact(What::LibraryLoad, detail, site.offset, site.folded);
                Value::UNKNOWN
            }
            "util.promisify"
            | "util.callbackify"
            | "util.deprecate"
            | "pify"
            | "bluebird.promisify"
            | "es6-promisify.promisify" => {
                return Some(first);
            }
            "process.cwd" => Value::text(HOLE_TEXT),
            "navigator.sendBeacon" => {
                let detail = self.constant_text(first).unwrap_or(HOLE_TEXT.to_owned());
                let fact = self.fact(What::NetSend, &detail, site.offset, site.folded);
                let taint = self.deep_all(arguments);
                self.flow(taint, fact);
                Value::UNKNOWN
            }
            "window.open" | "open" | "location.assign" | "location.replace" => {
                self.loaded(first, site.offset);
                Value::UNKNOWN
            }
            "clipboardy.read"
            | "clipboardy.readSync"
            | "navigator.clipboard.readText"
            | "navigator.clipboard.read"
            | "electron.clipboard.readText"
            | "copy-paste.paste" => {
                let taint = self.source(What::ClipboardRead, path, site.offset, site.folded);
                self.run_callbacks(arguments, &[Value::tainted(taint); 2], site);
                Value::tainted(taint)
            }
            "clipboardy.write"
            | "clipboardy.writeSync"
            | "navigator.clipboard.writeText"
            | "navigator.clipboard.write"
            | "electron.clipboard.writeText"
            | "copy-paste.copy" => {
                let fact = self.fact(What::ClipboardWrite, path, site.offset, site.folded);
                let taint = self.deep_all(arguments);
                self.flow(taint, fact);
                Value::UNKNOWN
            }
            "keytar.getPassword" | "keytar.findPassword" | "keytar.findCredentials" => {
                let detail = self.constant_text(first).unwrap_or(path.to_owned());
                let taint = self.source(What::KeychainRead, &detail, site.offset, site.folded);
                Value::tainted(taint)
            }
            "document.createElement" => {
                let kind = match first.whole_text() {
                    Some("script") => Kind::Script,
                    Some("img" | "iframe") => Kind::Image,
                    _ => return None,
                };
                let id = self.object(site.place, kind);
                Value::of(Shape::Object(id))
            }
            "document.write" | "document.writeln" => {
                if first.as_text().is_some_and(|text| text.contains("<script")) || first.taint.0 != 0 {
                    let fact = self.maybe(What::Eval, "document.write", site.offset);
                    let taint = self.deep_all(arguments);
                    self.flow(taint, fact);
                }
                Value::UNKNOWN
            }
            "Deno.env.get" => {
                let detail = first.as_text().unwrap_or("");
                let taint = self.source(What::EnvRead, detail, site.offset, site.folded);
                Value { gates: gates::of_variable(detail), ..Value::tainted(taint) }
            }
            "Deno.env.toObject" => {
                let taint = self.source(What::EnvAll, "", site.offset, site.folded);
                Value::tainted(taint)
            }
            "process.env.hasOwnProperty" => Value::UNKNOWN,
            "execa.$" | "zx.$" | "Bun.$" | "bun.$" | "zx.exec" => {
                let detail = first.as_text().unwrap_or(HOLE_TEXT);
                let fact = self.fact(What::Exec, detail, site.offset, site.folded);
                let taint = self.deep(first);
                self.flow(taint, fact);
                let output = self.maybe(What::ExecOutput, detail, site.offset);
                Value::tainted(self.taint_of(output))
            }
            "default-gateway"
            | "public-ip"
            | "macaddress.one"
            | "node-machine-id.machineIdSync"
            | "node-machine-id.machineId"
            | "getmac.default"
            | "systeminformation.osInfo"
            | "systeminformation.system" => {
                let taint = self.source(What::HostIdentity, path, site.offset, site.folded);
                Value::tainted(taint)
            }
            "WebAssembly.instantiate"
            | "WebAssembly.compile"
            | "WebAssembly.Module"
            | "WebAssembly.Instance"
            | "WebAssembly.instantiateStreaming" => {
                let fact = self.maybe(What::Eval, path, site.offset);
                let taint = self.deep(first);
                self.flow(taint, fact);
                Value::UNKNOWN
            }
            "axios.create" => {
                let id = self.object(site.place, Kind::Plain);
                self.objects[id.0 as usize].class = Some(self.name("axios"));
                Value::of(Shape::Object(id))
            }
            _ => return self.known_package(name, path, function, receiver, arguments, site),
        };
        Some(value)
    }

    /// Packages of others, by what their instances do.
    fn known_package(
        &mut self,
        name: NameId,
        path: &'a str,
        function: &str,
        receiver: Value<'a>,
        arguments: &[Value<'a>],
        site: Site,
    ) -> Option<Value<'a>> {
        if function == "listen" && path.contains("()") {
            let port = self.first_text(arguments);
            self.fact(What::Listen, &port, site.offset, site.folded);
            self.run_callbacks(arguments, &[], site);
            return Some(Value::UNKNOWN);
        }
        if path == "dotenv.config" || path == "express" {
            return None;
        }
        let instance = path.find("()").map(|at| &path[..at + 2])?;
        if SENDERS.contains(&instance) && path.len() > instance.len() {
            if matches!(function, "on" | "onText" | "command" | "hears") {
                let taint = self.source(
                    What::ChannelReceive,
                    instance.trim_end_matches("()"),
                    site.offset,
                    site.folded,
                );
                self.run_callbacks(arguments, &[Value::tainted(taint); 2], site);
                return Some(Value::UNKNOWN);
            }
            if function.starts_with("send")
                || matches!(function, "postMessage" | "post" | "upload" | "info" | "success")
            {
                let to = match arguments.first().copied() {
                    Some(options) if matches!(options.shape, Shape::Object(_)) => match options.shape {
                        Shape::Object(id) => self.objects[id.0 as usize]
                            .members
                            .get("to")
                            .and_then(Value::as_text)
                            .unwrap_or(""),
                        _ => "",
                    },
                    _ => "",
                };
                let detail = format!("{} {to}", instance.trim_end_matches("()"));
                let fact = self.fact(What::NetSend, detail.trim_end(), site.offset, site.folded);
                let taint = self.deep_all(arguments);
                self.flow(taint, fact);
                self.run_callbacks(arguments, &[], site);
                return Some(Value::UNKNOWN);
            }
        }
        let octokit = instance.ends_with("Octokit()") || instance == "@octokit/rest()";
        if octokit && path.len() > instance.len() + 1 {
            let call = &path[instance.len() + 1..];
            let detail = match arguments.first().and_then(Value::as_text) {
                Some(route) => format!("octokit {call} {route}"),
                None => format!("octokit {call}"),
            };
            let send = self.fact(What::NetSend, &detail, site.offset, site.folded);
            let taint = self.deep_all(arguments);
            let taint = self.join(taint, receiver.taint);
            self.flow(taint, send);
            let taint = self.source(What::NetReceive, &detail, site.offset, site.folded);
            return Some(Value::tainted(taint));
        }
        let package = CHAINS.iter().find(|package| instance.starts_with(*package))?;
        if path.len() > instance.len() && !path.ends_with("()") {
            let _ = name;
            let detail = format!("{package} {function}");
            let taint = self.source(What::NetReceive, &detail, site.offset, site.folded);
            self.run_callbacks(arguments, &[Value::tainted(taint); 2], site);
            return Some(Value::tainted(taint));
        }
        None
    }

    /// What the language itself brings.
    fn known_builtin(
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
                    let values =
                        object.order.iter().filter_map(|key| object.members.get(key).copied()).collect();
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

    fn known_global_buffer(&mut self, arguments: &[Value<'a>], site: Site) -> Option<Value<'a>> {
        let name = self.name("Buffer");
        Some(self.known(name, Value::UNKNOWN, arguments, site))
    }

    /// Constants of an array, one behind the other.
    fn constant_list(&mut self, value: Value<'a>) -> Option<String> {
        let Shape::Object(id) = value.shape else { return None };
        let object = &self.objects[id.0 as usize];
        if object.items.is_empty() || object.any != Value::UNKNOWN {
            return None;
        }
        object.items.iter().map(|item| strings::piece(*item)).collect()
    }

    fn is_environment(&self, value: Value<'a>) -> bool {
        matches!(value.shape, Shape::Name(name) if self.path(name) == "process.env")
    }

    /// `Object.defineProperty(globalThis, 'fetch', …)`
    fn defines(&mut self, arguments: &[Value<'a>], site: Site) {
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

    /// Text that is run as code by a module.
    fn code(&mut self, path: &str, code: Value<'a>, site: Site) -> Value<'a> {
        let name = self.name("eval");
        let place =
            if path == "vm.Script" || path.starts_with("vm") { site } else { Site { folded: true, ..site } };
        self.known(name, Value::UNKNOWN, &[code], place)
    }

    fn known_decoder(
        &mut self,
        path: &str,
        receiver: Value<'a>,
        arguments: &[Value<'a>],
        site: Site,
    ) -> Option<Value<'a>> {
        let kind = match path {
            "zlib.inflateSync"
            | "zlib.gunzipSync"
            | "zlib.brotliDecompressSync"
            | "zlib.unzipSync"
            | "zlib.inflateRawSync"
            | "zlib.gunzip"
            | "zlib.inflate"
            | "zlib.unzip"
            | "zlib.inflateRaw"
            | "zlib.brotliDecompress"
            | "zlib.createGunzip"
            | "zlib.createInflate"
            | "zlib.createUnzip"
            | "zlib.createBrotliDecompress"
            | "zlib.createInflateRaw"
            | "zlib.zstdDecompressSync"
            | "pako.inflate"
            | "pako.ungzip"
            | "pako.inflateRaw"
            | "fflate.decompressSync"
            | "fflate.unzlibSync"
            | "fflate.gunzipSync"
            | "fflate.inflateSync"
            | "DecompressionStream"
            | "lz-string.decompressFromBase64"
            | "lz-string.decompress"
            | "LZString.decompressFromBase64"
            | "LZString.decompress"
            | "lz-string.decompressFromUTF16" => "zlib",
            "crypto.createDecipheriv().update"
            | "crypto.createDecipher().update"
            | "crypto-js.AES.decrypt"
            | "CryptoJS.AES.decrypt"
            | "crypto-js/aes.decrypt"
            | "CryptoJS.RC4.decrypt"
            | "CryptoJS.TripleDES.decrypt"
            | "crypto-js.RC4.decrypt"
            | "crypto-js.TripleDES.decrypt"
            | "crypto.privateDecrypt"
            | "crypto.subtle.decrypt"
            | "crypto.webcrypto.subtle.decrypt" => "cipher",
            "js-base64.decode"
            | "js-base64.Base64.decode"
            | "Base64.decode"
            | "js-base64.fromBase64"
            | "base-64.decode"
            | "base64-js.toByteArray"
            | "Uint8Array.fromBase64" => "base64",
            "Uint8Array.fromHex" => "hex",
            "querystring.unescape" => "percent",
            _ => return None,
        };
        let mut taint = self.deep_all(arguments);
        taint = self.join(taint, receiver.taint);
        let taint = self.decode(kind, taint, site.offset);
        let text = match kind {
            "base64" | "hex" => {
                arguments.first().and_then(Value::whole_text).and_then(|text| strings::decode(kind, text))
            }
            _ => None,
        };
        self.run_callbacks(arguments, &[Value::UNKNOWN, Value::tainted(taint)], site);
        Some(match text {
            Some(text) => self.folded(&text, taint, site.offset),
            None => Value::tainted(taint),
        })
    }

    // ---- `new` ---------------------------------------------------------------------------------------------------

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

    fn construct_name(
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
            "URL" | "String" | "Proxy" | "Number" => {
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

    /// A worker runs a file, or text that it is given.
    fn worker(&mut self, first: Value<'a>, options: Option<Value<'a>>, site: Site) {
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
        } else if text.starts_with("data:") || text.starts_with("blob:") {
            let fact = self.fact(What::Eval, "Worker data:", site.offset, site.folded);
            self.flow(taint, fact);
        } else {
            let fact = self.maybe(What::Eval, "Worker", site.offset);
            self.flow(taint, fact);
        }
    }
}
