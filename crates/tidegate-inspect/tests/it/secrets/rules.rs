//! Every rule over every example of every rule.

use std::collections::BTreeSet;

use tidegate_inspect::secrets::{Checksum, Rules};
use tidegate_model::finding::{Confidence, FindingSeverity as Severity};

use super::template::expand;
use super::{ids, look};

/// How often each example is drawn.
const DRAWS: u64 = 4;

/// Rules that find what others find more exactly.
const GENERAL: &[&str] = &["secrets/jwt", "secrets/assigned-secret"];

#[test]
fn every_rule_finds_its_examples_and_no_other_rule_does() {
    let mut wrong = Vec::new();
    for rule in Rules::builtin().all() {
        for (n, example) in rule.examples.found.iter().enumerate() {
            for seed in 1..=DRAWS {
                let text = expand(example, seed * 1000 + n as u64);
                let found = look(text.as_bytes());
                let own = found.hits.iter().filter(|hit| hit.rule.id == rule.id).count();
                let others: BTreeSet<&str> = found
                    .hits
                    .iter()
                    .filter(|hit| hit.rule.issuer != rule.issuer && !GENERAL.contains(&hit.rule.id.as_str()))
                    .map(|hit| hit.rule.id.as_str())
                    .collect();
                if own == 0 || !others.is_empty() {
                    wrong.push(format!("{} ({own}, {others:?}): {text}", rule.id));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_rule_finds_what_a_rule_calls_clean() {
    let mut wrong = Vec::new();
    for rule in Rules::builtin().all() {
        for (n, example) in rule.examples.clean.iter().enumerate() {
            for seed in 1..=DRAWS {
                let text = expand(example, seed * 1000 + n as u64);
                let found = ids(text.as_bytes());
                if !found.is_empty() {
                    wrong.push(format!("{} {found:?}: {text}", rule.id));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn rules_say_what_matters() {
    for rule in Rules::builtin().all() {
        let (id, lets, revoke) = (&rule.id, &rule.lets, &rule.revoke);
        assert!(lets.ends_with('.') && lets.len() > 15, "{id}: {lets}");
        assert!(revoke.ends_with('.') && revoke.len() > 15, "{id}: {revoke}");
        assert!(!rule.title.ends_with('.') && !rule.issuer.is_empty(), "{id}");
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(id.strip_prefix("secrets/").unwrap().chars().all(is_plain), "{id}");
    }
    assert!(Rules::builtin().all().len() >= 220, "{} rules", Rules::builtin().all().len());
}

#[test]
fn checksums_decide_how_sure_it_is() {
    let look_at = |template: &str| {
        let text = expand(template, 9);
        let found = look(text.as_bytes());
        let hit = &found.hits[0];
        (hit.checksum, hit.severity, hit.confidence)
    };
    let right = look_at("npm_{base62:30}{crc32_base62}");
    assert_eq!(right, (Checksum::Valid, Severity::Critical, Confidence::High));
    let wrong = look_at("npm_{base62:36}");
    assert_eq!(wrong, (Checksum::Wrong, Severity::Low, Confidence::Low));
}

#[test]
fn liveness_questions_name_no_host() {
    let requests =
        Rules::builtin().all().iter().filter_map(|rule| rule.liveness.as_ref().map(|ask| (rule, ask)));
    let mut count = 0;
    for (rule, ask) in requests {
        count += 1;
        assert!(ask.path.starts_with('/') && !ask.path.contains("//"), "{}: {}", rule.id, ask.path);
        assert!(ask.value.contains("{secret}"), "{}: {}", rule.id, ask.value);
        assert!(!ask.live.is_empty() && !ask.dead.is_empty(), "{}", rule.id);
    }
    assert!(count >= 5, "{count} rules say how their issuer is asked");
}
