//! Crashes, full disks and failing syncs, on a disk that forgets what was not synced.

mod blob_crashes;
mod blob_faults;
