//! What follows from a change of advisories: it is in force at once, and who took what it touches is told.

use std::sync::Arc;

use tidegate_intel::import::Applied;

use crate::door::Door;

/// Puts what was applied in force for every path. Blocks.
pub fn follow(door: &Arc<Door>, applied: &Applied) {
    if applied.before.generation() == applied.after.generation() {
        return;
    }
    door.put_advisories_in_force(Arc::clone(&applied.after));
}
