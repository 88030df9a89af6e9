//! Code from values: texts that are run, modules that are loaded, buffers that are decoded.
use oxc_allocator::Allocator;

use super::super::facts::What;
use super::calls::Site;
use super::machine::Machine;
use super::value::{HOLE_TEXT, Kind, Shape, Value};
use super::{gates, links, names, parse, strings};

impl<'a> Machine<'a> {
    /// Buffers from texts and numbers.
    pub(super) fn buffer(&mut self, arguments: &[Value<'a>], site: Site) -> Value<'a> {
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
    pub(super) fn decoded_value(
        &mut self,
        kind: &str,
        encoding: &str,
        value: Value<'a>,
        site: Site,
    ) -> Value<'a> {
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

    /// Text that is run as code: a fact, and where the text is constant, what it does.
    pub(super) fn run_code(
        &mut self,
        how: &str,
        code: Value<'a>,
        arguments: &[Value<'a>],
        site: Site,
    ) -> Value<'a> {
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

    /// A module that stands in its own address: it is decoded and read as what it is.
    pub(super) fn data_module(
        &mut self,
        address: &'a str,
        how: &str,
        source: Value<'a>,
        site: Site,
    ) -> Value<'a> {
        let fact = self.fact(What::Eval, &format!("{how} data:"), site.offset, source.folded);
        let (head, body) = address.split_once(',').unwrap_or((address, ""));
        let is_coded = head.to_ascii_lowercase().ends_with(";base64");
        let mut taint = source.taint;
        if is_coded && body.len() > DATA_BYTES {
            taint = self.decode("base64", taint, site.offset);
        }
        self.flow(taint, fact);
        let text = strings::decode(if is_coded { "base64" } else { "percent" }, body.trim_end_matches('='))
            .or_else(|| strings::decode(if is_coded { "base64" } else { "percent" }, body));
        if let Some(text) = text
            && text.len() <= TEXT_RUN_BYTES
            && self.texts_run < TEXTS_RUN
        {
            self.texts_run += 1;
            let allocator: &'a Allocator = self.allocator;
            if let Some(program) = parse::module(allocator, allocator.alloc_str(&text)) {
                let before = self.text_place.replace(self.text_place.unwrap_or(site.offset));
                self.run_text(program);
                self.text_place = before;
            }
        }
        Value::tainted(taint)
    }

    /// Imports a module.
    pub(super) fn module(&mut self, specifier: &'a str) -> Value<'a> {
        self.import(specifier);
        if specifier.len() > 100 {
            return Value::UNKNOWN;
        }
        if links::is_own(specifier) {
            return self.own_module(specifier);
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
                return self.data_module(specifier, how, Value { taint, ..source }, site);
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

/// Bytes of an encoded module below which it only asks whether such modules work.
const DATA_BYTES: usize = 100;

/// Texts that are read as code because the file would run them.
const TEXTS_RUN: u32 = 16;

/// Bytes of such a text.
const TEXT_RUN_BYTES: usize = 256 << 10;
