//! The simple page of a Python project as HTML and as JSON: read, then shown in every form.
#![no_main]

use tidegate_model::Ecosystem;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    tidegate_fuzz::index(Ecosystem::Pypi, "text/html", data);
    tidegate_fuzz::index(Ecosystem::Pypi, "application/vnd.pypi.simple.v1+json", data);
});
