//! Looks inside packages: the one recursive unfolder that every detector shares.
//!
//! [`unfold`] takes bytes and gives a [`Visitor`] every [`Leaf`] within, in an order that depends on the bytes alone.
//! Content decides what is a container, never a name, and on bytes that are several things at once every matching reader
//! runs. What readers of libraries hide (duplicate members, headers that disagree, bytes outside the structure) becomes an
//! [`Oddity`]; what could not be looked at becomes a [`Gap`], never silence. Every loop is bounded by [`Budgets`].
//!
//! [`views::each`] shows a leaf as other readers would decode it: UTF-16, base64, hex, escapes, percent-encoding.
//!
//! [`secrets`] finds what opens other doors; [`models`] says what happens when a program loads a model, [`extensions`] what an editor
//! loads, [`mcp`] what an assistant obeys and starts. [`images`] puts the layers of a container image together.
//!
//! The crate refuses to judge: what an oddity or a gap means is the detectors' and policy's. It executes nothing, opens no
//! socket, and writes no file but the scratch files of [`Scratch`].

pub mod archive;
pub mod behaviour;
mod budgets;
mod bytes;
pub mod catalogue;
pub mod extensions;
mod format;
mod formats;
pub mod images;
mod inspect;
pub mod inspection;
pub mod inventory;
mod json;
pub mod licences;
mod limiter;
mod manifests;
pub mod mcp;
pub mod models;
mod path;
mod report;
mod scratch;
pub mod secrets;
pub mod views;
mod walk;

pub use budgets::Budgets;
pub use format::Format;
pub use inspect::{inspect, prepare};
pub use inspection::{Inspection, Request, Verdict};
pub use report::{Flow, Gap, GapKind, Leaf, Member, Oddity, OddityKind, Place, Role, Summary, Visitor};
pub use scratch::{NoScratch, Scratch, TemporaryFiles};
pub use walk::unfold;
