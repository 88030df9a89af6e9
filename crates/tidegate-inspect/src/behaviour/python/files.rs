//! Calls that read, write, list and delete files.

use std::rc::Rc;

use super::super::facts::What;
use super::super::record::Taint;
use super::fold;
use super::interp::Interp;
use super::library::Call;
use super::value::{Args, Kind, Value};

impl<'a> Interp<'a> {
    /// Calls of `open`, `os`, `os.path`, `pathlib`, `shutil`, `glob`, `tempfile`, `sqlite3`, archives.
    pub(super) fn files(&mut self, call: &Call<'_, 'a>) -> Option<Value<'a>> {
        let args = call.args;
        match call.name {
            "builtins.open" | "builtins.file" | "os.fdopen" | "lzma.open" | "bz2.open" | "tarfile.open"
            | "zipfile.ZipFile" | "gzip.GzipFile" | "io.FileIO" | "_pyio.open" | "codecs.EncodedFile" => {
                Some(self.opened(call))
            }
            "os.open" => {
                let path = args.pos.first()?.clone();
                let flags = args.pos.get(1).map(|flags| match &flags.kind {
                    Kind::Name(name, _) => name.to_string(),
                    _ => String::new(),
                });
                let writes = flags.is_some_and(|flags| {
                    ["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|flag| flags.contains(flag))
                });
                Some(self.open_path(&path, writes, !writes, call))
            }
            "os.read" => Some(args.pos.first().map(Value::blurred).unwrap_or_default()),
            "os.write" => {
                self.written_by(args, call.site);
                if let Some(first) = args.pos.first().and_then(Value::as_name)
                    && first.contains("socket.socket()")
                {
                    self.sink(What::NetSend, "*", call.site, &args.taint());
                }
                Some(Value::default())
            }
            "os.path.expanduser" | "os.path.expandvars" => {
                let path = args.pos.first()?;
                let text = fold::path_text(&path.told());
                let kind = Kind::Text { text: text.into(), exact: path.as_text().is_some() };
                Some(Value { kind, ..path.clone() })
            }
            "os.path.join"
            | "pathlib.Path"
            | "pathlib.Path().joinpath"
            | "py.path.local"
            | "posixpath.join"
            | "ntpath.join" => {
                let all: Vec<Rc<str>> = args.pos.iter().map(Value::told).collect();
                let text = if all.is_empty() { ".".to_owned() } else { fold::join_paths(all.iter()) };
                let text = fold::path_text(&text);
                let exact = args.pos.iter().all(|part| part.as_text().is_some());
                self.telling(&text, call.site.offset, false);
                let kind = Kind::Text { text: text.into(), exact };
                Some(Value {
                    kind,
                    taint: args.taint(),
                    gates: 0,
                    folded: args.pos.iter().any(|part| part.folded),
                })
            }
            "os.path.abspath" | "os.path.realpath" | "os.path.normpath" | "os.fspath" | "os.fsencode"
            | "os.fsdecode" | "os.path.normcase" | "shlex.quote" => args.pos.first().cloned(),
            "os.path.dirname" => {
                let path = args.pos.first()?;
                Some(Value {
                    kind: Kind::Text { text: fold::path_part(&path.shown(), "parent"), exact: false },
                    ..path.clone()
                })
            }
            "os.path.basename" => {
                let path = args.pos.first()?;
                Some(Value {
                    kind: Kind::Text { text: fold::path_part(&path.shown(), "name"), exact: false },
                    ..path.clone()
                })
            }
            "inspect.getfile" | "inspect.getsourcefile" | "inspect.getabsfile" => {
                let module = args.pos.first()?;
                let site = call.site.clone();
                Some(self.attribute(&module.clone(), "__file__", &site, false))
            }
            "site.getsitepackages" => {
                Some(Value::list(vec![Value::partly("*/site-packages"), Value::partly("*/site-packages")]))
            }
            "site.getusersitepackages"
            | "sysconfig.get_path"
            | "distutils.sysconfig.get_python_lib"
            | "sysconfig.get_paths" => Some(Value::partly("*/site-packages")),
            "pathlib.Path.home" | "os.path.home" => Some(Value::text("~")),
            "pathlib.Path.cwd" | "os.getcwd" | "os.getcwdb" => Some(Value::partly("*")),
            "tempfile.gettempdir"
            | "tempfile.mkdtemp"
            | "tempfile.mktemp"
            | "tempfile.mkstemp"
            | "tempfile.TemporaryDirectory"
            | "platformdirs.user_data_dir"
            | "appdirs.user_data_dir" => {
                let marker = self.rec.marker();
                let path = Value::text("%TEMP%").tainted(&marker);
                let path = if call.last() == "mktemp" || call.last() == "mkstemp" {
                    Value { kind: Value::partly("%TEMP%/*").kind, ..path }
                } else {
                    path
                };
                if call.last() == "mkstemp" {
                    return Some(Value::list(vec![self.open_path(&path, true, false, call), path]));
                }
                Some(path)
            }
            "tempfile.NamedTemporaryFile" | "tempfile.TemporaryFile" | "tempfile.SpooledTemporaryFile" => {
                let marker = self.rec.marker();
                let path = Value::partly("%TEMP%/*").tainted(&marker);
                Some(self.open_path(&path, true, false, call))
            }
            "os.listdir" | "os.scandir" | "os.walk" | "glob.glob" | "glob.iglob" | "os.fwalk" => {
                let path =
                    args.get(0, "path").or_else(|| args.named("top")).or_else(|| args.named("pathname"));
                let path = path.cloned().unwrap_or_else(|| Value::text("."));
                Some(self.listed(&path, call))
            }
            "os.remove"
            | "os.unlink"
            | "os.rmdir"
            | "os.removedirs"
            | "shutil.rmtree"
            | "send2trash.send2trash" => {
                let path = args.pos.first().cloned().unwrap_or_default();
                self.path_sink(What::FileDelete, &path, call);
                Some(Value::default())
            }
            "os.chmod" | "os.fchmod" | "os.lchmod" => {
                let path = args.pos.first().cloned().unwrap_or_default();
                if args.get(1, "mode").is_some_and(is_executable) {
                    self.path_sink(What::MakeExecutable, &path, call);
                }
                Some(Value::default())
            }
            "shutil.copy"
            | "shutil.copy2"
            | "shutil.copyfile"
            | "shutil.copytree"
            | "shutil.move"
            | "os.rename"
            | "os.replace"
            | "os.symlink"
            | "os.link"
            | "distutils.file_util.copy_file" => {
                let (from, to) = (args.pos.first()?.clone(), args.pos.get(1)?.clone());
                let moved = matches!(
                    call.name,
                    "os.symlink" | "os.link" | "os.rename" | "os.replace" | "shutil.move"
                );
                let content = if moved {
                    from.taint.with(&self.rec.kept_in(&fold::path_text(&from.shown())))
                } else {
                    self.read_path(&from, call)
                };
                self.write_path(&to, &content, call);
                Some(to)
            }
            "shutil.make_archive" => {
                let from = args.get(2, "root_dir").cloned().unwrap_or_default();
                let to = args.pos.first().cloned().unwrap_or_default();
                let content = self.listed(&from, call).taint;
                self.write_path(&to, &content, call);
                Some(to.tainted(&content))
            }
            "shutil.unpack_archive" => {
                let content = self.read_path(&args.pos.first()?.clone(), call);
                let to = args.get(1, "extract_dir").cloned().unwrap_or_default();
                self.write_path(&to, &content, call);
                Some(Value::default())
            }
            "sqlite3.connect"
            | "apsw.Connection"
            | "configparser.ConfigParser().read"
            | "configparser.RawConfigParser().read"
            | "linecache.getlines"
            | "pkgutil.get_data"
            | "dotenv.dotenv_values"
            | "dotenv.load_dotenv"
            | "PIL.Image.open"
            | "cv2.imread"
            | "imageio.imread"
            | "fileinput.input"
            | "numpy.load"
            | "numpy.fromfile"
            | "tomllib.load_path"
            | "importlib.resources.read_text"
            | "importlib.resources.read_binary"
            | "pkg_resources.resource_string"
            | "plistlib.readPlist"
            | "wave.open" => {
                let at = usize::from(matches!(
                    call.last(),
                    "get_data" | "read_text" | "read_binary" | "resource_string"
                ));
                let path = args.pos.get(at).or_else(|| args.pos.first())?.clone();
                if call.name == "sqlite3.connect" && &*path.shown() == ":memory:" {
                    return None;
                }
                let taint = self.read_path(&path, call);
                let name = fold::capped(&format!("{}()", call.name));
                Some(Value::of(Kind::Name(name, Some(path.shown()))).tainted(&taint))
            }
            "crontab.CronTab().write" | "crontab.CronTab().write_to_user" => {
                self.sink(What::FileWrite, "/var/spool/cron/*", call.site, &call.taint());
                Some(Value::default())
            }
            _ => None,
        }
    }

    /// `open(path, mode)` and its kin.
    fn opened(&mut self, call: &Call<'_, 'a>) -> Value<'a> {
        let path = call
            .args
            .get(0, "file")
            .or_else(|| call.args.named("name"))
            .or_else(|| call.args.named("filename"));
        let path = path.cloned().unwrap_or_default();
        let mode = call.args.get(1, "mode").map(Value::shown).unwrap_or_else(|| "r".into());
        let path = call.args.named("fileobj").cloned().unwrap_or(path);
        let is_held = path.as_name().is_some_and(|name| name.contains("BytesIO"));
        if is_held && matches!(call.last(), "ZipFile" | "open" | "TarFile") {
            // An archive in memory: what is taken out of it is what is in it.
            let taint = path.taint.clone();
            return Value::of(Kind::File(None, Rc::new(path))).tainted(&taint);
        }
        if matches!(path.kind, Kind::File(..)) || is_held {
            return path;
        }
        let writes = mode.contains(['w', 'a', 'x', '+']);
        let reads = !writes || mode.contains('+');
        self.open_path(&path, writes, reads && &*mode != "*" || mode.contains('r'), call)
    }

    fn open_path(&mut self, path: &Value<'a>, writes: bool, reads: bool, call: &Call<'_, 'a>) -> Value<'a> {
        let mut path = path.clone();
        let text = fold::path_text(&path.told());
        if writes && path.as_text().is_none() && !path.taint.is_told() {
            let marker = self.rec.marker();
            path = path.tainted(&marker);
        }
        let site = call.site_with(Some(&path));
        let fact = if writes { self.rec.fact(What::FileWrite, &text, &site) } else { None };
        if let Some(fact) = fact {
            self.rec.arrive(&path.taint, fact);
        }
        let taint = if reads {
            let read = self.rec.source(What::FileRead, &text, &site);
            read.with(&self.rec.kept_in(&text)).with(&path.taint)
        } else {
            Taint::default()
        };
        Value::of(Kind::File(fact, Rc::new(path))).tainted(&taint)
    }

    /// A file is read whole; gives what was in it.
    pub(super) fn read_path(&mut self, path: &Value<'a>, call: &Call<'_, 'a>) -> Taint {
        let text = fold::path_text(&path.told());
        let site = call.site_with(Some(path));
        let taint = self.rec.source(What::FileRead, &text, &site);
        taint.with(&self.rec.kept_in(&text)).with(&path.taint)
    }

    /// A file is written whole.
    pub(super) fn write_path(&mut self, path: &Value<'a>, content: &Taint, call: &Call<'_, 'a>) {
        let text = fold::path_text(&path.told());
        let site = call.site_with(Some(path));
        if let Some(fact) = self.sink(What::FileWrite, &text, &site, content) {
            self.write_to(fact, path, content);
        }
    }

    fn path_sink(&mut self, what: What, path: &Value<'a>, call: &Call<'_, 'a>) {
        let text = fold::path_text(&path.told());
        let site = call.site_with(Some(path));
        let kept = self.rec.kept_in(&text);
        let taint = if what == What::MakeExecutable { path.taint.with(&kept) } else { path.taint.clone() };
        self.sink(what, &text, &site, &taint);
    }

    /// A folder is listed; gives names in it.
    fn listed(&mut self, path: &Value<'a>, call: &Call<'_, 'a>) -> Value<'a> {
        let text = fold::path_text(&path.told());
        let site = call.site_with(Some(path));
        let taint = self.rec.source(What::FolderRead, &text, &site).with(&path.taint);
        let below = if text.contains('*') { text } else { format!("{}/*", text.trim_end_matches('/')) };
        let entry = Value::of(Kind::Text { text: below.into(), exact: false }).tainted(&taint);
        match call.last() {
            "walk" | "fwalk" => {
                let root = Value { kind: path.kind.clone(), ..entry.clone() };
                let names =
                    Value::list(vec![Value::partly("*").tainted(&taint), Value::partly("*").tainted(&taint)]);
                let triple = Value::list(vec![root, names.clone(), names]);
                Value::list(vec![triple])
            }
            "listdir" => {
                Value::list(vec![Value::partly("*").tainted(&taint), Value::partly("*").tainted(&taint)])
            }
            _ => Value::list(vec![entry.clone(), entry]),
        }
    }

    /// Methods of open files, and of paths.
    pub(super) fn file_method(
        &mut self,
        object: &Value<'a>,
        name: &str,
        call: &Call<'_, 'a>,
    ) -> Option<Value<'a>> {
        let args: &Args<'a> = call.args;
        if let Kind::File(fact, path) = &object.kind {
            match name {
                "write" | "writelines" | "writestr" | "write_bytes" | "addfile" | "add" => {
                    let taint = args.taint();
                    if let Some(fact) = fact {
                        let read = match (name, args.pos.first()) {
                            // Adding a file to an archive reads it.
                            ("add", Some(file)) => self.read_path(file, call),
                            ("write", Some(file)) if matches!(&file.kind, Kind::Text { text, .. } if text.starts_with("~/")) => {
                                self.read_path(file, call)
                            }
                            _ => Taint::default(),
                        };
                        self.write_to(*fact, path, &taint.with(&read));
                    }
                    return Some(Value::default());
                }
                "extractall" | "extract" => {
                    let to = args.get(0, "path").cloned().unwrap_or_else(|| Value::text("."));
                    self.write_path(&to, &object.taint, call);
                    return Some(to.tainted(&object.taint));
                }
                _ => return Some(Value::from(object.taint.with(&args.taint()))),
            }
        }
        Some(match name {
            "read_text" | "read_bytes" => {
                let taint = self.read_path(object, call);
                Value::from(taint)
            }
            "write_text" | "write_bytes" => {
                self.write_path(object, &args.taint(), call);
                Value::default()
            }
            "expanduser" | "resolve" | "absolute" | "as_posix" => {
                let kind = match &object.kind {
                    Kind::Text { text, exact } => {
                        Kind::Text { text: fold::path_text(text).into(), exact: *exact }
                    }
                    kind => kind.clone(),
                };
                Value { kind, ..object.clone() }
            }
            "with_name" if matches!(object.kind, Kind::Text { .. }) => {
                let parent = fold::path_part(&object.told(), "parent");
                let name = args.pos.first().map_or_else(|| "*".into(), Value::told);
                let kind = Kind::Text { text: format!("{parent}/{name}").into(), exact: false };
                Value { kind, ..object.clone() }
            }
            "with_suffix" => object.blurred(),
            "joinpath" => {
                let all: Vec<Rc<str>> = std::iter::once(object).chain(&args.pos).map(Value::shown).collect();
                let text = fold::join_paths(all.iter());
                self.telling(&text, call.site.offset, false);
                Value::of(Kind::Text { text: text.into(), exact: false })
                    .tainted(&object.taint.with(&args.taint()))
            }
            "iterdir" | "rglob" => self.listed(object, call),
            "glob" if matches!(object.kind, Kind::Text { .. }) => self.listed(object, call),
            "unlink" | "rmdir" => {
                self.path_sink(What::FileDelete, object, call);
                Value::default()
            }
            "chmod" if args.pos.first().is_some_and(is_executable) => {
                self.path_sink(What::MakeExecutable, object, call);
                Value::default()
            }
            "open" if matches!(object.kind, Kind::Text { .. }) => {
                let mode = args.get(0, "mode").map(Value::shown).unwrap_or_else(|| "r".into());
                let writes = mode.contains(['w', 'a', 'x', '+']);
                self.open_path(object, writes, !writes, call)
            }
            "rename" | "replace" if matches!(object.kind, Kind::Text { .. }) && args.pos.len() == 1 => {
                let to = args.pos.first()?.clone();
                let kept = object.taint.with(&self.rec.kept_in(&fold::path_text(&object.shown())));
                self.write_path(&to, &kept, call);
                to
            }
            _ => return None,
        })
    }
}

/// Whether a mode lets somebody run the file.
fn is_executable(mode: &Value<'_>) -> bool {
    match &mode.kind {
        Kind::Int(bits) => bits & 0o111 != 0,
        Kind::Name(name, _) => name.contains("S_IX") || name.contains("S_IRWX") || name.ends_with("st_mode"),
        // `st.st_mode | S_IEXEC` and the like: who computes a mode adds a right.
        _ => true,
    }
}
