//! What every store of heads must do.

#![expect(clippy::unwrap_used, reason = "a suite of tests: a failure is a panic")]

use super::{Head, Heads, Runs};
use crate::checkpoint::Root;

fn head(size: u64, root: u8) -> Head {
    let text = format!(r#"[{{"index":0,"node":"n1","first_seq":1,"count":{size}}}]"#);
    Head { size, root: Root([root; 32]), note: format!("log\n{size}\n"), runs: Runs::parse(&text).unwrap() }
}

/// An empty store, and whatever must live as long as it.
pub type Fresh = (Box<dyn std::any::Any>, Box<dyn Heads>);

/// Runs every check; `fresh` makes an empty store.
///
/// # Panics
/// Where the store does not do what it must.
pub fn run(fresh: &dyn Fn() -> Fresh) {
    for check in [a_head_moves_only_from_where_it_is, logs_are_apart, only_one_of_many_moves_it] {
        let (_keep, heads) = fresh();
        check(&*heads);
    }
}

fn a_head_moves_only_from_where_it_is(heads: &dyn Heads) {
    assert_eq!(heads.head("log").unwrap(), None);
    assert!(!heads.advance("log", Some((1, Root([1; 32]))), &head(2, 2)).unwrap(), "there is none yet");
    assert!(heads.advance("log", None, &head(1, 1)).unwrap());
    assert!(!heads.advance("log", None, &head(2, 2)).unwrap(), "there is one already");
    assert!(!heads.advance("log", Some((1, Root([9; 32]))), &head(2, 2)).unwrap(), "another root");
    assert!(!heads.advance("log", Some((2, Root([1; 32]))), &head(2, 2)).unwrap(), "another size");
    assert_eq!(heads.head("log").unwrap(), Some(head(1, 1)), "nothing of a lost move stays");
    assert!(heads.advance("log", Some((1, Root([1; 32]))), &head(2, 2)).unwrap());
    assert_eq!(heads.head("log").unwrap(), Some(head(2, 2)));
}

fn logs_are_apart(heads: &dyn Heads) {
    assert!(heads.advance("a", None, &head(1, 1)).unwrap());
    assert!(heads.advance("b", None, &head(5, 2)).unwrap());
    assert_eq!(heads.head("a").unwrap(), Some(head(1, 1)));
    assert_eq!(heads.head("b").unwrap(), Some(head(5, 2)));
}

fn only_one_of_many_moves_it(heads: &dyn Heads) {
    for size in 1..=8 {
        let from = heads.head("log").unwrap().map(|head| (head.size, head.root));
        let moved: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..6u8)
                .map(|n| {
                    scope.spawn(move || usize::from(heads.advance("log", from, &head(size, n + 1)).unwrap()))
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(moved, 1);
    }
}
