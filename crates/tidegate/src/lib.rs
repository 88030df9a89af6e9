//! tidegate: one door through which every package enters an organisation.
//!
//! The life of a request is the [`pipeline`]; [`http`] is how clients reach it, [`upstream`] how it reaches registries.

pub mod clients;
pub mod config;
pub mod discover;
pub mod http;
