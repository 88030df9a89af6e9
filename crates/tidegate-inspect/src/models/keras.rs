//! Reads configurations of Keras models: a tree of layers, each with the module and class that Keras imports and calls.
//!
//! Keras 3 keeps it in `config.json` of a zip, Keras 2 in an attribute of an HDF5 file, saved models beside their graph. In all of them it is
//! one text without breaks, so it is found as such wherever it lies, and attributes of a hand-made file cannot hide it.

use serde_json::{Map, Value};

use super::pickle::globals::{Standing, Table};
use super::remark::{Told, What};

/// Bytes of one configuration.
const CONFIG_BYTES: usize = 16 << 20;

/// Objects of one document.
const OBJECTS: usize = 60_000;

/// Values of one document.
const VALUES: usize = 1_000_000;

/// Texts of one file that are looked at.
const TEXTS: usize = 4_096;

/// Letters by which a text is told from numbers.
const PROBE_BYTES: usize = 24;

/// Packages whose layers are Keras's own.
const OWN: &[&str] = &[
    "keras",
    "keras_core",
    "keras_cv",
    "keras_nlp",
    "keras_hub",
    "keras_tuner",
    "tf_keras",
    "tensorflow.keras",
    "tensorflow.python.keras",
    "tensorflow_addons",
    "tensorflow.python.training",
    "tensorflow_probability",
    "tensorflow.python.feature_column",
    "tensorflow_text",
    "tensorflow_hub",
    "keras_applications",
];

/// Parts of Keras that read files, load models or switch guards off.
const GADGETS: &[&str] = &[
    "get_file",
    "load_model",
    "load_weights",
    "model_from_json",
    "model_from_config",
    "deserialize_keras_object",
    "enable_unsafe_deserialization",
    "load_img",
    "save_img",
    "extract_archive",
    "func_load",
    "import_module",
    "load_data",
    "lambda_deserialize",
    "image_dataset_from_directory",
    "text_dataset_from_directory",
    "_extract_archive",
    "run_cmd",
    "system",
];

/// Functions of TensorFlow that run Python or touch files, as layers name them.
const TENSORFLOW: &[&str] = &[
    "py_function",
    "numpy_function",
    "py_func",
    "load_op_library",
    "load_library",
    "write_file",
    "read_file",
    "WriteFile",
    "ReadFile",
    "PyFunc",
    "EagerPyFunc",
];

/// Reads a JSON document that may be a configuration.
pub(super) fn read_json(bytes: &[u8], offset: usize, told: &mut Told) {
    if bytes.len() > CONFIG_BYTES || !fits_in_memory(bytes) {
        return told.gap("a configuration is longer than is read");
    }
    let mut documents = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
    match documents.next() {
        Some(Ok(value)) => {
            let mut walk = Walk { told, offset, found: false, table: Table::builtin() };
            walk.value(&value);
            if walk.found && is_model(&value) {
                told.is_of("keras");
            }
        }
        Some(Err(_)) if looks_like_config(bytes) => told.gap("a configuration of layers cannot be read"),
        _ => {}
    }
}

/// Whether a document can be built: an object of one key takes a hundred times its text.
pub(super) fn fits_in_memory(bytes: &[u8]) -> bool {
    let count = |byte| memchr::memchr_iter(byte, bytes).count();
    count(b'{') <= OBJECTS && count(b',').saturating_add(count(b'[')) <= VALUES
}

fn looks_like_config(bytes: &[u8]) -> bool {
    ["class_name", "\"config\""].iter().all(|word| memchr::memmem::find(bytes, word.as_bytes()).is_some())
}

/// Whether the outermost object is a model and not one of its parts.
fn is_model(value: &Value) -> bool {
    let Some(object) = value.as_object() else { return false };
    let object = object.get("model_config").and_then(Value::as_object).unwrap_or(object);
    object.get("class_name").is_some_and(Value::is_string) && object.contains_key("config")
}

/// Looks for configurations in the texts of a file.
pub(super) fn read_texts(bytes: &[u8], told: &mut Told) {
    let mut at = 0;
    let mut count = 0;
    while let Some(next) = bytes.get(at..).and_then(|rest| memchr::memchr(b'{', rest)) {
        at += next;
        let rest = &bytes[at..];
        if !rest.iter().take(PROBE_BYTES).all(|byte| is_text(*byte)) {
            at += 1;
            continue;
        }
        let most = rest.len().min(CONFIG_BYTES + 1);
        let length = rest[..most].iter().position(|byte| !is_text(*byte)).unwrap_or(most);
        let text = &rest[..length];
        if memchr::memchr(b'"', text).is_some() {
            read_json(text, at, told);
            count += 1;
        }
        if count > TEXTS {
            return told.gap("a file holds more texts than are read");
        }
        at += length.max(1);
    }
}

fn is_text(byte: u8) -> bool {
    byte >= 0x20 && byte != 0x7f || matches!(byte, b'\n' | b'\r' | b'\t')
}

struct Walk<'t> {
    told: &'t mut Told,
    offset: usize,
    found: bool,
    table: &'static Table,
}

impl Walk<'_> {
    fn value(&mut self, value: &Value) {
        // The parser bounds the depth.
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.value(item)),
            Value::Object(object) => {
                if let Some(class) = object.get("class_name").and_then(Value::as_str) {
                    self.found = true;
                    self.object(class, object);
                }
                object.values().for_each(|inner| self.value(inner));
            }
            _ => {}
        }
    }

    fn tell(&mut self, what: What, evidence: Option<String>) {
        self.told.at(self.offset, what, evidence);
    }

    fn object(&mut self, class: &str, object: &Map<String, Value>) {
        let module = object.get("module").and_then(Value::as_str).unwrap_or_default();
        let registered = object.get("registered_name").and_then(Value::as_str).unwrap_or_default();
        let config = object.get("config");
        let inner = config.and_then(Value::as_object);
        let short = class.rsplit('>').next().unwrap_or(class);
        match short {
            "__lambda__" => {
                return self.tell(What::KerasCode("a function in its configuration".to_owned()), None);
            }
            "Lambda" => self.lambda(inner, object),
            "TorchModuleWrapper" => {
                self.tell(What::KerasCode("a layer that wraps a pickled module".to_owned()), None)
            }
            "TFOpLambda" | "SlicingOpLambda" | "TensorFlowOpLayer" => self.operation(inner),
            _ => {}
        }
        if let Some(inner) = inner {
            self.paths(inner);
        }
        if !module.is_empty() {
            let name = match (class, config.and_then(Value::as_str)) {
                ("function" | "builtin_function_or_method" | "type" | "method", Some(name)) => name,
                _ => class,
            };
            self.name(module, name, registered);
        } else if registered.contains('>') && !registered.starts_with("keras") {
            self.tell(What::KerasForeign(registered.to_owned(), false), None);
        }
    }

    /// A name that Keras imports.
    fn name(&mut self, module: &str, name: &str, registered: &str) {
        let whole = format!("{module}.{name}");
        let is_own = OWN.iter().any(|own| module == *own || module.starts_with(&format!("{own}.")));
        if is_own {
            if GADGETS.contains(&name) || name.contains("__") {
                self.tell(What::KerasForeign(whole, true), None);
            }
            return;
        }
        let standing = self.table.standing(module, name);
        // What a function was called in its author's program.
        let is_given = module == "builtins" && matches!(standing, Standing::Unknown);
        match standing {
            Standing::Denied(_) => self.tell(What::KerasForeign(whole, true), None),
            Standing::Safe => {}
            _ if registered.contains('>') => {
                self.tell(What::KerasForeign(registered.to_owned(), false), None)
            }
            _ if is_given => self.tell(What::KerasForeign(format!("Custom>{name}"), false), None),
            _ => self.tell(What::KerasForeign(whole, false), None),
        }
    }

    /// A Lambda layer: its function is compiled code, or a name.
    fn lambda(&mut self, config: Option<&Map<String, Value>>, layer: &Map<String, Value>) {
        let Some(config) = config else { return };
        let name =
            config.get("name").or_else(|| layer.get("name")).and_then(Value::as_str).unwrap_or("lambda");
        for part in ["function", "output_shape", "mask"] {
            let kind = config.get(&format!("{part}_type")).and_then(Value::as_str).unwrap_or_default();
            match config.get(part) {
                Some(Value::Array(items)) if part == "function" || kind == "lambda" => {
                    let code = items.first().and_then(Value::as_str).unwrap_or_default();
                    if code.len() > 8 {
                        self.tell(
                            What::KerasCode(format!("the Lambda layer `{}`", super::remark::shown(name))),
                            None,
                        );
                    }
                }
                Some(Value::String(text)) if kind == "lambda" && text.len() > 8 => {
                    self.tell(
                        What::KerasCode(format!("the Lambda layer `{}`", super::remark::shown(name))),
                        None,
                    );
                }
                Some(Value::String(function)) if part == "function" => {
                    let module = config.get("module").and_then(Value::as_str).unwrap_or("builtins");
                    self.name(module, function, "");
                }
                _ => {}
            }
        }
    }

    /// A layer that is one function of TensorFlow.
    fn operation(&mut self, config: Option<&Map<String, Value>>) {
        let function =
            config.and_then(|config| config.get("function")).and_then(Value::as_str).unwrap_or_default();
        let is_bad = function.split('.').any(|part| TENSORFLOW.contains(&part));
        if is_bad {
            self.tell(What::KerasForeign(format!("tensorflow.{function}"), true), None);
        }
        let node =
            config.and_then(|config| config.get("node_def")).and_then(Value::as_str).unwrap_or_default();
        if TENSORFLOW.iter().any(|bad| node.contains(bad)) {
            self.tell(What::KerasForeign("tensorflow.raw_ops".to_owned(), true), None);
        }
    }

    /// Files that layers read when they are made.
    fn paths(&mut self, config: &Map<String, Value>) {
        for key in [
            "vocabulary",
            "idf_weights",
            "filename",
            "file_path",
            "filepath",
            "proto",
            "sentence_piece_model",
            "merges",
        ] {
            if let Some(path) = config.get(key).and_then(Value::as_str)
                && super::onnx::leads_out(path)
            {
                self.tell(What::OutsideFile(super::remark::shown(path)), Some(key.to_owned()));
            }
        }
    }
}
