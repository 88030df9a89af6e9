//! Counters for operators. Labels come from closed sets, never from package names.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tidegate_model::{Action, Ecosystem};

/// Labels of answered requests.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// `npm`, `pypi`, `cargo`, or `door` for routes that belong to none.
    pub ecosystem: &'static str,
    /// First digit of the status, `2xx`.
    pub status: &'static str,
}

/// Labels of decisions.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DecisionLabels {
    /// Ecosystem.
    pub ecosystem: &'static str,
    /// Action.
    pub action: &'static str,
}

/// Labels of inspections.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct InspectionLabels {
    /// `clean`, `suspicious`, `malicious`, or `failed`.
    pub outcome: &'static str,
}

/// Labels of event sinks: their names stand in the configuration, so there are few.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SinkLabels {
    /// Name of the sink.
    pub sink: String,
}

/// Every counter.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    decisions: Family<DecisionLabels, Counter>,
    inspections: Family<InspectionLabels, Counter>,
    events_delivered: Family<SinkLabels, Counter>,
    event_failures: Family<SinkLabels, Counter>,
    events_parked: Family<SinkLabels, Counter>,
    event_lag: Family<SinkLabels, Gauge<u64, AtomicU64>>,
    /// Bytes of bodies sent.
    pub sent_bytes: Counter,
    /// Artifacts served from the store.
    pub served: Counter,
    /// Alarms raised.
    pub alarms: Counter,
    /// Connections open now.
    pub connections: Gauge<i64, std::sync::atomic::AtomicI64>,
    /// Entries appended to the ledger.
    pub entries: Gauge<u64, AtomicU64>,
    /// Requests refused because they could not be recorded.
    pub unrecordable: Counter,
}

/// What was counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Answered package requests.
    pub requests: u64,
    /// Those answered with an error status.
    pub refused: u64,
    /// Bytes of bodies sent.
    pub bytes: u64,
    /// Artifacts served from the store.
    pub served: u64,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("tidegate");
        let requests = Family::<RequestLabels, Counter>::default();
        registry.register("requests", "Answered requests", requests.clone());
        let decisions = Family::<DecisionLabels, Counter>::default();
        registry.register("decisions", "Decisions made on artifacts", decisions.clone());
        let inspections = Family::<InspectionLabels, Counter>::default();
        registry.register("inspections", "Artifacts looked into", inspections.clone());
        let sent_bytes = Counter::default();
        registry.register("sent_bytes", "Bytes of bodies sent", sent_bytes.clone());
        let served = Counter::default();
        registry.register("served_artifacts", "Artifacts served from the store", served.clone());
        let alarms = Counter::default();
        registry.register("alarms", "Alarms raised", alarms.clone());
        let connections = Gauge::default();
        registry.register("connections", "Connections open now", connections.clone());
        let entries = Gauge::default();
        registry.register("ledger_entries", "Entries appended to the ledger", entries.clone());
        let unrecordable = Counter::default();
        registry.register(
            "unrecordable_requests",
            "Requests refused because they could not be recorded",
            unrecordable.clone(),
        );
        let [events_delivered, event_failures, events_parked] =
            [(); 3].map(|()| Family::<SinkLabels, Counter>::default());
        registry.register("delivered_events", "Events that a sink took", events_delivered.clone());
        registry.register(
            "event_failures",
            "Tries at which a sink did not take an event",
            event_failures.clone(),
        );
        registry.register(
            "parked_events",
            "Events put aside because a sink refused them",
            events_parked.clone(),
        );
        let event_lag = Family::<SinkLabels, Gauge<u64, AtomicU64>>::default();
        registry.register("event_lag_entries", "Entries that a sink is behind the ledger", event_lag.clone());
        Self {
            registry,
            requests,
            decisions,
            inspections,
            events_delivered,
            event_failures,
            events_parked,
            event_lag,
            sent_bytes,
            served,
            alarms,
            connections,
            entries,
            unrecordable,
        }
    }
}

impl Metrics {
    /// Counts an answered request.
    pub fn request(&self, ecosystem: Option<Ecosystem>, status: u16) {
        let status = match status / 100 {
            1 => "1xx",
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            _ => "5xx",
        };
        let ecosystem = ecosystem.map_or("door", Ecosystem::as_str);
        self.requests.get_or_create(&RequestLabels { ecosystem, status }).inc();
    }

    /// Counts a decision on an artifact.
    pub fn decision(&self, ecosystem: Ecosystem, action: Action) {
        self.decisions
            .get_or_create(&DecisionLabels { ecosystem: ecosystem.as_str(), action: action.as_str() })
            .inc();
    }

    /// Counts an artifact that was looked into.
    pub fn inspected(&self, verdict: tidegate_inspect::Verdict, failed: bool) {
        let outcome = if failed { "failed" } else { verdict.as_str() };
        self.inspections.get_or_create(&InspectionLabels { outcome }).inc();
    }

    /// Counts an event that a sink took.
    pub fn event_delivered(&self, sink: &str) {
        self.events_delivered.get_or_create(&SinkLabels { sink: sink.to_owned() }).inc();
    }

    /// Counts a try at which a sink did not take an event.
    pub fn event_failed(&self, sink: &str) {
        self.event_failures.get_or_create(&SinkLabels { sink: sink.to_owned() }).inc();
    }

    /// Counts an event put aside.
    pub fn event_parked(&self, sink: &str) {
        self.events_parked.get_or_create(&SinkLabels { sink: sink.to_owned() }).inc();
    }

    /// Notes how many entries a sink is behind.
    pub fn event_lag(&self, sink: &str, entries: u64) {
        self.event_lag.get_or_create(&SinkLabels { sink: sink.to_owned() }).set(entries);
    }

    /// What was counted since the start, for the entry that closes a run.
    pub fn counts(&self) -> Counts {
        let mut counts =
            Counts { bytes: self.sent_bytes.get(), served: self.served.get(), ..Counts::default() };
        for ecosystem in Ecosystem::ALL {
            for status in ["2xx", "3xx", "4xx", "5xx"] {
                let labels = RequestLabels { ecosystem: ecosystem.as_str(), status };
                let n = self.requests.get(&labels).map_or(0, |c| c.get());
                counts.requests += n;
                if status == "4xx" || status == "5xx" {
                    counts.refused += n;
                }
            }
        }
        counts
    }

    /// OpenMetrics text.
    pub fn render(&self) -> String {
        let mut out = String::new();
        text::encode(&mut out, &self.registry).expect("writing to a string");
        out
    }
}
