//! What methods mean: on commands, requests, sockets and files under construction, on texts and paths.

use std::rc::Rc;

use super::super::facts::What;
use super::super::record::{Site, Taint};
use super::exprs::Places;
use super::follow::{Follow, element};
use super::library::{address, is_socket};
use super::value::{CONSTANT_BYTES, Kind, Made, Thing, Value};

/// Streams of a command that go nowhere.
const NO_OUT: u8 = 1;
const NO_ERR: u8 = 2;
const APART: u8 = 4;

impl Follow<'_> {
    /// A method call; what the receiver becomes is kept with it.
    pub(super) fn method(
        &mut self,
        receiver: &Value,
        name: &str,
        args: &[Value],
        places: &Places<'_>,
        site: &Site,
    ) -> Value {
        let taint = args.iter().fold(Taint::default(), |all, value| all.with(&value.taint));
        let site = Site { folded: receiver.folded || args.iter().any(|value| value.folded), ..site.clone() };
        if let Kind::Made(made) = &receiver.kind {
            let made = Rc::clone(made);
            if let Some((value, becomes)) = self.made_method(&made, receiver, name, args, &taint, &site) {
                if let Some(becomes) = becomes {
                    self.put(places.receiver, becomes, true);
                }
                if name.starts_with("read") || name.starts_with("recv") {
                    // What is read goes into the buffer that is given.
                    for arg in &places.args {
                        self.enrich(arg, &value.taint);
                    }
                }
                return value;
            }
        }
        if let Some(value) = self.text_method(receiver, name, args, &taint, &site) {
            return value;
        }
        let all = receiver.taint.with(&taint);
        match name {
            "decode" | "decode_vec" | "decode_slice" if is_base64_engine(receiver) => {
                let hex = receiver.as_path().is_some_and(|path| path.contains("HEX"));
                let plain = args.first().and_then(Value::as_bytes);
                let plain = if hex {
                    plain.and_then(|b| super::super::python::hex(&b))
                } else {
                    plain.and_then(|b| super::super::python::base64(&b))
                };
                let out = self.decoder(if hex { "hex" } else { "base64" }, &all, &site);
                if let [_, target, ..] = places.args.as_slice() {
                    self.enrich(target, &out);
                }
                plain
                    .map_or_else(Value::default, |plain| Value::of(Kind::Bytes(plain.into())).fold(true))
                    .tainted(&out)
            }
            "decrypt"
            | "decrypt_in_place"
            | "apply_keystream"
            | "decrypt_padded_mut"
            | "decrypt_padded_vec_mut" => {
                let out = self.decoder("cipher", &all, &site);
                for arg in &places.args {
                    self.enrich(arg, &out);
                }
                Value::from(out)
            }
            "make_exec" | "map_exec" => {
                self.sink(What::ExecMemory, name, &site, &all);
                Value::from(all)
            }
            "copy_from_slice" | "clone_from_slice" => {
                self.enrich(places.receiver, &taint);
                Value::from(all)
            }
            "to_socket_addrs" => {
                let name = match &receiver.kind {
                    Kind::List(parts) => parts.first().map(Value::shown).unwrap_or_default(),
                    _ => receiver.shown().split(':').next().unwrap_or_default().to_owned(),
                };
                self.sink(What::DnsQuery, &name, &site, &receiver.taint);
                receiver.clone()
            }
            // What is put into the receiver is in it from now on.
            "push" | "push_str" | "extend" | "extend_from_slice" | "insert" | "append" | "write_all"
            | "write" | "send" | "set" | "insert_header" => {
                let grown = match (&receiver.kind, name) {
                    (Kind::Text { text, exact }, "push_str" | "push") => {
                        let more = args.first().map(Value::shown).unwrap_or_default();
                        Some(Kind::Text {
                            text: format!("{text}{more}").into(),
                            exact: *exact && args.iter().all(|a| a.as_text().is_some()),
                        })
                    }
                    _ => None,
                };
                match grown {
                    Some(kind) => {
                        let value = Value { kind, ..receiver.clone() }.tainted(&taint);
                        self.put(places.receiver, value, true);
                    }
                    None => self.enrich(places.receiver, &taint),
                }
                Value::from(all)
            }
            _ if self.has(name)
                && !matches!(
                    name,
                    "new" | "get" | "read" | "write" | "clone" | "from" | "len" | "iter" | "next"
                ) =>
            {
                let mut given = vec![receiver.clone()];
                given.extend(args.iter().cloned());
                self.invoke(name, &given, false).tainted(&receiver.taint)
            }
            "len" | "is_empty" | "is_some" | "is_none" | "is_ok" | "is_err" | "exists" | "is_file"
            | "is_dir" | "contains" | "starts_with" | "ends_with" | "eq" => {
                Value::default().gated(receiver.gates)
            }
            _ => {
                if matches!(name, "collect" | "map" | "filter" | "to_string" | "for_each") {
                    self.rec.settle(&receiver.taint);
                }
                Value::from(all)
                    .gated(receiver.gates | args.iter().fold(0, |gates, value| gates | value.gates))
            }
        }
    }

    /// Methods that pass a text, path or list on, or make another of it.
    pub(super) fn text_method(
        &mut self,
        receiver: &Value,
        name: &str,
        args: &[Value],
        taint: &Taint,
        site: &Site,
    ) -> Option<Value> {
        let _ = site;
        let passes = matches!(
            name,
            "unwrap"
                | "expect"
                | "unwrap_or_default"
                | "ok"
                | "clone"
                | "to_string"
                | "to_owned"
                | "into"
                | "as_str"
                | "as_bytes"
                | "as_ref"
                | "to_str"
                | "to_string_lossy"
                | "display"
                | "to_path_buf"
                | "as_path"
                | "into_string"
                | "into_os_string"
                | "as_os_str"
                | "iter"
                | "into_iter"
                | "bytes"
                | "to_vec"
                | "into_bytes"
                | "trim"
                | "as_mut"
                | "by_ref"
                | "borrow"
                | "cloned"
                | "copied"
                | "as_slice"
                | "collect"
                | "map_err"
                | "context"
                | "with_context"
                | "ok_or"
                | "ok_or_else"
                | "lock"
                | "home_dir"
                | "deref"
                | "as_deref"
                | "unwrap_unchecked"
                | "into_boxed_slice"
                | "leak"
                | "into_owned"
                | "chars"
                | "lines"
                | "expect_err"
                | "inspect"
                | "as_ptr"
                | "as_mut_ptr"
                | "flatten"
                | "as_c_str"
                | "into_inner"
                | "path"
                | "rev"
                | "cast"
                | "cast_mut"
                | "cast_const"
                | "as_mut_slice"
                | "into_split"
                | "split"
                | "try_clone"
                | "to_str_lossy"
                | "into_boxed_path"
                | "into_std_path_buf"
                | "as_deref_mut"
                | "unwrap_or_log"
                | "into_raw"
                | "as_bytes_with_nul"
                | "to_bytes"
                | "into_iter_mut"
                | "fuse"
        );
        if passes && !matches!(receiver.kind, Kind::Made(_)) {
            let value = receiver.clone().tainted(taint);
            if matches!(name, "collect" | "to_string") {
                self.rec.settle(&value.taint);
            }
            if let (Kind::Text { text, exact: true }, "rev") = (&value.kind, name) {
                let text: String = text.chars().rev().collect();
                return Some(
                    Value { kind: Kind::Text { text: text.into(), exact: true }, ..value }.fold(true),
                );
            }
            if name == "rev" && matches!(value.kind, Kind::Bytes(_) | Kind::List(_)) {
                let kind = match &value.kind {
                    Kind::Bytes(bytes) => Kind::Bytes(bytes.iter().rev().copied().collect()),
                    Kind::List(all) => Kind::List(all.iter().rev().cloned().collect()),
                    kind => kind.clone(),
                };
                return Some(Value { kind, ..value }.fold(true));
            }
            return Some(value);
        }
        match (&receiver.kind, name) {
            (Kind::Made(made), _) if passes && made.what != Thing::Command => Some(receiver.clone()),
            (_, "unwrap_or" | "unwrap_or_else" | "or_else" | "or") => {
                Some(args.first().map_or_else(|| receiver.clone(), |other| receiver.or(other)))
            }
            (Kind::Text { text, exact }, "join" | "push")
                if text.is_empty() || name == "join" || text.contains(['/', '~', '%']) =>
            {
                let more = args.first()?;
                let separator = if text.is_empty() || text.ends_with('/') { "" } else { "/" };
                let text = format!("{}{separator}{}", text, more.shown().replace('\\', "/"));
                let value =
                    Value::of(Kind::Text { text: text.into(), exact: *exact && more.as_text().is_some() });
                Some(value.tainted(&receiver.taint.with(taint)))
            }
            (Kind::Unknown, "join") => {
                let more = args.first()?;
                matches!(more.kind, Kind::Text { .. }).then(|| {
                    Value::partly(&format!("*/{}", more.shown())).tainted(&receiver.taint.with(taint))
                })
            }
            (Kind::List(parts), "join" | "concat") => {
                let by = args.first().map(Value::shown).unwrap_or_default();
                let text = parts.iter().map(Value::shown).collect::<Vec<_>>().join(&by);
                let exact = parts.iter().all(|part| part.as_text().is_some());
                Some(
                    Value::of(Kind::Text { text: text.into(), exact })
                        .tainted(&receiver.taint)
                        .fold(by.is_empty()),
                )
            }
            (Kind::Text { text, exact: true }, "replace") => {
                let (from, to) = (args.first()?.as_text()?, args.get(1)?.as_text()?);
                (!from.is_empty() && text.len() < 65_536 && to.len() < 64)
                    .then(|| Value::text(&text.replace(from, to)).fold(true))
            }
            (Kind::Text { text, exact: true }, "repeat") => {
                let times = usize::try_from(args.first()?.as_int()?).ok()?;
                (text.len().saturating_mul(times) <= CONSTANT_BYTES)
                    .then(|| Value::text(&text.repeat(times)).fold(true))
            }
            (Kind::List(_), "get" | "first" | "next" | "last" | "pop") => Some(element(receiver)),
            (Kind::Text { text, .. }, "parent") => {
                let above = match text.rsplit_once('/') {
                    Some((above, name)) if !above.is_empty() && name != ".." => above.to_owned(),
                    _ => format!("{text}/.."),
                };
                Some(Value { kind: Kind::Text { text: above.into(), exact: false }, ..receiver.clone() })
            }
            (Kind::Text { text, .. }, "with_file_name" | "with_extension") => {
                let more = args.first().map(Value::shown).unwrap_or_else(|| "*".to_owned());
                let text = match (name, text.rsplit_once('/')) {
                    ("with_file_name", Some((above, _))) => format!("{above}/{more}"),
                    ("with_file_name", None) => more,
                    _ => format!("{}.{more}", text.rsplit_once('.').map_or(&**text, |(stem, _)| stem)),
                };
                Some(Value { kind: Kind::Text { text: text.into(), exact: false }, ..receiver.clone() })
            }
            _ => None,
        }
    }

    /// Methods of commands, requests, sockets, files. The second value is what the receiver becomes.
    pub(super) fn made_method(
        &mut self,
        made: &Made,
        receiver: &Value,
        name: &str,
        args: &[Value],
        taint: &Taint,
        site: &Site,
    ) -> Option<(Value, Option<Value>)> {
        let grown = |about: String, hidden: u8| {
            let kind = Kind::Made(Rc::new(Made { about, hidden, ..made.clone() }));
            let value =
                Value { kind, ..receiver.clone() }.tainted(taint).fold(args.iter().any(|value| value.folded));
            Some((value.clone(), Some(value)))
        };
        match made.what {
            Thing::Command => self.command_method(made, receiver, name, args, taint, site),
            Thing::Client => match name {
                "get" | "post" | "put" | "patch" | "delete" | "head" | "request" | "request_url" => {
                    let url = args.iter().map(Value::shown).find(|text| text.contains("://"));
                    let url = url.or_else(|| args.last().map(Value::shown)).unwrap_or_default();
                    let value = Value::made(Thing::Request, &url).tainted(&receiver.taint.with(taint));
                    Some((value.fold(args.iter().any(|value| value.folded)), None))
                }
                "url" => grown(args.first().map(Value::shown).unwrap_or_default(), made.hidden),
                "perform" | "execute" | "call" | "transfer" => {
                    let about = args
                        .first()
                        .and_then(Value::as_made)
                        .map_or_else(|| made.about.clone(), |made| made.about.clone());
                    Some((self.requested(&about, &receiver.taint.with(taint), site), None))
                }
                _ => grown(made.about.clone(), made.hidden),
            },
            Thing::Request => match name {
                "send" | "call" | "send_string" | "send_json" | "send_form" | "send_bytes" | "send_empty"
                | "send_async" | "execute" | "recv_string" => {
                    Some((self.requested(&made.about, &receiver.taint.with(taint), site), None))
                }
                "uri" | "url" => grown(args.first().map(Value::shown).unwrap_or_default(), made.hidden),
                _ => grown(made.about.clone(), made.hidden),
            },
            Thing::Socket => match name {
                "write" | "write_all" | "send" | "send_to" | "write_fmt" | "write_message" | "write_buf"
                | "send_all" => {
                    let to = if name == "send_to" { args.get(1).map(address) } else { None };
                    let to = to.unwrap_or_else(|| made.about.clone());
                    self.sink(What::NetSend, if to.is_empty() { "*" } else { &to }, site, taint);
                    Some((Value::default(), None))
                }
                "connect" => {
                    let to = args.first().map(address).unwrap_or_default();
                    self.sink(What::NetSend, &to, site, taint);
                    grown(to, made.hidden)
                }
                "read" | "read_to_end" | "read_to_string" | "read_exact" | "recv" | "recv_from"
                | "read_line" | "read_message" | "lines" | "bytes" | "next" | "read_buf" | "next_line"
                | "peek" | "read_until" => {
                    let got = self.rec.source(What::ChannelReceive, &made.about, site);
                    Some((Value::from(got.clone()), Some(receiver.clone().tainted(&got))))
                }
                _ => Some((receiver.clone(), None)),
            },
            Thing::Listener if matches!(name, "accept" | "incoming") => {
                let socket = Value::made(Thing::Socket, &made.about);
                Some((
                    if name == "accept" {
                        Value::list(vec![socket, Value::default()])
                    } else {
                        Value::list(vec![socket])
                    },
                    None,
                ))
            }
            Thing::OpenOptions => match name {
                "write" | "append" | "create" | "create_new" | "truncate" => grown(String::new(), 1),
                "open" => {
                    let path = args.first()?;
                    let text = super::super::python::path_text(&path.shown());
                    if made.hidden == 1 {
                        let fact = self.sink(What::FileWrite, &text, site, &Taint::default());
                        let file = Made { what: Thing::File, about: text, fact, ..Made::default() };
                        return Some((Value::of(Kind::Made(Rc::new(file))), None));
                    }
                    let taint = self.read(&text, Some(path), site);
                    Some((Value::made(Thing::File, &text).tainted(&taint), None))
                }
                _ => grown(String::new(), made.hidden),
            },
            Thing::File => match name {
                "write_all" | "write" | "write_fmt" => {
                    if let Some(fact) = made.fact {
                        self.rec.arrive(taint, fact);
                        self.rec.keep(&Taint::default(), &made.about, taint);
                    }
                    Some((Value::default(), None))
                }
                "set_permissions" => {
                    if args.first().and_then(Value::as_int).is_some_and(|bits| bits & 0o111 != 0) {
                        self.sink(What::MakeExecutable, &made.about, site, &Taint::default());
                    }
                    Some((Value::default(), None))
                }
                "metadata" | "permissions" => Some((Value::made(Thing::Permissions, &made.about), None)),
                _ => Some((receiver.clone(), None)),
            },
            Thing::Permissions if matches!(name, "permissions" | "unwrap" | "expect") => {
                Some((receiver.clone(), None))
            }
            Thing::Permissions if name == "set_mode" => {
                let runs = args.first().and_then(Value::as_int).is_none_or(|bits| bits & 0o111 != 0);
                grown(made.about.clone(), u8::from(runs))
            }
            Thing::Registry => match name {
                "open_subkey" | "open_subkey_with_flags" | "create_subkey" => {
                    let key = args.first().map(Value::shown).unwrap_or_default().replace('\\', "/");
                    let value = Value::made(Thing::Registry, &format!("{}/{key}", made.about));
                    Some((Value::list(vec![value.clone(), Value::default()]).or(&value), None))
                }
                "set_value" | "set_raw_value" => {
                    let detail =
                        format!("{}/{}", made.about, args.first().map(Value::shown).unwrap_or_default());
                    self.sink(What::RegistryWrite, &detail, site, taint);
                    Some((Value::default(), None))
                }
                _ => None,
            },
            Thing::Clipboard => match name {
                "get_text" | "get_contents" | "get_image" => {
                    let taint = self.rec.source(What::ClipboardRead, name, site);
                    Some((Value::from(taint), None))
                }
                "set_text" | "set_contents" => {
                    let detail =
                        args.first().and_then(Value::as_text).filter(|text| text.len() >= 20).unwrap_or(name);
                    self.sink(What::ClipboardWrite, detail, site, taint);
                    Some((Value::default(), None))
                }
                _ => None,
            },
            Thing::Keychain if matches!(name, "get_password" | "get_secret") => {
                let taint = self.rec.source(What::KeychainRead, &made.about, site);
                Some((Value::from(taint), None))
            }
            _ => None,
        }
    }

    pub(super) fn command_method(
        &mut self,
        made: &Made,
        receiver: &Value,
        name: &str,
        args: &[Value],
        taint: &Taint,
        site: &Site,
    ) -> Option<(Value, Option<Value>)> {
        let mut next = made.clone();
        let mut passed = taint.clone();
        match name {
            "arg" | "raw_arg" => {
                next.about.push_str(&format!(" {}", args.first().map(Value::shown).unwrap_or_default()))
            }
            "args" => {
                let parts = match args.first().map(|list| &list.kind) {
                    Some(Kind::List(parts)) => parts.iter().map(Value::shown).collect::<Vec<_>>().join(" "),
                    Some(_) => args.first().map(Value::shown).unwrap_or_default(),
                    None => String::new(),
                };
                next.about.push_str(&format!(" {parts}"));
            }
            "stdin" | "stdout" | "stderr" => {
                let target = args.first();
                if target.is_some_and(is_socket) {
                    self.sink(What::SocketToProcess, name, site, &Taint::default());
                }
                if target.and_then(Value::as_made).is_some_and(|made| made.what == Thing::Nowhere) {
                    next.hidden |= match name {
                        "stdout" => NO_OUT,
                        "stderr" => NO_ERR,
                        _ => 0,
                    };
                }
            }
            "creation_flags" => {
                let hiding = args.first().is_some_and(|flags| match &flags.kind {
                    Kind::Int(bits) => bits & 0x0800_0208 != 0,
                    Kind::Path(path) => ["DETACHED_PROCESS", "CREATE_NO_WINDOW", "CREATE_NEW_PROCESS_GROUP"]
                        .iter()
                        .any(|flag| path.contains(flag)),
                    _ => false,
                });
                if hiding {
                    next.hidden |= APART;
                }
            }
            "process_group" | "setsid" => next.hidden |= APART,
            // The child's own environment and folder are no part of what is run.
            "env" | "envs" | "current_dir" | "env_clear" | "env_remove" | "uid" | "gid" | "pre_exec"
            | "kill_on_drop" => passed = Taint::default(),
            "spawn" | "output" | "status" | "exec" | "read" | "run" | "spawn_detached" => {
                super::super::facts::cut(&mut next.about, super::super::facts::DETAIL_BYTES);
                let apart = name == "spawn"
                    && (made.hidden & APART != 0 || made.hidden & (NO_OUT | NO_ERR) == NO_OUT | NO_ERR)
                    || name == "spawn_detached";
                let what = if apart { What::ExecDetached } else { What::Exec };
                self.sink(what, &next.about, site, &receiver.taint);
                let mut value = Value::made(Thing::Child, &next.about);
                if matches!(name, "output" | "read") {
                    let out = self.rec.source(What::ExecOutput, &next.about, site);
                    value = value.tainted(&out);
                    value.kind = Kind::Unknown;
                }
                return Some((value, None));
            }
            "get_args" | "get_program" => return None,
            _ => return Some((receiver.clone(), None)),
        }
        super::super::facts::cut(&mut next.about, super::super::facts::DETAIL_BYTES * 2);
        let folded = receiver.folded || args.iter().any(|value| value.folded);
        let value =
            Value { kind: Kind::Made(Rc::new(next)), ..receiver.clone() }.tainted(&passed).fold(folded);
        Some((value.clone(), Some(value)))
    }
}

/// Whether a value is an engine that decodes base64 or hex.
fn is_base64_engine(value: &Value) -> bool {
    value.as_path().is_some_and(|path| {
        [
            "STANDARD",
            "URL_SAFE",
            "BASE64",
            "general_purpose",
            "HEXLOWER",
            "HEXUPPER",
            "BCRYPT",
            "BASE32",
            "base64",
        ]
        .iter()
        .any(|name| path.contains(name))
    })
}
