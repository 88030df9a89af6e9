//! Constants and structures as they are written: texts, templates, arrays, objects.
use oxc_ast::ast::{ArrayExpressionElement, ObjectExpression, ObjectPropertyKind, TemplateLiteral};

use super::super::{facts::What, words};
use super::machine::{Code, Machine, TEXT_BYTES};
use super::statements::address;
use super::strings;
use super::value::{HOLE, HOLE_TEXT, Kind, Shape, Taint, Value};

impl<'a> Machine<'a> {
    /// A constant text: it is told of where it is telling or big.
    pub(super) fn literal(&mut self, text: &'a str, offset: u32, folded: bool) -> Value<'a> {
        let mut value = Value::text(text);
        value.folded = folded;
        if text.len() > BIG_CONSTANT_BYTES && entropy(text.as_bytes()) > HIGH_ENTROPY {
            let start = &text[..text.floor_char_boundary(80)];
            value.taint = self.source(What::BigConstant, start, offset, folded);
        } else if text.len() >= 4 {
            // A function that runs again says the same again.
            let place = (text.as_ptr().addr(), text.len());
            let telling = *self.telling.entry(place).or_insert_with(|| words::is_telling(text));
            if telling {
                self.fact(What::Text, text, offset, folded);
            }
        }
        value
    }

    /// A text that folding made of others.
    pub(super) fn folded(&mut self, text: &str, taint: Taint, offset: u32) -> Value<'a> {
        let text = self.make_text(text);
        let mut value = Value::text(text).with_taint(taint);
        value.folded = true;
        if text.len() >= 4 && text.len() <= BIG_CONSTANT_BYTES && text != HOLE_TEXT && words::is_telling(text)
        {
            self.fact(What::Text, text, offset, true);
        }
        value
    }

    pub(super) fn template(&mut self, one: &'a TemplateLiteral<'a>) -> Value<'a> {
        if let ([quasi], []) = (&one.quasis[..], &one.expressions[..]) {
            let text = quasi.value.cooked.as_ref().map_or(quasi.value.raw.as_str(), |text| text.as_str());
            return self.literal(text, one.span.start, false);
        }
        let mut text = String::new();
        let mut result = Value::UNKNOWN;
        for (index, quasi) in one.quasis.iter().enumerate() {
            text.push_str(quasi.value.cooked.as_ref().map_or("", |text| text.as_str()));
            if let Some(expression) = one.expressions.get(index) {
                let value = self.expression(expression);
                self.append(&mut text, value, &mut result);
            }
        }
        let folded = result.folded || !text.contains(HOLE);
        let mut value = self.folded(&text, result.taint, one.span.start);
        (value.gates, value.folded) = (result.gates, folded);
        value
    }

    /// Puts the text of a value behind a text, and its origin into the result.
    pub(super) fn append(&mut self, text: &mut String, value: Value<'a>, result: &mut Value<'a>) {
        if text.len() < TEXT_BYTES {
            match self.constant_text(value) {
                Some(part) => text.push_str(&part),
                None => text.push(HOLE),
            }
        }
        let taint = self.deep(value);
        result.taint = self.join(result.taint, taint);
        result.gates |= value.gates;
        result.folded |= value.folded;
    }

    /// The text that a value becomes, as far as it is constant.
    pub(super) fn constant_text(&mut self, value: Value<'a>) -> Option<String> {
        match value.shape {
            Shape::Text(text) => Some(text.to_owned()),
            Shape::Number(number) => Some(strings::number_text(number)),
            Shape::Flag(flag) => Some(flag.to_string()),
            Shape::Either(id) => self.eithers.get(id).iter().find_map(|shape| match shape {
                Shape::Text(text) => Some((*text).to_owned()),
                _ => None,
            }),
            Shape::Object(id) => {
                let object = &self.objects[id.0 as usize];
                if object.kind != Kind::Array || object.items.is_empty() || object.items.len() > 4_096 {
                    return None;
                }
                let items = object.items.clone();
                let parts: Vec<String> = items
                    .into_iter()
                    .map(|item| strings::piece(item).unwrap_or(HOLE_TEXT.to_owned()))
                    .collect();
                Some(parts.join(","))
            }
            _ => None,
        }
    }

    pub(super) fn array(&mut self, one: &'a oxc_ast::ast::ArrayExpression<'a>) -> Value<'a> {
        let id = self.object(address(one), Kind::Array);
        let mut items = Vec::with_capacity(one.elements.len().min(1 << 20));
        let mut taint = Taint(0);
        for element in &one.elements {
            match element {
                ArrayExpressionElement::SpreadElement(spread) => {
                    let value = self.expression(&spread.argument);
                    self.spread_into(&mut items, value);
                }
                ArrayExpressionElement::Elision(_) => items.push(Value::of(Shape::Undefined)),
                element => {
                    if let Some(expression) = element.as_expression() {
                        items.push(self.expression(expression));
                    }
                }
            }
        }
        if items.len() >= BIG_ARRAY && items.iter().all(|item| matches!(item.shape, Shape::Number(_))) {
            let start: Vec<String> = items.iter().take(16).filter_map(|item| strings::piece(*item)).collect();
            taint = self.source(What::BigConstant, &format!("[{},…", start.join(",")), one.span.start, false);
        }
        // What a callback put there in an earlier pass may be there before this one asks.
        let before = self.deep(Value::of(Shape::Object(id)));
        if before.0 != 0 {
            self.set_any(id, Value::tainted(before));
        }
        self.objects.set_items(id, items);
        Value::of(Shape::Object(id)).with_taint(taint)
    }

    pub(super) fn spread_into(&mut self, items: &mut Vec<Value<'a>>, value: Value<'a>) {
        match value.shape {
            Shape::Object(id)
                if self.kind(id) == Kind::Array
                    && value.taint.0 == 0
                    && self.room(self.objects[id.0 as usize].items.len()) =>
            {
                let own: Vec<_> = self.objects[id.0 as usize].items.clone();
                let any = self.objects[id.0 as usize].any;
                items.extend(own);
                if any != Value::UNKNOWN {
                    items.push(any);
                }
            }
            Shape::Text(text) if text.len() < 4_096 => {
                for character in text.chars() {
                    let piece = self.make_text(character.encode_utf8(&mut [0; 4]));
                    items.push(Value::text(piece).with_taint(value.taint));
                }
            }
            _ => {
                let taint = self.deep(value);
                items.push(Value::tainted(taint));
            }
        }
    }

    pub(super) fn object_literal(&mut self, one: &'a ObjectExpression<'a>) -> Value<'a> {
        let id = self.object(address(one), Kind::Plain);
        for property in &one.properties {
            match property {
                ObjectPropertyKind::ObjectProperty(property) => {
                    let key = self.property_key(&property.key, property.computed);
                    let value = self.expression(&property.value);
                    if let Shape::Function(function) = value.shape
                        && (property.method || self.functions[function.0 as usize].this.is_none())
                        && matches!(self.functions[function.0 as usize].code, Code::Function(_))
                    {
                        self.functions[function.0 as usize].this = Some(id);
                    }
                    match key {
                        Some(key) => self.set_member(id, key, value),
                        None => self.set_any(id, value),
                    }
                }
                ObjectPropertyKind::SpreadProperty(spread) => {
                    let value = self.expression(&spread.argument);
                    self.spread_object(id, value, spread.span.start);
                }
            }
        }
        Value::of(Shape::Object(id))
    }

    /// Everything of one object in another.
    pub(super) fn spread_object(&mut self, into: super::value::ObjectId, value: Value<'a>, offset: u32) {
        match value.shape {
            Shape::Object(from) if from != into => {
                let object = &self.objects[from.0 as usize];
                let members: Vec<_> = object.members.iter().copied().collect();
                let any = object.any;
                for (key, value) in members {
                    self.set_member(into, key, value);
                }
                if any.taint.0 != 0 || value.taint.0 != 0 {
                    let taint = self.join(any.taint, value.taint);
                    self.set_any(into, Value::tainted(taint));
                }
            }
            Shape::Name(name) if self.path(name) == "process.env" => {
                let taint = self.source(What::EnvAll, "", offset, value.folded);
                self.set_any(into, Value::tainted(taint));
            }
            _ => {
                let taint = self.deep(value);
                if taint.0 != 0 {
                    self.set_any(into, Value::tainted(taint));
                }
            }
        }
    }
}

/// Bytes from which a constant is a big one.
const BIG_CONSTANT_BYTES: usize = 4_096;

/// Numbers in an array that are a big constant.
const BIG_ARRAY: usize = 2_048;

/// Bits per byte that text in a language does not have.
const HIGH_ENTROPY: f64 = 4.6;

/// Bits per byte, over the beginning of a text.
pub(super) fn entropy(text: &[u8]) -> f64 {
    let sample = &text[..text.len().min(8_192)];
    let mut counts = [0_u32; 256];
    for &byte in sample {
        counts[usize::from(byte)] += 1;
    }
    #[expect(clippy::cast_precision_loss, reason = "a sample of a few thousand bytes")]
    let length = sample.len().max(1) as f64;
    counts
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| {
            let share = f64::from(count) / length;
            -share * share.log2()
        })
        .sum()
}
