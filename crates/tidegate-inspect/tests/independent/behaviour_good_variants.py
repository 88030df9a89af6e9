"""Harder benign packages: what they do looks bad at a glance and is their open, expected trade."""

import base64
import json
import zlib

import kit
import shapes
from kit import Dice
from packages import Writer


def npm(w):
    w.npm("esm-config-env", "3.0.0", "env-read", "an ES module that reads named variables", {"index.mjs": '''import { env } from 'node:process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';

export const load = async (name) => {
  const file = new URL(`file://${homedir()}/.config/${name}/config.json`);
  const saved = JSON.parse(await readFile(file, 'utf8').catch(() => '{}'));
  return { token: env[`${name.toUpperCase()}_TOKEN`] ?? saved.token, host: env[`${name.toUpperCase()}_HOST`] ?? saved.host };
};
'''}, {"exports": "./index.mjs", "type": "module", "main": "index.mjs"})
    w.npm("gh-cli-lite", "2.1.0", "api-client", "sends the user's token to the service it belongs to", {"lib/auth.js": ''''use strict';
const { execFileSync } = require('child_process');
exports.token = () => process.env.GITHUB_TOKEN || process.env.GH_TOKEN || execFileSync('gh', ['auth', 'token'], { encoding: 'utf8' }).trim();
''', "lib/api.js": ''''use strict';
const { token } = require('./auth');
module.exports = async (method, path, body) => {
  const res = await fetch('https://api.github.com' + path, { method, headers: { authorization: 'Bearer ' + token(), accept: 'application/vnd.github+json' }, body: body && JSON.stringify(body) });
  if (!res.ok) throw new Error(`${res.status} ${path}`);
  return res.json();
};
''', "cli.js": '''#!/usr/bin/env node
const api = require('./lib/api');
const [, , verb, name] = process.argv;
if (verb === 'create') api('POST', '/user/repos', { name, private: true }).then((r) => console.log(r.html_url));
else api('GET', '/user/repos').then((l) => l.forEach((r) => console.log(r.full_name)));
'''}, {"bin": {"ghl": "cli.js"}})
    w.npm("node-repl-remote", "1.3.0", "terminal", "offers its own interpreter on a local socket to whoever starts it", '''
const net = require('net');
const repl = require('repl');
// Binds to this machine alone. See README about tunnels.
module.exports = ({ port = 5001, host = '127.0.0.1', context = {} } = {}) => net.createServer((socket) => {
  const r = repl.start({ prompt: 'app> ', input: socket, output: socket, terminal: true });
  Object.assign(r.context, context);
  r.on('exit', () => socket.end());
}).listen(port, host);
''')
    w.npm("web-terminal", "5.3.0", "terminal", "shows a shell in a page through a websocket, for signed-in users", {"server.js": r'''const pty = require('node-pty');
const { WebSocketServer } = require('ws');
module.exports = (server, { authorise, shell = process.env.SHELL || 'bash' }) => {
  const wss = new WebSocketServer({ noServer: true });
  server.on('upgrade', async (req, socket, head) => {
    if (!(await authorise(req))) { socket.write('HTTP/1.1 401 Unauthorized\r\n\r\n'); return socket.destroy(); }
    wss.handleUpgrade(req, socket, head, (ws) => {
      const p = pty.spawn(shell, [], { name: 'xterm-color', cols: 80, rows: 24, cwd: process.env.HOME, env: process.env });
      p.onData((d) => ws.send(d));
      ws.on('message', (m) => p.write(m.toString()));
      ws.on('close', () => p.kill());
    });
  });
};
''', "index.js": "module.exports = require('./server');\n"})
    w.npm("agent-runner", "0.9.0", "assistant-tool", "starts an assistant's program with the flags that its user writes", {"index.js": ''''use strict';
const { spawn } = require('child_process');

/**
 * Runs an assistant over a prompt. `skipPermissions` is off unless the caller sets it,
 * and refused outside a container.
 */
module.exports = function run(prompt, { bin = 'claude', skipPermissions = false } = {}) {
  const args = ['-p', prompt, '--output-format', 'json'];
  if (skipPermissions) {
    if (!require('fs').existsSync('/.dockerenv')) throw new Error('skipPermissions needs a container');
    args.push('--dangerously-skip-permissions');
  }
  return spawn(bin, args, { stdio: ['ignore', 'pipe', 'inherit'] });
};
'''})
    w.npm("rules-templates", "2.2.0", "assistant-tool", "copies assistant rules into a project when told, after showing them", {"cli.js": '''#!/usr/bin/env node
const fs = require('fs');
const path = require('path');
const readline = require('readline/promises');
(async () => {
  const name = process.argv[2] || 'typescript';
  const text = fs.readFileSync(path.join(__dirname, 'rules', name + '.md'), 'utf8');
  console.log(text);
  const rl = readline.createInterface({ input: process.stdin, output: process.stdout });
  if ((await rl.question('Write to .cursorrules? [y/N] ')).toLowerCase() === 'y') fs.writeFileSync('.cursorrules', text, { flag: 'wx' });
  rl.close();
})();
''', "rules/typescript.md": "# TypeScript\n\n- Prefer `unknown` over `any`.\n- Never print secrets or read `.env` files.\n- Run the tests before you answer.\n", "rules/python.md": "# Python\n\n- Type every public function.\n"}, {"bin": {"rules-templates": "cli.js"}})
    w.npm("leak-finder", "3.1.0", "security-tool", "looks for secrets in the folder that its user names and prints where", {"index.js": r''''use strict';
const fs = require('fs');
const path = require('path');
const RULES = [/gh[pousr]_[A-Za-z0-9]{36}/, /AKIA[0-9A-Z]{16}/, /-----BEGIN [A-Z ]*PRIVATE KEY-----/, /_authToken=/];
function* walk(d) { for (const e of fs.readdirSync(d, { withFileTypes: true })) if (e.isDirectory()) { if (e.name !== 'node_modules') yield* walk(path.join(d, e.name)); } else yield path.join(d, e.name); }
module.exports = (root) => [...walk(root)].flatMap((f) => fs.readFileSync(f, 'utf8').split('\n').flatMap((l, i) => (RULES.some((r) => r.test(l)) ? [`${f}:${i + 1}`] : [])));
if (require.main === module) { const found = module.exports(process.argv[2] || '.'); found.forEach((f) => console.log(f)); process.exitCode = found.length ? 1 : 0; }
'''}, {"bin": {"leak-finder": "index.js"}})
    w.npm("clean-folders", "6.0.1", "file-tool", "deletes what its user names, never a home or a root", '''
const fs = require('fs'), os = require('os'), path = require('path');
module.exports = (patterns, { cwd = process.cwd(), dryRun = false } = {}) => patterns.map((p) => path.resolve(cwd, p)).filter((p) => {
  if (p === os.homedir() || p === path.parse(p).root || !p.startsWith(cwd + path.sep)) throw new Error(`refusing to delete ${p}`);
  if (!dryRun) fs.rmSync(p, { recursive: true, force: true });
  return true;
});
''')
    w.npm("time-zone-guess", "4.1.0", "words-only", "countries, zones and languages as data", {"zones.json": json.dumps({"Europe/Kyiv": "UA", "Europe/Minsk": "BY", "Europe/Moscow": "RU", "Asia/Tehran": "IR", "Asia/Shanghai": "CN"}), "index.js": ''''use strict';
const zones = require('./zones.json');
module.exports = () => { const z = Intl.DateTimeFormat().resolvedOptions().timeZone; return { zone: z, country: zones[z], rtl: /^(ar|fa|he)/.test(process.env.LANG || '') }; };
'''})
    w.npm("headless-detect", "1.5.0", "environment-check", "tells whether it runs in a container, a virtual machine or under a debugger", '''
const fs = require('fs');
const os = require('os');
const has = (f) => { try { fs.statSync(f); return true; } catch { return false; } };
module.exports = { docker: () => has('/.dockerenv') || /docker|containerd/.test(fs.existsSync('/proc/self/cgroup') ? fs.readFileSync('/proc/self/cgroup', 'utf8') : ''), wsl: () => /microsoft/i.test(os.release()), inspected: () => require('inspector').url() !== undefined, ci: () => 'CI' in process.env };
''')
    w.npm("source-protector", "2.0.0", "bundle", "a bundle with shortened names and a table of its texts, all of them harmless", {"dist/ui.js": "var _t=%s;function _(i){return _t[i]}!function(e){e.exports={open:_(0),close:_(1),labels:_t.slice(2)}}(module);\n" % json.dumps([Dice("sp%d" % i).words(2) for i in range(200)]), "index.js": "module.exports = require('./dist/ui.js');\n"})
    w.npm("long-lines", "1.1.0", "packed-data", "very long lines: a grammar's tables and an aligned comment far to the right", {"lib/grammar.js": "'use strict';\nmodule.exports = {\n  table: [%s],\n  symbols: { error: 2 },%s// generated, do not edit\n};\n" % (",".join(str(Dice("ll%d" % i).number(0, 999)) for i in range(4000)), " " * 240), "index.js": "module.exports = require('./lib/grammar');\n"})
    w.npm("data-uri-modules", "0.3.0", "code-generation", "turns text that its caller gives into a module through a data address", {"index.mjs": "export const fromText = (code) => import('data:text/javascript;charset=utf-8,' + encodeURIComponent(code));\nexport const worker = (code) => new Worker(new URL('data:text/javascript,' + encodeURIComponent(code)), { type: 'module' });\n"}, {"type": "module", "main": "index.mjs"})
    w.npm("npm-pack-fields", "1.0.0", "manifest-noise", "a manifest with the fields that older clients left behind", {}, {"_from": "npm-pack-fields@1.0.0", "_id": "npm-pack-fields@1.0.0", "_shasum": Dice("npf").hex(40), "_resolved": "https://registry.example/npm-pack-fields/-/npm-pack-fields-1.0.0.tgz", "gitHead": Dice("npf2").hex(40), "publishConfig": {"access": "public", "registry": "https://registry.example/"}})
    w.npm("serial-flash", "4.2.0", "dropped-binary-own", "writes firmware that it carries to a device that its user names", {"firmware/board.bin": b"\x7fELF\x01\x01\x01" + Dice("fw").raw(6000), "index.js": ''''use strict';
const fs = require('fs');
const path = require('path');
const crypto = require('crypto');
const DIGEST = require('./firmware/digest.json');
module.exports = (port) => {
  const image = fs.readFileSync(path.join(__dirname, 'firmware/board.bin'));
  if (crypto.createHash('sha256').update(image).digest('hex') !== DIGEST['board.bin']) throw new Error('firmware is damaged');
  for (let i = 0; i < image.length; i += 256) port.write(image.subarray(i, i + 256));
};
''', "firmware/digest.json": json.dumps({"board.bin": kit.sha256_hex(b"\x7fELF\x01\x01\x01" + Dice("fw").raw(6000))})})


def pypi(w):
    w.wheel("ctypes-libc", "1.2.0", "system-access", "thin bindings of the C library", '''import ctypes
import ctypes.util
import os

_libc = ctypes.CDLL(ctypes.util.find_library('c'), use_errno=True)


def prctl(option, *args):
    if _libc.prctl(option, *args) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def mount(source, target, fs):
    return _libc.mount(source.encode(), target.encode(), fs.encode(), 0, None)
''')
    w.wheel("plugin-entry", "4.0.0", "code-generation", "imports the plug-ins that other packages announce", '''import importlib
from importlib.metadata import entry_points


def load(group):
    return {e.name: e.load() for e in entry_points(group=group)}


def from_path(text):
    module, _, name = text.partition(':')
    return getattr(importlib.import_module(module), name) if name else importlib.import_module(module)


def lazy(name):
    return __import__(name, fromlist=['_'])
''')
    w.wheel("remote-exec-lib", "3.2.0", "exec-wrapper", "runs its caller's commands on its caller's machines", '''import asyncio
import subprocess


class Connection:
    def __init__(self, host, user=None):
        self.target = '%s@%s' % (user, host) if user else host

    def run(self, command):
        return subprocess.run(['ssh', '-o', 'BatchMode=yes', self.target, command], capture_output=True, text=True)

    async def run_async(self, command):
        p = await asyncio.create_subprocess_exec('ssh', self.target, command, stdout=asyncio.subprocess.PIPE)
        return (await p.communicate())[0]
''')
    w.wheel("ftp-mirror", "1.0.4", "http-client", "copies a folder that its caller names to a server that its caller names", '''import ftplib
import os


def mirror(folder, host, user, password):
    with ftplib.FTP_TLS(host, user, password) as ftp:
        ftp.prot_p()
        for base, _, names in os.walk(folder):
            for name in names:
                with open(os.path.join(base, name), 'rb') as f:
                    ftp.storbinary('STOR ' + name, f)
''')
    w.wheel("trace-env-report", "2.1.0", "system-information", "a report for bug trackers, printed, with secrets removed", '''import os
import platform
import re
import sys

SECRET = re.compile(r'key|token|secret|pass', re.I)


def report(out=sys.stdout):
    print(platform.platform(), sys.version, file=out)
    for name, value in sorted(os.environ.items()):
        print('%s=%s' % (name, '***' if SECRET.search(name) else value), file=out)
''')
    w.wheel("chain-reader", "6.11.0", "api-client", "reads contracts through a node that its caller names", '''import json
import urllib.request


class HTTPProvider:
    def __init__(self, endpoint):
        self.endpoint = endpoint

    def make_request(self, method, params):
        body = json.dumps({'jsonrpc': '2.0', 'id': 1, 'method': method, 'params': params}).encode()
        return json.loads(urllib.request.urlopen(urllib.request.Request(self.endpoint, body, {'Content-Type': 'application/json'})).read())['result']


def decode_string(data):
    raw = bytes.fromhex(data[2:])
    size = int.from_bytes(raw[32:64], 'big')
    return raw[64:64 + size].decode()
''')
    w.wheel("test-env-plugin", "1.1.3", "test-plugin", "a test plug-in that sets variables from the project's settings", {"PKG/plugin.py": '''import os

import pytest


def pytest_addoption(parser):
    parser.addini('env', type='linelist', help='variables to set', default=[])


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(args, early_config, parser):
    for line in early_config.getini('env'):
        key, _, value = line.partition('=')
        os.environ[key.strip()] = value.strip()
'''}, "[pytest11]\nenv = test_env_plugin.plugin\n")
    w.wheel("compressed-words", "2.0.0", "packed-data", "a word list compressed in base85, decoded into a set", "import base64\nimport zlib\n\n_DATA = %r\nWORDS = frozenset(zlib.decompress(base64.b85decode(_DATA)).decode().split())\n" % base64.b85encode(zlib.compress(" ".join(kit.WORDS * 3).encode())).decode())
    w.wheel("model-pickles", "1.3.0", "serialiser", "a model of plain numbers in a pickle", {"PKG/coefficients.pkl": __import__("pickle").dumps({"weights": [i / 7 for i in range(200)], "classes": ["a", "b"]}, protocol=4), "PKG/__init__.py": "import pickle\nimport pkgutil\n\nMODEL = pickle.loads(pkgutil.get_data(__name__, 'coefficients.pkl'))\n"})
    w.sdist("attr-version", "0.6.0", "version-exec", "the version is an attribute of a module without effects", {"setup.cfg": "[metadata]\nname = {NAME}\nversion = attr: attr_version.about.version\n\n[options]\npackages = find:\n", "setup.py": "from setuptools import setup\nsetup()\n", "PKG/about.py": "version = '0.6.0'\n"})
    w.sdist("conditional-deps", "3.3.0", "setup-logic", "looks at the system and at variables to choose what it needs", {"setup.py": '''import os
import platform
import sys
from setuptools import setup, find_packages

requires = ['six']
if platform.system() == 'Windows':
    requires.append('pywin32')
if os.environ.get('READTHEDOCS'):
    requires.append('sphinx')
if sys.argv[-1] == 'publish':
    os.system('python setup.py sdist bdist_wheel')
    os.system('twine upload dist/*')
    sys.exit()
with open('README.md', encoding='utf-8') as f:
    text = f.read()
setup(name='{NAME}', version='{VERSION}', long_description=text, packages=find_packages(), install_requires=requires)
'''})
    info = "signed_record-1.0.0.dist-info/"
    files = [("signed_record/__init__.py", "VALUE = 1\n"), (info + "METADATA", "Metadata-Version: 2.1\nName: signed-record\nVersion: 1.0.0\n"), (info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")]
    w.items.add("signed_record-1.0.0-py3-none-any.whl", "good", "manifest-noise", "wheel", kit.zipped(files + [(info + "RECORD", shapes.record(files, info + "RECORD")), (info + "RECORD.jws", "{}")]), "RECORD leaves out only its own signature, as the standard says", (), "pypi")


def cargo(w):
    w.crate("libc-wrap", "0.2.150", "system-access", "declarations of the C library", {"+src/lib.rs": '''
#[allow(non_camel_case_types)]
pub type c_char = i8;

extern "C" {
    pub fn system(s: *const c_char) -> i32;
    pub fn execve(p: *const c_char, a: *const *const c_char, e: *const *const c_char) -> i32;
    pub fn mmap(a: *mut u8, l: usize, p: i32, f: i32, d: i32, o: i64) -> *mut u8;
    pub fn ptrace(r: i32, ...) -> i64;
}

pub const PROT_EXEC: i32 = 4;
'''})
    w.crate("udp-syslog", "6.1.0", "configured-logger", "sends log lines to the server that its caller names", {"+src/lib.rs": '''
pub struct Logger {
    socket: std::net::UdpSocket,
    host: String,
}

impl Logger {
    pub fn udp<A: std::net::ToSocketAddrs>(server: A) -> std::io::Result<Self> {
        let socket = std::net::UdpSocket::bind("0.0.0.0:0")?;
        socket.connect(server)?;
        Ok(Self { socket, host: std::fs::read_to_string("/etc/hostname").unwrap_or_default() })
    }

    pub fn info(&self, text: &str) -> std::io::Result<usize> {
        self.socket.send(format!("<14>{} {} {text}", self.host.trim(), std::process::id()).as_bytes())
    }
}
'''})
    w.crate("cargo-ship", "0.25.0", "publisher", "publishes its user's workspace when told", {"src/main.rs": '''use std::process::Command;

fn main() {
    let args: Vec<String> = std::env::args().skip(2).collect();
    let dry = !args.iter().any(|a| a == "--execute");
    for step in [vec!["test"], vec!["publish", "--locked"]] {
        let mut cmd = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cmd.args(&step);
        if dry && step[0] == "publish" {
            cmd.arg("--dry-run");
        }
        assert!(cmd.status().unwrap().success());
    }
    if !dry {
        Command::new("git").args(["push", "--tags"]).status().unwrap();
    }
}
'''})
    w.crate("embed-assets-rs", "8.2.0", "packed-data", "reads the pictures that it carries", {"+src/lib.rs": '''
pub static LOGO: &[u8] = include_bytes!("../assets/logo.png");
pub static HELP: &str = include_str!("../assets/help.txt");

pub fn write(dir: &std::path::Path) -> std::io::Result<()> {
    std::fs::write(dir.join("logo.png"), LOGO)
}
''', "assets/logo.png": shapes.png([], Dice("ea"), 30), "assets/help.txt": "Usage: app [OPTIONS]\n"})
    toml = '[package]\nname = "inherits-all"\nversion = "0.3.0"\nedition = "2021"\nlicense = "MIT"\n\n[dependencies.serde]\nversion = "1"\n'
    orig = '''[package]
name = "inherits-all"
version.workspace = true
edition.workspace = true
license.workspace = true

[dependencies]
serde = { workspace = true }

[dev-dependencies]
helper = { path = "../helper" }
'''
    w.items.add("inherits-all-0.3.0.crate", "good", "manifest-noise", "crate", kit.tgz([("Cargo.toml", toml), ("Cargo.toml.orig", orig), ("src/lib.rs", "//! Inherits.\n\npub fn two() -> u8 {\n    2\n}\n"), ("README.md", "# inherits-all\n")], "inherits-all-0.3.0/"), "the manifests differ as cargo's own normalisation makes them", (), "cargo")


def build(items):
    writer = Writer(items, "good")
    npm(writer)
    pypi(writer)
    cargo(writer)
