//! Follows definitions: functions with their decorators, classes, imports, and code that was found in a text.

use std::collections::HashMap;
use std::rc::Rc;

use ruff_python_ast::{self as ast, Stmt};

use super::interp::{Class, Interp};
use super::value::{Args, Code, Func, Kind, Value};

impl<'a> Interp<'a> {
    pub(super) fn function(&mut self, node: &'a ast::StmtFunctionDef) {
        let defaults = self.defaults(Some(&node.parameters));
        let class = self.frames.get(self.frame as usize).and_then(|frame| frame.class);
        // Endpoints of models give every request to this method.
        let is_handler = node.name.as_str() == "__call__"
            && class
                .and_then(|class| self.classes.get(class as usize))
                .is_some_and(|class| matches!(class.name, "EndpointHandler" | "PreTrainedPipeline"));
        let mut func = Func {
            code: Code::Def(node),
            frame: self.frame,
            bound: None,
            defaults,
            property: false,
            class,
            channel: is_handler.then(|| "*".into()),
        };
        let mut wrappers = Vec::new();
        for decorator in &node.decorator_list {
            let value = self.expr(&decorator.expression);
            match value.as_name() {
                Some("builtins.property" | "functools.cached_property") => func.property = true,
                Some("builtins.staticmethod") => func.class = None,
                Some(name) if super::net::is_channel_decorator(name) => func.channel = Some(value.shown()),
                Some("atexit.register") => wrappers.push(value),
                _ if matches!(value.kind, Kind::Func(_) | Kind::Class(_)) => wrappers.push(value),
                _ => {}
            }
        }
        self.keep_frame();
        let func = Rc::new(func);
        self.register(&func);
        let mut value = Value::of(Kind::Func(func));
        let site = self.site(node);
        for wrapper in wrappers.iter().rev() {
            let args = Args { pos: vec![value.clone()], ..Args::default() };
            let wrapped = self.apply(wrapper, &args, &site);
            if matches!(wrapped.kind, Kind::Func(_) | Kind::Object(_)) {
                value = wrapped;
            }
        }
        self.set(node.name.as_str(), value);
    }

    pub(super) fn defaults(&mut self, parameters: Option<&'a ast::Parameters>) -> Rc<[(&'a str, Value<'a>)]> {
        let mut all = Vec::new();
        for parameter in parameters.into_iter().flat_map(|all| all.iter_non_variadic_params()) {
            if let Some(default) = parameter.default() {
                all.push((parameter.name().as_str(), self.expr(default)));
            }
        }
        all.into()
    }

    pub(super) fn class(&mut self, node: &'a ast::StmtClassDef) {
        let mut bases = Vec::new();
        for base in node.bases() {
            bases.push(self.expr(base));
        }
        let mut meta = None;
        let mut given = Args::default();
        for keyword in node.keywords() {
            let value = self.expr(&keyword.value);
            if keyword.arg.as_ref().is_some_and(|name| name.as_str() == "metaclass") {
                meta = Some(value);
            } else if let Some(name) = &keyword.arg {
                given.kw.push((name.as_str().into(), value));
            }
        }
        for decorator in &node.decorator_list {
            self.expr(&decorator.expression);
        }
        let index = u32::try_from(self.classes.len()).unwrap_or(u32::MAX);
        self.classes.push(Class { name: node.name.as_str(), members: HashMap::new(), bases });
        self.keep_frame();
        let frame = self.push_frame(Some(self.frame), Some(index));
        let outer = std::mem::replace(&mut self.frame, frame);
        self.block(&node.body);
        self.frame = outer;
        self.set(node.name.as_str(), Value::of(Kind::Class(index)));
        // Making a class runs what its bases and its metaclass say.
        if let Some(Value { kind: Kind::Class(meta), .. }) = meta {
            for name in ["__prepare__", "__new__", "__init__"] {
                self.call_member(meta, name, &Args::default());
            }
        }
        let bases = self.classes.get(index as usize).map(|class| class.bases.clone()).unwrap_or_default();
        for base in bases {
            if let Kind::Class(base) = base.kind {
                self.call_member(base, "__init_subclass__", &given);
            }
        }
        if self.script && self.library_bases(index).iter().any(|name| is_setup_command(name)) {
            self.run_setup_command(index);
        }
    }

    /// Follows what a command of setup.py does when it is run.
    pub(super) fn run_setup_command(&mut self, class: u32) {
        for name in ["__init__", "initialize_options", "finalize_options", "run"] {
            self.call_member(class, name, &Args::default());
        }
    }

    /// Calls a method of an object of a class of the file, if it has it.
    pub(super) fn call_member(&mut self, class: u32, name: &str, args: &Args<'a>) -> Option<Value<'a>> {
        let Kind::Func(func) = self.member(class, name)?.kind else { return None };
        let mut func = (*func).clone();
        func.bound = func.class.map(|_| Value::of(Kind::Object(class)));
        Some(self.invoke(&func, args, false))
    }

    pub(super) fn import(&mut self, node: &'a ast::StmtImport) {
        for alias in &node.names {
            let name = alias.name.as_str();
            self.rec.import(name, self.scope);
            let site = self.site(alias);
            self.loaded(name, &site);
            match &alias.asname {
                Some(local) => {
                    self.give_on(local.as_str(), name);
                    self.set(local.as_str(), Value::name(name));
                }
                None => {
                    let first = name.split('.').next().unwrap_or(name);
                    self.set(first, Value::name(first));
                }
            }
        }
    }

    pub(super) fn import_from(&mut self, node: &'a ast::StmtImportFrom) {
        let dots = ".".repeat(node.level.min(16) as usize);
        let module = format!("{dots}{}", node.module.as_ref().map_or("", |module| module.as_str()));
        if node.module.is_some() {
            self.rec.import(&module, self.scope);
            let site = self.site(node);
            self.loaded(&module, &site);
        }
        for alias in &node.names {
            let name = alias.name.as_str();
            let whole =
                if module.ends_with('.') { format!("{module}{name}") } else { format!("{module}.{name}") };
            if name == "*" {
                self.give_on("*", &module);
                super::names::star(&module, |name| self.set(name, Value::name(&format!("{module}.{name}"))));
                if node.module.is_none() {
                    self.rec.import(&module, self.scope);
                }
                continue;
            }
            // What is taken may be a module of the package as well as a name in it.
            if node.level > 0 || module.contains('.') || !super::names::is_standard(&module) {
                self.rec.import(&whole, self.scope);
            }
            let local = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
            self.give_on(local, &whole);
            self.set(
                local,
                super::names::canonical(&whole)
                    .map_or_else(|| Value::name(&whole), |name| Value::name(&name)),
            );
        }
    }

    /// Tells that other modules may find a name here that is another module's.
    fn give_on(&mut self, local: &str, whole: &str) {
        if self.frame == 0 && super::names::may_be_own(whole) {
            self.rec.give_on(local, whole);
        }
    }

    /// Reads a text as code in the names of here, as `exec` does.
    pub(super) fn nested(&mut self, code: &str, offset: u64) -> Option<Value<'a>> {
        let suite = super::parse_layer(code)?;
        let suite = self.layers.keep(suite)?;
        let at = self.at.replace(self.at.unwrap_or(offset));
        let mut last = Value::default();
        if let [Stmt::Expr(only)] = suite.as_slice() {
            last = self.expr(&only.value);
        } else {
            self.block(suite);
        }
        self.at = at;
        Some(last)
    }
}

/// Whether a library class is a command of setup.py.
pub(super) fn is_setup_command(name: &str) -> bool {
    let root = name.split('.').next().unwrap_or(name);
    matches!(root, "setuptools" | "distutils" | "wheel" | "skbuild" | "Cython" | "numpy")
}
