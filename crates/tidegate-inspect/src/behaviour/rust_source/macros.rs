//! Follows macros: formatting, constants of the build, included files; others by the expressions or statements within.

use proc_macro2::{Spacing, TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::{Block, Expr};

use super::super::braces::{self, Field};
use super::super::facts::{Scope, What};
use super::super::record::{Site, Taint};
use super::follow::Follow;
use super::value::{CONSTANT_BYTES, Kind, Thing, Value};

/// Texts of one file that are read as code that they become.
pub(super) const LAYERS: usize = 24;

/// Bytes of such a text.
const LAYER_BYTES: usize = 64 << 10;

/// Tokens of a macro with a syntax of its own that are looked at.
const LOOSE_TOKENS: usize = 20_000;

impl Follow<'_> {
    pub(super) fn mac(&mut self, mac: &syn::Macro) -> Value {
        let name = mac.path.segments.last().map(|part| part.ident.to_string()).unwrap_or_default();
        let span = mac.path.span();
        let exprs = mac
            .parse_body_with(syn::punctuated::Punctuated::<Expr, syn::Token![,]>::parse_terminated)
            .map(|all| all.into_iter().collect::<Vec<Expr>>());
        match (name.as_str(), exprs) {
            ("format" | "concat" | "write" | "writeln" | "format_args", Ok(parts)) => {
                let skip = usize::from(name.starts_with("write"));
                let values: Vec<Value> = parts.iter().map(|part| self.expr(part)).collect();
                let text = if name == "concat" {
                    self.concatenated(&values)
                } else {
                    self.formatted(values.get(skip..).unwrap_or_default())
                };
                if let Kind::Text { text, .. } = &text.kind {
                    self.telling(text, span, false);
                }
                if skip == 1
                    && let (Some(target), Some(place)) = (values.first(), parts.first())
                {
                    self.written(target, &text.taint, span);
                    self.enrich(place, &text.taint);
                }
                text
            }
            ("env" | "option_env", Ok(parts)) => {
                let name = parts.first().map(|part| self.expr(part)).unwrap_or_default();
                let site = self.site(span);
                self.variable(&name, &site)
            }
            ("include_str" | "include_bytes", Ok(parts)) => {
                let path =
                    parts.first().map(|part| self.expr(part).shown()).unwrap_or_else(|| "*".to_owned());
                let site = self.site(span);
                let taint = self.rec.source(What::FileRead, &path, &site);
                Value::from(taint)
            }
            ("include", Ok(parts)) => {
                let path =
                    parts.first().map(|part| self.expr(part).shown()).unwrap_or_else(|| "*".to_owned());
                let scope = if self.calls.is_empty() { Scope::Load } else { self.scope };
                self.rec.import(&path, scope);
                Value::default()
            }
            ("vec", Ok(parts)) => self.list(parts.iter()),
            ("quote" | "quote_spanned" | "parse_quote", _) => {
                // What a macro makes runs in the program of whoever uses it.
                let site = self.site(span);
                self.layer(&plain_code(mac.tokens.clone(), 0), site.offset);
                Value::default()
            }
            ("matches" | "assert" | "assert_eq" | "assert_ne" | "debug_assert" | "cfg", _) => {
                Value::default()
            }
            (_, Ok(parts)) => {
                let taint = parts.iter().fold(Taint::default(), |all, part| all.with(&self.expr(part).taint));
                Value::from(taint)
            }
            _ => match mac.parse_body_with(Block::parse_within) {
                Ok(statements) => {
                    let block = Block { brace_token: syn::token::Brace::default(), stmts: statements };
                    self.block(&block)
                }
                Err(_) => Value::from(self.loose(mac.tokens.clone(), 0)),
            },
        }
    }

    /// What flows into a macro with a syntax of its own (`json!`): the expressions that stand within.
    fn loose(&mut self, tokens: TokenStream, depth: u32) -> Taint {
        let mut taint = Taint::default();
        let mut part = TokenStream::new();
        let mut inner: Vec<TokenStream> = Vec::new();
        let mut parts: Vec<(TokenStream, Vec<TokenStream>)> = Vec::new();
        for token in tokens.into_iter().take(LOOSE_TOKENS) {
            match &token {
                TokenTree::Punct(mark)
                    if matches!(mark.as_char(), ',' | ';')
                        || mark.as_char() == ':' && mark.spacing() == Spacing::Alone =>
                {
                    parts.push((std::mem::take(&mut part), std::mem::take(&mut inner)));
                    continue;
                }
                TokenTree::Group(group) => inner.push(group.stream()),
                _ => {}
            }
            part.extend([token]);
        }
        parts.push((part, inner));
        for (part, inner) in parts {
            match syn::parse2::<Expr>(part) {
                Ok(expr) if !matches!(expr, Expr::Block(_)) => taint = taint.with(&self.expr(&expr).taint),
                _ if depth < 16 => {
                    for tokens in inner {
                        taint = taint.with(&self.loose(tokens, depth + 1));
                    }
                }
                _ => {}
            }
        }
        self.rec.settle(&taint);
        taint
    }

    /// Keeps a text that becomes code elsewhere.
    pub(super) fn layer(&mut self, text: &str, offset: u64) {
        let is_code = (24..LAYER_BYTES).contains(&text.len()) && text.contains("::") && text.contains('(');
        if is_code && self.layers.len() < LAYERS && !self.layers.iter().any(|(known, _)| known == text) {
            self.layers.push((text.to_owned(), offset));
        }
    }

    pub(super) fn concatenated(&mut self, parts: &[Value]) -> Value {
        let mut whole = Value::list(parts.to_vec());
        let text: String = parts.iter().map(Value::shown).collect();
        let exact = parts.iter().all(|part| part.as_text().is_some() || part.as_int().is_some());
        whole.kind = Kind::Text { text: text.into(), exact };
        whole
    }

    /// `format!`: `*` for what is not known.
    pub(super) fn formatted(&mut self, parts: &[Value]) -> Value {
        let Some((pattern, given)) = parts.split_first() else { return Value::default() };
        let mut taint = Taint::default();
        let mut exact = pattern.as_text().is_some();
        let out = braces::filled(&pattern.shown(), CONSTANT_BYTES, |field| {
            let value = match field {
                Field::At(at) => given.get(at).cloned(),
                Field::Named(name) => self.lookup(name).cloned(),
            };
            let value = value.unwrap_or_default();
            self.rec.settle(&value.taint);
            taint = taint.with(&value.taint);
            exact &= value.as_text().is_some() || value.as_int().is_some();
            value.shown()
        });
        // Named arguments are assignments to the parser; what they carry is in their values all the same.
        for value in given {
            taint = taint.with(&value.taint);
        }
        Value::of(Kind::Text { text: out.into(), exact }).tainted(&taint)
    }

    /// An environment variable is read.
    pub(super) fn variable(&mut self, name: &Value, site: &Site) -> Value {
        let text = name.as_text().unwrap_or_default();
        let taint = self.rec.source(What::EnvRead, text, site);
        let value = match (text, super::super::python::folder_of_variable(text)) {
            ("CARGO_HOME", _) => Value::text("~/.cargo"),
            ("RUSTUP_HOME", _) => Value::text("~/.rustup"),
            // The package's own folder, wherever that is.
            ("CARGO_MANIFEST_DIR", _) => Value::text("%PACKAGE%"),
            (_, Some(folder)) => Value::text(folder),
            _ => Value::default(),
        };
        value.tainted(&taint).gated(super::super::python::gates_of_variable(text))
    }

    /// Something is written to a target of writing: file, socket, the input of a process.
    pub(super) fn written(&mut self, target: &Value, taint: &Taint, span: proc_macro2::Span) {
        let Some(made) = target.as_made() else { return };
        match made.what {
            Thing::File => {
                if let Some(fact) = made.fact {
                    self.rec.arrive(taint, fact);
                    self.rec.keep(&Taint::default(), &made.about, taint);
                }
            }
            Thing::Socket | Thing::Request => {
                let site = self.site(span);
                self.sink(What::NetSend, &made.about, &site, taint);
            }
            Thing::Child => {
                let site = self.site(span);
                self.sink(What::Exec, &made.about, &site, taint);
            }
            _ => {}
        }
    }
}

/// The code that a quotation makes, with names where values are filled in.
fn plain_code(tokens: TokenStream, depth: u32) -> String {
    let mut out = String::new();
    let mut tokens = tokens.into_iter().take(LOOSE_TOKENS).peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == '#' => match tokens.peek() {
                // `#name` stands for a value, `#( … )*` for any number of what is within.
                Some(TokenTree::Ident(_)) => {}
                Some(TokenTree::Group(group)) if group.delimiter() == proc_macro2::Delimiter::Parenthesis => {
                    if depth < 16 {
                        out.push_str(&plain_code(group.stream(), depth + 1));
                    }
                    tokens.next();
                    while matches!(tokens.peek(), Some(TokenTree::Punct(mark)) if matches!(mark.as_char(), ',' | '*' | ';'))
                    {
                        tokens.next();
                    }
                    out.push(' ');
                }
                _ => out.push('#'),
            },
            TokenTree::Punct(mark) => {
                out.push(mark.as_char());
                if mark.spacing() == Spacing::Alone {
                    out.push(' ');
                }
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    proc_macro2::Delimiter::Parenthesis => ("(", ")"),
                    proc_macro2::Delimiter::Brace => ("{", "}"),
                    proc_macro2::Delimiter::Bracket => ("[", "]"),
                    proc_macro2::Delimiter::None => ("", ""),
                };
                out.push_str(open);
                if depth < 64 {
                    out.push_str(&plain_code(group.stream(), depth + 1));
                }
                out.push_str(close);
                out.push(' ');
            }
            other => {
                out.push_str(&other.to_string());
                out.push(' ');
            }
        }
    }
    out
}
