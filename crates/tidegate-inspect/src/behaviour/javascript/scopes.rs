//! Scopes: which cell a name of a place stands for.
use rustc_hash::FxHashMap;

use super::machine::{Machine, ScopeInfo};
use super::value::{FunctionId, Shape, Taint, Value};

impl<'a> Machine<'a> {
    pub(super) fn scope_of_function(&mut self, id: FunctionId, outer: u32) -> u32 {
        if let Some(scope) = self.functions[id.0 as usize].scope {
            return scope;
        }
        let scope = self.new_scope(Some(outer));
        self.functions[id.0 as usize].scope = Some(scope);
        scope
    }

    pub(super) fn new_scope(&mut self, parent: Option<u32>) -> u32 {
        self.scopes.push(ScopeInfo { parent, names: FxHashMap::default() });
        u32::try_from(self.scopes.len() - 1).unwrap_or(0)
    }

    /// A cell for a name of a scope.
    pub(super) fn declare(&mut self, scope: u32, name: &'a str) -> u32 {
        let next = u32::try_from(self.cells.len()).unwrap_or(0);
        let cell = *self.scopes[scope as usize].names.entry(name).or_insert(next);
        if cell == next {
            self.cells.push(Value::of(Shape::Undefined));
            self.owners.push((self.frame.function, Taint(0)));
        }
        cell
    }

    pub(super) fn lookup(&self, mut scope: u32, name: &str) -> Option<u32> {
        loop {
            let info = self.scopes.get(scope as usize)?;
            if let Some(&cell) = info.names.get(name) {
                return Some(cell);
            }
            scope = info.parent?;
        }
    }

    /// Assigns to a cell: what it may have been before stays possible within branches, where it came from stays anywhere.
    pub(super) fn assign_cell(&mut self, cell: u32, value: Value<'a>, declares: bool) {
        let Some(&old) = self.cells.get(cell as usize) else { return };
        let mut value = value;
        if !declares {
            if self.branch > 0 {
                value.shape = self.eithers.join(value.shape, old.shape);
            }
            value.taint = self.taints.join(value.taint, old.taint);
        }
        // A callback may run before whoever stands before it in the text.
        if let Some((owner, late)) = self.owners.get_mut(cell as usize) {
            if declares {
                value.taint = self.taints.join(value.taint, *late);
            } else if *owner != self.frame.function {
                *late = self.taints.join(*late, value.taint);
            }
        }
        self.cells[cell as usize] = value;
    }
}
