"""npm, good: install hooks, binaries, tools, SDKs."""
from .core import sample

good = lambda family: sample("npm", "good", family)  # noqa: E731


@good("native-download-checksum")
def _(c):
    return dict(name=c.name("minify", "native"), desc="Native minifier", manifest={"scripts": {"postinstall": "node install.js"}, "bin": {"mini": "bin/mini"}}, files={"bin/mini": "#!/usr/bin/env node\nrequire('../lib/run').main(process.argv.slice(2));\n",
        "lib/run.js": "const { spawnSync } = require('child_process');\nconst path = require('path');\nexports.main = (argv) => {\n  const r = spawnSync(path.join(__dirname, '..', 'vendor', 'mini'), argv, { stdio: 'inherit' });\n  process.exit(r.status === null ? 1 : r.status);\n};\n",
        "checksums.json": '{"linux-x64": "%s", "darwin-arm64": "%s", "win32-x64": "%s"}\n' % (c.hexs(64), c.hexs(64), c.hexs(64)), "install.js": r'''
'use strict';
const https = require('https');
const fs = require('fs');
const path = require('path');
const crypto = require('crypto');
const { version } = require('./package.json');
const sums = require('./checksums.json');

const key = `${process.platform}-${process.arch}`;
const expected = sums[key];
if (!expected) {
  console.warn(`no binary for ${key}, the pure JavaScript version is used`);
  process.exit(0);
}

const base = process.env.MINI_MIRROR || 'https://downloads.@H@';

function get(url, cb) {
  https.get(url, (res) => {
    if (res.statusCode >= 300 && res.statusCode < 400) return get(res.headers.location, cb);
    if (res.statusCode !== 200) return cb(new Error(`status ${res.statusCode} for ${url}`));
    const parts = [];
    res.on('data', (d) => parts.push(d)).on('end', () => cb(null, Buffer.concat(parts)));
  }).on('error', cb);
}

get(`${base}/v${version}/mini-${key}`, (err, body) => {
  if (err) throw err;
  const sum = crypto.createHash('sha256').update(body).digest('hex');
  if (sum !== expected) throw new Error(`checksum mismatch: ${sum} is not ${expected}`);
  const file = path.join(__dirname, 'vendor', 'mini');
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, body, { mode: 0o755 });
});
'''})


@good("optional-dependency-binary")
def _(c):
    n = c.name("bundle")
    return dict(name=n, desc="A fast bundler", manifest={"scripts": {"postinstall": "node check.js"}, "optionalDependencies": {f"@{n}/linux-x64": "1.0.0", f"@{n}/darwin-arm64": "1.0.0"}}, files={"check.js": r'''
const { execFileSync } = require('child_process');
const path = require('path');
const own = require('./package.json');

const pkg = Object.keys(own.optionalDependencies).find((p) => p.endsWith(`${process.platform}-${process.arch}`));
try {
  const bin = path.join(path.dirname(require.resolve(pkg + '/package.json')), 'bin', 'bundle');
  const reported = execFileSync(bin, ['--version'], { encoding: 'utf8' }).trim();
  if (reported !== own.optionalDependencies[pkg]) throw new Error(`expected ${own.optionalDependencies[pkg]}, the binary says ${reported}`);
} catch (err) {
  console.error('The native part is missing. Did you install with --omit=optional?', err.message);
}
'''})


@good("git-hooks-manager")
def _(c):
    return dict(name=c.name("hooks"), desc="Git hooks made simple", manifest={"scripts": {"postinstall": "node bin.js install"}, "bin": {"hooks": "bin.js"}}, files={"bin.js": "#!/usr/bin/env node\nrequire('./index')[process.argv[2] || 'install'](process.argv.slice(3));\n", "index.js": r'''
const cp = require('child_process');
const fs = require('fs');
const p = require('path');

const git = (...args) => cp.spawnSync('git', args, { stdio: 'inherit' });

exports.install = ([dir = '.hooks'] = []) => {
  if (process.env.HOOKS === '0') return console.log('HOOKS=0, nothing to do');
  if (git('rev-parse').status !== 0) return console.log('not a git repository');
  if (!p.resolve(process.cwd(), dir).startsWith(process.cwd())) throw new Error('.. is not allowed');
  fs.mkdirSync(p.join(dir, '_'), { recursive: true });
  fs.writeFileSync(p.join(dir, '_', '.gitignore'), '*');
  const { error } = git('config', 'core.hooksPath', dir);
  if (error) throw error;
};

exports.add = ([file, cmd]) => fs.writeFileSync(file, `#!/usr/bin/env sh\n. "$(dirname -- "$0")/_/run.sh"\n\n${cmd}\n`, { mode: 0o755 });
exports.uninstall = () => git('config', '--unset', 'core.hooksPath');
'''})


@good("node-gyp-addon")
def _(c):
    return dict(name=c.name("native", "zip"), desc="Native compression", manifest={"gypfile": True, "scripts": {"install": "node-gyp-build || node-gyp rebuild"}, "dependencies": {"node-addon-api": "^7.0.0", "node-gyp-build": "^4.8.0"}}, files={
        "binding.gyp": r'''{
  "targets": [{
    "target_name": "zip",
    "sources": ["src/zip.cc", "<!@(node -p \"require('fs').readdirSync('./src/vendor').map(f=>'src/vendor/'+f).join(' ')\")"],
    "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
    "libraries": ["<!@(pkg-config --libs zlib)"],
    "defines": ["NAPI_VERSION=8"]
  }]
}
''', "src/zip.cc": "#include <napi.h>\nstatic Napi::Object Init(Napi::Env env, Napi::Object exports) { return exports; }\nNODE_API_MODULE(zip, Init)\n", "src/vendor/crc.c": "unsigned crc_table[256];\n", "index.js": "module.exports = require('node-gyp-build')(__dirname);\n"})


@good("telemetry-opt-in")
def _(c):
    return dict(name=c.name("site", "cli"), desc="Static site generator", files={"lib/telemetry.js": r'''
'use strict';
const os = require('os');
const crypto = require('crypto');
const Conf = require('./conf');

const ENDPOINT = 'https://telemetry.@H@/v1/events';

class Telemetry {
  constructor(conf = new Conf()) {
    this.conf = conf;
    this.queue = [];
  }

  get enabled() {
    if (process.env.DO_NOT_TRACK === '1' || process.env.SITE_TELEMETRY_DISABLED || process.env.CI) return false;
    return this.conf.get('telemetry') === true;
  }

  record(event, fields = {}) {
    if (!this.enabled) return;
    this.queue.push({ event, ...fields, node: process.versions.node, os: os.platform(), arch: os.arch(), cpus: os.cpus().length,
      project: crypto.createHash('sha256').update(this.conf.get('salt') + process.cwd()).digest('hex') });
  }

  async flush() {
    if (!this.queue.length) return;
    await fetch(ENDPOINT, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(this.queue.splice(0)) }).catch(() => {});
  }
}
module.exports = Telemetry;
''', "lib/conf.js": "const data = new Map();\nmodule.exports = class Conf { get(k) { return data.get(k); } set(k, v) { data.set(k, v); } };\n"})


@good("postinstall-message")
def _(c):
    return dict(name=c.name("state", "store"), desc="State container", manifest={"scripts": {"postinstall": "node -e \"try{require('./postinstall')}catch(e){}\""}}, files={"postinstall.js": r'''
const { env } = process;
const BANNER = '\u001b[96mThank you for using @W@-store!\u001b[0m\n\nThe project is looking for support: https://opencollective.com/@W@\n';
const silent = ['silent', 'error', 'warn'].includes(env.npm_config_loglevel) || env.ADBLOCK || env.CI || env.DISABLE_OPENCOLLECTIVE;
if (!silent) console.log(BANNER);
'''})


@good("aws-credential-provider")
def _(c):
    return dict(name="@" + c.word() + "-sdk/" + c.name("credentials"), desc="Credential providers", manifest={"main": "dist-cjs/index.js"}, files={"dist-cjs/index.js": r'''
"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
const fs = require("fs/promises");
const path = require("path");
const os = require("os");
const fromEnv = () => async () => {
  const accessKeyId = process.env.AWS_ACCESS_KEY_ID, secretAccessKey = process.env.AWS_SECRET_ACCESS_KEY;
  if (!accessKeyId || !secretAccessKey) throw new Error("Unable to find environment variable credentials.");
  return { accessKeyId, secretAccessKey, sessionToken: process.env.AWS_SESSION_TOKEN };
};
const fromIni = ({ profile = process.env.AWS_PROFILE || "default" } = {}) => async () => {
  const file = process.env.AWS_SHARED_CREDENTIALS_FILE || path.join(os.homedir(), ".aws", "credentials");
  const sections = {};
  let current;
  for (const line of (await fs.readFile(file, "utf8")).split(/\r?\n/)) {
    const head = /^\s*\[(.+)\]\s*$/.exec(line);
    if (head) current = sections[head[1]] = {};
    else if (current && line.includes("=")) { const [k, ...v] = line.split("="); current[k.trim()] = v.join("=").trim(); }
  }
  const p = sections[profile] || {};
  return { accessKeyId: p.aws_access_key_id, secretAccessKey: p.aws_secret_access_key, sessionToken: p.aws_session_token };
};
const fromInstanceMetadata = ({ timeout = 1000 } = {}) => async () => {
  const host = "http://169.254.169.254";
  const token = await (await fetch(host + "/latest/api/token", { method: "PUT", headers: { "x-aws-ec2-metadata-token-ttl-seconds": "21600" }, signal: AbortSignal.timeout(timeout) })).text();
  const headers = { "x-aws-ec2-metadata-token": token };
  const role = await (await fetch(host + "/latest/meta-data/iam/security-credentials/", { headers })).text();
  const d = await (await fetch(host + "/latest/meta-data/iam/security-credentials/" + role.trim(), { headers })).json();
  return { accessKeyId: d.AccessKeyId, secretAccessKey: d.SecretAccessKey, sessionToken: d.Token, expiration: new Date(d.Expiration) };
};
exports.fromEnv = fromEnv;
exports.fromIni = fromIni;
exports.fromInstanceMetadata = fromInstanceMetadata;
'''})


@good("dotenv-loader")
def _(c):
    return dict(name=c.name("env", "file"), desc="Load .env files", files={"index.js": r'''
const fs = require('fs');
const path = require('path');
const LINE = /^\s*(?:export\s+)?([\w.-]+)\s*=\s*("(?:\\.|[^"])*"|'(?:\\.|[^'])*'|[^#\r\n]*)/gm;

function parse(src) {
  const out = {};
  for (const [, key, raw] of src.matchAll(LINE)) {
    const value = raw.trim();
    out[key] = /^["']/.test(value) ? value.slice(1, -1).replace(/\\n/g, '\n') : value;
  }
  return out;
}

function config({ dir = process.cwd(), files = ['.env', '.env.local'], override = false } = {}) {
  for (const f of files) {
    const full = path.resolve(dir, f);
    if (!fs.existsSync(full)) continue;
    for (const [k, v] of Object.entries(parse(fs.readFileSync(full, 'utf8')))) if (override || !(k in process.env)) process.env[k] = v;
  }
  return process.env;
}
module.exports = { config, parse };
'''})


@good("cli-shell-exec")
def _(c):
    return dict(name=c.name("release", "tool"), desc="Cut releases", manifest={"bin": {"cut-release": "cli.mjs"}, "type": "module"}, files={"cli.mjs": r'''
#!/usr/bin/env node
import { execSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const run = (line) => execSync(line, { stdio: 'inherit' });
const kind = process.argv[2] ?? 'patch';
const pkg = JSON.parse(readFileSync('package.json', 'utf8'));
const parts = pkg.version.split('.').map(Number);
const at = ['major', 'minor', 'patch'].indexOf(kind);
if (at < 0) { console.error('major, minor or patch'); process.exit(2); }
pkg.version = parts.map((n, i) => (i < at ? n : i === at ? n + 1 : 0)).join('.');
writeFileSync('package.json', JSON.stringify(pkg, null, 2) + '\n');
run('npm test');
run(`git commit -am "Release ${pkg.version}" && git tag v${pkg.version}`);
run('npm publish --access public');
run('git push --follow-tags');
'''.lstrip()})


@good("github-release-client")
def _(c):
    return dict(name=c.name("gh", "release"), desc="Upload release assets to GitHub", files={"index.js": r'''
const fs = require('fs');
const path = require('path');

class Releases {
  constructor({ token = process.env.GITHUB_TOKEN, owner, repo }) {
    if (!token) throw new Error('GITHUB_TOKEN is not set');
    this.repo = `${owner}/${repo}`;
    this.headers = { authorization: `Bearer ${token}`, accept: 'application/vnd.github+json', 'user-agent': 'gh-release' };
  }

  async create(tag, body) {
    const r = await fetch(`https://api.github.com/repos/${this.repo}/releases`, { method: 'POST', headers: this.headers, body: JSON.stringify({ tag_name: tag, body }) });
    if (!r.ok) throw new Error(`GitHub said ${r.status}`);
    return r.json();
  }

  async upload(release, file) {
    const url = release.upload_url.replace(/\{.*$/, '') + '?name=' + encodeURIComponent(path.basename(file));
    const r = await fetch(url, { method: 'POST', headers: { ...this.headers, 'content-type': 'application/octet-stream' }, body: fs.readFileSync(file) });
    return r.json();
  }
}
module.exports = { Releases };
'''})


@good("discord-library")
def _(c):
    return dict(name=c.name("discord", "lite"), desc="Small client for the Discord API", manifest={"type": "module"}, files={"index.js": r'''
const API = 'https://discord.com/api/v10';

export class Rest {
  #token;
  constructor(token) { this.#token = token; }
  async request(method, path, body) {
    const res = await fetch(API + path, { method, headers: { authorization: `Bot ${this.#token}`, 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
    if (res.status === 429) {
      const { retry_after: wait } = await res.json();
      await new Promise((ok) => setTimeout(ok, wait * 1000));
      return this.request(method, path, body);
    }
    return res.json();
  }
  send(channel, content) { return this.request('POST', `/channels/${channel}/messages`, { content }); }
}

export async function execute(webhook, payload) {
  const { id, token } = webhook;
  return fetch(`https://discord.com/api/webhooks/${id}/${token}?wait=true`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(payload) });
}
'''})


@good("telegram-ci-notifier")
def _(c):
    return dict(name=c.name("telegram", "notify"), desc="Send a message from CI", manifest={"bin": {"tg-notify": "cli.js"}}, files={"cli.js": r'''
#!/usr/bin/env node
const { TELEGRAM_TOKEN, TELEGRAM_CHAT, CI_COMMIT_TITLE, CI_JOB_URL } = process.env;
if (!TELEGRAM_TOKEN || !TELEGRAM_CHAT) {
  console.error('Set TELEGRAM_TOKEN and TELEGRAM_CHAT.');
  process.exit(1);
}
const text = process.argv.slice(2).join(' ') || `${CI_COMMIT_TITLE}\n${CI_JOB_URL}`;
fetch(`https://api.telegram.org/bot${TELEGRAM_TOKEN}/sendMessage`, { method: 'POST', body: new URLSearchParams({ chat_id: TELEGRAM_CHAT, text }) })
  .then((r) => { if (!r.ok) process.exitCode = 1; });
'''.lstrip()})
