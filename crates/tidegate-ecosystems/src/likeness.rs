//! Names that resemble popular names.
