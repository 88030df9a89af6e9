//! What a worker does with an artifact.

use tidegate_inspect::{Budgets, Request, Scratch, inspect};

use super::Inspector;
use super::wire::JobHead;

/// Every detector, in one pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct Detectors;

impl Inspector for Detectors {
    fn prepare(&mut self) {
        // Tables are built before the process is confined and counted.
        tidegate_inspect::prepare();
    }

    fn inspect(&self, job: &JobHead, bytes: &[u8], scratch: &dyn Scratch) -> Vec<u8> {
        // What the door sends is well-formed; if it is not, the artifact is looked at all the same.
        let mut request: Request = serde_json::from_value(job.head.clone()).unwrap_or_default();
        request.name.clone_from(&job.name);
        let inspection = inspect(&request, bytes, &Budgets::default(), scratch);
        serde_json::to_vec(&inspection).expect("an inspection is plain values")
    }
}
