//! What the machine keeps of the values that a pickle builds: names, places of texts, small numbers. Never their content.

/// A value on the stack or in the memo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A value without meaning here.
    Opaque,
    /// So many values without meaning, one above the other.
    Elided(u64),
    /// A text; where its operation stands.
    Str(u64),
    /// Bytes; where their operation stands.
    Bytes(u64),
    /// A text that was put together, by its number.
    Text(u32),
    /// A text or bytes that came out of a call, and are not known.
    Computed,
    /// A small number.
    Int(i64),
    /// A name that was loaded, by its number.
    Global(u32),
    /// What calling a name gave.
    Made(u32),
    /// Another way to call a name.
    Partial(u32),
    /// What takes an attribute of what it is given; its text, by its number.
    Getter(u32),
    /// An attribute of something unknown.
    Attribute,
    /// Something registered under a number.
    Extension,
    /// A tuple: its place in the ring, and when it was put there.
    Tuple(u32, u32),
    /// A NumPy type: bytes of one item; 0 for objects.
    Dtype(u32),
    /// Was remembered, but is not known any more.
    Lost,
}

/// Items of a tuple that are kept.
pub(super) const ITEMS: usize = 8;

/// Tuples that are kept at a time.
const TUPLES: usize = 4096;

/// The last tuples.
pub(super) struct Tuples {
    ring: Vec<Tuple>,
    next: u32,
}

/// The first items of a tuple.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tuple {
    items: [Value; ITEMS],
    kept: u8,
    /// Whether it has no more than these.
    pub(super) whole: bool,
    age: u32,
}

impl Tuple {
    /// Its first items.
    pub(super) fn items(&self) -> &[Value] {
        &self.items[..usize::from(self.kept)]
    }
}

impl Tuples {
    pub(super) fn new() -> Self {
        Self { ring: Vec::new(), next: 0 }
    }

    /// Keeps a tuple; the oldest is forgotten.
    pub(super) fn keep(&mut self, items: &[Value]) -> Value {
        let kept = items.len().min(ITEMS);
        let mut tuple = Tuple {
            items: [Value::Opaque; ITEMS],
            kept: kept as u8,
            whole: items.len() <= ITEMS,
            age: self.next,
        };
        tuple.items[..kept].copy_from_slice(&items[..kept]);
        let place = self.next as usize % TUPLES;
        if place == self.ring.len() {
            self.ring.push(tuple);
        } else {
            self.ring[place] = tuple;
        }
        let age = self.next;
        self.next = self.next.wrapping_add(1);
        Value::Tuple(place as u32, age)
    }

    /// A tuple that was kept; none where it is forgotten or is none.
    pub(super) fn get(&self, value: Value) -> Option<Tuple> {
        let Value::Tuple(place, age) = value else { return None };
        self.ring.get(place as usize).copied().filter(|tuple| tuple.age == age)
    }
}
