//! The door's way to an inspection: the pool of workers, and the key under which secrets are hashed.

use std::path::Path;

use tidegate_inspect::{Inspection, Request};
use tidegate_model::Sha256;
use tidegate_store::catalogue::{CatalogueError, Settings};

use super::pool::{self, Job, Loss, Outcome, Pool, WorkerCommand};
use super::{Limits, Status};
use crate::config::InspectionSection;
use crate::intel::Degradation;
use crate::pipeline::contents::NotInspected;

/// The setting that keeps the key. It never leaves the catalogue, so hashes of secrets cannot be compared elsewhere.
const KEY: &str = "secret_hash_key";

/// The folder of scratch files below the data directory.
const SCRATCH: &str = "scratch";

/// Bytes of a source that is parsed in further attempts at what took too much.
const CAREFUL_BYTES: [usize; 2] = [1 << 20, 128 << 10];

/// Whether a worker was lost to what the artifact holds, so that looking less closely may come to a result.
const fn is_of_content(loss: Loss) -> bool {
    matches!(
        loss,
        Loss::Memory | Loss::Stack | Loss::CpuTime | Loss::TimedOut | Loss::Panicked | Loss::Crashed
    )
}

fn job(digest: Sha256, size: u64, blob: std::fs::File, request: &Request) -> Job {
    let head = serde_json::to_value(request).expect("a request is plain values");
    Job { digest, size, blob, name: request.name.clone(), head }
}

/// Looks inside artifacts for a door.
#[derive(Debug)]
pub struct Looker {
    pool: Option<Pool>,
    key: [u8; 32],
}

impl Looker {
    /// Workers as the configuration wants them; none where looking inside is switched off.
    ///
    /// # Errors
    /// The folder for scratch files cannot be made, or the system gives no threads.
    pub fn start(
        section: &InspectionSection,
        data: &Path,
        command: WorkerCommand,
        key: [u8; 32],
    ) -> std::io::Result<Self> {
        if !section.enabled {
            return Ok(Self { pool: None, key });
        }
        let config = pool::Config {
            command,
            workers: section.workers(),
            limits: Limits { memory_bytes: section.memory_mib.saturating_mul(1 << 20), ..Limits::default() },
            scratch: data.join(SCRATCH),
        };
        Ok(Self { pool: Some(Pool::start(config)?), key })
    }

    /// The installation's key, made at first use.
    ///
    /// # Errors
    /// The catalogue's; `None` where the system gives no random bytes.
    pub fn key_of(settings: &(impl Settings + ?Sized)) -> Result<Option<[u8; 32]>, CatalogueError> {
        let mut random = [0; 32];
        if getrandom::fill(&mut random).is_err() {
            return Ok(None);
        }
        let kept = settings.setting_or_insert(KEY, &hex::encode(random))?;
        let mut key = [0; 32];
        Ok(hex::decode_to_slice(&kept, &mut key).is_ok().then_some(key))
    }

    /// Under which key secrets are hashed.
    pub const fn hash_key(&self) -> [u8; 32] {
        self.key
    }

    /// Looks into one artifact. Inside: what it came to, or why it never will.
    ///
    /// # Errors
    /// [`NotInspected::Unavailable`]: nothing was learnt, and asking again may help.
    pub async fn run(
        &self,
        digest: Sha256,
        blob: std::fs::File,
        size: u64,
        request: &Request,
    ) -> Result<Result<Inspection, String>, NotInspected> {
        let Some(pool) = &self.pool else {
            return Err(NotInspected::Unavailable("looking inside is switched off".into()));
        };
        let again = blob.try_clone();
        let mut outcome = pool.inspect(job(digest, size, blob, request)).await;
        for most in CAREFUL_BYTES {
            // Most of it can be looked at even so: reading large sources is what takes most.
            let Outcome::Gap { kind, .. } = &outcome else { break };
            let Some(blob) = again.as_ref().ok().filter(|_| is_of_content(*kind)) else { break };
            let Ok(blob) = blob.try_clone() else { break };
            let careful = Request { parsed_bytes: Some(most), ..request.clone() };
            outcome = pool.inspect(job(digest, size, blob, &careful)).await;
        }
        match outcome {
            Outcome::Done(bytes, usage) => {
                tracing::debug!(
                    inspection.cpu_ms = usage.cpu.as_millis() as u64,
                    inspection.peak_bytes = usage.peak_memory_bytes,
                    "looked into {}",
                    request.name
                );
                // A worker is not believed: what it says must be an inspection.
                Ok(serde_json::from_slice(&bytes).map_err(|_| "its result cannot be read".to_owned()))
            }
            Outcome::Gap { why, kind } if kind.is_lasting() => Ok(Err(why)),
            Outcome::Gap { why, .. } => Err(NotInspected::Unavailable(why)),
        }
    }

    /// How the workers are doing; none where looking inside is switched off.
    pub fn status(&self) -> Option<Status> {
        self.pool.as_ref().map(Pool::status)
    }

    /// What is wrong with this control.
    pub fn degradations(&self) -> Vec<Degradation> {
        let told = |what: &str, why: String| Degradation { control: "contents", what: what.into(), why };
        match self.status() {
            None => vec![told("off", "nothing looks inside: [inspection] enabled is false".into())],
            Some(status) => status.degraded.into_iter().map(|why| told("workers", why)).collect(),
        }
    }

    /// Has a worker ready before the first artifact comes.
    pub fn warm_up(&self) {
        if let Some(pool) = &self.pool {
            pool.warm_up();
        }
    }

    /// Ends the workers.
    pub fn stop(&self) {
        if let Some(pool) = &self.pool {
            pool.stop();
        }
    }
}
