//! Layers (point 14) and principal classes (point 22).

use tidegate_model::PrincipalKind;
use tidegate_model::decision::Action;
use tidegate_model::facts::{PrincipalFacts, RequestFacts};
use tidegate_model::waiver::{Waiver, WaiverState};
use tidegate_policy::{Loosening, Policy, WaiverSet};

use crate::support::{policy, run, with};

const UPPER: &str = r#"
[[rule]]
id = "cool"
action = "quarantine"
cooldown = true
unknown = "warn"
params.days = { value = 7, overridable = { min = 3, max = 30 } }
when."artifact.published_at" = { age_lt = "{days}d" }
[[rule]]
id = "fixed"
action = "quarantine"
params.days = 7
unknown = "warn"
mode = "dry-run"
when."artifact.published_at" = { age_lt = "{days}d" }
[[rule]]
id = "sealed"
action = "warn"
sealed = true
waivable = false
when."scripts.install" = true
"#;

fn layered(
    lower: &str,
    loosening: Loosening,
) -> Result<tidegate_policy::Compiled, tidegate_policy::PolicyErrors> {
    policy(UPPER).layer(&format!("[policy]\nid = \"team\"\nversion = \"2\"\n{lower}"), "team.toml", loosening)
}

fn five_days_old() -> tidegate_model::Facts {
    with(|f| f.artifact.published_at = Some("2026-11-16T09:00:00Z".parse().unwrap()))
}

#[test]
fn a_lower_layer_may_add_and_tighten() {
    for (lower, expected) in [
        ("", Action::Quarantine),
        ("[[rule]]\nid = \"cool\"\naction = \"block\"\n", Action::Block),
        ("[[rule]]\nid = \"cool\"\nparams.days = 3\n", Action::Allow),
        (
            "[[rule]]\nid = \"cool\"\nparams.days = 3\n[[rule]]\nid = \"fixed\"\nmode = \"enforce\"\n",
            Action::Quarantine,
        ),
        (
            "[[rule]]\nid = \"mine\"\naction = \"block\"\nunknown = \"warn\"\nwhen.\"artifact.name\" = \"left-pad\"\n",
            Action::Block,
        ),
    ] {
        let policy = layered(lower, Loosening::Refuse).unwrap_or_else(|e| panic!("{e}")).policy;
        assert_eq!(run(&policy, &five_days_old()).action, expected, "{lower}");
        assert_ne!(policy.digest(), self::policy(UPPER).digest());
    }
}

#[test]
fn a_loosening_is_an_error_or_without_effect() {
    for (lower, what) in [
        ("[[rule]]\nid = \"cool\"\nparams.days = 2\n", "parameter `days`, which may be 3 to 30,"),
        ("[[rule]]\nid = \"cool\"\nparams.days = 31\n", "parameter `days`, which may be 3 to 30,"),
        ("[[rule]]\nid = \"fixed\"\nparams.days = 8\n", "parameter `days`, which is not `overridable`,"),
        ("[[rule]]\nid = \"cool\"\naction = \"warn\"\n", "`action`"),
        ("[[rule]]\nid = \"cool\"\nmode = \"off\"\n", "`mode`"),
        ("[[rule]]\nid = \"cool\"\nunknown = \"allow\"\n", "`unknown."),
        ("[[rule]]\nid = \"cool\"\nwhen.\"scripts.install\" = true\n", "`when`"),
        ("[[rule]]\nid = \"cool\"\napplies.\"artifact.kind\" = \"image\"\n", "`applies`"),
        ("[[rule]]\nid = \"fixed\"\ncooldown = true\n", "`cooldown`"),
        ("[[rule]]\nid = \"sealed\"\naction = \"block\"\n", "it is sealed"),
    ] {
        let refused = layered(lower, Loosening::Refuse).unwrap_err().to_string();
        assert!(refused.contains(what) && refused.starts_with("team.toml:"), "{lower}: {refused}");
        let ignored = layered(lower, Loosening::Ignore).unwrap();
        assert!(
            ignored.warnings.iter().any(|w| w.code == "loosening-ignored" && w.what.contains(what)),
            "{lower}"
        );
        assert_eq!(run(&ignored.policy, &five_days_old()).action, Action::Quarantine, "{lower}");
    }
    for header in ["enforce = false", "default_unknown = \"allow\"", "max_days = 31"] {
        let source = format!("[policy]\nid = \"team\"\nversion = \"2\"\n{header}\n");
        let key = header.split(' ').next().unwrap();
        let refused = policy(UPPER).layer(&source, "team.toml", Loosening::Refuse).unwrap_err().to_string();
        assert!(refused.contains(key), "{refused}");
    }
}

#[test]
fn an_owner_may_change_a_pack_at_will() {
    let source = "[policy]\nid = \"mine\"\nversion = \"1\"\nextends = \"baseline\"\n\
        [[rule]]\nid = \"cooldown\"\nmode = \"off\"\n[[rule]]\nid = \"malware\"\naction = \"warn\"\n";
    let mine = Policy::compile(source, "mine.toml").unwrap().policy;
    let young = with(|f| f.artifact.published_at = Some("2026-11-20T09:00:00Z".parse().unwrap()));
    assert_eq!(run(&Policy::pack("baseline").unwrap(), &young).action, Action::Quarantine);
    assert_eq!(run(&mine, &young).action, Action::Allow);
    assert_eq!((mine.id(), mine.rules().len()), ("mine", Policy::pack("baseline").unwrap().rules().len()));
    let unknown = Policy::compile("[policy]\nid = \"m\"\nversion = \"1\"\nextends = \"base\"\n", "m.toml");
    assert!(unknown.unwrap_err().to_string().contains("m.toml:4:11: there is no pack `base`"));
}

#[test]
fn classes_tell_principals_apart_only_where_the_policy_does() {
    let human =
        PrincipalFacts { id: "ann".into(), kind: Some(PrincipalKind::Human), groups: vec!["dev".into()] };
    let agent = PrincipalFacts { id: "bot".into(), kind: Some(PrincipalKind::Agent), groups: vec![] };
    let request = RequestFacts::default();
    let none = WaiverSet::empty();
    for pack in tidegate_policy::packs::NAMES {
        let pack = Policy::pack(pack).unwrap();
        assert_eq!(pack.principal_selectors(), 0);
        assert_eq!(
            pack.principal_class(&human, &request, &none),
            pack.principal_class(&agent, &request, &none)
        );
    }
    let split = policy(
        "[[rule]]\nid = \"agents\"\naction = \"warn\"\napplies.\"principal.kind\" = \"agent\"\nwhen.\"scripts.install\" = true\n",
    );
    assert_eq!(split.principal_selectors(), 1);
    assert_ne!(
        split.principal_class(&human, &request, &none),
        split.principal_class(&agent, &request, &none)
    );
    let other = PrincipalFacts { id: "cy".into(), ..human.clone() };
    assert_eq!(
        split.principal_class(&human, &request, &none),
        split.principal_class(&other, &request, &none)
    );
    let waivers = WaiverSet::new(vec![Waiver {
        id: "W".into(),
        principals: vec!["ann".into()],
        state: WaiverState::Approved,
        ..Waiver::default()
    }]);
    assert_ne!(
        split.principal_class(&human, &request, &waivers),
        split.principal_class(&other, &request, &waivers)
    );
}

/// A decision stands in the ledger for good, and people can be forgotten.
#[test]
fn a_decision_does_not_repeat_who_asked() {
    let policy = policy(
        "[[rule]]\nid = \"ann\"\naction = \"warn\"\nwhen.\"principal.id\" = \"annabel\"\n\
         [[rule]]\nid = \"ann-says\"\naction = \"warn\"\nmessage = \"not for {principal.id}\"\nwhen.\"principal.id\" = \"annabel\"\n",
    );
    let asked = with(|f| f.principal.id = "annabel".into());
    let decision = run(&policy, &asked);
    assert_eq!((decision.action, decision.reasons.len()), (Action::Warn, 2));
    let told = serde_json::to_string(&decision).unwrap();
    assert!(told.contains("principal.id") && !told.contains("annabel"), "{told}");
    assert!(told.contains("not for whoever asks"), "{told}");
}
