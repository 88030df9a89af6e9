//! A child's status, environment and signals.

use std::time::{Duration, Instant};

use super::*;

/// Signals go to the whole test process, so that only one of these tests may have a child at a time.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn shell(script: &str) -> Launch {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join("project")).unwrap();
    let mut launch = launch(&command("sh -c"), &door(), None, &around(home.path(), &[])).unwrap();
    launch.args.push(script.into());
    launch.work_dir = std::env::temp_dir();
    launch
}

async fn code(script: &str) -> i32 {
    run_child(&shell(script)).await.unwrap().exit_code()
}

#[tokio::test]
async fn the_status_is_the_clients() {
    let _alone = ALONE.lock().await;
    assert_eq!(code("exit 0").await, 0);
    assert_eq!(code("exit 42").await, 42);
    assert_eq!(code("kill -9 $$").await, 137);
    let found = "[ \"$npm_config_registry\" = http://127.0.0.1:8484/npm/ ]";
    assert_eq!(code(found).await, 0, "the environment does not reach the client");
    let mut absent = shell("exit 0");
    absent.program = "no-such-client-of-tidegate".into();
    assert_eq!(run_child(&absent).await.unwrap_err().exit_code(), 127);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signals_are_passed_on() {
    use rustix::process::{Signal, getpid, kill_process};
    let _alone = ALONE.lock().await;
    let folder = tempfile::tempdir().unwrap();
    for (signal, name, expected) in [(Signal::TERM, "TERM", 41), (Signal::HUP, "HUP", 42)] {
        let ready = folder.path().join(name);
        let script =
            format!("trap 'exit {expected}' {name}; : > '{}'; while :; do sleep 0.05; done", ready.display());
        let child = tokio::spawn(async move { run_child(&shell(&script)).await.unwrap().exit_code() });
        let begun = Instant::now();
        while !ready.exists() {
            assert!(begun.elapsed() < Duration::from_secs(20), "the child does not begin");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        kill_process(getpid(), signal).unwrap();
        let ended =
            tokio::time::timeout(Duration::from_secs(20), child).await.expect("the signal did not arrive");
        assert_eq!(ended.unwrap(), expected, "{name}");
    }
}
