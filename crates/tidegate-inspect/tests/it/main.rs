//! What the unfolder tells of archives that were made by hand, honest and hostile ones.
#![expect(clippy::unwrap_used, reason = "tests")]

mod archives;
mod assistants;
mod behaviour;
mod containers;
mod gzips;
mod hostile;
mod images;
mod independent;
mod independent_extensions;
mod model_files;
mod model_set;
mod pages;
mod properties;
mod python;
mod secrets;
mod support;
mod tars;
mod views;
mod zips;
