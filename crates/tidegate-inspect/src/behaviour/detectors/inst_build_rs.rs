//! The build script of a crate reaches the network, or runs what it unpacked.
//!
//! Build scripts run on every machine that compiles anything which depends on the crate. They look for compilers and libraries. Some fetch a
//! prebuilt library; with a digest that is told as medium.
//!
//! **What to do:** read `build.rs`. **Limits:** network access by a crate that the script uses is seen only by the name of its calls.
//! **Example:** `Command::new("curl").arg(url)` and then `Command::new(&out)`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/inst-build-rs",
    catalogue: "INST-BUILD-RS",
    title: "a crate's build script reaches out or runs what it unpacked",
    severity: High,
    ecosystems: &[Ecosystem::Cargo],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    let is_macro = package.manifest.as_ref().is_some_and(|manifest| manifest.is_macro);
    let builds = package
        .code
        .iter()
        .filter(|code| code.reach.stage == Stage::Install && !(is_macro && code.path.starts_with("src/")));
    for code in builds {
        for (from, to, _) in code.facts.flowing() {
            let runs = matches!(to.what, What::Exec | What::ExecDetached | What::LibraryLoad);
            let sends = matches!(to.what, What::NetSend | What::DnsQuery);
            if from.what == What::NetReceive && runs {
                let grade = if code.checks_digest { (Medium, Likely) } else { (High, Sure) };
                findings.tell(
                    code,
                    to,
                    grade,
                    &format!("its build script runs what it fetches from {}", host(&from.detail)),
                );
            } else if sends && is_private_source(from) {
                findings.tell(
                    code,
                    to,
                    (High, Sure),
                    &format!("its build script sends private data to {}", host(&to.detail)),
                );
            } else if (matches!(from.what, What::BigConstant | What::Decode) || is_data(from))
                && (runs && !is_data(from) || written_and_run(code, to))
            {
                findings.tell(
                    code,
                    to,
                    (High, Likely),
                    "its build script runs a program that it unpacked from a constant",
                );
            }
        }
        for fact in &code.facts.facts {
            let grade = match fact.what {
                What::NetSend if foreign(&fact.detail).is_some() => (High, Likely),
                What::NetSend | What::ExecDetached => (Medium, Likely),
                What::NetReceive if code.checks_digest => (Medium, Likely),
                What::NetReceive => (Medium, Sure),
                _ => continue,
            };
            let is_fetch = fact.what == What::NetSend
                && of_file(code, What::NetReceive).any(|other| other.line == fact.line);
            let sends_something =
                code.facts.flowing().any(|(from, to, _)| to == fact && is_private_source(from));
            let grade = if is_fetch && !sends_something { (Medium, Likely) } else { grade };
            findings.tell(
                code,
                fact,
                grade,
                "its build script reaches the network or leaves a program running",
            );
        }
    }
}

/// A file of the package that is no source.
fn is_data(fact: &Fact) -> bool {
    let ending =
        basename(&fact.detail).and_then(|name| name.rsplit_once('.')).map_or("", |(_, ending)| ending);
    fact.what == What::FileRead
        && matches!(
            ending,
            "bin" | "dat" | "png" | "jpg" | "gz" | "xz" | "bz2" | "zip" | "txt" | "json" | "lzma" | "o"
        )
}

/// Whether a command starts a file, or has another program start it, rather than move it about.
fn starts(command: &str, name: &str) -> bool {
    const HANDLES: &[&str] = &[
        "mv", "cp", "rm", "ln", "cat", "jq", "sed", "awk", "grep", "sort", "diff", "cmp", "tee", "touch",
        "ls", "stat", "test", "head", "tail", "wc", "tar", "gzip", "xz", "install",
    ];
    let program =
        command.split_whitespace().next().and_then(|word| word.rsplit('/').next()).unwrap_or_default();
    // What is handed to another command may be started by that one.
    let is_alone = !command.contains(['|', ';', '&']);
    command.contains(name) && !(is_alone && HANDLES.contains(&program))
}

fn written_and_run(code: &Code, fact: &Fact) -> bool {
    let executes = in_file(code, &[What::MakeExecutable])
        || basename(&fact.detail)
            .is_some_and(|name| of_file(code, What::Exec).any(|exec| starts(&exec.detail, name)));
    fact.what == What::FileWrite && executes && in_file(code, &[What::Exec, What::ExecDetached])
}

#[cfg(test)]
mod tests {
    use super::starts;

    #[test]
    fn a_file_that_is_moved_about_is_not_started() {
        for command in ["mv out.bin kept.bin", "/bin/cp out.bin kept.bin", "jq . out.bin"] {
            assert!(!starts(command, "out.bin"), "{command}");
        }
        for command in
            ["./out.bin", "sh out.bin", "cat out.bin | sh", "mv out.bin a; ./a", "cp out.bin a && ./a"]
        {
            assert!(starts(command, "out.bin"), "{command}");
        }
    }
}
