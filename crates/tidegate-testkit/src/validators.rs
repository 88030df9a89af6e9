//! Other people's validators of CycloneDX, SARIF, OpenVEX and SPDX. They are installed once, with the machine's own clients, into
//! a scratch folder below the build directory; where that is not possible there are none, and the test says so.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

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

const SPDX: &str = "
import sys
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
errors = [e.validation_message for e in validate_full_spdx_document(parse_file(sys.argv[1]))]
sys.exit('\\n'.join(errors)) if errors else None
";

/// What a document is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standard {
    /// CycloneDX as JSON, of this version.
    CycloneDx(&'static str),
    /// OpenVEX 0.2.0.
    OpenVex,
    /// SARIF 2.1.0.
    Sarif,
    /// SPDX 2.3 as JSON.
    Spdx23,
}

/// A folder with a Python environment of its own and, where npm is there, SARIF's schema.
#[derive(Debug)]
pub struct Validators {
    folder: PathBuf,
}

impl Validators {
    /// Those of an earlier run in the build directory, else newly installed ones; `None` where that cannot be done.
    ///
    /// # Panics
    /// The build directory cannot be written.
    pub fn install() -> Option<Self> {
        let program = std::env::current_exe().expect("a test is a program");
        let scratch = program.ancestors().nth(3).expect("a test lies in the build directory").join("tmp");
        let folder = scratch.join("report-validators-2");
        if folder.exists() {
            return Some(Self { folder });
        }
        std::fs::create_dir_all(&scratch).expect("the build directory can be written");
        // Made aside and renamed when it is whole: what stands in its place is complete.
        let making = tempfile::tempdir_in(&scratch).expect("the build directory can be written");
        run(Command::new("python3").args(["-m", "venv"]).arg(making.path().join("venv")))?;
        let mut pip = Command::new(making.path().join("venv/bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--retries", "1", "--timeout", "15"]);
        run(pip.args(["cyclonedx-python-lib[json-validation]", "jsonschema", "vexipy", "spdx-tools"]))?;
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

    /// Whether SARIF can be judged: its schema could be fetched.
    pub fn knows_sarif(&self) -> bool {
        self.folder.join(SARIF_SCHEMA).exists()
    }

    /// Judges a document.
    ///
    /// # Errors
    /// What the validator says against it.
    ///
    /// # Panics
    /// The validator cannot be run.
    pub fn judge(&self, standard: Standard, document: &str) -> Result<(), String> {
        let (script, argument) = match standard {
            Standard::CycloneDx(version) => (CYCLONEDX, PathBuf::from(version)),
            Standard::OpenVex => (OPENVEX, PathBuf::new()),
            Standard::Sarif => (SCHEMA, self.folder.join(SARIF_SCHEMA)),
            Standard::Spdx23 => (SPDX, PathBuf::new()),
        };
        let own = tempfile::tempdir().expect("a folder can be made");
        let file = own.path().join("document.json");
        std::fs::write(&file, document).expect("a file can be written");
        let mut command = Command::new(self.python());
        let (success, said) =
            output(command.args(["-c", script]).arg(&file).arg(argument)).expect("the validator runs");
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
            .expect("the folder is ours")
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.extension().is_some_and(|extension| extension == "tgz"))
            .expect("npm pack wrote an archive");
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
    let mut errors = child.stderr.take().expect("it is piped");
    let reading = std::thread::spawn(move || {
        let mut said = Vec::new();
        // What cannot be read is not told; the status decides.
        let _partial = errors.read_to_end(&mut said);
        String::from_utf8_lossy(&said).into_owned()
    });
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("it is our child") {
            return Some((status.success(), reading.join().expect("reading does not panic")));
        }
        if started.elapsed() > BOUND {
            child.kill().expect("it is our child");
            child.wait().expect("it is our child");
            return None;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
