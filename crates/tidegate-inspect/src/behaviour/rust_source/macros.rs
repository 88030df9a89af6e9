//! Follows macros: formatting, constants of the build, included files; others by the expressions or statements within.

use syn::spanned::Spanned as _;
use syn::{Block, Expr};

use super::super::facts::What;
use super::super::record::{Site, Taint};
use super::follow::Follow;
use super::value::{CONSTANT_BYTES, Kind, Thing, Value};

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
                self.rec.import(&path, self.scope);
                Value::default()
            }
            ("vec", Ok(parts)) => self.list(parts.iter()),
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
                Err(_) => Value::default(),
            },
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
        let mut out = String::new();
        let mut taint = Taint::default();
        let mut exact = pattern.as_text().is_some();
        let mut next = 0;
        let pattern = pattern.shown();
        let mut rest = pattern.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '{' if rest.next_if_eq(&'{').is_some() => out.push('{'),
                '}' => {
                    rest.next_if_eq(&'}');
                    out.push('}');
                }
                '{' => {
                    let field: String = rest.by_ref().take_while(|c| *c != '}').collect();
                    let name = field.split(':').next().unwrap_or_default();
                    let value = if name.is_empty() {
                        next += 1;
                        given.get(next - 1).cloned()
                    } else if let Ok(at) = name.parse::<usize>() {
                        given.get(at).cloned()
                    } else {
                        self.lookup(name).cloned()
                    };
                    let value = value.unwrap_or_default();
                    self.rec.settle(&value.taint);
                    taint = taint.with(&value.taint);
                    exact &= value.as_text().is_some() || value.as_int().is_some();
                    out.push_str(&value.shown());
                }
                c => out.push(c),
            }
            if out.len() > CONSTANT_BYTES {
                break;
            }
        }
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
        let value = match super::super::python::folder_of_variable(text) {
            Some(folder) => Value::text(folder),
            None => Value::default(),
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
