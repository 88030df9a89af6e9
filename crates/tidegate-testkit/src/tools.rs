//! Finds the real clients that tests drive, and says loudly when one is missing.
//!
//! `cargo xtask test` puts clients that the machine lacks into `target/tools`; they are found there first, then on
//! `PATH`. A test begins with `let Some(npm) = tools::npm() else { return };`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::process::{Home, Program};

/// A client that this machine has.
#[derive(Clone, Debug)]
pub struct Tool {
    name: &'static str,
    program: PathBuf,
    prefix: Vec<OsString>,
    python_path: Option<PathBuf>,
}

impl Tool {
    /// A call of the tool by the user of `home`, without arguments yet.
    pub fn called_by(&self, home: &Home) -> Program {
        let program = Program::new(&self.program, home).args(&self.prefix);
        match &self.python_path {
            Some(path) => program.env("PYTHONPATH", path),
            None => program,
        }
    }

    /// What it is, for messages: `npm`, `pip`, `pip-oldest`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The file that is started.
    pub fn path(&self) -> &Path {
        &self.program
    }
}

/// The folder into which `cargo xtask test` installs clients: `tools` in the target folder that holds this test.
pub fn folder() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    program.ancestors().skip(1).map(|folder| folder.join("tools")).find(|folder| folder.is_dir())
}

/// npm, from `PATH`.
pub fn npm() -> Option<Tool> {
    plain("npm", &["bin/npm"])
}

/// pnpm, from the tools folder or `PATH`.
pub fn pnpm() -> Option<Tool> {
    plain("pnpm", &["pnpm/node_modules/.bin/pnpm"])
}

/// Yarn 1, from the tools folder.
pub fn yarn_classic() -> Option<Tool> {
    beside("yarn", "yarn-classic/node_modules/.bin/yarn")
}

/// Yarn 2 or later, from the tools folder.
pub fn yarn_berry() -> Option<Tool> {
    beside("yarn", "yarn-berry/node_modules/.bin/yarn")
}

/// Poetry, from the tools folder or `PATH`.
pub fn poetry() -> Option<Tool> {
    plain("poetry", &["poetry/bin/poetry"])
}

/// pip-audit, from the tools folder or `PATH`.
pub fn pip_audit() -> Option<Tool> {
    plain("pip-audit", &["pip-audit/bin/pip-audit"])
}

/// The model hub's command line, from the tools folder or `PATH`.
pub fn hf() -> Option<Tool> {
    plain("hf", &["huggingface/bin/hf"])
}

/// The Python that has the model hub's client, from the tools folder.
pub fn hub_python() -> Option<Tool> {
    beside("python3", "huggingface/bin/python3")
}

/// skopeo, from `PATH`.
pub fn skopeo() -> Option<Tool> {
    plain("skopeo", &[])
}

/// buildah, from `PATH`.
pub fn buildah() -> Option<Tool> {
    plain("buildah", &[])
}

/// Debian's registry of images, from the tools folder or `PATH`.
pub fn docker_registry() -> Option<Tool> {
    plain("docker-registry", &["docker-registry/usr/bin/docker-registry"])
}

/// The Python that has the kit for MCP clients and servers, from the tools folder.
pub fn mcp_python() -> Option<Tool> {
    beside("python3", "mcp-python/bin/python3")
}

/// Node.js, from `PATH`.
pub fn node() -> Option<Tool> {
    plain("node", &[])
}

/// The folder with the JavaScript kits for MCP clients and servers, from the tools folder.
pub fn mcp_kits() -> Option<PathBuf> {
    let found = folder().map(|folder| folder.join("mcp-node"));
    match found.filter(|folder| folder.join("node_modules/@modelcontextprotocol/client").is_dir()) {
        Some(folder) => Some(folder),
        None => skip("mcp-node"),
    }
}

/// The folder with Sigstore's verifier in JavaScript, from the tools folder.
pub fn sigstore_kit() -> Option<PathBuf> {
    let found = folder().map(|folder| folder.join("sigstore-node"));
    match found.filter(|folder| folder.join("node_modules/@sigstore/verify").is_dir()) {
        Some(folder) => Some(folder),
        None => skip("sigstore-node"),
    }
}

/// PyPI's own verifier of attestations, from the tools folder.
pub fn pypi_attestations() -> Option<Tool> {
    beside("pypi-attestations", "pypi-attestations/bin/pypi-attestations")
}

/// OpenSSL's command line, from `PATH`.
pub fn openssl() -> Option<Tool> {
    plain("openssl", &[])
}

/// A token in software.
#[derive(Clone, Debug)]
pub struct SoftHsm {
    /// The program that makes tokens.
    pub util: Tool,
    /// Its PKCS#11 module.
    pub module: PathBuf,
}

/// SoftHSM, from the tools folder or where Debian puts it.
pub fn softhsm() -> Option<SoftHsm> {
    let util = plain("softhsm2-util", &["softhsm/usr/bin/softhsm2-util"])?;
    let below = util.path().ancestors().nth(2)?;
    let found = ["lib/softhsm", "lib64/softhsm", "lib64/pkcs11"]
        .map(|folder| below.join(folder).join("libsofthsm2.so"));
    match found.into_iter().find(|module| module.is_file()) {
        Some(module) => Some(SoftHsm { util, module }),
        None => skip("libsofthsm2.so"),
    }
}

/// Open VSX's command line, from the tools folder or `PATH`.
pub fn ovsx() -> Option<Tool> {
    plain("ovsx", &["ovsx/node_modules/.bin/ovsx"])
}

/// code-server, from the tools folder or `PATH`. `cargo xtask test` installs none: it is 180 MB.
pub fn code_server() -> Option<Tool> {
    plain("code-server", &["code-server/bin/code-server"])
}

/// uv, from the tools folder or `PATH`.
pub fn uv() -> Option<Tool> {
    plain("uv", &["uv/bin/uv"])
}

/// The cargo that runs the tests, else the one on `PATH`.
pub fn cargo() -> Option<Tool> {
    match std::env::var_os("CARGO").map(PathBuf::from).filter(|path| path.is_file()) {
        Some(program) => Some(Tool { name: "cargo", program, prefix: Vec::new(), python_path: None }),
        None => plain("cargo", &[]),
    }
}

/// The Python interpreter itself, never a version manager's stand-in for it.
pub fn python() -> Option<Tool> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let output = Command::new("python3")
            .args(["-I", "-c", "import sys; print(sys.executable)"])
            .stdin(Stdio::null())
            .output()
            .ok()
            .filter(|output| output.status.success())?;
        let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
        path.is_file().then_some(path)
    });
    match found {
        Some(program) => {
            Some(Tool { name: "python3", program: program.clone(), prefix: Vec::new(), python_path: None })
        }
        None => skip("python3"),
    }
}

/// Every pip to test with: the oldest that this Python runs and the newest, where they are installed in the tools
/// folder; else Python's own. Empty (and said so) where there is none.
pub fn pips() -> Vec<Tool> {
    let Some(python) = python() else { return Vec::new() };
    let with = |name, python_path: Option<PathBuf>| Tool {
        name,
        program: python.program.clone(),
        prefix: ["-m", "pip"].map(OsString::from).to_vec(),
        python_path,
    };
    let installed: Vec<Tool> = ["pip-oldest", "pip-newest"]
        .into_iter()
        .filter_map(|name| {
            let path = folder()?.join(name);
            path.join("pip").is_dir().then(|| with(name, Some(path)))
        })
        .collect();
    if !installed.is_empty() {
        return installed;
    }
    let own = with("pip", None);
    let works = own.called_by(&Home::new()).arg("--version").run().succeeded();
    if works {
        return vec![own];
    }
    let _: Option<()> = skip("pip");
    Vec::new()
}

fn plain(name: &'static str, below_tools: &[&str]) -> Option<Tool> {
    let installed = folder().into_iter().flat_map(|f| below_tools.iter().map(move |path| f.join(path)));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join(name)).collect::<Vec<_>>();
    match installed.chain(on_path).find(|candidate| candidate.is_file()) {
        Some(program) => Some(Tool { name, program, prefix: Vec::new(), python_path: None }),
        None => skip(name),
    }
}

/// A client of one generation, which `PATH` does not tell from another: from the tools folder alone.
fn beside(name: &'static str, below_tools: &str) -> Option<Tool> {
    match folder().map(|folder| folder.join(below_tools)).filter(|program| program.is_file()) {
        Some(program) => Some(Tool { name, program, prefix: Vec::new(), python_path: None }),
        None => skip(below_tools.split('/').next().unwrap_or(name)),
    }
}

fn skip<T>(name: &str) -> Option<T> {
    skip_because(&format!("`{name}` is not installed on this machine"))
}

/// Says that the test cannot run here. The text is also what CI greps its log for.
pub fn skip_because<T>(why: &str) -> Option<T> {
    let thread = std::thread::current();
    // Written past the test harness, which keeps the output of tests that pass.
    let line = format!("SKIPPED: {}: {why}\n", thread.name().unwrap_or("a test"));
    use std::io::Write as _;
    // Nobody can be told that standard error is gone.
    let _ = std::io::stderr().write_all(line.as_bytes());
    None
}
