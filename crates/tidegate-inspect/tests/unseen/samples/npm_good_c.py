"""npm, good: install hooks, binaries, tools, SDKs."""
from .core import sample

good = lambda family: sample("npm", "good", family)  # noqa: E731


@good("apm-instrumentation")
def _(c):
    return dict(name=c.name("trace", "agent"), desc="Application performance monitoring", files={"index.js": r'''
'use strict';
const Module = require('module');
const http = require('http');
const { hostname } = require('os');

const spans = [];
const endpoint = process.env.TRACE_AGENT_URL || 'http://127.0.0.1:8126';
const redact = (h) => Object.fromEntries(Object.entries(h).filter(([k]) => !/authorization|cookie|api-key/i.test(k)));

function wrap(target, name, make) {
  const original = target[name];
  target[name] = make(original);
  target[name].__original = original;
}

wrap(http, 'request', (original) => function request(...args) {
  const begin = process.hrtime.bigint();
  const req = original.apply(this, args);
  req.once('response', (res) => spans.push({ host: req.host, path: req.path, status: res.statusCode, headers: redact(req.getHeaders()), ns: Number(process.hrtime.bigint() - begin) }));
  return req;
});

wrap(Module, '_load', (original) => function load(id, parent, main) {
  const exported = original.call(this, id, parent, main);
  return id === 'pg' ? require('./lib/pg')(exported, spans) : exported;
});

setInterval(() => {
  if (!spans.length) return;
  fetch(endpoint + '/v0.4/traces', { method: 'PUT', body: JSON.stringify({ host: hostname(), service: process.env.TRACE_SERVICE, spans: spans.splice(0) }) }).catch(() => {});
}, 2000).unref();
''', "lib/pg.js": r'''
module.exports = (pg, spans) => {
  const query = pg.Client.prototype.query;
  pg.Client.prototype.query = function traced(text, ...rest) {
    spans.push({ name: 'pg.query', resource: typeof text === 'string' ? text : text.text });
    return query.call(this, text, ...rest);
  };
  return pg;
};
'''})


@good("fetch-polyfill")
def _(c):
    return dict(name=c.name("fetch", "polyfill"), desc="window.fetch polyfill", files={"index.js": r'''
(function (global) {
  if (global.fetch) return;
  function Response(body, init) { this.body = body; this.status = init.status; this.ok = init.status < 300; }
  Response.prototype.text = function () { return Promise.resolve(this.body); };
  Response.prototype.json = function () { return this.text().then(JSON.parse); };
  global.Response = Response;
  global.fetch = function (input, init) {
    return new Promise(function (resolve, reject) {
      var xhr = new XMLHttpRequest();
      xhr.open((init && init.method) || 'GET', input, true);
      xhr.onload = function () { resolve(new Response(xhr.responseText, { status: xhr.status })); };
      xhr.onerror = function () { reject(new TypeError('Network request failed')); };
      Object.keys((init && init.headers) || {}).forEach(function (k) { xhr.setRequestHeader(k, init.headers[k]); });
      xhr.send(init && init.body);
    });
  };
})(typeof self !== 'undefined' ? self : this);
'''})


@good("xhr-mock-interceptor")
def _(c):
    return dict(name=c.name("mock", "network"), desc="Mock fetch and XMLHttpRequest in tests", manifest={"type": "module"}, files={"index.js": r'''
const rules = [];
let saved;

export const on = (method, pattern, reply) => rules.push({ method, pattern, reply });

export function start() {
  saved = { fetch: globalThis.fetch, send: globalThis.XMLHttpRequest?.prototype.send };
  globalThis.fetch = async (input, init = {}) => {
    const url = String(input.url ?? input);
    const rule = rules.find((r) => r.method === (init.method ?? 'GET') && r.pattern.test(url));
    if (!rule) return saved.fetch(input, init);
    const { status = 200, body } = await rule.reply({ url, body: init.body });
    return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
  };
  if (saved.send) {
    XMLHttpRequest.prototype.send = function send(body) {
      const rule = rules.find((r) => r.pattern.test(this.__url));
      if (!rule) return saved.send.call(this, body);
      Object.defineProperty(this, 'responseText', { value: JSON.stringify(rule.reply({ body }).body) });
      this.dispatchEvent(new Event('load'));
    };
  }
}

export function stop() {
  globalThis.fetch = saved.fetch;
  if (saved.send) XMLHttpRequest.prototype.send = saved.send;
}
'''})


@good("wallet-connector")
def _(c):
    return dict(name=c.name("wallet", "connect"), desc="Connect to injected wallets", manifest={"type": "module"}, files={"index.js": r'''
export const ZERO = '0x0000000000000000000000000000000000000000';
export const TOKENS = { usd: '@ETH@', eur: '0x@HEX40@' };

export class Connector {
  constructor(provider = globalThis.ethereum) {
    if (!provider) throw new Error('No injected wallet was found');
    this.provider = provider;
  }
  async accounts() { return this.provider.request({ method: 'eth_requestAccounts' }); }
  async transfer(token, to, amount) {
    const [from] = await this.accounts();
    const data = '0xa9059cbb' + to.slice(2).padStart(64, '0') + BigInt(amount).toString(16).padStart(64, '0');
    return this.provider.request({ method: 'eth_sendTransaction', params: [{ from, to: TOKENS[token], data }] });
  }
  onChange(fn) {
    this.provider.on('accountsChanged', fn);
    return () => this.provider.removeListener('accountsChanged', fn);
  }
}
'''})


@good("clipboard-library")
def _(c):
    return dict(name=c.name("clipboard"), desc="Read and write the clipboard", manifest={"type": "module"}, files={"index.js": r'''
import { spawn } from 'node:child_process';
import process from 'node:process';

const tools = {
  darwin: { read: ['pbpaste'], write: ['pbcopy'] },
  linux: { read: ['xsel', '--clipboard', '--output'], write: ['xsel', '--clipboard', '--input'] },
  win32: { read: ['powershell', '-NoProfile', '-Command', 'Get-Clipboard -Raw'], write: ['clip'] },
}[process.platform];

function run([cmd, ...args], input) {
  return new Promise((resolve, reject) => {
    const child = spawn(cmd, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (d) => { out += d; });
    child.on('error', reject);
    child.on('close', (code) => (code ? reject(new Error(`${cmd} exited with ${code}`)) : resolve(out)));
    child.stdin.end(input);
  });
}

export const read = () => run(tools.read);
export const write = (text) => run(tools.write, String(text));
'''})


@good("hotkeys-library")
def _(c):
    return dict(name=c.name("hotkeys"), desc="Keyboard shortcuts", manifest={"type": "module"}, files={"index.js": r'''
const bindings = new Map();
const norm = (e) => [e.ctrlKey && 'ctrl', e.altKey && 'alt', e.shiftKey && 'shift', e.metaKey && 'meta', e.key.toLowerCase()].filter(Boolean).join('+');
let buffer = [];

document.addEventListener('keydown', (e) => {
  if (/^(input|textarea|select)$/i.test(e.target.tagName) || e.target.isContentEditable) return;
  buffer.push(norm(e));
  buffer = buffer.slice(-3);
  for (let n = 1; n <= buffer.length; n += 1) {
    const fn = bindings.get(buffer.slice(-n).join(' '));
    if (fn && fn(e) === false) e.preventDefault();
  }
}, true);

export const bind = (keys, fn) => bindings.set(keys.toLowerCase(), fn);
export const unbind = (keys) => bindings.delete(keys.toLowerCase());
'''})


@good("clean-remove-tool")
def _(c):
    return dict(name=c.name("clean", "cache"), desc="Remove caches", manifest={"bin": {"clean-cache": "cli.js"}}, files={"cli.js": r'''
#!/usr/bin/env node
const fs = require('fs');
const os = require('os');
const path = require('path');
const readline = require('readline/promises');

const targets = [path.join(process.cwd(), 'dist'), path.join(process.cwd(), 'node_modules', '.cache'), path.join(os.homedir(), '.cache', '@W@')];

async function main() {
  const rl = readline.createInterface({ input: process.stdin, output: process.stdout });
  const force = process.argv.includes('--force');
  for (const dir of targets) {
    if (!fs.existsSync(dir)) continue;
    if (force || /^y/i.test(await rl.question(`Remove ${dir}? `))) fs.rmSync(dir, { recursive: true, force: true });
  }
  rl.close();
}
main();
'''.lstrip()})


@good("npm-auth-login-helper")
def _(c):
    return dict(name=c.name("registry", "auth"), desc="Read registry credentials the way the client does", files={"index.js": r'''
const fs = require('fs');
const os = require('os');
const path = require('path');

const expand = (v) => v.replace(/\$\{([^}]+)\}/g, (_, k) => process.env[k] || '');

function load() {
  const files = [path.join(process.cwd(), '.npmrc'), process.env.NPM_CONFIG_USERCONFIG || path.join(os.homedir(), '.npmrc')];
  const out = {};
  for (const f of files.reverse()) {
    if (!fs.existsSync(f)) continue;
    for (const line of fs.readFileSync(f, 'utf8').split('\n')) {
      const at = line.indexOf('=');
      if (at > 0 && !/^\s*[#;]/.test(line)) out[line.slice(0, at).trim()] = expand(line.slice(at + 1).trim());
    }
  }
  return out;
}

/** Returns the token for exactly this registry, or undefined. */
module.exports = function tokenFor(registryUrl) {
  const { host, pathname } = new URL(registryUrl);
  const token = load()[`//${host}${pathname}:_authToken`];
  return token ? { type: 'Bearer', token } : undefined;
};
'''})


@good("crontab-library")
def _(c):
    return dict(name=c.name("autostart"), desc="Start your application at login, when the user asks for it", files={"index.js": r'''
const fs = require('fs');
const os = require('os');
const path = require('path');
const { execFile } = require('child_process');

class AutoStart {
  constructor({ name, command }) {
    if (!name || !command) throw new TypeError('name and command are required');
    Object.assign(this, { name, command });
  }
  get file() {
    return process.platform === 'darwin'
      ? path.join(os.homedir(), 'Library', 'LaunchAgents', `${this.name}.plist`)
      : path.join(os.homedir(), '.config', 'autostart', `${this.name}.desktop`);
  }
  enable(done) {
    if (process.platform === 'win32') {
      return execFile('reg', ['add', 'HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run', '/v', this.name, '/d', this.command, '/f'], done);
    }
    fs.mkdirSync(path.dirname(this.file), { recursive: true });
    fs.writeFile(this.file, `[Desktop Entry]\nType=Application\nName=${this.name}\nExec=${this.command}\n`, done);
  }
  disable(done) { fs.unlink(this.file, done); }
}
module.exports = AutoStart;
'''})


@good("create-app-ci-template")
def _(c):
    return dict(name="create-" + c.name("app"), desc="Project generator", manifest={"bin": {"create-app": "bin/create.js"}}, files={
        "template/.github/workflows/ci.yml": "name: CI\non: [push]\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n      - run: npm ci && npm test\n        env:\n          CODECOV_TOKEN: ${{ secrets.CODECOV_TOKEN }}\n", "template/package.json": '{"name": "app", "private": true, "scripts": {"postinstall": "patch-package", "test": "vitest"}}\n', "bin/create.js": r'''
#!/usr/bin/env node
const fs = require('fs');
const path = require('path');
const { spawnSync } = require('child_process');

const target = path.resolve(process.argv[2] || 'my-app');
if (fs.existsSync(target)) throw new Error(`${target} exists`);
fs.cpSync(path.join(__dirname, '..', 'template'), target, { recursive: true });
spawnSync('git', ['init', '-q'], { cwd: target });
spawnSync(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['install'], { cwd: target, stdio: 'inherit' });
console.log(`Done. cd ${path.relative(process.cwd(), target)} && npm start`);
'''.lstrip()})
