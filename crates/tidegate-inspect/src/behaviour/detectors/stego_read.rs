//! Bytes of a picture, a font or a sound become code.
//!
//! Nobody looks for code in a picture. Reading one to show it never ends in an interpreter.
//!
//! **What to do:** do not run it. **Limits:** what is first written to another file is not followed.
//! **Example:** `eval(decode(fs.readFileSync('logo.png')))`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/stego-read",
    catalogue: "STEGO-READ",
    title: "runs what it reads from a picture, font or sound",
    severity: Critical,
    ecosystems: &[],
    run,
};

const MEDIA: &[&str] = &[
    "png", "jpg", "jpeg", "gif", "bmp", "ico", "webp", "tif", "tiff", "svg", "ttf", "otf", "woff", "woff2",
    "eot", "mp3", "wav", "ogg", "flac", "mp4", "avi", "mov", "webm", "pdf",
];

/// Endings of files that hold data: nobody expects an interpreter to run them.
const DATA: &[&str] = &[
    "json", "dat", "bin", "txt", "csv", "tsv", "npz", "npy", "db", "sqlite", "log", "xml", "html", "css",
    "yml", "yaml", "ini", "lock", "pkl", "pickle", "bak", "tmp", "map", "pt", "onnx", "parquet", "zip", "gz",
    "xz", "bz2",
];

/// Files of data whose content, or part of it, is run as code.
fn data(package: &Package, findings: &mut Findings) {
    for (code, from, to, decoded) in package.flows() {
        let ending =
            basename(&from.detail).and_then(|name| name.rsplit_once('.')).map_or("", |(_, ending)| ending);
        let is_data = from.what == What::FileRead && DATA.contains(&ending.to_ascii_lowercase().as_str());
        let runs = to.what == What::Eval && !to.detail.starts_with("pickle") || to.what == What::ExecMemory;
        if is_data && runs && matches!(code.language, Some(Language::Python | Language::Rust)) {
            let grade = match early(code, to) {
                true if decoded => (High, Sure),
                // What reads and what runs stand in different files, and neither says that it is for the other.
                true if from.hops + to.hops > 0 => (Medium, Likely),
                true => (High, Likely),
                false => (Low, Hint),
            };
            findings.tell(
                code,
                to,
                grade,
                &format!("runs what it reads from a file of data {}", when(code, to)),
            );
        }
    }
    for (code, fact) in package.facts(&[What::DynamicImport]) {
        let ending =
            basename(&fact.detail).and_then(|name| name.rsplit_once('.')).map_or("", |(_, ending)| ending);
        let ending = ending.to_ascii_lowercase();
        let is_data = DATA.contains(&ending.as_str()) && !matches!(ending.as_str(), "zip" | "json")
            || MEDIA.contains(&ending.as_str());
        // It has to come from somewhere: with the package, or from code that writes it.
        let name = basename(&fact.detail).unwrap_or_default();
        // What restores objects imports what they name, and no module from where they are kept.
        let is_pickle = matches!(ending.as_str(), "pkl" | "pickle");
        let exists = package.files.iter().any(|file| basename(&file.path) == Some(name))
            || !is_pickle
                && package.facts(&[What::FileWrite]).any(|(_, write)| basename(&write.detail) == Some(name));
        if is_data && exists && early(code, fact) && code.language == Some(Language::Python) {
            findings.tell(
                code,
                fact,
                (High, Likely),
                &format!("loads a module from a file of data {}", when(code, fact)),
            );
        }
    }
}

fn run(package: &Package, findings: &mut Findings) {
    data(package, findings);
    for (code, from, to, _) in package.flows() {
        let path = from.detail.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
        let ending = path.rsplit('.').next().unwrap_or_default();
        let reads = matches!(from.what, What::FileRead | What::NetReceive) && MEDIA.contains(&ending);
        let runs = matches!(
            to.what,
            What::Eval | What::LibraryLoad | What::DynamicImport | What::Exec | What::ExecDetached
        );
        if reads && runs {
            // Viewers and converters are started with pictures as arguments.
            let grade = match (to.what, early(code, to)) {
                (What::Exec | What::ExecDetached, true) => (High, Likely),
                (What::Exec | What::ExecDetached, false) => (Info, Hint),
                // What is loaded by a name is a file of its own.
                (What::DynamicImport | What::LibraryLoad, false) => (Low, Hint),
                (_, true) => (Critical, Sure),
                (_, false) => (High, Likely),
            };
            findings.tell(
                code,
                to,
                grade,
                &format!("runs what it reads from a picture, font or sound {}", when(code, to)),
            );
        }
    }
}
