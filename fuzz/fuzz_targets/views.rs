//! Views of any bytes: every part of a view leads back into the leaf.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_inspect::views;

fuzz_target!(|data: &[u8]| {
    views::each(data, &mut |view| {
        let whole = view.locate(0..view.text.len());
        assert!(whole.start <= whole.end && whole.end <= data.len(), "{whole:?} of {}", data.len());
        for at in (0..view.text.len()).step_by(7) {
            let place = view.locate(at..at + 1);
            assert!(place.start <= place.end && place.end <= data.len(), "{place:?} of {}", data.len());
        }
    });
});
