//! Each check of lint, with a policy that trips it and one that does not.

use tidegate_model::waiver::Waiver;
use tidegate_policy::{Level, WaiverSet, lint};

use crate::support::{now, policy};

fn codes(rules: &str) -> Vec<&'static str> {
    lint(&policy(rules), &WaiverSet::empty(), Some(now()))
        .into_iter()
        .filter(|l| l.level == Level::Warning)
        .map(|l| l.code)
        .collect()
}

#[test]
fn each_check_speaks_and_is_silent() {
    let rule = |fields: &str, when: &str| format!("[[rule]]\nid = \"r\"\n{fields}\nwhen = {when}\n");
    let s = "{ \"scripts.install\" = true }";
    for (code, bad, good) in [
        (
            "no-unknown-action",
            rule("action = \"block\"\nremediation = \"x\"", s),
            rule("action = \"block\"\nremediation = \"x\"\nunknown = \"warn\"", s),
        ),
        (
            "no-remediation",
            rule("action = \"quarantine\"", s),
            rule("action = \"quarantine\"\nremediation = \"x\"", s),
        ),
        (
            "never-fires",
            rule(
                "action = \"warn\"",
                "{ all = [{ \"scripts.install\" = true }, { \"scripts.install\" = false }] }",
            ),
            rule(
                "action = \"warn\"",
                "{ any = [{ \"scripts.install\" = true }, { \"scripts.install\" = false }] }",
            ),
        ),
        (
            "never-fires",
            rule("action = \"warn\"", "{ \"artifact.published_at\" = { age_lt = \"3d\", age_ge = \"3d\" } }"),
            rule("action = \"warn\"", "{ \"artifact.published_at\" = { age_lt = \"3d\", age_ge = \"1d\" } }"),
        ),
        (
            "never-fires",
            rule("action = \"warn\"", "{ \"artifact.size\" = { lt = 5, ge = 5 } }"),
            rule("action = \"warn\"", "{ \"artifact.size\" = { le = 5, ge = 5 } }"),
        ),
        (
            "never-fires",
            rule(
                "action = \"warn\"\napplies.\"artifact.kind\" = \"image\"",
                "{ \"artifact.kind\" = \"model\" }",
            ),
            rule(
                "action = \"warn\"\napplies.\"artifact.kind\" = \"image\"",
                "{ \"artifact.kind\" = [\"image\", \"model\"] }",
            ),
        ),
        (
            "never-fires",
            rule(
                "action = \"warn\"",
                "{ all = [{ \"name.resembles\" = \"x\" }, { not = { \"name.resembles\" = \"x\" } }] }",
            ),
            rule(
                "action = \"warn\"",
                "{ all = [{ \"name.resembles\" = \"x\" }, { not = { \"name.resembles\" = \"y\" } }] }",
            ),
        ),
        (
            "wide-glob",
            rule("action = \"warn\"", "{ not = { \"artifact.name\" = { glob = \"*\" } } }"),
            rule("action = \"warn\"", "{ not = { \"artifact.name\" = { glob = \"@acme/*\" } } }"),
        ),
        (
            "dry-run-over",
            rule("action = \"warn\"\nmode = \"dry-run\"\nuntil = \"2026-11-20\"", s),
            rule("action = \"warn\"\nmode = \"dry-run\"\nuntil = \"2026-11-22\"", s),
        ),
        (
            "shadowed",
            format!(
                "{}{}",
                rule("action = \"warn\"", "{ \"scripts.install\" = true, \"artifact.prerelease\" = true }"),
                "[[rule]]\nid = \"s\"\naction = \"quarantine\"\nremediation = \"x\"\nwhen = { \"scripts.install\" = true }\n"
            ),
            format!(
                "{}{}",
                rule("action = \"warn\"", s),
                "[[rule]]\nid = \"s\"\naction = \"quarantine\"\nremediation = \"x\"\nwhen = { \"scripts.install\" = true, \"artifact.prerelease\" = true }\n"
            ),
        ),
    ] {
        assert_eq!(codes(&bad), [code], "{bad}");
        assert_eq!(codes(&good), Vec::<&str>::new(), "{good}");
    }
}

#[test]
fn waivers_in_vain_are_told() {
    let policy = policy(
        "[[rule]]\nid = \"plain\"\naction = \"warn\"\nwhen.\"scripts.install\" = true\n\
         [[rule]]\nid = \"never\"\naction = \"warn\"\nwaivable = false\nwhen.\"scripts.install\" = true\n\
         [[rule]]\nid = \"evil\"\naction = \"warn\"\nwhen.\"malware.verdict\" = \"malicious\"\n\
         [[rule]]\nid = \"vuln\"\naction = \"warn\"\nwhen.vulnerabilities.some.kev = true\n",
    );
    let waiver = |rule: &str| Waiver {
        id: "W".into(),
        rules: vec![rule.into()],
        created_at: Some(now()),
        expires_at: Some(now()),
        ..Waiver::default()
    };
    let told = |waiver: Waiver| {
        let found = lint(&policy, &WaiverSet::new(vec![waiver]), None);
        found.into_iter().filter(|l| l.level == Level::Warning).map(|l| l.what).collect::<Vec<_>>()
    };
    assert_eq!(told(waiver("plain")), Vec::<String>::new());
    for (waiver, expected) in [
        (waiver("gone"), "no rule in force"),
        (waiver("never"), "nothing waives"),
        (waiver("evil"), "by digest only"),
        (waiver("vuln"), "no advisory"),
        (Waiver { expires_at: None, ..waiver("plain") }, "no `expires_at`"),
    ] {
        let found = told(waiver);
        assert!(found.len() == 1 && found[0].contains(expected), "{expected}: {found:?}");
    }
}

#[test]
fn the_number_of_classes_is_told() {
    let note = |rules: &str| {
        let found = lint(&policy(rules), &WaiverSet::empty(), None);
        found.into_iter().find(|l| l.code == "principal-classes").unwrap().what
    };
    assert!(
        note("[[rule]]\nid = \"r\"\naction = \"warn\"\nwhen.\"scripts.install\" = true\n")
            .contains("1 principal class")
    );
    assert!(
        note("[[rule]]\nid = \"r\"\naction = \"warn\"\nwhen.\"principal.kind\" = \"ci\"\napplies.\"principal.groups\" = \"dev\"\n")
            .contains("up to 4 principal classes")
    );
}
