//! One file per format in which signatures come.

pub mod bundle;
pub mod npm;
pub mod pypi;
