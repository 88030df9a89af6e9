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

fn run(package: &Package, findings: &mut Findings) {
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
