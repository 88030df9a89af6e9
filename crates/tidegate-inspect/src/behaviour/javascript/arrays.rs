//! Methods of arrays.
use super::super::facts::What;
use super::calls::Site;
use super::machine::Machine;
use super::strings;
use super::value::{HOLE_TEXT, Kind, ObjectId, Shape, Value};

impl<'a> Machine<'a> {
    pub(super) fn array_method(
        &mut self,
        object: Value<'a>,
        id: ObjectId,
        key: &str,
        arguments: &[Value<'a>],
        site: Site,
        xor: bool,
    ) -> Option<Value<'a>> {
        let first = arguments.first().copied().unwrap_or(Value::UNKNOWN);
        let straight = self.branch == 0;
        match key {
            "push" | "unshift" => {
                for &argument in arguments {
                    let items = &mut self.objects[id.0 as usize].items;
                    if straight && items.len() < strings::PARTS {
                        if key == "push" { items.push(argument) } else { items.insert(0, argument) }
                    } else {
                        self.set_any(id, argument);
                    }
                }
                Some(Value::UNKNOWN)
            }
            "shift" | "pop" => {
                let any = self.objects[id.0 as usize].any;
                let items = &mut self.objects[id.0 as usize].items;
                if items.is_empty() {
                    return Some(any);
                }
                if !straight {
                    return Some(self.element_of(object));
                }
                Some(if key == "shift" { items.remove(0) } else { items.pop().unwrap_or(any) })
            }
            "reverse" => {
                if straight {
                    self.objects[id.0 as usize].items.reverse();
                }
                let fact = self.maybe(What::Decode, "reverse", site.offset);
                let own = self.taint_of(fact);
                let deep = self.deep(object);
                let deep = self.taints.decoded(deep);
                let taint = self.join(own, deep);
                Some(object.with_taint(taint))
            }
            "join" => {
                let separator = match arguments.first() {
                    None => ",",
                    Some(value) => value.as_text().unwrap_or(HOLE_TEXT),
                };
                let taint = self.deep(object);
                let info = &self.objects[id.0 as usize];
                if info.items.is_empty() || info.items.len() > strings::PARTS {
                    return Some(Value { gates: object.gates, ..Value::tainted(taint) });
                }
                let open = info.any != Value::UNKNOWN;
                let parts: Vec<String> = info
                    .items
                    .iter()
                    .map(|item| strings::piece(*item).unwrap_or(HOLE_TEXT.to_owned()))
                    .collect();
                let mut text = parts.join(separator);
                if open {
                    text.push_str(HOLE_TEXT);
                }
                Some(self.folded(&text, taint, site.offset))
            }
            "slice" | "splice" | "filter" | "sort" | "flat" | "concat" | "toSorted" | "toReversed" => {
                let new = self.object(site.place, Kind::Array);
                if !self.room(self.objects[id.0 as usize].items.len()) {
                    for &one in [object].iter().chain(arguments) {
                        let taint = self.deep(one);
                        self.set_any(new, Value::tainted(taint));
                    }
                    if matches!(key, "filter" | "sort") {
                        let element = self.element_of(object);
                        self.run_callbacks(arguments, &[element, element], site);
                    }
                    return Some(Value { shape: Shape::Object(new), ..object });
                }
                let mut items = self.objects[id.0 as usize].items.clone();
                let any = self.objects[id.0 as usize].any;
                match (key, first.as_index()) {
                    ("slice" | "splice", Some(from)) => {
                        let to = arguments.get(1).and_then(Value::as_index).unwrap_or(items.len());
                        let to = if key == "splice" { from.saturating_add(to) } else { to }.min(items.len());
                        items = items.get(from.min(to)..to).unwrap_or_default().to_vec();
                    }
                    ("concat", _) => {
                        for &argument in arguments {
                            self.spread_into(&mut items, argument);
                        }
                    }
                    ("toReversed", _) => items.reverse(),
                    ("filter" | "sort", _) => {
                        let element = self.element_of(object);
                        self.run_callbacks(arguments, &[element, element], site);
                    }
                    _ => {}
                }
                items.truncate(strings::PARTS);
                let info = &mut self.objects[new.0 as usize];
                info.items = items;
                info.any = any;
                Some(Value { shape: Shape::Object(new), ..object })
            }
            "map" | "flatMap" => {
                let new = self.object(site.place, Kind::Array);
                let items = self.objects[id.0 as usize].items.clone();
                let mut given = Vec::new();
                if !items.is_empty() && items.len() <= ELEMENTS && !self.exhausted() && self.room(items.len())
                {
                    for (index, &item) in items.iter().enumerate() {
                        let taint = self.join(item.taint, object.taint);
                        #[expect(clippy::cast_precision_loss, reason = "at most a few thousand")]
                        let index = Value::of(Shape::Number(index as f64));
                        let value = self.run_all(
                            &arguments[..arguments.len().min(1)],
                            &[item.with_taint(taint), index, object],
                            site,
                        );
                        given.push(value);
                    }
                } else {
                    let element = self.element_of(object);
                    let value = self.run_all(arguments, &[element], site);
                    self.set_any(new, value);
                }
                let mut taint = object.taint;
                if xor {
                    let deep = self.deep(object);
                    taint = self.decode("xor", deep, site.offset);
                }
                self.objects[new.0 as usize].items = given;
                Some(Value::of(Shape::Object(new)).with_taint(taint))
            }
            "forEach" | "find" | "some" | "every" | "findIndex" | "reduce" | "reduceRight" | "findLast" => {
                let items = self.objects[id.0 as usize].items.clone();
                let element = self.element_of(object);
                let start = arguments.get(1).copied().unwrap_or(Value::UNKNOWN);
                let mut result = Value::UNKNOWN;
                if key.starts_with("reduce") {
                    result = self.run_all(arguments, &[start, element], site);
                    let taint = self.join(result.taint, element.taint);
                    result = result.shaped(Shape::Unknown).with_taint(taint);
                } else if key == "forEach" && items.len() <= 64 && !items.is_empty() {
                    for item in items {
                        let taint = self.join(item.taint, object.taint);
                        self.run_all(&arguments[..arguments.len().min(1)], &[item.with_taint(taint)], site);
                    }
                } else {
                    self.run_all(arguments, &[element], site);
                    result = element;
                }
                if xor {
                    result.taint = self.decode("xor", result.taint, site.offset);
                }
                Some(result)
            }
            "at" => Some(match first.as_index() {
                Some(index) => self.element_at(object, index),
                None => self.element_of(object),
            }),
            "entries" | "values" => Some(object),
            "includes" | "indexOf" | "keys" => Some(Value::UNKNOWN),
            "toString" => {
                self.array_method(object, id, "join", arguments.get(1..).unwrap_or_default(), site, false)
            }
            _ => None,
        }
    }
}

/// Elements of an array for each of which a callback runs.
const ELEMENTS: usize = 2_048;
