//! Files that are wrong, each in one way: what is said of them names the file, the line and a remedy, in a few lines.

use tidegate_testkit::process::{Home, Program};

use crate::clients_support::TIDEGATE;

/// A wrong file: its text, the line that is wrong, and words that the message must hold (the last one from its remedy).
struct Wrong {
    text: &'static str,
    line: usize,
    says: &'static [&'static str],
}

const fn wrong(text: &'static str, line: usize, says: &'static [&'static str]) -> Wrong {
    Wrong { text, line, says }
}

const TEMPLATE: &str = "tidegate config template";

#[rustfmt::skip]
const CONFIGURATIONS: [Wrong; 37] = [
    wrong("[server\nlisten = 1\n", 1, &[TEMPLATE]),
    wrong("[server]\nlisten = \"127.0.0.1\"\n", 2, &["socket address", TEMPLATE]),
    wrong("[server]\nlisten = \"127.0.0.1:1\"\nport = 3\n", 3, &["port", TEMPLATE]),
    wrong("\n[sever]\n", 2, &["sever", TEMPLATE]),
    wrong("[server]\nmax_connections = \"many\"\n", 2, &["string", TEMPLATE]),
    wrong("[server]\nidle_seconds = -1\n", 2, &["-1", TEMPLATE]),
    wrong("[server]\nrequire_token = yes\n", 2, &[TEMPLATE]),
    wrong("[server]\nlisten = \"127.0.0.1:1\"\nlisten = \"127.0.0.1:2\"\n", 3, &["duplicate", TEMPLATE]),
    wrong("[[intel.feed]]\nname = \"x\"\nkind = \"osv\"\n", 1, &["no one address", "`url`"]),
    wrong("[server]\ntls_key = \"k.pem\"\n", 2, &["tls_certificate is not", "set both"]),
    wrong("[server]\n\ntls_certificate = \"c.pem\"\n", 3, &["tls_key is not", "set both"]),
    wrong("[server]\npublic_url = \"tidegate.example\"\n", 2, &["relative URL", TEMPLATE]),
    wrong("[server]\npublic_url = \"ftp://tidegate.example/\"\n", 2, &["neither http nor https", "https://"]),
    wrong("[server]\nmax_connections = 0\n", 2, &["max_connections is 0", "leave it out"]),
    wrong("[policy]\npack = \"stricter\"\n", 2, &["no pack `stricter`", "baseline, strict, observe"]),
    wrong("[cache]\n# a small disk\ndisk_gib = 0\n", 3, &["disk_gib is 0", "leave it out"]),
    wrong("[cache]\nfresh_seconds = 1.5\n", 2, &["floating point", TEMPLATE]),
    wrong("[ledger]\nmode = \"fast\"\n", 2, &["durable", TEMPLATE]),
    wrong("[upstream]\nproxy = \"socks5://proxy.example/\"\n", 2, &["neither `environment`", "http://"]),
    wrong("[upstream]\nno_proxy = [\"x.test\"]\n", 2, &["no proxy is named", "NO_PROXY"]),
    wrong("[events.webhook.a]\nurl = \"https://h.example/\"\n", 1, &["no secret", "secret_env or secret_file"]),
    wrong("[events.webhook.a]\nurl = \"https://h.example/\"\nsecret_env = \"A\"\nsecret_file = \"a\"\n", 4, &["both secret_env", "leave one out"]),
    wrong("[events.webhook.a]\nurl = \"file:///dev/null\"\nsecret_env = \"A\"\n", 2, &["http and https", "https://"]),
    wrong("[events.webhook.a]\nurl = \"https://u:p@h.example/\"\nsecret_env = \"A\"\n", 2, &["holds credentials", "signed"]),
    wrong("[events.webhook.a]\nurl = \"https://h.example/\"\nsecret_env = \"A\"\nsecret = \"x\"\n", 4, &["secret", TEMPLATE]),
    wrong("[events.file.a]\npath = \"a\"\ntypes = [\"artifact\"]\n", 3, &["no event of type `artifact`", "artifact.*"]),
    wrong("[events.file.a]\npath = \"a\"\nmax_mib = 0\n", 3, &["max_mib is 0", "leave it out"]),
    wrong("[events.file.A]\npath = \"a\"\n", 1, &["cannot name an event sink", "lower-case"]),
    wrong("[events.webhook.a]\nurl = \"https://h.example/\"\nsecret_env = \"A\"\n\n[events.file.a]\npath = \"a\"\n", 5, &["two event sinks", "its own name"]),
    wrong("[log]\nformat = \"xml\"\n", 2, &["text", TEMPLATE]),
    wrong("[log]\nfilter = \"info,=,\"\n", 2, &["is no filter", "write a level"]),
    wrong("[repository.api]\necosystem = \"npm\"\n", 1, &["cannot name a repository", "lower-case"]),
    wrong("[repository.npm]\ncosign_keys = [\"a.pem\"]\n", 2, &["only images are signed", "remove the line"]),
    wrong("[repository.mine]\nprivate = []\n", 1, &["ecosystem is not said", "add ecosystem"]),
    wrong("[[repository.npm.upstream]]\nurl = \"https://a.example/\"\n\n[[repository.npm.upstream]]\nurl = \"https://u:p@b.example/\"\n", 5, &["holds credentials", "basic_env"]),
    wrong("[[repository.npm.upstream]]\nurl = \"file:///srv\"\n", 2, &["neither http nor https", "https://"]),
    wrong("[[repository.npm.upstream]]\nname = \"x\"\n", 1, &["url", TEMPLATE]),
];

#[rustfmt::skip]
const POLICIES: [Wrong; 16] = [
    wrong("id = 1\n", 1, &["id"]),
    wrong("[policy]\nversion = \"1\"\n", 1, &["no `id`", "give it one"]),
    wrong("[policy]\nid = \"x\"\nversion = \"1\"\nextends = \"base\"\n", 4, &["base", "baseline"]),
    wrong("[policy]\nid = \"x\"\nversion = \"1\"\n[[rule]]\nid = \"r\"\naction = \"blok\"\nwhen.\"artifact.name\" = \"y\"\n", 6, &["blok", "write one of"]),
    wrong("[policy]\nid = \"x\"\nversion = \"1\"\n[[rule]]\nid = \"r\"\naction = \"block\"\nseverity = 3\nwhen.\"artifact.name\" = \"y\"\n", 7, &["severity"]),
    wrong("[policy]\nid = \"x\"\nversion = \"1\"\n[[rule]]\nid = \"r\"\naction = \"block\"\n", 4, &["when"]),
    wrong("[policy]\nid = \"x\"\nversion = \"1\"\n[[rule]]\nid = \"r\"\naction = \"block\"\nwhen.\"artifact.nam\" = \"y\"\n", 7, &["artifact.nam", "artifact.name"]),
    wrong("[policy]\nid = \"x\"\nversion = \"1\"\n[[rule]]\nid = \"r\"\naction = \"block\"\nwhen.\"artifact.published_at\" = { age_lt = \"soon\" }\n", 7, &["soon"]),
    wrong("[policy]\nid = \"x\"\nversion = \"1\"\n[[rule]]\nid = \"r\"\naction = \"block\"\nwhen.\"artifact.name\" = { like = \"y\" }\n", 7, &["like", "did you mean"]),
    wrong("[policy]\nid = \"x\"\nversion = \"1\"\n[[rule]]\nid = \"r\"\naction = \"block\"\nwhen.\"artifact.name\" = { lt = 3 }\n", 7, &["lt"]),
    wrong("[policy]\nid = \"x\"\nversion = \"1\"\n[[rule]]\nid = \"r\"\naction = \"block\"\nwhen.\"artifact.version\" = { version = \"><1\" }\n", 7, &["><1"]),
    wrong("[policy]\nid = \"x\"\nversion = \"1\"\n[[rule]]\nid = \"r\"\naction = \"block\"\nmessage = \"at {whenever}\"\nwhen.\"artifact.name\" = \"y\"\n", 7, &["whenever"]),
    wrong("[policy]\nid = \"x\"\nversion = \"1\"\n[[rule]]\nid = \"r\"\naction = \"block\"\nwhen.\"artifact.name\" = \"y\"\n[[rule]]\nid = \"r\"\naction = \"warn\"\nwhen.\"artifact.name\" = \"z\"\n", 8, &["`r`", "its own id"]),
    wrong("[policy]\nid = \"x\"\nversion = \"1\"\nextends = \"baseline\"\n[[rule]]\nid = \"cooldown\"\nparams.day = 5\n", 7, &["day"]),
    wrong("[policy]\nid = \"x\"\nversion = \"1\"\napprovers = \"two\"\n", 4, &["approvers"]),
    wrong("[policy]\nid = \"x\nversion = \"1\"\n", 2, &["string"]),
];

/// Whether no other line of the file is complained about: one mistake is told once.
fn once(said: &str, line: usize) -> bool {
    let places = said.lines().filter_map(|told| {
        let told = told.trim_start_matches("tidegate: ");
        let (_, place) = told.split_once(".toml:")?;
        place.trim_start_matches(" line ").split(':').next()?.parse::<usize>().ok()
    });
    places.filter(|place| *place != line).count() == 0
}

/// Runs a command on each file and holds what is said to the promise.
#[track_caller]
fn hold(commands: &[&[&str]], files: &[Wrong]) {
    let home = Home::new();
    let mut broken = Vec::new();
    for (n, file) in files.iter().enumerate() {
        let name = format!("wrong-{n}.toml");
        std::fs::write(home.path().join(&name), file.text).unwrap();
        for command in commands {
            let done = Program::new(TIDEGATE, &home).args(*command).arg(&name).run();
            let said = done.output();
            // `file: line 3` as the configuration says it, `file:3` as the policy does.
            let place = [format!("{name}: line {}", file.line), format!("{name}:{}:", file.line)];
            let kept = done.code() == Some(1)
                && said.lines().count() <= 6
                // What to do stands on a line of its own, or behind the mistake.
                && (said.contains("\n  ") || said.contains("; "))
                && !said.contains("panicked")
                && place.iter().any(|place| said.contains(place))
                && once(&said, file.line)
                && file.says.iter().all(|words| said.contains(words));
            if !kept {
                broken.push(format!(
                    "{command:?} ended with {:?} on\n{}expected line {} and {:?}, said:\n{said}",
                    done.code(),
                    file.text,
                    file.line,
                    file.says
                ));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
}

#[test]
fn a_wrong_configuration_is_told_with_file_line_and_remedy() {
    hold(
        &[
            &["config", "check"],
            &["config", "show"],
            &["up", "--listen", "127.0.0.1:0", "--idle-exit", "1", "--config"],
        ],
        &CONFIGURATIONS,
    );
}

#[test]
fn a_wrong_policy_is_told_with_file_line_and_remedy() {
    hold(&[&["policy", "lint"], &["policy", "show"]], &POLICIES);
}
