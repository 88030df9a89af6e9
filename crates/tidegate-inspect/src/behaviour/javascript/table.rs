//! Members of an object: by name, and in the order in which they were put there.

use rustc_hash::FxHashMap;

use super::value::Value;

/// Members that are looked through one by one; where there are more, a map knows their places.
const FEW: usize = 8;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Table<'a> {
    list: Vec<(&'a str, Value<'a>)>,
    /// Places of names in the list; empty while there are few.
    places: FxHashMap<&'a str, u32>,
}

impl<'a> Table<'a> {
    fn place(&self, key: &str) -> Option<usize> {
        if self.list.len() > FEW {
            return self.places.get(key).map(|place| *place as usize);
        }
        self.list.iter().position(|(name, _)| *name == key)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.place(key).and_then(|place| self.list.get(place)).map(|(_, value)| value)
    }

    pub(super) fn contains_key(&self, key: &str) -> bool {
        self.place(key).is_some()
    }

    pub(super) fn insert(&mut self, key: &'a str, value: Value<'a>) {
        if let Some(place) = self.place(key) {
            if let Some((_, old)) = self.list.get_mut(place) {
                *old = value;
            }
            return;
        }
        self.list.push((key, value));
        if self.list.len() > FEW {
            let known = self.places.len();
            let new = self.list.iter().enumerate().skip(known);
            self.places
                .extend(new.map(|(place, (name, _))| (*name, u32::try_from(place).unwrap_or(u32::MAX))));
        }
    }

    /// Names and values, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &(&'a str, Value<'a>)> {
        self.list.iter()
    }

    /// Values, in the order of their names.
    pub(super) fn values(&self) -> impl Iterator<Item = &Value<'a>> {
        self.list.iter().map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::super::value::{Shape, Value};
    use super::{FEW, Table};

    #[test]
    fn few_and_many_are_alike() {
        let names: Vec<String> = (0..FEW * 3).map(|n| format!("m{n}")).collect();
        let mut table = Table::default();
        for (n, name) in names.iter().enumerate() {
            assert!(!table.contains_key(name));
            table.insert(name, Value::of(Shape::Number(n as f64)));
            table.insert(&names[0], Value::of(Shape::Flag(n % 2 == 0)));
            for (m, name) in names.iter().enumerate().skip(1) {
                let expected = (m <= n).then(|| Value::of(Shape::Number(m as f64)));
                assert_eq!(table.get(name).copied(), expected, "{n} {m}");
            }
        }
        assert_eq!(table.get("m0").map(|value| value.shape), Some(Shape::Flag(false)));
        assert!(table.iter().map(|(name, _)| *name).eq(names.iter().map(String::as_str)));
        assert_eq!(table.values().count(), names.len());
    }
}
