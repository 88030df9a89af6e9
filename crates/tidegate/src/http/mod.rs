//! The server: listening, strict framing, routes, answers.

pub mod guard;
