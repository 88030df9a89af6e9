//! Workers that are killed in a loop under load.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tidegate::inspection::{Limits, Loss, Outcome, Pool};

use super::{TestPool, counted, gzip};

/// Artifacts that are brought while workers die.
const ARTIFACTS: usize = 60;

/// Kills every worker, again and again.
fn kill_until(over: &AtomicBool, pool: &Pool) -> Vec<u32> {
    let mut killed = Vec::new();
    while !over.load(Ordering::Relaxed) {
        for id in pool.status().processes {
            let pid = Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
            if kill_process(pid, Signal::KILL).is_ok() {
                killed.push(id);
            }
        }
        // Without optimisation a worker takes about as long to be ready.
        std::thread::sleep(Duration::from_millis(400));
    }
    killed
}

/// Descriptors of this process that lead into `folder`.
fn open_within(folder: &Path) -> usize {
    let Ok(descriptors) = std::fs::read_dir("/proc/self/fd") else { return 0 };
    let links = descriptors.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    links.filter(|link| link.starts_with(folder)).count()
}

#[test]
fn killed_workers_cost_no_more_than_what_they_were_at() {
    let pool = TestPool::real(Limits::default());
    let noise: Vec<u8> = (0..1_u64 << 20).map(|n| ((n * n) >> 7).to_le_bytes()[0]).collect();
    let content = gzip(&noise);
    let over = AtomicBool::new(false);
    let (outcomes, mut killed) = std::thread::scope(|scope| {
        let killer = scope.spawn(|| kill_until(&over, &pool.pool));
        let mut asked = tokio::task::JoinSet::new();
        for n in 0..ARTIFACTS {
            let (shared, job) = (Arc::clone(&pool.pool), pool.job(&n.to_string(), &content));
            asked.spawn_on(async move { shared.inspect(job).await }, pool.runtime.handle());
        }
        let outcomes = pool.runtime.block_on(asked.join_all());
        over.store(true, Ordering::Relaxed);
        (outcomes, killer.join().unwrap())
    });
    killed.dedup();
    assert!(killed.len() > 5, "{} were killed", killed.len());
    assert_eq!(outcomes.len(), ARTIFACTS);
    for outcome in outcomes {
        if let Outcome::Gap { why, kind } = outcome {
            assert!(matches!(kind, Loss::Killed | Loss::NotStarted), "{}: {why}", kind.as_str());
            assert!(!kind.is_lasting(), "worth another try");
        }
    }
    // A retry mends it, and nothing is left behind.
    assert_eq!(counted(pool.inspect("again", &content)).0["extent"]["largest_leaf_bytes"], 1 << 20);
    let status = pool.pool.status();
    assert_eq!((status.busy, status.waiting), (0, 0));
    assert_eq!(status.done + status.gaps.values().sum::<u64>(), ARTIFACTS as u64 + 1);
    assert!(status.processes.len() <= 2 && status.lost > 0, "{status:?}");
    let TestPool { pool, runtime, folder } = pool;
    drop(runtime);
    drop(Arc::into_inner(pool).expect("nobody else has the pool"));
    killed.extend(status.processes);
    for id in killed {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        assert!(!stat.contains(&format!(" {} ", std::process::id())), "worker {id} is still there: {stat}");
    }
    assert_eq!(open_within(folder.path()), 0, "descriptors leak");
}
