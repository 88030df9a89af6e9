//! A `binding.gyp` runs a script of the package while it is read, and that script does more than find headers.
//!
//! `node-gyp` reads this file whenever it lies in a package, also where there is nothing to build; the commands in it run without any script in the
//! manifest. Looking for headers and libraries is what they are for.
//!
//! **What to do:** read the script that it names. **Limits:** scripts that only start other programs are told as low.
//! **Example:** `"sources": ["<!(node setup.js > /dev/null && echo x.c)"]`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/inst-gyp-subst",
    catalogue: "INST-GYP-SUBST",
    title: "a build description runs a script that reaches out",
    severity: High,
    ecosystems: &[Ecosystem::Npm],
    run,
};

const ACTS: &[What] = &[
    What::NetSend,
    What::NetReceive,
    What::ExecDetached,
    What::SocketToProcess,
    What::DnsQuery,
    What::ChannelReceive,
    What::EnvAll,
    What::Eval,
];

fn run(package: &Package, findings: &mut Findings) {
    let builds_something = package.files.iter().any(|file| {
        ["c", "cc", "cpp", "cxx", "m", "mm", "rs", "s", "asm"]
            .contains(&file.path.rsplit('.').next().unwrap_or_default())
    });
    for command in package.code.iter().filter(|code| code.is_command && code.path.starts_with("npm:<!")) {
        let names: Vec<&str> = command.facts.imports.iter().filter_map(|name| basename(name)).collect();
        let scripts =
            package.code.iter().filter(|code| !code.is_command && code.reach.stage == Stage::Install);
        let scripts = scripts.filter(|code| {
            names.iter().any(|name| code.path.rsplit('/').next().unwrap_or_default().starts_with(name))
        });
        let mut reached: Vec<&Code> = scripts.collect();
        let runs_own = !reached.is_empty();
        reached.push(command);
        let act = reached.iter().find_map(|code| {
            code.facts.facts.iter().find(|fact| ACTS.contains(&fact.what)).map(|fact| (*code, fact))
        });
        if let Some((code, fact)) = act {
            findings.tell(
                code,
                fact,
                (High, Sure),
                "a command in `binding.gyp` reaches the network or runs other code while it is read",
            );
        } else if runs_own && !builds_something {
            if let Some(fact) = command.facts.facts.first() {
                findings.tell(
                    command,
                    fact,
                    (High, Likely),
                    "`binding.gyp` runs a script of the package although there is nothing to build",
                );
            }
        } else if runs_own && let Some(fact) = command.facts.facts.first() {
            findings.tell(
                command,
                fact,
                (Low, Sure),
                "`binding.gyp` runs a script of the package while it is read",
            );
        }
    }
}
