"""npm, good: outputs of tools, data, decoders, tests."""
import base64
import json

from .core import b64, sample, squash

good = lambda family: sample("npm", "good", family)  # noqa: E731


@good("minified-vendor-bundle")
def _(c):
    parts = []
    for i in range(40):
        a, b = c.s(1, "abcdefgh"), c.s(1, "ijklmnop")
        parts.append(f"{1000 + i * 37}:({a},{b},r)=>{{\"use strict\";var n=r({1000 + (i * 37) % 1400});{a}.exports=function(e,t){{return void 0===t&&(t={i}),e&&e.length>t?e.slice(t).map((function(e){{return n[e]||\"{c.s(9)}\"}})):String(e).charCodeAt(t%{i + 2})}}}}")
    return dict(name=c.name("vendor"), desc="Bundled dependencies", manifest={"main": "dist/vendor.js"}, files={"dist/vendor.js":
        "/*! For license information please see vendor.js.LICENSE.txt */\n(()=>{var e={" + ",".join(parts) + "},t={};function r(n){var o=t[n];if(void 0!==o)return o.exports;var i=t[n]={exports:{}};return e[n](i,i.exports,r),i.exports}r.g=function(){if(\"object\"==typeof globalThis)return globalThis;try{return this||new Function(\"return this\")()}catch(e){if(\"object\"==typeof window)return window}}();module.exports=r(1000)})();\n//# sourceMappingURL=vendor.js.map\n",
        "dist/vendor.js.LICENSE.txt": "/*! MIT */\n"})


@good("umd-new-function-this")
def _(c):
    return dict(name=c.name("template"), desc="Tiny templates compiled to functions", files={"index.js": r'''
(function (root, factory) {
  if (typeof define === 'function' && define.amd) define([], factory);
  else if (typeof module === 'object' && module.exports) module.exports = factory();
  else root.tpl = factory();
}(typeof self !== 'undefined' ? self : Function('return this')(), function () {
  var escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  function esc(s) { return String(s).replace(/[&<>"]/g, function (c) { return escapes[c]; }); }
  return function compile(text) {
    var body = "var o='';";
    text.split(/(<%[=-]?[\s\S]+?%>)/).forEach(function (part) {
      var m = /^<%([=-]?)([\s\S]+?)%>$/.exec(part);
      if (!m) body += 'o+=' + JSON.stringify(part) + ';';
      else if (m[1] === '=') body += 'o+=esc(' + m[2] + ');';
      else if (m[1] === '-') body += 'o+=' + m[2] + ';';
      else body += m[2];
    });
    var fn = new Function('d', 'esc', 'with(d||{}){' + body + '}return o;');
    return function (data) { return fn(data, esc); };
  };
}));
'''})


@good("wasm-inline-base64")
def _(c):
    blob = base64.b64encode(b"\0asm\x01\0\0\0" + c.raw(5200)).decode()
    return dict(name=c.name("wasm", "hash"), desc="Hash in WebAssembly", manifest={"main": "dist/index.js"}, files={"dist/index.js": "\"use strict\";\nconst source = \"" + blob + "\";\n" + r'''
let instance;
function load() {
  if (!instance) {
    const bytes = typeof Buffer !== 'undefined' ? Buffer.from(source, 'base64') : Uint8Array.from(atob(source), (c) => c.charCodeAt(0));
    instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { abort() { throw new Error('abort'); } } });
  }
  return instance.exports;
}
exports.hash = (s) => load().hash(s);
'''})


@good("secret-scanner-rules")
def _(c):
    return dict(name=c.name("secret", "lint"), desc="Find secrets before they are committed", files={"rules.js": r'''
module.exports = [
  { id: 'aws-key', re: /\b(AKIA|ASIA)[0-9A-Z]{16}\b/ },
  { id: 'github', re: /\bgh[pousr]_[A-Za-z0-9]{36}\b/ },
  { id: 'discord-webhook', re: /https:\/\/discord(?:app)?\.com\/api\/webhooks\/\d{17,20}\/[\w-]{60,}/ },
  { id: 'telegram', re: /\b\d{8,10}:AA[\w-]{33}\b/ },
  { id: 'private-key', re: /-----BEGIN (?:RSA |EC |OPENSSH )?PRIVATE KEY-----/ },
];
''', "index.js": r'''
const fs = require('fs');
const path = require('path');
const { execSync } = require('child_process');
const rules = require('./rules');
const risky = ['.env', '.npmrc', '.aws/credentials', 'id_rsa', '.pypirc', 'wallet.dat'];

function staged() { return execSync('git diff --cached --name-only', { encoding: 'utf8' }).split('\n').filter(Boolean); }

function scan(files = staged()) {
  const found = [];
  for (const file of files) {
    if (risky.some((r) => file.endsWith(r))) found.push({ file, id: 'risky-file' });
    fs.readFileSync(path.resolve(file), 'utf8').split('\n').forEach((text, i) => {
      for (const rule of rules) if (rule.re.test(text)) found.push({ file, line: i + 1, id: rule.id });
    });
  }
  return found;
}
module.exports = { scan };
if (require.main === module) {
  const found = scan();
  found.forEach((f) => console.error(`${f.file}:${f.line} ${f.id}`));
  process.exit(found.length ? 1 : 0);
}
'''})


@good("emoji-unicode-tables")
def _(c):
    flags = ["\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F", "\U0001F3F4\U000E0067\U000E0062\U000E0073\U000E0063\U000E0074\U000E007F"]
    emoji = ["\u2764\ufe0f", "\u2600\ufe0f", "\u270c\ufe0f", "\U0001F469\u200d\U0001F4BB", "\U0001F3F3\ufe0f\u200d\U0001F308"] + flags
    return dict(name=c.name("emoji", "data"), desc="Emoji tables with sequences", files={"index.js": "'use strict';\nexports.sequences = " + json.dumps(emoji * 12, ensure_ascii=False) + ";\nexports.strip = (s) => s.replace(/[\\ufe00-\\ufe0f\\u{e0100}-\\u{e01ef}]/gu, '');\nexports.points = (s) => [...s].map((ch) => ch.codePointAt(0).toString(16));\n"})


@good("rtl-locale-strings")
def _(c):
    return dict(name=c.name("i18n", "rtl"), desc="Right-to-left messages", files={"locales/he.json": json.dumps({"hello": "\u200f\u05e9\u05dc\u05d5\u05dd, \u2068{name}\u2069!", "count": "\u202b{n} \u05e7\u05d1\u05e6\u05d9\u05dd\u202c"}, ensure_ascii=False),
        "index.js": "const he = require('./locales/he.json');\nconst FSI = '\\u2068';\nconst PDI = '\\u2069';\nexports.isolate = (s) => FSI + s + PDI;\nexports.t = (key, vars = {}) => he[key].replace(/\\{(\\w+)\\}/g, (_, k) => vars[k]);\n"})


@good("jsfuck-like-packer-tool")
def _(c):
    return dict(name=c.name("pack", "js"), desc="Packs scripts into a string array (a build tool)", files={"index.js": r'''
'use strict';
// A small packer: strings move to a rotated array, names become hex. Used in size experiments.
function rotate(list, by) { return list.slice(by).concat(list.slice(0, by)); }

exports.pack = function pack(source, { rotateBy = 3 } = {}) {
  const strings = [];
  const body = source.replace(/'([^'\\\n]*)'/g, (_, s) => {
    if (!strings.includes(s)) strings.push(s);
    return `_0xget(0x${strings.indexOf(s).toString(16)})`;
  });
  const encoded = rotate(strings.map((s) => Buffer.from(s).toString('base64')), rotateBy % (strings.length || 1));
  return `var _0xarr=${JSON.stringify(encoded)};var _0xget=function(i){return atob(_0xarr[i]);};${body}`;
};

exports.unpack = (text) => text.replace(/\\x([0-9a-f]{2})/gi, (_, h) => String.fromCharCode(parseInt(h, 16)));
'''})


@good("vm-sandbox-runner")
def _(c):
    return dict(name=c.name("rules", "engine"), desc="Run user rules in a context", files={"index.js": r'''
const vm = require('vm');
const fs = require('fs');
const { Worker, isMainThread, workerData, parentPort } = require('worker_threads');

class Engine {
  constructor(file) { this.script = new vm.Script(fs.readFileSync(file, 'utf8'), { filename: file }); }
  run(facts, timeout = 50) {
    const context = vm.createContext(Object.freeze({ facts, Math, result: null }));
    return this.script.runInContext(context, { timeout });
  }
  runInWorker(facts) {
    return new Promise((resolve, reject) => {
      const w = new Worker(__filename, { workerData: { file: this.script.filename, facts } });
      w.once('message', resolve).once('error', reject);
    });
  }
}
if (!isMainThread && workerData) parentPort.postMessage(new Engine(workerData.file).run(workerData.facts));
module.exports = { Engine };
'''})


@good("test-suite-fake-tokens")
def _(c):
    fake = "ghp_" + "x" * 36
    return dict(name=c.name("redact"), desc="Redact secrets from logs", files={"index.js": "const shapes = [/gh[pous]_\\w{36}/g, /Bearer\\s+[\\w.-]+/g, /(?<=password=)[^&\\s]+/g];\nmodule.exports = (text) => shapes.reduce((t, s) => t.replace(s, '[redacted]'), text);\n",
        "test/redact.test.js": f"const test = require('node:test');\nconst assert = require('node:assert');\nconst redact = require('..');\n\ntest('tokens', () => {{\n  process.env.FAKE_TOKEN = '{fake}';\n  assert.equal(redact(`token ${{process.env.FAKE_TOKEN}}`), 'token [redacted]');\n  assert.equal(redact('https://hooks.example.test/?password=hunter2'), 'https://hooks.example.test/?password=[redacted]');\n}});\n"})


@good("browser-launcher-profiles")
def _(c):
    return dict(name=c.name("browser", "launch"), desc="Start an installed browser with a fresh profile", files={"index.js": r'''
const fs = require('fs');
const os = require('os');
const path = require('path');
const { spawn } = require('child_process');

const places = {
  linux: ['/usr/bin/google-chrome', '/usr/bin/chromium', '/snap/bin/brave'],
  darwin: ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'],
  win32: [process.env.LOCALAPPDATA, process.env.PROGRAMFILES].filter(Boolean).map((p) => path.join(p, 'Google', 'Chrome', 'Application', 'chrome.exe')),
};

module.exports = function launch(url, { port = 0, headless = true } = {}) {
  const bin = (places[process.platform] || []).find((p) => fs.existsSync(p));
  if (!bin) throw new Error('No browser was found');
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'profile-'));
  const child = spawn(bin, [`--user-data-dir=${profile}`, `--remote-debugging-port=${port}`, headless && '--headless=new', '--no-first-run', url].filter(Boolean), { stdio: 'ignore', detached: process.platform !== 'win32' });
  child.once('exit', () => fs.rmSync(profile, { recursive: true, force: true }));
  return child;
};
'''})


@good("dev-server-websocket")
def _(c):
    return dict(name=c.name("dev", "server"), desc="Development server with reload", manifest={"dependencies": {"ws": "^8.0.0"}}, files={"index.js": r'''
const http = require('http');
const fs = require('fs');
const path = require('path');
const { exec } = require('child_process');
const { WebSocketServer } = require('ws');

const CLIENT = '<script>new WebSocket(location.origin.replace("http","ws")).onmessage=()=>location.reload()</script>';

exports.serve = function serve({ root = '.', port = 8080, build = 'npm run build' }) {
  const server = http.createServer((req, res) => {
    const file = path.join(root, path.normalize(req.url.split('?')[0]).replace(/\/$/, '/index.html'));
    fs.readFile(file, (err, data) => {
      if (err) { res.statusCode = 404; return res.end('not found'); }
      res.end(file.endsWith('.html') ? data + CLIENT : data);
    });
  });
  const wss = new WebSocketServer({ server });
  fs.watch(path.join(root, 'src'), { recursive: true }, () => exec(build, () => wss.clients.forEach((s) => s.send('reload'))));
  return server.listen(port);
};
'''})


@good("ssh-config-reader")
def _(c):
    return dict(name=c.name("ssh", "deploy"), desc="Deploy over SSH with your own key", manifest={"dependencies": {"ssh2": "^1.15.0"}}, files={"index.js": r'''
const fs = require('fs');
const os = require('os');
const path = require('path');
const { Client } = require('ssh2');

exports.deploy = ({ host, username = os.userInfo().username, keyFile = path.join(os.homedir(), '.ssh', 'id_ed25519'), commands }) =>
  new Promise((resolve, reject) => {
    const conn = new Client();
    conn.on('ready', () => {
      conn.exec(commands.join(' && '), (err, stream) => {
        if (err) return reject(err);
        stream.on('close', (code) => { conn.end(); code ? reject(new Error(`exit ${code}`)) : resolve(); });
        stream.pipe(process.stdout);
      });
    }).on('error', reject).connect({ host, username, privateKey: fs.readFileSync(keyFile) });
  });
'''})


@good("solana-client-library")
def _(c):
    return dict(name=c.name("sol", "wallet"), desc="Read a local key file and sign", manifest={"type": "module", "dependencies": {"@solana/web3.js": "^1.95.0"}}, files={"index.js": r'''
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { Connection, Keypair, PublicKey, SystemProgram, Transaction, sendAndConfirmTransaction } from '@solana/web3.js';

export const MEMO = new PublicKey('MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr');

export async function loadKeypair(file = homedir() + '/.config/solana/id.json') {
  return Keypair.fromSecretKey(Uint8Array.from(JSON.parse(await readFile(file, 'utf8'))));
}

export async function pay(to, lamports, { rpc = 'https://api.mainnet-beta.solana.com', key } = {}) {
  const from = key ?? await loadKeypair();
  const tx = new Transaction().add(SystemProgram.transfer({ fromPubkey: from.publicKey, toPubkey: new PublicKey(to), lamports }));
  return sendAndConfirmTransaction(new Connection(rpc), tx, [from]);
}

export const memos = async (address, rpc) => (await new Connection(rpc).getSignaturesForAddress(new PublicKey(address))).map((s) => s.memo);
'''})


@good("ai-cli-wrapper")
def _(c):
    return dict(name=c.name("review", "bot"), desc="Ask a local assistant CLI to review the diff", manifest={"bin": {"ai-review": "cli.js"}}, files={"cli.js": r'''
#!/usr/bin/env node
const { spawnSync, execFileSync } = require('child_process');
const diff = execFileSync('git', ['diff', '--staged'], { encoding: 'utf8' });
if (!diff.trim()) { console.log('Nothing is staged.'); process.exit(0); }
const prompt = 'Review this diff. Point out bugs and missing tests. Do not change files.\n\n' + diff;
const r = spawnSync(process.env.REVIEW_CLI || 'claude', ['-p', '--allowedTools', 'Read', '--max-turns', '4'], { input: prompt, stdio: ['pipe', 'inherit', 'inherit'] });
process.exit(r.status ?? 1);
'''.lstrip(), "CLAUDE.md": "# Notes for assistants\n\nRun `npm test` before you propose a change. Never read `.env` files or print secrets.\n"})


@good("sourcemap-data-uri-eval")
def _(c):
    mods = []
    for i in range(8):
        inner = json.dumps({"version": 3, "sources": [f"webpack://app/./src/{c.word()}.js"], "mappings": "AAAA;" * 5})
        src = f"module.exports = function {c.word()}(a) {{ return a + {i}; }};\n\n//# sourceURL=[module]\n//# sourceMappingURL=data:application/json;charset=utf-8;base64,{b64(inner)}\n//# sourceURL=webpack-internal:///{i}\n"
        mods.append(f'/***/ {i}:\n/***/ ((module) => {{\n\neval({json.dumps(src)});\n\n/***/ }})')
    return dict(name=c.name("dev", "build"), desc="Development build of a widget", manifest={"main": "dist/main.js"}, files={"dist/main.js": "/******/ (() => {\n/******/ var __webpack_modules__ = ({\n\n" + ",\n\n".join(mods) + "\n\n/******/ });\nvar c = {};\nfunction req(i) { if (c[i]) return c[i].exports; var m = c[i] = { exports: {} }; __webpack_modules__[i](m); return m.exports; }\nmodule.exports = req(0);\n/******/ })();\n"})


@good("geo-date-locale")
def _(c):
    return dict(name=c.name("sanction", "check"), desc="Country rules for shops", manifest={"type": "module"}, files={"index.js": r'''
const blocked = new Set(['KP', 'IR', 'SY', 'RU', 'BY']);

export async function country(ip, { endpoint = 'https://geo.@H@/v1' } = {}) {
  const r = await fetch(`${endpoint}/${encodeURIComponent(ip)}`);
  return (await r.json()).country_code;
}

export const mayShip = (code, at = new Date()) => !blocked.has(code) && !(at.getUTCMonth() === 11 && at.getUTCDate() > 20);
export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;
'''})


@good("ci-environment-info")
def _(c):
    return dict(name=c.name("env", "report"), desc="Print information about the environment for bug reports", manifest={"bin": {"env-report": "cli.js"}}, files={"cli.js": r'''
#!/usr/bin/env node
const os = require('os');
const { execSync } = require('child_process');
const version = (cmd) => { try { return execSync(cmd + ' --version', { stdio: ['ignore', 'pipe', 'ignore'] }).toString().trim(); } catch { return 'not found'; } };
const report = { system: `${os.type()} ${os.release()}`, cpu: os.cpus()[0]?.model, memory: os.totalmem(), docker: require('fs').existsSync('/.dockerenv'), ci: Boolean(process.env.CI), shell: process.env.SHELL, node: process.version, npm: version('npm'), yarn: version('yarn') };
console.log(process.argv.includes('--json') ? JSON.stringify(report, null, 2) : Object.entries(report).map(([k, v]) => `${k}: ${v}`).join('\n'));
'''.lstrip()})


@good("patch-package-like")
def _(c):
    return dict(name=c.name("apply", "patches"), desc="Apply your patch files to installed dependencies", manifest={"bin": {"apply-patches": "index.js"}}, files={"index.js": r'''
#!/usr/bin/env node
const fs = require('fs');
const path = require('path');
const { spawnSync } = require('child_process');

const dir = path.resolve('patches');
for (const file of fs.existsSync(dir) ? fs.readdirSync(dir).sort() : []) {
  if (!file.endsWith('.patch')) continue;
  const name = file.replace(/\+[^+]*\.patch$/, '').replace('+', '/');
  const target = path.resolve('node_modules', name);
  const r = spawnSync('git', ['apply', '--directory', path.relative('.', target), path.join(dir, file)], { stdio: 'inherit' });
  if (r.status) { console.error(`The patch for ${name} does not apply.`); process.exit(1); }
}
'''.lstrip()})


@good("license-key-check")
def _(c):
    return dict(name=c.name("pro", "charts"), desc="Charts, commercial edition", files={"dist/license.js": squash(r'''
"use strict";
const k="@HEX64@",e=Buffer.from("MCowBQYDK2VwAyEA"+Buffer.from(k.slice(0,64),"hex").toString("base64"),"base64");
const v=(t)=>{
const[b,s]=String(t).split(".");
return require("crypto").verify(null,Buffer.from(b,"base64"),{key:e,format:"der",type:"spki"},Buffer.from(s||"","base64"))&&JSON.parse(Buffer.from(b,"base64").toString());
};
exports.check=(t=process.env.CHARTS_LICENSE_KEY)=>{
const d=v(t);
if(!d||new Date(d.until)<Date.now())console.warn("%cCharts: no valid licence","color:red");
return d;
};
'''), "dist/index.js": "exports.check = require('./license').check;\n"})


@good("image-data-reader")
def _(c):
    return dict(name=c.name("png", "text"), desc="Read text chunks of PNG files", files={"index.js": r'''
const fs = require('fs');
const zlib = require('zlib');

module.exports = function chunks(file) {
  const data = fs.readFileSync(file);
  const out = {};
  for (let at = 8; at < data.length;) {
    const size = data.readUInt32BE(at);
    const type = data.toString('latin1', at + 4, at + 8);
    const body = data.subarray(at + 8, at + 8 + size);
    if (type === 'tEXt') { const [k, v] = body.toString('latin1').split('\0'); out[k] = v; }
    if (type === 'zTXt') { const cut = body.indexOf(0); out[body.toString('latin1', 0, cut)] = zlib.inflateSync(body.subarray(cut + 2)).toString('latin1'); }
    at += size + 12;
  }
  return out;
};
''', "assets/icon.png": b"\x89PNG\r\n\x1a\n" + c.raw(900)})


@good("dns-lookup-tool")
def _(c):
    return dict(name=c.name("mx", "check"), desc="Check the mail records of a domain", files={"index.js": r'''
const { Resolver } = require('dns').promises;
const crypto = require('crypto');

module.exports = async function check(domain, { servers } = {}) {
  const r = new Resolver({ timeout: 2000 });
  if (servers) r.setServers(servers);
  const [mx, txt] = await Promise.all([r.resolveMx(domain), r.resolveTxt(domain)]);
  const wild = await r.resolve4(crypto.randomBytes(8).toString('hex') + '.' + domain).catch(() => []);
  return { mx, spf: txt.flat().find((t) => t.startsWith('v=spf1')), wildcard: wild.length > 0 };
};
'''})


@good("local-config-plugin-loader")
def _(c):
    return dict(name=c.name("task", "plugins"), desc="Plugins by name", manifest={"main": "dist/index.js"}, files={"dist/index.js": r'''
"use strict";
var __importStar = (this && this.__importStar) || function (mod) { return mod && mod.__esModule ? mod : Object.assign({}, mod, { default: mod }); };
Object.defineProperty(exports, "__esModule", { value: true });
exports.load = load;
const path_1 = require("path");
const child_process_1 = require("child_process");
async function load(names, cwd = process.cwd()) {
    const loaded = [];
    for (const name of names) {
        const id = name.startsWith(".") ? (0, path_1.resolve)(cwd, name) : `task-plugin-${name}`;
        const mod = await Promise.resolve().then(() => __importStar(require(require.resolve(id, { paths: [cwd] }))));
        loaded.push(mod.default || mod);
    }
    return loaded;
}
exports.run = (task) => new Promise((ok, bad) => (0, child_process_1.exec)(task.command, { env: { ...process.env, ...task.env }, cwd: task.cwd }, (e, out) => e ? bad(e) : ok(out)));
'''})


@good("stripe-like-sdk")
def _(c):
    return dict(name=c.name("pay", "sdk"), desc="Client for the payment API", manifest={"type": "module"}, files={"index.js": r'''
import os from 'node:os';

const USER_AGENT = JSON.stringify({ lang: 'node', version: process.version, platform: os.platform(), uname: `${os.type()} ${os.release()}` });

export default class Pay {
  constructor(key = process.env.PAY_SECRET_KEY, { host = 'api.@H@' } = {}) {
    if (!key) throw new Error('Pass a key or set PAY_SECRET_KEY');
    if (key.startsWith('pk_')) throw new Error('This is a publishable key; use the secret key on the server only');
    this.key = key;
    this.host = host;
  }
  async #call(method, path, body) {
    const res = await fetch(`https://${this.host}/v1/${path}`, { method, headers: { authorization: 'Basic ' + btoa(this.key + ':'), 'x-client-user-agent': USER_AGENT, 'idempotency-key': crypto.randomUUID() }, body: body && new URLSearchParams(body) });
    const data = await res.json();
    if (!res.ok) throw Object.assign(new Error(data.error.message), data.error);
    return data;
  }
  charges = { create: (p) => this.#call('POST', 'charges', p), get: (id) => this.#call('GET', `charges/${id}`) };
}
'''})
