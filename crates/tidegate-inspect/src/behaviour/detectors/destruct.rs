//! The home folder, the disk or everything that is found is deleted or overwritten.
//!
//! **Why:** there is no way back. Protest and revenge do this by country, by date, or after a failed theft.
//!
//! **What to do:** do not run it. **Limits:** folders that a package made itself, caches and temporary folders are not meant.
//! **Example:** `fs.rmSync(os.homedir(), {recursive: true, force: true})`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/destruct",
    catalogue: "DESTRUCT",
    title: "deletes or overwrites what is not its own",
    severity: Critical,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for (code, fact) in package.facts(&[What::FileDelete, What::Exec, What::ExecDetached]) {
        let is_all = match fact.what {
            What::FileDelete => is_everything(&fact.detail),
            _ => words::has(&fact.detail, Class::Destruct) && is_destructive(&fact.detail),
        };
        if is_all {
            let is_gated =
                fact.gates.iter().any(|gate| matches!(gate, Gate::Locale | Gate::Time | Gate::Machine));
            let is_home = fact.detail.starts_with('~') || fact.what != What::FileDelete;
            let grade = match (early(code, fact), is_home) {
                (true, _) => (Critical, Sure),
                (false, true) if is_gated => (Critical, Likely),
                (false, true) => (High, Likely),
                // What is left of a path that is put together while the code runs.
                (false, false) => (Low, Hint),
            };
            findings.tell(
                code,
                fact,
                grade,
                &format!("deletes the home folder, the disk or all that it finds {}", when(code, fact)),
            );
        }
    }
    for code in &package.code {
        ransom(code, findings);
    }
    for (code, from, to, _) in package.flows() {
        let walks = from.what == What::FolderRead && is_everything(&from.detail);
        if walks && !is_far(from, to) && matches!(to.what, What::FileDelete | What::FileWrite) {
            let grade = if early(code, to) { (Critical, Sure) } else { (High, Likely) };
            findings.tell(
                code,
                to,
                grade,
                &format!(
                    "walks through the home folder or the disk and deletes or overwrites what it finds {}",
                    when(code, to)
                ),
            );
        }
    }
}

/// Files of the home folder or of the whole disk are read, written anew under another name or content, and deleted: what a program
/// does that makes a hostage of them. Tools that rewrite files do so in folders that they are given.
fn ransom(code: &Code, findings: &mut Findings) {
    // Hidden folders of the home folder belong to programs, which clean and convert their caches.
    let is_theirs = |path: &str| path.starts_with('~') && !path.starts_with("~/.") || is_everything(path);
    let found = |what: What| {
        code.facts.flowing().filter(|(from, to, _)| !is_far(from, to)).find(|(from, to, _)| {
            matches!(from.what, What::FolderRead) && is_theirs(&from.detail) && to.what == what
        })
    };
    let (Some((_, delete, _)), Some(_)) = (found(What::FileDelete), found(What::FileWrite)) else { return };
    let rewrites =
        code.facts.flowing().any(|(from, to, _)| from.what == What::FileRead && to.what == What::FileWrite);
    if rewrites {
        let grade = if early(code, delete) { (Critical, Sure) } else { (High, Likely) };
        let message =
            format!("writes what it finds in the home folder anew and deletes it {}", when(code, delete));
        findings.tell(code, delete, grade, &message);
    }
}

/// Whether a path is a home folder, a root, or all within.
fn is_everything(path: &str) -> bool {
    const ALL: &[&str] = &[
        "~",
        "/",
        "/home",
        "/Users",
        "/root",
        "/etc",
        "/usr",
        "/var",
        "C:",
        "c:",
        "D:",
        "C:/Users",
        "C:/Windows",
        "~/Documents",
        "~/Desktop",
        "/boot",
        "/bin",
        "/dev/disk0",
    ];
    let path = path.trim().trim_matches(['"', '\'']).replace('\\', "/");
    let start = path.trim_end_matches("/**").trim_end_matches("/*");
    let start = match start.trim_end_matches('/') {
        "" if path.starts_with('/') => "/",
        start => start,
    };
    ALL.contains(&start) || path.starts_with("/dev/sd") || path.starts_with("/dev/nvme")
}

fn is_destructive(detail: &str) -> bool {
    let detail = detail.to_ascii_lowercase();
    // Folders below home are their makers' own.
    let below_home = ["rm -rf ~/", "rm -fr ~/", "rm -rf $home/"].iter().any(|start| {
        detail.find(start).is_some_and(|at| {
            detail[at + start.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.')
        })
    });
    let weak = ["xargs rm", "xargs -0 rm", "-delete", "shred -", "dd if=/dev/zero", "rm -rf /"];
    !below_home && !weak.iter().any(|word| detail.contains(word))
        || detail.contains("--no-preserve-root")
        || detail.contains("of=/dev/sd")
}
