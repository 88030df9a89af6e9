//! Names that a pickle loads, and the texts that they are put together of.

use super::globals::{Standing, Tool};
use super::machine::{Machine, Step};
use super::operands::is_name;
use super::value::Value;
use crate::models::remark::{Told, What};

/// Names that are told apart.
const NAMES: usize = 16 << 10;

/// Bytes of all texts that were put together.
const TEXT_BYTES: usize = 256 << 10;

/// Pickles within pickles.
const DEPTH: u32 = 4;

/// A name that was loaded.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) module: String,
    pub(super) name: String,
    pub(super) standing: Standing,
    /// Where it was loaded first.
    pub(super) at: usize,
    /// Whether it is called, and with what the first time.
    pub(super) called: bool,
    pub(super) with: Option<String>,
}

impl<'b> Machine<'b> {
    pub(super) fn stack_global(&mut self, module: Value, name: Value) -> Step<Value> {
        self.keep_recent(module);
        self.keep_recent(name);
        let is_built = [module, name].iter().any(|value| matches!(value, Value::Text(_)));
        match (self.word(module), self.word(name)) {
            (Some(module), Some(name)) if is_name(&module) && is_name(&name) => {
                if is_built {
                    self.hides("puts the name of what it loads together out of parts", true);
                }
                self.global(module, name)
            }
            (Some(_), Some(_)) => None,
            _ => {
                let grave = module == Value::Computed || name == Value::Computed;
                self.hides("loads what it names by a computation", grave);
                Some(Value::Attribute)
            }
        }
    }

    /// The text of a value, as far as it is known.
    pub(super) fn word(&self, value: Value) -> Option<String> {
        match value {
            Value::Str(at) => super::text::at(self.bytes, usize::try_from(at).ok()?),
            Value::Text(number) => self.texts.get(number as usize).cloned(),
            _ => None,
        }
    }

    /// Keeps a text that was put together.
    pub(super) fn text(&mut self, text: String) -> Value {
        self.text_bytes += text.len();
        if self.text_bytes > TEXT_BYTES {
            return Value::Computed;
        }
        self.texts.push(text);
        Value::Text((self.texts.len() - 1) as u32)
    }

    /// Loads a name.
    pub(super) fn global(&mut self, module: String, name: String) -> Step<Value> {
        let key = (module, name);
        if let Some(number) = self.by_name.get(&key) {
            return Some(Value::Global(*number));
        }
        if self.names.len() >= NAMES {
            self.told.gap("a pickle loads more names than are told apart");
            return Some(Value::Attribute);
        }
        let standing = self.table.standing(&key.0, &key.1);
        let number = self.names.len() as u32;
        let (module, name) = key.clone();
        self.names.push(Name { module, name, standing, at: self.begin, called: false, with: None });
        self.by_name.insert(key, number);
        Some(Value::Global(number))
    }

    /// Tells that it hides something.
    pub(super) fn hides(&mut self, how: &'static str, grave: bool) {
        let what = What::PickleHides(how, grave);
        self.told.at(self.begin, what, None);
    }

    /// Reads a pickle that lies in this one.
    pub(super) fn within(&mut self, bytes: &[u8]) -> bool {
        if self.depth >= DEPTH {
            self.told.gap("pickles within pickles are too deep to be read");
            return false;
        }
        let offset = self.begin;
        let mut inner = Told::default();
        let read = super::read_within(bytes, &mut inner, self.depth + 1);
        for mut remark in inner.remarks {
            remark.offset = Some(offset as u64);
            self.told.at(offset, remark.what, remark.evidence);
        }
        inner.gaps.into_iter().for_each(|gap| self.told.gap(gap));
        read
    }
}

impl Name {
    /// Whether it stands for an array whose numbers follow behind it.
    pub(super) fn is_wrapper(&self) -> bool {
        self.name == "NumpyArrayWrapper"
    }

    /// `module.name`.
    pub(super) fn whole(&self) -> String {
        format!("{}.{}", self.module, self.name)
    }

    pub(super) fn tool(&self) -> Option<Tool> {
        match self.standing {
            Standing::Tool(tool) => Some(tool),
            _ => None,
        }
    }
}
