//! Calls that start programs.

use std::rc::Rc;

use super::super::facts::What;
use super::super::record::Taint;
use super::interp::Interp;
use super::library::Call;
use super::value::{Kind, Value};

/// Flags of Windows that detach or hide: DETACHED_PROCESS, CREATE_NEW_PROCESS_GROUP, CREATE_NO_WINDOW.
const HIDING: i64 = 0x0000_0008 | 0x0000_0200 | 0x0800_0000;

impl<'a> Interp<'a> {
    /// Calls of `os`, `subprocess` and their kin.
    pub(super) fn process(&mut self, call: &Call<'_, 'a>) -> Option<Value<'a>> {
        match call.name {
            "os.system"
            | "os.startfile"
            | "pty.spawn"
            | "os.popen"
            | "os.popen2"
            | "os.popen3"
            | "os.popen4"
            | "popen2.popen2"
            | "popen2.popen3"
            | "subprocess.getoutput"
            | "subprocess.getstatusoutput"
            | "asyncio.create_subprocess_shell"
            | "asyncio.subprocess.create_subprocess_shell"
            | "pexpect.spawn"
            | "pexpect.run"
            | "pexpect.popen_spawn.PopenSpawn"
            | "sh.Command"
            | "invoke.run"
            | "fabric.api.local"
            | "plumbum.local"
            | "ctypes.windll.shell32.ShellExecuteW"
            | "win32api.ShellExecute"
            | "win32api.WinExec"
            | "IPython.get_ipython().system"
            | "ctypes.CDLL().system"
            | "ctypes.cdll.LoadLibrary().system"
            | "ctypes.windll.kernel32.WinExec"
            | "distutils.spawn.spawn"
            | "builtins.get_ipython().system"
            | "setuptools.Command().spawn"
            | "os.posix_spawnp_shell" => self.exec_line(call),
            "subprocess.Popen"
            | "subprocess.run"
            | "subprocess.call"
            | "subprocess.check_call"
            | "subprocess.check_output"
            | "psutil.Popen"
            | "gevent.subprocess.Popen"
            | "gevent.subprocess.run"
            | "gevent.subprocess.check_output"
            | "trio.run_process"
            | "anyio.run_process"
            | "eventlet.green.subprocess.Popen" => self.subprocess(call),
            "asyncio.create_subprocess_exec"
            | "asyncio.subprocess.create_subprocess_exec"
            | "sh.sh"
            | "sh.bash" => {
                let parts: Vec<Rc<str>> = call.args.pos.iter().map(Value::shown).collect();
                let detail = parts.join(" ");
                Some(self.started(call, &detail, What::Exec, true))
            }
            "os.execv"
            | "os.execve"
            | "os.execvp"
            | "os.execvpe"
            | "os.posix_spawn"
            | "os.posix_spawnp"
            | "multiprocessing.util.spawnv_passfds"
            | "_posixsubprocess.fork_exec"
            | "os.execlpe_list" => {
                let list = call.args.pos.get(usize::from(!call.name.starts_with("_posix")));
                let first = call.shown(0, "path");
                let detail = match list.map(|list| &list.kind) {
                    Some(Kind::List(_)) => list.map(command_line).unwrap_or_default(),
                    _ => call.args.pos.first().map_or_else(|| first.to_string(), command_line),
                };
                let detail = if detail.is_empty() || detail == "*" { first.to_string() } else { detail };
                Some(self.started(call, &detail, What::Exec, false))
            }
            "os.execl" | "os.execle" | "os.execlp" | "os.execlpe" => {
                let parts: Vec<Rc<str>> = call.args.pos.iter().skip(1).map(Value::shown).collect();
                let detail =
                    if parts.is_empty() { call.shown(0, "path").to_string() } else { parts.join(" ") };
                Some(self.started(call, &detail, What::Exec, false))
            }
            "os.spawnl" | "os.spawnle" | "os.spawnlp" | "os.spawnlpe" => {
                let parts: Vec<Rc<str>> = call.args.pos.iter().skip(2).map(Value::shown).collect();
                let detail =
                    if parts.is_empty() { call.shown(1, "file").to_string() } else { parts.join(" ") };
                Some(self.started(call, &detail, What::Exec, false))
            }
            "os.spawnv" | "os.spawnve" | "os.spawnvp" | "os.spawnvpe" => {
                let detail = call.args.pos.get(2).map(command_line).unwrap_or_default();
                Some(self.started(call, &detail, What::Exec, false))
            }
            "os.dup2" | "os.dup" | "os.fdopen" | "os.set_inheritable" => {
                let from = call.args.pos.first()?;
                let is_socket = from.as_name().is_some_and(is_socket_handle);
                if is_socket && call.name == "os.dup2" {
                    self.sink(What::SocketToProcess, "dup2", call.site, &call.args.taint());
                }
                None
            }
            _ => self.process_object(call),
        }
    }

    /// What is done with a process that runs.
    fn process_object(&mut self, call: &Call<'_, 'a>) -> Option<Value<'a>> {
        let owner = call.owner();
        let of_process = owner.starts_with("subprocess.Popen()")
            || owner.starts_with("asyncio.create_subprocess")
            || owner.starts_with("os.popen()");
        if !of_process {
            return None;
        }
        match call.last() {
            "communicate" | "read" | "readline" | "readlines" | "readuntil" | "getvalue" => {
                let taint = self.rec.source(What::ExecOutput, &call.about(), call.site);
                let name = format!("{}()", call.name);
                Some(Value {
                    kind: Kind::Name(super::fold::capped(&name), call.about.cloned()),
                    ..Value::from(taint.with(&call.callee.taint))
                })
            }
            "write" => {
                // Input of a program that runs is a command to it.
                let detail = call.about();
                self.sink(What::Exec, &detail, call.site, &call.args.taint());
                Some(Value::default())
            }
            _ => None,
        }
    }

    fn exec_line(&mut self, call: &Call<'_, 'a>) -> Option<Value<'a>> {
        let line = call
            .args
            .get(0, "command")
            .or_else(|| call.args.get(0, "cmd"))
            .or_else(|| call.args.get(0, "argv"));
        let mut detail = line.map(command_line).unwrap_or_default();
        let mut what = What::Exec;
        if call.name.contains("Shell") && call.name.contains("xecute") {
            let parts: Vec<String> = call.args.pos.iter().skip(2).take(2).map(command_line).collect();
            detail = parts.join(" ");
            if call.args.pos.get(5).and_then(Value::as_int) == Some(0) {
                what = What::ExecDetached;
            }
        }
        if call.name == "pty.spawn" && self.socket_seen(call) {
            self.sink(What::SocketToProcess, "pty", call.site, &Taint::default());
        }
        let silent =
            matches!(call.name, "os.system" | "os.startfile" | "pty.spawn" | "distutils.spawn.spawn");
        let output = !silent && !call.name.starts_with("ctypes") && !call.name.starts_with("win32api");
        Some(self.started(call, &detail, what, output))
    }

    /// Whether the file has joined sockets to descriptors, or opened one, before.
    fn socket_seen(&self, _call: &Call<'_, 'a>) -> bool {
        self.frames.iter().any(|frame| {
            frame.vars.values().any(|value| {
                value.as_name().is_some_and(|name| {
                    name.starts_with("socket.socket()") || name.starts_with("socket.create_connection()")
                })
            })
        })
    }

    fn subprocess(&mut self, call: &Call<'_, 'a>) -> Option<Value<'a>> {
        let args = call.args;
        let list = args.get(0, "args")?;
        let mut detail = command_line(list);
        if let Some(program) = args.named("executable").map(Value::shown)
            && &*program != "*"
            && !program.starts_with("python")
        {
            detail = format!("{program} {detail}");
        }
        let flags = args.named("creationflags");
        let truthy = |name: &str| args.named(name).and_then(Value::as_int).is_some_and(|value| value != 0);
        let hidden_flags = flags.is_some_and(|flags| match &flags.kind {
            Kind::Int(bits) => bits & HIDING != 0,
            Kind::Name(name, _) => ["DETACHED_PROCESS", "CREATE_NO_WINDOW", "CREATE_NEW_PROCESS_GROUP"]
                .iter()
                .any(|flag| name.contains(flag)),
            _ => flags.folded,
        });
        let quiet = ["stdout", "stderr"].iter().all(|name| args.named(name).is_some_and(is_nowhere));
        let own_group = args
            .named("preexec_fn")
            .and_then(Value::as_name)
            .is_some_and(|name| matches!(name, "os.setsid" | "os.setpgrp" | "os.setpgid"));
        let popen = call.name.ends_with("Popen");
        let detached = truthy("start_new_session") || own_group || hidden_flags || popen && quiet;
        let what = if detached { What::ExecDetached } else { What::Exec };
        for name in ["stdin", "stdout", "stderr"] {
            if args.named(name).is_some_and(is_socket) {
                self.sink(What::SocketToProcess, name, call.site, &Taint::default());
            }
        }
        let output = call.name.ends_with("check_output")
            || truthy("capture_output")
            || args.named("stdout").and_then(Value::as_name).is_some_and(|name| name.ends_with(".PIPE"));
        Some(self.started(call, &detail, what, output))
    }

    /// Puts down a start, with what the command line was made of.
    fn started(&mut self, call: &Call<'_, 'a>, detail: &str, what: What, output: bool) -> Value<'a> {
        let first = call.args.pos.first();
        let site = call.site_with(first);
        let detail = detail.trim();
        // An environment handed on is not taken: it is the child's own.
        let mut taint = call.args.taint_but(&["env", "cwd", "stdout", "stderr", "timeout"]);
        if let Some(input) = call.args.named("input") {
            taint = taint.with(&input.taint);
        }
        self.sink(what, detail, &site, &taint);
        let about: Rc<str> = detail.into();
        let kind = Kind::Name(super::fold::capped(&format!("{}()", call.name)), Some(Rc::clone(&about)));
        let mut value = Value::of(kind);
        if output {
            let out = self.rec.source(What::ExecOutput, &about, &site);
            value = value.tainted(&out);
        }
        self.inline_python(call, detail);
        value
    }

    /// `python -c code`: the code is code of this package like any other.
    fn inline_python(&mut self, call: &Call<'_, 'a>, detail: &str) {
        if !detail.starts_with("python") {
            return;
        }
        let code = call.args.pos.first().and_then(|list| match &list.kind {
            Kind::List(items) => {
                let at = items.iter().position(|item| item.as_text() == Some("-c"))?;
                items.get(at + 1)?.as_text().map(str::to_owned)
            }
            _ => None,
        });
        if let Some(code) = code {
            let frame = self.frame;
            self.nested(&code, call.site.offset);
            self.frame = frame;
        }
    }
}

/// A command as one line, from a text or a list of texts.
pub(super) fn command_line(value: &Value<'_>) -> String {
    match &value.kind {
        Kind::List(items) => {
            let mut line = String::new();
            for item in items.iter().take(512) {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(&item.told());
                if line.len() > super::super::facts::DETAIL_BYTES {
                    break;
                }
            }
            line
        }
        _ => value.told().to_string(),
    }
}

fn is_nowhere(value: &Value<'_>) -> bool {
    match &value.kind {
        Kind::Name(name, _) => name.ends_with(".DEVNULL"),
        Kind::File(_, path) => matches!(&*path.shown(), "/dev/null" | "NUL" | "nul"),
        _ => false,
    }
}

/// Names of what a socket gives for a descriptor.
fn is_socket_handle(name: &str) -> bool {
    (name.contains("socket.socket()") || name.contains("socket.create_connection()"))
        && name.ends_with(".fileno()")
        || name.ends_with("accept()[].fileno()")
}

fn is_socket(value: &Value<'_>) -> bool {
    value.as_name().is_some_and(|name| {
        is_socket_handle(name)
            || matches!(name, "socket.socket()" | "socket.create_connection()")
            || name.ends_with(".makefile()") && name.contains("socket")
    })
}
