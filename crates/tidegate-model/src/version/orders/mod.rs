//! The orders, one file each: text to an order-preserving key in one pass, `None` where the text breaks the grammar.
//!
//! The orders are our own where a crate would only compare two versions: a key has to walk the parts itself, and then
//! parsing is the smaller half.

pub(super) mod alpine;
pub(super) mod composer;
pub(super) mod cran;
pub(super) mod dpkg;
pub(super) mod hackage;
pub(super) mod maven;
pub(super) mod nuget;
pub(super) mod pep440;
pub(super) mod pub_dart;
pub(super) mod rpm;
pub(super) mod rubygems;
pub(super) mod semver;
pub(super) mod textual;
