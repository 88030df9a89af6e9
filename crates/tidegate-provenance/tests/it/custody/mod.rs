//! Statements of custody and the keys behind them, through the crate's public API and other people's tools.

mod attacks;
mod chains;
mod foreign;
mod keys;
mod programs;
mod rings;
mod statements;
mod support;
mod tokens;
