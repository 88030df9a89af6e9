//! A program stands under a name that promises a picture, a font, a text or data; or the artifact is another container than
//! its ecosystem's.
//!
//! A person who reviews the package passes over `logo.png`; an install script renames and starts it.
//!
//! **What to do:** look at what uses the file.
//!
//! **Limits:** scripts under the names of texts are not told here, because texts may hold code as an example.

use super::{ArchiveDetector, Judged, Remark};
use crate::Format;

pub(super) const DETECTOR: ArchiveDetector = ArchiveDetector {
    id: "archive/type-mismatch",
    catalogue: "TYPE-MISMATCH",
    title: "a program under the name of something harmless",
    judge,
};

/// Endings that promise something that never is a program.
const HARMLESS: &[&str] = &[
    "png", "jpg", "jpeg", "gif", "webp", "ico", "bmp", "svg", "woff", "woff2", "ttf", "otf", "eot", "mp3",
    "mp4", "wav", "ogg", "txt", "md", "rst", "html", "css", "json", "yml", "yaml", "toml", "xml", "csv",
    "tsv", "ini", "cfg", "conf", "log", "lock", "map", "license", "pdf", "ts", "tsx", "jsx", "js", "mjs",
    "cjs", "py", "rs",
];

fn judge(remark: &Remark<'_>) -> Option<Judged> {
    let Remark::Leaf(leaf) = remark else { return None };
    if !matches!(leaf.format, Format::Elf | Format::Pe | Format::MachO) {
        return None;
    }
    let name = leaf.path.rsplit(['/', '!']).next().unwrap_or_default();
    let (_, ending) = name.rsplit_once('.')?;
    let ending = ending.to_ascii_lowercase();
    HARMLESS
        .contains(&ending.as_str())
        .then(|| Judged::high(format!("is a program ({}) under the name of a .{ending} file", leaf.format)))
}
