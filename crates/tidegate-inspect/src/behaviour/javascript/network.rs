//! Requests, connections, names that are looked up.
use super::super::facts::What;
use super::calls::Site;
use super::machine::Machine;
use super::strings;
use super::value::{HOLE_TEXT, Kind, ObjectId, Shape, Taint, Value};

impl<'a> Machine<'a> {
    /// The address of a request, as far as it is constant.
    pub(super) fn address(&mut self, scheme: &str, arguments: &[Value<'a>]) -> String {
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

    /// A request with everything that it is given; callbacks get the answer.
    pub(super) fn request(&mut self, detail: &str, arguments: &[Value<'a>], site: Site) -> Value<'a> {
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
    pub(super) fn connect(&mut self, detail: &str, arguments: &[Value<'a>], site: Site) -> Value<'a> {
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

    pub(super) fn known_network(
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
            ("socket.io-client", "io" | "connect" | "Manager") | ("mqtt" | "nats" | "amqplib", "connect") => {
                let detail = self.address("", arguments);
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
                | "fetch" | "postForm" | "putForm" | "del" | "options",
            ) => {
                let detail = self.address("", arguments);
                Some(self.request(&detail, arguments, site))
            }
            ("jQuery" | "$", "ajax" | "get" | "post" | "getJSON") => {
                let detail = self.address("", arguments);
                let value = self.request(&detail, arguments, site);
                if let Some(success) = arguments.iter().find_map(|&argument| self.option(argument, "success"))
                {
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

    pub(super) fn socket_address(&mut self, arguments: &[Value<'a>]) -> String {
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
}
