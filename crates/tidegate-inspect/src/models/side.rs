//! Reads the files beside a model: settings of its classes, of its tokenizer and of its training. Some of them name code.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::pickle::globals::{Standing, Table};
use super::remark::{Told, What};
use super::{keras, template};
use crate::behaviour::detectors::is_argument;
use crate::behaviour::facts::What as Does;
use crate::behaviour::python;

/// Bytes of a settings file that is read.
const SETTINGS_BYTES: usize = 4 << 20;

/// Values of one file.
const VALUES: usize = 200_000;

/// Words of which a file must have one to be read.
const WORDS: &[&str] = &[
    "auto_map",
    "chat_template",
    "_target_",
    "class_name",
    "custom_pipelines",
    "trust_remote_code",
    "loader_module",
    "__loader__",
];

/// Libraries that settings name all the time, although their parts have no place in a pickle.
const NAMED_OFTEN: &[&str] = &[
    "wandb",
    "comet_ml",
    "neptune",
    "ray",
    "dask",
    "h5py",
    "torch",
    "numpy",
    "pandas",
    "sklearn",
    "tensorflow",
    "keras",
    "mlflow",
    "hydra",
    "joblib",
    "transformers",
    "huggingface_hub",
    "fsspec",
    "logging",
    "PIL",
    "cv2",
    "imageio",
    "concurrent",
    "multiprocessing",
    "threading",
    "sqlalchemy",
    "redis",
    "scipy",
    "contextlib",
    "warnings",
    "inspect",
    "ast",
    "csv",
    "xml",
    "glob",
    "locale",
    "omegaconf",
    "mmengine",
    "mmcv",
    "numba",
    "datasets",
];

/// Parts of those that make a program of settings all the same.
const NAMED_NEVER: &[&str] = &[
    "torch.hub.load",
    "torch.load",
    "torch.jit.load",
    "joblib.load",
    "numpy.load",
    "pandas.read_pickle",
    "pandas.eval",
    "hydra.utils.get_method",
    "hydra.utils.get_object",
    "torch.utils.cpp_extension.load_inline",
    "torch.utils.cpp_extension.load",
];

/// Reads a JSON document.
pub(super) fn read_json(bytes: &[u8], told: &mut Told) {
    if !has_words(bytes) {
        return;
    }
    if bytes.len() > SETTINGS_BYTES {
        // Vocabularies are that long; what is read of them is what Keras would.
        if memchr::memmem::find(bytes, b"class_name").is_some() {
            keras::read_json(bytes, 0, told);
        }
        return;
    }
    if !keras::fits_in_memory(bytes) {
        return told.gap("a settings file has more values than are read");
    }
    keras::read_json(bytes, 0, told);
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return };
    walk(&value, &mut 0, told);
}

/// JSON may write each letter as an escape, so a text with escapes is read whatever it says.
fn has_words(bytes: &[u8]) -> bool {
    WORDS.iter().any(|word| memchr::memmem::find(bytes, word.as_bytes()).is_some())
        || bytes.len() < SETTINGS_BYTES / 4 && memchr::memmem::find(bytes, b"\\u00").is_some()
}

fn walk(value: &Value, count: &mut usize, told: &mut Told) {
    *count += 1;
    if *count > VALUES {
        return told.gap("a settings file has more values than are read");
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, count, told)),
        Value::Object(object) => {
            skops(object, told);
            for (key, inner) in object {
                match (key.as_str(), inner) {
                    ("auto_map", Value::Object(map)) => map.values().for_each(|name| auto_map(name, told)),
                    ("custom_pipelines", Value::Object(map)) => {
                        map.values().filter_map(|one| one.get("impl")).for_each(|name| auto_map(name, told));
                    }
                    ("chat_template", Value::String(text)) => template::read(text, 0, told),
                    ("chat_template", Value::Array(all)) => {
                        let texts =
                            all.iter().filter_map(|one| one.get("template")).filter_map(Value::as_str);
                        texts.for_each(|text| template::read(text, 0, told));
                    }
                    ("chat_template", Value::Object(all)) => {
                        all.values().filter_map(Value::as_str).for_each(|text| template::read(text, 0, told));
                    }
                    ("_target_", Value::String(name)) => target(name, None, told),
                    _ => {}
                }
                walk(inner, count, told);
            }
        }
        _ => {}
    }
}

/// A class that comes as code: `module.Class`, of another repository `owner/name--module.Class`.
fn auto_map(name: &Value, told: &mut Told) {
    match name {
        Value::String(name) => {
            let other = name.contains("--") || name.contains('/');
            told.of_all(What::RemoteCode(super::remark::shown(name), other), None);
        }
        Value::Array(names) => names.iter().for_each(|name| auto_map(name, told)),
        _ => {}
    }
}

/// A node of skops: the loader that is asked for, and what it makes by module and name.
fn skops(object: &serde_json::Map<String, Value>, told: &mut Told) {
    let text = |object: &serde_json::Map<String, Value>, key: &str| {
        object.get(key).and_then(Value::as_str).map(str::to_owned)
    };
    let (Some(_), Some(class)) = (text(object, "__loader__"), text(object, "__class__")) else { return };
    told.is_of("skops");
    let module = text(object, "__module__").unwrap_or_default();
    target(&format!("{module}.{class}"), None, told);
    if let Some(content) = object.get("content").and_then(Value::as_object)
        && let (Some(module), Some(name)) =
            (text(content, "module_path"), text(content, "function").or_else(|| text(content, "class")))
    {
        target(&format!("{module}.{name}"), None, told);
    }
}

/// A name that a loader imports and calls.
fn target(name: &str, line: Option<u32>, told: &mut Told) {
    let name = name.trim();
    let Some((module, last)) = name.rsplit_once('.') else { return };
    let table = Table::builtin();
    let first = module.split('.').next().unwrap_or_default();
    let is_often = NAMED_OFTEN.contains(&first);
    let harm = match table.standing(module, last) {
        Standing::Denied(_) => !is_often || NAMED_NEVER.contains(&name) || table.leads_to_commands(name),
        Standing::Safe | Standing::Part => return,
        _ => table.leads_to_commands(name),
    };
    let what = What::Target(super::remark::shown(name), harm);
    match line {
        Some(line) => told.on_line(line, what, None),
        None => told.of_all(what, None),
    }
}

/// `_target_` in a line of YAML, in whatever quotes.
static TARGET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"["']?_target_["']?\s*:\s*["']?([A-Za-z_][\w.]*)"#).expect("the expression is right")
});

/// `loader_module` in a line of a model of MLflow.
static LOADER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^\s*loader_module\s*:\s*["']?([A-Za-z_][\w.]*)"#).expect("the expression is right")
});

/// Tags by which YAML makes objects of Python.
static TAG: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:!!|!<tag:yaml\.org,2002:|tag:yaml\.org,2002:)python/(object/apply|object/new|object|name|module):\s*([A-Za-z_][\w.]*)")
        .expect("the expression is right")
});

/// Whether a text has the name of settings or of a template, or none that says more. Code and pages have words and braces of every kind.
pub(super) fn may_be_settings(path: &str) -> bool {
    const ENDINGS: &[&str] =
        &["yaml", "yml", "json", "jinja", "jinja2", "j2", "tmpl", "template", "txt", "cfg", "conf"];
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    name.rsplit_once('.').is_none_or(|(_, ending)| ENDINGS.contains(&ending))
}

/// Reads text that may be YAML or a template by itself.
pub(super) fn read_text(path: &str, bytes: &[u8], told: &mut Told) {
    if bytes.len() > SETTINGS_BYTES {
        return;
    }
    let has = |word: &str| memchr::memmem::find(bytes, word.as_bytes()).is_some();
    if has("_target_") || has("python/") || has("loader_module") {
        let text = String::from_utf8_lossy(bytes);
        for (line, number) in text.lines().zip(1_u32..) {
            for found in TARGET.captures_iter(line) {
                target(&found[1], Some(number), told);
            }
            if let Some(found) = LOADER.captures(line) {
                loader(&found[1], number, told);
            }
            for found in TAG.captures_iter(line) {
                tag(&found[1], &found[2], number, told);
            }
        }
    }
    if may_be_template(path, bytes) && is_template(bytes) {
        template::read(&String::from_utf8_lossy(bytes), 0, told);
    }
}

/// The module of a model of MLflow that loads it: one of MLflow, or one that the model brings.
fn loader(name: &str, line: u32, told: &mut Told) {
    if name != "mlflow" && !name.starts_with("mlflow.") {
        told.on_line(line, What::RemoteCode(super::remark::shown(name), false), None);
    }
}

fn tag(kind: &str, name: &str, line: u32, told: &mut Told) {
    let (module, last) = name.rsplit_once('.').unwrap_or(("builtins", name));
    let harm = matches!(Table::builtin().standing(module, last), Standing::Denied(_));
    if harm || kind != "object" {
        let is_safe = Table::builtin().standing(module, last) == Standing::Safe;
        if !is_safe {
            told.on_line(line, What::Target(super::remark::shown(name), harm), None);
        }
    }
}

/// Classes that endpoints give every request to.
const HANDLERS: &[&[u8]] = &[b"class EndpointHandler", b"class PreTrainedPipeline"];

/// Whether a text is the handler of an endpoint.
pub(super) fn is_handler(path: &str, bytes: &[u8]) -> bool {
    path.ends_with(".py") && HANDLERS.iter().any(|class| memchr::memmem::find(bytes, class).is_some())
}

/// Reads the handler of an endpoint: whether what it is asked becomes a command or code.
pub(super) fn read_handler(path: &str, bytes: &[u8], told: &mut Told) {
    let file = python::read(bytes, path);
    for (from, to, _) in file.flowing() {
        let runs = match to.what {
            Does::Eval => true,
            Does::Exec | Does::ExecDetached => !is_argument(&to.detail),
            _ => false,
        };
        if from.what == Does::ChannelReceive && runs {
            told.on_line(to.line, What::Handler(super::remark::shown(&to.detail)), None);
        }
    }
}

/// Whether a text is where templates are, or begins as one does: documentation of programs with marks like theirs does not.
fn may_be_template(path: &str, bytes: &[u8]) -> bool {
    const ENDINGS: &[&str] = &["yaml", "yml", "json", "jinja", "jinja2", "j2", "tmpl", "template"];
    const WORDS: &[&str] = &["template", "jinja", "chat", "prompt"];
    const BEGINNINGS: &[&[u8]] = &[b"{%", b"{{", b"{#", b"<|", b"<s>", b"[INST]", b"###"];
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    name.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.contains(&ending))
        || WORDS.iter().any(|word| name.contains(word))
        || BEGINNINGS.iter().any(|mark| bytes.trim_ascii_start().starts_with(mark))
}

/// Bytes behind the opening mark of a statement or an expression of a template within which it names what it is about.
const TAG_BYTES: usize = 2_000;

/// Marks of a template that are looked behind.
const TAGS: usize = 1_000;

/// Whether a text is a chat template: a statement or an expression of it goes through the messages. The words alone stand in many
/// a text that also holds such a mark, such as the news of a program with formats of its own.
fn is_template(bytes: &[u8]) -> bool {
    let has = |word: &str| memchr::memmem::find(bytes, word.as_bytes()).is_some();
    let is_one = has("{%") && has("messages") && (has("role") || has("content"));
    is_one && (goes_through(bytes, b"{%", b"%}") || goes_through(bytes, b"{{", b"}}"))
}

/// Whether `messages` stands between two such marks.
fn goes_through(bytes: &[u8], open: &[u8], close: &[u8]) -> bool {
    memchr::memmem::find_iter(bytes, open).take(TAGS).any(|at| {
        let rest = &bytes[at + open.len()..];
        let rest = &rest[..rest.len().min(TAG_BYTES)];
        memchr::memmem::find(rest, close)
            .is_some_and(|end| memchr::memmem::find(&rest[..end], b"messages").is_some())
    })
}

/// Operations of TorchScript that touch files, processes or other code.
const SCRIPT: &[&str] = &[
    "torch.save(",
    "torch.load(",
    "torch.from_file(",
    "ops.image.read_file",
    "ops.image.write_file",
    "ops.image.decode_",
    "ops.aten.save",
    "ops.aten.from_file",
    "ops.aten._load",
    "ops.torchaudio.sox_",
    "ops.torchaudio.ffmpeg",
    "ops.profiler.",
    "ops.prim.load",
    "aten::save",
    "aten::from_file",
    "torch._C.",
    "ops.rpc.",
    "ops.c10d.",
    "ops.static_runtime.",
    "torch.classes.dist_rpc",
];

/// Reads the code of a TorchScript archive.
pub(super) fn read_script(bytes: &[u8], told: &mut Told) {
    told.is_of("torchscript");
    for needle in SCRIPT {
        if let Some(at) = memchr::memmem::find(bytes, needle.as_bytes())
            && *needle != "ops.image.decode_"
        {
            let name = needle.trim_end_matches(['(', '.', '_']).to_owned();
            told.at(at, What::ScriptOperation(name), None);
        }
    }
}

/// Whether text is code of TorchScript, by its path in an archive and by its words.
pub(super) fn is_script(path: &str, bytes: &[u8]) -> bool {
    path.contains("/code/")
        && path.ends_with(".py")
        && (memchr::memmem::find(bytes, b"(Module)").is_some()
            || memchr::memmem::find(bytes, b"op_version_set").is_some()
            || memchr::memmem::find(bytes, b"__torch__").is_some())
}
