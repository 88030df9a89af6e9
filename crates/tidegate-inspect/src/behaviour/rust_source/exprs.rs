//! Follows expressions.

use std::collections::HashMap;
use std::rc::Rc;

use syn::spanned::Spanned as _;
use syn::{Block, Expr, Lit, Pat};

use super::super::facts::What;
use super::super::record::{Site, Taint};
use super::follow::{DEPTH, Follow, STEPS, element};
use super::value::{CONSTANT_BYTES, Kind, Value};

/// Elements of a constant list that are computed one by one.
const COMPUTED: usize = 4_096;

/// Constants that a loop goes through one by one.
const UNROLLED: usize = 64;

/// Methods whose closure gets the value itself, and that give what it gives.
const HANDING: &[&str] = &[
    "and_then",
    "is_ok_and",
    "is_some_and",
    "map_or",
    "map_or_else",
    "inspect",
    "with",
    "tap",
    "then",
    "map_ok",
    "try_for_each",
    "unwrap_or_else",
    "is_none_or",
];

impl Follow<'_> {
    /// As [`Follow::expr`], but a closure is kept to be called later.
    pub(super) fn kept(&mut self, expr: &Expr) -> Value {
        match expr {
            Expr::Closure(closure) => Value::of(Kind::Closure(Rc::new(closure.clone()))),
            other => self.expr(other),
        }
    }

    pub(super) fn expr(&mut self, expr: &Expr) -> Value {
        self.steps = self.steps.saturating_add(1);
        if self.depth >= DEPTH || self.steps > STEPS {
            return Value::default();
        }
        self.depth += 1;
        let value = self.known_expr(expr);
        self.depth -= 1;
        value
    }

    pub(super) fn known_expr(&mut self, expr: &Expr) -> Value {
        match expr {
            Expr::Lit(literal) => self.literal(&literal.lit),
            Expr::Path(path) => match path.path.get_ident().map(ToString::to_string) {
                Some(name) => match self.lookup(&name) {
                    Some(value) => value.clone(),
                    None => Value::of(Kind::Path(self.resolved(&path.path).into())),
                },
                None => {
                    let last =
                        path.path.segments.last().map(|part| part.ident.to_string()).unwrap_or_default();
                    match self.statics.get(&last) {
                        Some(value) => value.clone(),
                        None => Value::of(Kind::Path(self.resolved(&path.path).into())),
                    }
                }
            },
            Expr::Paren(inner) => self.expr(&inner.expr),
            Expr::Group(inner) => self.expr(&inner.expr),
            Expr::Reference(inner) => self.expr(&inner.expr),
            Expr::RawAddr(inner) => self.expr(&inner.expr),
            Expr::Try(inner) => self.expr(&inner.expr),
            Expr::Await(inner) => self.expr(&inner.base),
            Expr::Cast(inner) => self.expr(&inner.expr),
            Expr::Unary(inner) => {
                let value = self.expr(&inner.expr);
                match inner.op {
                    syn::UnOp::Deref(_) => value,
                    _ => value.blurred(),
                }
            }
            Expr::Block(inner) => self.block(&inner.block),
            Expr::Unsafe(inner) => self.block(&inner.block),
            Expr::Async(inner) => self.block(&inner.block),
            Expr::Const(inner) => self.block(&inner.block),
            Expr::TryBlock(inner) => self.block(&inner.block),
            Expr::Closure(closure) => self.closure(closure, &[]),
            Expr::Array(list) => self.list(list.elems.iter()),
            Expr::Tuple(list) => self.list(list.elems.iter()),
            Expr::Repeat(inner) => self.expr(&inner.expr).blurred(),
            Expr::Struct(part) => {
                let mut taint = Taint::default();
                for field in &part.fields {
                    let value = self.expr(&field.expr);
                    taint = taint.with(&value.taint);
                    if let syn::Member::Named(name) = &field.member {
                        let known = self.fields.entry(name.to_string()).or_default();
                        *known = value.or(known);
                    }
                }
                if let Some(rest) = &part.rest {
                    taint = taint.with(&self.expr(rest).taint);
                }
                Value::from(taint)
            }
            Expr::Field(field) => {
                let object = self.expr(&field.base);
                match (&field.member, &object.kind) {
                    (syn::Member::Named(name), _) => {
                        let known = self.fields.get(&name.to_string()).cloned().unwrap_or_default();
                        known.tainted(&object.taint)
                    }
                    (syn::Member::Unnamed(at), Kind::List(all)) => {
                        all.get(at.index as usize).cloned().unwrap_or_else(|| object.blurred())
                    }
                    _ => object,
                }
            }
            Expr::Index(index) => {
                let object = self.expr(&index.expr);
                let key = self.expr(&index.index);
                match (&object.kind, key.as_int()) {
                    (Kind::List(all), Some(at)) => usize::try_from(at)
                        .ok()
                        .and_then(|at| all.get(at).cloned())
                        .unwrap_or_else(|| object.blurred()),
                    _ => object.blurred(),
                }
            }
            Expr::Binary(binary) => self.binary(binary),
            Expr::Assign(assign) => {
                let value = self.kept(&assign.right);
                self.put(&assign.left, value, false);
                Value::default()
            }
            Expr::If(branch) => {
                self.scopes.push(HashMap::new());
                let test = self.expr(&branch.cond);
                let gates = self.gates;
                self.gates |= test.gates;
                let mut value = self.aside(|this| this.block(&branch.then_branch));
                if let Some((_, other)) = &branch.else_branch {
                    let other = self.aside(|this| this.expr(other));
                    value = value.or(&other);
                }
                self.gates = gates;
                self.scopes.pop();
                value.gated(test.gates)
            }
            Expr::Let(part) => {
                let value = self.expr(&part.expr);
                self.bind(&part.pat, &value);
                Value::default().gated(value.gates)
            }
            Expr::Match(part) => {
                let subject = self.expr(&part.expr);
                let gates = self.gates;
                self.gates |= subject.gates;
                let mut all: Option<Value> = None;
                for arm in &part.arms {
                    self.scopes.push(HashMap::new());
                    self.bind(&arm.pat, &subject);
                    let value = self.aside(|this| this.expr(&arm.body));
                    self.scopes.pop();
                    all = Some(all.map_or_else(|| value.clone(), |all| all.or(&value)));
                }
                self.gates = gates;
                all.unwrap_or_default()
            }
            Expr::ForLoop(part) => {
                let iter = self.expr(&part.expr);
                self.rec.settle(&iter.taint);
                if let Kind::List(items) = &iter.kind
                    && self.loops < 2
                    && items.len() <= UNROLLED
                    && items.iter().all(|item| item.as_text().is_some() || item.as_int().is_some())
                {
                    // A short list of constants is passed as often as Rust would pass it.
                    self.unrolled(part, &Rc::clone(items));
                    return Value::default();
                }
                let item = element(&iter);
                self.scopes.push(HashMap::new());
                self.bind(&part.pat, &item);
                self.repeat(&part.body);
                if let (Expr::MethodCall(call), Pat::Ident(name)) = (&*part.expr, &*part.pat)
                    && call.method.to_string().ends_with("_mut")
                {
                    // What the body made of each element is what the whole is made of.
                    let made = self
                        .lookup(&name.ident.to_string())
                        .map(|value| value.taint.clone())
                        .unwrap_or_default();
                    self.enrich(&call.receiver, &made);
                }
                self.scopes.pop();
                Value::default()
            }
            Expr::While(part) => {
                self.scopes.push(HashMap::new());
                let test = self.expr(&part.cond);
                let gates = self.gates;
                self.gates |= test.gates;
                self.repeat(&part.body);
                self.gates = gates;
                self.scopes.pop();
                Value::default()
            }
            Expr::Loop(part) => {
                self.repeat(&part.body);
                Value::default()
            }
            Expr::Return(part) => {
                let value = part.expr.as_deref().map(|value| self.expr(value)).unwrap_or_default();
                if let Some(known) = self.returned.last_mut() {
                    *known = known.or(&value);
                }
                Value::default()
            }
            Expr::Break(part) => part.expr.as_deref().map(|value| self.expr(value)).unwrap_or_default(),
            Expr::Range(part) => {
                for bound in [&part.start, &part.end].into_iter().flatten() {
                    self.expr(bound);
                }
                Value::default()
            }
            Expr::Macro(part) => self.mac(&part.mac),
            Expr::Call(call) => self.call(call),
            Expr::MethodCall(call) => self.method_call(call),
            Expr::Yield(part) => part.expr.as_deref().map(|value| self.expr(value)).unwrap_or_default(),
            _ => Value::default(),
        }
    }

    fn unrolled(&mut self, part: &syn::ExprForLoop, items: &Rc<[Value]>) {
        self.loops += 1;
        for item in items.iter() {
            if self.steps > STEPS / 2 {
                break;
            }
            self.scopes.push(HashMap::new());
            self.bind(&part.pat, item);
            self.aside(|this| this.block(&part.body));
            self.scopes.pop();
        }
        self.loops -= 1;
    }

    pub(super) fn repeat(&mut self, body: &Block) {
        self.loops += 1;
        let times = if self.loops <= 2 && self.steps < STEPS / 2 { 2 } else { 1 };
        for _ in 0..times {
            self.aside(|this| this.block(body));
        }
        self.loops -= 1;
    }

    pub(super) fn list<'e>(&mut self, parts: impl Iterator<Item = &'e Expr>) -> Value {
        let all: Vec<Value> = parts.take(1 << 16).map(|part| self.expr(part)).collect();
        let bytes: Option<Vec<u8>> = if all.len() > 8 {
            all.iter().map(|item| u8::try_from(item.as_int()?).ok()).collect()
        } else {
            None
        };
        match bytes {
            Some(bytes) => Value::of(Kind::Bytes(bytes.into())),
            None => Value::list(all),
        }
    }

    pub(super) fn literal(&mut self, literal: &Lit) -> Value {
        match literal {
            Lit::Str(text) => {
                let value = text.value();
                self.telling(&value, text.span(), false);
                if self.makes_code && value.contains("::") {
                    self.layer(&value, u64::try_from(text.span().byte_range().start).unwrap_or(0));
                }
                self.big(Value::text(&value), value.as_bytes(), text.span())
            }
            Lit::ByteStr(bytes) => {
                let value = bytes.value();
                if let Ok(text) = std::str::from_utf8(&value) {
                    self.telling(text, bytes.span(), false);
                }
                self.big(Value::of(Kind::Bytes(value.as_slice().into())), &value, bytes.span())
            }
            Lit::CStr(text) => {
                let value = text.value().to_string_lossy().into_owned();
                self.telling(&value, text.span(), false);
                Value::text(&value)
            }
            Lit::Byte(byte) => Value::of(Kind::Int(i64::from(byte.value()))),
            Lit::Char(c) => Value::text(c.value().encode_utf8(&mut [0; 4])),
            Lit::Int(int) => {
                int.base10_parse::<i64>().map_or_else(|_| Value::default(), |int| Value::of(Kind::Int(int)))
            }
            Lit::Bool(value) => Value::of(Kind::Int(i64::from(value.value))),
            _ => Value::default(),
        }
    }

    pub(super) fn big(&mut self, value: Value, bytes: &[u8], span: proc_macro2::Span) -> Value {
        if bytes.len() <= 4096 || !super::super::python::is_dense(bytes) {
            return value;
        }
        let begin = String::from_utf8_lossy(bytes.get(..64).unwrap_or_default()).into_owned();
        let site = self.site(span);
        let taint = self.rec.lazy_source(What::BigConstant, &begin, &site);
        value.tainted(&taint)
    }

    /// Puts down a text that is telling.
    pub(super) fn telling(&mut self, text: &str, span: proc_macro2::Span, folded: bool) {
        if is_telling(text) {
            let site = Site { folded, ..self.site(span) };
            self.rec.fact(What::Text, text, &site);
        }
    }

    /// As [`Follow::telling`], where no span is known.
    pub(super) fn telling_at(&mut self, text: &str, offset: u64) {
        if is_telling(text) {
            let site = self.site_at(offset);
            self.rec.fact(What::Text, text, &site);
        }
    }

    pub(super) fn binary(&mut self, binary: &syn::ExprBinary) -> Value {
        // Chains lean to the left; they are walked, not descended.
        let mut parts = vec![binary];
        while let Some(Expr::Binary(left)) = parts.last().map(|binary| &*binary.left) {
            parts.push(left);
        }
        let Some(first) = parts.last() else { return Value::default() };
        let mut value = self.expr(&first.left);
        for binary in parts.iter().rev() {
            let right = self.expr(&binary.right);
            value = self.operator(&value, binary, &right);
        }
        value
    }

    pub(super) fn operator(&mut self, left: &Value, binary: &syn::ExprBinary, right: &Value) -> Value {
        use syn::BinOp;
        let both = Value { kind: Kind::Unknown, ..left.or(right) };
        let ints = left.as_int().zip(right.as_int());
        match binary.op {
            BinOp::Add(_) => {
                if let Some((a, b)) = ints {
                    return a.checked_add(b).map_or(both, |sum| Value::of(Kind::Int(sum)));
                }
                if matches!(left.kind, Kind::Text { .. }) {
                    let text = format!("{}{}", left.shown(), right.shown());
                    let exact = left.as_text().is_some() && right.as_text().is_some();
                    return Value { kind: Kind::Text { text: text.into(), exact }, ..both };
                }
                both
            }
            BinOp::Sub(_) => match ints {
                Some((a, b)) => a.checked_sub(b).map_or(both, |difference| Value::of(Kind::Int(difference))),
                None => both,
            },
            BinOp::BitXor(_) | BinOp::BitXorAssign(_) => {
                let mut value = match ints {
                    Some((a, b)) => Value::of(Kind::Int(a ^ b)).fold(true),
                    None => both.clone(),
                };
                if self.loops > 0 {
                    let site = self.site(binary.op.span());
                    let taint = self.decoder("xor", &both.taint, &site);
                    value.taint = taint.clone();
                    if matches!(binary.op, BinOp::BitXorAssign(_)) {
                        self.enrich(&binary.left, &taint);
                    }
                }
                value
            }
            BinOp::BitOr(_) => match (&left.kind, &right.kind) {
                (Kind::Path(a), Kind::Path(b)) => {
                    Value { kind: Kind::Path(format!("{a}|{b}").into()), ..both }
                }
                (Kind::Int(a), Kind::Int(b)) => Value::of(Kind::Int(a | b)),
                _ => both,
            },
            BinOp::AddAssign(_) | BinOp::BitOrAssign(_) | BinOp::SubAssign(_) => {
                let sum = if matches!(left.kind, Kind::Text { .. }) {
                    let text = format!("{}{}", left.shown(), right.shown());
                    Value { kind: Kind::Text { text: text.into(), exact: false }, ..both }
                } else {
                    both
                };
                self.put(&binary.left, sum, true);
                Value::default()
            }
            BinOp::And(_)
            | BinOp::Or(_)
            | BinOp::Eq(_)
            | BinOp::Ne(_)
            | BinOp::Lt(_)
            | BinOp::Gt(_)
            | BinOp::Le(_)
            | BinOp::Ge(_) => Value::default().gated(left.gates | right.gates),
            _ => both,
        }
    }

    /// Puts down a decoder and what reaches it, and gives what comes out.
    pub(super) fn decoder(&mut self, kind: &str, input: &Taint, site: &Site) -> Taint {
        let out = self.rec.source(What::Decode, kind, site);
        if let Some(fact) = self.rec.fact(What::Decode, kind, site) {
            self.rec.arrive(input, fact);
        }
        out.with(&input.decoded())
    }

    /// Puts down what is done with a value, and which sources arrive there.
    pub(super) fn sink(&mut self, what: What, detail: &str, site: &Site, taint: &Taint) -> Option<u32> {
        let fact = self.rec.fact(what, detail, site)?;
        self.rec.arrive(taint, fact);
        if matches!(what, What::Exec | What::ExecDetached | What::LibraryLoad | What::MakeExecutable) {
            let kept = self.rec.kept_in(detail);
            self.rec.arrive(&kept, fact);
        }
        Some(fact)
    }

    pub(super) fn call(&mut self, call: &syn::ExprCall) -> Value {
        let callee = match &*call.func {
            Expr::Path(path)
                if path.path.get_ident().is_none_or(|name| self.lookup(&name.to_string()).is_none()) =>
            {
                Value::of(Kind::Path(self.resolved(&path.path).into()))
            }
            other => self.expr(other),
        };
        let args = self.arguments(&call.args, &Taint::default());
        let site = self.site(call.func.span());
        match &callee.kind {
            Kind::Path(path) => {
                let path = Rc::clone(path);
                self.function(&path, &args, call, &site)
            }
            Kind::Closure(closure) => {
                let closure = Rc::clone(closure);
                self.closure(&closure, &args)
            }
            _ => Value::from(args.iter().fold(callee.taint.clone(), |all, value| all.with(&value.taint))),
        }
    }

    /// Arguments; closures among them are followed at once, with what is known of the others.
    pub(super) fn arguments(
        &mut self,
        args: &syn::punctuated::Punctuated<Expr, syn::Token![,]>,
        with: &Taint,
    ) -> Vec<Value> {
        let mut all = Vec::with_capacity(args.len().min(64));
        let mut taint = with.clone();
        for part in args {
            let value = match part {
                Expr::Closure(closure) => self.closure(closure, &[Value::from(taint.clone())]),
                other => self.expr(other),
            };
            taint = taint.with(&value.taint);
            all.push(value);
        }
        all
    }

    pub(super) fn method_call(&mut self, call: &syn::ExprMethodCall) -> Value {
        let receiver = self.expr(&call.receiver);
        let name = call.method.to_string();
        let site = self.site(call.method.span());
        if let Some(value) = self.element_wise(&receiver, &name, call) {
            return value;
        }
        if HANDING.contains(&name.as_str())
            && name != "unwrap_or_else"
            && let Some(Expr::Closure(closure)) = call.args.last()
        {
            let mut all = Value::from(receiver.taint.clone()).gated(receiver.gates);
            if name.starts_with("map_or")
                && let Some(other) = call.args.first()
            {
                all = all.or(&self.expr(other));
            }
            let value = self.closure(closure, std::slice::from_ref(&receiver));
            return match name.as_str() {
                "inspect" | "tap" => receiver,
                _ => value.or(&all),
            };
        }
        let args = self.arguments(&call.args, &receiver.taint);
        let places = Places { receiver: &call.receiver, args: call.args.iter().collect() };
        self.method(&receiver, &name, &args, &places, &site)
    }

    /// `iter().map(|b| …)` over a constant: computed one by one.
    pub(super) fn element_wise(
        &mut self,
        receiver: &Value,
        name: &str,
        call: &syn::ExprMethodCall,
    ) -> Option<Value> {
        let (Some(Expr::Closure(closure)), 1) = (call.args.first(), call.args.len()) else { return None };
        if !matches!(name, "map" | "for_each" | "filter_map" | "flat_map") {
            return None;
        }
        self.loops += 1;
        let items: Option<Vec<Value>> = match &receiver.kind {
            Kind::Bytes(bytes) if bytes.len() <= COMPUTED => {
                Some(bytes.iter().map(|byte| Value::of(Kind::Int(i64::from(*byte)))).collect())
            }
            Kind::List(all) if all.len() <= COMPUTED => Some(all.to_vec()),
            _ => None,
        };
        self.rec.settle(&receiver.taint);
        let value = match items {
            Some(items) => {
                let mut all = Vec::with_capacity(items.len());
                for item in items {
                    all.push(self.closure(closure, &[item]));
                    if self.steps > STEPS / 2 {
                        break;
                    }
                }
                Value::list(all)
            }
            None => {
                let value = self.closure(closure, &[element(receiver)]);
                match (&receiver.kind, &value.kind) {
                    // `Option` and `Result` of something: what the closure made of it.
                    (Kind::Made(_) | Kind::Text { .. }, _) if name == "map" => value,
                    _ => value.blurred(),
                }
            }
        };
        self.loops -= 1;
        Some(value.tainted(&receiver.taint))
    }
}

/// Where the receiver and the arguments of a method stand.
pub(super) struct Places<'p> {
    pub(super) receiver: &'p Expr,
    pub(super) args: Vec<&'p Expr>,
}

fn is_telling(text: &str) -> bool {
    (4..=CONSTANT_BYTES).contains(&text.len()) && super::super::words::is_telling(text)
}
