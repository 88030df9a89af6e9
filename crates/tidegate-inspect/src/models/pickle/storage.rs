//! Storages of PyTorch: a pickle names them by tuples that its loader looks up elsewhere.

use super::machine::Machine;
use super::value::Value;

impl Machine<'_> {
    /// Notes the storage that a persistent id names: `("storage", type, key, place, numbers)`.
    pub(super) fn persistent(&mut self, id: Value) {
        let Some(tuple) = self.tuples.get(id) else { return };
        let [word, Value::Global(kind), key, _, Value::Int(numbers), ..] = *tuple.items() else { return };
        if self.word(word).as_deref() != Some("storage") {
            return;
        }
        let width = self.names.get(kind as usize).and_then(|name| width(&name.name));
        let numbers = u64::try_from(numbers).ok();
        if let (Some(key), Some(width), Some(numbers)) = (self.word(key), width, numbers)
            && let Some(bytes) = numbers.checked_mul(width)
        {
            self.told.storage(key, bytes);
        }
    }
}

/// Bytes of one number of a storage.
fn width(class: &str) -> Option<u64> {
    Some(match class {
        "ComplexDoubleStorage" => 16,
        "DoubleStorage" | "LongStorage" | "ComplexFloatStorage" => 8,
        "FloatStorage" | "IntStorage" | "QInt32Storage" => 4,
        "HalfStorage" | "BFloat16Storage" | "ShortStorage" => 2,
        "CharStorage" | "ByteStorage" | "BoolStorage" | "QInt8Storage" | "QUInt8Storage"
        | "UntypedStorage" => 1,
        _ => return None,
    })
}
