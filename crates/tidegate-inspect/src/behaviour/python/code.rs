//! Calls that run text as code, load modules, look names up, or decode.

use std::rc::Rc;

use super::super::facts::What;
use super::super::record::{Site, Taint};
use super::fold;
use super::interp::Interp;
use super::library::Call;
use super::names;
use super::value::{Args, Kind, Value};

/// Bytes of a text that is read as code in turn.
const LAYER_BYTES: usize = 2 << 20;

impl<'a> Interp<'a> {
    /// Text is run as code.
    pub(super) fn run_text(&mut self, how: &str, code: &Value<'a>, site: &Site) -> Value<'a> {
        let mut site = site.clone();
        site.folded |= code.folded;
        self.sink(What::Eval, how, &site, &code.taint);
        if let Some(text) = code.as_text().filter(|text| text.len() <= LAYER_BYTES).map(str::to_owned)
            && let Some(value) = self.nested(&text, site.offset)
        {
            return value.tainted(&code.taint);
        }
        Value::from(code.taint.clone())
    }

    /// Calls of builtins, `importlib`, `marshal`, `codecs`, `base64` and their kin.
    pub(super) fn code(&mut self, call: &Call<'_, 'a>) -> Option<Value<'a>> {
        let args = call.args;
        match call.name {
            "builtins.exec"
            | "builtins.eval"
            | "builtins.execfile"
            | "runpy.run_path"
            | "runpy.run_module"
            | "code.InteractiveInterpreter().runsource"
            | "code.InteractiveInterpreter().runcode"
            | "code.InteractiveConsole().push"
            | "code.InteractiveConsole().runcode"
            | "timeit.timeit"
            | "timeit.repeat"
            | "profile.run"
            | "cProfile.run"
            | "trace.Trace().run"
            | "doctest.run_docstring_examples"
            | "bdb.Bdb().run"
            | "pdb.run"
            | "IPython.get_ipython().run_cell"
            | "js2py.eval_js"
            | "_xxsubinterpreters.run_string"
            | "numexpr.evaluate"
            | "pandas.eval" => {
                let code =
                    args.pos.first().cloned().or_else(|| args.kw.first().map(|(_, value)| value.clone()))?;
                let how = call.name.strip_prefix("builtins.").unwrap_or(call.name).to_owned();
                if matches!(how.as_str(), "execfile" | "runpy.run_path") {
                    let path = fold::path_text(&code.shown());
                    let kept = self.rec.kept_in(&path).with(&code.taint);
                    self.sink(What::Eval, &how, &call.site_with(Some(&code)), &kept);
                    return Some(Value::from(kept));
                }
                if how == "runpy.run_module" {
                    return Some(self.load(&code, call));
                }
                Some(self.run_text(&how, &code, call.site))
            }
            "builtins.compile" | "code.compile_command" | "codeop.compile_command" => {
                let code = args.get(0, "source")?;
                Some(Value { folded: code.folded, ..code.clone() })
            }
            "types.FunctionType" | "types.LambdaType" | "types.CodeType" => {
                let code = args.pos.first()?;
                if call.name.ends_with("CodeType") {
                    return Some(Value::from(args.taint()));
                }
                if matches!(code.kind, Kind::Func(_)) || code.taint.is_empty() {
                    return Some(code.clone());
                }
                self.sink(What::Eval, call.name, call.site, &code.taint);
                Some(Value::from(code.taint.clone()))
            }
            "builtins.__import__"
            | "importlib.import_module"
            | "importlib.util.find_spec"
            | "zipimport.zipimporter().load_module"
            | "pkgutil.resolve_name"
            | "imp.load_source"
            | "imp.load_module"
            | "importlib.load_source"
            | "importlib.machinery.SourceFileLoader"
            | "importlib.util.spec_from_file_location" => {
                let at = usize::from(matches!(
                    call.last(),
                    "load_source" | "SourceFileLoader" | "spec_from_file_location"
                ));
                let module = args.pos.get(at).or_else(|| args.pos.first())?.clone();
                if at == 1 {
                    let path = fold::path_text(&module.shown());
                    let kept = self.rec.kept_in(&path).with(&module.taint);
                    self.sink(What::DynamicImport, &path, &call.site_with(Some(&module)), &kept);
                    return Some(Value::from(kept));
                }
                Some(self.load(&module, call))
            }
            "builtins.getattr" | "operator.attrgetter()" => {
                let object = args.pos.first()?.clone();
                match args.pos.get(1).and_then(Value::as_text).map(str::to_owned) {
                    Some(name) => {
                        let value = self.attribute(
                            &object,
                            &name,
                            call.site,
                            !matches!(object.kind, Kind::Object(_) | Kind::Class(_)),
                        );
                        // A literal name is as plain as a dot.
                        Some(value.fold(args.pos.get(1).is_some_and(|name| name.folded)))
                    }
                    None => {
                        let taint = args.taint();
                        Some(Value::from(taint))
                    }
                }
            }
            "builtins.setattr" => {
                let object = args.pos.first()?;
                let value = args.pos.get(2)?;
                if let (Some(module), Some(name)) =
                    (object.as_name(), args.pos.get(1).and_then(Value::as_text))
                {
                    let place = format!("{module}.{name}");
                    let own = matches!(value.kind, Kind::Func(_) | Kind::Class(_));
                    if own && names::is_hookable(&place) {
                        self.rec.fact(What::GlobalHook, &place, call.site);
                    }
                }
                Some(Value::default())
            }
            "builtins.globals" | "builtins.locals" | "builtins.dir" => {
                Some(Value::name(&format!("{}()", call.name)))
            }
            "builtins.vars" => match args.pos.first() {
                None => Some(Value::name("builtins.vars()")),
                Some(object) => match object.as_name() {
                    Some("os.environ") => Some(object.clone()),
                    Some(name) => Some(Value::name(&format!("{name}.__dict__"))),
                    None => Some(object.clone()),
                },
            },
            "sys.meta_path.insert"
            | "sys.meta_path.append"
            | "sys.path_hooks.insert"
            | "sys.path_hooks.append"
            | "sys.settrace"
            | "sys.setprofile"
            | "sys.addaudithook"
            | "threading.settrace" => {
                let owner = if call.last().starts_with("set") || call.last().starts_with("add") {
                    call.name
                } else {
                    call.owner()
                };
                self.rec.fact(What::GlobalHook, owner, call.site);
                Some(Value::default())
            }
            "sys.modules.get" | "sys.modules.pop" => {
                Some(self.library_item("sys.modules", None, call.callee, args.pos.first()?, call.site))
            }
            "sys.modules.__getitem__" => {
                Some(self.library_item("sys.modules", None, call.callee, args.pos.first()?, call.site))
            }
            "builtins.globals().get"
            | "builtins.__dict__.get"
            | "builtins.__dict__.__getitem__"
            | "builtins.locals().get"
            | "builtins.vars().get"
            | "builtins.globals().__getitem__" => {
                let place = call.name.rsplit_once('.').map_or("", |(place, _)| place).to_owned();
                Some(self.library_item(&place, None, call.callee, args.pos.first()?, call.site))
            }
            "builtins.super" => {
                let class = self.lookup("self").map(|value| value.kind.clone());
                match class {
                    Some(Kind::Object(class)) => {
                        let base =
                            self.classes.get(class as usize).and_then(|class| class.bases.first().cloned());
                        Some(match base.map(|base| base.kind) {
                            Some(Kind::Class(base)) => Value::of(Kind::Object(base)),
                            Some(Kind::Name(name, about)) => {
                                Value::of(Kind::Name(fold::capped(&format!("{name}()")), about))
                            }
                            _ => Value::default(),
                        })
                    }
                    _ => Some(Value::default()),
                }
            }
            "builtins.type" if args.pos.len() == 3 => {
                let Some(Kind::Dict(items)) = args.pos.get(2).map(|members| members.kind.clone()) else {
                    return Some(Value::from(args.taint()));
                };
                let index = u32::try_from(self.classes.len()).ok()?;
                let members = items.iter().cloned().collect();
                let bases = match args.pos.get(1).map(|bases| &bases.kind) {
                    Some(Kind::List(bases)) => bases.to_vec(),
                    _ => Vec::new(),
                };
                self.classes.push(super::interp::Class { members, bases });
                Some(Value::of(Kind::Class(index)))
            }
            "operator.methodcaller()" => None,
            "pickle.loads"
            | "pickle.load"
            | "pickle.Unpickler().load"
            | "jsonpickle.decode"
            | "yaml.unsafe_load"
            | "yaml.full_load"
            | "shelve.open"
            | "joblib.load"
            | "torch.load" => {
                let taint = call.taint();
                let from_afar = self.comes_from_afar(&taint);
                if from_afar {
                    self.sink(What::Eval, call.name, call.site, &taint);
                }
                let first = args.pos.first().cloned().unwrap_or_default();
                Some(Value::from(taint).tainted(&first.taint))
            }
            _ => self.decoding(call),
        }
    }

    /// Whether a value comes from a decoder or the network, which no ordinary reader of its own files does.
    fn comes_from_afar(&self, taint: &Taint) -> bool {
        self.rec.comes_from(
            taint,
            &[What::NetReceive, What::ChannelReceive, What::Decode, What::DnsReceive, What::BigConstant],
        )
    }

    /// A module is loaded by a name that is computed or given.
    fn load(&mut self, module: &Value<'a>, call: &Call<'_, 'a>) -> Value<'a> {
        match module.as_text().map(str::to_owned) {
            Some(name) => {
                self.rec.import(&name, self.scope);
                let first = if call.name == "builtins.__import__" && call.args.get(3, "fromlist").is_none() {
                    name.split('.').next().unwrap_or(&name).to_owned()
                } else {
                    name
                };
                Value::name(&first).fold(module.folded)
            }
            None => {
                let site = call.site_with(Some(module));
                self.sink(What::DynamicImport, &module.shown(), &site, &module.taint);
                Value::from(module.taint.clone())
            }
        }
    }

    /// Decoders of libraries.
    fn decoding(&mut self, call: &Call<'_, 'a>) -> Option<Value<'a>> {
        let args = call.args;
        let first = args.get(0, "data").or_else(|| args.get(0, "s"));
        let bytes = first.and_then(Value::as_bytes);
        let (kind, plain): (&str, Option<Vec<u8>>) = match call.name {
            "base64.b64decode"
            | "base64.urlsafe_b64decode"
            | "base64.standard_b64decode"
            | "base64.decodebytes"
            | "base64.decodestring"
            | "pybase64.b64decode" => ("base64", bytes.and_then(fold::base64)),
            "base64.b32decode" | "base64.b32hexdecode" => ("base64", bytes.and_then(fold::base32)),
            "base64.b85decode" => ("base64", bytes.and_then(|bytes| fold::base85(bytes, false))),
            "base64.a85decode" | "base64.z85decode" => {
                ("base64", bytes.and_then(|bytes| fold::base85(bytes, true)))
            }
            "base64.b16decode"
            | "builtins.bytes.fromhex"
            | "builtins.bytearray.fromhex"
            | "binascii.unhexlify"
            | "binascii.a2b_hex" => ("hex", bytes.and_then(fold::hex)),
            "base58.b58decode" | "base91.decode" | "base45.b45decode" => ("base64", None),
            "zlib.decompress" | "zlib.decompressobj().decompress" => {
                let raw = args.get(1, "wbits").and_then(Value::as_int).is_some_and(|bits| bits < 0);
                ("zlib", bytes.and_then(|bytes| fold::unpack(if raw { "deflate" } else { "zlib" }, bytes)))
            }
            "gzip.decompress" => ("zlib", bytes.and_then(|bytes| fold::unpack("gzip", bytes))),
            "bz2.decompress" => ("zlib", bytes.and_then(|bytes| fold::unpack("bz2", bytes))),
            "lzma.decompress"
            | "zstandard.decompress"
            | "brotli.decompress"
            | "lz4.frame.decompress"
            | "snappy.decompress" => ("zlib", None),
            "marshal.loads" | "marshal.load" => ("marshal", None),
            "codecs.decode" | "codecs.getdecoder()" => {
                let how = args.get(1, "encoding").and_then(Value::as_text).unwrap_or_default().to_owned();
                return self.codec(first?, &how, call.site);
            }
            "codecs.getdecoder" | "codecs.lookup" => return Some(Value::name(&format!("{}()", call.name))),
            "urllib.parse.unquote" | "urllib.parse.unquote_plus" | "urllib.parse.unquote_to_bytes" => {
                ("percent", None)
            }
            "binascii.rledecode_hqx" => ("zlib", None),
            _ if is_cipher(call.name) => ("cipher", None),
            _ => return self.conversion(call),
        };
        let taint = self.decoder(kind, &call.taint(), call.site);
        let plain = plain.filter(|plain| self.affords(plain.len()));
        let value = plain.map_or_else(Value::default, |plain| Value::bytes(&plain));
        if let Some(text) = value.as_text().map(str::to_owned) {
            self.telling(&text, call.site.offset, true);
        }
        Some(value.tainted(&taint).fold(true))
    }

    /// `codecs.decode(x, how)` and `x.decode(how)` for codings that hide.
    fn codec(&mut self, value: &Value<'a>, how: &str, site: &Site) -> Option<Value<'a>> {
        let how = how.to_ascii_lowercase().replace('-', "_");
        let bytes = value.as_bytes();
        let (kind, plain): (&str, Option<Value<'a>>) = match how.as_str() {
            "rot13" | "rot_13" => ("rot", value.as_text().map(|text| Value::text(&fold::rot13(text)))),
            "hex" | "hex_codec" => ("hex", bytes.and_then(fold::hex).map(|plain| Value::bytes(&plain))),
            "base64" | "base64_codec" | "base_64" => {
                ("base64", bytes.and_then(fold::base64).map(|plain| Value::bytes(&plain)))
            }
            "zlib" | "zip" | "zlib_codec" => (
                "zlib",
                bytes.and_then(|bytes| fold::unpack("zlib", bytes)).map(|plain| Value::bytes(&plain)),
            ),
            "bz2" | "bz2_codec" => {
                ("zlib", bytes.and_then(|bytes| fold::unpack("bz2", bytes)).map(|plain| Value::bytes(&plain)))
            }
            "unicode_escape" | "raw_unicode_escape" | "string_escape" | "punycode" | "idna" => {
                ("charcode", None)
            }
            _ => return Some(value.clone()),
        };
        let taint = self.decoder(kind, &value.taint, site);
        if let Some(text) = plain.as_ref().and_then(Value::as_text).map(str::to_owned) {
            self.telling(&text, site.offset, true);
        }
        Some(plain.unwrap_or_default().tainted(&taint).fold(true))
    }

    /// Builtins that turn one kind of value into another.
    fn conversion(&mut self, call: &Call<'_, 'a>) -> Option<Value<'a>> {
        let args = call.args;
        let first = args.pos.first();
        match call.name {
            "builtins.chr" | "builtins.unichr" => {
                let value = first?;
                match value.as_int().and_then(|code| u32::try_from(code).ok()).and_then(char::from_u32) {
                    Some(c) => Some(Value::text(c.encode_utf8(&mut [0; 4])).tainted(&value.taint).fold(true)),
                    None => {
                        if self.loops == 0 || value.taint.is_empty() {
                            return Some(value.blurred());
                        }
                        let taint = self.decoder("charcode", &value.taint, call.site);
                        Some(Value::from(taint))
                    }
                }
            }
            "builtins.ord" => {
                let value = first?;
                let mut chars = value.as_text().unwrap_or_default().chars();
                Some(match (chars.next(), chars.next()) {
                    (Some(c), None) => Value::of(Kind::Int(i64::from(u32::from(c)))).tainted(&value.taint),
                    _ => value.blurred(),
                })
            }
            "builtins.int" => {
                let value = first?;
                let radix = args.get(1, "base").and_then(Value::as_int).unwrap_or(10);
                let text = value.as_text().map(|text| text.trim().trim_start_matches("0x").to_owned());
                let number = text.and_then(|text| {
                    i64::from_str_radix(&text, u32::try_from(radix).ok().filter(|r| (2..=36).contains(r))?)
                        .ok()
                });
                Some(match (number, &value.kind) {
                    (Some(number), _) => Value::of(Kind::Int(number)).tainted(&value.taint),
                    (None, Kind::Int(_)) => value.clone(),
                    _ => value.blurred(),
                })
            }
            "builtins.bytes" | "builtins.bytearray" | "builtins.memoryview" | "array.array" => {
                let value = args.pos.last()?;
                Some(match &value.kind {
                    Kind::List(items) => {
                        let bytes: Option<Vec<u8>> = items
                            .iter()
                            .map(|item| item.as_int().and_then(|int| u8::try_from(int).ok()))
                            .collect();
                        match bytes {
                            Some(bytes) if !bytes.is_empty() => {
                                Value::bytes(&bytes).tainted(&value.taint).fold(true)
                            }
                            _ => value.blurred(),
                        }
                    }
                    Kind::Text { exact: true, .. } | Kind::Bytes(_) => {
                        let first = args.pos.first()?;
                        first
                            .as_bytes()
                            .map_or_else(|| first.blurred(), Value::bytes)
                            .tainted(&first.taint)
                            .fold(first.folded)
                    }
                    _ => first.unwrap_or(value).blurred(),
                })
            }
            "builtins.str" | "builtins.unicode" | "builtins.repr" | "builtins.format" | "builtins.ascii" => {
                let value = first?;
                self.settle(value);
                Some(match &value.kind {
                    Kind::Bytes(_) => value.as_text().map_or_else(
                        || value.blurred(),
                        |text| Value::text(text).tainted(&value.taint).fold(value.folded),
                    ),
                    Kind::Int(int) => Value::text(&int.to_string()).tainted(&value.taint),
                    Kind::Text { .. } => value.clone(),
                    Kind::Name(_, Some(_)) => value.clone(),
                    _ => value.blurred(),
                })
            }
            "builtins.dict" => match first {
                Some(value) if value.as_name() == Some("os.environ") => Some(value.clone()),
                Some(value) => Some(value.clone().tainted(&args.taint())),
                None => Some(Value { kind: Kind::Dict(args.kw.clone().into()), ..Value::from(args.taint()) }),
            },
            "copy.copy" | "copy.deepcopy" | "os.environ.copy" | "os.environ.__copy__" => {
                if call.name.starts_with("os.environ") {
                    Some(call.callee.clone())
                        .map(|value| Value { kind: Kind::Name("os.environ".into(), None), ..value })
                } else {
                    first.cloned()
                }
            }
            "builtins.list" | "builtins.tuple" | "builtins.set" | "builtins.frozenset"
            | "builtins.sorted" => {
                let Some(value) = first else { return Some(Value::list(Vec::new())) };
                self.settle(value);
                Some(match &value.kind {
                    Kind::Text { text, exact: true } if text.len() <= 4096 => {
                        let all = text.chars().map(|c| Value::text(c.encode_utf8(&mut [0; 4]))).collect();
                        Value::list(all).tainted(&value.taint)
                    }
                    Kind::Bytes(bytes) if bytes.len() <= 4096 => {
                        Value::list(bytes.iter().map(|byte| Value::of(Kind::Int(i64::from(*byte)))).collect())
                            .tainted(&value.taint)
                    }
                    _ => value.clone(),
                })
            }
            "builtins.reversed" => {
                let value = first?;
                let reversed = match &value.kind {
                    Kind::List(items) => Kind::List(items.iter().rev().cloned().collect()),
                    Kind::Text { text, exact: true } if text.len() <= 65_536 => Kind::List(
                        text.chars().rev().map(|c| Value::text(c.encode_utf8(&mut [0; 4]))).collect(),
                    ),
                    _ => return Some(value.blurred()),
                };
                let taint = if matches!(value.kind, Kind::Text { .. }) {
                    self.decoder("reverse", &value.taint, call.site)
                } else {
                    value.taint.clone()
                };
                Some(Value::of(reversed).tainted(&taint).fold(true))
            }
            "builtins.zip" => {
                let all: Vec<Value<'a>> =
                    args.pos.iter().map(|value| self.element(value, call.site.offset)).collect();
                let pairs = self
                    .zipped(args)
                    .unwrap_or_else(|| Value::list(vec![Value::list(all.clone()), Value::list(all)]));
                Some(pairs.tainted(&args.taint()))
            }
            "builtins.enumerate" => {
                let value = first?;
                if let Kind::List(items) = &value.kind {
                    let all = items.iter().enumerate().map(|(at, item)| {
                        let at = i64::try_from(at).unwrap_or(i64::MAX);
                        Value::list(vec![Value::of(Kind::Int(at)), item.clone()])
                    });
                    return Some(Value::list(all.collect()).tainted(&value.taint));
                }
                let item = self.element(value, call.site.offset);
                let pair = Value::list(vec![Value::default(), item]);
                Some(Value::list(vec![pair.clone(), pair]))
            }
            "builtins.range" | "builtins.xrange" => {
                let ints: Option<Vec<i64>> = args.pos.iter().map(Value::as_int).collect();
                let (from, to, step) = match ints.as_deref() {
                    Some([to]) => (0, *to, 1),
                    Some([from, to]) => (*from, *to, 1),
                    Some([from, to, step]) if *step != 0 => (*from, *to, *step),
                    _ => return Some(Value::from(args.taint())),
                };
                let mut all = Vec::new();
                let mut at = from;
                while all.len() <= 1024 && (step > 0 && at < to || step < 0 && at > to) {
                    all.push(Value::of(Kind::Int(at)));
                    at = at.saturating_add(step);
                }
                Some(if all.len() <= 1024 { Value::list(all) } else { Value::default() })
            }
            "builtins.len"
            | "builtins.isinstance"
            | "builtins.issubclass"
            | "builtins.hasattr"
            | "builtins.callable"
            | "builtins.hash"
            | "builtins.id"
            | "builtins.bool"
            | "os.path.exists"
            | "os.path.isfile"
            | "os.path.isdir"
            | "os.path.getsize"
            | "os.path.getmtime"
            | "os.access"
            | "re.match"
            | "re.fullmatch" => {
                if let ("builtins.len", Some(Kind::List(items))) = (call.name, first.map(|value| &value.kind))
                {
                    return Some(Value::of(Kind::Int(i64::try_from(items.len()).unwrap_or(i64::MAX))));
                }
                if call.name.starts_with("re.") {
                    return None;
                }
                Some(Value::default().gated(args.gates()))
            }
            "builtins.print" => {
                self.written_by(args, call.site);
                Some(Value::default())
            }
            _ => None,
        }
    }

    fn zipped(&mut self, args: &Args<'a>) -> Option<Value<'a>> {
        let lists: Option<Vec<Vec<Value<'a>>>> = args
            .pos
            .iter()
            .map(|value| match &value.kind {
                Kind::List(items) if items.len() <= 4096 => Some(items.to_vec()),
                Kind::Bytes(bytes) if bytes.len() <= 4096 => {
                    Some(bytes.iter().map(|byte| Value::of(Kind::Int(i64::from(*byte)))).collect())
                }
                Kind::Text { text, exact: true } if text.len() <= 4096 => {
                    Some(text.chars().map(|c| Value::text(c.encode_utf8(&mut [0; 4]))).collect())
                }
                _ => None,
            })
            .collect();
        let lists = lists.filter(|lists| !lists.is_empty())?;
        let shortest = lists.iter().map(Vec::len).min()?;
        let rows = (0..shortest)
            .map(|at| Value::list(lists.iter().filter_map(|list| list.get(at).cloned()).collect()));
        Some(Value::list(rows.collect()))
    }

    /// A method of a value that is not of a library: texts, bytes, lists, dictionaries, files, paths, the unknown.
    pub(super) fn method(
        &mut self,
        object: &Value<'a>,
        name: &str,
        args: &Args<'a>,
        site: &Site,
    ) -> Value<'a> {
        let callee = object.blurred();
        let call = Call { name, about: None, callee: &callee, args, site };
        if let Some(value) = self.file_method(object, name, &call) {
            return value;
        }
        let taint = object.taint.with(&args.taint());
        let gates = object.gates | args.gates();
        let folded = object.folded || args.values().any(|value| value.folded);
        match self.text_method(object, name, args, site) {
            Some(value) => {
                let value = value.tainted(&taint).gated(gates).fold(folded);
                if value.folded
                    && let Some(text) = value.as_text().map(str::to_owned)
                {
                    self.telling(&text, site.offset, true);
                }
                value
            }
            None => {
                self.written_by(args, site);
                Value { taint, gates, ..Value::default() }
            }
        }
    }

    fn text_method(
        &mut self,
        object: &Value<'a>,
        name: &str,
        args: &Args<'a>,
        site: &Site,
    ) -> Option<Value<'a>> {
        let first = args.pos.first();
        match (&object.kind, name) {
            (Kind::Text { .. } | Kind::Bytes(_), "join") => {
                let first = first?;
                self.settle(first);
                let Kind::List(items) = &first.kind else { return Some(Value::partly("*")) };
                if let (Kind::Bytes(by), true) =
                    (&object.kind, items.iter().all(|item| matches!(item.kind, Kind::Bytes(_))))
                {
                    let parts: Vec<&[u8]> = items.iter().filter_map(Value::as_bytes).collect();
                    let whole = parts.join(&**by);
                    return self.affords(whole.len()).then(|| Value::bytes(&whole).fold(items.len() > 1));
                }
                let by = object.shown();
                let mut text = String::new();
                let mut exact = true;
                let short = items.len() > 1
                    && items.iter().take(64).all(|item| item.as_text().is_some_and(|text| text.len() <= 4));
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        text.push_str(&by);
                    }
                    exact &= item.as_text().is_some();
                    text.push_str(&item.shown());
                    if text.len() > super::value::CONSTANT_BYTES {
                        return Some(Value::default());
                    }
                }
                self.affords(text.len())
                    .then(|| Value::of(Kind::Text { text: text.into(), exact }).fold(short && by.is_empty()))
            }
            (Kind::Text { .. } | Kind::Bytes(_) | Kind::Unknown, "decode" | "encode") => {
                let how = args.get(0, "encoding").and_then(Value::as_text).unwrap_or("utf-8").to_owned();
                let value = self.codec(object, &how, site)?;
                Some(match (&value.kind, name) {
                    (Kind::Bytes(_), "decode") => match value.as_text() {
                        Some(text) => Value::text(text).tainted(&value.taint).fold(value.folded),
                        None => value.blurred(),
                    },
                    (Kind::Text { text, exact: true }, "encode") => {
                        Value::bytes(text.as_bytes()).tainted(&value.taint).fold(value.folded)
                    }
                    _ => value,
                })
            }
            (Kind::Text { text, exact: true }, "replace") => {
                let (from, to) = (first?.as_text()?, args.pos.get(1)?.as_text()?);
                let many = from.is_empty()
                    || to.len() > from.len()
                        && text.len().saturating_mul(to.len()) > super::value::CONSTANT_BYTES;
                (!many && self.affords(text.len())).then(|| Value::text(&text.replace(from, to)).fold(true))
            }
            (Kind::Text { text, exact }, "format") => {
                for value in args.values() {
                    self.settle(value);
                }
                let given: Vec<Rc<str>> = args.pos.iter().map(Value::shown).collect();
                let named: Vec<(Rc<str>, Rc<str>)> =
                    args.kw.iter().map(|(name, value)| (Rc::clone(name), value.shown())).collect();
                let all_known =
                    args.values().all(|value| value.as_text().is_some() || value.as_int().is_some());
                let text = fold::format(text, &given, &named);
                self.telling(&text, site.offset, false);
                self.affords(text.len())
                    .then(|| Value::of(Kind::Text { text: text.into(), exact: *exact && all_known }))
            }
            (Kind::Text { text, exact }, "strip" | "lstrip" | "rstrip") if args.pos.is_empty() => {
                Some(Value::of(Kind::Text { text: text.trim().into(), exact: *exact }))
            }
            (Kind::Text { text, exact }, "strip" | "lstrip" | "rstrip") => {
                let set: Vec<char> = first?.as_text()?.chars().collect();
                let cut = match name {
                    "lstrip" => text.trim_start_matches(&set[..]),
                    "rstrip" => text.trim_end_matches(&set[..]),
                    _ => text.trim_matches(&set[..]),
                };
                Some(Value::of(Kind::Text { text: cut.into(), exact: *exact }))
            }
            (Kind::Text { text, exact }, "lower" | "casefold") => {
                Some(Value::of(Kind::Text { text: text.to_lowercase().into(), exact: *exact }))
            }
            (Kind::Text { text, exact }, "upper") => {
                Some(Value::of(Kind::Text { text: text.to_uppercase().into(), exact: *exact }))
            }
            (Kind::Text { text, exact }, "title" | "swapcase" | "capitalize") if text.len() < 4096 => {
                let turned: String = text
                    .chars()
                    .enumerate()
                    .map(|(at, c)| match name {
                        "swapcase" if c.is_uppercase() => c.to_ascii_lowercase(),
                        "swapcase" => c.to_ascii_uppercase(),
                        _ if at == 0 => c.to_ascii_uppercase(),
                        _ => c.to_ascii_lowercase(),
                    })
                    .collect();
                Some(Value::of(Kind::Text { text: turned.into(), exact: *exact }))
            }
            (Kind::Text { text, exact: true }, "split") => {
                let all: Vec<Value<'a>> = match first.and_then(Value::as_text) {
                    Some(by) if !by.is_empty() => text.split(by).take(4096).map(Value::text).collect(),
                    _ if first.is_none() => text.split_whitespace().take(4096).map(Value::text).collect(),
                    _ => return None,
                };
                Some(Value::list(all))
            }
            (Kind::Text { text, exact: true }, "zfill" | "ljust" | "rjust" | "center" | "expandtabs") => {
                Some(Value::partly(text))
            }
            (Kind::Dict(_), "get" | "pop" | "setdefault" | "__getitem__") => {
                let key = first?;
                let value = self.item(object, key, site);
                Some(match args.pos.get(1) {
                    Some(default) => value.or(default),
                    None => value,
                })
            }
            (Kind::Dict(items), "items") => {
                let pairs =
                    items.iter().map(|(key, value)| Value::list(vec![Value::text(key), value.clone()]));
                Some(Value::list(pairs.collect()))
            }
            (Kind::Dict(items), "values") => {
                Some(Value::list(items.iter().map(|(_, value)| value.clone()).collect()))
            }
            (Kind::Dict(items), "keys") => {
                Some(Value::list(items.iter().map(|(key, _)| Value::text(key)).collect()))
            }
            (Kind::Dict(_) | Kind::List(_), "copy") => Some(object.clone()),
            (Kind::List(items), "__getitem__" | "pop") => match first.and_then(Value::as_int) {
                Some(at) => fold::index(items.len(), at).and_then(|at| items.get(at).cloned()),
                None => items.last().cloned(),
            },
            (Kind::Func(_), "__call__") => Some(self.apply(object, args, site)),
            (
                _,
                "startswith" | "endswith" | "exists" | "is_file" | "is_dir" | "isdigit" | "count" | "index"
                | "isspace" | "find",
            ) => Some(Value::default()),
            _ => None,
        }
    }
}

/// Ciphers of the common libraries.
fn is_cipher(name: &str) -> bool {
    let decrypts = matches!(
        name.rsplit('.').next(),
        Some("decrypt" | "decrypt_and_verify" | "update" | "finalize" | "decrypt_at_time" | "process_bytes")
    );
    let library = [
        "cryptography.",
        "Crypto.",
        "pyaes.",
        "nacl.",
        "rsa.",
        "simplecrypt.",
        "pyDes.",
        "cryptocode.",
        "Fernet",
        "pyffx",
    ];
    let of_decryptor =
        name.ends_with("decrypt") || name.ends_with("decrypt_and_verify") || name.contains("decryptor()");
    decrypts && of_decryptor && library.iter().any(|root| name.starts_with(root))
}
