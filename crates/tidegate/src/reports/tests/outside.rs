//! Other people's validators read what we write. They are installed once, with the machine's own clients, into a scratch
//! folder below the build directory; where that is not possible the test says so and judges nothing.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::*;

/// How long one command may take.
const BOUND: Duration = Duration::from_secs(150);

/// Python that judges one document each: the library's strict schema, a JSON schema, a model.
const CYCLONEDX: &str = "
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
error = JsonStrictValidator(SchemaVersion.from_version(sys.argv[2])).validate_str(open(sys.argv[1]).read())
sys.exit(str(error)) if error else None
";
const SCHEMA: &str = "
import json, sys
from jsonschema import Draft7Validator, FormatChecker
validator = Draft7Validator(json.load(open(sys.argv[2])), format_checker=FormatChecker())
errors = [f'{list(e.absolute_path)}: {e.message}'[:400] for e in validator.iter_errors(json.load(open(sys.argv[1])))]
sys.exit('\\n'.join(errors)) if errors else None
";
const OPENVEX: &str = "
import sys
from vexipy import Document
Document.model_validate_json(open(sys.argv[1]).read())
";

/// A folder with a Python environment of its own and, where npm is there, SARIF's schema.
struct Validators {
    folder: PathBuf,
}

impl Validators {
    /// Those of an earlier run in the build directory, else newly installed ones; `None` where that cannot be done.
    fn install() -> Option<Self> {
        let program = std::env::current_exe().unwrap();
        let scratch = program.ancestors().nth(3).unwrap().join("tmp");
        let folder = scratch.join("report-validators-1");
        if folder.exists() {
            return Some(Self { folder });
        }
        std::fs::create_dir_all(&scratch).unwrap();
        // Made aside and renamed when it is whole: what stands in its place is complete.
        let making = tempfile::tempdir_in(&scratch).unwrap();
        run(Command::new("python3").args(["-m", "venv"]).arg(making.path().join("venv")))?;
        let mut pip = Command::new(making.path().join("venv/bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--retries", "1", "--timeout", "15"]);
        run(pip.args(["cyclonedx-python-lib[json-validation]", "jsonschema", "vexipy"]))?;
        fetch_sarif_schema(making.path());
        match std::fs::rename(making.path(), &folder) {
            Ok(()) => drop(making.keep()),
            // Another run was faster.
            Err(_) if folder.exists() => {}
            Err(error) => panic!("{}: {error}", folder.display()),
        }
        Some(Self { folder })
    }

    fn python(&self) -> PathBuf {
        self.folder.join("venv/bin/python")
    }

    fn sarif_schema(&self) -> Option<PathBuf> {
        Some(self.folder.join(SARIF_SCHEMA)).filter(|schema| schema.exists())
    }

    /// Whether a validator is content with a document, or what it says.
    fn judge(&self, script: &str, document: &str, argument: &Path) -> Result<(), String> {
        let own = tempfile::tempdir().unwrap();
        let file = own.path().join("document.json");
        std::fs::write(&file, document).unwrap();
        let (success, said) =
            output(Command::new(self.python()).args(["-c", script]).arg(&file).arg(argument)).unwrap();
        if success { Ok(()) } else { Err(said) }
    }
}

/// Where the package that carries SARIF's schema has it.
const SARIF_SCHEMA: &str = "package/lib/schemas/sarif-2.1.0-rtm.5.json";

/// SARIF's schema, which a package for tests of SARIF carries; nothing where npm cannot get it.
fn fetch_sarif_schema(folder: &Path) {
    let mut pack = Command::new("npm");
    pack.args(["pack", "--silent", "@microsoft/jest-sarif@1.0.0-beta.0"]).current_dir(folder);
    if run(&mut pack).is_some() {
        let archive = std::fs::read_dir(folder)
            .unwrap()
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|extension| extension == "tgz"))
            .unwrap();
        run(Command::new("tar").arg("-xzf").arg(archive).current_dir(folder));
    }
}

/// Runs a command within the bound; `None`, loudly, where it fails.
fn run(command: &mut Command) -> Option<()> {
    match output(command) {
        Some((true, _)) => Some(()),
        Some((false, said)) => {
            eprintln!("{command:?} failed: {said}");
            None
        }
        None => {
            eprintln!("{command:?} could not be run within {BOUND:?}");
            None
        }
    }
}

fn output(command: &mut Command) -> Option<(bool, String)> {
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.ok()?;
    let mut errors = child.stderr.take().unwrap();
    let reading = std::thread::spawn(move || {
        let mut said = Vec::new();
        // What cannot be read is not told; the status decides.
        let _partial = errors.read_to_end(&mut said);
        String::from_utf8_lossy(&said).into_owned()
    });
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some((status.success(), reading.join().unwrap()));
        }
        if started.elapsed() > BOUND {
            child.kill().unwrap();
            child.wait().unwrap();
            return None;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn other_validators_accept_what_is_written() {
    let Some(validators) = Validators::install() else {
        eprintln!(
            "SKIPPED: the validators of CycloneDX, SARIF and OpenVEX cannot be installed here (no network?)"
        );
        return;
    };
    let mut bare = sample();
    bare.subject = Subject { name: "standard input".into(), ..Subject::default() };
    bare.author = None;
    bare.policy = None;
    bare.findings.truncate(1);
    bare.gaps.clear();
    let mut empty = sample();
    empty.components.clear();
    let accept = |script: &str, document: &str, argument: &Path| {
        validators.judge(script, document, argument).unwrap_or_else(|said| panic!("{said}\n{document}"));
    };
    let refuse = |script: &str, document: &str, argument: &Path| {
        assert!(validators.judge(script, document, argument).is_err(), "the validator accepts anything");
    };
    for (version, format) in [("1.6", ReportFormat::CycloneDx16), ("1.7", ReportFormat::CycloneDx17)] {
        for report in [&sample(), &bare, &empty] {
            accept(CYCLONEDX, &rendered(report, format).0, Path::new(version));
        }
        let broken = rendered(&sample(), format).0.replace("\"library\"", "\"librarian\"");
        refuse(CYCLONEDX, &broken, Path::new(version));
    }
    for report in [&sample(), &bare] {
        accept(OPENVEX, &rendered(report, ReportFormat::OpenVex).0, Path::new(""));
    }
    let unjustified = rendered(&sample(), ReportFormat::OpenVex).0.replace("\"affected\"", "\"concerned\"");
    refuse(OPENVEX, &unjustified, Path::new(""));
    let Some(schema) = validators.sarif_schema() else {
        eprintln!("SKIPPED: the schema of SARIF cannot be fetched here (no npm, no network?)");
        return;
    };
    for report in [&sample(), &bare, &empty] {
        accept(SCHEMA, &rendered(report, ReportFormat::Sarif).0, &schema);
    }
    refuse(SCHEMA, &rendered(&sample(), ReportFormat::Sarif).0.replace("\"error\"", "\"fatal\""), &schema);
}
