//! Who took what.
