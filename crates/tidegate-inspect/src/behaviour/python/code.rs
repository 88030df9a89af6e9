//! Calls that run text as code, load modules, look names up, or decode.

use super::super::facts::What;
use super::super::record::{Site, Taint};
use super::fold;
use super::interp::Interp;
use super::library::Call;
use super::names;
use super::value::{Kind, Value};

/// Bytes of a text that is read as code in turn.
const LAYER_BYTES: usize = 2 << 20;

impl<'a> Interp<'a> {
    /// Text is run as code.
    pub(super) fn run_text(&mut self, how: &str, code: &Value<'a>, site: &Site) -> Value<'a> {
        let mut site = site.clone();
        site.folded |= code.folded;
        self.sink(What::Eval, how, &site, &code.taint);
        if let Some(text) = code.as_text().filter(|text| text.len() <= LAYER_BYTES).map(str::to_owned)
            && let Some(value) = self.nested(&text, site.offset)
        {
            return value.tainted(&code.taint);
        }
        Value::from(code.taint.clone())
    }

    /// Calls of builtins, `importlib`, `marshal`, `codecs`, `base64` and their kin.
    pub(super) fn code(&mut self, call: &Call<'_, 'a>) -> Option<Value<'a>> {
        let args = call.args;
        match call.name {
            "builtins.exec"
            | "builtins.eval"
            | "builtins.execfile"
            | "runpy.run_path"
            | "runpy.run_module"
            | "code.InteractiveInterpreter().runsource"
            | "code.InteractiveInterpreter().runcode"
            | "code.InteractiveConsole().push"
            | "code.InteractiveConsole().runcode"
            | "timeit.timeit"
            | "timeit.repeat"
            | "profile.run"
            | "cProfile.run"
            | "trace.Trace().run"
            | "doctest.run_docstring_examples"
            | "bdb.Bdb().run"
            | "pdb.run"
            | "IPython.get_ipython().run_cell"
            | "js2py.eval_js"
            | "_xxsubinterpreters.run_string"
            | "numexpr.evaluate"
            | "pandas.eval" => {
                let code =
                    args.pos.first().cloned().or_else(|| args.kw.first().map(|(_, value)| value.clone()))?;
                let how = call.name.strip_prefix("builtins.").unwrap_or(call.name).to_owned();
                if matches!(how.as_str(), "execfile" | "runpy.run_path") {
                    let path = fold::path_text(&code.shown());
                    let kept = self.rec.kept_in(&path).with(&code.taint);
                    self.sink(What::Eval, &how, &call.site_with(Some(&code)), &kept);
                    return Some(Value::from(kept));
                }
                if how == "runpy.run_module" {
                    return Some(self.load(&code, call));
                }
                Some(self.run_text(&how, &code, call.site))
            }
            "builtins.compile" | "code.compile_command" | "codeop.compile_command" => {
                let code = args.get(0, "source")?;
                Some(Value { folded: code.folded, ..code.clone() })
            }
            "types.FunctionType" | "types.LambdaType" | "types.CodeType" => {
                let code = args.pos.first()?;
                if call.name.ends_with("CodeType") {
                    return Some(Value::from(args.taint()));
                }
                if matches!(code.kind, Kind::Func(_)) || !code.taint.is_told() {
                    return Some(code.clone());
                }
                self.sink(What::Eval, call.name, call.site, &code.taint);
                Some(Value::from(code.taint.clone()))
            }
            "builtins.__import__"
            | "importlib.import_module"
            | "zipimport.zipimporter().load_module"
            | "pkgutil.resolve_name"
            | "imp.load_source"
            | "imp.load_module"
            | "importlib.load_source"
            | "importlib.machinery.SourceFileLoader"
            | "importlib.util.spec_from_file_location" => {
                let at = usize::from(matches!(
                    call.last(),
                    "load_source" | "SourceFileLoader" | "spec_from_file_location"
                ));
                let module = args.pos.get(at).or_else(|| args.pos.first())?.clone();
                if at == 1 {
                    let path = fold::path_text(&module.shown());
                    let kept = self.rec.kept_in(&path).with(&module.taint);
                    self.sink(What::DynamicImport, &path, &call.site_with(Some(&module)), &kept);
                    return Some(Value::from(kept));
                }
                Some(self.load(&module, call))
            }
            "importlib.util.find_spec" => {
                let module = call.shown(0, "name");
                Some(Value::of(Kind::Name("importlib.util.find_spec()".into(), Some(module))))
            }
            // A folder that the file filled before becomes a place of modules.
            "sys.path.insert" | "sys.path.append" | "site.addsitedir" => {
                let path = args.pos.last()?.clone();
                let is_afar = self.comes_from_network(&path.taint);
                if is_afar {
                    self.sink(What::DynamicImport, &path.told(), &call.site_with(Some(&path)), &path.taint);
                }
                Some(Value::default())
            }
            "importlib.machinery.SourcelessFileLoader"
            | "importlib._bootstrap_external.SourcelessFileLoader" => {
                let path = args.pos.get(1).or_else(|| args.named("path"))?.clone();
                let kept = path.taint.with(&self.rec.kept_in(&fold::path_text(&path.told())));
                self.sink(What::DynamicImport, &format!("sourceless {}", path.told()), call.site, &kept);
                Some(Value::from(kept))
            }
            "pip.main" | "pip._internal.main" | "pip._internal.cli.main.main" | "pip.__main__._main" => {
                let words = args.pos.first().map(super::process::command_line).unwrap_or_default();
                self.sink(What::Exec, &format!("pip {words}"), call.site, &args.taint());
                Some(Value::default())
            }
            "builtins.getattr" | "operator.attrgetter()" => {
                let object = args.pos.first()?.clone();
                match args.pos.get(1).and_then(Value::as_text).map(str::to_owned) {
                    Some(name) => {
                        let value = self.attribute(
                            &object,
                            &name,
                            call.site,
                            !matches!(object.kind, Kind::Object(_) | Kind::Class(_)),
                        );
                        // A literal name is as plain as a dot.
                        Some(value.fold(args.pos.get(1).is_some_and(|name| name.folded)))
                    }
                    None => {
                        let taint = args.taint();
                        Some(Value::from(taint))
                    }
                }
            }
            "builtins.setattr" => {
                let object = args.pos.first()?;
                let value = args.pos.get(2)?;
                if let (Some(module), Some(name)) =
                    (object.as_name(), args.pos.get(1).and_then(Value::as_text))
                {
                    let place = format!("{module}.{name}");
                    let own = matches!(value.kind, Kind::Func(_) | Kind::Class(_));
                    if own && names::is_hookable(&place) {
                        self.rec.fact(What::GlobalHook, &place, call.site);
                    }
                    if own {
                        let value = value.clone();
                        self.replaced(&place, &value, call.site);
                    }
                }
                Some(Value::default())
            }
            "builtins.globals" | "builtins.locals" | "builtins.dir" => {
                Some(Value::name(&format!("{}()", call.name)))
            }
            "builtins.vars" => match args.pos.first() {
                None => Some(Value::name("builtins.vars()")),
                Some(object) => match object.as_name() {
                    Some("os.environ") => Some(object.clone()),
                    Some(name) => Some(Value::name(&format!("{name}.__dict__"))),
                    None => Some(object.clone()),
                },
            },
            "sys.meta_path.insert"
            | "sys.meta_path.append"
            | "sys.path_hooks.insert"
            | "sys.path_hooks.append"
            | "sys.settrace"
            | "sys.setprofile"
            | "sys.addaudithook"
            | "threading.settrace" => {
                let owner = if call.last().starts_with("set") || call.last().starts_with("add") {
                    call.name
                } else {
                    call.owner()
                };
                self.rec.fact(What::GlobalHook, owner, call.site);
                Some(Value::default())
            }
            "sys.modules.get" | "sys.modules.pop" => {
                Some(self.library_item("sys.modules", None, call.callee, args.pos.first()?, call.site))
            }
            "sys.modules.__getitem__" => {
                Some(self.library_item("sys.modules", None, call.callee, args.pos.first()?, call.site))
            }
            "builtins.globals().get"
            | "builtins.__dict__.get"
            | "builtins.__dict__.__getitem__"
            | "builtins.locals().get"
            | "builtins.vars().get"
            | "builtins.globals().__getitem__" => {
                let place = call.name.rsplit_once('.').map_or("", |(place, _)| place).to_owned();
                Some(self.library_item(&place, None, call.callee, args.pos.first()?, call.site))
            }
            "builtins.super" => {
                let class = self.lookup("self").map(|value| value.kind.clone());
                match class {
                    Some(Kind::Object(class)) => {
                        let base =
                            self.classes.get(class as usize).and_then(|class| class.bases.first().cloned());
                        Some(match base.map(|base| base.kind) {
                            Some(Kind::Class(base)) => Value::of(Kind::Object(base)),
                            Some(Kind::Name(name, about)) => {
                                Value::of(Kind::Name(fold::capped(&format!("{name}()")), about))
                            }
                            _ => Value::default(),
                        })
                    }
                    _ => Some(Value::default()),
                }
            }
            "builtins.type" if args.pos.len() == 3 => {
                let Some(Kind::Dict(items)) = args.pos.get(2).map(|members| members.kind.clone()) else {
                    return Some(Value::from(args.taint()));
                };
                let index = u32::try_from(self.classes.len()).ok()?;
                let members = items.iter().cloned().collect();
                let bases = match args.pos.get(1).map(|bases| &bases.kind) {
                    Some(Kind::List(bases)) => bases.to_vec(),
                    _ => Vec::new(),
                };
                self.classes.push(super::interp::Class { name: "", members, bases });
                Some(Value::of(Kind::Class(index)))
            }
            "operator.methodcaller()" => None,
            "pickle.loads"
            | "pickle.load"
            | "pickle.Unpickler().load"
            | "jsonpickle.decode"
            | "yaml.unsafe_load"
            | "yaml.full_load"
            | "shelve.open"
            | "joblib.load"
            | "torch.load" => {
                let taint = call.taint();
                let from_afar = self.comes_from_afar(&taint);
                if from_afar {
                    self.sink(What::Eval, call.name, call.site, &taint);
                }
                let first = args.pos.first().cloned().unwrap_or_default();
                Some(Value::from(taint).tainted(&first.taint))
            }
            _ => self.decoding(call),
        }
    }

    /// Whether a value comes from a decoder or the network, which no ordinary reader of its own files does.
    pub(super) fn comes_from_afar(&self, taint: &Taint) -> bool {
        self.rec.comes_from(
            taint,
            &[What::NetReceive, What::ChannelReceive, What::Decode, What::DnsReceive, What::BigConstant],
        )
    }

    /// Whether a value comes from the network.
    pub(super) fn comes_from_network(&self, taint: &Taint) -> bool {
        self.rec.comes_from(taint, &[What::NetReceive, What::ChannelReceive, What::DnsReceive])
    }

    /// A module is loaded that the file itself may have written before.
    pub(super) fn loaded(&mut self, name: &str, site: &Site) {
        let kept = self.rec.kept_as_module(name);
        if kept.is_told() {
            self.sink(What::DynamicImport, name, site, &kept);
        }
    }

    /// A module is loaded by a name that is computed or given.
    pub(super) fn load(&mut self, module: &Value<'a>, call: &Call<'_, 'a>) -> Value<'a> {
        match module.as_text().map(str::to_owned) {
            Some(name) => {
                self.rec.import(&name, self.scope);
                self.loaded(&name, call.site);
                let first = if call.name == "builtins.__import__" && call.args.get(3, "fromlist").is_none() {
                    name.split('.').next().unwrap_or(&name).to_owned()
                } else {
                    name
                };
                Value::name(&first).fold(module.folded)
            }
            None => {
                let site = call.site_with(Some(module));
                self.sink(What::DynamicImport, &module.shown(), &site, &module.taint);
                Value::from(module.taint.clone())
            }
        }
    }
}
