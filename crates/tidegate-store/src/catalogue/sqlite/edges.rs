//! What came into what.

use rusqlite::params;
use tidegate_model::Sha256;

use super::super::{BytesName, CatalogueError, Edge, EdgeKind, Edges};
use super::SqliteCatalogue;
use super::convert::{Bytes32, Millis};

impl Edges for SqliteCatalogue {
    fn put_edges(&self, edges: &[Edge]) -> Result<(), CatalogueError> {
        // Nearly always all of them are known, and a look costs no sync.
        let known = self.read("looking for what came into what", |c| {
            let mut find =
                c.prepare_cached("select 1 from edge where parent = ?1 and child = ?2 and kind = ?3")?;
            for edge in edges {
                if !find.exists(params![edge.parent, edge.child, edge.kind.as_str()])? {
                    return Ok(false);
                }
            }
            Ok(true)
        })?;
        if known {
            return Ok(());
        }
        self.write("keeping what came into what", |c| {
            let mut put = c.prepare_cached(
                "insert into edge (parent, child, kind, at, record) values (?1, ?2, ?3, ?4, ?5)
                 on conflict do nothing",
            )?;
            for edge in edges {
                put.execute(params![
                    edge.parent,
                    edge.child,
                    edge.kind.as_str(),
                    Millis(edge.at),
                    edge.record
                ])?;
            }
            Ok(())
        })
    }

    fn edges_from(&self, parent: &str) -> Result<Vec<Edge>, CatalogueError> {
        self.read("reading what came into what", |c| {
            Ok(c.prepare_cached(
                "select parent, child, kind, at, record from edge where parent = ?1 order by child, kind",
            )?
            .query_map([parent], |row| {
                let kind: String = row.get(2)?;
                Ok(Edge {
                    parent: row.get(0)?,
                    child: row.get(1)?,
                    kind: kind.parse::<EdgeKind>().map_err(|why| {
                        rusqlite::Error::FromSqlConversionFailure(2, rusqlite::types::Type::Text, why.into())
                    })?,
                    at: row.get::<_, Millis>(3)?.0,
                    record: row.get(4)?,
                })
            })?
            .collect::<rusqlite::Result<_>>()?)
        })
    }

    fn names_of_bytes(&self, sha256: &Sha256) -> Result<Vec<BytesName>, CatalogueError> {
        self.read("reading the names of some bytes", |c| {
            Ok(c.prepare_cached(
                "select ecosystem, package, version, file from pin where sha256 = ?1
                 order by ecosystem, package, version, file",
            )?
            .query_map([Bytes32::from(sha256)], |row| {
                Ok(BytesName {
                    ecosystem: row.get(0)?,
                    package: row.get(1)?,
                    version: row.get(2)?,
                    file: row.get(3)?,
                })
            })?
            .collect::<rusqlite::Result<_>>()?)
        })
    }
}
