//! Every kind of fact.

use super::{Gate, check, read};

#[test]
fn the_environment() {
    check("const e = JSON.stringify(process.env)", &["env_all:"]);
    check("const e = {...process.env}", &["env_all:"]);
    check("const e = Object.entries(process.env)", &["env_all:"]);
    check("const e = Object.assign({}, process.env)", &["env_all:"]);
    check("for (const k in process.env) x.push(k)", &["env_all:"]);
    check("const {env} = process; JSON.stringify(env)", &["env_all:"]);
    check("JSON.stringify(globalThis['pro'+'cess']['e'+'nv'])", &["env_all:", "env_all: @folded"]);
    check("require('child_process').spawn('x', {env: process.env})", &["!env_all"]);
    check("foo(process.env)", &["!env_all"]);
    check("if (process.env.NODE_ENV === 'production') x()", &["env_read:NODE_ENV"]);
    check("const {NPM_TOKEN} = process.env", &["env_read:NPM_TOKEN"]);
    check("process.env[name]", &["env_read:"]);
    check("Deno.env.get('A'); Deno.env.toObject()", &["env_read:A", "env_all:"]);
}

#[test]
fn the_machine() {
    check(
        "const os = require('os'); os.hostname(); os.userInfo(); os.networkInterfaces()",
        &["host_identity:os.hostname", "host_identity:os.userInfo", "host_identity:os.networkInterfaces"],
    );
    check("import {hostname} from 'os'; hostname()", &["host_identity:os.hostname"]);
    check("if (process.platform === 'win32') x()", &["!host_identity"]);
}

#[test]
fn files() {
    check("require('fs').writeFileSync('/a/b', x)", &["file_write:/a/b"]);
    check("require('fs-extra').outputFile('/a/b', x)", &["file_write:/a/b"]);
    check("require('fs').promises.appendFile('/a/b', x)", &["file_write:/a/b"]);
    check("require('fs').createWriteStream('/a/b')", &["file_write:/a/b"]);
    check("require('fs').rmSync('/a/b', {recursive: true})", &["file_delete:/a/b"]);
    check("require('fs').unlink('/a/b', () => {})", &["file_delete:/a/b"]);
    check("require('rimraf')('/a/b')", &["file_delete:/a/b"]);
    check("require('fs').chmodSync('/a/b', 0o755)", &["make_executable:/a/b"]);
    check("require('fs').chmodSync('/a/b', '755')", &["make_executable:/a/b"]);
    check("require('fs').chmodSync('/a/b', 0o644)", &["!make_executable"]);
    check("require('fs').writeFileSync('/a/b', x, {mode: 0o755})", &["make_executable:/a/b"]);
    check("require('fs').readdirSync('/a')", &["folder_read:/a"]);
    check("require('fs').copyFileSync('/a', '/b')", &["file_write:/b"]);
    check("Deno.readTextFile('/a'); Deno.writeTextFile('/b', 'x')", &["file_read:/a", "file_write:/b"]);
    check("Bun.write('/b', 'x')", &["file_write:/b"]);
    check("process.dlopen(module, '/a/b.node')", &["library_load:/a/b.node"]);
    check("require('./build/x.node')", &["library_load:./build/x.node"]);
}

#[test]
fn the_network() {
    check(
        "fetch('https://c.invalid/x')",
        &["net_send:https://c.invalid/x", "net_receive:https://c.invalid/x"],
    );
    check("require('https').get('https://c.invalid/x')", &["net_receive:https://c.invalid/x"]);
    check(
        "require('https').request({hostname: 'c.invalid', path: '/x', method: 'POST'})",
        &["net_send:https://c.invalid/x"],
    );
    check("require('axios').post('https://c.invalid/x', {})", &["net_send:https://c.invalid/x"]);
    check("require('axios')({url: 'https://c.invalid/x'})", &["net_send:https://c.invalid/x"]);
    check(
        "import axios from 'axios'; const a = axios.create({}); a.get('https://c.invalid/x')",
        &["net_send:https://c.invalid/x"],
    );
    check("require('got')('https://c.invalid/x')", &["net_send:https://c.invalid/x"]);
    check("require('request')({url: 'https://c.invalid/x'}, cb)", &["net_send:https://c.invalid/x"]);
    check("require('superagent').post('https://c.invalid/x').send({})", &["net_send:https://c.invalid/x"]);
    check("require('undici').request('https://c.invalid/x')", &["net_send:https://c.invalid/x"]);
    check("require('node-fetch')('https://c.invalid/x')", &["net_send:https://c.invalid/x"]);
    check("require('needle')('post', 'https://c.invalid/x', {})", &["net_send:https://c.invalid/x"]);
    check(
        "const x = new XMLHttpRequest(); x.open('POST', 'https://c.invalid/x'); x.send(1)",
        &["net_send:https://c.invalid/x"],
    );
    check("navigator.sendBeacon('https://c.invalid/x', d)", &["net_send:https://c.invalid/x"]);
    check(
        "new WebSocket('wss://c.invalid/x')",
        &["net_send:wss://c.invalid/x", "channel_receive:wss://c.invalid/x"],
    );
    check("require('net').connect(4444, 'c.invalid')", &["net_send:c.invalid:4444"]);
    check("require('net').createConnection({host: 'c.invalid', port: 4444})", &["net_send:c.invalid:4444"]);
    check("require('dns').lookup('x.c.invalid', cb)", &["dns_query:x.c.invalid"]);
    check(
        "require('dns').resolveTxt('x.c.invalid', cb)",
        &["dns_query:x.c.invalid", "dns_receive:x.c.invalid"],
    );
    check("require('dns').promises.resolve('x.c.invalid', 'TXT')", &["dns_receive:x.c.invalid"]);
    check("require('http').createServer().listen(8080)", &["listen:8080"]);
    check("fetch(new URL('/x', 'https://c.invalid'))", &["net_send:https://c.invalid/x"]);
    check(
        "new (require('@octokit/rest').Octokit)({}).repos.createForAuthenticatedUser({name: 'x'})",
        &["net_send:octokit repos.createForAuthenticatedUser"],
    );
}

#[test]
fn code() {
    check("eval(x)", &["eval:eval"]);
    check("(0, eval)(x)", &["eval:eval"]);
    check("window.eval(x)", &["eval:eval"]);
    check("new Function(x)()", &["eval:Function"]);
    check("Function('a', x)", &["eval:Function"]);
    check("[].constructor.constructor(x)()", &["eval:Function"]);
    check("(() => {}).constructor(x)()", &["eval:Function"]);
    check("[]['filter']['constructor'](x)()", &["eval:Function"]);
    check("(async function () {}).constructor(x)()", &["eval:Function"]);
    check("Object.getPrototypeOf(async function () {}).constructor(x)", &["eval:Function"]);
    check("require('vm').runInThisContext(x)", &["eval:eval"]);
    check("new (require('vm').Script)(x).runInThisContext()", &["eval:eval"]);
    check("setTimeout('alert(document.cookie)', 1)", &["eval:setTimeout alert(document.cookie)"]);
    check("module._compile(x, '')", &["eval:module._compile"]);
    check("new (require('worker_threads').Worker)(x, {eval: true})", &["eval:eval"]);
    check("new Worker('data:text/javascript,x()')", &["eval:Worker data:"]);
    check("import('data:text/javascript,x()')", &["eval:import data:"]);
    check(
        "const s = document.createElement('script'); s.src = 'https://c.invalid/x.js'",
        &["eval:script https://c.invalid/x.js"],
    );
    check("require(name)", &["dynamic_import:*"]);
    check("Function('return this')()", &["!eval"]);
    check("globalThis['ev' + 'al'](x)", &["eval:eval @folded"]);
}

#[test]
fn hooks() {
    check("const f = window.fetch; window.fetch = function (u) { return f(u) }", &["global_hook:fetch"]);
    check("XMLHttpRequest.prototype.open = function () {}", &["global_hook:XMLHttpRequest.prototype.open"]);
    check(
        "const M = require('module'); const l = M._load; M._load = function (r) { return l(r) }",
        &["global_hook:Module._load"],
    );
    check("require.extensions['.js'] = function () {}", &["global_hook:require.extensions..js"]);
    check("globalThis.console = {log() {}}", &["global_hook:console"]);
    check("Object.defineProperty(globalThis, 'fetch', {value: f})", &["global_hook:fetch"]);
    check("const https = require('https'); https.request = function () {}", &["global_hook:https.request"]);
    check("if (!window.fetch) window.fetch = function () {}", &["!global_hook"]);
    check("window.fetch = window.fetch || function () {}", &["!global_hook"]);
    check("if (typeof Promise === 'undefined') window.Promise = P", &["!global_hook"]);
    check("Array.prototype.at || (Array.prototype.at = function () {})", &["!global_hook"]);
    check("if (!Array.prototype.at) { Array.prototype.at = function () {} }", &["!global_hook"]);
    check(
        "if (!Array.prototype.at) { Object.defineProperty(Array.prototype, 'at', {value: function () {}}) }",
        &["!global_hook"],
    );
}

#[test]
fn the_rest() {
    check("require('clipboardy').readSync()", &["clipboard_read:clipboardy.readSync"]);
    check("navigator.clipboard.writeText(x)", &["clipboard_write:navigator.clipboard.writeText"]);
    check("require('keytar').findCredentials('x')", &["keychain_read:x"]);
    check("const t = '~/.ssh/id_rsa'", &["text:~/.ssh/id_rsa"]);
}

#[test]
fn gates() {
    for (source, gate) in [
        ("if (!process.env.CI) eval(x)", Gate::Ci),
        ("if (process.env.GITHUB_ACTIONS) return; eval(x)", Gate::Ci),
        ("if (require('is-ci')) process.exit(0); eval(x)", Gate::Ci),
        ("if (new Date().getDay() === 5) eval(x)", Gate::Time),
        ("Date.now() > 17e11 && eval(x)", Gate::Time),
        ("const d = new Date('2026-01-01'); if (Date.now() > d) { eval(x) }", Gate::Time),
        ("if (Intl.DateTimeFormat().resolvedOptions().timeZone.startsWith('Asia')) eval(x)", Gate::Locale),
        ("if (navigator.language === 'ru') eval(x)", Gate::Locale),
        ("if (new Date().getTimezoneOffset() === -180) eval(x)", Gate::Locale),
        ("require('os').hostname() === 'x' ? eval(x) : 0", Gate::Machine),
        ("if (require('os').cpus().length < 2) process.exit(); eval(x)", Gate::Machine),
        ("if (require('os').userInfo().username === 'x') eval(x)", Gate::Machine),
        ("if (Math.random() < 0.1) eval(x)", Gate::Chance),
        ("const r = Math.floor(Math.random() * 10); if (r == 3) { eval(x) }", Gate::Chance),
    ] {
        let facts = read(source.as_bytes(), "a.js");
        let eval = facts.facts.iter().find(|fact| fact.detail.starts_with("eval")).expect(source);
        assert!(eval.gates.contains(&gate), "{source}: {eval:?}");
    }
    let facts = read(b"if (debug) eval(x)", "a.js");
    assert!(facts.facts[0].gates.is_empty());
}
