//! Tokens and the private table.

use tidegate_ledger::pseudonym::{Commitment, PersonKey, Pseudonym, Salt};
use tidegate_model::waiver::Waiver;
use tidegate_model::{Action, DecisionId, Principal, PrincipalKind};

use super::super::{
    Catalogue, ContextKind, DecisionRecord, NewAlarm, NewContext, NewLocalBlock, NewPerson, Page, Scope,
    Token, TokenHash, WaiverEvent,
};
use super::{Check, at};

pub(super) const CHECKS: &[Check] = &[
    ("tokens are found by digest and end", tokens),
    ("a person keeps the first key", people),
    ("a value keeps the first salt", contexts),
    ("a forgotten person is nobody", forgetting),
    ("a forgotten person is named nowhere", mentions),
    ("a person is seen", seen),
];

fn token(n: u8) -> Token {
    Token {
        id: format!("t{n}"),
        hash: TokenHash::of(&format!("secret {n}")),
        principal: Principal {
            id: "ann".to_owned(),
            kind: PrincipalKind::Human,
            groups: vec!["web".to_owned(), "ops".to_owned()],
            host: Some("laptop".to_owned()),
            run: None,
        },
        scope: Scope::Read,
        repositories: vec!["npm".to_owned()],
        created_at: at(i64::from(n)),
        expires_at: Some(at(100)),
        revoked_at: None,
    }
}

fn tokens(c: &dyn Catalogue) {
    let forever = Token {
        expires_at: None,
        scope: Scope::Admin,
        repositories: vec![],
        principal: Principal::anonymous(),
        ..token(2)
    };
    for t in [&token(1), &forever, &token(3)] {
        assert!(c.put_token(t).unwrap());
        assert_eq!(c.token(&t.hash).unwrap().as_ref(), Some(t));
    }
    assert!(!c.put_token(&token(1)).unwrap());
    assert!(!c.put_token(&Token { id: "other".to_owned(), ..token(1) }).unwrap(), "the digest is taken");
    assert_eq!(c.token(&TokenHash::of("guess")).unwrap(), None);
    let bad = Token {
        id: "t9".to_owned(),
        hash: TokenHash::of("9"),
        repositories: vec!["a\nb".to_owned()],
        ..token(1)
    };
    assert!(c.put_token(&bad).is_err());
    assert!(c.revoke_token("t3", at(50)).unwrap() && !c.revoke_token("t3", at(51)).unwrap());
    assert!(!c.revoke_token("t1", at(100)).unwrap(), "over already");
    let revoked = c.token(&token(3).hash).unwrap().unwrap();
    assert!(!revoked.is_valid_at(at(50)) && token(1).is_valid_at(at(99)) && !token(1).is_valid_at(at(100)));
    let listed = |ended, seconds| -> Vec<String> {
        c.tokens(ended, at(seconds)).unwrap().into_iter().map(|t| t.id).collect()
    };
    assert_eq!(listed(false, 60), ["t2", "t1"]);
    assert_eq!(listed(false, 100), ["t2"]);
    assert_eq!(listed(true, 100), ["t3", "t2", "t1"]);
    assert_eq!(c.prune_tokens(at(60)).unwrap(), 1, "the revoked one");
    assert_eq!(c.prune_tokens(at(1000)).unwrap(), 1, "the expired one");
    assert_eq!(listed(true, 1000), ["t2"]);
}

const fn pseudonym(n: u8) -> Pseudonym {
    Pseudonym::new([n; 32])
}

fn person(principal: &str, n: u8) -> NewPerson<'_> {
    NewPerson {
        principal,
        kind: PrincipalKind::Human,
        key: PersonKey::from_bytes([n; 32]),
        pseudonym: pseudonym(n),
        at: at(0),
    }
}

fn people(c: &dyn Catalogue) {
    assert!(c.person("ann").unwrap().is_none());
    let ann = c.person_or_insert(&person("ann", 1)).unwrap();
    assert_eq!((ann.pseudonym, *ann.key.expose()), (pseudonym(1), [1; 32]));
    let again = c.person_or_insert(&person("ann", 2)).unwrap();
    assert_eq!((again.pseudonym, *again.key.expose()), (pseudonym(1), [1; 32]));
    assert_eq!(c.person_by_pseudonym(&pseudonym(1)).unwrap().unwrap().principal, "ann");
    assert!(c.person_by_pseudonym(&pseudonym(2)).unwrap().is_none());
    c.person_or_insert(&person("", 3)).unwrap();
    let names: Vec<String> = c.people().unwrap().into_iter().map(|p| p.principal).collect();
    assert_eq!(names, ["", "ann"]);
}

fn context(person: u8, kind: ContextKind, value: &str, n: u8) -> NewContext<'_> {
    NewContext {
        pseudonym: pseudonym(person),
        kind,
        value,
        salt: Salt::from_bytes([n; 32]),
        commitment: Commitment::new([n; 32]),
    }
}

fn contexts(c: &dyn Catalogue) {
    c.person_or_insert(&person("ann", 1)).unwrap();
    c.person_or_insert(&person("bob", 2)).unwrap();
    let first = c.context_or_insert(&context(1, ContextKind::Address, "192.0.2.1", 1)).unwrap();
    let again = c.context_or_insert(&context(1, ContextKind::Address, "192.0.2.1", 2)).unwrap();
    for found in [first, again] {
        assert_eq!((found.commitment, *found.salt.expose()), (Commitment::new([1; 32]), [1; 32]));
    }
    let other = c.context_or_insert(&context(2, ContextKind::Address, "192.0.2.1", 3)).unwrap();
    assert_eq!(other.commitment, Commitment::new([3; 32]), "the same value of another person");
    let kind = c.context_or_insert(&context(1, ContextKind::Host, "192.0.2.1", 4)).unwrap();
    assert_eq!(kind.commitment, Commitment::new([4; 32]));
    let behind = c.context_by_commitment(&Commitment::new([3; 32])).unwrap().unwrap();
    assert_eq!((behind.pseudonym, behind.kind), (pseudonym(2), ContextKind::Address));
    assert_eq!(behind.value, "192.0.2.1");
    let who = |kind, value| -> Vec<Commitment> {
        let mut all: Vec<_> =
            c.contexts_of_value(kind, value).unwrap().into_iter().map(|one| one.commitment).collect();
        all.sort_unstable();
        all
    };
    assert_eq!(who(ContextKind::Address, "192.0.2.1"), [1, 3].map(|n| Commitment::new([n; 32])));
    assert_eq!(who(ContextKind::Host, "192.0.2.1"), [Commitment::new([4; 32])]);
    assert_eq!(who(ContextKind::Host, "192.0.2"), []);
    let values = c.values_of(&[1, 4, 9].map(|n| Commitment::new([n; 32]))).unwrap();
    assert_eq!(values.len(), 2);
    let names = c.names_of(&[pseudonym(2), pseudonym(9)]).unwrap();
    assert_eq!(names, [(pseudonym(2), "bob".to_owned())].into());
    assert!(c.context(&pseudonym(2), ContextKind::Host, "192.0.2.1").unwrap().is_none());
    assert!(c.context_or_insert(&context(9, ContextKind::Host, "x", 5)).is_err());
}

fn forgetting(c: &dyn Catalogue) {
    for (principal, n) in [("ann", 1), ("bob", 2)] {
        c.person_or_insert(&person(principal, n)).unwrap();
        c.context_or_insert(&context(n, ContextKind::Client, "npm/11", n)).unwrap();
    }
    c.put_token(&token(1)).unwrap();
    let forgotten = c.forget_person("ann", &pseudonym(99)).unwrap().unwrap();
    assert_eq!((forgotten.pseudonym, forgotten.contexts, forgotten.tokens), (pseudonym(1), 1, 1));
    assert!(c.forget_person("ann", &pseudonym(99)).unwrap().is_none());
    assert!(c.person("ann").unwrap().is_none() && c.person_by_pseudonym(&pseudonym(1)).unwrap().is_none());
    assert!(c.context_by_commitment(&Commitment::new([1; 32])).unwrap().is_none());
    assert!(c.token(&token(1).hash).unwrap().is_none());
    assert!(c.person_by_pseudonym(&pseudonym(2)).unwrap().is_some());
    assert!(c.context_by_commitment(&Commitment::new([2; 32])).unwrap().is_some());
    let back = c.person_or_insert(&person("ann", 9)).unwrap();
    assert_eq!(back.pseudonym, pseudonym(9), "somebody new, to the ledger");
}

fn waiver(id: &str, by: &str) -> Waiver {
    Waiver {
        id: id.to_owned(),
        purl: "pkg:npm/x".to_owned(),
        requested_by: by.to_owned(),
        approved_by: vec!["bob".to_owned()],
        principals: vec!["ann".to_owned()],
        reason: "ann needs it, see channel #annual".to_owned(),
        ..Waiver::default()
    }
}

/// Every table that may name a person does, and then none.
fn mentions(c: &dyn Catalogue) {
    c.person_or_insert(&person("ann", 1)).unwrap();
    let event = |actor: &str| WaiverEvent {
        at: at(1),
        actor: actor.to_owned(),
        what: "requested".to_owned(),
        note: Some("said ann".to_owned()),
    };
    assert!(c.put_waiver(&waiver("W-1", "ann"), &event("ann")).unwrap());
    assert!(c.put_waiver(&waiver("W-2", "carol"), &event("carol")).unwrap());
    let epoch = c.waiver_epoch().unwrap();
    let block = NewLocalBlock {
        purl: "pkg:npm/x".to_owned(),
        sha256: None,
        reason: "ann told us".to_owned(),
        actor: "ann".to_owned(),
        at: at(1),
    };
    c.put_local_block(&block).unwrap();
    c.withdraw_local_block(1, at(2), "ann").unwrap();
    let alarm = NewAlarm {
        kind: "k".to_owned(),
        subject: "s".to_owned(),
        message: "m".to_owned(),
        json: "{}".to_owned(),
        at: at(1),
    };
    c.raise_alarm(&alarm).unwrap();
    c.acknowledge_alarm(1, at(2), "ann").unwrap();
    let named = "{\"reasons\":[{\"message\":\"it is ann\",\"because\":{\"facts\":[{\"path\":\"principal.id\",\"value\":\"ann\"}]}}]}";
    let decision = DecisionRecord {
        id: DecisionId::from_random([1; 10]),
        at: at(1),
        purl: "pkg:npm/x@1".to_owned(),
        file: Some("x".to_owned()),
        sha256: None,
        repository: "npm".to_owned(),
        action: Action::Block,
        served: false,
        seek: 0,
        json: named.to_owned(),
    };
    c.put_decision(&decision).unwrap();

    let forgotten = c.forget_person("ann", &pseudonym(99)).unwrap().unwrap();
    let new = forgotten.stand_in();
    assert_eq!((new.as_str(), forgotten.pseudonym), ("forgotten-0101010101010101", pseudonym(1)));
    assert_eq!(
        forgotten.mentions, 10,
        "two waivers, an event and two notes, a block three times, an alarm, a decision"
    );
    let first = c.waiver("W-1").unwrap().unwrap();
    assert_eq!((&first.waiver.requested_by, &first.waiver.principals), (&new, &vec![new.clone()]));
    assert_eq!(first.waiver.approved_by, ["bob"]);
    assert_eq!(first.waiver.reason, format!("{new} needs it, see channel #annual"));
    assert_eq!(
        (&first.history[0].actor, first.history[0].note.as_deref()),
        (&new, Some(&*format!("said {new}")))
    );
    assert_eq!(c.waiver("W-2").unwrap().unwrap().waiver.requested_by, "carol");
    assert!(c.waiver_epoch().unwrap() > epoch, "waivers name other people now");
    let block = c.local_blocks(true).unwrap().remove(0);
    assert_eq!((&block.block.actor, &block.withdrawn.unwrap().1), (&new, &new));
    assert_eq!(block.block.reason, format!("{new} told us"));
    assert_eq!(c.alarms(true, Page::first(9)).unwrap()[0].acknowledged.as_ref().unwrap().1, new);
    let kept = c.decision(decision.id).unwrap().unwrap().json;
    assert!(kept.contains(&new) && !kept.contains("ann"), "{kept}");

    // Somebody who asked for a waiver and never took anything.
    let carol = c.forget_person("carol", &pseudonym(88)).unwrap().unwrap();
    assert_eq!((carol.pseudonym, carol.contexts, carol.mentions), (pseudonym(88), 0, 2));
    assert!(c.forget_person("carol", &pseudonym(77)).unwrap().is_none());
    assert!(c.scrub().unwrap());
}

fn seen(c: &dyn Catalogue) {
    let ann = c.person_or_insert(&person("ann", 1)).unwrap();
    assert_eq!((ann.created_at, ann.seen_at), (at(0), at(0)));
    c.note_person_seen("ann", at(50)).unwrap();
    c.note_person_seen("ann", at(40)).unwrap();
    c.note_person_seen("nobody", at(40)).unwrap();
    assert_eq!(c.person("ann").unwrap().unwrap().seen_at, at(50));
}
