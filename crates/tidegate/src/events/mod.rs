//! What happened, told to others: a stream of events in CloudEvents 1.0 form, and the sinks that it is sent to.
//!
//! The ledger is the one source. [`map`] turns an entry into events, purely; so whoever reads the stream twice reads the
//! same events under the same ids, and a sink that was gone for a week misses nothing. A sink is a file of its own behind
//! [`sink::Sink`]; [`follow`] leads it along the ledger and remembers how far it came. Nothing here decides, and no request
//! waits for a sink.

pub mod event;
pub mod follow;
pub mod kind;
pub mod map;
pub mod sink;
pub mod state;
pub mod stream;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidegate_model::Timestamp;

use crate::config::{Begin, EventsSection};
use crate::intel::Degradation;
use crate::upstream::Client;

pub use event::Event;
pub use kind::EventKind;
pub use sink::{Delivery, Sink, SinkError};
pub use state::SinkState;

/// Every sink of a door.
#[derive(Debug, Default)]
pub struct Events {
    /// In the order of their names.
    pub sinks: Vec<Arc<Outlet>>,
}

/// One sink, with what it wants and how far it came.
pub struct Outlet {
    /// Its name in the configuration.
    pub name: String,
    /// `webhook` or `file`.
    pub form: &'static str,
    /// Where it leads, without anything secret: a host, or a path.
    pub target: String,
    /// Which events it gets.
    pub wants: BTreeSet<EventKind>,
    /// Where it begins when it is new.
    pub begin: Begin,
    /// Locked for one delivery at a time, so that a test event does not cut into the stream.
    pub sink: tokio::sync::Mutex<Box<dyn Sink>>,
    state: Mutex<SinkState>,
}

impl Events {
    /// Opens every sink of a configuration. Blocks.
    ///
    /// # Errors
    /// [`SinkError`] says which sink cannot be used and what to do.
    pub fn open(section: &EventsSection, data: &Path, client: &Client) -> Result<Self, SinkError> {
        let mut sinks = Vec::new();
        for (name, webhook) in &section.webhook {
            let sink = sink::webhook::Webhook::open(name, webhook, client)?;
            let target = sink.target();
            sinks.push(Outlet::new(name, "webhook", target, &webhook.types, webhook.begin, Box::new(sink)));
        }
        for (name, file) in &section.file {
            let sink = sink::file::EventFile::open(name, file, data)?;
            let target = sink.target();
            sinks.push(Outlet::new(name, "file", target, &file.types, file.begin, Box::new(sink)));
        }
        sinks.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { sinks: sinks.into_iter().map(Arc::new).collect() })
    }

    /// Sinks that are off or far behind, for status, answers and entries.
    pub fn degradations(&self, now: Timestamp) -> Vec<Degradation> {
        self.sinks.iter().filter_map(|outlet| outlet.state().degradation(&outlet.name, now)).collect()
    }
}

impl Outlet {
    fn new(
        name: &str,
        form: &'static str,
        target: String,
        types: &[String],
        begin: Begin,
        sink: Box<dyn Sink>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            form,
            target,
            wants: kind::chosen(types),
            begin,
            sink: tokio::sync::Mutex::new(sink),
            state: Mutex::default(),
        }
    }

    /// How it stands.
    pub fn state(&self) -> MutexGuard<'_, SinkState> {
        // Each change of it is whole by itself.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Outlet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outlet")
            .field("name", &self.name)
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}
