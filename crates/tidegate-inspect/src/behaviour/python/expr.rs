//! Follows expressions of Python: what they give, as far as it can be known.

use std::rc::Rc;

use ruff_python_ast::{self as ast, Expr, InterpolatedStringElement, Operator};
use ruff_text_size::Ranged;

use super::super::facts::What;
use super::super::record::Taint;
use super::fold;
use super::interp::{DEPTH, Interp};
use super::value::{Args, CONSTANT_BYTES, Code, ELEMENTS, Func, GATHERED, Kind, Value, beginning};

/// Elements of a comprehension that are computed one by one.
const COMPUTED: usize = 4_096;

/// Bytes of all constants that are folded in one file.
const FOLDED: usize = CONSTANT_BYTES * 4;

/// Bytes of a constant from which it is big.
const BIG: usize = 4_096;

impl<'a> Interp<'a> {
    /// What an expression gives.
    pub(super) fn expr(&mut self, expr: &'a Expr) -> Value<'a> {
        self.steps = self.steps.saturating_add(1);
        if !self.calls.is_empty() {
            self.followed = self.followed.saturating_add(1);
        }
        if self.depth >= DEPTH {
            return Value::default();
        }
        self.depth += 1;
        let value = self.known_expr(expr).bounded();
        self.depth -= 1;
        value
    }

    fn known_expr(&mut self, expr: &'a Expr) -> Value<'a> {
        match expr {
            Expr::Name(node) => {
                let name = node.id.as_str();
                self.lookup(name).cloned().unwrap_or_else(|| self.builtin(name))
            }
            Expr::StringLiteral(node) => {
                let text = node.value.to_str();
                self.literal_text(text, u64::from(node.range.start().to_u32()))
            }
            Expr::BytesLiteral(node) => {
                let bytes: Vec<u8> = node.value.bytes().collect();
                let value = Value::bytes(&bytes);
                let text = std::str::from_utf8(&bytes).unwrap_or_default();
                self.literal_facts(value, text, &bytes, u64::from(node.range.start().to_u32()))
            }
            Expr::FString(node) => self.f_string(node),
            Expr::TString(node) => {
                let mut all = Value::default();
                for element in node.value.elements() {
                    if let InterpolatedStringElement::Interpolation(part) = element {
                        let value = self.expr(&part.expression);
                        all = all.tainted(&value.taint);
                    }
                }
                all
            }
            Expr::NumberLiteral(node) => match &node.value {
                ast::Number::Int(int) => {
                    int.as_i64().map_or_else(Value::default, |int| Value::of(Kind::Int(int)))
                }
                _ => Value::default(),
            },
            Expr::BooleanLiteral(node) => Value::of(Kind::Int(i64::from(node.value))),
            Expr::NoneLiteral(_) | Expr::EllipsisLiteral(_) | Expr::IpyEscapeCommand(_) => Value::default(),
            Expr::BinOp(node) => self.chain(node),
            Expr::UnaryOp(node) => {
                let value = self.expr(&node.operand);
                match (node.op, value.as_int()) {
                    (ast::UnaryOp::USub, Some(int)) => {
                        int.checked_neg().map_or_else(Value::default, |int| Value::of(Kind::Int(int)))
                    }
                    (ast::UnaryOp::Invert, Some(int)) => Value::of(Kind::Int(!int)),
                    (ast::UnaryOp::Not, _) => Value::default().gated(value.gates),
                    _ => value.blurred(),
                }
            }
            Expr::BoolOp(node) => {
                let mut all: Option<Value<'a>> = None;
                let gates = self.gates;
                for part in &node.values {
                    let value = self.expr(part);
                    if matches!(node.op, ast::BoolOp::And) {
                        self.gates |= value.gates;
                    }
                    all = Some(all.map_or_else(|| value.clone(), |all| all.or(&value)));
                }
                self.gates = gates;
                all.unwrap_or_default()
            }
            Expr::Compare(node) => {
                let mut gates = self.expr(&node.left).gates;
                for other in &node.comparators {
                    gates |= self.expr(other).gates;
                }
                Value::default().gated(gates)
            }
            Expr::If(node) => {
                let test = self.expr(&node.test);
                let body = self.gated(test.gates, |this| this.expr(&node.body));
                let orelse = self.gated(test.gates, |this| this.expr(&node.orelse));
                let is_choice = |value: &Value<'a>| value.as_text().is_some() || value.as_int().is_some();
                if self.loops > 0 && is_choice(&body) && is_choice(&orelse) {
                    // One constant or another, element by element: what is chosen by comes through.
                    let by = match &*node.test {
                        Expr::Compare(compare) => self.expr(&compare.left).taint,
                        other => self.expr(other).taint,
                    };
                    return body.or(&orelse).tainted(&by);
                }
                body.or(&orelse)
            }
            Expr::Named(node) => {
                let value = self.expr(&node.value);
                self.assign(&node.target, value.clone(), Some(&node.value));
                value
            }
            Expr::Lambda(node) => {
                let defaults = self.defaults(node.parameters.as_deref());
                self.keep_frame();
                let func = Rc::new(Func {
                    code: Code::Lambda(node),
                    frame: self.frame,
                    bound: None,
                    defaults,
                    property: false,
                    class: None,
                    channel: None,
                });
                self.register(&func);
                Value::of(Kind::Func(func))
            }
            Expr::List(ast::ExprList { elts, .. })
            | Expr::Tuple(ast::ExprTuple { elts, .. })
            | Expr::Set(ast::ExprSet { elts, .. }) => self.elements(elts),
            Expr::Dict(node) => self.dict(node),
            Expr::ListComp(ast::ExprListComp { elt, generators, .. })
            | Expr::SetComp(ast::ExprSetComp { elt, generators, .. })
            | Expr::Generator(ast::ExprGenerator { elt, generators, .. }) => {
                self.comprehension(elt, None, generators)
            }
            Expr::DictComp(node) => self.comprehension(&node.value, node.key.as_deref(), &node.generators),
            Expr::Await(node) => self.expr(&node.value),
            Expr::Yield(node) => {
                let value = node.value.as_deref().map(|value| self.expr(value)).unwrap_or_default();
                self.give(Value::from(value.taint.clone()).fold(value.folded));
                Value::default()
            }
            Expr::YieldFrom(node) => {
                let value = self.expr(&node.value);
                self.give(value.blurred());
                value
            }
            Expr::Starred(node) => self.expr(&node.value),
            Expr::Attribute(node) => {
                let object = self.expr(&node.value);
                let site = self.site(node);
                self.attribute(&object, node.attr.as_str(), &site, false)
            }
            Expr::Subscript(node) => self.subscript(node),
            Expr::Slice(node) => {
                for part in [&node.lower, &node.upper, &node.step].into_iter().flatten() {
                    self.expr(part);
                }
                Value::default()
            }
            Expr::Call(node) => self.call(node),
        }
    }

    /// A text as it stands, with what is to be said of it.
    fn literal_text(&mut self, text: &str, offset: u64) -> Value<'a> {
        self.literal_facts(Value::text(text), text, text.as_bytes(), offset)
    }

    fn literal_facts(&mut self, value: Value<'a>, text: &str, bytes: &[u8], offset: u64) -> Value<'a> {
        self.telling(text, offset, false);
        if bytes.len() > BIG && fold::is_dense(bytes) {
            let site = self.site_at(offset);
            let begin: String = String::from_utf8_lossy(bytes.get(..64).unwrap_or_default()).into_owned();
            let taint = self.rec.lazy_source(What::BigConstant, &begin, &site);
            return value.tainted(&taint);
        }
        value
    }

    /// Puts down a text that is telling.
    pub(super) fn telling(&mut self, text: &str, offset: u64, folded: bool) {
        if text.len() >= 4 && super::super::words::is_telling(text) {
            let mut site = self.site_at(offset);
            site.folded |= folded;
            self.rec.fact(What::Text, text, &site);
        }
    }

    /// Whether one more folded constant of this size fits into what a file may fold.
    pub(super) fn affords(&mut self, bytes: usize) -> bool {
        self.copied = self.copied.saturating_add(bytes);
        self.copied <= FOLDED
    }

    /// Whether nothing more is folded.
    pub(super) fn is_spent(&self) -> bool {
        self.copied > FOLDED
    }

    /// Whether a text of about this size may be made of parts: small ones always, so that what is told stays legible.
    pub(super) fn affords_text(&mut self, bytes: usize) -> bool {
        bytes <= BIG || self.affords(bytes)
    }

    /// Whether one more container of so many elements, taken out of others, fits into what a file may gather.
    pub(super) fn room(&mut self, elements: usize) -> bool {
        self.gathered = self.gathered.saturating_add(elements);
        self.gathered <= GATHERED
    }

    /// A list of elements that were taken out of others; beyond what a file may gather only where they come from.
    pub(super) fn gather(&mut self, all: Vec<Value<'a>>) -> Value<'a> {
        let is_small = self.room(all.len()) && all.len() <= ELEMENTS;
        let list = Value::list(all);
        if is_small { list } else { list.blurred() }
    }

    fn f_string(&mut self, node: &'a ast::ExprFString) -> Value<'a> {
        let mut all = Value::text("");
        for part in &node.value {
            match part {
                ast::FStringPart::Literal(text) => {
                    self.telling(text.as_str(), u64::from(text.range.start().to_u32()), false);
                    all = self.joined(&all, &Value::text(text.as_str()));
                }
                ast::FStringPart::FString(part) => {
                    for element in &part.elements {
                        let value = match element {
                            InterpolatedStringElement::Literal(text) => {
                                self.telling(text, u64::from(text.range.start().to_u32()), false);
                                Value::text(text)
                            }
                            InterpolatedStringElement::Interpolation(part) => {
                                let value = self.expr(&part.expression);
                                self.settle(&value);
                                value
                            }
                        };
                        all = self.joined(&all, &value);
                    }
                }
            }
        }
        let offset = u64::from(node.range.start().to_u32());
        if let Some(text) = all.as_text().map(str::to_owned) {
            self.telling(&text, offset, false);
        }
        all
    }

    /// What was only possibly a source now is one: it was turned into a text or a list.
    pub(super) fn settle(&mut self, value: &Value<'a>) {
        self.rec.settle(&value.taint);
    }

    /// Two texts one behind the other.
    pub(super) fn joined(&mut self, left: &Value<'a>, right: &Value<'a>) -> Value<'a> {
        let mut value = match (&left.kind, &right.kind) {
            (Kind::Bytes(a), Kind::Bytes(b)) if self.affords(a.len() + b.len()) => {
                Value::bytes(&[&**a, &**b].concat())
            }
            _ => {
                let (a, b) = (left.told(), right.told());
                let known = |value: &Value<'a>| {
                    matches!(value.kind, Kind::Text { exact: true, .. } | Kind::Int(_) | Kind::Bytes(_))
                };
                let exact = known(left) && known(right);
                let (a, b) = if exact { (&*a, &*b) } else { (beginning(&a), beginning(&b)) };
                if self.affords(a.len() + b.len()) {
                    let mut text = String::with_capacity(a.len() + b.len());
                    text.push_str(a);
                    if !(a.ends_with('*') && b == "*") {
                        text.push_str(b);
                    }
                    Value::of(Kind::Text { text: text.into(), exact }).bounded()
                } else {
                    Value::default()
                }
            }
        };
        value.taint = left.taint.with(&right.taint);
        value.gates = left.gates | right.gates;
        value.folded = left.folded || right.folded;
        value
    }

    /// A chain of operators, without recursion along its left side: generated code has thousands of them.
    fn chain(&mut self, node: &'a ast::ExprBinOp) -> Value<'a> {
        let mut parts = vec![node];
        while let Some(Expr::BinOp(left)) = parts.last().map(|node| &*node.left) {
            parts.push(left);
        }
        let Some(first) = parts.last() else { return Value::default() };
        let mut value = self.expr(&first.left);
        // A long sum of short texts is built once, not once for every part of it.
        let mut grown: Option<String> = None;
        let mut literal = matches!(&*first.left, Expr::StringLiteral(_));
        let offset = u64::from(node.range.start().to_u32());
        for node in parts.iter().rev() {
            let right = self.expr(&node.right);
            let right_literal = matches!(&*node.right, Expr::StringLiteral(_));
            if let (Operator::Add, Some(add)) = (node.op, right.as_text())
                && matches!((&value.kind, &right.kind), (Kind::Text { exact: true, .. }, Kind::Text { .. }))
            {
                let begun = grown.get_or_insert_with(|| value.as_text().unwrap_or_default().to_owned());
                let split = literal && right_literal && fold::splits_a_word(begun, add);
                begun.push_str(add);
                value.taint = value.taint.with(&right.taint);
                value.gates |= right.gates;
                value.folded |= right.folded | split;
                literal = right_literal;
                continue;
            }
            if let Some(text) = grown.take() {
                value.kind = Kind::Text { text: text.into(), exact: true };
            }
            value = self.binary(&value, node.op, &right, offset);
            literal = right_literal;
        }
        if let Some(text) = grown {
            self.affords(text.len());
            self.telling(&text, offset, value.folded);
            value.kind = Kind::Text { text: text.into(), exact: true };
        }
        value
    }

    /// What an operator gives.
    pub(super) fn binary(
        &mut self,
        left: &Value<'a>,
        op: Operator,
        right: &Value<'a>,
        offset: u64,
    ) -> Value<'a> {
        let taint = left.taint.with(&right.taint);
        let gates = left.gates | right.gates;
        let folded = left.folded || right.folded;
        let kind = match (op, &left.kind, &right.kind) {
            (_, Kind::Int(a), Kind::Int(b)) => fold::arithmetic(*a, op, *b).map(Kind::Int),
            (Operator::Add, Kind::List(a), Kind::List(b))
                if a.len() + b.len() <= ELEMENTS && self.room(a.len() + b.len()) =>
            {
                Some(Kind::List(a.iter().chain(b.iter()).cloned().collect()))
            }
            (
                Operator::Add,
                Kind::Text { .. } | Kind::Bytes(_) | Kind::Unknown | Kind::Name(..),
                Kind::Text { .. } | Kind::Bytes(_),
            )
            | (Operator::Add, Kind::Text { .. } | Kind::Bytes(_), Kind::Unknown | Kind::Name(..)) => {
                Some(self.joined(left, right).kind)
            }
            (Operator::Div, Kind::Text { .. } | Kind::Unknown | Kind::Name(..), Kind::Text { .. })
            | (Operator::Div, Kind::Text { .. }, Kind::Unknown)
                if self.affords_text(left.length() + right.length()) =>
            {
                let path = fold::join_paths([left.told(), right.told()].iter());
                let exact = left.as_text().is_some() && right.as_text().is_some();
                self.telling(&path, offset, false);
                Some(Kind::Text { text: path.into(), exact })
            }
            (Operator::Mod, Kind::Text { text, .. }, _) => {
                self.settle(right);
                let parts: Vec<Rc<str>> = match &right.kind {
                    Kind::List(parts) => parts.iter().map(Value::told).collect(),
                    _ => vec![right.told()],
                };
                let length = parts.iter().map(|part| part.len()).fold(text.len(), usize::saturating_add);
                if !self.affords_text(length) {
                    return Value { kind: Kind::Unknown, taint, gates, folded };
                }
                let text = fold::percent(text, &parts);
                let exact = match &right.kind {
                    Kind::List(parts) => {
                        parts.iter().all(|part| part.as_text().is_some() || part.as_int().is_some())
                    }
                    _ => right.as_text().is_some() || right.as_int().is_some(),
                };
                self.telling(&text, offset, false);
                Some(Kind::Text { text: text.into(), exact })
            }
            (Operator::Mult, Kind::Text { text, exact: true }, Kind::Int(times)) => usize::try_from(*times)
                .ok()
                .filter(|times| {
                    // What is too long by itself takes nothing from what others may fold.
                    let length = text.len().saturating_mul(*times);
                    length <= CONSTANT_BYTES && self.affords(length)
                })
                .map(|times| Kind::Text { text: text.repeat(times).into(), exact: true }),
            (Operator::BitOr, Kind::Name(a, _), Kind::Name(b, _)) => {
                Some(Kind::Name(fold::capped(&format!("{a}|{b}")), None))
            }
            (Operator::BitOr, Kind::Name(..), _) => Some(left.kind.clone()),
            (Operator::BitOr, _, Kind::Name(..)) => Some(right.kind.clone()),
            (Operator::BitOr, Kind::Dict(a), Kind::Dict(b))
                if a.len() + b.len() <= ELEMENTS && self.room(a.len() + b.len()) =>
            {
                Some(Kind::Dict(a.iter().chain(b.iter()).cloned().collect()))
            }
            (Operator::BitXor, _, _) if self.loops > 0 => {
                let site = self.site_at(offset);
                let taint = self.decoder("xor", &taint, &site);
                return Value::from(taint).gated(gates);
            }
            (Operator::Sub | Operator::Add, _, Kind::Int(by)) if fold::is_selector_offset(*by) => {
                let site = self.site_at(offset);
                let taint = self.decoder("selectors", &taint, &site);
                return Value::from(taint).gated(gates);
            }
            _ => None,
        };
        Value { kind: kind.unwrap_or(Kind::Unknown), taint, gates, folded }.bounded()
    }

    fn elements(&mut self, elts: &'a [Expr]) -> Value<'a> {
        let mut all = Vec::with_capacity(elts.len().min(ELEMENTS));
        let mut rest = Taint::default();
        for part in elts {
            let value = self.expr(part);
            match (&value.kind, part) {
                (Kind::List(items), Expr::Starred(_))
                    if all.len() + items.len() <= ELEMENTS && self.room(items.len()) =>
                {
                    all.extend(items.iter().cloned());
                }
                (_, Expr::Starred(_)) => {
                    rest = rest.with(&value.taint);
                    all.push(value.blurred());
                }
                _ if all.len() < ELEMENTS => all.push(value),
                _ => rest = rest.with(&value.taint),
            }
        }
        Value::list(all).tainted(&rest)
    }

    fn dict(&mut self, node: &'a ast::ExprDict) -> Value<'a> {
        let mut items: Vec<(Rc<str>, Value<'a>)> = Vec::new();
        let mut taint = Taint::default();
        let mut gates = 0;
        for item in &node.items {
            let key = item.key.as_ref().map(|key| self.expr(key));
            let value = self.expr(&item.value);
            taint = taint.with(&value.taint);
            gates |= value.gates;
            match key {
                Some(key) => {
                    taint = taint.with(&key.taint);
                    if items.len() < ELEMENTS {
                        items.push((key.shown(), value));
                    }
                }
                None => {
                    if let Kind::Dict(more) = &value.kind
                        && items.len() + more.len() < ELEMENTS
                        && self.room(more.len())
                    {
                        items.extend(more.iter().cloned());
                    }
                }
            }
        }
        Value { kind: Kind::Dict(items.into()), taint, gates, folded: false }
    }

    fn comprehension(
        &mut self,
        elt: &'a Expr,
        key: Option<&'a Expr>,
        generators: &'a [ast::Comprehension],
    ) -> Value<'a> {
        let Some(first) = generators.first() else { return Value::default() };
        let iter = self.expr(&first.iter);
        self.loops += 1;
        let value = match (&iter.kind, generators, key) {
            (Kind::List(items), [only], None) if items.len() <= COMPUTED && only.ifs.is_empty() => {
                let mut all = Vec::new();
                let items = Rc::clone(items);
                for item in items.iter() {
                    self.assign(&only.target, item.clone(), None);
                    let value = self.expr(elt);
                    let vague = matches!(value.kind, Kind::Unknown);
                    all.push(value);
                    if vague && all.len() > 8 || self.followed > 2_000_000 {
                        break;
                    }
                }
                let done = all.len() == items.len();
                let list = self.gather(all);
                if done { list } else { list.blurred() }
            }
            _ => {
                let mut gates = 0;
                for (index, generator) in generators.iter().enumerate() {
                    let iter = if index == 0 { iter.clone() } else { self.expr(&generator.iter) };
                    let offset = u64::from(generator.iter.range().start().to_u32());
                    let item = self.element(&iter, offset);
                    self.assign(&generator.target, item, None);
                    for test in &generator.ifs {
                        gates |= self.expr(test).gates;
                    }
                }
                let mut value = self.expr(elt);
                if let Some(key) = key {
                    let key = self.expr(key);
                    value = value.tainted(&key.taint);
                    value.kind = Kind::Unknown;
                }
                let one = Value { kind: Kind::Unknown, gates: value.gates | gates, ..value.clone() };
                // Of a known element that comes any number of times, the content of the whole is not known.
                match value.kind {
                    Kind::Func(_) | Kind::Object(_) => value,
                    _ => one,
                }
            }
        };
        self.loops -= 1;
        value
    }

    /// One element of what is gone through.
    pub(super) fn element(&mut self, iter: &Value<'a>, offset: u64) -> Value<'a> {
        match &iter.kind {
            Kind::List(items) => {
                let mut all: Option<Value<'a>> = None;
                for item in items.iter().take(64) {
                    all = Some(all.map_or_else(|| item.clone(), |all| all.or(item)));
                }
                let item = all.unwrap_or_default().tainted(&iter.taint);
                match (items.len(), &item.kind) {
                    (0 | 1, _) | (_, Kind::List(_) | Kind::Func(_) | Kind::Object(_) | Kind::Name(..)) => {
                        item
                    }
                    (_, Kind::Text { text, .. }) => {
                        Value { kind: Kind::Text { text: Rc::clone(text), exact: false }, ..item.clone() }
                    }
                    _ => item.blurred(),
                }
            }
            Kind::Name(name, _) if &**name == "os.environ" => {
                self.settle(iter);
                iter.blurred()
            }
            Kind::Name(name, about) => {
                let _ = offset;
                let item = Kind::Name(fold::capped(&format!("{name}[]")), about.clone());
                Value { kind: item, ..iter.clone() }
            }
            Kind::File(_, path) => Value::from(path.taint.with(&iter.taint)),
            _ => iter.blurred(),
        }
    }

    fn subscript(&mut self, node: &'a ast::ExprSubscript) -> Value<'a> {
        let object = self.expr(&node.value);
        if let Expr::Slice(slice) = &*node.slice {
            return self.sliced(&object, slice, u64::from(node.range.start().to_u32()));
        }
        let key = self.expr(&node.slice);
        let site = self.site(node);
        self.item(&object, &key, &site)
    }

    /// An element by its key.
    pub(super) fn item(
        &mut self,
        object: &Value<'a>,
        key: &Value<'a>,
        site: &super::super::record::Site,
    ) -> Value<'a> {
        let inner = match (&object.kind, &key.kind) {
            (Kind::List(items), Kind::Int(at)) => {
                fold::index(items.len(), *at).and_then(|at| items.get(at).cloned())
            }
            (Kind::Dict(items), _) => {
                let key = key.shown();
                items.iter().rev().find(|(known, _)| *known == key).map(|(_, value)| value.clone())
            }
            (Kind::Bytes(bytes), Kind::Int(at)) => fold::index(bytes.len(), *at)
                .and_then(|at| bytes.get(at))
                .map(|byte| Value::of(Kind::Int(i64::from(*byte))).tainted(&object.taint)),
            (Kind::Text { text, exact: true }, Kind::Int(at)) => {
                let length = if text.is_ascii() { text.len() } else { text.chars().count() };
                fold::index(length, *at)
                    .and_then(|at| {
                        if text.is_ascii() {
                            text.as_bytes().get(at).map(|b| char::from(*b))
                        } else {
                            text.chars().nth(at)
                        }
                    })
                    .map(|c| Value::text(c.encode_utf8(&mut [0; 4])).tainted(&object.taint).fold(true))
            }
            // A path of many, by its name: `sysconfig.get_paths()["purelib"]`.
            (Kind::Text { exact: false, .. }, Kind::Text { .. }) => Some(object.clone()),
            (Kind::Name(name, about), _) => Some(self.library_item(name, about.as_ref(), object, key, site)),
            _ => None,
        };
        match inner {
            Some(value) => value.tainted(&key.taint),
            None => object.blurred().tainted(&key.taint),
        }
    }

    fn sliced(&mut self, object: &Value<'a>, slice: &'a ast::ExprSlice, offset: u64) -> Value<'a> {
        let mut bound = |part: &'a Option<Box<Expr>>| match part {
            Some(part) => self.expr(part).as_int().map(Some),
            None => Some(None),
        };
        let (Some(lower), Some(upper), Some(step)) =
            (bound(&slice.lower), bound(&slice.upper), bound(&slice.step))
        else {
            return object.blurred();
        };
        let reversed = step == Some(-1);
        let kind = match &object.kind {
            Kind::Text { text, exact: true } if self.affords(text.len()) => {
                fold::slice_text(text, lower, upper, step)
                    .map(|text| Kind::Text { text: text.into(), exact: true })
            }
            Kind::Bytes(bytes) if self.affords(bytes.len()) => {
                let all: Vec<u8> = bytes.to_vec();
                fold::slice(&all, lower, upper, step).map(|part| Kind::Bytes(part.into()))
            }
            Kind::List(items) if self.room(items.len()) => {
                fold::slice(items, lower, upper, step).map(|part| Kind::List(part.into()))
            }
            _ => None,
        };
        let mut value = object.blurred();
        if reversed {
            let site = self.site_at(offset);
            let is_text = matches!(object.kind, Kind::Text { .. } | Kind::Bytes(_) | Kind::Unknown);
            if is_text && (kind.is_some() || object.taint.is_told()) {
                value.taint = self.decoder("reverse", &object.taint, &site);
            }
        }
        if let Some(kind) = kind {
            value.kind = kind;
            value.folded = reversed || object.folded;
        }
        if let Some(text) = value.as_text().map(str::to_owned).filter(|_| reversed) {
            self.telling(&text, offset, true);
        }
        value
    }

    /// Puts down a decoder and what reaches it, and gives what comes out.
    pub(super) fn decoder(&mut self, kind: &str, input: &Taint, site: &super::super::record::Site) -> Taint {
        let out = self.rec.source(What::Decode, kind, site);
        if let Some(fact) = self.rec.fact(What::Decode, kind, site) {
            self.rec.arrive(input, fact);
        }
        out.with(&input.decoded())
    }

    /// Calls something with arguments as they stand in the text.
    fn call(&mut self, node: &'a ast::ExprCall) -> Value<'a> {
        let site = self.site(node);
        let (callee, receiver) = match &*node.func {
            Expr::Attribute(func) => {
                let object = self.expr(&func.value);
                let value = self.attribute(&object, func.attr.as_str(), &site, true);
                (value, Some((object, &*func.value, func.attr.as_str())))
            }
            other => (self.expr(other), None),
        };
        let args = self.arguments(&node.arguments);
        let value = match &receiver {
            Some((object, target, method)) => {
                if let (Kind::Object(class), "start", true) =
                    (&object.kind, *method, callee.as_name().is_some())
                {
                    // A thread or process of the file's own class: starting it runs `run`.
                    self.call_member(*class, "run", &Args::default());
                }
                self.changes_receiver(object, target, method, &args, &site);
                match &callee.kind {
                    Kind::Method(_) => self.method(object, method, &args, &site),
                    _ => self.apply(&callee, &args, &site),
                }
            }
            None => self.apply(&callee, &args, &site),
        };
        self.fills_arguments(&callee, node, &args);
        value
    }

    fn arguments(&mut self, arguments: &'a ast::Arguments) -> Args<'a> {
        let mut args = Args::default();
        for part in &arguments.args {
            let value = self.expr(part);
            match (part, &value.kind) {
                (Expr::Starred(_), Kind::List(items)) => {
                    if items.is_empty() {
                        args.rest = args.rest.with(&value.taint);
                    }
                    args.pos.extend(items.iter().take(256).cloned());
                }
                (Expr::Starred(_), _) => {
                    args.rest = args.rest.with(&value.taint);
                    if !value.taint.is_empty() {
                        args.pos.push(value.blurred());
                    }
                }
                _ => args.pos.push(value),
            }
        }
        for keyword in &arguments.keywords {
            let value = self.expr(&keyword.value);
            match (&keyword.arg, &value.kind) {
                (Some(name), _) => args.kw.push((name.as_str().into(), value)),
                (None, Kind::Dict(items)) => {
                    if items.is_empty() {
                        args.rest = args.rest.with(&value.taint);
                    }
                    args.kw.extend(items.iter().take(256).cloned());
                }
                (None, _) => args.rest = args.rest.with(&value.taint),
            }
        }
        args
    }
}
