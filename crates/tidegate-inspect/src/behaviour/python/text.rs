//! Methods of texts, bytes, lists and dictionaries.

use std::rc::Rc;

use super::super::record::Site;
use super::fold;
use super::interp::Interp;
use super::library::Call;
use super::value::{Args, Kind, Value};

impl<'a> Interp<'a> {
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

    pub(super) fn text_method(
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
                if self.is_spent() {
                    return Some(Value::default());
                }
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
                    text.push_str(&item.told());
                    if !exact && text.len() > super::value::VAGUE_BYTES {
                        // Of a text that is known in part, no more than the beginning is told.
                        text.truncate(super::value::beginning(&text).len());
                        break;
                    }
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
                let given: Vec<Rc<str>> = args.pos.iter().map(Value::told).collect();
                let named: Vec<(Rc<str>, Rc<str>)> =
                    args.kw.iter().map(|(name, value)| (Rc::clone(name), value.told())).collect();
                let all_known =
                    args.values().all(|value| value.as_text().is_some() || value.as_int().is_some());
                let length = given.iter().chain(named.iter().map(|(_, part)| part)).map(|part| part.len());
                if !self.affords_text(length.fold(text.len(), usize::saturating_add)) {
                    return None;
                }
                let text = fold::format(text, &given, &named);
                self.telling(&text, site.offset, false);
                self.affords(text.len()).then(|| {
                    Value::of(Kind::Text { text: text.into(), exact: *exact && all_known }).bounded()
                })
            }
            (Kind::Text { text, .. }, "strip" | "lstrip" | "rstrip" | "lower" | "casefold" | "upper")
                if !self.affords_text(text.len()) =>
            {
                None
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
                Some(self.gather(all))
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
                Some(self.gather(pairs.collect()))
            }
            (Kind::Dict(items), "values") => {
                Some(self.gather(items.iter().map(|(_, value)| value.clone()).collect()))
            }
            (Kind::Dict(items), "keys") => {
                Some(self.gather(items.iter().map(|(key, _)| Value::text(key)).collect()))
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
