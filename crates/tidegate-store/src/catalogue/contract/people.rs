//! Tokens and the private table.

use tidegate_ledger::pseudonym::{Commitment, PersonKey, Pseudonym, Salt};
use tidegate_model::{Principal, PrincipalKind};

use super::super::{Catalogue, ContextKind, NewContext, NewPerson, Scope, Token, TokenHash};
use super::{Check, at};

pub(super) const CHECKS: &[Check] = &[
    ("tokens are found by digest and end", tokens),
    ("a person keeps the first key", people),
    ("a value keeps the first salt", contexts),
    ("a forgotten person is nobody", forgetting),
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
    assert!(c.context(&pseudonym(2), ContextKind::Host, "192.0.2.1").unwrap().is_none());
    assert!(c.context_or_insert(&context(9, ContextKind::Host, "x", 5)).is_err());
}

fn forgetting(c: &dyn Catalogue) {
    for (principal, n) in [("ann", 1), ("bob", 2)] {
        c.person_or_insert(&person(principal, n)).unwrap();
        c.context_or_insert(&context(n, ContextKind::Client, "npm/11", n)).unwrap();
    }
    c.put_token(&token(1)).unwrap();
    let forgotten = c.forget_person("ann").unwrap().unwrap();
    assert_eq!((forgotten.pseudonym, forgotten.contexts, forgotten.tokens), (pseudonym(1), 1, 1));
    assert!(c.forget_person("ann").unwrap().is_none());
    assert!(c.person("ann").unwrap().is_none() && c.person_by_pseudonym(&pseudonym(1)).unwrap().is_none());
    assert!(c.context_by_commitment(&Commitment::new([1; 32])).unwrap().is_none());
    assert!(c.token(&token(1).hash).unwrap().is_none());
    assert!(c.person_by_pseudonym(&pseudonym(2)).unwrap().is_some());
    assert!(c.context_by_commitment(&Commitment::new([2; 32])).unwrap().is_some());
    let back = c.person_or_insert(&person("ann", 9)).unwrap();
    assert_eq!(back.pseudonym, pseudonym(9), "somebody new, to the ledger");
}
