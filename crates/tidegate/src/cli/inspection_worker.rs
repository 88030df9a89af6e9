//! `tidegate inspection-worker`: what the door starts to look inside artifacts. Not for people.

use clap::Args;

use super::Outcome;
use crate::inspection::{Detectors, worker};

/// Look inside the artifacts that a running door hands over. The door starts this by itself.
#[derive(Debug, Args)]
pub struct InspectionWorker {}

impl InspectionWorker {
    /// Serves the door at standard input.
    ///
    /// # Errors
    /// None: what goes wrong is told by the exit status.
    #[expect(clippy::unnecessary_wraps, reason = "every command has this shape")]
    pub fn run(self) -> Outcome {
        Ok(worker::run(Detectors))
    }
}
