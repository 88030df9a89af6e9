//! tidegate: one door through which every package enters an organisation.
//!
//! The life of a request is the [`pipeline`]; [`http`] is how clients reach it, [`upstream`] how it reaches registries,
//! [`door`] what requests share.

pub mod api;
pub mod check;
pub mod cli;
pub mod clients;
pub mod clock;
pub mod config;
pub mod custody;
pub mod discover;
pub mod door;
pub mod events;
pub mod http;
pub mod inspection;
pub mod intel;
pub mod jobs;
pub mod ledger;
pub mod liveness;
pub mod mcp;
pub mod metrics;
pub mod pipeline;
pub mod provenance;
pub mod reports;
pub mod run;
pub mod single_flight;
pub mod upstream;
pub mod witness;
