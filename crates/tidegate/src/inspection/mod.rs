//! Looking inside, as the door does it: what is stored of it and what decisions read of that.

pub mod seen;

pub use seen::Seen;
