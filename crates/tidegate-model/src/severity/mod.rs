//! How bad an advisory says it is. What that means here and now is for policy and re-rating to say.

pub mod cvss;

pub use cvss::{CvssScores, CvssVersion, Score};
