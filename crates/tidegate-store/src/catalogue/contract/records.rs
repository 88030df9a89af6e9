//! Decisions, waivers, approvals, blocks, alarms.

use tidegate_model::approval::Approval;
use tidegate_model::waiver::{Waiver, WaiverState};
use tidegate_model::{Action, DecisionId};

use super::super::{
    ApprovalFilter, Catalogue, DecisionFilter, DecisionRecord, NewAlarm, NewLocalBlock, Page, WaiverEvent,
    WaiverFilter,
};
use super::{Check, at, sha};

pub(super) const CHECKS: &[Check] = &[
    ("decisions are found by id, package and version", decisions),
    ("a decision is recorded once, a batch whole or not", decisions_whole),
    ("lists have pages", pages),
    ("the quarantine is what stands now", quarantine),
    ("admissions", admissions),
    ("a waiver changes one step at a time", waivers),
    ("an approval changes one step at a time", approvals),
    ("blocks by hand", local_blocks),
    ("an alarm counts until somebody sees to it", alarms),
];

fn decision(n: u8, purl: &str, action: Action) -> DecisionRecord {
    DecisionRecord {
        id: DecisionId::from_random([n; 10]),
        at: at(i64::from(n)),
        purl: purl.to_owned(),
        file: Some("x.tgz".to_owned()),
        sha256: Some(sha(n)),
        repository: "npm".to_owned(),
        action,
        served: action.serves(),
        seek: 0,
        json: format!("{{\"n\":{n}}}"),
    }
}

fn ids(list: &[DecisionRecord]) -> Vec<String> {
    list.iter().map(|d| d.json.clone()).collect()
}

fn about(purl: &str) -> DecisionFilter {
    DecisionFilter { purl: Some(purl.to_owned()), ..DecisionFilter::default() }
}

fn decisions(c: &dyn Catalogue) {
    let first = decision(1, "pkg:npm/x@1", Action::Allow);
    c.put_decision(&first).unwrap();
    let second = DecisionRecord { file: None, sha256: None, ..decision(2, "pkg:npm/x@2", Action::Block) };
    c.put_decision(&second).unwrap();
    c.put_decision(&decision(3, "pkg:npm/x-y@1", Action::Warn)).unwrap();
    c.put_decision(&decision(4, "pkg:npm/%40s/x@1", Action::Warn)).unwrap();
    let found = c.decision(first.id).unwrap().unwrap();
    assert_eq!(DecisionRecord { seek: 0, ..found }, first);
    let found = c.decision(second.id).unwrap().unwrap();
    assert_eq!(DecisionRecord { seek: 0, ..found }, second);
    assert_eq!(c.decision(DecisionId::from_random([9; 10])).unwrap(), None);
    let list = |filter: &DecisionFilter| ids(&c.decisions(filter, Page::default()).unwrap());
    assert_eq!(list(&about("pkg:npm/x")), ["{\"n\":2}", "{\"n\":1}"]);
    assert_eq!(list(&about("pkg:npm/x@1")), ["{\"n\":1}"]);
    assert_eq!(list(&about("pkg:npm/%40s/x")), ["{\"n\":4}"]);
    assert_eq!(list(&DecisionFilter { action: Some(Action::Warn), ..about("pkg:npm/x-y") }), ["{\"n\":3}"]);
    assert_eq!(list(&DecisionFilter { since: Some(at(3)), ..DecisionFilter::default() }).len(), 2);
    let elsewhere = DecisionFilter { repository: Some("other".to_owned()), ..DecisionFilter::default() };
    assert!(list(&elsewhere).is_empty());
}

fn decisions_whole(c: &dyn Catalogue) {
    let one = decision(1, "pkg:npm/x@1", Action::Allow);
    c.put_decision(&one).unwrap();
    let error = c.put_decisions(&[decision(2, "pkg:npm/x@2", Action::Allow), one.clone()]).unwrap_err();
    assert!(format!("{}", error.cause).contains(&one.id.to_string()), "{error:?}");
    assert_eq!(c.decision(DecisionId::from_random([2; 10])).unwrap(), None);
    assert_eq!(c.admission("pkg:npm/x@2").unwrap(), None);
}

fn pages(c: &dyn Catalogue) {
    let all: Vec<DecisionRecord> = (1..=7).map(|n| decision(n, "pkg:npm/x@1", Action::Allow)).collect();
    c.put_decisions(&all).unwrap();
    let mut seen = Vec::new();
    let mut page = Page::first(3);
    loop {
        let part = c.decisions(&about("pkg:npm/x@1"), page).unwrap();
        assert!(part.len() <= 3);
        let Some(last) = part.last() else { break };
        page.after = Some(last.seek);
        seen.extend(ids(&part));
    }
    assert_eq!(seen, (1..=7).rev().map(|n| format!("{{\"n\":{n}}}")).collect::<Vec<_>>());
}

fn quarantine(c: &dyn Catalogue) {
    let list = |filter: &DecisionFilter| ids(&c.quarantined(filter, Page::default()).unwrap());
    let other = DecisionRecord {
        repository: "npm-internal".to_owned(),
        ..decision(3, "pkg:npm/x@1", Action::Quarantine)
    };
    c.put_decisions(&[
        decision(1, "pkg:npm/x@1", Action::Quarantine),
        decision(2, "pkg:npm/y@1", Action::Quarantine),
        other,
        decision(4, "pkg:npm/z@1", Action::Block),
    ])
    .unwrap();
    assert_eq!(list(&DecisionFilter::default()), ["{\"n\":3}", "{\"n\":2}", "{\"n\":1}"]);
    assert_eq!(list(&about("pkg:npm/x")), ["{\"n\":3}", "{\"n\":1}"]);
    c.put_decision(&decision(5, "pkg:npm/x@1", Action::Allow)).unwrap();
    assert_eq!(
        list(&DecisionFilter::default()),
        ["{\"n\":3}", "{\"n\":2}"],
        "released in one repository only"
    );
    c.put_decision(&decision(6, "pkg:npm/y@1", Action::Quarantine)).unwrap();
    assert_eq!(list(&about("pkg:npm/y@1")), ["{\"n\":6}"], "the latest, once");
}

fn admissions(c: &dyn Catalogue) {
    let observed = DecisionRecord { served: true, ..decision(3, "pkg:npm/x@3", Action::Block) };
    let view = DecisionRecord { sha256: None, file: None, ..decision(4, "pkg:npm/x@4", Action::Allow) };
    c.put_decisions(&[
        decision(1, "pkg:npm/x@1", Action::Allow),
        decision(2, "pkg:npm/x@2", Action::Block),
        observed,
        view,
        decision(5, "pkg:npm/x@1", Action::Warn),
    ])
    .unwrap();
    let first = c.admission("pkg:npm/x@1").unwrap().unwrap();
    assert_eq!((first.first_at, first.last_at), (at(1), at(5)));
    assert_eq!(c.admission("pkg:npm/x@2").unwrap(), None, "refused");
    assert_eq!(c.admission("pkg:npm/x@4").unwrap(), None, "no bytes");
    let all: Vec<String> = c.admissions("pkg:npm/x").unwrap().into_iter().map(|a| a.purl).collect();
    assert_eq!(all, ["pkg:npm/x@1", "pkg:npm/x@3"]);
}

fn event(what: &str, actor: &str, seconds: i64) -> WaiverEvent {
    WaiverEvent { at: at(seconds), actor: actor.to_owned(), what: what.to_owned(), note: None }
}

fn waivers(c: &dyn Catalogue) {
    let requested = Waiver {
        id: "W-1".to_owned(),
        rules: vec!["cooldown".to_owned()],
        purl: "pkg:npm/x@1".to_owned(),
        requested_by: "ann".to_owned(),
        expires_at: Some(at(1000)),
        ..Waiver::default()
    };
    let epoch = c.waiver_epoch().unwrap();
    assert!(c.put_waiver(&requested, &event("requested", "ann", 0)).unwrap());
    assert!(!c.put_waiver(&requested, &event("requested", "eve", 0)).unwrap(), "the id is taken");
    let approve = |by: &str| Waiver {
        state: WaiverState::Approved,
        approved_by: vec![by.to_owned()],
        ..requested.clone()
    };
    assert!(c.replace_waiver(&approve("bob"), 1, &event("approved", "bob", 1)).unwrap());
    assert!(
        !c.replace_waiver(&approve("cid"), 1, &event("approved", "cid", 1)).unwrap(),
        "made on revision 1"
    );
    let other = Waiver { id: "W-9".to_owned(), ..approve("bob") };
    assert!(!c.replace_waiver(&other, 1, &event("approved", "bob", 1)).unwrap());
    let found = c.waiver("W-1").unwrap().unwrap();
    assert_eq!((&found.waiver, found.revision), (&approve("bob"), 2));
    assert_eq!(found.history, [event("requested", "ann", 0), event("approved", "bob", 1)]);
    assert_eq!(c.waiver_epoch().unwrap(), epoch + 2, "what failed changed nothing");
    let list = |filter: WaiverFilter| c.waivers(&filter).unwrap().len();
    assert_eq!(list(WaiverFilter::default()), 1);
    assert_eq!(list(WaiverFilter { state: Some(WaiverState::Requested), ..WaiverFilter::default() }), 0);
    assert_eq!(list(WaiverFilter { state: Some(WaiverState::Approved), ..WaiverFilter::default() }), 1);
    assert_eq!(list(WaiverFilter { purl: Some("pkg:npm/x".to_owned()), ..WaiverFilter::default() }), 0);
    assert_eq!(list(WaiverFilter { unexpired_at: Some(at(999)), ..WaiverFilter::default() }), 1);
    assert_eq!(list(WaiverFilter { unexpired_at: Some(at(1000)), ..WaiverFilter::default() }), 0);
}

fn approvals(c: &dyn Catalogue) {
    let requested = Approval {
        id: "A-1".to_owned(),
        purl: "pkg:huggingface/acme/tiny@00".to_owned(),
        digest: Some(sha(3)),
        requested_by: "ann".to_owned(),
        expires_at: Some(at(1000)),
        ..Approval::default()
    };
    assert!(c.put_approval(&requested, &event("requested", "ann", 0)).unwrap());
    assert!(!c.put_approval(&requested, &event("requested", "eve", 0)).unwrap(), "the id is taken");
    let approved =
        Approval { state: WaiverState::Approved, approved_by: vec!["bob".to_owned()], ..requested.clone() };
    assert!(c.replace_approval(&approved, 1, &event("approved", "bob", 1)).unwrap());
    assert!(!c.replace_approval(&requested, 1, &event("approved", "cid", 1)).unwrap(), "made on revision 1");
    let other = Approval { id: "A-9".to_owned(), ..approved.clone() };
    assert!(!c.replace_approval(&other, 1, &event("approved", "bob", 1)).unwrap());
    let found = c.approval("A-1").unwrap().unwrap();
    assert_eq!((&found.approval, found.revision), (&approved, 2));
    assert_eq!(found.history, [event("requested", "ann", 0), event("approved", "bob", 1)]);
    assert_eq!(c.approval("A-9").unwrap(), None);
    let list = |filter: ApprovalFilter| c.approvals(&filter).unwrap().len();
    let of = |purl: &str| ApprovalFilter { purl: Some(purl.to_owned()), ..ApprovalFilter::default() };
    assert_eq!(list(ApprovalFilter::default()), 1);
    assert_eq!((list(of(&approved.purl)), list(of("pkg:huggingface/acme/tiny"))), (1, 0));
    let unexpired = |seconds| ApprovalFilter { unexpired_at: Some(at(seconds)), ..ApprovalFilter::default() };
    assert_eq!((list(unexpired(999)), list(unexpired(1000))), (1, 0));
}

fn local_blocks(c: &dyn Catalogue) {
    let block = NewLocalBlock {
        purl: "pkg:npm/x@1".to_owned(),
        sha256: Some(sha(1)),
        reason: "phones home".to_owned(),
        actor: "ann".to_owned(),
        at: at(0),
    };
    let epoch = c.waiver_epoch().unwrap();
    let first = c.put_local_block(&block).unwrap();
    assert_eq!((first.id().as_str(), &first.block), ("TIDEGATE-LOCAL-1", &block));
    assert!(c.withdraw_local_block(1, at(5), "bob").unwrap());
    assert!(!c.withdraw_local_block(1, at(6), "cid").unwrap());
    assert_eq!(c.put_local_block(&NewLocalBlock { sha256: None, ..block }).unwrap().number, 2);
    assert_eq!(c.waiver_epoch().unwrap(), epoch + 3);
    let numbers = |withdrawn| -> Vec<u64> {
        c.local_blocks(withdrawn).unwrap().into_iter().map(|b| b.number).collect()
    };
    assert_eq!((numbers(false), numbers(true)), (vec![2], vec![1, 2]));
    assert_eq!(c.local_blocks(true).unwrap()[0].withdrawn, Some((at(5), "bob".to_owned())));
}

fn alarms(c: &dyn Catalogue) {
    let alarm = NewAlarm {
        kind: "bytes_changed".to_owned(),
        subject: "pkg:npm/x@1 x.tgz".to_owned(),
        message: "other bytes".to_owned(),
        json: "{}".to_owned(),
        at: at(0),
    };
    assert!(c.raise_alarm(&alarm).unwrap());
    assert!(!c.raise_alarm(&NewAlarm { at: at(5), ..alarm.clone() }).unwrap());
    assert!(c.raise_alarm(&NewAlarm { subject: "y".to_owned(), ..alarm.clone() }).unwrap());
    let open = c.alarms(false, Page::default()).unwrap();
    assert_eq!(open.len(), 2);
    let first = &open[1];
    assert_eq!((first.count, first.first_at, first.alarm.at), (2, at(0), at(5)));
    assert!(c.acknowledge_alarm(first.number, at(6), "ann").unwrap());
    assert!(!c.acknowledge_alarm(first.number, at(7), "bob").unwrap());
    assert!(c.raise_alarm(&alarm).unwrap(), "the same trouble again is a new alarm");
    assert_eq!(c.alarms(false, Page::default()).unwrap().len(), 2);
    let all = c.alarms(true, Page::default()).unwrap();
    assert_eq!(all.iter().filter(|a| a.acknowledged == Some((at(6), "ann".to_owned()))).count(), 1);
    let after = Page { limit: 1, after: Some(all[0].number) };
    assert_eq!(c.alarms(true, after).unwrap()[0].number, all[1].number);
}
