//! A program is unpacked or fetched, made executable and started.
//!
//! Machine code that comes from a constant or from a server passes everyone who reads source. Packages with native parts ship or build them openly.
//!
//! **What to do:** see where the program comes from. **Limits:** installers that compare a digest, packages that say they are native, and those that fetch the program
//! that their own command stands for, are told as medium or less; unpacking an archive starts nothing.
//! **Example:** `write(tmp, b64decode(B)); chmod(tmp, 0o755); Popen(tmp)`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/bin-drop",
    catalogue: "BIN-DROP",
    title: "drops a program and starts it",
    severity: High,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    let is_native = package.manifest.as_ref().is_some_and(|manifest| manifest.is_native);
    for (code, from, to, _) in package.flows() {
        let is_unpacked = matches!(from.what, What::Decode | What::BigConstant) && !is_of_others(code, from);
        let is_fetched = matches!(from.what, What::NetReceive | What::ChannelReceive);
        if to.what == What::FileWrite && is_fetched && !early(code, to) && !is_native {
            hidden_start(code, from, to, findings);
        }
        if to.what != What::FileWrite || !(is_unpacked || is_fetched) || !early(code, to) {
            continue;
        }
        let Some(start) = starts(code, &to.detail) else { continue };
        let hidden = is_hidden_place(&to.detail);
        let grade = match (is_unpacked, hidden) {
            _ if code.checks_digest || is_native => (Medium, Likely),
            (false, _) if is_own_program(package, &start.detail) => (Low, Likely),
            (true, _) => (High, Sure),
            (false, true) => (High, Sure),
            (false, false) if start.what == What::Exec => (High, Likely),
            // Out of sight, whatever it is called.
            (false, false) if early(code, start) && in_file(code, &[What::ExecDetached]) => (High, Likely),
            _ => (Medium, Likely),
        };
        let source = if is_unpacked {
            "unpacks from its code".to_owned()
        } else {
            format!("fetches from {}", host(&from.detail))
        };
        findings.tell(code, start, grade, &format!("starts a program that it {source} {}", when(code, to)));
    }
    for (code, fact) in package.facts(&[What::Exec, What::ExecDetached, What::LibraryLoad]) {
        let Some(name) = fact.detail.split_whitespace().next().and_then(basename) else { continue };
        let shipped =
            package.files.iter().find(|file| file.is_native() && file.path.rsplit('/').next() == Some(name));
        if let Some(file) = shipped.filter(|_| early(code, fact) && !is_native) {
            let ending = file.path.rsplit('.').next().unwrap_or_default();
            let disguised = ["png", "jpg", "gif", "dat", "txt", "json", "css", "ttf", "woff", "md", "log"]
                .contains(&ending);
            // A wheel for every machine has nothing for one machine.
            let is_pure = package.is_wheel && package.subject.file_name.ends_with("-none-any.whl");
            let grade = if disguised || is_pure && fact.scope == Scope::Load {
                (High, Sure)
            } else if is_install(code, fact) {
                (High, Likely)
            } else {
                (Medium, Likely)
            };
            findings.tell(
                code,
                fact,
                grade,
                &format!("starts a program in machine code that it ships {}", when(code, fact)),
            );
        }
    }
}

/// Whether what is decoded is not the code's own: an archive that was fetched or handed over is unpacked, and the code held nothing.
fn is_of_others(code: &Code, decoded: &Fact) -> bool {
    let comes_from =
        |what| code.facts.flowing().any(|(source, sink, _)| source.what == what && sink == decoded);
    // Archives are unpacked and letters put together by every installer.
    let is_plain = matches!(decoded.detail.as_str(), "zlib" | "charcode" | "percent");
    decoded.what == What::Decode
        && (is_plain || comes_from(What::NetReceive))
        && !comes_from(What::BigConstant)
        && !comes_from(What::FileRead)
        && !decoded.folded
}

/// In a function that somebody calls: a program is fetched from an address in the code into a folder for passing things, and a shell, an
/// interpreter, the loader of libraries or a hidden process runs it. Who manages tools keeps them in a folder of their own, compares
/// digests or takes them from a release page.
fn hidden_start(code: &Code, from: &Fact, to: &Fact, findings: &mut Findings) {
    let is_release = from.detail.contains("/releases/");
    // An address that is decoded first is hidden, and says more than any place.
    let is_hidden = code.facts.flowing().any(|(source, sink, _)| {
        source.what == What::Decode
            && source.detail != "percent"
            && sink.what == What::NetSend
            && sink.detail == from.detail
    });
    let is_known = foreign(&from.detail).is_some() || is_hidden;
    if code.checks_digest || is_release || !is_known || !is_hidden_place(&to.detail) {
        return;
    }
    let Some(name) = basename(&to.detail) else { return };
    let is_quiet = |fact: &&Fact| {
        let program =
            fact.detail.split_whitespace().next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        let by_other = matches!(
            program,
            "nohup"
                | "sh"
                | "bash"
                | "zsh"
                | "python"
                | "python3"
                | "node"
                | "perl"
                | "powershell"
                | "cmd"
                | "wscript"
                | "rundll32"
                | "regsvr32"
                | "setsid"
                | "pythonw"
        );
        matches!(fact.what, What::ExecDetached | What::LibraryLoad)
            || fact.what == What::Exec && (by_other || is_hidden)
    };
    let start = code.facts.facts.iter().filter(is_quiet).find(|fact| fact.detail.contains(name));
    if let Some(start) = start {
        let message = format!(
            "fetches a program from {} into a folder for passing things and starts it unseen",
            host(&from.detail)
        );
        findings.tell(code, start, (High, Likely), &message);
    }
}

/// Where the file that is written is started or made executable.
fn starts<'a>(code: &'a Code, path: &str) -> Option<&'a Fact> {
    let kinds = [What::Exec, What::ExecDetached, What::LibraryLoad];
    let by_name = basename(path).and_then(|name| {
        code.facts.facts.iter().find(|fact| {
            kinds.contains(&fact.what) && fact.detail.contains(name) && !starts_nothing(&fact.detail)
        })
    });
    let by_mode = || {
        let executable = of_file(code, What::MakeExecutable).find(|fact| fact.detail == path)?;
        let runs = code
            .facts
            .facts
            .iter()
            .any(|fact| kinds.contains(&fact.what) && fact.detail.starts_with(['*', '/', '~']));
        runs.then_some(executable)
    };
    by_name.or_else(by_mode)
}

/// Folders for passing things and those that nobody opens.
fn is_hidden_place(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    [
        "/tmp",
        "tmp/",
        "temp/",
        "%temp%",
        "appdata",
        "/dev/shm",
        "/var/tmp",
        "~/.",
        "library/caches",
        "programdata",
        "/users/public",
    ]
    .iter()
    .any(|place| path.contains(place))
}
