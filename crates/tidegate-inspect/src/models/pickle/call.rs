//! What happens when a pickle calls something: who is called, with what, and what comes out of it as far as that matters.

use super::globals::{Standing, Tool};
use super::machine::{Machine, Step};
use super::value::{Tuple, Value};

impl Machine<'_> {
    /// Calls something with a tuple of arguments.
    pub(super) fn call(&mut self, callable: Value, arguments: Value) -> Step<Value> {
        let tuple = self.tuples.get(arguments);
        match callable {
            Value::Global(number) => Some(self.call_name(number, tuple)),
            Value::Partial(number) => {
                self.is_called(number, tuple);
                Some(Value::Made(number))
            }
            Value::Getter(text) => Some(self.call_getter(text, tuple)),
            Value::Made(number) => {
                // Objects that are made of safe classes may be called, but no writer of pickles does.
                let is_code =
                    self.names.get(number as usize).and_then(|name| name.tool()) == Some(Tool::Code);
                if is_code {
                    self.is_called(number, tuple);
                } else {
                    self.hides("calls what another call gave it", false);
                }
                Some(Value::Made(number))
            }
            Value::Attribute | Value::Computed | Value::Lost => {
                self.hides("calls something that it does not name", false);
                Some(Value::Computed)
            }
            Value::Extension => {
                self.hides("calls something by a number that it was registered under elsewhere", false);
                Some(Value::Computed)
            }
            // A loader fails: none of these can be called.
            Value::Str(_)
            | Value::Bytes(_)
            | Value::Text(_)
            | Value::Int(_)
            | Value::Tuple(..)
            | Value::Dtype(_) => None,
            Value::Opaque | Value::Elided(_) => {
                self.hides("calls something that it does not name", false);
                Some(Value::Opaque)
            }
        }
    }

    fn call_name(&mut self, number: u32, tuple: Option<Tuple>) -> Value {
        self.is_called(number, tuple);
        let Some(tool) = self.names.get(number as usize).and_then(|name| name.tool()) else {
            return self.result(number);
        };
        let Some(tuple) = tuple else {
            // What it is given was forgotten, which makes it unknown.
            let is_plain = matches!(tool, Tool::Makes | Tool::Dtype | Tool::LoadsBytes);
            if !is_plain {
                self.hides("calls a tool with something that it does not name", false);
            }
            return Value::Attribute;
        };
        let items = tuple.items();
        match tool {
            Tool::GetAttr => self.attribute(items),
            Tool::Getter => self.getter(items),
            Tool::Partial => match items.first() {
                Some(Value::Global(inner) | Value::Partial(inner)) => Value::Partial(*inner),
                _ => Value::Attribute,
            },
            Tool::Applies | Tool::Makes => {
                for item in items {
                    if let Value::Global(inner) | Value::Partial(inner) = item {
                        self.is_called(*inner, Some(tuple));
                    }
                }
                match items.first() {
                    Some(Value::Global(inner)) if tool == Tool::Makes => Value::Made(*inner),
                    _ => Value::Made(number),
                }
            }
            Tool::LoadsBytes => {
                self.loads_bytes(items);
                Value::Made(number)
            }
            Tool::Dtype => {
                let width = items
                    .first()
                    .and_then(|item| self.word(*item))
                    .and_then(|name| super::wrapper::width(&name));
                width.map_or(Value::Opaque, Value::Dtype)
            }
            Tool::Text => self.joined(items),
            Tool::Code => Value::Made(number),
            Tool::MakesClass => {
                if items.len() > 1 {
                    self.hides("makes a class of its own", false);
                }
                Value::Attribute
            }
        }
    }

    /// What calling a name gives that is no tool.
    fn result(&self, number: u32) -> Value {
        let Some(name) = self.names.get(number as usize) else { return Value::Opaque };
        match name.name.as_str() {
            "str" | "encode" | "decode" | "bytes" | "bytearray" | "unicode" | "lower" | "upper" | "strip"
            | "repr" => Value::Computed,
            _ => Value::Made(number),
        }
    }

    /// Notes that a name is called, and with which text.
    fn is_called(&mut self, number: u32, tuple: Option<Tuple>) {
        let Some(name) = self.names.get(number as usize) else { return };
        if name.called && (name.with.is_some() || name.standing == Standing::Safe) {
            return;
        }
        let needs_text = name.standing != Standing::Safe;
        let text = tuple.filter(|_| needs_text).and_then(|tuple| self.first_text(tuple, 2));
        if let Some(name) = self.names.get_mut(number as usize) {
            name.called = true;
            name.with = name.with.take().or(text);
        }
    }

    /// The first text among arguments, also in tuples.
    fn first_text(&self, tuple: Tuple, depth: u32) -> Option<String> {
        tuple.items().iter().find_map(|item| match item {
            Value::Tuple(..) if depth > 0 => self.first_text(self.tuples.get(*item)?, depth - 1),
            Value::Bytes(at) => {
                let content = super::text::content(self.bytes, usize::try_from(*at).ok()?)?;
                let text = std::str::from_utf8(content.get(..256).unwrap_or(content)).ok()?;
                Some(text.to_owned())
            }
            item => self.word(*item),
        })
    }

    /// `getattr(object, name)`.
    fn attribute(&mut self, items: &[Value]) -> Value {
        let [object, name, ..] = items else { return Value::Attribute };
        match self.word(*name) {
            Some(name) => self.taken(*object, &name),
            None => {
                self.hides("takes an attribute whose name it computes", true);
                Value::Attribute
            }
        }
    }

    /// An attribute of a value.
    fn taken(&mut self, object: Value, name: &str) -> Value {
        if let Value::Global(number) | Value::Partial(number) = object
            && let Some(from) = self.names.get(number as usize)
        {
            let (module, name) = (from.module.clone(), format!("{}.{name}", from.name));
            return self.global(module, name).unwrap_or(Value::Attribute);
        }
        if self.table.is_bad_attribute(name) {
            self.hides("takes an attribute that leads into the interpreter or to commands", true);
        }
        Value::Attribute
    }

    fn getter(&mut self, items: &[Value]) -> Value {
        let [first, ..] = items else { return Value::Attribute };
        let Some(text) = self.word(*first) else {
            self.hides("takes an attribute whose name it computes", true);
            return Value::Attribute;
        };
        if self.table.is_bad_attribute(&text) {
            self.hides("takes an attribute that leads into the interpreter or to commands", true);
        }
        match self.text(text) {
            Value::Text(number) => Value::Getter(number),
            _ => Value::Attribute,
        }
    }

    fn call_getter(&mut self, text: u32, tuple: Option<Tuple>) -> Value {
        let name = self.texts.get(text as usize).cloned().unwrap_or_default();
        match tuple.and_then(|tuple| tuple.items().first().copied()) {
            Some(object) => self.taken(object, &name),
            None => Value::Attribute,
        }
    }

    /// Texts put together; what is not known stays unknown.
    fn joined(&mut self, items: &[Value]) -> Value {
        let mut text = String::new();
        for item in items {
            match self.word(*item) {
                Some(word) if text.len() + word.len() <= 1024 => text.push_str(&word),
                _ => return Value::Computed,
            }
        }
        self.text(text)
    }

    fn loads_bytes(&mut self, items: &[Value]) {
        let content = match items.first() {
            Some(Value::Bytes(at)) => usize::try_from(*at)
                .ok()
                .and_then(|at| super::text::content(self.bytes, at))
                .map(<[u8]>::to_owned),
            // Protocols before 3 write bytes as a text that a codec turns back: only a copy could be read.
            Some(Value::Computed) => None,
            _ => None,
        };
        match content {
            Some(content) => {
                self.within(&content);
            }
            None => self.told.gap("a storage is loaded from bytes that are computed"),
        }
    }

    /// `BUILD`: gives an object its state.
    pub(super) fn build(&mut self) -> Step {
        self.pop()?;
        match self.top()? {
            Value::Global(number) => {
                // The state of a class or function itself: what is changed there is changed for the whole program.
                let is_unknown =
                    self.names.get(number as usize).is_none_or(|name| name.standing != Standing::Own);
                self.hides("changes a function, class or module of the program that loads it", is_unknown);
            }
            Value::Made(_) => self.pass_array()?,
            _ => {}
        }
        self.wrapper = None;
        Some(())
    }
}
