"""Benign npm packages with install hooks, credentials, system information or network clients, as popular ones have."""

import kit
from kit import Dice
from packages import Writer

GYP = r'''{
  "targets": [{
    "target_name": "addon",
    "sources": ["src/addon.cc"],
    "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
    "defines": ["NAPI_VERSION=8"]
  }]
}
'''
ADDON = '''#include <napi.h>

Napi::Value Sum(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), info[0].As<Napi::Number>().DoubleValue() + 1);
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("sum", Napi::Function::New(env, Sum));
  return exports;
}
NODE_API_MODULE(addon, Init)
'''


def hooks(w):
    w.npm("bundle-swift", "0.20.1", "install-optional-binary", "the hook checks which optional dependency holds the program and asks its version", {"install.js": r'''
'use strict';
const fs = require('fs');
const path = require('path');
const child_process = require('child_process');
const packages = { 'linux x64': '@bundle-swift/linux-x64', 'darwin arm64': '@bundle-swift/darwin-arm64', 'win32 x64': '@bundle-swift/win32-x64' };
const name = packages[`${process.platform} ${process.arch}`];
if (!name) throw new Error(`Unsupported platform: ${process.platform} ${process.arch}`);
const binary = require.resolve(`${name}/bin/bundle-swift`);
const version = child_process.execFileSync(binary, ['--version'], { stdio: 'pipe' }).toString().trim();
if (version !== require('./package.json').version) throw new Error(`Expected ${require('./package.json').version}, got ${version}`);
if (process.platform !== 'win32') {
  const to = path.join(__dirname, 'bin', 'bundle-swift');
  fs.linkSync(binary, to + '.tmp');
  fs.renameSync(to + '.tmp', to);
  fs.chmodSync(to, 0o755);
}
''', "bin/bundle-swift": "#!/usr/bin/env node\nrequire('../index.js');\n"}, {"scripts": {"postinstall": "node install.js"}, "optionalDependencies": {"@bundle-swift/linux-x64": "0.20.1", "@bundle-swift/darwin-arm64": "0.20.1", "@bundle-swift/win32-x64": "0.20.1"}})
    w.npm("image-resize-native", "0.33.2", "native-addon", "checks for a prebuilt library, else compiles", {"install/check.js": ''''use strict';
try {
  const { isPrebuilt } = require('../lib/platform');
  process.exit(isPrebuilt() ? 0 : 1);
} catch (err) {
  console.error(err.message);
  process.exit(1);
}
''', "lib/platform.js": "exports.isPrebuilt = () => { try { require.resolve('@image/linux-x64'); return true; } catch { return false; } };\n", "binding.gyp": GYP, "src/addon.cc": ADDON}, {"scripts": {"install": "node install/check || npm run build", "build": "node-gyp rebuild --directory=src"}})
    w.npm("better-queue-sqlite", "9.4.0", "native-addon", "prebuild-install or node-gyp", {"binding.gyp": GYP, "src/addon.cc": ADDON, "index.js": "module.exports = require('bindings')('addon');\n"}, {"scripts": {"install": "prebuild-install || node-gyp rebuild --release"}, "dependencies": {"bindings": "^1.5.0", "prebuild-install": "^7.1.1"}})
    w.npm("fs-events-lite", "2.3.3", "native-addon", "a binding file alone", {"binding.gyp": GYP, "src/addon.cc": ADDON}, {"gypfile": True, "os": ["darwin"], "scripts": {"install": "node-gyp rebuild"}})
    w.npm("error-cli", "2.31.0", "install-verified-download", "downloads its own program from its releases and compares the SHA-256 written in the package", {"scripts/install.js": r'''
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const path = require('path');
const https = require('https');
const pkg = require('../package.json');
const CHECKSUMS = require('../checksums.json');
if (process.env.ERRORCLI_SKIP_DOWNLOAD === '1') { console.log('Skipping download because ERRORCLI_SKIP_DOWNLOAD=1 detected.'); process.exit(0); }
const CDN = process.env.npm_config_errorcli_cdnurl || 'https://github.com/errortools/error-cli/releases/download';
const name = `error-cli-${process.platform}-${process.arch}`;
const out = path.resolve(__dirname, '..', 'error-cli');
function get(url, done, hops = 0) {
  https.get(url, { headers: { 'user-agent': `${pkg.name}/${pkg.version}` } }, (res) => {
    if ([301, 302].includes(res.statusCode) && hops < 5) return get(res.headers.location, done, hops + 1);
    if (res.statusCode !== 200) throw new Error(`Received ${res.statusCode} from ${url}`);
    const parts = [];
    res.on('data', (p) => parts.push(p)).on('end', () => done(Buffer.concat(parts)));
  });
}
get(`${CDN}/${pkg.version}/${name}`, (data) => {
  const sum = crypto.createHash('sha256').update(data).digest('hex');
  if (sum !== CHECKSUMS[name]) throw new Error(`Checksum validation for ${name} failed`);
  fs.writeFileSync(out, data, { mode: 0o755 });
});
''', "checksums.json": kit.js({"error-cli-linux-x64": Dice("ec1").hex(64), "error-cli-darwin-arm64": Dice("ec2").hex(64)})}, {"scripts": {"postinstall": "node scripts/install.js"}})
    w.npm("puppet-browser", "21.5.0", "install-verified-download", "downloads a browser that it drives; can be skipped; checks integrity", {"install.mjs": r'''
import { Browser, install, resolveBuildId, detectBrowserPlatform } from '@puppet/browsers';
if (process.env.PUPPET_SKIP_DOWNLOAD) {
  console.log('**INFO** Skipping browser download as instructed.');
} else {
  const platform = detectBrowserPlatform();
  const buildId = await resolveBuildId(Browser.CHROME, platform, 'stable');
  const result = await install({ browser: Browser.CHROME, cacheDir: process.env.PUPPET_CACHE_DIR, platform, buildId, downloadProgressCallback: 'default' });
  console.log(`Chrome (${result.buildId}) downloaded to ${result.path}`);
}
'''}, {"scripts": {"postinstall": "node install.mjs"}, "type": "commonjs"})
    w.npm("desktop-shell", "31.0.2", "install-verified-download", "fetches its program with a checksum file and unpacks it beside itself", {"install.js": r'''
#!/usr/bin/env node
const { downloadArtifact } = require('@desktop/get');
const extract = require('extract-zip');
const fs = require('fs');
const path = require('path');
const { version } = require('./package');
if (process.env.DESKTOP_SKIP_BINARY_DOWNLOAD) process.exit(0);
downloadArtifact({ version, artifactName: 'desktop', checksums: require('./checksums.json'), platform: process.env.npm_config_platform || process.platform, arch: process.env.npm_config_arch || process.arch })
  .then((zip) => extract(zip, { dir: process.env.DESKTOP_DIST || path.join(__dirname, 'dist') }))
  .then(() => fs.promises.writeFile(path.join(__dirname, 'path.txt'), 'desktop'))
  .catch((err) => { console.error(err.stack); process.exit(1); });
''', "checksums.json": kit.js({"desktop-linux-x64.zip": Dice("ds").hex(64)})}, {"scripts": {"postinstall": "node install.js"}})
    w.npm("git-hooks-easy", "8.0.3", "install-prepare", "a prepare script points git at a folder of hooks", {"index.js": '''const c = require('child_process');
const fs = require('fs');
module.exports = (d = '.husky') => {
  if (process.env.HUSKY === '0') return 'HUSKY=0 skip install';
  if (!fs.existsSync('.git')) return ".git can't be found";
  const { status, stderr } = c.spawnSync('git', ['config', 'core.hooksPath', `${d}/_`]);
  if (status) return '' + stderr;
  fs.mkdirSync(`${d}/_`, { recursive: true });
  fs.writeFileSync(`${d}/_/.gitignore`, '*');
  return '';
};
'''}, {"scripts": {"prepare": "node -e \"require('./index.js')()\" && npm run build", "build": "tsc -p ."}})
    w.npm("standard-shims", "3.36.0", "install-message", "a hook that prints thanks and a request for support", {"postinstall.js": r'''
/* eslint-disable max-len -- for better formatting */
var fs = require('fs');
var os = require('os');
var path = require('path');
var env = process.env;
var ADBLOCK = is(env.ADBLOCK);
var COLOR = is(env.npm_config_color);
var DISABLE_OPENCOLLECTIVE = is(env.DISABLE_OPENCOLLECTIVE);
var SILENT = ['silent', 'error', 'warn'].indexOf(env.npm_config_loglevel) !== -1;
var OPEN_SOURCE_CONTRIBUTOR = is(env.OPEN_SOURCE_CONTRIBUTOR);
var CI = ['BUILD_NUMBER', 'CI', 'CONTINUOUS_INTEGRATION', 'DRONE', 'RUN_ID'].some(function (it) { return is(env[it]); });
var BANNER = '\u001B[96mThank you for using standard-shims (\u001B[94m https://shims.example \u001B[96m)!\u001B[0m\n';
function is(it) { return !!it && it !== '0' && it !== 'false'; }
function isBannerRequired() {
  if (ADBLOCK || CI || DISABLE_OPENCOLLECTIVE || SILENT || OPEN_SOURCE_CONTRIBUTOR) return false;
  var file = path.join(os.tmpdir(), 'standard-shims-banners');
  try { if (Date.now() - fs.statSync(file).mtime < 60000) return false; } catch (error) { /* first time */ }
  try { fs.writeFileSync(file, '[]', 'utf8'); } catch (error) { /* read-only */ }
  return true;
}
if (isBannerRequired()) console.log(COLOR ? BANNER : BANNER.replace(/\u001B\[\d+m/g, ''));
'''}, {"scripts": {"postinstall": "node -e \"try{require('./postinstall')}catch(e){}\""}})
    w.npm("monorepo-starter", "1.0.0", "install-guard", "refuses other package managers", {}, {"scripts": {"preinstall": "npx only-allow pnpm", "postinstall": "patch-package", "prepare": "husky"}})
    w.npm("proto-runtime", "7.2.6", "install-message", "a hook that looks at the installed version and warns", {"scripts/postinstall.js": r''''use strict';
const path = require('path');
const pkg = require(path.join(__dirname, '..', 'package.json'));
// warn about a missing version range
if (pkg.versionScheme === '~') {
  const dep = pkg._where && require(path.join(pkg._where, 'package.json'));
  const range = dep && dep.dependencies && dep.dependencies[pkg.name];
  if (range && range.charAt(0) === '^') process.stderr.write('\n WARN proto-runtime is versioned with ~\n');
}
'''}, {"scripts": {"postinstall": "node scripts/postinstall"}})
    w.npm("orm-client", "5.10.0", "install-codegen", "a hook that generates a client from the project's schema", {"scripts/postinstall.js": r'''
const { spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const root = process.env.INIT_CWD || process.cwd();
const schema = ['schema.orm', 'orm/schema.orm'].map((p) => path.join(root, p)).find((p) => fs.existsSync(p));
if (schema && !process.env.ORM_SKIP_POSTINSTALL_GENERATE) {
  const r = spawnSync(process.execPath, [require.resolve('../build/index.js'), 'generate', '--schema', schema], { stdio: 'inherit', cwd: root });
  process.exit(r.status ?? 0);
}
''', "build/index.js": "console.log('generated');\n"}, {"scripts": {"postinstall": "node scripts/postinstall.js"}})


def credentials(w):
    w.npm("env-file", "16.4.5", "env-read", "loads a settings file into the environment", r'''
const fs = require('fs');
const path = require('path');
const LINE = /^\s*(?:export\s+)?([\w.-]+)\s*=\s*(.*)?\s*$/gm;
module.exports.parse = (src) => Object.fromEntries([...src.matchAll(LINE)].map((m) => [m[1], (m[2] || '').replace(/^(['"`])([\s\S]*)\1$/, '$2')]));
module.exports.config = function ({ path: p = path.resolve(process.cwd(), '.env'), processEnv = process.env } = {}) {
  const parsed = module.exports.parse(fs.readFileSync(p, 'utf8'));
  for (const key of Object.keys(parsed)) if (!(key in processEnv)) processEnv[key] = parsed[key];
  return { parsed };
};
''')
    w.npm("cloud-sdk-credentials", "3.500.0", "credential-provider", "finds credentials to sign requests to the cloud's own API", {"lib/ini.js": r'''
'use strict';
const { homedir } = require('os');
const { join } = require('path');
const { readFile } = require('fs/promises');
exports.fromIni = ({ profile = process.env.AWS_PROFILE || 'default', filepath = process.env.AWS_SHARED_CREDENTIALS_FILE || join(homedir(), '.aws', 'credentials') } = {}) => async () => {
  const sections = {}; let current;
  for (const line of (await readFile(filepath, 'utf8')).split(/\r?\n/)) {
    const head = /^\s*\[([^\]]+)\]/.exec(line); const pair = /^\s*([^=]+?)\s*=\s*(.+?)\s*$/.exec(line);
    if (head) current = sections[head[1]] = {}; else if (pair && current) current[pair[1]] = pair[2];
  }
  const found = sections[profile];
  if (!found) throw new Error(`Could not load credentials of profile ${profile}`);
  return { accessKeyId: found.aws_access_key_id, secretAccessKey: found.aws_secret_access_key, sessionToken: found.aws_session_token };
};
exports.fromEnv = () => async () => ({ accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY });
''', "lib/sign.js": r'''
'use strict';
const { createHmac, createHash } = require('crypto');
const h = (k, d) => createHmac('sha256', k).update(d).digest();
exports.sign = (req, cred, region, service, date) => {
  const day = date.slice(0, 8);
  const key = [day, region, service, 'aws4_request'].reduce(h, 'AWS4' + cred.secretAccessKey);
  const scope = `${day}/${region}/${service}/aws4_request`;
  const canonical = [req.method, req.path, '', `host:${req.hostname}\n`, 'host', createHash('sha256').update(req.body || '').digest('hex')].join('\n');
  const text = ['AWS4-HMAC-SHA256', date, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  return { ...req, headers: { ...req.headers, authorization: `AWS4-HMAC-SHA256 Credential=${cred.accessKeyId}/${scope}, SignedHeaders=host, Signature=${h(key, text).toString('hex')}` } };
};
''', "index.js": "module.exports = { ...require('./lib/ini'), ...require('./lib/sign') };\n"})
    w.npm("instance-metadata", "3.2.0", "imds-client", "asks the machine's metadata service for role credentials and returns them to its caller", {"index.js": r'''
'use strict';
const http = require('http');
function request(options) {
  return new Promise((resolve, reject) => {
    const req = http.request({ method: 'GET', host: '169.254.169.254', timeout: 1000, ...options }, (res) => {
      if (res.statusCode >= 300) return reject(Object.assign(new Error('Error response received from instance metadata service'), { statusCode: res.statusCode }));
      const chunks = [];
      res.on('data', (c) => chunks.push(c)).on('end', () => resolve(Buffer.concat(chunks)));
    });
    req.on('timeout', () => req.destroy(new Error('TimeoutError from instance metadata service')));
    req.on('error', reject);
    req.end();
  });
}
exports.fromInstanceMetadata = () => async () => {
  if (process.env.AWS_EC2_METADATA_DISABLED === 'true') throw new Error('metadata disabled');
  const token = (await request({ path: '/latest/api/token', method: 'PUT', headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '21600' } })).toString();
  const headers = { 'x-aws-ec2-metadata-token': token };
  const path = '/latest/meta-data/iam/security-credentials/';
  const profile = (await request({ path, headers })).toString().trim();
  const c = JSON.parse((await request({ path: path + profile, headers })).toString());
  return { accessKeyId: c.AccessKeyId, secretAccessKey: c.SecretAccessKey, sessionToken: c.Token, expiration: new Date(c.Expiration) };
};
'''})
    w.npm("registry-auth-token", "5.0.2", "credential-provider", "reads the login of a registry from the client's file for its caller", r'''
const fs = require('fs');
const os = require('os');
const path = require('path');
module.exports = function (registry, { npmrc = path.join(os.homedir(), '.npmrc') } = {}) {
  const text = fs.existsSync(npmrc) ? fs.readFileSync(npmrc, 'utf8') : '';
  const key = registry.replace(/^https?:/, '') + ':_authToken=';
  const line = text.split('\n').find((l) => l.startsWith(key));
  if (!line) return undefined;
  return { token: line.slice(key.length).replace(/\$\{([^}]+)\}/g, (_, n) => process.env[n] || ''), type: 'Bearer' };
};
''')
    w.npm("kube-client-node", "0.20.0", "credential-provider", "reads the cluster configuration and talks to that cluster", r'''
const fs = require('fs'), https = require('https'), os = require('os'), path = require('path');
const SA = '/var/run/secrets/kubernetes.io/serviceaccount';
class Config {
  loadFromDefault() {
    if (fs.existsSync(`${SA}/token`)) return this.loadFromCluster();
    const yaml = require('js-yaml');
    this.doc = yaml.load(fs.readFileSync(process.env.KUBECONFIG || path.join(os.homedir(), '.kube', 'config'), 'utf8'));
  }
  loadFromCluster() {
    this.server = `https://${process.env.KUBERNETES_SERVICE_HOST}:${process.env.KUBERNETES_SERVICE_PORT}`;
    this.token = fs.readFileSync(`${SA}/token`, 'utf8');
    this.ca = fs.readFileSync(`${SA}/ca.crt`);
  }
  get(p) { return new Promise((ok, no) => https.get(this.server + p, { ca: this.ca, headers: { authorization: `Bearer ${this.token}` } }, ok).on('error', no)); }
}
module.exports = { Config };
''')
    w.npm("keyring-node", "7.9.0", "keyring", "stores passwords in the system's keyring", {"index.js": '''const keyring = require('./build/Release/keyring.node');

function check(v, n) { if (!v || !v.length) throw new Error(n + ' is required.'); }
module.exports = {
  getPassword(service, account) { check(service, 'Service'); return new Promise((ok, no) => keyring.getPassword(service, account, (e, v) => (e ? no(e) : ok(v)))); },
  setPassword(service, account, password) { check(password, 'Password'); return keyring.setPassword(service, account, password); },
  findCredentials(service) { return keyring.findCredentials(service); },
};
''', "binding.gyp": GYP, "src/addon.cc": ADDON}, {"scripts": {"install": "prebuild-install || npm run build", "build": "node-gyp rebuild"}})
    w.npm("ssh-tunnel-easy", "2.1.0", "ssh-client", "logs in with a key that its caller names", r'''
const { Client } = require('ssh2');
const fs = require('fs');
module.exports = ({ host, username, privateKeyPath = `${process.env.HOME}/.ssh/id_rsa`, passphrase, dst }) => new Promise((resolve, reject) => {
  const c = new Client();
  c.on('ready', () => c.forwardOut('127.0.0.1', 0, dst.host, dst.port, (e, s) => (e ? reject(e) : resolve(s))));
  c.on('error', reject);
  c.connect({ host, username, privateKey: fs.readFileSync(privateKeyPath), passphrase });
});
''')


def system(w):
    w.npm("ci-detect", "4.0.0", "env-read", "tells which build service it runs on", '''
const env = process.env;
const vendors = [['GitHub Actions', 'GITHUB_ACTIONS'], ['GitLab CI', 'GITLAB_CI'], ['CircleCI', 'CIRCLECI'], ['Travis CI', 'TRAVIS'], ['Jenkins', 'JENKINS_URL'], ['Vercel', 'VERCEL']];
exports.name = (vendors.find(([, k]) => k in env) || [null])[0];
exports.isCI = !!(env.CI !== 'false' && (env.CI || env.BUILD_ID || env.BUILD_NUMBER || exports.name));
exports.isPR = !!env.GITHUB_EVENT_NAME && env.GITHUB_EVENT_NAME === 'pull_request';
''')
    w.npm("env-report", "7.11.0", "system-information", "prints system and tool versions for bug reports", {"cli.js": r'''#!/usr/bin/env node
const os = require('os');
const { execSync } = require('child_process');
const run = (c) => { try { return execSync(c, { stdio: ['ignore', 'pipe', 'ignore'] }).toString().trim(); } catch { return 'Not Found'; } };
console.log('  System:');
console.log(`    OS: ${os.type()} ${os.release()}`);
console.log(`    CPU: (${os.cpus().length}) ${os.arch()} ${os.cpus()[0].model}`);
console.log(`    Shell: ${process.env.SHELL}`);
console.log('  Binaries:');
for (const b of ['node', 'npm', 'yarn', 'git', 'docker']) console.log(`    ${b}: ${run(b + ' --version')} - ${run('command -v ' + b)}`);
'''}, {"bin": {"env-report": "cli.js"}})
    w.npm("system-facts", "5.22.0", "system-information", "asks the operating system about hardware, users and networks", r'''
const os = require('os');
const { exec } = require('child_process');
const sh = (cmd) => new Promise((ok) => exec(cmd, { maxBuffer: 1 << 24 }, (e, out) => ok(e ? '' : out.toString())));
const darwin = process.platform === 'darwin';
exports.uuid = async () => ({ os: darwin ? (await sh('ioreg -rd1 -c IOPlatformExpertDevice | grep IOPlatformUUID')).split('"')[3] : (await sh('cat /var/lib/dbus/machine-id /etc/machine-id 2>/dev/null | head -n 1')).trim(), macs: Object.values(os.networkInterfaces()).flat().map((i) => i.mac) });
exports.users = async () => (await sh('who --ips')).split('\n').filter(Boolean).map((l) => ({ user: l.split(/\s+/)[0] }));
exports.processes = async () => (await sh('ps -axo pid,ppid,pcpu,pmem,comm')).split('\n').slice(1);
exports.networkConnections = async () => sh(darwin ? 'netstat -natvln' : 'ss -tunap');
exports.wifi = async () => sh('nmcli -t device wifi list');
''')
    w.npm("machine-ident", "3.0.1", "system-information", "a stable identifier of the machine, for licences", r'''
const { execSync } = require('child_process');
const { createHash } = require('crypto');
const guid = { darwin: 'ioreg -rd1 -c IOPlatformExpertDevice', win32: `${process.env.windir || ''}\\System32\\REG.exe QUERY HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Cryptography /v MachineGuid`, linux: '( cat /var/lib/dbus/machine-id /etc/machine-id 2> /dev/null || hostname ) | head -n 1 || :' };
module.exports = (original) => { const id = execSync(guid[process.platform]).toString().trim(); return original ? id : createHash('sha256').update(id).digest('hex'); };
''')
    w.npm("update-note", "7.0.0", "update-check", "asks the registry for a newer version, once a day, and prints a line", r'''
const { spawn } = require('child_process');
const path = require('path');
const fs = require('fs');
const os = require('os');
class Notifier {
  constructor({ pkg, interval = 86400000 }) { this.pkg = pkg; this.interval = interval; this.file = path.join(os.tmpdir(), `update-note-${pkg.name}.json`); }
  check() {
    if ('NO_UPDATE_NOTIFIER' in process.env || process.env.NODE_ENV === 'test' || process.argv.includes('--no-update-notifier')) return;
    let last = {}; try { last = JSON.parse(fs.readFileSync(this.file)); } catch {}
    if (last.latest && last.latest !== this.pkg.version) console.error(`Update available ${this.pkg.version} -> ${last.latest}`);
    if (Date.now() - (last.when || 0) < this.interval) return;
    spawn(process.execPath, [path.join(__dirname, 'check.js'), this.pkg.name, this.file], { detached: true, stdio: 'ignore' }).unref();
  }
}
module.exports = (options) => { const n = new Notifier(options); n.check(); return n; };
''')
    w.npm("frame-telemetry", "14.1.0", "telemetry", "counts uses after the user agreed; says what it sends; can be switched off", {"lib/telemetry.js": r'''
'use strict';
const { createHash, randomBytes } = require('crypto');
const Conf = require('conf');
const URL = 'https://telemetry.frame.example/api/v1/record';
class Telemetry {
  constructor() { this.conf = new Conf({ projectName: 'frame' }); this.disabled = !!process.env.FRAME_TELEMETRY_DISABLED; }
  get enabled() { return !this.disabled && this.conf.get('telemetry.enabled') === true; }
  record(event, { durationMs, version }) {
    if (process.env.FRAME_TELEMETRY_DEBUG) { console.error('[telemetry]', JSON.stringify({ event, durationMs, version })); return; }
    if (!this.enabled) return;
    const anonymousId = this.conf.get('telemetry.id') || randomBytes(32).toString('hex');
    const projectId = createHash('sha256').update(process.cwd()).digest('hex');
    return fetch(URL, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ anonymousId, projectId, events: [{ event, durationMs, version, platform: process.platform }] }) }).catch(() => {});
  }
}
module.exports = { Telemetry };
''', "TELEMETRY.md": "# Telemetry\n\nOff until you run `frame telemetry enable`. No environment values, paths or names are sent.\n"})


def clients(w):
    w.npm("discord-rest-lite", "14.0.0", "api-client", "a chat service's client whose token is given by the caller", r'''
class REST {
  constructor({ version = '10', api = 'https://discord.com/api' } = {}) { this.base = `${api}/v${version}`; this.token = null; }
  setToken(token) { this.token = token; return this; }
  async request(method, route, body) {
    const res = await fetch(this.base + route, { method, headers: { authorization: `Bot ${this.token}`, 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
    if (res.status === 429) { const { retry_after: wait } = await res.json(); await new Promise((ok) => setTimeout(ok, 1000 * wait)); return this.request(method, route, body); }
    return res.json();
  }
}
class WebhookClient {
  constructor({ id, token, url }) { if (url) [, id, token] = url.match(/\/api\/(?:v\d+\/)?webhooks\/(\d+)\/([\w-]+)/); Object.assign(this, { id, token }); }
  send(content) { return fetch(`https://discord.com/api/webhooks/${this.id}/${this.token}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ content }) }); }
}
module.exports = { REST, WebhookClient };
''')
    w.npm("telegram-bot-mini", "0.66.0", "api-client", "a chat service's client whose token is given by the caller", '''
const FormData = require('form-data');
class TelegramBot {
  constructor(token, options = {}) { this.token = token; this.base = options.baseApiUrl || 'https://api.telegram.org'; }
  _call(method, form) { return fetch(`${this.base}/bot${this.token}/${method}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(form) }).then((r) => r.json()); }
  sendMessage(chat_id, text, form = {}) { return this._call('sendMessage', { chat_id, text, ...form }); }
  sendDocument(chat_id, doc) { const f = new FormData(); f.append('chat_id', chat_id); f.append('document', doc); return fetch(`${this.base}/bot${this.token}/sendDocument`, { method: 'POST', body: f }); }
  async *poll() { for (let offset = 0; ;) for (const u of (await this._call('getUpdates', { offset, timeout: 30 })).result) { offset = u.update_id + 1; yield u; } }
}
module.exports = TelegramBot;
''')
    w.npm("slack-hook-send", "7.0.0", "api-client", "posts to the webhook that the caller names", '''
const axios = require('axios');
class IncomingWebhook {
  constructor(url = process.env.SLACK_WEBHOOK_URL, defaults = {}) { if (!url) throw new Error('Incoming webhook URL is required'); this.url = url; this.defaults = defaults; this.axios = axios.create({ maxRedirects: 0, headers: { 'User-Agent': `slack-hook-send/7 node/${process.version.replace('v', '')} ${require('os').platform()}` } }); }
  send(message) { return this.axios.post(this.url, { ...this.defaults, ...(typeof message === 'string' ? { text: message } : message) }); }
}
module.exports = { IncomingWebhook };
''')
    w.npm("http-ask", "1.6.2", "http-client", "an HTTP client", '''
const http = require('http');
const https = require('https');
module.exports = function ask(url, { method = 'GET', headers = {}, body, auth } = {}) {
  const u = new URL(url);
  return new Promise((ok, no) => {
    const r = (u.protocol === 'https:' ? https : http).request(u, { method, headers, auth }, (res) => { const p = []; res.on('data', (c) => p.push(c)); res.on('end', () => ok({ status: res.statusCode, body: Buffer.concat(p) })); });
    r.on('error', no);
    if (body) r.write(typeof body === 'string' ? body : JSON.stringify(body));
    r.end();
  });
};
module.exports.proxy = () => process.env.HTTPS_PROXY || process.env.https_proxy || process.env.NO_PROXY;
''')
    w.npm("log-shipper", "3.11.0", "configured-logger", "sends log lines to the address in its options", r'''
const https = require('https');
const os = require('os');
module.exports = class HttpTransport {
  constructor({ host, path = '/', auth, ssl = true, batchInterval = 5000 }) { Object.assign(this, { host, path, auth, queue: [] }); this.timer = setInterval(() => this.flush(), batchInterval).unref(); }
  log(info, next) { this.queue.push({ ...info, hostname: os.hostname(), pid: process.pid, env: process.env.NODE_ENV }); next(); }
  flush() {
    if (!this.queue.length) return;
    const req = https.request({ host: this.host, path: this.path, method: 'POST', auth: this.auth && `${this.auth.username}:${this.auth.password}`, headers: { 'Content-Type': 'application/json' } });
    req.on('error', () => {});
    req.end(JSON.stringify(this.queue.splice(0)));
  }
};
''')
    w.npm("crash-reporter-sdk", "8.2.0", "configured-logger", "sends errors to the project address that the application sets", r'''
const os = require('os');
let dsn;
exports.init = (options) => { dsn = new URL(options.dsn || process.env.CRASH_DSN); process.on('uncaughtException', (e) => { exports.captureException(e); }); };
exports.captureException = (error) => dsn && fetch(`${dsn.protocol}//${dsn.host}/api${dsn.pathname}/store/`, { method: 'POST', headers: { 'X-Auth': `sentry_key=${dsn.username}` }, body: JSON.stringify({ exception: { type: error.name, value: error.message, stack: error.stack }, server_name: os.hostname(), contexts: { os: { name: os.platform(), version: os.release() }, runtime: { name: 'node', version: process.version } } }) });
''')
    w.npm("socket-lite", "8.16.0", "http-client", "a websocket client", r'''
const net = require('net'), tls = require('tls'), crypto = require('crypto'), { EventEmitter } = require('events');
module.exports = class Socket extends EventEmitter {
  constructor(address) { super(); const u = new URL(address); const key = crypto.randomBytes(16).toString('base64'); const s = (u.protocol === 'wss:' ? tls : net).connect({ host: u.hostname, port: u.port || (u.protocol === 'wss:' ? 443 : 80) }); s.on('connect', () => s.write(`GET ${u.pathname} HTTP/1.1\r\nHost: ${u.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`)); s.on('data', (d) => this.emit('message', d)); s.on('error', (e) => this.emit('error', e)); this.socket = s; }
  close() { this.socket.end(); }
};
''')
    w.npm("fetch-intercept-lite", "3.0.0", "http-client", "lets the application change its own requests", {"browser.js": '''var list = [];
var real = window.fetch;
window.fetch = function (input, init) {
  var p = Promise.resolve([input, init]);
  list.forEach(function (i) { if (i.request) p = p.then(function (a) { return i.request.apply(null, a); }); });
  p = p.then(function (a) { return real.apply(window, a); });
  list.forEach(function (i) { p = p.then(i.response || function (r) { return r; }, i.responseError); });
  return p;
};
module.exports = { register: function (i) { list.push(i); return function () { list.splice(list.indexOf(i), 1); }; } };
'''}, {"browser": "browser.js"})
    w.npm("apm-hooks", "4.3.0", "configured-logger", "wraps modules to measure them for a collector of the user's", '''
const Module = require('module');
const original = Module.prototype.require;
const hooks = new Map();
exports.hook = (name, fn) => hooks.set(name, fn);
exports.start = () => {
  Module.prototype.require = function (id) { const m = original.apply(this, arguments); const fn = hooks.get(id); return fn ? fn(m) : m; };
};
exports.hook('http', (http) => { const r = http.request; http.request = function (o, ...a) { const t = process.hrtime.bigint(); const q = r.call(http, o, ...a); q.on('response', () => exports.onSpan?.({ host: o.host, ns: process.hrtime.bigint() - t })); return q; }; return http; });
exports.endpoint = () => process.env.OTEL_EXPORTER_OTLP_ENDPOINT || 'http://localhost:4318';
''')
    w.npm("web-vitals-beacon", "1.2.0", "configured-logger", "page timings sent to the address that the page sets", {"browser.js": '''export function report(url, sample) {
  addEventListener('visibilitychange', () => {
    if (document.visibilityState !== 'hidden' || Math.random() > (sample || 1)) return;
    const [n] = performance.getEntriesByType('navigation');
    navigator.sendBeacon(url, JSON.stringify({ ttfb: n.responseStart, dcl: n.domContentLoadedEventEnd, path: location.pathname }));
  });
}
'''}, {"browser": "browser.js"})


def build(items):
    writer = Writer(items, "good")
    hooks(writer)
    credentials(writer)
    system(writer)
    clients(writer)
