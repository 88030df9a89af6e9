//! The life of an ask for a list of all packages: the list, decisions on every version in it, one page without what may not be
//! selected.
//!
//! Decisions are made on the whole list at once and kept until anything they read changes; pages are cut from them. So a cursor
//! stays good, and no page can show what another withholds.

use std::sync::Arc;

use sha2::Digest as _;
use tidegate_ecosystems::catalogue::{Listed, Query};
use tidegate_ecosystems::{Links, Verdict, View};
use tidegate_ledger::entry::{View as ViewEntry, Withheld};
use tidegate_ledger::{Body, EntryDraft, RecordError};
use tidegate_model::decision::Decision;
use tidegate_model::denial::DenialKind;
use tidegate_model::{Sha256, Timestamp};

use super::catalogue::{self, Catalogued};
use super::decide::{Ruleset, verdicts};
use super::index_ask::{Source, serve};
use super::package::Package;
use super::views::{self, Encodings, RenderedView, Shown, ViewKey};
use super::{Answered, PackageRequest, Told, denials, parts, refuse};
use crate::door::{Door, Repository, TENANT};

/// Names the decisions on a list: repository and class of principal.
pub type ListKey = (Arc<str>, u64);

/// The most withheld versions that one entry of the ledger lists.
const MAX_LISTED: usize = 100;
/// How often a list is decided on anew because what it was decided with changed meanwhile.
const MAX_DECISIONS: usize = 4;

/// Decisions on everything in a list.
#[derive(Debug)]
pub struct DecidedList {
    /// In the order of the list.
    servers: Vec<DecidedPackage>,
    /// Digest of the list.
    document: Sha256,
    /// Under which rules.
    epoch: u64,
    /// With what was known of its packages here.
    local_epoch: u64,
    /// The first moment at which one of them can change.
    valid_until: Option<Timestamp>,
    /// How many versions are withheld.
    withheld: usize,
}

#[derive(Debug)]
struct DecidedPackage {
    package: Arc<Package>,
    verdicts: Vec<Verdict>,
    listed: Vec<Listed>,
}

impl DecidedList {
    fn stands(&self, list: &Catalogued, epoch: u64, now: Timestamp) -> bool {
        self.epoch == epoch
            && self.document == list.document
            && self.valid_until.is_none_or(|until| now < until)
            && self.local_epoch == list.local_epoch()
    }
}

pub(super) async fn answer(
    door: &Arc<Door>,
    request: &PackageRequest,
    form: &'static str,
    query: &Query,
) -> Result<Answered, RecordError> {
    let repository = &request.repository;
    let loaded = match catalogue::load(door, repository).await {
        Ok(loaded) => loaded,
        Err(error) => {
            let denial = denials::of_load_error("the list", &error);
            return refuse(door, request, &Told::new("index"), &denial);
        }
    };
    parts::follow(door, repository, &loaded.list).await;
    let decided = match decided(door, request, form, &loaded.list).await {
        Ok(decided) => decided,
        Err(why) => {
            let why = format!("tidegate cannot show the list now: {why}");
            let denial = denials::plain(DenialKind::CannotRecord, why, "");
            return refuse(door, request, &Told::new("index"), &denial);
        }
    };
    let rendered = page(door, request, form, query, &decided).await;
    let source = Source {
        stale: loaded.stale.clone(),
        cold: loaded.cold,
        upstream: repository.upstreams.first().map_or("", |one| one.name.as_str()).into(),
    };
    match &rendered.shown {
        Shown::Document(encodings) => {
            serve(door, request, &source, &rendered, encodings, purl_of(repository)).await
        }
        Shown::Withheld(_) | Shown::Absent(_) | Shown::Unknown(_) => {
            let denial = denials::plain(DenialKind::CannotRecord, "a list is always a document", "");
            refuse(door, request, &Told::new("index"), &denial)
        }
    }
}

/// What entries call a list: no package has this name.
fn purl_of(repository: &Repository) -> Arc<str> {
    format!("pkg:{}", repository.ecosystem).into()
}

/// The decisions on a list, from memory or made now.
async fn decided(
    door: &Arc<Door>,
    request: &PackageRequest,
    form: &'static str,
    list: &Arc<Catalogued>,
) -> Result<Arc<DecidedList>, String> {
    for _ in 0..MAX_DECISIONS {
        let rules = door.rules();
        let key = (Arc::clone(&request.repository.name), door.class_of(&rules, &request.identity));
        let kept = door.caches.decided_lists.get(&key);
        if let Some(kept) = kept.filter(|kept| kept.stands(list, rules.epoch, door.clock.now())) {
            return Ok(kept);
        }
        let (door2, request2, list2, rules2) =
            (Arc::clone(door), request.clone(), Arc::clone(list), Arc::clone(&rules));
        let made = door.heavy(move || decide(&door2, &request2, form, &list2, &rules2)).await?;
        let made = Arc::new(made);
        door.caches.decided_lists.insert(key, Arc::clone(&made));
        // A large list takes a while, and what came into force meanwhile counts.
        if door.rules().epoch == rules.epoch {
            return Ok(made);
        }
    }
    Err("rules change faster than they can be applied".to_owned())
}

/// Decides on every version of every package in a list. Blocks.
fn decide(
    door: &Door,
    request: &PackageRequest,
    form: &'static str,
    list: &Catalogued,
    rules: &Ruleset,
) -> Result<DecidedList, String> {
    let now = door.clock.now();
    let local_epoch = list.local_epoch();
    let (mut servers, mut valid_until) = (Vec::with_capacity(list.packages.len()), None::<Timestamp>);
    let mut entry = Entry::default();
    for package in list.packages.values() {
        let decisions = views::decisions(door, &request.repository, package, rules, &request.identity, now)?;
        valid_until = valid_until.into_iter().chain(decisions.iter().filter_map(|one| one.valid_until)).min();
        let verdicts = verdicts(package, &decisions);
        let listed = package.index.listed(&verdicts);
        entry.add(package, &decisions, &listed);
        servers.push(DecidedPackage { package: Arc::clone(package), verdicts, listed });
    }
    let withheld = entry.total;
    let body = entry.finish(&request.repository, form, list, rules, valid_until);
    let draft = EntryDraft { time: now, tenant: TENANT.into(), body: Body::View(Box::new(body)) };
    door.recorder.append(&draft).map(drop).map_err(|e| e.to_string())?;
    Ok(DecidedList {
        servers,
        document: list.document,
        epoch: rules.epoch,
        local_epoch,
        valid_until,
        withheld,
    })
}

/// What the ledger is told of decisions on a list.
#[derive(Default)]
struct Entry {
    withheld: Vec<Withheld>,
    total: usize,
    releases: u64,
    facts: sha2::Sha256,
    shown: sha2::Sha256,
}

impl Entry {
    fn add(&mut self, package: &Package, decisions: &[Decision], listed: &[Listed]) {
        for one in listed {
            self.shown.update(format!("{}@{} {}\n", package.name, one.version, one.is_gone));
        }
        let files = package.index.files();
        self.releases += files.len() as u64;
        for (file, decision) in files.iter().zip(decisions) {
            self.facts.update(decision.facts_digest.as_bytes());
            if decision.serves() {
                continue;
            }
            self.total += 1;
            if self.withheld.len() < MAX_LISTED {
                self.withheld.push(Withheld {
                    version: format!("{}@{}", package.name, file.version.as_str()).into(),
                    file: Some(file.file.as_str().into()),
                    action: decision.action,
                    rule: decision.leading_reason().map_or("", |reason| reason.rule.as_str()).into(),
                    until: decision.selectable_from,
                });
            }
        }
    }

    fn finish(
        self,
        repository: &Repository,
        form: &'static str,
        list: &Catalogued,
        rules: &Ruleset,
        valid_until: Option<Timestamp>,
    ) -> ViewEntry {
        ViewEntry {
            repository: repository.name.clone(),
            ecosystem: Some(repository.ecosystem),
            purl: purl_of(repository),
            form: form.into(),
            document: list.document,
            view: Sha256::new(self.shown.finalize().into()),
            policy: rules.policy.digest(),
            facts: Sha256::new(self.facts.finalize().into()),
            waivers: rules.waivers.digest(),
            releases: self.releases,
            withheld_omitted: (self.total - self.withheld.len()) as u64,
            withheld: self.withheld,
            valid_until,
        }
    }
}

/// One page, from memory or cut now.
async fn page(
    door: &Arc<Door>,
    request: &PackageRequest,
    form: &'static str,
    query: &Query,
    decided: &Arc<DecidedList>,
) -> Arc<RenderedView> {
    let links = request.links(door);
    let key = ViewKey {
        repository: Arc::clone(&request.repository.name),
        package: "".into(),
        view: View { form, selector: Some(format!("{query:?}")) },
        links: links.clone(),
        class: door.class_of(&door.rules(), &request.identity),
    };
    let is_of = |view: &Arc<RenderedView>| {
        view.document == decided.document
            && view.epoch == decided.epoch
            && view.local_epoch == decided.local_epoch
            && view.valid_until == decided.valid_until
    };
    if let Some(view) = door.caches.views.get(&key).filter(is_of) {
        return view;
    }
    let (request2, query, decided2) = (request.clone(), query.clone(), Arc::clone(decided));
    let body = door.heavy(move || cut(&request2, &query, &decided2, &links)).await;
    let view = Arc::new(RenderedView {
        shown: Shown::Document(Encodings::new("application/json", body)),
        valid_until: decided.valid_until,
        epoch: decided.epoch,
        local_epoch: decided.local_epoch,
        document: decided.document,
        withheld: decided.withheld,
    });
    door.caches.views.insert(key, Arc::clone(&view));
    view
}

/// Cuts one page out of what was decided.
fn cut(request: &PackageRequest, query: &Query, decided: &DecidedList, links: &Links) -> Vec<u8> {
    let (mut entries, mut last, mut next) = (Vec::new(), None, None);
    'all: for server in &decided.servers {
        let name = server.package.name.as_str();
        if !query.takes(name) {
            continue;
        }
        let mut listed = server.listed.iter();
        if let Some((_, version)) = query.after.as_ref().filter(|(after, _)| after == name) {
            skip_to(&mut listed, version);
        }
        for one in listed.filter(|one| query.takes_entry(one)) {
            if entries.len() == query.limit {
                next = last;
                break 'all;
            }
            if let Some(entry) = server.package.index.entry(one, &server.verdicts, links) {
                entries.push(entry);
                last = Some(format!("{name}:{}", one.version));
            }
        }
    }
    let catalogue = request.repository.protocol.catalogue();
    catalogue.map_or_else(Vec::new, |catalogue| catalogue.page(entries, next.as_deref()))
}

/// Goes on behind a version. Where upstream took that one away meanwhile the package is passed over: what stood before it was
/// shown already.
fn skip_to<'a>(listed: &mut impl Iterator<Item = &'a Listed>, version: &str) {
    for one in listed.by_ref() {
        if one.version == version {
            break;
        }
    }
}
