//! Files of the real index of Python packages, fetched as this machine's pip is configured. Nothing of a package is run: for a
//! source distribution pip itself would build its metadata.

use std::path::Path;
use std::time::Duration;

use crate::process::{Finished, Program};

/// Which file of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The source distribution.
    Source,
    /// The wheel that fits every machine.
    Wheel,
}

const FETCH: &str = r##"
import subprocess, sys, urllib.request, urllib.parse, re, os
name, version, ending = sys.argv[1:]
index = subprocess.run([sys.executable, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True).stdout.strip()
if not index:
    from pip._internal.models.index import PyPI
    index = os.environ.get("PIP_INDEX_URL") or PyPI.simple_url
page = index.rstrip("/") + "/" + name + "/"
html = urllib.request.urlopen(page, timeout=60).read().decode()
stem = re.sub(r"[-_.]+", "_", name) + "-" + version
for link in re.findall(r'href="([^"]+)"', html):
    address = urllib.parse.urljoin(page, link).split("#")[0]
    if address.rsplit("/", 1)[-1] == stem + ending:
        open(stem + ending, "wb").write(urllib.request.urlopen(address, timeout=60).read())
        break
else:
    sys.exit("the index does not list " + stem + ending)
"##;

/// Fetches one file of a release into a folder; where that fails, what was said tells why.
pub fn from_pypi(folder: &Path, name: &str, version: &str, kind: Kind) -> Finished {
    let ending = match kind {
        Kind::Source => ".tar.gz",
        Kind::Wheel => "-py3-none-any.whl",
    };
    Program::of_this_user("python3")
        .args(["-c", FETCH, name, version, ending])
        .in_folder(folder)
        .timeout(Duration::from_secs(120))
        .run()
}
