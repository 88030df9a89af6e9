//! For whom a run speaks: the person, the machine and, in CI, the build run, as the environment says them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// What a run's token is minted for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunIdentity {
    /// The user, or the account that started the build.
    pub person: String,
    /// `human` or `ci`.
    pub kind: &'static str,
    /// The machine.
    pub host: String,
    /// The build run, or this very run.
    pub run: String,
}

/// A run's token ends by itself after a day: the longest build.
const TOKEN_SECONDS: u32 = 86_400;
/// The longest name that is sent, in bytes.
const MAX_NAME_BYTES: usize = 200;

/// A CI system: the variable that says that a build runs, those that name the run, and those that name the person.
struct System {
    name: &'static str,
    mark: &'static str,
    run: &'static [&'static str],
    person: &'static [&'static str],
}

/// The systems whose runs are named after their own numbers. Each line is the system's documented variables.
const SYSTEMS: [System; 9] = [
    System {
        name: "github",
        mark: "GITHUB_ACTIONS",
        run: &["GITHUB_REPOSITORY", "GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_JOB"],
        person: &["GITHUB_ACTOR"],
    },
    System {
        name: "gitlab",
        mark: "GITLAB_CI",
        run: &["CI_PROJECT_PATH", "CI_PIPELINE_ID", "CI_JOB_ID"],
        person: &["GITLAB_USER_LOGIN"],
    },
    System {
        name: "jenkins",
        mark: "JENKINS_URL",
        run: &["JOB_NAME", "BUILD_NUMBER"],
        person: &["BUILD_USER_ID"],
    },
    System {
        name: "buildkite",
        mark: "BUILDKITE",
        run: &["BUILDKITE_PIPELINE_SLUG", "BUILDKITE_BUILD_NUMBER", "BUILDKITE_JOB_ID"],
        person: &["BUILDKITE_BUILD_CREATOR"],
    },
    System {
        name: "circleci",
        mark: "CIRCLECI",
        run: &["CIRCLE_PROJECT_REPONAME", "CIRCLE_WORKFLOW_ID", "CIRCLE_BUILD_NUM"],
        person: &["CIRCLE_USERNAME"],
    },
    System {
        name: "azure",
        mark: "TF_BUILD",
        run: &["SYSTEM_TEAMPROJECT", "BUILD_BUILDID"],
        person: &["BUILD_REQUESTEDFOR"],
    },
    System {
        name: "bitbucket",
        mark: "BITBUCKET_BUILD_NUMBER",
        run: &["BITBUCKET_REPO_FULL_NAME", "BITBUCKET_BUILD_NUMBER"],
        person: &["BITBUCKET_STEP_TRIGGERER_UUID"],
    },
    System {
        name: "teamcity",
        mark: "TEAMCITY_VERSION",
        run: &["TEAMCITY_PROJECT_NAME", "BUILD_NUMBER"],
        person: &[],
    },
    System {
        name: "drone",
        mark: "DRONE",
        run: &["DRONE_REPO", "DRONE_BUILD_NUMBER"],
        person: &["DRONE_COMMIT_AUTHOR"],
    },
];

impl RunIdentity {
    /// Reads the environment. `host` is the machine's own name; `process` tells runs of one second apart.
    pub fn of(vars: &BTreeMap<String, String>, user_id: u32, host: &str, process: u32, seconds: i64) -> Self {
        let var = |name: &&str| vars.get(*name).map(|value| clean(value)).filter(|value| !value.is_empty());
        let user = ["USER", "LOGNAME"].iter().find_map(var).unwrap_or_else(|| format!("uid-{user_id}"));
        let host =
            Some(clean(host)).filter(|host| !host.is_empty()).unwrap_or_else(|| "localhost".to_owned());
        let ours = format!("{host}/{seconds}-{process}");
        let set =
            |name: &str| vars.get(name).is_some_and(|value| !matches!(value.as_str(), "" | "false" | "0"));
        let found = SYSTEMS.iter().find(|system| set(system.mark));
        let (kind, person, run) = match found {
            Some(system) => {
                let parts: Vec<String> = system.run.iter().filter_map(var).collect();
                let run = if parts.is_empty() { ours } else { parts.join("/") };
                ("ci", system.person.iter().find_map(var).unwrap_or(user), format!("{}:{run}", system.name))
            }
            None if set("CI") => ("ci", user, format!("ci:{ours}")),
            None => ("human", user, ours),
        };
        Self { person, kind, host, run: clean(&run) }
    }

    /// The body that asks for its token.
    pub fn token_request(&self) -> Value {
        json!({
            "person": self.person, "kind": self.kind, "host": self.host, "run": self.run,
            "scope": "read", "expires_in_seconds": TOKEN_SECONDS,
        })
    }
}

/// A value that a door takes as a name: printable, bounded.
fn clean(text: &str) -> String {
    let mut out: String = text.trim().chars().filter(|c| !c.is_control()).collect();
    let end = (0..=out.len().min(MAX_NAME_BYTES)).rev().find(|end| out.is_char_boundary(*end));
    out.truncate(end.unwrap_or(0));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(vars: &[(&str, &str)]) -> RunIdentity {
        let vars = vars.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        RunIdentity::of(&vars, 1000, "box", 7, 100)
    }

    #[test]
    fn a_person_is_named_with_the_machine() {
        let run = of(&[("USER", "ann")]);
        assert_eq!(
            (run.person.as_str(), run.kind, run.host.as_str(), run.run.as_str()),
            ("ann", "human", "box", "box/100-7")
        );
        assert_eq!(of(&[]).person, "uid-1000");
        assert_eq!(of(&[("USER", "ann"), ("CI", "false")]).kind, "human");
    }

    #[test]
    fn a_build_is_named_by_its_system() {
        let run = of(&[
            ("USER", "runner"),
            ("CI", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_REPOSITORY", "a/b"),
            ("GITHUB_RUN_ID", "42"),
            ("GITHUB_ACTOR", "ann"),
        ]);
        assert_eq!((run.person.as_str(), run.kind, run.run.as_str()), ("ann", "ci", "github:a/b/42"));
        let run = of(&[("USER", "runner"), ("CI", "1")]);
        assert_eq!((run.person.as_str(), run.kind, run.run.as_str()), ("runner", "ci", "ci:box/100-7"));
    }

    #[test]
    fn names_are_bounded_and_printable() {
        let long = "é".repeat(300);
        let run = of(&[("USER", long.as_str()), ("GITLAB_CI", "true"), ("CI_JOB_ID", "1\n2")]);
        assert!(run.person.len() <= MAX_NAME_BYTES && run.person.starts_with('é'));
        assert_eq!(run.run, "gitlab:12");
    }
}
