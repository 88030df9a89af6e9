//! Names of which each does something of its own: decoders, timers, promises, the clipboard, other people's packages.
use super::super::facts::What;
use super::calls::Site;
use super::machine::Machine;
use super::value::{HOLE_TEXT, Kind, Shape, Value};
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
    pub(super) fn known_other(
        &mut self,
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
            "spawn_sync.spawn" | "process_wrap.Process().spawn" => {
                let options = first;
                let arguments: Vec<Value<'a>> = [self.option(options, "file"), self.option(options, "args")]
                    .into_iter()
                    .flatten()
                    .collect();
                self.process(&arguments, site)
            }
            "Module._load" => self.load_module(first, "require", site),
            "axios.interceptors.request.use" | "axios.interceptors.response.use" => {
                let taker = arguments.first().copied().unwrap_or(Value::UNKNOWN);
                self.tap("hook axios.interceptors", taker, site)
            }
            // An archive of a program for desktops is packed: into the folder that it was taken from, as often as not.
            "@electron/asar.createPackage"
            | "asar.createPackage"
            | "@electron/asar.createPackageWithOptions" => {
                let detail = self.text_at(arguments, 1);
                self.fact(What::FileWrite, &detail, site.offset, site.folded);
                Value::UNKNOWN
            }
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
            "require.resolve" | "import.meta.resolve" => match first.whole_text() {
                Some(text) if !text.starts_with(['.', '/']) && !text.contains(':') => {
                    let path = self.make_text(&format!("{HOLE_TEXT}/node_modules/{text}"));
                    Value::text(path)
                }
                _ => return None,
            },
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
            | "vscode.env.clipboard.readText"
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
            | "vscode.env.clipboard.writeText"
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
                // What a module keeps in its memory was put there by whoever made it, and no reader sees it.
                let kept = self.maybe(What::Decode, "wasm", site.offset);
                Value::tainted(self.taint_of(kept))
            }
            "axios.create" => {
                let id = self.object(site.place, Kind::Plain);
                self.objects[id.0 as usize].class = Some(self.name("axios"));
                Value::of(Shape::Object(id))
            }
            _ => return self.known_package(path, function, receiver, arguments, site),
        };
        Some(value)
    }

    /// Packages of others, by what their instances do.
    pub(super) fn known_package(
        &mut self,
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
            let detail = format!("{package} {function}");
            let taint = self.source(What::NetReceive, &detail, site.offset, site.folded);
            self.run_callbacks(arguments, &[Value::tainted(taint); 2], site);
            return Some(Value::tainted(taint));
        }
        None
    }

    /// Text that is run as code by a module.
    pub(super) fn code(&mut self, path: &str, code: Value<'a>, site: Site) -> Value<'a> {
        let name = self.name("eval");
        let place =
            if path == "vm.Script" || path.starts_with("vm") { site } else { Site { folded: true, ..site } };
        self.known(name, Value::UNKNOWN, &[code], place)
    }

    pub(super) fn known_decoder(
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
}
