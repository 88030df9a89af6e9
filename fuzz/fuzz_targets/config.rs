//! Configuration files: a configuration or a message, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Err(error) = tidegate::config::parse(text, Path::new("tidegate.toml")) {
        assert!(!error.to_string().is_empty());
    }
});
