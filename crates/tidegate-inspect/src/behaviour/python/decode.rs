//! Decoders, and builtins that turn one kind of value into another.

use super::super::record::Site;
use super::fold;
use super::interp::Interp;
use super::library::Call;
use super::value::{Args, Kind, Value};

impl<'a> Interp<'a> {
    /// Decoders of libraries.
    pub(super) fn decoding(&mut self, call: &Call<'_, 'a>) -> Option<Value<'a>> {
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
    pub(super) fn codec(&mut self, value: &Value<'a>, how: &str, site: &Site) -> Option<Value<'a>> {
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
    pub(super) fn conversion(&mut self, call: &Call<'_, 'a>) -> Option<Value<'a>> {
        let args = call.args;
        let first = args.pos.first();
        match call.name {
            "builtins.chr" | "builtins.unichr" => {
                let value = first?;
                match value.as_int().and_then(|code| u32::try_from(code).ok()).and_then(char::from_u32) {
                    Some(c) => Some(Value::text(c.encode_utf8(&mut [0; 4])).tainted(&value.taint).fold(true)),
                    None => {
                        if self.loops == 0 || !value.taint.is_told() {
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
                if number.is_none() && matches!(radix, 2 | 8 | 16) && self.loops > 0 && value.taint.is_told()
                {
                    // Digits of what was read become bytes.
                    let taint = self.decoder("hex", &value.taint, call.site);
                    return Some(Value::from(taint));
                }
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
                    Kind::List(items) if self.room(items.len()) => {
                        Kind::List(items.iter().rev().cloned().collect())
                    }
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
                    return Some(self.gather(all.collect()).tainted(&value.taint));
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
            "builtins.staticmethod" | "builtins.classmethod" => first.cloned(),
            "builtins.print" => {
                self.written_by(args, call.site);
                Some(Value::default())
            }
            _ => None,
        }
    }

    pub(super) fn zipped(&mut self, args: &Args<'a>) -> Option<Value<'a>> {
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
        Some(self.gather(rows.collect()))
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
