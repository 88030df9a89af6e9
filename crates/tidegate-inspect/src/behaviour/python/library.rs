//! What calls of libraries mean: goes through the tables one after another.

use std::rc::Rc;

use super::super::facts::What;
use super::super::record::{Site, Taint};
use super::fold;
use super::interp::Interp;
use super::value::{Args, Kind, Value};

/// A call of something of a library.
pub(super) struct Call<'c, 'a> {
    /// The canonical name.
    pub(super) name: &'c str,
    /// What the receiver was made with.
    pub(super) about: Option<&'c Rc<str>>,
    pub(super) callee: &'c Value<'a>,
    pub(super) args: &'c Args<'a>,
    pub(super) site: &'c Site,
}

impl<'a> Call<'_, 'a> {
    /// The last part of the name.
    pub(super) fn last(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }

    /// The name up to the last part.
    pub(super) fn owner(&self) -> &str {
        self.name.rsplit_once('.').map_or("", |(owner, _)| owner)
    }

    /// Sources of the receiver and all arguments.
    pub(super) fn taint(&self) -> Taint {
        self.callee.taint.with(&self.args.taint())
    }

    /// The shown text of an argument, `*` where there is none.
    pub(super) fn shown(&self, position: usize, name: &str) -> Rc<str> {
        self.args.get(position, name).map_or_else(|| "*".into(), Value::shown)
    }

    /// What the receiver was made with, `*` if unknown.
    pub(super) fn about(&self) -> Rc<str> {
        self.about.cloned().unwrap_or_else(|| "*".into())
    }

    /// The site, told as folded if an argument's constant is visible only after folding.
    pub(super) fn site_with(&self, value: Option<&Value<'a>>) -> Site {
        let mut site = self.site.clone();
        site.folded |= value.is_some_and(|value| value.folded);
        site
    }
}

impl<'a> Interp<'a> {
    /// Calls something of a library; nothing if it is not known.
    pub(super) fn library(
        &mut self,
        name: &str,
        about: Option<&Rc<str>>,
        callee: &Value<'a>,
        args: &Args<'a>,
        site: &Site,
    ) -> Option<Value<'a>> {
        let call = Call { name, about, callee, args, site };
        self.code(&call)
            .or_else(|| self.process(&call))
            .or_else(|| self.network(&call))
            .or_else(|| self.files(&call))
            .or_else(|| self.host(&call))
            .or_else(|| self.native(&call))
            .or_else(|| self.callbacks(&call))
    }

    /// Puts down what is done with a value, and which sources arrive there.
    pub(super) fn sink(&mut self, what: What, detail: &str, site: &Site, taint: &Taint) -> Option<u32> {
        let fact = self.rec.fact(what, detail, site)?;
        self.rec.arrive(taint, fact);
        let kept = self.rec.kept_in(detail);
        if matches!(
            what,
            What::Exec | What::ExecDetached | What::LibraryLoad | What::Eval | What::DynamicImport
        ) && !kept.is_empty()
        {
            self.rec.arrive(&kept, fact);
        }
        Some(fact)
    }

    /// Things that run functions of the file: threads, pools, schedulers, exits.
    fn callbacks(&mut self, call: &Call<'_, 'a>) -> Option<Value<'a>> {
        let args = call.args;
        let last = call.last();
        match call.name {
            "threading.Thread"
            | "threading.Timer"
            | "multiprocessing.Process"
            | "multiprocessing.context.Process"
            | "billiard.Process"
            | "_thread.start_new_thread"
            | "thread.start_new_thread"
            | "threading._start_new_thread" => {
                let at = usize::from(
                    call.name.ends_with("Timer")
                        || call.name.contains("multiprocessing.")
                        || call.name.ends_with(".Thread"),
                );
                let at = if call.name.ends_with("start_new_thread") { 0 } else { at };
                let target = args
                    .named("target")
                    .or_else(|| args.named("function"))
                    .or_else(|| args.pos.get(at))?
                    .clone();
                let given = args.named("args").or_else(|| {
                    let next = if call.name.ends_with(".Thread") { 3 } else { at + 1 };
                    args.pos.get(next)
                });
                let given = match given.map(|given| &given.kind) {
                    Some(Kind::List(items)) => items.to_vec(),
                    Some(_) => given.map(Value::blurred).into_iter().collect(),
                    None => Vec::new(),
                };
                let mut all = Args { pos: given, ..Args::default() };
                if let Some(Value { kind: Kind::Dict(items), .. }) = args.named("kwargs") {
                    all.kw = items.to_vec();
                }
                self.apply(&target, &all, call.site);
                Some(Value::name(&format!("{}()", call.name)))
            }
            "atexit.register"
            | "asyncio.to_thread"
            | "contextvars.copy_context().run"
            | "weakref.finalize"
            | "trio.run"
            | "anyio.run"
            | "trio.to_thread.run_sync"
            | "anyio.to_thread.run_sync"
            | "greenlet.greenlet"
            | "gevent.spawn"
            | "eventlet.spawn" => {
                let skip = usize::from(call.name == "weakref.finalize");
                let target = args.pos.get(skip)?.clone();
                let all = Args {
                    pos: args.pos.get(skip + 1..)?.to_vec(),
                    kw: args.kw.clone(),
                    rest: args.rest.clone(),
                };
                Some(self.apply(&target, &all, call.site))
            }
            "functools.partial" | "functools.partialmethod" => {
                let (first, rest) = args.pos.split_first()?;
                let begun = Args { pos: rest.to_vec(), kw: args.kw.clone(), rest: args.rest.clone() };
                let taint = call.args.taint();
                Some(
                    Value::of(Kind::Partial(Rc::new((first.clone(), begun))))
                        .tainted(&taint)
                        .fold(first.folded),
                )
            }
            "functools.wraps" | "functools.lru_cache" | "functools.cache" => Some(Value::default()),
            "functools.wraps()" | "functools.lru_cache()" | "functools.cache()" => args.pos.first().cloned(),
            "asyncio.run"
            | "asyncio.ensure_future"
            | "asyncio.create_task"
            | "asyncio.wait_for"
            | "asyncio.shield"
            | "asyncio.gather"
            | "asyncio.wait"
            | "contextlib.closing"
            | "contextlib.suppress"
            | "builtins.iter"
            | "builtins.next"
            | "operator.itemgetter()"
            | "asyncio.get_event_loop().run_until_complete"
            | "asyncio.new_event_loop().run_until_complete"
            | "asyncio.get_event_loop().create_task" => {
                let first = args.pos.first()?;
                let all = args.taint();
                Some(first.clone().tainted(&all))
            }
            "operator.methodcaller" => {
                let name = args.pos.first()?.as_text()?.to_owned();
                Some(Value::of(Kind::Name(fold::capped(&format!("operator.methodcaller().{name}")), None)))
            }
            "operator.attrgetter" => {
                let name = args.pos.first()?.as_text()?.to_owned();
                Some(Value::of(Kind::Name(fold::capped(&format!("operator.attrgetter().{name}")), None)))
            }
            "builtins.map"
            | "itertools.starmap"
            | "concurrent.futures.ThreadPoolExecutor().map"
            | "concurrent.futures.ProcessPoolExecutor().map"
            | "multiprocessing.Pool().map"
            | "multiprocessing.pool.ThreadPool().map"
            | "multiprocessing.dummy.Pool().map"
            | "builtins.filter" => self.mapped(call),
            "setuptools.setup"
            | "distutils.core.setup"
            | "skbuild.setup"
            | "setuptools.distutils.core.setup" => {
                if let Some(Value { kind: Kind::Dict(items), .. }) = args.named("cmdclass") {
                    for (_, value) in items.iter() {
                        if let Kind::Class(class) = value.kind {
                            self.run_setup_command(class);
                        }
                    }
                }
                self.required(call);
                Some(Value::default())
            }
            _ if matches!(
                last,
                "submit"
                    | "run_in_executor"
                    | "call_soon"
                    | "call_later"
                    | "apply_async"
                    | "spawn"
                    | "start_soon"
            ) && args.pos.iter().any(is_callable) =>
            {
                let at = args.pos.iter().position(is_callable)?;
                let target = args.pos.get(at)?.clone();
                let given = args.pos.get(at + 1..)?.to_vec();
                Some(self.run_callback(&target, given, call.site))
            }
            _ => None,
        }
    }

    /// What `setup` makes pip fetch from an address is fetched and run, as a command of its own would do.
    fn required(&mut self, call: &Call<'_, 'a>) {
        for name in ["install_requires", "setup_requires", "dependency_links", "tests_require"] {
            let Some(Value { kind: Kind::List(items), .. }) = call.args.named(name) else { continue };
            for item in items.iter().take(256) {
                let text = item.told();
                if let Some((_, address)) = text.split_once("://").filter(|_| name != "tests_require") {
                    let scheme = text
                        .split("://")
                        .next()
                        .unwrap_or_default()
                        .rsplit([' ', '@'])
                        .next()
                        .unwrap_or_default();
                    let line = format!("pip install {scheme}://{address}");
                    self.sink(What::Exec, &line, call.site, &Taint::default());
                }
            }
        }
    }

    /// `map(f, xs)`: what `f` makes of each.
    fn mapped(&mut self, call: &Call<'_, 'a>) -> Option<Value<'a>> {
        let function = call.args.pos.first()?.clone();
        let over = call.args.pos.get(1)?.clone();
        let taint = call.args.taint();
        self.loops += 1;
        let value = match &over.kind {
            Kind::List(items) if items.len() <= 4096 => {
                let items = Rc::clone(items);
                let all: Vec<Value<'a>> = items
                    .iter()
                    .map(|item| self.run_callback(&function, vec![item.clone()], call.site))
                    .collect();
                self.gather(all)
            }
            Kind::Bytes(bytes) if bytes.len() <= 4096 => {
                let bytes = Rc::clone(bytes);
                let all: Vec<Value<'a>> = bytes
                    .iter()
                    .map(|byte| {
                        let item = Value::of(Kind::Int(i64::from(*byte)));
                        self.run_callback(&function, vec![item], call.site)
                    })
                    .collect();
                self.gather(all)
            }
            _ => {
                let item = self.element(&over, call.site.offset);
                self.run_callback(&function, vec![item], call.site).blurred()
            }
        };
        self.loops -= 1;
        if function.as_name() == Some("builtins.chr") {
            let out = self.decoder("charcode", &taint, call.site);
            return Some(value.tainted(&out).fold(true));
        }
        Some(value.tainted(&taint))
    }

    /// An attribute of a library that stands for a value.
    pub(super) fn library_constant(&mut self, name: &str, site: &Site) -> Option<Value<'a>> {
        use super::interp::{LOCALE, MACHINE};
        Some(match name {
            "os.environ" | "os.environb" => {
                let taint = self.rec.lazy_source(What::EnvAll, "", site);
                Value::name("os.environ").tainted(&taint)
            }
            "flask.request.cookies"
            | "flask.request.headers"
            | "flask.request.form"
            | "flask.request.values"
            | "flask.request.json"
            | "flask.request.data"
            | "flask.request.authorization"
            | "quart.request.headers"
            | "bottle.request.cookies"
            | "bottle.request.headers"
            | "bottle.request.forms" => {
                let part = name.rsplit('.').next().unwrap_or_default();
                let taint = self.rec.lazy_source(What::Tapped, &format!("hook {name}#{part}"), site);
                Value::name(name).tainted(&taint)
            }
            "sys.executable" => Value::partly("python"),
            "os.sep" | "os.path.sep" => Value::text("/"),
            "os.linesep" => Value::text("\n"),
            "os.curdir" => Value::text("."),
            "os.pardir" => Value::text(".."),
            "os.devnull" => Value::text("/dev/null"),
            "string.ascii_lowercase" => Value::text("abcdefghijklmnopqrstuvwxyz"),
            "string.ascii_uppercase" => Value::text("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
            "string.ascii_letters" => Value::text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"),
            "string.digits" => Value::text("0123456789"),
            "sys.platform" | "os.name" => Value::default(),
            "time.timezone" | "time.tzname" => Value::default().gated(LOCALE),
            "sys.gettrace" => Value::name(name).gated(MACHINE),
            _ => return None,
        })
    }
}

/// Whether a value is something that can be handed over to be called.
fn is_callable(value: &Value<'_>) -> bool {
    match &value.kind {
        Kind::Func(_) | Kind::Partial(_) => true,
        Kind::Name(name, None) => name.contains('.') && !name.ends_with("()") && !name.starts_with("sys."),
        _ => false,
    }
}
