//! Many writers and a reader on the real disk of this machine.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidegate_ledger::{Body, Entry, Mode, Reader, Recorder};
use tidegate_sys::disk::RealDisk;

use crate::support::{draft, open_in, wait};

const WRITERS: u64 = 64;
const EACH: u64 = 100;

fn marker_of(json: &[u8]) -> u64 {
    let Body::Access(access) = Entry::parse(json).unwrap().body else { panic!("not an access") };
    access.bytes
}

fn write_from_all(recorder: &Recorder) -> BTreeMap<u64, u64> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..WRITERS)
            .map(|writer| {
                scope.spawn(move || {
                    let mut answers = Vec::new();
                    for n in 0..EACH {
                        let marker = writer * EACH + n;
                        let appended = recorder.append(&draft(marker)).unwrap();
                        assert_eq!(appended.record.to_string(), format!("n1-{}", appended.seq));
                        answers.push((appended.seq, marker));
                        if n % 5 == 4 {
                            wait(appended.durable).unwrap();
                            assert!(recorder.health().durable >= appended.seq);
                        }
                    }
                    answers
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn sixty_four_writers_get_numbers_without_gaps_and_entries_are_answers() {
    let dir = tempfile::tempdir().unwrap();
    let (recorder, _) = open_in(Arc::new(RealDisk), dir.path(), Mode::Durable).unwrap();
    let (answers, read) = std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut reader = recorder.reader(1);
            let mut read = BTreeMap::new();
            while (read.len() as u64) < WRITERS * EACH {
                match reader.next() {
                    Some(frame) => {
                        let frame = frame.unwrap();
                        assert_eq!(read.insert(frame.seq, marker_of(&frame.json)), None);
                    }
                    None => std::thread::sleep(std::time::Duration::from_millis(1)),
                }
            }
            read
        });
        let answers = write_from_all(&recorder);
        (answers, reading.join().unwrap())
    });
    assert_eq!(answers.keys().copied().collect::<Vec<_>>(), (1..=WRITERS * EACH).collect::<Vec<_>>());
    assert_eq!(read, answers, "a reader beside the writers sees what they were told");

    drop(recorder);
    let summary = tidegate_ledger::verify(&RealDisk, dir.path()).unwrap();
    assert_eq!((summary.first_seq, summary.last_seq, summary.torn_bytes), (1, WRITERS * EACH, 0));
    assert!(summary.segments > 4);
    let offline = Reader::open(Arc::new(RealDisk), dir.path(), 1).unwrap();
    let offline: BTreeMap<u64, u64> =
        offline.map(|frame| frame.unwrap()).map(|f| (f.seq, marker_of(&f.json))).collect();
    assert_eq!(offline, answers);

    let (recorder, report) = open_in(Arc::new(RealDisk), dir.path(), Mode::Durable).unwrap();
    assert_eq!((report.last_seq, report.torn_bytes), (WRITERS * EACH, 0));
    assert!(report.verified_segments < report.segments);
    assert_eq!(recorder.append(&draft(0)).unwrap().seq, WRITERS * EACH + 1);
}

#[test]
fn waiters_are_told_when_the_recorder_ends() {
    let dir = tempfile::tempdir().unwrap();
    let (recorder, _) = open_in(Arc::new(RealDisk), dir.path(), Mode::Durable).unwrap();
    let appended = recorder.append(&draft(1)).unwrap();
    drop(recorder);
    assert!(matches!(appended.durable.now(), Some(Ok(()))), "dropping syncs what is left");
}
