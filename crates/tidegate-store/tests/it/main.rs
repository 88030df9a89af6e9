//! Crashes, full disks and failing syncs, on a disk that forgets what was not synced.

#![expect(clippy::unwrap_used, reason = "helpers of tests, outside the test functions")]

mod blob_crashes;
mod blob_faults;
