//! From the parameters of a request to a question.

use tidegate_store::access_index::{Narrow, Place, Seek, WhoQuery, WhoSubject};
use tidegate_store::catalogue::ContextKind;

use super::super::call::Call;
use super::super::problem::Problem;
use super::super::{decisions, subject};
use super::range::{self, Range};
use super::read_sha256;

/// What is asked.
pub(super) struct Question {
    pub(super) query: WhoQuery,
    /// Versions of a package, to be found among those of which anything was recorded.
    pub(super) range: Option<Range>,
}

/// Reads a question.
pub(super) async fn read(call: &Call) -> Result<Question, Problem> {
    let (subject, range) = what(call)?;
    let after = match call.param("after") {
        None => None,
        Some(text) => Some(read_seek(text).ok_or_else(|| {
            Problem::bad("`after` is no place in a list", "use the `next` of the page before")
        })?),
    };
    let query = WhoQuery {
        subject,
        from: narrow(call).await?,
        since: call.parsed("since")?,
        until: call.parsed("until")?,
        only_taken: !call.flag("all"),
        limit: call.parsed::<u32>("limit")?.unwrap_or(1000),
        after,
    };
    if let (Some(since), Some(until)) = (query.since, query.until)
        && since >= until
    {
        return Err(Problem::bad("`until` is not after `since`", "`since` is included, `until` is not"));
    }
    Ok(Question { query, range })
}

fn what(call: &Call) -> Result<(WhoSubject, Option<Range>), Problem> {
    match (call.param("purl"), call.param("sha256"), call.param("range")) {
        // A server that is no package of an ecosystem has a name of our own kind.
        (Some(purl), None, None) if purl.starts_with(crate::mcp::facts::OWN_NAMES) => {
            Ok((WhoSubject::Package(purl.to_owned()), None))
        }
        (Some(purl), None, range) => {
            let (purl, range) = match (range::split(purl), range) {
                ((purl, Some(_)), Some(_)) => {
                    return Err(Problem::bad(
                        format!("`{}` has a range, and there is another", purl.escape_debug()),
                        "give one of them",
                    ));
                }
                ((purl, written), given) => (purl, written.or(given)),
            };
            let text = decisions::canonical(purl)?;
            let read = subject::read_purl(purl)?;
            match (range, read.version) {
                (None, Some(_)) => Ok((WhoSubject::Purl(text), None)),
                (None, None) => Ok((WhoSubject::Package(text), None)),
                (Some(range), None) => {
                    let range = Range::parse(&read.name, range)?;
                    Ok((WhoSubject::Package(text), Some(range)))
                }
                (Some(_), Some(_)) => Err(Problem::bad(
                    format!("`{}` names one version, and a range is given", purl.escape_debug()),
                    "leave the version out",
                )),
            }
        }
        (None, Some(digest), None) => Ok((WhoSubject::Sha256(read_sha256(digest)?), None)),
        (None, None, None) => Ok((WhoSubject::Everything, None)),
        (Some(_), Some(_), _) => Err(Problem::bad("more than one of purl and sha256 is given", "give one")),
        (None, _, Some(_)) => {
            Err(Problem::bad("a range is given without a package", "give `purl` without a version as well"))
        }
    }
}

/// Who, and from where. A name that nobody has is refused: an empty answer would read as innocence.
async fn narrow(call: &Call) -> Result<Narrow, Problem> {
    let mut from = Narrow::default();
    if let Some(person) = call.param("person") {
        let name = person.to_owned();
        let found = call.door.catalogue(move |c| c.person(&name)).await?;
        let found = found.ok_or_else(|| unknown("nobody is known as", person))?;
        from.actor = Some(found.pseudonym);
    }
    if let Some(run) = call.param("run") {
        let found = places(call, ContextKind::Credential, run, "no run or token is known as").await?;
        from.credentials = Some(found.into_iter().map(|place| place.commitment).collect());
    }
    if let Some(host) = call.param("host") {
        from.hosts = Some(places(call, ContextKind::Host, host, "no host is known as").await?);
    }
    if let Some(address) = call.param("address") {
        let read: std::net::IpAddr = address
            .parse()
            .map_err(|_| Problem::bad(format!("`{}` is no IP address", address.escape_debug()), ""))?;
        let text = read.to_string();
        from.addresses = Some(places(call, ContextKind::Address, &text, "nobody came from").await?);
    }
    if let Some(repository) = call.param("repository") {
        if !call.door.repositories.contains_key(repository) {
            let known: Vec<_> = call.door.repositories.keys().cloned().collect();
            return Err(Problem::not_found(
                format!("there is no repository `{}`", repository.escape_debug()),
                format!("there are: {}", known.join(", ")),
            ));
        }
        from.repository = Some(repository.to_owned());
    }
    Ok(from)
}

async fn places(call: &Call, kind: ContextKind, value: &str, told: &str) -> Result<Vec<Place>, Problem> {
    let wanted = value.to_owned();
    let found = call.door.catalogue(move |c| c.contexts_of_value(kind, &wanted)).await?;
    if found.is_empty() {
        return Err(unknown(told, value));
    }
    Ok(found.into_iter().map(|one| Place { person: one.pseudonym, commitment: one.commitment }).collect())
}

fn unknown(told: &str, name: &str) -> Problem {
    let shown: String = name.chars().take(200).collect();
    Problem::not_found(
        format!("{told} `{}`", shown.escape_debug()),
        "what was forgotten is not known any more; `tidegate who` shows names as they are known",
    )
}

fn read_seek(text: &str) -> Option<Seek> {
    let (at, record) = text.split_once('_')?;
    Some(Seek { at: at.parse().ok()?, record: record.parse().ok()? })
}
