//! Names that promise a model. Content decides what reads a file; where the name promises something else than what is there, that is
//! told, because whoever took the file for a model trusted the name.

use tidegate_model::finding::FindingSeverity::Medium;

use super::remark::{Told, What};
use super::safetensors;
use crate::{Format, Leaf};

/// Endings that only models and their parts have.
const ENDINGS: &[&str] = &[
    "safetensors",
    "gguf",
    "ggml",
    "pt",
    "pth",
    "ckpt",
    "onnx",
    "keras",
    "h5",
    "hdf5",
    "npy",
    "npz",
    "pkl",
    "pickle",
    "joblib",
    "tflite",
    "nemo",
    "skops",
    "mar",
];

/// Bytes of a pointer to a file that lies elsewhere.
const POINTER_BYTES: usize = 1 << 10;

/// Whether a name promises a model.
pub(super) fn is_model(path: &str) -> bool {
    ENDINGS.iter().any(|known| has_ending(path, known))
}

fn has_ending(path: &str, wanted: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').is_some_and(|(_, ending)| ending.eq_ignore_ascii_case(wanted))
}

/// Tells of a leaf that is not what its name promises.
pub(super) fn read(leaf: &Leaf<'_>, is_program: bool, told: &mut Told) {
    if is_program && is_model(leaf.path) {
        return told.at(0, What::Program("is a program with the name of a model"), None);
    }
    if leaf.bytes.is_empty() || is_pointer(leaf.bytes) {
        return;
    }
    // The two forms that are taken because no code is in them.
    for (ending, is_one) in
        [("safetensors", safetensors::matches(leaf.bytes)), ("gguf", leaf.format == Format::Gguf)]
    {
        if has_ending(leaf.path, ending) && !is_one {
            told.at(0, What::Form(format!("has the name of {ending}, and is none"), Medium), None);
        }
    }
}

/// Whether a file only says where another lies, as version control leaves it.
fn is_pointer(bytes: &[u8]) -> bool {
    bytes.len() <= POINTER_BYTES
        && bytes.starts_with(b"version ")
        && memchr::memmem::find(bytes, b"oid sha256:").is_some()
}
