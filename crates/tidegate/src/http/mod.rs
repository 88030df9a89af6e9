//! The server: listening, strict framing, routes, answers.

pub mod body;
pub mod conditional;
pub mod guard;
pub mod ledger;
pub mod operations;
pub mod osv;
pub mod packages;
pub mod pages;
pub mod paths;
pub mod patience;
pub mod respond;
pub mod server;
pub mod tls;
