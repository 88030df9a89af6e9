//! Policies from a hostile hand: bounded, and refused with words.

use std::time::{Duration, Instant};

use tidegate_policy::{MAX_DEPTH, MAX_RULES, MAX_SOURCE_BYTES, Policy};

use crate::support::{errors, policy, run, with};

const HEADER: &str = "[policy]\nid = \"h\"\nversion = \"1\"\n";

#[test]
fn a_huge_file_is_refused_unread() {
    let source = format!("{HEADER}#{}", "x".repeat(MAX_SOURCE_BYTES));
    let found = Policy::compile(&source, "h").unwrap_err().to_string();
    assert!(found.contains("more than 1048576"), "{found}");
}

#[test]
fn deep_nesting_is_refused() {
    let nested = |depth: usize| {
        format!(
            "[[rule]]\nid = \"r\"\naction = \"warn\"\nwhen = {}{{ \"scripts.install\" = true }}{}\n",
            "{ not = ".repeat(depth),
            " }".repeat(depth)
        )
    };
    assert!(errors(&nested(MAX_DEPTH + 1)).contains("nest deeper than"));
    assert!(errors(&nested(5000)).contains("recur"));
    assert_eq!(policy(&nested(MAX_DEPTH)).rules().len(), 1);
}

#[test]
fn many_rules_and_many_mistakes_stay_bounded() {
    let rules: String =
        (0..=MAX_RULES).map(|i| format!("[[rule]]\nid = \"r{i}\"\naction = \"nope\"\n")).collect();
    let found = Policy::compile(&format!("{HEADER}{rules}"), "h").unwrap_err();
    assert!(found.0.len() <= 50, "{}", found.0.len());
    assert!(found.to_string().contains("more than 1000 rules"));
}

#[test]
fn noise_is_an_error_and_never_a_panic() {
    for source in [
        "\0",
        "[",
        "[policy",
        "[policy]\nid = 1\nversion = []\n",
        "policy = 1\nrule = 2",
        "[[rule]]\n[[rule]]\n[rule.when]\nx = nan\n",
        "[policy]\nid = \"a\"\nversion = \"1\"\n[[rule]]\nid = \"r\"\naction = \"warn\"\nwhen.\"artifact.size\" = { lt = inf }\n",
        "[policy]\nid = \"a\"\nversion = \"1\"\nmax_days = 1e300\n",
        "[policy]\nid = \"a\"\nversion = \"1\"\n[[rule]]\nid = \"r\"\naction = \"warn\"\nwhen.\"artifact.published_at\" = { age_lt = \"99999999999999999d\" }\n",
        "[policy]\nid = \"a\"\nversion = \"1\"\n[[rule]]\nid = \"r\"\naction = \"warn\"\nmessage = \"{\"\nwhen.\"artifact.published_at\" = { age_lt = \"é\" }\n",
    ] {
        let found = Policy::compile(source, "noise.toml").unwrap_err();
        assert!(
            !found.0.is_empty() && found.0.iter().all(|e| e.place.line >= 1 && !e.remedy.is_empty()),
            "{found}"
        );
    }
}

#[test]
fn globs_and_licences_on_hostile_facts_end_soon() {
    let policy = policy(&format!(
        "[[rule]]\nid = \"r\"\naction = \"warn\"\nunknown = \"warn\"\nmessage = \"{{artifact.name}}\"\n\
         when = {{ any = [{{ \"artifact.name\" = {{ glob = \"{}b\" }} }}, {{ \"licence.expression\" = {{ licence_permits = \"MIT\" }} }}] }}\n",
        "*a".repeat(100)
    ));
    let facts = with(|f| {
        f.artifact.name = format!("{}\r\nX-Evil: 1", "a".repeat(20_000));
        f.licence.value.as_mut().unwrap().expression = Some("(".repeat(100_000));
    });
    let start = Instant::now();
    let decision = run(&policy, &facts);
    assert!(start.elapsed() < Duration::from_secs(2));
    let message = &decision.reasons[0].message;
    assert!(message.len() < 700 && !message.contains(char::is_control), "{message}");
}
