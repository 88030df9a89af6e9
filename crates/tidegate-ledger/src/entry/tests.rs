use super::*;
use crate::pseudonym::{Commitment, Pseudonym};
use proptest::prelude::*;
use tidegate_model::decision::{Because, BecauseFact, DryRun, Gap, Reason, Truth, Waived};
use tidegate_model::facts::FactState;

pub(crate) fn access() -> Access {
    Access {
        actor: Pseudonym::new([1; 32]),
        actor_kind: PrincipalKind::Ci,
        host: Some(Commitment::new([2; 32])),
        address: Commitment::new([3; 32]),
        client: Some(Commitment::new([4; 32])),
        credential: None,
        repository: "npm".into(),
        ecosystem: Some(Ecosystem::Npm),
        method: "GET".into(),
        operation: "artifact".into(),
        purl: Some("pkg:npm/left-pad@1.3.0".into()),
        file: Some("left-pad-1.3.0.tgz".into()),
        sha256: Some(Sha256::new([5; 32])),
        status: 206,
        range: Some(ByteRange { first: 0, last: 99 }),
        bytes: 100,
        action: Some(Action::Warn),
        decision: Some(DecisionId::from_random([6; 10])),
        rules: ["cooldown".into(), "licence".into()].into(),
        policy: Some(Sha256::new([7; 32])),
        cache: Some(CacheState::Warm),
        upstream: Some("default".into()),
        enforced: true,
        degraded: ["advisories".into()].into(),
    }
}

fn reason(message: String) -> Reason {
    Reason {
        rule: "cooldown".into(),
        truth: Truth::Unknown,
        action: Action::Quarantine,
        message,
        remediation: Some("wait \"or\" ask".into()),
        because: Because {
            facts: vec![BecauseFact {
                path: "artifact.published_at".into(),
                state: FactState::Known,
                value: Some(serde_json::json!({"b": [1, "x"], "a": null})),
            }],
            advisories: vec!["OSV-1".into()],
        },
        until: Some(Timestamp::from_unix_millis(1_795_000_000_123)),
        waivable: true,
    }
}

fn decision() -> DecisionMade {
    DecisionMade {
        id: DecisionId::from_random([9; 10]),
        decided_at: Timestamp::from_unix_millis(1_795_000_000_123),
        repository: "npm".into(),
        ecosystem: Some(Ecosystem::Npm),
        purl: Some("pkg:npm/x@1.0.0".into()),
        file: None,
        sha256: None,
        upstream: Some("main".into()),
        promised: vec!["sha1:aa".into()],
        decision: Decision {
            action: Action::Quarantine,
            enforced: true,
            reasons: vec![reason("younger than 3 days".into())],
            waived: vec![Waived { rule: "licence".into(), waivers: vec!["W-1".into()] }],
            dry_run: Some(DryRun { action: Action::Block, reasons: vec![reason("dry".into())] }),
            obligations: vec!["notify:security".into()],
            gaps: vec![Gap {
                fact: "vulnerabilities".into(),
                state: FactState::NotScanned,
                why: Some("no feed".into()),
            }],
            valid_until: Some(Timestamp::from_unix_seconds(1_795_100_000)),
            selectable_from: None,
            policy_digest: Sha256::new([1; 32]),
            facts_digest: Sha256::new([2; 32]),
            waivers_digest: Sha256::new([3; 32]),
        },
    }
}

fn view(withheld: usize) -> View {
    View {
        repository: "npm".into(),
        ecosystem: Some(Ecosystem::Npm),
        purl: "pkg:npm/x".into(),
        form: "npm-full".into(),
        document: Sha256::new([1; 32]),
        view: Sha256::new([2; 32]),
        policy: Sha256::new([3; 32]),
        facts: Sha256::new([4; 32]),
        waivers: Sha256::new([5; 32]),
        releases: 2200,
        withheld: (0..withheld)
            .map(|i| Withheld {
                version: format!("1.0.{i}").into(),
                file: None,
                action: Action::Quarantine,
                rule: "cooldown".into(),
                until: Some(Timestamp::from_unix_seconds(1_795_100_000)),
            })
            .collect(),
        withheld_omitted: 0,
        valid_until: None,
    }
}

/// One draft of every kind, every optional field of which is filled in at least once.
pub(crate) fn one_of_each() -> Vec<Body> {
    vec![
        Body::Access(Box::new(access())),
        Body::Decision(Box::new(decision())),
        Body::View(Box::new(view(2))),
        Body::Waiver(Box::new(WaiverChange {
            id: "W-1".into(),
            state: WaiverState::Approved,
            actor: Pseudonym::new([1; 32]),
            rules: ["cooldown".into()].into(),
            advisories: ["OSV-1".into()].into(),
            purl: "pkg:npm/x".into(),
            sha256: Some(Sha256::new([2; 32])),
            repositories: ["npm".into()].into(),
            expires_at: Some(Timestamp::from_unix_seconds(1_795_100_000)),
            document: Sha256::new([3; 32]),
        })),
        Body::Policy(PolicyChange {
            policy: Sha256::new([1; 32]),
            previous: Some(Sha256::new([2; 32])),
            source: "baseline".into(),
            rules: 14,
            actor: Some(Pseudonym::new([1; 32])),
        }),
        Body::Quarantine(Box::new(QuarantineChange {
            operation: QuarantineOperation::Release,
            actor: Pseudonym::new([1; 32]),
            repository: "npm".into(),
            purl: "pkg:npm/x@1.0.0".into(),
            file: Some("x-1.0.0.tgz".into()),
            sha256: Some(Sha256::new([2; 32])),
            decision: Some(DecisionId::from_random([9; 10])),
        })),
        Body::Alarm(Box::new(Alarm {
            alarm: AlarmKind::FirstSeen,
            repository: "npm".into(),
            ecosystem: Some(Ecosystem::Npm),
            purl: "pkg:npm/x@1.0.0".into(),
            file: Some("x-1.0.0.tgz".into()),
            expected: Sha256::new([1; 32]).into(),
            found: Sha256::new([2; 32]).into(),
            upstream: Some("default".into()),
        })),
        Body::Start(Start { program: "0.1.0".into(), mode: Mode::Durable, last_seq: 7, torn_bytes: 12 }),
        Body::Stop(Stop { accesses: 9, refused: 2, bytes: 1_000, store_reads: 7 }),
        Body::Person(PersonChange {
            operation: PersonOperation::Forget,
            person: Pseudonym::new([4; 32]),
            actor: Pseudonym::new([1; 32]),
        }),
        Body::Advisories(Box::new(AdvisoriesChange {
            generation: 7,
            manifest: Sha256::new([1; 32]),
            changed: 3,
            withdrawn: 1,
            names: 4,
            actor: Some(Pseudonym::new([1; 32])),
            feeds: vec![FeedInForce {
                feed: "osv-npm".into(),
                kind: "osv".into(),
                as_of: Some(Timestamp::from_unix_seconds(1_795_000_000)),
                digest: Sha256::new([2; 32]),
            }],
            feeds_omitted: 0,
        })),
        Body::Effect(Box::new(effect(2))),
        Body::Control(ControlChange {
            control: "advisories".into(),
            state: ControlState::Degraded,
            why: "feed osv-npm was last current 80 h ago".into(),
        }),
        Body::Hold(Box::new(HoldChange {
            operation: HoldOperation::Confirmed,
            advisory: "GHSA-x".into(),
            reason: HoldReason::AllVersions,
            downloads: 40,
            downloads_in_all: 500,
            sources: 2,
            generation: 7,
            actor: Some(Pseudonym::new([1; 32])),
        })),
        Body::Approval(Box::new(ApprovalChange {
            id: "A-1".into(),
            state: WaiverState::Approved,
            actor: Pseudonym::new([1; 32]),
            purl: "pkg:huggingface/acme/tiny@00".into(),
            sha256: Some(Sha256::new([2; 32])),
            repositories: ["huggingface".into()].into(),
            expires_at: Some(Timestamp::from_unix_seconds(1_795_100_000)),
            document: Sha256::new([3; 32]),
        })),
        Body::Call(Box::new(call())),
        Body::Counts(Counts {
            hour: Timestamp::from_unix_seconds(1_794_996_000),
            first_seq: 8,
            last_seq: 60,
            entries: {
                let mut entries = KindCounts::default();
                [0, 0, 1, 16].into_iter().for_each(|kind| entries.add(kind));
                entries
            },
            refused: 3,
            bytes: 1_000,
        }),
        Body::Key(Box::new(KeyChange {
            purpose: KeyPurpose::Checkpoint,
            key_id: "0a1b2c3d".into(),
            public_key: "door.example/access+0a1b2c3d+AQ==".into(),
            previous: Some("00112233".into()),
            actor: Some(Pseudonym::new([1; 32])),
        })),
        Body::Root(Box::new(RootChange {
            instance: "public-good".into(),
            origin: "imported".into(),
            digest: Sha256::new([8; 32]),
            previous: Some(Sha256::new([9; 32])),
            version: Some(16),
            as_of: Timestamp::from_unix_seconds(1_794_996_000),
            actor: Some(Pseudonym::new([1; 32])),
        })),
    ]
}

fn call() -> Call {
    Call {
        actor: Pseudonym::new([1; 32]),
        actor_kind: PrincipalKind::Human,
        host: Some(Commitment::new([2; 32])),
        address: Commitment::new([3; 32]),
        client: Some(Commitment::new([4; 32])),
        credential: Some(Commitment::new([5; 32])),
        server: "files".into(),
        transport: "stdio".into(),
        purl: Some("pkg:npm/%40acme/files@1.0.0".into()),
        method: "tools/call".into(),
        item: Some("read_file".into()),
        definition: Some(Sha256::new([6; 32])),
        arguments: Some(Commitment::new([7; 32])),
        secrets: ["secrets/x".into()].into(),
        answered_secrets: ["secrets/y".into()].into(),
        left_out: 2,
        outcome: CallOutcome::Withheld,
        action: Some(Action::Block),
        decision: Some(DecisionId::from_random([9; 10])),
        rules: ["mcp-secrets".into()].into(),
        policy: Some(Sha256::new([8; 32])),
        enforced: true,
        degraded: ["advisories".into()].into(),
    }
}

fn effect(advisories: usize) -> Effect {
    Effect {
        ecosystem: Some(Ecosystem::Npm),
        purl: "pkg:npm/left-pad@1.3.0".into(),
        before: Some(Action::Allow),
        after: Some(Action::Block),
        held: true,
        takers: 3,
        accesses: 12,
        last_taken_at: Some(Timestamp::from_unix_seconds(1_795_000_000)),
        generation: 7,
        new: (0..advisories)
            .map(|i| Touching { id: format!("MAL-2026-{i}").into(), why: Grave::Malware })
            .collect(),
        new_omitted: 0,
        gone: (0..advisories).map(|i| format!("GHSA-{i}").into()).collect(),
        gone_omitted: 0,
    }
}

pub(crate) fn draft(body: Body) -> EntryDraft {
    EntryDraft { time: Timestamp::from_unix_millis(1_795_000_000_123), tenant: "default".into(), body }
}

fn encoded(draft: &EntryDraft, seq: u64) -> Vec<u8> {
    let mut out = Vec::new();
    encode(&mut out, &"n1".parse().unwrap(), seq, draft);
    out
}

#[test]
fn every_kind_reads_back_as_it_was_written() {
    let bodies = one_of_each();
    assert_eq!(bodies.iter().map(Body::kind).collect::<Vec<_>>(), Body::KINDS);
    for body in bodies {
        let draft = draft(body);
        let json = encoded(&draft, 42);
        let entry = Entry::parse(&json).unwrap();
        assert_eq!((entry.seq, entry.record().to_string()), (42, "n1-42".to_owned()));
        assert_eq!((entry.time, &entry.tenant, &entry.body), (draft.time, &draft.tenant, &draft.body));
    }
}

#[test]
fn an_access_has_exactly_these_bytes() {
    let json = String::from_utf8(encoded(&draft(Body::Access(Box::new(access()))), 7)).unwrap();
    let hex = |byte: u8| hex::encode([byte; 32]);
    let expected = format!(
        concat!(
            r#"{{"v":1,"kind":"access","time":"2026-11-18T11:06:40.123Z","node":"n1","seq":7,"tenant":"default","#,
            r#""actor":"{}","actor_kind":"ci","host":"{}","address":"{}","client":"{}","credential":null,"#,
            r#""repository":"npm","ecosystem":"npm","method":"GET","operation":"artifact","#,
            r#""purl":"pkg:npm/left-pad@1.3.0","file":"left-pad-1.3.0.tgz","sha256":"sha256:{}","#,
            r#""status":206,"range":"0-99","bytes":100,"action":"warn","decision":"aydambqgaydambqg","#,
            r#""rules":["cooldown","licence"],"policy":"sha256:{}","cache":"warm","upstream":"default","#,
            r#""enforced":true,"degraded":["advisories"]}}"#
        ),
        hex(1),
        hex(2),
        hex(3),
        hex(4),
        hex(5),
        hex(7)
    );
    assert_eq!(json, expected);
}

#[test]
fn later_fields_are_ignored_and_later_formats_refused() {
    let json = String::from_utf8(encoded(&draft(one_of_each().remove(8)), 7)).unwrap();
    let more = json.replace("\"accesses\"", "\"later\":{\"x\":[1]},\"accesses\"");
    assert!(matches!(Entry::parse(more.as_bytes()).unwrap().body, Body::Stop(Stop { accesses: 9, .. })));
    let two = json.replace("\"v\":1", "\"v\":2");
    assert!(matches!(Entry::parse(two.as_bytes()), Err(EntryError::Version(2))));
    let kind = json.replace("\"stop\"", "\"pause\"");
    assert!(matches!(Entry::parse(kind.as_bytes()), Err(EntryError::Kind(k)) if k == "pause"));
    assert!(matches!(Entry::parse(b"{\"v\":1}"), Err(EntryError::Malformed(_))));
    assert!(matches!(Entry::parse(&vec![b' '; MAX_ENTRY_BYTES + 1]), Err(EntryError::TooLong(_))));
}

#[test]
fn hostile_texts_cannot_make_an_entry_too_long_or_break_its_line() {
    let nasty = "\u{1}\"\\\n\u{85}😀".repeat(600);
    let text: Text = nasty.as_str().into();
    let many: Arc<[Text]> = vec![Arc::clone(&text); 100].into();
    let mut a = access();
    (a.repository, a.method, a.operation) = (text.clone(), text.clone(), text.clone());
    (a.purl, a.file, a.upstream) = (Some(text.clone()), Some(text.clone()), Some(text.clone()));
    (a.rules, a.degraded) = (many.clone(), many.clone());
    let mut c = call();
    (c.server, c.transport, c.method) = (text.clone(), text.clone(), text.clone());
    (c.purl, c.item) = (Some(text.clone()), Some(text.clone()));
    (c.secrets, c.answered_secrets) = (many.clone(), many.clone());
    (c.rules, c.degraded) = (many.clone(), many);
    let mut d = decision();
    let mut bad = reason(nasty.clone());
    (bad.rule, bad.remediation) = (nasty.clone(), Some(nasty.clone()));
    bad.because.advisories = vec![nasty.clone(); 50];
    let value = Some(serde_json::json!([nasty, nasty]));
    bad.because.facts = vec![BecauseFact { path: nasty.clone(), state: FactState::Error, value }; 50];
    d.decision.reasons = vec![bad.clone(); 30];
    d.decision.waived = vec![Waived { rule: nasty.clone(), waivers: vec![nasty.clone(); 50] }; 50];
    d.decision.gaps =
        vec![Gap { fact: nasty.clone(), state: FactState::Error, why: Some(nasty.clone()) }; 50];
    d.decision.obligations = vec![nasty; 50];
    d.decision.dry_run = Some(DryRun { action: Action::Block, reasons: vec![bad; 30] });
    let mut v = view(10_000);
    v.withheld.iter_mut().for_each(|w| (w.version, w.rule) = (text.clone(), text.clone()));
    let mut e = effect(10_000);
    e.purl = text.clone();
    e.new.iter_mut().for_each(|touching| touching.id = text.clone());
    e.gone.iter_mut().for_each(|id| *id = text.clone());
    let bodies = [
        Body::Access(Box::new(a)),
        Body::Decision(Box::new(d)),
        Body::View(Box::new(v)),
        Body::Effect(Box::new(e)),
        Body::Call(Box::new(c)),
    ];
    for body in bodies {
        let mut draft = draft(body);
        draft.tenant = text.clone();
        let json = encoded(&draft, u64::MAX);
        assert!(json.len() <= MAX_ENTRY_BYTES, "{} has {} bytes", draft.body.kind(), json.len());
        assert!(json.iter().all(|b| *b >= 0x20), "an entry is one line");
        Entry::parse(&json).unwrap();
    }
}

#[test]
fn lists_say_how_many_they_left_out() {
    let json = encoded(&draft(Body::View(Box::new(view(10_000)))), 1);
    let Body::View(view) = Entry::parse(&json).unwrap().body else { panic!("not a view") };
    assert_eq!(view.withheld.len() as u64 + view.withheld_omitted, 10_000);
    assert!(!view.withheld.is_empty());
    let json = encoded(&draft(Body::Effect(Box::new(effect(10_000)))), 1);
    let Body::Effect(effect) = Entry::parse(&json).unwrap().body else { panic!("not an effect") };
    assert_eq!(effect.new.len() as u64 + effect.new_omitted, 10_000);
    assert_eq!(effect.gone.len() as u64 + effect.gone_omitted, 10_000);
    assert!(!effect.new.is_empty() && !effect.gone.is_empty());
}

#[test]
fn a_long_text_is_cut_at_a_character_and_marked() {
    let mut a = access();
    a.repository = "ä".repeat(400).into();
    let json = encoded(&draft(Body::Access(Box::new(a))), 1);
    let Body::Access(back) = Entry::parse(&json).unwrap().body else { panic!("not an access") };
    assert!(back.repository.ends_with("ä…") && back.repository.len() <= 256, "{}", back.repository);
}

#[test]
fn the_reference_page_lists_every_field_in_order() {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/entries.md"))
            .expect("the reference page stands in docs/reference");
    for body in one_of_each() {
        let kind = body.kind();
        let json = encoded(&draft(body), 1);
        let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let fields: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
        let (head, own) = fields.split_at(6);
        assert_eq!(table(&page, "## Every entry"), head, "fields of every entry");
        assert_eq!(table(&page, &format!("## `{kind}`")), own, "fields of `{kind}`");
    }
    let reason: serde_json::Value =
        serde_json::from_slice(&encoded(&draft(one_of_each().remove(1)), 1)).unwrap();
    for (heading, object) in [
        ("### A reason", &reason["reasons"][0]),
        ("### A fact", &reason["reasons"][0]["facts"][0]),
        ("### A waived rule", &reason["waived"][0]),
        ("### A gap", &reason["gaps"][0]),
    ] {
        let fields: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(table(&page, heading), fields, "{heading}");
    }
    for (kind, heading, list) in
        [(10, "### A feed in force", "feeds"), (11, "### An advisory that touches", "new")]
    {
        let entry: serde_json::Value =
            serde_json::from_slice(&encoded(&draft(one_of_each().remove(kind)), 1)).unwrap();
        let fields: Vec<&str> = entry[list][0].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(table(&page, heading), fields, "{heading}");
    }
    let view: serde_json::Value =
        serde_json::from_slice(&encoded(&draft(one_of_each().remove(2)), 1)).unwrap();
    let fields: Vec<&str> = view["withheld"][0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(table(&page, "### A withheld release"), fields);
}

/// First column of the table under a heading, without its back-ticks.
fn table<'a>(page: &'a str, heading: &str) -> Vec<&'a str> {
    page.lines()
        .skip_while(|line| *line != heading)
        .skip(1)
        .take_while(|line| !line.starts_with('#'))
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(field, _)| field))
        .collect()
}

fn text(max: usize) -> impl Strategy<Value = Text> {
    proptest::collection::vec(any::<char>(), 0..max).prop_map(|c| c.into_iter().collect::<String>().into())
}

proptest! {
    #[test]
    fn any_access_reads_back(
        millis in -62_000_000_000_000_i64..200_000_000_000_000,
        seq in 1..u64::MAX,
        texts in proptest::collection::vec(text(20), 8),
        numbers in (any::<u16>(), any::<u64>(), proptest::option::of((any::<u64>(), any::<u64>()))),
        bytes in any::<[u8; 32]>(),
        present in any::<bool>(),
    ) {
        let mut a = access();
        (a.repository, a.method, a.operation) = (texts[0].clone(), texts[1].clone(), texts[2].clone());
        a.purl = present.then(|| texts[3].clone());
        a.file = (!present).then(|| texts[4].clone());
        a.upstream = present.then(|| texts[5].clone());
        a.rules = texts[6..].to_vec().into();
        (a.status, a.bytes) = (numbers.0, numbers.1);
        a.range = numbers.2.map(|(first, last)| ByteRange { first, last });
        a.actor = Pseudonym::new(bytes);
        a.sha256 = present.then(|| Sha256::new(bytes));
        a.enforced = present;
        let draft = EntryDraft {
            time: Timestamp::from_unix_millis(millis),
            tenant: texts[7].clone(),
            body: Body::Access(Box::new(a)),
        };
        let entry = Entry::parse(&encoded(&draft, seq)).unwrap();
        prop_assert_eq!(entry.seq, seq);
        prop_assert_eq!(entry.time, draft.time);
        prop_assert_eq!(entry.tenant, draft.tenant);
        prop_assert_eq!(entry.body, draft.body);
    }

    #[test]
    fn any_bytes_are_an_entry_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Entry::parse(&bytes);
        let _ = crate::frame::parse_frame(&bytes);
        let _ = crate::frame::SegmentHeader::parse(&bytes);
    }
}
