//! The objects of a file, and what is in reach of each: where everything in an object comes from is asked at nearly every call.
//!
//! What can be reached is remembered with each object, for so many levels, until something that was looked at changes in a way
//! that matters: whoever takes an object to change it marks it, and the next question looks again at what was marked.
use std::ops::{Index, IndexMut};

use rustc_hash::FxHashMap;

use super::value::{Eithers, NameId, Object, ObjectId, Shape, Taint, Taints, Value};

/// Values within values that are asked where they come from.
pub(super) const LEVELS: usize = 5;

/// Objects in one object that are asked.
const NEXT: usize = 256;

/// Names that one question tells apart.
const NAMES: usize = 64;

/// Objects that all questions of a file may meet, besides those that its bytes allow.
const MEETINGS: u64 = 2_000_000;

/// Objects that questions may meet for each byte of a file.
const MEETINGS_OF_A_BYTE: u64 = 16;

/// What a question comes to: origins, and names that may be origins themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) taint: Taint,
    names: u32,
}

/// What an object holds that a question has to follow.
#[derive(Debug, Default, PartialEq, Eq)]
struct Edges {
    own: Found,
    /// Objects, and how many levels away they are.
    next: Box<[(ObjectId, u8)]>,
}

/// What is remembered of an object.
#[derive(Debug, Default)]
struct Reach {
    /// Whether a question has met it.
    is_met: bool,
    /// Whether it may have changed since.
    is_marked: bool,
    edges: Edges,
    /// The walk that has met it, and the levels that were left.
    seen: (u32, usize),
    /// What is in reach within so many levels less one, and at which time.
    known: [(u32, Found); LEVELS],
}

/// See the module.
#[derive(Debug)]
pub(super) struct Heap<'a> {
    list: Vec<Object<'a>>,
    reaches: Vec<Reach>,
    marked: Vec<u32>,
    /// Counts the changes that make what is remembered old.
    time: u32,
    /// When the last question was.
    asked_at: u32,
    /// Counts walks.
    question: u32,
    /// Sets of names; zero is the empty one.
    names: Vec<Box<[NameId]>>,
    name_sets: FxHashMap<Box<[NameId]>, u32>,
    /// Meetings that are left.
    left: u64,
}

/// What questions need beside the objects.
pub(super) struct Around<'m, 'a> {
    pub(super) eithers: &'m Eithers<'a>,
    pub(super) taints: &'m mut Taints,
    /// Of each name, whether it is a source when it is used whole.
    pub(super) is_source: &'m [bool],
}

impl<'a> Index<usize> for Heap<'a> {
    type Output = Object<'a>;

    #[inline]
    fn index(&self, index: usize) -> &Object<'a> {
        &self.list[index]
    }
}

impl<'a> IndexMut<usize> for Heap<'a> {
    #[inline]
    fn index_mut(&mut self, index: usize) -> &mut Object<'a> {
        self.mark(index);
        &mut self.list[index]
    }
}

impl<'a> Heap<'a> {
    pub(super) fn of_a_file(bytes: usize) -> Self {
        Self {
            list: Vec::new(),
            reaches: Vec::new(),
            marked: Vec::new(),
            time: 1,
            asked_at: 0,
            question: 0,
            names: vec![Box::default()],
            name_sets: FxHashMap::from_iter([(Box::default(), 0)]),
            left: MEETINGS + MEETINGS_OF_A_BYTE * bytes as u64,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn get(&self, index: usize) -> Option<&Object<'a>> {
        self.list.get(index)
    }

    pub(super) fn push(&mut self, object: Object<'a>) {
        self.list.push(object);
        self.reaches.push(Reach::default());
    }

    /// An object whose values stay what they are.
    pub(super) fn quietly(&mut self, index: usize) -> Option<&mut Object<'a>> {
        self.list.get_mut(index)
    }

    /// Puts a value under a key. What leads nowhere in place of what leads nowhere changes no answer.
    pub(super) fn set_member(
        &mut self,
        id: ObjectId,
        key: &'a str,
        value: Value<'a>,
        old: Option<Value<'a>>,
    ) {
        let index = id.0 as usize;
        if may_lead(value) || old.is_some_and(may_lead) {
            self.mark(index);
        }
        self.list[index].members.insert(key, value);
    }

    /// Gives an array its elements.
    pub(super) fn set_items(&mut self, id: ObjectId, items: Vec<Value<'a>>) {
        let object = &mut self.list[id.0 as usize];
        if object.items == items {
            return;
        }
        let leads = object.items.iter().chain(&items).any(|value| may_lead(*value));
        object.items = items;
        if leads {
            self.mark(id.0 as usize);
        }
    }

    /// Whether questions were not asked to their end.
    pub(super) fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// The names that a question came to.
    pub(super) fn names(&self, found: Found) -> &[NameId] {
        self.names.get(found.names as usize).map_or(&[], |names| names)
    }

    #[inline]
    fn mark(&mut self, index: usize) {
        let reach = &mut self.reaches[index];
        if reach.is_met && !reach.is_marked {
            reach.is_marked = true;
            self.marked.push(u32::try_from(index).unwrap_or(0));
        }
    }

    /// Where a value and everything in it come from.
    pub(super) fn ask(&mut self, value: Value<'a>, around: &mut Around<'_, 'a>) -> Found {
        while let Some(index) = self.marked.pop() {
            self.look_again(index as usize, around);
        }
        let mut edges = Gathered::default();
        edges.value(value, 0, around);
        let mut found = Found { taint: edges.taint, names: self.intern(edges.names) };
        if edges.next.is_empty() {
            return found;
        }
        // Remembering what is in reach of whatever is met on the way is worth it where nothing changed since the last question.
        let is_new = self.time != self.asked_at;
        self.asked_at = self.time;
        for (object, away) in edges.next {
            let levels = LEVELS - usize::from(away);
            let within = match self.known(object, levels) {
                Some(known) => known,
                None if is_new => self.walk(object, levels, around),
                None => self.reach(object, levels, around),
            };
            found = self.join(found, within, around.taints);
        }
        found
    }

    fn known(&self, id: ObjectId, levels: usize) -> Option<Found> {
        let known = self.reaches.get(id.0 as usize)?.known.get(levels.checked_sub(1)?)?;
        (known.0 == self.time).then_some(known.1)
    }

    fn meet(&mut self, index: usize, around: &mut Around<'_, 'a>) {
        self.left = self.left.saturating_sub(1);
        if !self.reaches[index].is_met {
            let edges = self.edges(index, around);
            let reach = &mut self.reaches[index];
            (reach.is_met, reach.edges) = (true, edges);
        }
    }

    /// As [`Self::reach`], but only what is found at the first object is remembered, and none is met twice for nothing.
    fn walk(&mut self, first: ObjectId, levels: usize, around: &mut Around<'_, 'a>) -> Found {
        self.question = self.question.wrapping_add(1);
        let mut found = Found::default();
        let mut open = vec![(first, levels)];
        while let Some((id, levels)) = open.pop() {
            if let Some(known) = self.known(id, levels) {
                found = self.join(found, known, around.taints);
                continue;
            }
            let index = id.0 as usize;
            let Some(reach) = self.reaches.get_mut(index) else { continue };
            if levels == 0 || self.left == 0 || reach.seen.0 == self.question && reach.seen.1 >= levels {
                continue;
            }
            reach.seen = (self.question, levels);
            self.meet(index, around);
            let edges = &self.reaches[index].edges;
            let next =
                edges.next.iter().map(|&(next, away)| (next, levels.saturating_sub(usize::from(away))));
            open.extend(next.filter(|(_, levels)| *levels > 0));
            let mut own = edges.own;
            if levels == 1 {
                own.names = 0;
            }
            found = self.join(found, own, around.taints);
        }
        if let Some(known) = self.reaches.get_mut(first.0 as usize).and_then(|r| r.known.get_mut(levels - 1))
        {
            *known = (self.time, found);
        }
        found
    }

    fn look_again(&mut self, index: usize, around: &mut Around<'_, 'a>) {
        let edges = self.edges(index, around);
        let Some(reach) = self.reaches.get_mut(index) else { return };
        reach.is_marked = false;
        if reach.edges != edges {
            reach.edges = edges;
            self.time = self.time.wrapping_add(1).max(1);
        }
    }

    fn edges(&mut self, index: usize, around: &mut Around<'_, 'a>) -> Edges {
        let Some(object) = self.list.get(index) else { return Edges::default() };
        let mut gathered = Gathered { taint: object.any.taint, ..Gathered::default() };
        for &value in object.items.iter().chain(object.members.values()) {
            gathered.value(value, 1, around);
        }
        let names = self.intern(gathered.names);
        Edges { own: Found { taint: gathered.taint, names }, next: gathered.next.into_boxed_slice() }
    }

    /// What is in reach of an object within so many levels.
    fn reach(&mut self, id: ObjectId, levels: usize, around: &mut Around<'_, 'a>) -> Found {
        if let Some(known) = self.known(id, levels) {
            return known;
        }
        let index = id.0 as usize;
        if levels == 0 || self.left == 0 || index >= self.reaches.len() {
            return Found::default();
        }
        self.meet(index, around);
        // Taken out while others are asked, and put back: nothing changes meanwhile.
        let next = std::mem::take(&mut self.reaches[index].edges.next);
        let mut found = self.reaches[index].edges.own;
        if levels == 1 {
            found.names = 0;
        }
        for &(object, away) in &next {
            let within = self.reach(object, levels.saturating_sub(usize::from(away)), around);
            found = self.join(found, within, around.taints);
        }
        let reach = &mut self.reaches[index];
        reach.edges.next = next;
        reach.known[levels - 1] = (self.time, found);
        found
    }

    fn join(&mut self, a: Found, b: Found, taints: &mut Taints) -> Found {
        let names = match (a.names, b.names) {
            (a, b) if a == b || b == 0 => a,
            (0, b) => b,
            (a, b) => {
                let both = [a, b].into_iter().filter_map(|set| self.names.get(set as usize));
                let names = both.flat_map(|set| set.iter().copied()).collect();
                self.intern(names)
            }
        };
        Found { taint: taints.join(a.taint, b.taint), names }
    }

    fn intern(&mut self, mut names: Vec<NameId>) -> u32 {
        if names.is_empty() {
            return 0;
        }
        names.sort_unstable_by_key(|name| name.0);
        names.dedup();
        names.truncate(NAMES);
        let names = names.into_boxed_slice();
        if let Some(&set) = self.name_sets.get(&names) {
            return set;
        }
        let set = u32::try_from(self.names.len()).unwrap_or(0);
        self.names.push(names.clone());
        self.name_sets.insert(names, set);
        set
    }
}

/// Whether a question could find something at a value.
fn may_lead(value: Value<'_>) -> bool {
    value.taint.0 != 0
        || matches!(value.shape, Shape::Name(_) | Shape::Object(_) | Shape::Either(_) | Shape::Bound(_))
}

/// What the values of one object lead to.
#[derive(Default)]
struct Gathered {
    taint: Taint,
    names: Vec<NameId>,
    next: Vec<(ObjectId, u8)>,
}

impl Gathered {
    #[inline]
    fn value(&mut self, value: Value<'_>, away: u8, around: &mut Around<'_, '_>) {
        self.taint = around.taints.join(self.taint, value.taint);
        match value.shape {
            Shape::Either(id) => {
                let eithers = around.eithers;
                for &shape in eithers.get(id) {
                    self.shape(shape, away + 1, around);
                }
            }
            shape => self.shape(shape, away, around),
        }
    }

    #[inline]
    fn shape(&mut self, shape: Shape<'_>, away: u8, around: &Around<'_, '_>) {
        match shape {
            Shape::Name(name)
                if around.is_source.get(name.0 as usize) == Some(&true)
                    && self.names.len() < NEXT
                    && !self.names.contains(&name) =>
            {
                self.names.push(name);
            }
            Shape::Object(id) | Shape::Bound(id)
                if self.next.len() < NEXT && !self.next.contains(&(id, away)) =>
            {
                self.next.push((id, away));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::value::{Eithers, Object, ObjectId, Shape, Taint, Taints, Value};
    use super::{Around, Heap, LEVELS};

    /// A chain of objects, of which each holds the next.
    fn chain(length: u32) -> Heap<'static> {
        let mut heap = Heap::of_a_file(0);
        for index in 0..length {
            heap.push(Object::default());
            if index > 0 {
                heap.set_member(ObjectId(index - 1), "next", Value::of(Shape::Object(ObjectId(index))), None);
            }
        }
        heap
    }

    fn ask(heap: &mut Heap<'static>, taints: &mut Taints, object: u32) -> Taint {
        let eithers = Eithers::default();
        let mut around = Around { eithers: &eithers, taints, is_source: &[] };
        heap.ask(Value::of(Shape::Object(ObjectId(object))), &mut around).taint
    }

    #[test]
    fn an_answer_is_old_once_something_within_changes() {
        let (mut heap, mut taints) = (chain(8), Taints::new());
        let taint = taints.one(7);
        assert_eq!(ask(&mut heap, &mut taints, 0), Taint(0));
        heap.set_member(ObjectId(3), "x", Value::tainted(taint), None);
        assert_eq!(ask(&mut heap, &mut taints, 0), taint);
        heap.set_member(ObjectId(3), "x", Value::UNKNOWN, Some(Value::tainted(taint)));
        assert_eq!(ask(&mut heap, &mut taints, 0), Taint(0));
        heap[2].any = Value::tainted(taint);
        assert_eq!(ask(&mut heap, &mut taints, 0), taint);
    }

    #[test]
    fn what_lies_deeper_than_the_levels_is_not_found() {
        let (mut heap, mut taints) = (chain(8), Taints::new());
        let taint = taints.one(7);
        let last = u32::try_from(LEVELS).unwrap();
        heap[LEVELS].any = Value::tainted(taint);
        assert_eq!(ask(&mut heap, &mut taints, 0), Taint(0));
        assert_eq!(ask(&mut heap, &mut taints, 1), taint);
        heap.set_member(ObjectId(last), "next", Value::of(Shape::Object(ObjectId(0))), None);
        assert_eq!(ask(&mut heap, &mut taints, 1), taint);
    }
}
