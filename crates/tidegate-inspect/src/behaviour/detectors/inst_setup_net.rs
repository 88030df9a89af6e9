//! `setup.py` sends something, or runs what it fetches.
//!
//! `setup.py` is run by everyone who installs from source, before anything of the package is used. Fetching sources of a library happens;
//! sending something, or running what was fetched, is no part of building.
//!
//! **What to do:** do not install it from source before somebody has read the file. **Limits:** fetching alone is told as low.
//! **Example:** `class Run(install): def run(self): urlopen(Request(url, data=…))`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/inst-setup-net",
    catalogue: "INST-SETUP-NET",
    title: "`setup.py` sends something or runs what it fetches",
    severity: High,
    ecosystems: &[Ecosystem::Pypi],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for code in
        package.code.iter().filter(|code| code.path == "setup.py" && code.language == Some(Language::Python))
    {
        for (from, to, _) in code.facts.flowing() {
            let runs = matches!(
                to.what,
                What::Exec | What::ExecDetached | What::Eval | What::LibraryLoad | What::DynamicImport
            );
            if from.what == What::NetReceive && runs {
                let grade = if code.checks_digest { (Medium, Likely) } else { (High, Sure) };
                findings.tell(
                    code,
                    to,
                    grade,
                    &format!("`setup.py` runs what it fetches from {}", host(&from.detail)),
                );
            }
        }
        let fetches = of_file(code, What::NetReceive).next();
        // An answer that goes nowhere was not asked for its content.
        let uses_answers = code.checks_digest
            || in_file(code, &[What::FileWrite])
            || code.facts.flowing().any(|(from, ..)| from.what == What::NetReceive);
        // Where to fetch from may be set from outside.
        let is_data = |from: &Fact| match from.what {
            What::NetReceive => false,
            What::EnvRead => words::is_secret_variable(&from.detail),
            _ => true,
        };
        for fact in of_file(code, What::NetSend) {
            let sends_data = code.facts.flowing().any(|(from, to, _)| to == fact && is_data(from));
            let abroad = foreign(&fact.detail).is_some();
            let grade = if sends_data || abroad && !uses_answers { (High, Likely) } else { (Low, Likely) };
            let message = format!("`setup.py` sends something to {}", host(&fact.detail));
            findings.tell(code, fact, grade, &message);
        }
        if let Some(fact) = fetches {
            let starts = in_file(code, &[What::ExecDetached, What::MakeExecutable]);
            let grade = if starts && !code.checks_digest { (High, Likely) } else { (Low, Likely) };
            findings.tell(
                code,
                fact,
                grade,
                &format!("`setup.py` fetches something from {}", host(&fact.detail)),
            );
        }
    }
}
