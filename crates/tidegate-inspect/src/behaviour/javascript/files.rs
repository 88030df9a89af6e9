//! Files, and programs that were written before they are run.
use super::super::facts::What;
use super::calls::Site;
use super::machine::Machine;
use super::value::{HOLE, Kind, Shape, Taint, Value};

impl<'a> Machine<'a> {
    pub(super) fn known_file(
        &mut self,
        module: &str,
        function: &str,
        arguments: &[Value<'a>],
        site: Site,
    ) -> Option<Value<'a>> {
        let base = function.strip_suffix("Sync").unwrap_or(function);
        let detail = self.text_at(arguments, 0);
        let folded = site.folded;
        let callback = |machine: &mut Self, taint: Taint| {
            machine.run_callbacks(arguments, &[Value::UNKNOWN, Value::tainted(taint)], site);
            Some(Value::tainted(taint))
        };
        match base {
            "readFile" | "createReadStream" | "readJson" | "readJSON" | "readTextFile" | "file"
            | "openAsBlob" => {
                let fact = if base == "file" && module == "Bun" {
                    self.maybe(What::FileRead, &detail, site.offset)
                } else {
                    self.fact(What::FileRead, &detail, site.offset, folded)
                };
                let mut taint = self.taint_of(fact);
                let written = self.written_to(&detail);
                taint = self.join(taint, written);
                callback(self, taint)
            }
            "writeFile" | "appendFile" | "outputFile" | "writeJson" | "writeJSON" | "outputJson"
            | "writeTextFile" | "createWriteStream" | "write"
                if base != "write" || module == "Bun" =>
            {
                let write = self.fact(What::FileWrite, &detail, site.offset, folded);
                let data = arguments.get(1).copied().unwrap_or(Value::UNKNOWN);
                let taint = if base == "createWriteStream" { Taint(0) } else { self.deep(data) };
                self.flow(taint, write);
                self.walked(arguments.first().copied(), write);
                self.remember_written(&detail, taint);
                let options = arguments.get(if base == "createWriteStream" { 1 } else { 2 }).copied();
                if let Some(mode) = options.and_then(|options| self.option(options, "mode"))
                    && executable(mode)
                {
                    self.fact(What::MakeExecutable, &detail, site.offset, folded);
                }
                if base == "createWriteStream" {
                    let id = self.object(site.place, Kind::Writing { write });
                    self.objects[id.0 as usize].kind = Kind::Writing { write };
                    return Some(Value::of(Shape::Object(id)));
                }
                callback(self, Taint(0))
            }
            "copyFile" | "copy" | "cp" | "rename" | "move" | "link" | "symlink" => {
                let to = self.text_at(arguments, 1);
                let read = self.maybe(What::FileRead, &detail, site.offset);
                let write = self.fact(What::FileWrite, &to, site.offset, folded);
                let taint = self.taint_of(read);
                self.flow(taint, write);
                let taint = self.written_to(&detail);
                self.remember_written(&to, taint);
                callback(self, Taint(0))
            }
            "unlink" | "rm" | "rmdir" | "remove" | "emptyDir" | "rimraf" => {
                let delete = self.fact(What::FileDelete, &detail, site.offset, folded);
                self.walked(arguments.first().copied(), delete);
                callback(self, Taint(0))
            }
            "truncate" => {
                self.fact(What::FileWrite, &detail, site.offset, folded);
                callback(self, Taint(0))
            }
            "readdir" | "opendir" | "readDir" | "glob" => {
                let taint = self.source(What::FolderRead, &detail, site.offset, folded);
                callback(self, taint)
            }
            "chmod" | "lchmod" => {
                let mode = arguments.get(1).copied().unwrap_or(Value::UNKNOWN);
                if executable(mode) || mode.shape == Shape::Unknown {
                    self.fact(What::MakeExecutable, &detail, site.offset, folded);
                }
                callback(self, Taint(0))
            }
            "spawn" | "$" | "run" if module != "fs" => {
                let value = match arguments.first().and_then(|&first| self.option(first, "cmd")) {
                    Some(command) => self.process(&[command], site),
                    None => self.process(arguments, site),
                };
                Some(value)
            }
            "Command" if module == "Deno" => {
                let mut all = arguments.get(..1).unwrap_or_default().to_vec();
                all.extend(arguments.get(1).and_then(|&options| self.option(options, "args")));
                Some(self.process(&all, site))
            }
            "connect" | "connectTls" if module != "fs" => {
                let detail = self.socket_address(arguments);
                Some(self.connect(&detail, arguments, site))
            }
            "serve" | "listen" if module != "fs" => {
                let port = self.first_text(arguments);
                self.fact(What::Listen, &port, site.offset, folded);
                callback(self, Taint(0))
            }
            "dlopen" if module != "fs" => {
                self.fact(What::LibraryLoad, &detail, site.offset, folded);
                Some(Value::UNKNOWN)
            }
            "hostname" if module == "Deno" => {
                let taint = self.source(What::HostIdentity, "Deno.hostname", site.offset, folded);
                Some(Value::tainted(taint))
            }
            "exists" | "access" | "stat" | "mkdir" | "ensureDir" | "mkdirp" | "ensureFile" | "lstat"
            | "realpath" | "mkdtemp" | "pathExists" => {
                self.run_callbacks(arguments, &[Value::UNKNOWN; 2], site);
                Some(Value::UNKNOWN)
            }
            _ => None,
        }
    }

    /// Joins what lists a folder with what is done to the files that it finds there.
    fn walked(&mut self, path: Option<Value<'a>>, to: u32) {
        let Some(path) = path else { return };
        let taint = self.deep(path);
        let walks: Vec<(u32, bool)> = self
            .taints
            .get(taint)
            .iter()
            .copied()
            .filter(|&(from, _)| self.drafts.what(from) == Some(What::FolderRead))
            .collect();
        for (from, decoded) in walks {
            self.drafts.flow(from, to, decoded);
        }
    }

    pub(super) fn remember_written(&mut self, path: &str, taint: Taint) {
        if taint.0 == 0
            || path.chars().filter(|&character| character != HOLE).count() < 3
            || self.written.len() >= WRITTEN
        {
            return;
        }
        let path = self.make_text(path);
        if !self.written.contains(&(path, taint)) {
            self.written.push((path, taint));
        }
    }

    /// A stream to a file was given something.
    pub(super) fn rewritten(&mut self, write: u32, taint: Taint) {
        if let Some(detail) = self.drafts.detail(write) {
            // Shown details write `*` for holes; paths are compared in that form.
            let detail = detail.to_owned();
            self.remember_written(&detail, taint);
        }
    }

    /// Where the content of a path that was written before comes from.
    pub(super) fn written_to(&mut self, path: &str) -> Taint {
        let shown = super::drafts::shown(path);
        let mut taint = Taint(0);
        for (written, from) in self.written.clone() {
            if super::drafts::shown(written) == shown {
                taint = self.join(taint, from);
            }
        }
        taint
    }

    /// A command that names a path that was written before runs what was written.
    pub(super) fn runs_written(&mut self, command: &str, fact: u32) {
        let command = super::drafts::shown(command);
        for (written, taint) in self.written.clone() {
            let path = super::drafts::shown(written);
            let name = path.rsplit('/').next().unwrap_or(&path);
            if command.contains(&path) || (name.len() > 3 && command.contains(name)) {
                self.flow(taint, fact);
            }
        }
    }
}

/// Paths that were written and are remembered.
const WRITTEN: usize = 256;

/// Whether a mode lets a file be run.
pub(super) fn executable(mode: Value<'_>) -> bool {
    let bits = match mode.shape {
        Shape::Number(number) => super::value::index_of(number),
        Shape::Text(text) => usize::from_str_radix(text.trim_start_matches("0o"), 8)
            .ok()
            .or_else(|| text.contains("+x").then_some(0o111)),
        _ => None,
    };
    bits.is_some_and(|bits| bits & 0o111 != 0)
}
