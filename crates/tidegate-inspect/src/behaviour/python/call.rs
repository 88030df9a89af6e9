//! Calls and attributes: what is called, whether it is of the file or of a library, and what comes back.

use std::rc::Rc;

use ruff_python_ast::{self as ast, Expr};

use super::super::facts::{Scope, What};
use super::super::record::{Site, Taint};
use super::interp::Interp;
use super::value::{Args, Func, Kind, Value};
use super::{fold, names};

impl<'a> Interp<'a> {
    /// A name that nobody in the file gave a value to.
    pub(super) fn builtin(&self, name: &str) -> Value<'a> {
        match name {
            "__builtins__" | "__builtin__" => Value::name("builtins"),
            "__file__" => Value::partly("*/__file__"),
            "__name__" => Value::default(),
            _ if names::is_builtin(name) => Value::name(&format!("builtins.{name}")),
            _ => Value::default(),
        }
    }

    /// An attribute of a value. `called` tells that it is about to be called.
    pub(super) fn attribute(
        &mut self,
        object: &Value<'a>,
        attr: &str,
        site: &Site,
        called: bool,
    ) -> Value<'a> {
        match &object.kind {
            Kind::Name(name, Some(module)) if &**name == "importlib.util.find_spec()" && !called => {
                let file = if attr == "submodule_search_locations" { "" } else { "/__init__.py" };
                Value::partly(&format!("*/site-packages/{}{file}", module.replace('.', "/")))
            }
            Kind::Name(name, None)
                if matches!(attr, "__file__" | "__path__" | "__spec__")
                    && !called
                    && !name.contains(['(', '[']) =>
            {
                // Where another module lies. Modules of the standard library lie elsewhere, but nobody writes there either.
                let file = if attr == "__file__" { "/__init__.py" } else { "" };
                let path =
                    format!("*/site-packages/{}{file}", name.trim_start_matches('.').replace('.', "/"));
                let path = if name.starts_with('.') { "*".to_owned() } else { path };
                Value::partly(&path)
            }
            Kind::Name(name, about) => {
                let whole = format!("{name}.{attr}");
                let whole = names::canonical(&whole).unwrap_or(whole);
                if !called && let Some(value) = self.library_constant(&whole, site) {
                    return value.tainted(&object.taint);
                }
                let kind = Kind::Name(fold::capped(&whole), about.clone());
                Value { kind, ..object.clone() }
            }
            Kind::Object(class) | Kind::Class(class) => {
                let class = *class;
                if attr == "__class__" {
                    return Value::of(Kind::Class(class));
                }
                match self.member(class, attr) {
                    Some(value) => self.bound(value, object, class),
                    None => match self.library_bases(class).first() {
                        Some(base) => {
                            let whole = format!("{base}().{attr}");
                            let whole = names::canonical(&whole).unwrap_or(whole);
                            Value { kind: Kind::Name(fold::capped(&whole), None), ..object.clone() }
                        }
                        None => object.blurred(),
                    },
                }
            }
            Kind::Text { .. } if matches!(attr, "parent" | "name" | "stem" | "suffix") && !called => Value {
                kind: Kind::Text { text: fold::path_part(&object.shown(), attr), exact: false },
                ..object.clone()
            },
            Kind::File(_, path) if attr == "name" => (**path).clone(),
            _ if called => {
                Value { kind: Kind::Method(Rc::new((object.clone(), attr.into()))), ..object.blurred() }
            }
            Kind::Text { .. } | Kind::Bytes(_) | Kind::List(_) | Kind::Dict(_)
                if names::is_text_method(attr) =>
            {
                Value { kind: Kind::Method(Rc::new((object.clone(), attr.into()))), ..object.blurred() }
            }
            Kind::Func(_) if matches!(attr, "__code__" | "__func__" | "__wrapped__") => object.clone(),
            _ => object.blurred(),
        }
    }

    /// A member as seen through an object.
    fn bound(&mut self, value: Value<'a>, object: &Value<'a>, class: u32) -> Value<'a> {
        match &value.kind {
            Kind::Func(func) if func.class.is_some() => {
                let me = match object.kind {
                    Kind::Class(_) if !func.property => return value,
                    _ => Value::of(Kind::Object(class)),
                };
                let func = Func { bound: Some(me), ..(**func).clone() };
                if func.property {
                    return self.invoke(&func, &Args::default(), false);
                }
                Value { kind: Kind::Func(Rc::new(func)), ..value }
            }
            _ => value,
        }
    }

    /// Calls a value.
    pub(super) fn apply(&mut self, callee: &Value<'a>, args: &Args<'a>, site: &Site) -> Value<'a> {
        let mut site = site.clone();
        site.folded |= callee.folded;
        match &callee.kind {
            Kind::Func(func) => self.invoke(func, args, false).tainted(&callee.taint),
            Kind::Class(class) => self.create(*class, args, &site),
            Kind::Object(class) => match self.call_member(*class, "__call__", args) {
                Some(value) => value,
                None => Value::from(callee.taint.with(&args.taint())),
            },
            Kind::Name(name, about) => {
                let known = self.library(name, about.as_ref(), callee, args, &site);
                match known {
                    Some(value) => value,
                    None => self.unknown_call(name, about.as_ref(), callee, args, &site),
                }
            }
            Kind::Method(method) => {
                let (object, name) = &**method;
                self.method(object, name, args, &site)
            }
            Kind::Partial(partial) => {
                let (callee, begun) = &**partial;
                let mut all = begun.clone();
                all.pos.extend(args.pos.iter().cloned());
                all.kw.extend(args.kw.iter().cloned());
                all.rest = all.rest.with(&args.rest);
                self.apply(callee, &all, &site)
            }
            _ => {
                self.run_given(args, &site);
                Value::from(callee.taint.with(&args.taint())).gated(args.gates())
            }
        }
    }

    fn create(&mut self, class: u32, args: &Args<'a>, site: &Site) -> Value<'a> {
        for name in ["__new__", "__init__", "__post_init__"] {
            self.call_member(class, name, args);
        }
        let bases = self.library_bases(class);
        let taint = args.taint();
        if self.member(class, "__init__").is_none() && !bases.is_empty() {
            self.written_by(args, site);
        }
        Value::of(Kind::Object(class)).tainted(&taint)
    }

    /// A call of something of which nothing is known but its name: arguments go through.
    fn unknown_call(
        &mut self,
        name: &str,
        about: Option<&Rc<str>>,
        callee: &Value<'a>,
        args: &Args<'a>,
        site: &Site,
    ) -> Value<'a> {
        self.run_given(args, site);
        self.written_by(args, site);
        let about = about.cloned().or_else(|| {
            let first = args.pos.first().or_else(|| {
                ["url", "uri", "host", "base_url", "path", "token"].iter().find_map(|name| args.named(name))
            })?;
            let text = first.shown();
            (&*text != "*" && text.len() <= 512).then_some(text)
        });
        let result = fold::capped(&format!("{name}()"));
        let given = callee.taint.with(&args.taint());
        let back = match names::may_be_own(name) {
            true => self.rec.call_out(name, &given, site),
            false => Taint::default(),
        };
        Value {
            kind: Kind::Name(result, about),
            taint: given.with(&back),
            gates: callee.gates | args.gates(),
            folded: false,
        }
    }

    /// Functions of the file that are handed to somebody who will run them at once or in a thread.
    fn run_given(&mut self, args: &Args<'a>, _site: &Site) {
        // Only functions without a known name are handed to unknown callees here: they are looked at in the scope `Call`
        // later, unless nobody else calls them. Lambdas are mostly run by the callee with parts of the other arguments.
        for value in args.values() {
            if let Kind::Func(func) = &value.kind
                && matches!(func.code, super::value::Code::Lambda(_))
                && self.scope == Scope::Call
            {
                let given = Args { pos: vec![Value::from(args.taint())], ..Args::default() };
                self.invoke(func, &given, false);
            }
        }
    }

    /// Runs functions of the file that a library runs: thread targets, callbacks.
    pub(super) fn run_callback(
        &mut self,
        callback: &Value<'a>,
        given: Vec<Value<'a>>,
        site: &Site,
    ) -> Value<'a> {
        let args = Args { pos: given, ..Args::default() };
        match &callback.kind {
            Kind::Unknown | Kind::Text { .. } | Kind::List(_) | Kind::Dict(_) => Value::from(args.taint()),
            _ => self.apply(callback, &args, site),
        }
    }

    /// Whatever goes into a call together with an open file is written to it.
    pub(super) fn written_by(&mut self, args: &Args<'a>, _site: &Site) {
        let files: Vec<(u32, Rc<Value<'a>>)> = args
            .values()
            .filter_map(|value| match &value.kind {
                Kind::File(Some(fact), path) => Some((*fact, Rc::clone(path))),
                _ => None,
            })
            .collect();
        for (fact, path) in files {
            let taint = args
                .values()
                .filter(|value| !matches!(value.kind, Kind::File(..)))
                .fold(args.rest.clone(), |all, value| all.with(&value.taint));
            self.write_to(fact, &path, &taint);
        }
    }

    /// Content arrives in a file.
    pub(super) fn write_to(&mut self, fact: u32, path: &Value<'a>, taint: &Taint) {
        if !taint.is_empty() {
            self.rec.arrive(taint, fact);
            self.rec.keep(&path.taint, &fold::path_text(&path.shown()), taint);
        }
    }

    /// A method that puts its arguments into its receiver.
    pub(super) fn changes_receiver(
        &mut self,
        object: &Value<'a>,
        target: &'a Expr,
        method: &str,
        args: &Args<'a>,
        site: &Site,
    ) {
        let taint = args.taint();
        if let Some(name) = object.as_name()
            && let Some(about) = self.becomes(name, method, args)
        {
            let kind = Kind::Name(name.into(), Some(about));
            self.enrich(target, &taint, Some(kind));
            return;
        }
        let _ = site;
        let grows = matches!(
            method,
            "append"
                | "appendleft"
                | "extend"
                | "add"
                | "insert"
                | "update"
                | "setdefault"
                | "put"
                | "put_nowait"
                | "write"
                | "writestr"
                | "writelines"
                | "attach"
                | "push"
                | "set"
                | "set_payload"
                | "add_header"
                | "add_field"
                | "setopt"
                | "writerow"
                | "writerows"
                | "add_embed"
                | "add_file"
                | "add_embed_field"
        );
        if !grows {
            return;
        }
        let kind = match (&object.kind, method, args.pos.first()) {
            (Kind::List(items), "append", Some(item)) if items.len() < 4096 && self.room(items.len() + 1) => {
                let mut items = items.to_vec();
                items.push(item.clone());
                Some(Kind::List(items.into()))
            }
            (Kind::List(items), "extend", Some(Value { kind: Kind::List(more), .. }))
                if items.len() + more.len() < 4096 && self.room(items.len() + more.len()) =>
            {
                Some(Kind::List(items.iter().chain(more.iter()).cloned().collect()))
            }
            _ => None,
        };
        if kind.is_some() || !taint.is_empty() {
            self.enrich(target, &taint, kind);
        }
    }

    /// Calls that put something into one of their arguments: `readinto`, `copyfileobj`, `b64decode_into`.
    pub(super) fn fills_arguments(&mut self, callee: &Value<'a>, node: &'a ast::ExprCall, args: &Args<'a>) {
        let Some(name) = callee.as_name() else { return };
        let (from, to) = match name {
            "shutil.copyfileobj" | "builtins.setattr" => (0, 1),
            "pickle.dump" | "json.dump" | "marshal.dump" => (0, 1),
            "ctypes.memmove" => (1, 0),
            "dict.update" => (1, 0),
            "random.shuffle" => return,
            _ => return,
        };
        let taint = args.pos.get(from).map(|value| value.taint.clone()).unwrap_or_default();
        if let Some(target) = node.arguments.args.get(to)
            && !taint.is_empty()
        {
            self.enrich(target, &taint, None);
        }
    }

    /// What `with x as y` binds.
    pub(super) fn entered(&mut self, value: Value<'a>) -> Value<'a> {
        match value.kind {
            Kind::Object(class) => {
                let given = self.call_member(class, "__enter__", &Args::default());
                match given {
                    Some(given) if !matches!(given.kind, Kind::Unknown) => given,
                    _ => value,
                }
            }
            _ => value,
        }
    }

    /// An element of something of a library.
    pub(super) fn library_item(
        &mut self,
        name: &str,
        about: Option<&Rc<str>>,
        object: &Value<'a>,
        key: &Value<'a>,
        site: &Site,
    ) -> Value<'a> {
        match name {
            "os.environ" | "os.environb" => self.variable(key, site),
            "sys.modules" => match key.as_text() {
                Some(module) => Value::name(module).fold(key.folded),
                None => Value::default(),
            },
            "builtins" | "builtins.__dict__" | "builtins.globals()" | "builtins.locals()"
            | "builtins.vars()" => self.by_name(name, key),
            _ if name.ends_with(".__dict__") => {
                let module = name.trim_end_matches(".__dict__");
                match key.as_text() {
                    Some(attr) => Value::name(&format!("{module}.{attr}")).fold(true),
                    None => Value::default().tainted(&key.taint),
                }
            }
            "sys.argv" => Value::default(),
            _ => {
                let kind = Kind::Name(fold::capped(&format!("{name}[]")), about.cloned());
                Value { kind, ..object.clone() }
            }
        }
    }

    /// A name looked up by its text in the names of the module or of the builtins.
    fn by_name(&self, place: &str, key: &Value<'a>) -> Value<'a> {
        let Some(text) = key.as_text() else { return Value::from(key.taint.clone()) };
        let own = if place.starts_with("builtins.__dict__") || place == "builtins" {
            None
        } else {
            self.lookup(text).cloned()
        };
        own.unwrap_or_else(|| self.builtin(text)).fold(true)
    }

    /// An environment variable is read.
    pub(super) fn variable(&mut self, key: &Value<'a>, site: &Site) -> Value<'a> {
        let name = key.as_text().unwrap_or_default().to_owned();
        let mut site = site.clone();
        site.folded |= key.folded;
        let taint = self.rec.source(What::EnvRead, &name, &site);
        let gates = names::gates_of_variable(&name);
        let value = match names::folder_of_variable(&name) {
            Some(folder) => Value::text(folder),
            None => Value::default(),
        };
        value.tainted(&taint).gated(gates)
    }

    /// Something is assigned to an attribute of a library.
    pub(super) fn library_store(&mut self, place: &str, value: &Value<'a>, node: &'a ast::ExprAttribute) {
        let place = names::canonical(place).unwrap_or_else(|| place.to_owned());
        let site = self.site(node);
        if names::is_message_handler(&place)
            && let Kind::Func(func) = &value.kind
        {
            let func = Func { channel: Some("*".into()), ..(**func).clone() };
            self.invoke(&func, &Args::default(), false);
            return;
        }
        let own = matches!(value.kind, Kind::Func(_) | Kind::Class(_) | Kind::Object(_));
        if own && names::is_hookable(&place) {
            self.rec.fact(What::GlobalHook, &place, &site);
        }
        if own {
            self.replaced(&place, value, &site);
        }
    }

    /// A function of another module was replaced by one of the file: whatever others give it passes here from now on.
    pub(super) fn replaced(&mut self, place: &str, value: &Value<'a>, site: &Site) {
        let is_function = place.contains('.') && !place.contains(['(', '[']) && !place.starts_with("sys.");
        let callable = match &value.kind {
            Kind::Func(_) => is_function.then(|| value.clone()),
            Kind::Object(class) if is_function => self.member(*class, "__call__"),
            _ => None,
        };
        if let Some(Value { kind: Kind::Func(func), .. }) = callable {
            let taint =
                self.rec.lazy_source(What::Tapped, &format!("hook {place}{}", what_passes(place)), site);
            self.invoke(&func, &Args { rest: taint, ..Args::default() }, false);
        }
    }

    /// Something is put into a container of a library.
    pub(super) fn library_element(&mut self, place: &str, key: &Value<'a>, value: &Value<'a>, site: &Site) {
        match place {
            "sys.modules[]" if !matches!(value.kind, Kind::Unknown) => {
                let name = key.shown();
                if names::is_standard(&name)
                    && matches!(value.kind, Kind::Object(_) | Kind::Class(_) | Kind::Func(_))
                {
                    self.rec.fact(What::GlobalHook, &format!("sys.modules[{name}]"), site);
                }
            }
            "builtins.__dict__[]" if matches!(value.kind, Kind::Func(_)) => {
                self.rec.fact(What::GlobalHook, &format!("builtins.{}", key.shown()), site);
            }
            _ => {}
        }
    }
}

/// What of value passes through a function, by its name: `#` and one word, or nothing.
fn what_passes(place: &str) -> &'static str {
    let lower = place.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&[
        "getpass",
        "input",
        "login",
        "password",
        "authenticate",
        "encrypt",
        "account",
        "wallet",
        "keypair",
        "sign",
        "keyring",
        "mnemonic",
    ]) {
        "#secret"
    } else if has(&["request", "send", "session", "client", "urlopen", "credentials", "wsgi"]) {
        "#headers"
    } else {
        ""
    }
}
