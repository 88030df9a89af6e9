//! Calls that speak to the network.

use std::rc::Rc;

use super::super::facts::What;
use super::super::record::Taint;
use super::interp::Interp;
use super::library::Call;
use super::value::{Kind, Value};

/// Libraries whose functions and clients make HTTP requests.
const CLIENTS: &[&str] = &[
    "requests",
    "httpx",
    "aiohttp",
    "urllib3",
    "niquests",
    "curl_cffi",
    "treq",
    "urequests",
    "grequests",
    "cloudscraper",
    "httplib2",
    "tls_client",
    "primp",
    "asks",
    "requests_html",
    "requests_toolbelt",
    "requests_futures",
    "faster_than_requests",
    "tornado",
    "pip",
];

/// What clients of those libraries are called.
const SESSIONS: &[&str] = &[
    "Session",
    "session",
    "Client",
    "AsyncClient",
    "ClientSession",
    "PoolManager",
    "ProxyManager",
    "create_scraper",
    "Http",
    "HTMLSession",
    "FuturesSession",
    "CloudScraper",
    "AsyncHTTPClient",
    "HTTPClient",
    "AsyncSession",
    "HTTPSConnectionPool",
    "HTTPConnectionPool",
    "PipSession",
];

/// Methods that make a request.
const VERBS: &[&str] = &[
    "get",
    "post",
    "put",
    "patch",
    "delete",
    "head",
    "options",
    "request",
    "send",
    "stream",
    "urlopen",
    "fetch",
    "ws_connect",
    "build_request",
];

/// Whether a decorator makes its function receive messages.
pub(super) fn is_channel_decorator(name: &str) -> bool {
    let last = name.trim_end_matches("()").rsplit('.').next().unwrap_or_default();
    name.contains("()")
        && matches!(
            last,
            "message_handler"
                | "event"
                | "on"
                | "listen"
                | "channel_post_handler"
                | "callback_query_handler"
                | "inline_handler"
                | "on_message"
                | "command"
                | "on_event"
                | "register"
        )
        && [
            "telebot",
            "discord",
            "nextcord",
            "disnake",
            "socketio",
            "telethon",
            "pyrogram",
            "aiogram",
            "slack_bolt",
            "websockets",
            "guilded",
            "matrix",
            "nio",
            "irc3",
            "mqtt",
        ]
        .iter()
        .any(|root| name.starts_with(root))
}

impl<'a> Interp<'a> {
    /// Calls of network libraries.
    pub(super) fn network(&mut self, call: &Call<'_, 'a>) -> Option<Value<'a>> {
        if is_request(call.name) {
            return Some(self.request(call));
        }
        let args = call.args;
        match call.name {
            "urllib.request.urlopen"
            | "urllib.request.build_opener().open"
            | "urllib.request.URLopener().open"
            | "urllib.request.FancyURLopener().open"
            | "urllib.request.OpenerDirector().open"
            | "mechanize.Browser().open"
            | "pandas.read_csv"
            | "pandas.read_json"
            | "pandas.read_html"
            | "pandas.read_pickle"
            | "wget.download_text"
            | "fsspec.open"
            | "smart_open.open"
            | "setuptools.ssl_support.urlopen"
            | "pip._vendor.requests.get"
                if !call.name.starts_with("pandas") || call.shown(0, "url").contains("://") =>
            {
                Some(self.request(call))
            }
            "urllib.request.urlretrieve"
            | "urllib.request.URLopener().retrieve"
            | "wget.download"
            | "urllib.request.FancyURLopener().retrieve"
            | "gdown.download" => {
                let answer = self.request(call);
                let path =
                    args.get(1, "filename").or_else(|| args.named("out")).or_else(|| args.named("output"));
                let shown = path.map_or_else(|| "*".into(), Value::shown);
                let text = super::fold::path_text(&shown);
                if let Some(fact) = self.sink(What::FileWrite, &text, call.site, &answer.taint) {
                    let marker = path.map_or_else(Value::default, Clone::clone);
                    self.write_to(fact, &marker, &answer.taint);
                }
                Some(path.cloned().unwrap_or_default().tainted(&answer.taint))
            }
            "urllib.request.Request"
            | "tornado.httpclient.HTTPRequest"
            | "requests.Request"
            | "httpx.Request" => {
                let url =
                    args.named("url").or_else(|| args.pos.iter().find(|value| value.shown().contains("://")));
                let url = url.or_else(|| args.pos.first());
                let text = url.map_or_else(|| "*".into(), Value::shown);
                Some(Value::partly(&text).tainted(&args.taint()).fold(url.is_some_and(|url| url.folded)))
            }
            "urllib.request.urlcleanup" | "urllib.request.install_opener" => Some(Value::default()),
            "urllib.parse.urlencode"
            | "urllib.parse.quote"
            | "urllib.parse.quote_plus"
            | "json.dumps"
            | "yaml.dump"
            | "simplejson.dumps"
            | "orjson.dumps"
            | "ujson.dumps"
            | "pickle.dumps"
            | "marshal.dumps"
            | "pprint.pformat"
            | "msgpack.packb"
            | "toml.dumps" => {
                let taint = args.taint();
                self.rec.settle(&taint);
                let value = args.pos.first().map(Value::shown).unwrap_or_else(|| "*".into());
                Some(
                    Value::partly(if matches!(call.last(), "quote" | "quote_plus") { &value } else { "*" })
                        .tainted(&taint),
                )
            }
            "http.client.HTTPSConnection" | "http.client.HTTPConnection" => {
                let scheme = if call.name.contains("HTTPS") { "https" } else { "http" };
                let host = call.shown(0, "host");
                Some(self.made(call, &format!("{scheme}://{host}")))
            }
            "http.client.HTTPSConnection().request"
            | "http.client.HTTPConnection().request"
            | "http.client.HTTPSConnection().putrequest"
            | "http.client.HTTPConnection().putrequest" => {
                let path = call.shown(1, "url");
                let address =
                    if path.contains("://") { path.to_string() } else { format!("{}{path}", call.about()) };
                let taint = call.taint();
                self.sink(What::NetSend, &address, call.site, &taint);
                Some(Value::default())
            }
            "http.client.HTTPSConnection().send"
            | "http.client.HTTPConnection().send"
            | "http.client.HTTPSConnection().endheaders"
            | "http.client.HTTPConnection().endheaders" => {
                self.sink(What::NetSend, &call.about(), call.site, &args.taint());
                Some(Value::default())
            }
            "http.client.HTTPSConnection().getresponse" | "http.client.HTTPConnection().getresponse" => {
                let taint = self.rec.source(What::NetReceive, &call.about(), call.site);
                Some(Value::from(taint))
            }
            "socket.create_connection" | "asyncio.open_connection" | "asyncio.streams.open_connection" => {
                let address = match args.pos.as_slice() {
                    [host, port, ..] if call.name.starts_with("asyncio") => {
                        format!("{}:{}", host.shown(), port.shown())
                    }
                    [pair, ..] => address(pair),
                    _ => "*".to_owned(),
                };
                self.sink(What::NetSend, &address, call.site, &args.taint());
                if call.name.starts_with("asyncio") {
                    let reader =
                        Value::of(Kind::Name("asyncio.StreamReader()".into(), Some(address.as_str().into())));
                    let writer =
                        Value::of(Kind::Name("asyncio.StreamWriter()".into(), Some(address.as_str().into())));
                    return Some(Value::list(vec![reader, writer]));
                }
                Some(self.made(call, &address))
            }
            "asyncio.StreamReader().read"
            | "asyncio.StreamReader().readline"
            | "asyncio.StreamReader().readexactly"
            | "asyncio.StreamReader().readuntil" => {
                let taint = self.rec.source(What::ChannelReceive, &call.about(), call.site);
                Some(Value::from(taint))
            }
            "asyncio.StreamWriter().write" | "asyncio.StreamWriter().writelines" => {
                self.sink(What::NetSend, &call.about(), call.site, &args.taint());
                Some(Value::default())
            }
            "ssl.wrap_socket"
            | "ssl.SSLContext().wrap_socket"
            | "ssl.create_default_context().wrap_socket"
            | "ssl._create_unverified_context().wrap_socket" => {
                let inner = args.pos.first()?;
                let kind = Kind::Name(
                    "socket.socket()".into(),
                    match &inner.kind {
                        Kind::Name(_, about) => about.clone(),
                        _ => None,
                    },
                );
                Some(Value { kind, ..inner.clone() })
            }
            "websocket.create_connection"
            | "websockets.connect"
            | "websockets.client.connect"
            | "websockets.sync.client.connect"
            | "websocket.WebSocket" => {
                let address = call.shown(0, "url");
                let known = &*address != "*";
                if known {
                    self.sink(What::NetSend, &address, call.site, &args.taint());
                }
                Some(Value::of(Kind::Name("websocket.create_connection()".into(), known.then_some(address))))
            }
            "websocket.WebSocketApp" => {
                let address = call.shown(0, "url");
                for name in ["on_message", "on_data", "on_open"] {
                    if let Some(callback) = args.named(name).cloned() {
                        let taint = self.rec.source(What::ChannelReceive, &address, call.site);
                        let socket = Value::of(Kind::Name(
                            "websocket.create_connection()".into(),
                            Some(Rc::clone(&address)),
                        ));
                        self.run_callback(&callback, vec![socket, Value::from(taint)], call.site);
                    }
                }
                Some(self.made(call, &address))
            }
            "socketserver.TCPServer"
            | "socketserver.ThreadingTCPServer"
            | "socketserver.UDPServer"
            | "http.server.HTTPServer"
            | "http.server.ThreadingHTTPServer"
            | "asyncio.start_server"
            | "websockets.serve"
            | "aiohttp.web.run_app"
            | "uvicorn.run"
            | "flask.Flask().run"
            | "wsgiref.simple_server.make_server" => {
                let pair = args.pos.first().map(address).unwrap_or_else(|| "*".to_owned());
                let text = if pair == "*" { call.shown(9, "host").to_string() } else { pair };
                self.sink(What::Listen, &text, call.site, &Taint::default());
                let callback = args.pos.iter().find(|value| matches!(value.kind, Kind::Func(_))).cloned();
                if let Some(callback) = callback.filter(|_| call.name != "uvicorn.run") {
                    let taint = self.rec.source(What::ChannelReceive, &text, call.site);
                    self.run_callback(
                        &callback,
                        vec![Value::from(taint.clone()), Value::from(taint)],
                        call.site,
                    );
                }
                None
            }
            "socket.gethostbyname"
            | "socket.getaddrinfo"
            | "socket.gethostbyname_ex"
            | "dns.resolver.query"
            | "dns.resolver.resolve"
            | "dns.resolver.Resolver().resolve"
            | "dns.resolver.Resolver().query"
            | "dns.asyncresolver.resolve"
            | "aiodns.DNSResolver().query"
            | "dns.message.make_query" => {
                let name = call.shown(0, "host");
                let name: Rc<str> = if &*name == "*" { call.shown(0, "qname") } else { name };
                self.sink(What::DnsQuery, &name, call.site, &args.taint());
                let is_text =
                    args.pos.get(1).and_then(Value::as_text) == Some("TXT") || call.name.contains("dns");
                if is_text {
                    let taint = self.rec.source(What::DnsReceive, &name, call.site);
                    return Some(Value::from(taint));
                }
                Some(Value::default())
            }
            _ => self.other_network(call),
        }
    }

    /// Sockets, mail, file transfer, message services.
    fn other_network(&mut self, call: &Call<'_, 'a>) -> Option<Value<'a>> {
        let (owner, last, args) = (call.owner(), call.last(), call.args);
        let taint = || call.taint();
        let root = call.name.split(['.', '(']).next().unwrap_or_default();
        if owner == "socket.socket()"
            || owner == "socket.create_connection()"
            || owner == "socket.socket().accept()[]"
        {
            return self.socket(call);
        }
        match (root, last) {
            ("websocket" | "websockets", "send") if owner.contains("()") => {
                self.sink(What::NetSend, &call.about(), call.site, &args.taint());
                Some(Value::default())
            }
            ("websocket" | "websockets", "recv" | "recv_data") if owner.contains("()") => {
                let taint = self.rec.source(What::ChannelReceive, &call.about(), call.site);
                Some(Value::from(taint))
            }
            ("smtplib", "sendmail" | "send_message") | ("yagmail", "send") => {
                let to = call.about();
                self.sink(What::NetSend, &format!("smtp://{to}"), call.site, &args.taint());
                Some(Value::default())
            }
            ("ftplib", "storbinary" | "storlines" | "transfercmd") | ("pysftp" | "paramiko", "putfo") => {
                let scheme = if root == "ftplib" { "ftp" } else { "sftp" };
                let taint = taint();
                self.sink(What::NetSend, &format!("{scheme}://{}", call.about()), call.site, &taint);
                Some(Value::default())
            }
            ("paramiko" | "fabric", "exec_command" | "run") => {
                self.sink(What::NetSend, &format!("ssh://{}", call.about()), call.site, &args.taint());
                Some(Value::default())
            }
            ("ftplib", "retrbinary" | "retrlines") => {
                let taint = self.rec.source(What::NetReceive, &format!("ftp://{}", call.about()), call.site);
                if let Some(callback) = args.pos.get(1).cloned() {
                    self.run_callback(&callback, vec![Value::from(taint.clone())], call.site);
                    if let Kind::Method(method) = &callback.kind
                        && let Kind::File(Some(fact), path) = &method.0.kind
                    {
                        self.write_to(*fact, path, &taint);
                    }
                }
                Some(Value::from(taint))
            }
            (
                "telebot" | "telegram",
                "send_message" | "send_document" | "send_photo" | "sendMessage" | "sendDocument"
                | "send_file",
            ) if owner.contains("()") => {
                self.sink(What::NetSend, &format!("telegram:{}", call.about()), call.site, &taint());
                Some(Value::default())
            }
            ("telebot" | "telegram", "get_updates" | "getUpdates") => {
                let taint =
                    self.rec.source(What::ChannelReceive, &format!("telegram:{}", call.about()), call.site);
                Some(Value::from(taint))
            }
            ("discord" | "dhooks" | "discord_webhook" | "nextcord" | "disnake", "send" | "execute") => {
                self.sink(What::NetSend, &call.about(), call.site, &taint());
                Some(Value::default())
            }
            ("discord_webhook" | "dhooks", "DiscordWebhook" | "Webhook" | "Hook") => {
                let url = call.shown(0, "url");
                Some(self.made(call, &url))
            }
            ("discord", "from_url") => {
                let url = call.shown(0, "url");
                Some(self.made(call, &url))
            }
            (
                "boto3" | "botocore" | "minio" | "google" | "pysftp" | "paramiko" | "azure",
                "upload_file" | "upload_from_filename" | "fput_object" | "put",
            ) => {
                let file = args
                    .pos
                    .iter()
                    .find(|value| value.shown().contains('/'))
                    .or_else(|| args.pos.first())?
                    .clone();
                let content = self.read_path(&file, call);
                let scheme = if matches!(root, "pysftp" | "paramiko") { "sftp" } else { root };
                let to = format!("{scheme}:{}", call.about());
                self.sink(What::NetSend, &to, call.site, &taint().with(&content));
                Some(Value::default())
            }
            (
                "boto3" | "botocore" | "aioboto3" | "google" | "azure" | "minio" | "dropbox" | "oss2",
                "put_object" | "upload_fileobj" | "send_message" | "upload_from_string" | "upload_blob"
                | "files_upload" | "publish",
            ) => {
                self.sink(What::NetSend, &format!("{root}:{}", call.about()), call.site, &taint());
                Some(Value::default())
            }
            (
                "github" | "gitlab" | "gidgethub",
                "create_repo" | "create_gist" | "create_file" | "update_file" | "create_git_blob",
            ) => {
                self.sink(What::NetSend, &format!("{root}:{last}"), call.site, &taint());
                Some(Value::default())
            }
            (
                "redis" | "pika" | "kafka" | "paho" | "zmq" | "nats",
                "publish" | "basic_publish" | "send" | "send_string",
            ) if owner.contains("()") => {
                self.sink(What::NetSend, &call.about(), call.site, &taint());
                Some(Value::default())
            }
            ("redis" | "kafka" | "zmq", "recv" | "recv_string" | "get_message" | "poll" | "recv_json")
                if owner.contains("()") =>
            {
                let taint = self.rec.source(What::ChannelReceive, &call.about(), call.site);
                Some(Value::from(taint))
            }
            ("pycurl", "setopt") if owner.contains("()") => {
                let url = args.pos.get(1).map(Value::shown).filter(|text| text.contains("://"))?;
                self.sink(What::NetSend, &url, call.site, &taint());
                Some(Value::default())
            }
            _ => None,
        }
    }

    fn socket(&mut self, call: &Call<'_, 'a>) -> Option<Value<'a>> {
        let args = call.args;
        match call.last() {
            "connect" | "connect_ex" => {
                let address = args.pos.first().map(address).unwrap_or_else(|| "*".to_owned());
                self.sink(What::NetSend, &address, call.site, &args.taint());
                Some(Value::default())
            }
            "send" | "sendall" | "sendto" | "sendfile" | "sendmsg" => {
                let to = if call.last() == "sendto" { args.pos.last().map(address) } else { None };
                let address = to.unwrap_or_else(|| call.about().to_string());
                self.sink(What::NetSend, &address, call.site, &args.taint());
                Some(Value::default())
            }
            "recv" | "recvfrom" | "recv_into" | "read" | "recvmsg" => {
                let taint = self.rec.source(What::ChannelReceive, &call.about(), call.site);
                Some(Value::from(taint))
            }
            "bind" => {
                let address = args.pos.first().map(address).unwrap_or_else(|| "*".to_owned());
                self.sink(What::Listen, &address, call.site, &Taint::default());
                Some(Value::default())
            }
            "accept" => {
                let inner = Value::of(Kind::Name("socket.socket()".into(), call.about.cloned()));
                Some(Value::list(vec![inner, Value::default()]))
            }
            "makefile" => {
                let name = super::fold::capped("socket.socket()");
                Some(Value::of(Kind::Name(name, call.about.cloned())))
            }
            "fileno" => Some(Value::name(&format!("{}()", call.name))),
            "getsockname" => {
                let taint = self.rec.source(What::HostIdentity, "socket.getsockname", call.site);
                Some(Value::from(taint))
            }
            _ => None,
        }
    }

    /// What a receiver becomes by a method: a socket that is connected knows its address.
    pub(super) fn becomes(&self, name: &str, method: &str, args: &super::value::Args<'a>) -> Option<Rc<str>> {
        let first = args.pos.first();
        match (name, method) {
            ("socket.socket()", "connect" | "connect_ex" | "bind") => first.map(|pair| address(pair).into()),
            (
                "smtplib.SMTP()"
                | "smtplib.SMTP_SSL()"
                | "ftplib.FTP()"
                | "ftplib.FTP_TLS()"
                | "paramiko.SSHClient()",
                "connect",
            )
            | ("websocket.WebSocket()" | "websocket.create_connection()", "connect")
            | ("paho.mqtt.client.Client()", "connect") => first.map(Value::shown),
            _ => None,
        }
    }

    /// A thing of a library that knows what it was made with.
    pub(super) fn made(&mut self, call: &Call<'_, 'a>, about: &str) -> Value<'a> {
        let name = super::fold::capped(&format!("{}()", call.name));
        Value::of(Kind::Name(name, Some(about.into()))).tainted(&call.taint())
    }

    /// A request: something is sent, and something comes back.
    fn request(&mut self, call: &Call<'_, 'a>) -> Value<'a> {
        let args = call.args;
        let by_shape = args.pos.iter().take(3).find(|value| value.shown().contains("://"));
        let by_place = args.pos.get(usize::from(matches!(call.last(), "request" | "stream" | "urlopen" if args.pos.len() > 1 && !call.name.starts_with("urllib.request"))));
        let url = args.named("url").or(by_shape).or(by_place).or_else(|| args.pos.first());
        let mut address = url.map_or_else(
            || "*".into(),
            |url| match &url.kind {
                Kind::Name(_, Some(about)) => Rc::clone(about),
                _ => url.shown(),
            },
        );
        if let Some(base) = call.about.filter(|base| base.contains("://") && !address.contains("://")) {
            address = format!("{base}{address}").into();
        }
        let site = call.site_with(url);
        // How the connection is made is not sent over it.
        let of_connection = ["context", "timeout", "verify", "cafile", "capath", "allow_redirects", "stream"];
        let mut taint = call.callee.taint.with(&args.taint_but(&of_connection));
        if let Some(Value { kind: Kind::File(None, path), .. }) = args.named("data") {
            taint = taint.with(&path.taint);
        }
        self.sink(What::NetSend, &address, &site, &taint);
        let answer = self.rec.source(What::NetReceive, &address, &site);
        for name in ["hooks", "callback"] {
            if let Some(callback) = args.named(name).cloned()
                && matches!(callback.kind, Kind::Func(_))
            {
                self.run_callback(&callback, vec![Value::from(answer.clone())], &site);
            }
        }
        Value::of(Kind::Name("response()".into(), Some(address))).tainted(&answer)
    }
}

/// Whether a name is a function or method of an HTTP client that makes a request.
fn is_request(name: &str) -> bool {
    let Some((owner, verb)) = name.rsplit_once('.') else { return false };
    if !VERBS.contains(&verb) {
        return false;
    }
    let root = owner.split(['.', '(']).next().unwrap_or_default();
    if !CLIENTS.contains(&root) {
        return false;
    }
    match owner.strip_suffix("()") {
        Some(made) => made.rsplit('.').next().is_some_and(|class| SESSIONS.contains(&class)),
        None => {
            // A function of the module itself, or of a client class that was entered by `with`.
            !owner.contains('(')
                && !matches!(verb, "send" | "build_request")
                && !owner.contains("cookies")
                && owner.split('.').count() <= 2
        }
    }
}

/// A pair of host and port as one text.
fn address(value: &Value<'_>) -> String {
    match &value.kind {
        Kind::List(parts) => {
            parts.iter().take(2).map(|part| part.shown().to_string()).collect::<Vec<_>>().join(":")
        }
        _ => value.shown().to_string(),
    }
}
