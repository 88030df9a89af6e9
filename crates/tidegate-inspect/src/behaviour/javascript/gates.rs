//! Which conditions hide: what a test asks, by the names that it asks of.

use std::collections::BTreeSet;

use super::super::facts::Gate;

/// Every gate, in the order of its bit.
const GATES: [Gate; 5] = [Gate::Ci, Gate::Time, Gate::Locale, Gate::Machine, Gate::Chance];

const CI: u8 = 1;
const TIME: u8 = 2;
const LOCALE: u8 = 4;
const MACHINE: u8 = 8;
const CHANCE: u8 = 16;

/// Bits as the set that a fact carries.
pub(super) fn set(bits: u8) -> BTreeSet<Gate> {
    GATES.iter().enumerate().filter(|(bit, _)| bits & (1 << bit) != 0).map(|(_, gate)| *gate).collect()
}

/// What a variable of the environment tells.
pub(super) fn of_variable(name: &str) -> u8 {
    match name {
        "CI"
        | "CONTINUOUS_INTEGRATION"
        | "BUILD_ID"
        | "BUILD_NUMBER"
        | "GITHUB_ACTIONS"
        | "GITLAB_CI"
        | "TRAVIS"
        | "CIRCLECI"
        | "JENKINS_URL"
        | "TEAMCITY_VERSION"
        | "TF_BUILD"
        | "BUILDKITE"
        | "APPVEYOR"
        | "DRONE" => CI,
        "LANG" | "LANGUAGE" | "LC_ALL" | "LC_CTYPE" | "TZ" => LOCALE,
        "USER"
        | "USERNAME"
        | "LOGNAME"
        | "COMPUTERNAME"
        | "HOSTNAME"
        | "USERDOMAIN"
        | "PROCESSOR_IDENTIFIER"
        | "NUMBER_OF_PROCESSORS" => MACHINE,
        _ => 0,
    }
}

/// What a name tells.
pub(super) fn of_name(path: &str) -> u8 {
    match path {
        "Date" | "Date.now" | "performance.now" => TIME,
        "Intl"
        | "navigator.language"
        | "navigator.languages"
        | "os.locale"
        | "os-locale"
        | "app.getLocale" => LOCALE,
        "os.hostname"
        | "os.userInfo"
        | "os.cpus"
        | "os.totalmem"
        | "os.freemem"
        | "os.uptime"
        | "os.networkInterfaces"
        | "navigator.hardwareConcurrency"
        | "navigator.webdriver"
        | "navigator.deviceMemory"
        | "username" => MACHINE,
        "Math.random" | "crypto.randomInt" => CHANCE,
        "is-ci" | "ci-info" | "ci-info.isCI" => CI,
        _ => 0,
    }
}

/// What a method tells, whatever it is called on.
pub(super) fn of_method(name: &str) -> u8 {
    match name {
        "getTimezoneOffset" | "resolvedOptions" => LOCALE,
        "getFullYear" | "getMonth" | "getDate" | "getDay" | "getHours" | "getUTCDate" | "getUTCHours" => TIME,
        _ => 0,
    }
}
