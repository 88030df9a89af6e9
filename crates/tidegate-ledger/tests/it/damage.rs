//! Rot and forgery: reported with file and offset, never repaired by leaving something out.

use std::path::PathBuf;

use tidegate_ledger::frame::{FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES, parse_frame};
use tidegate_ledger::{OpenError, Reader, verify};
use tidegate_sys::disk::Disk as _;
use tidegate_testkit::{Crash, ForgetfulDisk};

use crate::support::{dir, draft, open, wait};

/// A ledger of several segments, every entry durable before the next was written.
fn ledger(entries: u64) -> (ForgetfulDisk, Vec<PathBuf>) {
    let disk = ForgetfulDisk::new();
    let (recorder, _) = open(&disk).unwrap();
    for marker in 0..entries {
        wait(recorder.append(&draft(marker)).unwrap().durable).unwrap();
    }
    drop(recorder);
    let segments: Vec<PathBuf> = disk.list(&dir()).unwrap().iter().map(|e| dir().join(&e.name)).collect();
    assert!(segments.len() >= 3, "{segments:?}");
    (disk, segments)
}

/// Where the frames of a segment begin.
fn frames(bytes: &[u8]) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut at = SEGMENT_HEADER_BYTES;
    while at < bytes.len() {
        starts.push(at);
        at += parse_frame(&bytes[at..]).unwrap().file_bytes();
    }
    starts
}

#[test]
fn a_flipped_bit_anywhere_is_reported_where_it_is() {
    let (disk, segments) = ledger(20);
    for (i, path) in segments.iter().enumerate() {
        let bytes = disk.read(path).unwrap();
        let starts = frames(&bytes);
        let last_frame = *starts.last().unwrap();
        for at in (0..bytes.len()).filter(|at| at % 3 == 0 || *at > last_frame) {
            let rotten = disk.crash(Crash::LosesNothing);
            rotten.tamper(path, |bytes| bytes[at] ^= 1 << (at % 8));
            let frame = starts.iter().rev().find(|start| **start <= at).copied().unwrap_or(0);
            match open(&rotten) {
                Err(OpenError::Damaged(damage)) => {
                    assert_eq!((&damage.path, damage.offset), (path, frame as u64), "byte {at}: {damage}");
                    let message = damage.to_string();
                    assert!(message.contains(&path.display().to_string()), "{message}");
                    assert!(verify(&rotten, &dir()).is_err(), "byte {at}: an auditor sees it too");
                }
                Err(OpenError::Newer { .. }) => assert!((8..10).contains(&at), "byte {at} of {path:?}"),
                Err(other) => panic!("byte {at} of {path:?}: {other}"),
                // A length that grew beyond the end of the file cannot be told from an entry that was being written.
                Ok(_) => assert!(
                    i + 1 == segments.len() && frame == last_frame && at < last_frame + 4,
                    "byte {at} of {path:?} went unseen"
                ),
            }
        }
    }
}

#[test]
fn a_missing_swapped_or_foreign_segment_is_reported() {
    let (disk, segments) = ledger(20);
    let missing = disk.crash(Crash::LosesNothing);
    missing.remove(&segments[1]).unwrap();
    assert!(matches!(open(&missing), Err(OpenError::Damaged(d)) if d.path == segments[2]));

    let swapped = disk.crash(Crash::LosesNothing);
    let other = disk.read(&segments[0]).unwrap();
    swapped.tamper(&segments[1], |bytes| *bytes = other);
    assert!(matches!(open(&swapped), Err(OpenError::Damaged(d)) if d.path == segments[1]));

    let opened = tidegate_ledger::Recorder::open(
        std::sync::Arc::new(disk),
        &dir(),
        "n2".parse().unwrap(),
        tidegate_ledger::Mode::Durable,
        crate::support::small(),
    );
    assert!(matches!(opened, Err(OpenError::OtherNode { .. })), "{opened:?}");
}

#[test]
fn a_cut_tail_is_mended_in_the_last_segment_only() {
    let (disk, segments) = ledger(20);
    for (i, path) in segments.iter().enumerate() {
        let len = disk.read(path).unwrap().len();
        for cut in [1, FRAME_HEADER_BYTES, 200] {
            let torn = disk.crash(Crash::LosesNothing);
            torn.tamper(path, |bytes| bytes.truncate(len - cut));
            match open(&torn) {
                Ok((recorder, report)) => {
                    assert_eq!((i, report.last_seq), (segments.len() - 1, 19));
                    assert!(report.torn_bytes > 0);
                    assert_eq!(recorder.append(&draft(99)).unwrap().seq, 20);
                }
                Err(OpenError::Damaged(damage)) => {
                    assert!(i + 1 < segments.len() && damage.path == *path, "{damage}");
                }
                Err(other) => panic!("{other}"),
            }
        }
    }
}

#[test]
fn old_segments_can_be_taken_away_and_reading_says_so() {
    let (disk, segments) = ledger(20);
    disk.remove(&segments[0]).unwrap();
    let (recorder, report) = open(&disk).unwrap();
    assert!(report.first_seq > 1 && report.last_seq == 20);
    assert!(recorder.reader(1).next().unwrap().unwrap_err().to_string().contains("not kept any more"));
    assert_eq!(
        recorder.reader(report.first_seq).filter_map(Result::ok).count() as u64,
        21 - report.first_seq
    );
    drop(recorder);
    let offline = Reader::open(std::sync::Arc::new(disk), &dir(), report.first_seq + 2).unwrap();
    assert_eq!(offline.map(|frame| frame.unwrap().seq).next(), Some(report.first_seq + 2));
}
