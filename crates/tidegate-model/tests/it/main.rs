//! Laws and measurements of the vocabulary that need more than the crate itself.

mod cvss_scores;
mod version_laws;
mod version_order;
mod version_pairwise;
