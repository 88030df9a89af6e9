//! The lines of a cargo index: read, then shown in every form.
#![no_main]

use tidegate_model::Ecosystem;

libfuzzer_sys::fuzz_target!(|data: &[u8]| tidegate_fuzz::index(Ecosystem::Cargo, "text/plain", data));
