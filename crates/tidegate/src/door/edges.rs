//! What decisions teach of where things go: what a version brings along and what it is made of.

use tidegate_ledger::RecordId;
use tidegate_model::coordinate::package_purl;
use tidegate_model::{Coordinate, Timestamp};
use tidegate_store::catalogue::{Edge, EdgeKind};

use super::Door;
use crate::pipeline::package::Package;

/// The most edges that one package teaches.
const MAX_EDGES: usize = 4_000;

impl Door {
    /// Keeps what some files of a package, by position, are made of and bring along. What cannot be kept is told in the log: an
    /// answer to "where did it go" then has less, and nothing else suffers. Blocks.
    pub(crate) fn learn_edges(
        &self,
        package: &Package,
        positions: impl Iterator<Item = usize>,
        record: Option<&RecordId>,
        at: Timestamp,
    ) {
        let edges: Vec<Edge> =
            positions.flat_map(|position| of_file(package, position, record, at)).take(MAX_EDGES).collect();
        if edges.is_empty() {
            return;
        }
        if let Err(error) = self.store.catalogue.put_edges(&edges) {
            tracing::warn!(error = %error, "where {} goes could not be kept: {error}", package.purl);
        }
    }
}

fn of_file(package: &Package, position: usize, record: Option<&RecordId>, at: Timestamp) -> Vec<Edge> {
    let Some(file) = package.index.files().get(position) else { return Vec::new() };
    let child = Coordinate { name: package.name.clone(), version: file.version.clone() }.purl();
    let edge = |parent: String, kind| Edge {
        parent,
        child: child.clone(),
        kind,
        at,
        record: record.map(ToString::to_string),
    };
    let brought = package.index.brings(position).iter().filter(|name| **name != package.name);
    let brought = brought.map(|name| edge(package_purl(name), EdgeKind::BroughtAlong));
    let parts = package.index.parts(position).iter().map(|part| {
        let part = Coordinate { name: part.name.clone(), version: part.version.clone() };
        edge(part.purl(), EdgeKind::BuiltFrom)
    });
    brought.chain(parts).collect()
}
