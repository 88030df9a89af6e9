//! `cargo xtask bench verify`: what checking one attestation costs, in one process and as a process of its own, beside
//! Sigstore's verifier in JavaScript and PyPI's own in Python.
//!
//! All read the same genuine attestations (the labelled set of `../shared/data/provenance`). What is compared is the CPU time
//! of a whole process, since that is what a pipeline pays that starts one for each file; rounds are interleaved, and the
//! median is shown. Start-up is most of what the others take, which is why the cost within one process stands above it.

use std::path::{Path, PathBuf};
use std::process::Command;

use tidegate_testkit::fetch::{self, Kind};

use super::BenchError;
use super::check::{MEASURE, write_error};

/// Sizes of a run.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Verifications of each kind within one process
    #[arg(long, default_value_t = 1000)]
    rounds: u32,
    /// Processes of each kind
    #[arg(long, default_value_t = 9)]
    processes: usize,
    /// The binary under test
    #[arg(long, default_value_os_t = crate::tools::target().join("release/tidegate"))]
    tidegate: PathBuf,
}

/// Who signed the file of PyPI.
const IDENTITY: &str =
    "https://github.com/trailofbits/pypi-attestations/.github/workflows/release.yml@refs/tags/v0.0.19";

/// Verifies one attestation of npm under Sigstore's root; ends with an error where it does not hold.
const JAVASCRIPT: &str = r"
const [kit, root, file] = process.argv.slice(2);
const fs = require('fs');
const at = (name) => require(kit + '/node_modules/@sigstore/' + name);
const { Verifier, toSignedEntity, toTrustMaterial } = at('verify');
const trust = toTrustMaterial(at('protobuf-specs').TrustedRoot.fromJSON(JSON.parse(fs.readFileSync(root))));
new Verifier(trust).verify(toSignedEntity(at('bundle').bundleFromJSON(JSON.parse(fs.readFileSync(file)))));
";

/// A way of verifying, as a process.
struct Way {
    name: &'static str,
    command: Command,
    cpu_ms: Vec<f64>,
}

pub(super) fn run(options: &Options) -> Result<(), BenchError> {
    let set = tidegate_testkit::data::shared_data("provenance")
        .ok_or_else(|| BenchError::Server("the attestations of the test data are needed".into()))?;
    let python = tidegate_testkit::tools::python().ok_or(BenchError::Missing("python3"))?;
    let pace = example()?;
    println!("CPU a verification, {} rounds in one process:", options.rounds);
    finished(Command::new(&pace).arg(&set).arg(options.rounds.to_string()))?;

    let folder = tempfile::tempdir().map_err(|source| write_error(Path::new("a scratch folder"), source))?;
    let mut ways = ways(options, &set, folder.path())?;
    for _ in 0..options.processes {
        for way in &mut ways {
            way.cpu_ms.push(cpu_ms(python.path(), way)?);
        }
    }
    println!("\nCPU of a whole process that verifies one, median of {}:", options.processes);
    let median = |way: &mut Way| {
        way.cpu_ms.sort_by(f64::total_cmp);
        way.cpu_ms[way.cpu_ms.len() / 2]
    };
    let medians: Vec<(&str, f64)> = ways.iter_mut().map(|way| (way.name, median(way))).collect();
    let ours = medians[0].1;
    for (name, ms) in &medians {
        println!("{ms:9.1} ms  {:6.1} x  {name}", ms / ours);
    }
    Ok(())
}

/// Builds the example that verifies in one process, as a release.
fn example() -> Result<PathBuf, BenchError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    finished(build.args([
        "build",
        "--release",
        "--quiet",
        "-p",
        "tidegate-provenance",
        "--features",
        "testing",
        "--example",
        "verify_pace",
    ]))?;
    Ok(crate::tools::target().join("release/examples/verify_pace"))
}

fn ways(options: &Options, set: &Path, folder: &Path) -> Result<Vec<Way>, BenchError> {
    let case = |name: &str| -> Result<serde_json::Value, BenchError> {
        let text = std::fs::read(set.join(format!("cases/{name}.json")));
        let text = text.map_err(|e| BenchError::Server(format!("{name}: {e}")))?;
        serde_json::from_slice(&text).map_err(|e| BenchError::Server(format!("{name}: {e}")))
    };
    let write = |name: &str, text: &str| -> Result<PathBuf, BenchError> {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|source| write_error(&path, source))?;
        Ok(path)
    };
    let npm = case("npm-sigstore-2.3.1-prov")?;
    let bundle = write("npm.sigstore.json", &npm["attestation"]["bundle"].to_string())?;
    let sha512 = npm["artifact"]["sha512"].as_str().unwrap_or_default();
    let mut ours = Command::new(&options.tidegate);
    ours.args(["verify", "--digest"]).arg(format!("sha512:{sha512}")).arg("--attestation").arg(&bundle);
    let mut ways = vec![Way { name: "tidegate verify, npm provenance", command: ours, cpu_ms: Vec::new() }];

    if let (Some(node), Some(kit)) =
        (tidegate_testkit::tools::node(), tidegate_testkit::tools::sigstore_kit())
    {
        let mut command = Command::new(node.path());
        command.arg(write("verify.js", JAVASCRIPT)?).arg(kit).arg(set.join("trusted_root.json")).arg(&bundle);
        ways.push(Way { name: "@sigstore/verify, npm provenance", command, cpu_ms: Vec::new() });
    }
    if let Some(tool) = tidegate_testkit::tools::pypi_attestations() {
        ways.extend(pypi(tool.path(), &case("pypi-pypi_attestations-0.0.19-publish")?, folder)?);
    }
    Ok(ways)
}

/// PyPI's verifier on the set's file, which this machine's pip has to have: the verifier wants the bytes.
fn pypi(tool: &Path, row: &serde_json::Value, folder: &Path) -> Result<Option<Way>, BenchError> {
    let name = row["subject"].as_str().unwrap_or_default();
    let fetched = fetch::from_pypi(folder, "pypi-attestations", "0.0.19", Kind::Source);
    if !folder.join(name).is_file() {
        println!("SKIPPED: pypi-attestations: {name} cannot be had here: {}", fetched.stderr);
        return Ok(None);
    }
    let attestation = folder.join(format!("{name}.publish.attestation"));
    std::fs::write(&attestation, row["attestation"].to_string())
        .map_err(|source| write_error(&attestation, source))?;
    let mut command = Command::new(tool);
    command.args(["verify", "attestation", "--offline", "--identity", IDENTITY]).arg(folder.join(name));
    Ok(Some(Way { name: "pypi-attestations, PyPI publish", command, cpu_ms: Vec::new() }))
}

fn finished(command: &mut Command) -> Result<(), BenchError> {
    let ended = command.status().map_err(|e| BenchError::Server(format!("{command:?}: {e}")))?;
    if ended.success() { Ok(()) } else { Err(BenchError::Server(format!("{command:?} ended with {ended}"))) }
}

/// CPU time of one process with its children, in milliseconds.
fn cpu_ms(python: &Path, way: &Way) -> Result<f64, BenchError> {
    let mut measured = Command::new(python);
    measured.args(["-c", MEASURE]).arg(way.command.get_program()).args(way.command.get_args());
    let failed = |why: String| BenchError::Server(format!("{}: {why}", way.name));
    let done = measured.output().map_err(|e| failed(e.to_string()))?;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let [seconds, _, status] = said.split_ascii_whitespace().collect::<Vec<_>>()[..] else {
        return Err(failed(String::from_utf8_lossy(&done.stderr).into_owned()));
    };
    // 3: something is not proven, which is true of any attestation.
    if !matches!(status, "0" | "3") {
        return Err(failed(format!("it ended with status {status}: it does not verify, or could not")));
    }
    seconds.parse().map(|seconds: f64| seconds * 1e3).map_err(|e| failed(e.to_string()))
}
