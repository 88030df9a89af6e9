//! Scopes: which cell a name of a place stands for.
use rustc_hash::FxHashMap;

use super::machine::Machine;
use super::value::{FunctionId, Shape, Taint, Value};

/// Names of a scope that are looked through one by one; where there are more, a map knows them.
const FEW: usize = 8;

/// Names of a block or function, by the numbers that the machine gives names.
#[derive(Default)]
pub(super) struct ScopeInfo {
    parent: Option<u32>,
    /// Names and their cells.
    few: Vec<(u32, u32)>,
    /// As [`Self::few`], once they are many.
    many: FxHashMap<u32, u32>,
}

impl ScopeInfo {
    fn cell(&self, symbol: u32) -> Option<u32> {
        if self.many.is_empty() {
            return self.few.iter().find(|(name, _)| *name == symbol).map(|(_, cell)| *cell);
        }
        self.many.get(&symbol).copied()
    }

    fn insert(&mut self, symbol: u32, cell: u32) {
        if self.many.is_empty() && self.few.len() < FEW {
            self.few.push((symbol, cell));
            return;
        }
        self.many.extend(self.few.drain(..));
        self.many.insert(symbol, cell);
    }
}

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
        self.scopes.push(ScopeInfo { parent, ..ScopeInfo::default() });
        u32::try_from(self.scopes.len() - 1).unwrap_or(0)
    }

    /// A cell for a name of a scope.
    pub(super) fn declare(&mut self, scope: u32, name: &'a str) -> u32 {
        let next = u32::try_from(self.symbols.len()).unwrap_or(0);
        let symbol = *self.symbols.entry(name).or_insert(next);
        if let Some(cell) = self.scopes[scope as usize].cell(symbol) {
            return cell;
        }
        let cell = u32::try_from(self.cells.len()).unwrap_or(0);
        self.scopes[scope as usize].insert(symbol, cell);
        self.cells.push(Value::of(Shape::Undefined));
        self.owners.push((self.frame.function, Taint(0)));
        cell
    }

    pub(super) fn lookup(&self, mut scope: u32, name: &str) -> Option<u32> {
        // What is declared nowhere is in no scope.
        let symbol = *self.symbols.get(name)?;
        loop {
            let info = self.scopes.get(scope as usize)?;
            if let Some(cell) = info.cell(symbol) {
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
