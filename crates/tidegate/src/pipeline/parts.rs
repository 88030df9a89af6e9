//! What a package is made of: packages of other ecosystems, each decided on by itself, whose decisions count for the whole.
//!
//! An approval that covers a listing and not what it starts is worth little: the package behind a listing may be withdrawn a
//! year later. So each part is decided on whenever the whole is, with what is known of it then: its index, its advisories, and
//! what was found in its files. Where its index is not known here, name and version alone still meet every advisory.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tidegate_model::decision::{Because, Decision, Reason, Truth};
use tidegate_model::facts::{
    ArtifactFacts, FactState, Facts, Group, McpFacts, PartFacts, PrincipalFacts, RepositoryFacts,
    RequestFacts,
};
use tidegate_model::{Action, ArtifactKind, Coordinate, PackageName, Timestamp};
use tidegate_policy::decide;
use tidegate_store::catalogue::LocalBlock;

use super::catalogue::Catalogued;
use super::decide::{Ruleset, decide_file, past_tense};
use super::documents;
use super::facts::{LocalState, Question};
use super::package::Package;
use crate::door::{Door, Repository};
use crate::intel::facts::KnownVersions;

/// The id of the rule that holds a whole to its parts. A waiver of it would be one of every reason there will ever be: waive
/// the rule that refuses the part.
pub const PART_RULE: &str = "tidegate/part";

/// Packages that one package is made of and that are looked at, over all of its versions.
const MAX_PARTS: usize = 64;
/// Packages of one list whose parts are followed before anybody asks for them.
const MAX_FOLLOWED: usize = 2_000;
/// How many of them are asked for at a time.
const AT_A_TIME: usize = 4;
/// How long one answer waits for what its parts' own registries say; what is not known then is decided on by its name.
const PATIENCE: Duration = Duration::from_secs(8);

/// A part that is known here.
#[derive(Clone, Debug)]
pub struct Part {
    /// The repository that it comes through.
    pub repository: Arc<Repository>,
    /// The package.
    pub package: Arc<Package>,
}

/// Parts of a package by name.
pub type Parts = BTreeMap<PackageName, Part>;

/// The names of what a package is made of, over all of its versions.
fn names(package: &Package) -> BTreeSet<PackageName> {
    let index = &package.index;
    let all = (0..index.files().len()).flat_map(|at| index.parts(at)).map(|part| part.name.clone());
    all.collect::<BTreeSet<_>>().into_iter().take(MAX_PARTS).collect()
}

/// The repository of this door that a part comes through.
fn repository_of<'a>(door: &'a Door, name: &PackageName) -> Option<&'a Arc<Repository>> {
    door.repositories.get(name.ecosystem().as_str()).filter(|one| one.ecosystem == name.ecosystem())
}

/// Sees to it that the parts of a package are known as well as they can be now.
pub async fn gather(door: &Arc<Door>, package: &Arc<Package>) {
    let wanted = names(package);
    if wanted.is_empty() {
        return;
    }
    let (door2, package2) = (Arc::clone(door), Arc::clone(package));
    door.blocking(move || {
        let positions = 0..package2.index.files().len();
        door2.learn_edges(&package2, positions, None, door2.clock.now());
    })
    .await;
    let asked = async {
        let mut found = Parts::new();
        for name in wanted {
            let Some(repository) = repository_of(door, &name) else { continue };
            match documents::load_plain(door, repository, &name).await {
                Ok(loaded) => {
                    let part = Part { repository: Arc::clone(repository), package: loaded.package };
                    found.insert(name, part);
                }
                Err(error) => {
                    tracing::debug!(error = %error, "{} is decided on by its name: {error}", name);
                }
            }
        }
        found
    };
    // What was known before stays known where its registry does not answer.
    if let Ok(found) = tokio::time::timeout(PATIENCE, asked).await {
        package.learn(found);
    }
}

/// Sees to it that the parts of everything in a list are known, once for all who ask for it. Whoever asks waits a while; the
/// work goes on behind.
pub async fn follow(door: &Arc<Door>, repository: &Arc<Repository>, list: &Arc<Catalogued>) {
    let now = door.clock.now().unix_millis();
    let fresh = i64::try_from(door.config.cache.fresh_seconds).unwrap_or(i64::MAX / 1000) * 1000;
    let last = list.followed_at.load(Ordering::Acquire);
    if last != 0 && now - last < fresh {
        return;
    }
    let (door2, list) = (Arc::clone(door), Arc::clone(list));
    let flight = door.flights.parts.run((Arc::clone(&repository.name), list.document), move || async move {
        follow_now(&door2, &list).await;
        list.followed_at.store(door2.clock.now().unix_millis(), Ordering::Release);
    });
    // The first answer waits; later ones show what was known and do not.
    let patience = if last == 0 { PATIENCE } else { Duration::ZERO };
    let _ = tokio::time::timeout(patience, flight).await;
}

async fn follow_now(door: &Arc<Door>, list: &Arc<Catalogued>) {
    let mut waiting = list.packages.values().filter(|one| !names(one).is_empty()).take(MAX_FOLLOWED);
    let mut running = tokio::task::JoinSet::new();
    loop {
        while running.len() < AT_A_TIME
            && let Some(package) = waiting.next()
        {
            let (door, package) = (Arc::clone(door), Arc::clone(package));
            running.spawn(async move { gather(&door, &package).await });
        }
        if running.join_next().await.is_none() || door.draining.load(Ordering::Acquire) {
            break;
        }
    }
}

/// What this door did with each part before. Blocks.
///
/// # Errors
/// The catalogue's.
pub fn locals(
    door: &Door,
    package: &Package,
) -> Result<HashMap<PackageName, (Part, LocalState)>, tidegate_store::catalogue::CatalogueError> {
    let mut locals = HashMap::new();
    for (name, part) in &*package.parts() {
        locals.insert(name.clone(), (part.clone(), LocalState::read(door, &part.package)?));
    }
    Ok(locals)
}

/// What was decided on a part.
#[derive(Clone, Debug)]
pub struct PartDecided {
    /// For the facts of the whole.
    pub facts: PartFacts,
    /// The first moment at which it can change.
    pub valid_until: Option<Timestamp>,
}

/// Decides on what the version of a file is made of.
pub fn decide_all(rules: &Ruleset, question: &Question<'_>, now: Timestamp) -> Vec<PartDecided> {
    let parts = question.package.index.parts(question.position);
    parts
        .iter()
        .map(|part| {
            let coordinate = Coordinate { name: part.name.clone(), version: part.version.clone() };
            let purl = coordinate.purl();
            match question.local.parts.get(&part.name) {
                Some((known, local)) => {
                    let files = known.package.index.files().iter().enumerate();
                    let of_it = files.filter(|(_, file)| file.version == part.version).map(|(at, _)| at);
                    let own = |position| Question {
                        repository: &known.repository,
                        package: &known.package,
                        position,
                        local,
                        operation: "index",
                        bytes: None,
                        ..*question
                    };
                    // A version of which one file is refused is refused: which of them a client takes, nobody knows here.
                    let decided = of_it.map(|at| decide_file(rules, &own(at), now));
                    match decided.max_by_key(|decision| (!decision.serves(), decision.action)) {
                        Some(decision) => told(purl, FactState::Known, &decision),
                        None => {
                            told(purl, FactState::NotOffered, &by_name(rules, question, &coordinate, now))
                        }
                    }
                }
                None => told(purl, FactState::Pending, &by_name(rules, question, &coordinate, now)),
            }
        })
        .collect()
}

fn told(purl: String, state: FactState, decision: &Decision) -> PartDecided {
    let leading = decision.leading_reason().filter(|_| decision.action > Action::Allow);
    PartDecided {
        facts: PartFacts {
            purl,
            state,
            action: decision.action,
            withheld: !decision.serves(),
            rule: leading.map(|reason| reason.rule.clone()),
            message: leading.map(|reason| reason.message.clone()),
            until: decision.selectable_from,
        },
        valid_until: decision.valid_until,
    }
}

/// Decides on a package by its name and version, where nothing else is known of it: advisories and blocks by hand.
fn by_name(rules: &Ruleset, question: &Question<'_>, coordinate: &Coordinate, now: Timestamp) -> Decision {
    let known = KnownVersions::new(question.advisories, &coordinate.name, now);
    let known = known.of(coordinate.version.as_str());
    let purl = coordinate.purl();
    let package = tidegate_model::coordinate::package_purl(&coordinate.name);
    let blocked: Vec<String> = question
        .blocks
        .iter()
        .filter(|block| block.block.sha256.is_none() && [&purl, &package].contains(&&block.block.purl))
        .map(LocalBlock::id)
        .collect();
    let why = "its index is not known here yet";
    let facts = Facts {
        artifact: ArtifactFacts {
            kind: Some(ArtifactKind::Package),
            ecosystem: Some(coordinate.name.ecosystem()),
            name: coordinate.name.as_str().to_owned(),
            version: coordinate.version.as_str().to_owned(),
            prerelease: coordinate.version.is_prerelease(),
            purl,
            ..ArtifactFacts::default()
        },
        vulnerabilities: known.0.clone(),
        malware: super::facts::blocked_by_hand(blocked, known.1.clone()),
        contents: Group::gap(FactState::Pending, why),
        licence: Group::gap(FactState::Pending, why),
        provenance: Group::gap(FactState::Pending, why),
        scripts: Group::gap(FactState::Pending, why),
        binary: Group::gap(FactState::Pending, why),
        secrets: Group::gap(FactState::Pending, why),
        model: Group::gap(FactState::NotApplicable, why),
        extension: Group::gap(FactState::NotApplicable, why),
        mcp: Group::gap(FactState::NotApplicable, why),
        publisher: Group::gap(FactState::Pending, why),
        lifecycle: Group::gap(FactState::Pending, why),
        name: Group::gap(FactState::Pending, why),
        principal: PrincipalFacts {
            id: question.principal.id.clone(),
            kind: Some(question.principal.kind),
            groups: question.principal.groups.clone(),
        },
        repository: RepositoryFacts {
            name: coordinate.name.ecosystem().as_str().to_owned(),
            kind: "remote".into(),
            ..RepositoryFacts::default()
        },
        approval: super::facts::approval(
            question.approvals,
            (&coordinate.purl(), &package),
            None,
            coordinate.name.ecosystem().as_str(),
            now,
        ),
        application: Group::gap(FactState::NotApplicable, "the request names no application"),
        request: RequestFacts { operation: "index".into(), client: question.client.map(str::to_owned) },
    };
    decide(&rules.policy, &facts, &rules.waivers, now)
}

/// What a whole is as a server, with what was decided on its parts.
pub fn facts(parts: &[PartDecided]) -> Group<McpFacts> {
    Group::known(McpFacts {
        parts: parts.iter().map(|part| part.facts.clone()).collect(),
        unseen: [
            // Nothing is fetched from where a listing says that its source is.
            ("workspace".to_owned(), FactState::NotOffered),
            ("tools".to_owned(), FactState::NotOffered),
        ]
        .into(),
        ..McpFacts::default()
    })
}

/// Holds a whole to the decisions on its parts.
pub fn hold_to(decision: &mut Decision, parts: &[PartDecided]) {
    // From when time alone makes it selectable; nothing yet where nothing withholds it.
    let mut from = (!decision.serves()).then_some(decision.selectable_from);
    for PartDecided { facts, valid_until } in parts {
        decision.valid_until = decision.valid_until.into_iter().chain(*valid_until).min();
        if !facts.withheld {
            continue;
        }
        let rule = facts.rule.as_deref().unwrap_or("policy");
        let message = facts.message.as_deref().unwrap_or_default();
        decision.reasons.push(Reason {
            rule: PART_RULE.into(),
            truth: Truth::True,
            action: facts.action,
            message: format!("{} is {} by {rule}: {message}", facts.purl, past_tense(facts.action)),
            remediation: Some(format!("it is decided on by itself: `tidegate why {}`", facts.purl)),
            because: Because::default(),
            until: facts.until,
            waivable: false,
        });
        from = Some(match from {
            Some(so_far) => so_far.zip(facts.until).map(|(one, other)| one.max(other)),
            None => facts.until,
        });
        decision.action = decision.action.max(facts.action);
        decision.enforced = true;
    }
    decision.selectable_from = from.unwrap_or(decision.selectable_from);
    // The most restrictive first, as everywhere.
    decision.reasons.sort_by_key(|reason| std::cmp::Reverse(reason.action));
}
