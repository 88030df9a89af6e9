"""npm packages that do nearly the same for honest reasons."""
import base64

from .core import sample
from .npm_bad import png, wasm


def good(name, family, idea):
    return sample("npm", "good", name, family, idea)


@good("swiftlint-binary", "installer", "downloads its program after install, checks the digest that stands in the package, lets the host be changed")
def _(c):
    return {"package.json": {"scripts": {"postinstall": "node install.js"}, "bin": {"swiftlint-binary": "run.js"}}, "digests.json": {"linux-x64": c.hex(64), "darwin-arm64": c.hex(64), "win32-x64": c.hex(64)},
            "run.js": "#!/usr/bin/env node\nconst { spawnSync } = require('child_process');\nprocess.exit(spawnSync(require('path').join(__dirname, 'bin', 'swiftlint'), process.argv.slice(2), { stdio: 'inherit' }).status ?? 1);\n",
            "install.js": "const crypto = require('crypto');\nconst fs = require('fs');\nconst path = require('path');\nconst digests = require('./digests.json');\nconst { version } = require('./package.json');\nconst target = `${process.platform}-${process.arch}`;\nconst base = process.env.SWIFTLINT_MIRROR || 'https://downloads.swiftlint.example/releases';\n\nasync function main() {\n  if (process.env.SWIFTLINT_SKIP_DOWNLOAD) return;\n  const wanted = digests[target];\n  if (!wanted) throw new Error(`no program for ${target}`);\n  const answer = await fetch(`${base}/v${version}/swiftlint-${target}`);\n  if (!answer.ok) throw new Error(`download failed: ${answer.status}`);\n  const bytes = Buffer.from(await answer.arrayBuffer());\n  const got = crypto.createHash('sha256').update(bytes).digest('hex');\n  if (got !== wanted) throw new Error(`digest is ${got}, expected ${wanted}`);\n  fs.mkdirSync(path.join(__dirname, 'bin'), { recursive: true });\n  fs.writeFileSync(path.join(__dirname, 'bin', 'swiftlint'), bytes, { mode: 0o755 });\n}\n\nmain().catch((error) => {\n  console.error(error.message);\n  process.exitCode = 1;\n});\n"}


@good("webdriver-firefox-bin", "installer", "fetches a driver for a browser, honours proxies and a cache folder, verifies a digest")
def _(c):
    return {"package.json": {"scripts": {"install": "node install.js"}, "dependencies": {"https-proxy-agent": "^7.0.0", "tar": "^7.4.0"}},
            "install.js": "'use strict';\nconst { createHash } = require('node:crypto');\nconst { createWriteStream, mkdirSync, existsSync, readFileSync } = require('node:fs');\nconst https = require('node:https');\nconst os = require('node:os');\nconst path = require('node:path');\nconst tar = require('tar');\n\nconst proxy = process.env.HTTPS_PROXY || process.env.npm_config_https_proxy;\nconst cache = process.env.GECKO_CACHE || path.join(os.tmpdir(), 'webdriver');\nconst known = { linux: ['linux64', '" + c.hex(64) + "'], darwin: ['macos', '" + c.hex(64) + "'] };\n\nfunction fetchFile(url, to, done) {\n  const agent = proxy ? new (require('https-proxy-agent').HttpsProxyAgent)(proxy) : undefined;\n  https.get(url, { agent }, (answer) => {\n    if (answer.statusCode === 302) return fetchFile(answer.headers.location, to, done);\n    answer.pipe(createWriteStream(to)).on('finish', done);\n  });\n}\n\nconst [name, digest] = known[process.platform] || [];\nif (!name) {\n  console.error('unsupported platform');\n  process.exit(1);\n}\nmkdirSync(cache, { recursive: true });\nconst file = path.join(cache, `driver-${name}.tar.gz`);\nfunction unpack() {\n  if (createHash('sha256').update(readFileSync(file)).digest('hex') !== digest) throw new Error('driver does not have the expected digest');\n  tar.x({ file, cwd: __dirname });\n}\nif (existsSync(file)) unpack();\nelse fetchFile(`https://drivers.example/releases/v0.36.0/driver-${name}.tar.gz`, file, unpack);\n"}


@good("image-resize-native", "native-loader", "picks a ready-built addon by platform out of optional dependencies")
def _(c):
    return {"package.json": {"optionalDependencies": {f"@image-resize/{p}": "1.4.0" for p in ("linux-x64-gnu", "linux-x64-musl", "darwin-arm64", "win32-x64-msvc")}},
            "index.js": "const { existsSync, readFileSync } = require('fs');\nconst { join } = require('path');\nconst { platform, arch } = process;\n\nfunction isMusl() {\n  try {\n    return readFileSync('/usr/bin/ldd', 'utf8').includes('musl');\n  } catch {\n    const { glibcVersionRuntime } = process.report.getReport().header;\n    return !glibcVersionRuntime;\n  }\n}\n\nfunction load() {\n  const names = { 'linux-x64': isMusl() ? 'linux-x64-musl' : 'linux-x64-gnu', 'darwin-arm64': 'darwin-arm64', 'win32-x64': 'win32-x64-msvc' };\n  const name = names[`${platform}-${arch}`];\n  if (!name) throw new Error(`Unsupported: ${platform} ${arch}`);\n  const local = join(__dirname, `image-resize.${name}.node`);\n  return existsSync(local) ? require(local) : require(`@image-resize/${name}`);\n}\n\nmodule.exports = load();\n"}


@good("keytar-lite", "node-gyp", "binding.gyp asks pkg-config and node for paths, as addons do")
def _(c):
    return {"package.json": {"scripts": {"install": "node-gyp-build"}, "dependencies": {"node-gyp-build": "^4.8.0", "node-addon-api": "^8.0.0"}},
            "binding.gyp": "{\n  'targets': [{\n    'target_name': 'keytar',\n    'sources': ['src/main.cc'],\n    'include_dirs': [\"<!@(node -p \\\"require('node-addon-api').include\\\")\"],\n    'conditions': [['OS==\"linux\"', { 'cflags': ['<!(pkg-config --cflags libsecret-1)'], 'libraries': ['<!(pkg-config --libs-only-l libsecret-1)'] }]],\n  }],\n}\n",
            "src/main.cc": "#include <napi.h>\n\nNapi::Value GetPassword(const Napi::CallbackInfo& info) {\n  return info.Env().Null();\n}\n\nNapi::Object Init(Napi::Env env, Napi::Object exports) {\n  exports.Set(\"getPassword\", Napi::Function::New(env, GetPassword));\n  return exports;\n}\nNODE_API_MODULE(keytar, Init)\n",
            "index.js": "const keytar = require('node-gyp-build')(__dirname);\n\nexports.getPassword = (service, account) => keytar.getPassword(service, account);\n"}


@good("anonymous-usage", "telemetry", "counts how its tool is used, says so, and asks first whether it may")
def _(c):
    return {"index.js": "'use strict';\nconst { createHash } = require('crypto');\nconst fs = require('fs');\nconst os = require('os');\nconst path = require('path');\n\nconst file = path.join(os.homedir(), '.config', 'anonymous-usage.json');\nconst refused = process.env.DO_NOT_TRACK === '1' || process.env.USAGE_OPT_OUT || process.env.CI;\n\nfunction settings() {\n  try {\n    return JSON.parse(fs.readFileSync(file, 'utf8'));\n  } catch {\n    return {};\n  }\n}\n\n/** Sends the name of the command and versions. Never paths, arguments or variables. */\nexports.record = async function record(command) {\n  if (refused || settings().enabled === false) return;\n  const project = createHash('sha256').update(process.cwd()).digest('hex').slice(0, 12);\n  const body = { command, project, node: process.version, os: os.platform(), arch: os.arch(), cpus: os.cpus().length };\n  try {\n    await fetch('https://telemetry.vendor.example/v1/events', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), signal: AbortSignal.timeout(2000) });\n  } catch {\n    // Usage data is never worth an error.\n  }\n};\n\nexports.disable = () => fs.writeFileSync(file, JSON.stringify({ enabled: false }));\n"}


@good("crash-report-node", "telemetry", "a client that reports exceptions to a host that its user configures")
def _(c):
    return {"index.js": "'use strict';\nconst https = require('https');\nconst os = require('os');\n\nlet dsn;\nexports.init = (options) => {\n  dsn = options.dsn && new URL(options.dsn);\n  if (!dsn) return;\n  process.on('uncaughtException', (error) => exports.capture(error).finally(() => process.exit(1)));\n  process.on('unhandledRejection', (reason) => exports.capture(reason));\n};\n\nconst scrub = (o) => JSON.parse(JSON.stringify(o, (k, v) => (/pass|secret|token|auth/i.test(k) ? '[Filtered]' : v)));\n\nexports.capture = (error, extra = {}) => new Promise((done) => {\n  if (!dsn) return done();\n  const event = scrub({ message: String(error), stack: error?.stack, server_name: os.hostname(), runtime: process.version, extra });\n  const request = https.request({ host: dsn.host, path: `/api${dsn.pathname}/store/`, method: 'POST', headers: { 'x-report-auth': `key=${dsn.username}` } }, () => done());\n  request.on('error', () => done());\n  request.end(JSON.stringify(event));\n});\n", "README.md": "# crash-report-node\n\n```js\nrequire('crash-report-node').init({ dsn: 'https://0123456789abcdef@o1.ingest.reports.example/42' });\n```\n"}


@good("notify-new-version", "updater", "looks once a day whether there is a newer version and says so")
def _(c):
    return {"index.js": "'use strict';\nconst { spawn } = require('child_process');\nconst fs = require('fs');\nconst os = require('os');\nconst path = require('path');\n\nconst DAY = 24 * 60 * 60 * 1000;\n\nmodule.exports = function notify(pkg) {\n  if (process.env.NO_UPDATE_NOTIFIER || process.env.CI || !process.stdout.isTTY) return;\n  const file = path.join(os.homedir(), '.config', `notify-${pkg.name}.json`);\n  let known = {};\n  try {\n    known = JSON.parse(fs.readFileSync(file));\n  } catch {}\n  if (known.latest && known.latest !== pkg.version) console.error(`A newer version is there: ${pkg.version} -> ${known.latest}`);\n  if (Date.now() - (known.at || 0) < DAY) return;\n  spawn(process.execPath, [path.join(__dirname, 'check.js'), JSON.stringify(pkg), file], { detached: true, stdio: 'ignore' }).unref();\n};\n",
            "check.js": "const fs = require('fs');\nconst [pkg, file] = process.argv.slice(2);\nconst { name } = JSON.parse(pkg);\nconst registry = process.env.npm_config_registry || 'https://registry.example/';\nfetch(registry + encodeURIComponent(name)).then((r) => r.json()).then((doc) => fs.writeFileSync(file, JSON.stringify({ latest: doc['dist-tags'].latest, at: Date.now() })));\n"}


@good("shell-exec-promise", "process", "a thin wrapper around processes: running commands is what it is for")
def _(c):
    return {"index.js": "'use strict';\nconst { spawn, exec } = require('child_process');\n\nexports.run = (file, args = [], options = {}) => new Promise((resolve, reject) => {\n  const child = spawn(file, args, { ...options, env: { ...process.env, ...options.env } });\n  let stdout = '';\n  let stderr = '';\n  child.stdout.on('data', (d) => (stdout += d));\n  child.stderr.on('data', (d) => (stderr += d));\n  child.on('error', reject);\n  child.on('close', (code) => (code ? reject(Object.assign(new Error(`${file} exited with ${code}`), { stdout, stderr })) : resolve({ stdout, stderr })));\n});\n\nexports.shell = (command) => new Promise((resolve, reject) => exec(command, (error, stdout) => (error ? reject(error) : resolve(stdout))));\n"}


@good("git-hooks-setup", "hooks", "prepares hooks in the project on an explicit command, as hook managers do")
def _(c):
    return {"package.json": {"bin": {"git-hooks-setup": "bin.js"}}, "bin.js": "#!/usr/bin/env node\nconst fs = require('fs');\nconst path = require('path');\nconst { execFileSync } = require('child_process');\n\nif (process.env.HUSKY === '0') process.exit(0);\nconst dir = '.hooks';\nfs.mkdirSync(dir, { recursive: true });\nexecFileSync('git', ['config', 'core.hooksPath', dir]);\nconst hook = path.join(dir, 'pre-commit');\nif (!fs.existsSync(hook)) fs.writeFileSync(hook, '#!/bin/sh\\nnpm test\\n', { mode: 0o755 });\nconsole.log(`hooks are in ${dir}`);\n", "README.md": "# git-hooks-setup\n\nAdd `\"prepare\": \"git-hooks-setup\"` to your scripts.\n"}


@good("dotenv-expand-safe", "environment", "reads .env into the environment of the process")
def _(c):
    return {"index.js": "'use strict';\nconst fs = require('fs');\nconst path = require('path');\nconst LINE = /^\\s*(?:export\\s+)?([\\w.-]+)\\s*=\\s*('[^']*'|\"[^\"]*\"|[^#\\r\\n]*)/gm;\n\nexports.parse = (text) => {\n  const out = {};\n  for (const [, key, raw] of text.matchAll(LINE)) {\n    const value = raw.trim().replace(/^(['\"])(.*)\\1$/, '$2');\n    out[key] = value.replace(/\\$\\{?(\\w+)\\}?/g, (_, name) => process.env[name] ?? out[name] ?? '');\n  }\n  return out;\n};\n\nexports.config = ({ file = path.resolve(process.cwd(), '.env') } = {}) => {\n  const parsed = exports.parse(fs.readFileSync(file, 'utf8'));\n  for (const [key, value] of Object.entries(parsed)) if (!(key in process.env)) process.env[key] = value;\n  return parsed;\n};\n"}


@good("envinfo-print", "environment", "prints versions and variables of the machine for reports of errors; nothing is sent")
def _(c):
    return {"package.json": {"bin": {"envinfo-print": "cli.js"}}, "cli.js": "#!/usr/bin/env node\nconst os = require('os');\nconst { execSync } = require('child_process');\nconst version = (cmd) => {\n  try {\n    return execSync(cmd, { stdio: ['ignore', 'pipe', 'ignore'] }).toString().trim();\n  } catch {\n    return 'not found';\n  }\n};\nconst hide = (k, v) => (/TOKEN|SECRET|PASS|KEY/i.test(k) ? '***' : v);\nconsole.log({ os: `${os.type()} ${os.release()}`, cpu: os.cpus()[0]?.model, shell: process.env.SHELL, user: os.userInfo().username, node: process.version, npm: version('npm -v'), git: version('git --version'), docker: version('docker -v') });\nif (process.argv.includes('--env')) for (const [k, v] of Object.entries(process.env)) console.log(`${k}=${hide(k, v)}`);\n"}


@good("eth-wallet-utils", "wallet", "derives keys and signs, all of it on the machine")
def _(c):
    return {"package.json": {"dependencies": {"@noble/curves": "^1.6.0", "@noble/hashes": "^1.5.0"}}, "index.js": "'use strict';\nconst { secp256k1 } = require('@noble/curves/secp256k1');\nconst { keccak_256 } = require('@noble/hashes/sha3');\nconst crypto = require('crypto');\n\nclass Wallet {\n  #privateKey;\n\n  constructor(privateKey) {\n    this.#privateKey = Buffer.from(privateKey.replace(/^0x/, ''), 'hex');\n    if (this.#privateKey.length !== 32) throw new RangeError('a private key has 32 bytes');\n    const pub = secp256k1.getPublicKey(this.#privateKey, false).slice(1);\n    this.address = '0x' + Buffer.from(keccak_256(pub)).subarray(12).toString('hex');\n  }\n\n  static random() {\n    return new Wallet(crypto.randomBytes(32).toString('hex'));\n  }\n\n  sign(digest) {\n    return secp256k1.sign(digest, this.#privateKey);\n  }\n\n  /** Encrypted JSON for a file; the password never leaves this function. */\n  encrypt(password) {\n    const salt = crypto.randomBytes(16);\n    const key = crypto.scryptSync(password, salt, 32);\n    const iv = crypto.randomBytes(16);\n    const cipher = crypto.createCipheriv('aes-256-ctr', key, iv);\n    return JSON.stringify({ version: 3, address: this.address, salt: salt.toString('hex'), iv: iv.toString('hex'), text: Buffer.concat([cipher.update(this.#privateKey), cipher.final()]).toString('hex') });\n  }\n}\n\nmodule.exports = { Wallet, ZERO: '0x0000000000000000000000000000000000000000', DEAD: '0x000000000000000000000000000000000000dEaD' };\n"}


@good("wallet-connect-button", "wallet", "asks the wallet of the page to send what its user chose")
def _(c):
    return {"index.js": "export async function connect() {\n  if (!window.ethereum) throw new Error('no wallet');\n  const [account] = await window.ethereum.request({ method: 'eth_requestAccounts' });\n  return account;\n}\n\nexport async function pay({ to, value }) {\n  if (!/^0x[0-9a-fA-F]{40}$/.test(to)) throw new TypeError('not an address');\n  const from = await connect();\n  return window.ethereum.request({ method: 'eth_sendTransaction', params: [{ from, to, value: '0x' + BigInt(value).toString(16) }] });\n}\n\nexport function onAccounts(listener) {\n  window.ethereum?.on('accountsChanged', listener);\n  return () => window.ethereum?.removeListener('accountsChanged', listener);\n}\n", "package.json": {"type": "module"}}


@good("fetch-interceptors", "interceptor", "wraps fetch so that the caller may add headers and watch answers")
def _(c):
    return {"index.js": "'use strict';\nconst hooks = [];\nconst original = globalThis.fetch;\n\nglobalThis.fetch = async function (input, init = {}) {\n  let request = new Request(input, init);\n  for (const { onRequest } of hooks) if (onRequest) request = (await onRequest(request)) || request;\n  let response = await original(request);\n  for (const { onResponse } of hooks) if (onResponse) response = (await onResponse(response)) || response;\n  return response;\n};\n\nexports.register = (hook) => {\n  hooks.push(hook);\n  return () => hooks.splice(hooks.indexOf(hook), 1);\n};\n\nexports.bearer = (token) => exports.register({ onRequest: (r) => (r.headers.set('authorization', `Bearer ${token}`), r) });\n"}


@good("core-polyfills", "polyfill", "a minified bundle of polyfills that find the global object through Function")
def _(c):
    return {"index.js": '!function(t,e){"object"==typeof exports&&"undefined"!=typeof module?e():"function"==typeof define&&define.amd?define(e):e()}(0,function(){"use strict";var t=function(t){return t&&t.Math===Math&&t},e=t("object"==typeof globalThis&&globalThis)||t("object"==typeof window&&window)||t("object"==typeof self&&self)||t("object"==typeof global&&global)||function(){return this}()||Function("return this")();Array.prototype.at||Object.defineProperty(Array.prototype,"at",{value:function(t){return t=Math.trunc(t)||0,t<0&&(t+=this.length),this[t]},configurable:!0,writable:!0});e.structuredClone||(e.structuredClone=function(t){return JSON.parse(JSON.stringify(t))});e.setImmediate||(e.setImmediate=function(t){for(var n=[],r=1;r<arguments.length;r++)n.push(arguments[r]);return setTimeout(function(){"function"!=typeof t&&(t=new Function(""+t)),t.apply(void 0,n)},0)})});\n'}


@good("template-compile", "code-generation", "compiles templates into functions, which needs the Function constructor")
def _(c):
    return {"index.js": "'use strict';\nconst ESC = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\"': '&quot;' };\nexports.escape = (s) => String(s).replace(/[&<>\"]/g, (ch) => ESC[ch]);\n\nexports.compile = function compile(text, { delimiter = '%' } = {}) {\n  const parts = text.split(new RegExp(`<${delimiter}([=-]?)([\\\\s\\\\S]+?)${delimiter}>`));\n  let source = \"let out = '';\\n\";\n  for (let i = 0; i < parts.length; i += 3) {\n    source += `out += ${JSON.stringify(parts[i])};\\n`;\n    if (i + 2 >= parts.length) break;\n    const [flag, code] = [parts[i + 1], parts[i + 2].trim()];\n    source += flag === '=' ? `out += escape(${code});\\n` : flag === '-' ? `out += (${code});\\n` : `${code}\\n`;\n  }\n  const fn = new Function('data', 'escape', `with (data) {\\n${source}return out;\\n}`);\n  return (data) => fn(data, exports.escape);\n};\n"}


@good("hot-eval-repl", "code-generation", "a console for a running program, on localhost and on demand")
def _(c):
    return {"index.js": "'use strict';\nconst net = require('net');\nconst repl = require('repl');\nconst vm = require('vm');\n\n/** Starts a console that only this machine can reach. */\nexports.serve = ({ port = 0, context = {} } = {}) => net.createServer((socket) => {\n  const box = vm.createContext({ ...context, console });\n  const r = repl.start({ input: socket, output: socket, prompt: 'app> ', eval: (cmd, _c, file, done) => {\n    try {\n      done(null, vm.runInContext(cmd, box, file));\n    } catch (error) {\n      done(error);\n    }\n  } });\n  r.on('exit', () => socket.end());\n}).listen(port, '127.0.0.1');\n"}


@good("icon-base64-inline", "data", "pictures as base64, and a function that makes addresses out of them")
def _(c):
    rows = ",\n  ".join(f"{c.word()}{i}: '{base64.b64encode(png(b'')).decode()}'" for i in range(9))
    return {"index.js": "'use strict';\nconst icons = {\n  " + rows + ",\n};\nexports.names = Object.keys(icons);\nexports.dataUrl = (name) => `data:image/png;base64,${icons[name]}`;\nexports.buffer = (name) => Buffer.from(icons[name], 'base64');\n"}


@good("xxh-wasm-inline", "wasm", "an inlined WebAssembly module that hashes")
def _(c):
    return {"index.js": f"'use strict';\nconst bytes = Buffer.from('{base64.b64encode(wasm(b'xxh constants ' + c.bytes(256))).decode()}', 'base64');\nlet instance;\n\nasync function load() {{\n  instance ??= (await WebAssembly.instantiate(bytes)).instance;\n  return instance;\n}}\n\nexports.memory = async () => (await load()).exports.mem;\n"}


@good("ssh-client-pool", "ssh", "a pool of SSH connections that reads the key its caller names, or the usual one")
def _(c):
    return {"package.json": {"dependencies": {"ssh2": "^1.16.0"}}, "index.js": "'use strict';\nconst fs = require('fs');\nconst os = require('os');\nconst path = require('path');\nconst { Client } = require('ssh2');\n\nfunction defaultKey() {\n  for (const name of ['id_ed25519', 'id_rsa']) {\n    const file = path.join(os.homedir(), '.ssh', name);\n    if (fs.existsSync(file)) return fs.readFileSync(file);\n  }\n  throw new Error('no key: pass privateKey');\n}\n\nexports.connect = ({ host, port = 22, username, privateKey, agent = process.env.SSH_AUTH_SOCK }) => new Promise((resolve, reject) => {\n  const client = new Client();\n  client.on('ready', () => resolve(client)).on('error', reject);\n  client.connect({ host, port, username, ...(agent ? { agent } : { privateKey: privateKey || defaultKey() }) });\n});\n\nexports.exec = (client, command) => new Promise((resolve, reject) => client.exec(command, (error, stream) => {\n  if (error) return reject(error);\n  let out = '';\n  stream.on('data', (d) => (out += d)).on('close', (code) => resolve({ code, out }));\n}));\n"}


@good("cloud-credentials-chain", "cloud-sdk", "finds credentials for a cloud in variables, a file or the metadata service and signs requests with them")
def _(c):
    return {"index.js": "'use strict';\nconst fs = require('fs');\nconst os = require('os');\nconst path = require('path');\n\nconst fromEnv = async () => process.env.AWS_ACCESS_KEY_ID && { id: process.env.AWS_ACCESS_KEY_ID, secret: process.env.AWS_SECRET_ACCESS_KEY, token: process.env.AWS_SESSION_TOKEN };\n\nconst fromFile = async (profile = process.env.AWS_PROFILE || 'default') => {\n  const file = process.env.AWS_SHARED_CREDENTIALS_FILE || path.join(os.homedir(), '.aws', 'credentials');\n  if (!fs.existsSync(file)) return undefined;\n  const section = fs.readFileSync(file, 'utf8').split(/^\\[/m).find((s) => s.startsWith(profile + ']')) || '';\n  const get = (k) => section.match(new RegExp(`^${k}\\\\s*=\\\\s*(.+)$`, 'm'))?.[1];\n  return get('aws_access_key_id') && { id: get('aws_access_key_id'), secret: get('aws_secret_access_key') };\n};\n\nconst fromMetadata = async () => {\n  const base = 'http://169.254.169.254/latest';\n  const token = await (await fetch(`${base}/api/token`, { method: 'PUT', headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '21600' }, signal: AbortSignal.timeout(1000) })).text();\n  const headers = { 'x-aws-ec2-metadata-token': token };\n  const role = await (await fetch(`${base}/meta-data/iam/security-credentials/`, { headers })).text();\n  const got = await (await fetch(`${base}/meta-data/iam/security-credentials/${role}`, { headers })).json();\n  return { id: got.AccessKeyId, secret: got.SecretAccessKey, token: got.Token };\n};\n\nexports.credentials = async () => {\n  for (const source of [fromEnv, fromFile, fromMetadata]) {\n    const found = await source().catch(() => undefined);\n    if (found) return found;\n  }\n  throw new Error('no credentials');\n};\n"}


@good("kube-in-cluster", "cloud-sdk", "talks to the API of the cluster it runs in with the token that is there for it")
def _(c):
    return {"index.js": "'use strict';\nconst fs = require('fs');\nconst https = require('https');\nconst ROOT = '/var/run/secrets/kubernetes.io/serviceaccount';\n\nexports.get = (path) => new Promise((resolve, reject) => {\n  const options = { host: process.env.KUBERNETES_SERVICE_HOST, port: process.env.KUBERNETES_SERVICE_PORT, path, ca: fs.readFileSync(`${ROOT}/ca.crt`), headers: { authorization: `Bearer ${fs.readFileSync(`${ROOT}/token`, 'utf8')}` } };\n  https.get(options, (answer) => {\n    let text = '';\n    answer.on('data', (d) => (text += d)).on('end', () => resolve(JSON.parse(text)));\n  }).on('error', reject);\n});\n\nexports.pods = (namespace) => exports.get(`/api/v1/namespaces/${namespace}/pods`);\n"}


@good("discord-hook-send", "webhook", "posts messages to the hook that its caller passes")
def _(c):
    return {"index.js": "'use strict';\n\n/** Sends messages to a Discord webhook. */\nclass Hook {\n  constructor(url = process.env.DISCORD_WEBHOOK_URL) {\n    if (!/\\/api\\/webhooks\\/\\d+\\/[\\w-]+$/.test(url || '')) throw new TypeError('not a webhook address');\n    this.url = url;\n  }\n\n  async send(content, { username, embeds } = {}) {\n    const answer = await fetch(this.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ content, username, embeds }) });\n    if (answer.status === 429) {\n      await new Promise((r) => setTimeout(r, Number(answer.headers.get('retry-after')) * 1000));\n      return this.send(content, { username, embeds });\n    }\n    if (!answer.ok) throw new Error(`webhook answered ${answer.status}`);\n    return answer;\n  }\n}\n\nmodule.exports = { Hook };\n", "README.md": "# discord-hook-send\n\n```js\nnew Hook('https://discord.example/api/webhooks/YOUR_ID/YOUR_TOKEN').send('hello');\n```\n"}


@good("screenshot-desktop-api", "screen-capture", "takes a picture of the screen into a file its caller names")
def _(c):
    return {"index.js": "'use strict';\nconst { execFile } = require('child_process');\nconst { promisify } = require('util');\nconst run = promisify(execFile);\n\n/** Writes a picture of the screen to `file`. */\nmodule.exports = async function screenshot(file) {\n  switch (process.platform) {\n    case 'darwin':\n      await run('screencapture', ['-x', '-t', 'png', file]);\n      break;\n    case 'linux':\n      await run('import', ['-window', 'root', file]);\n      break;\n    default:\n      throw new Error(`${process.platform} is not supported`);\n  }\n  return file;\n};\n"}


@good("worker-inline-pool", "worker", "a pool whose threads are made out of the functions given to it")
def _(c):
    return {"index.js": "'use strict';\nconst { Worker } = require('worker_threads');\n\nexports.inline = (fn) => {\n  const source = `const { parentPort } = require('worker_threads');\\nconst fn = ${fn.toString()};\\nparentPort.on('message', async ({ id, args }) => {\\n  try { parentPort.postMessage({ id, value: await fn(...args) }); } catch (error) { parentPort.postMessage({ id, error: String(error) }); }\\n});`;\n  const worker = new Worker(source, { eval: true });\n  const waiting = new Map();\n  let next = 0;\n  worker.on('message', ({ id, value, error }) => {\n    const { resolve, reject } = waiting.get(id);\n    waiting.delete(id);\n    error ? reject(new Error(error)) : resolve(value);\n  });\n  const call = (...args) => new Promise((resolve, reject) => {\n    const id = next++;\n    waiting.set(id, { resolve, reject });\n    worker.postMessage({ id, args });\n  });\n  call.end = () => worker.terminate();\n  return call;\n};\n"}


@good("rimraf-globless", "cleaner", "removes folders that its caller names, and refuses the root")
def _(c):
    return {"package.json": {"bin": {"rimraf-globless": "bin.js"}}, "index.js": "'use strict';\nconst fs = require('fs');\nconst path = require('path');\nconst os = require('os');\n\nmodule.exports = function remove(target) {\n  const full = path.resolve(target);\n  if (full === path.parse(full).root || full === os.homedir()) throw new Error(`refusing to remove ${full}`);\n  fs.rmSync(full, { recursive: true, force: true, maxRetries: 3 });\n};\n", "bin.js": "#!/usr/bin/env node\nfor (const f of process.argv.slice(2)) require('./index.js')(f);\n"}


@good("shell-completion-install", "shell-rc", "adds a line to the start file of the shell when its user runs the command for it")
def _(c):
    return {"package.json": {"bin": {"shell-completion-install": "bin.js"}}, "bin.js": "#!/usr/bin/env node\nconst fs = require('fs');\nconst os = require('os');\nconst path = require('path');\nconst readline = require('readline/promises');\n\nconst files = { bash: '.bashrc', zsh: '.zshrc' };\nconst shell = path.basename(process.env.SHELL || 'bash');\nconst rc = path.join(os.homedir(), files[shell] || '.profile');\nconst line = `[ -f ~/.config/mytool/completion.${shell} ] && . ~/.config/mytool/completion.${shell}`;\n\n(async () => {\n  const rl = readline.createInterface({ input: process.stdin, output: process.stdout });\n  const answer = await rl.question(`Add completion to ${rc}? (y/N) `);\n  rl.close();\n  if (answer.toLowerCase() !== 'y') return;\n  const text = fs.existsSync(rc) ? fs.readFileSync(rc, 'utf8') : '';\n  if (!text.includes(line)) fs.appendFileSync(rc, `\\n# completion for mytool\\n${line}\\n`);\n})();\n"}


@good("lint-detect-hidden", "unicode", "finds invisible characters in sources; names them by number and has tests with them")
def _(c):
    return {"index.js": "'use strict';\nconst CLASSES = [\n  ['bidi', /[\\u202a-\\u202e\\u2066-\\u2069]/u],\n  ['zero width', /[\\u200b-\\u200d\\u2060\\ufeff]/u],\n  ['tag', /[\\u{e0000}-\\u{e007f}]/u],\n  ['variation selector', /[\\ufe00-\\ufe0f\\u{e0100}-\\u{e01ef}]/u],\n];\n\nexports.scan = (text) => text.split('\\n').flatMap((line, row) => CLASSES.filter(([, re]) => re.test(line)).map(([name]) => ({ row: row + 1, name })));\n",
            "test.js": "const assert = require('assert');\nconst { scan } = require('.');\nassert.deepEqual(scan('ok\\na\\u200bb'), [{ row: 2, name: 'zero width' }]);\nassert.equal(scan('\u2764\ufe0f family \U0001F468\u200d\U0001F469\u200d\U0001F467').length, 2);\n", "README.md": "# lint-detect-hidden\n\nLike \u2764\ufe0f and \u2600\ufe0f, emoji use selectors too.\n"}


@good("minified-date-picker", "minified", "a minified bundle with a source map beside it")
def _(c):
    body = ";".join(f"function {a}(e,t){{var n=e.getFullYear(),r=e.getMonth()+{i};return new Date(n,r,t||1)}}" for i, a in enumerate("abcdefghij"))
    return {"index.js": '!function(e,t){"object"==typeof exports?module.exports=t():e.DatePicker=t()}("undefined"!=typeof self?self:this,function(){"use strict";' + body + ';var o={locale:"en",weekStart:1,i18n:["January","February","March","April"]};function u(e){this.el=e,this.opts=o}u.prototype.open=function(){this.el.innerHTML="<table>"+[1,2,3].map(function(e){return"<td data-d="+e+">"+e+"</td>"}).join("")+"</table>"};return u});\n//# sourceMappingURL=index.js.map\n',
            "index.js.map": {"version": 3, "file": "index.js", "sources": ["src/picker.ts"], "names": ["date", "month"], "mappings": "AAAA,SAASA" * 40, "sourcesContent": ["export class DatePicker {\n  constructor(readonly el: HTMLElement) {}\n}\n"]}}


@good("test-server-fixtures", "test", "tests with fake keys, a self-made certificate and a server on localhost")
def _(c):
    return {"test/server.test.js": "const http = require('http');\nconst assert = require('assert');\n\nconst API_KEY = 'test_key_not_real';\nconst server = http.createServer((req, res) => {\n  if (req.headers.authorization !== `Bearer ${API_KEY}`) {\n    res.statusCode = 401;\n    return res.end();\n  }\n  res.end(JSON.stringify({ password: 'hunter2', token: 'xxxxxxxx' }));\n}).listen(0, async () => {\n  const url = `http://127.0.0.1:${server.address().port}`;\n  assert.equal((await fetch(url)).status, 401);\n  assert.equal((await fetch(url, { headers: { authorization: `Bearer ${API_KEY}` } })).status, 200);\n  server.close();\n});\n", ".env.example": "API_KEY=your-api-key-here\nDATABASE_URL=postgres://user:password@localhost:5432/app\nSECRET=changeme\n"}


@good("publish-workspaces", "publisher", "publishes the packages of a workspace with the client and the token of its caller")
def _(c):
    return {"package.json": {"bin": {"publish-workspaces": "bin.js"}}, "bin.js": "#!/usr/bin/env node\nconst { execFileSync } = require('child_process');\nconst fs = require('fs');\nconst path = require('path');\n\nif (!process.env.NPM_TOKEN && !process.env.ACTIONS_ID_TOKEN_REQUEST_URL) {\n  console.error('NPM_TOKEN is not set');\n  process.exit(1);\n}\nconst dry = process.argv.includes('--dry-run');\nfor (const dir of fs.readdirSync('packages')) {\n  const manifest = JSON.parse(fs.readFileSync(path.join('packages', dir, 'package.json'), 'utf8'));\n  if (manifest.private) continue;\n  console.log(`publishing ${manifest.name}@${manifest.version}`);\n  execFileSync('npm', ['publish', '--provenance', ...(dry ? ['--dry-run'] : [])], { cwd: path.join('packages', dir), stdio: 'inherit' });\n}\n"}


@good("patch-on-install", "postinstall", "applies the patches of the project to its dependencies when the project says so")
def _(c):
    return {"package.json": {"bin": {"patch-on-install": "bin.js"}}, "bin.js": "#!/usr/bin/env node\nconst fs = require('fs');\nconst { spawnSync } = require('child_process');\nconst dir = 'patches';\nif (!fs.existsSync(dir)) process.exit(0);\nfor (const f of fs.readdirSync(dir).filter((n) => n.endsWith('.patch'))) {\n  const r = spawnSync('git', ['apply', '--whitespace=nowarn', `${dir}/${f}`], { stdio: 'inherit' });\n  if (r.status) process.exit(r.status);\n}\n", "README.md": "# patch-on-install\n\n`\"postinstall\": \"patch-on-install\"`\n"}


@good("funding-message", "postinstall", "a postinstall that only says thanks")
def _(c):
    return {"package.json": {"scripts": {"postinstall": "node -e \"try{require('./postinstall')}catch(e){}\""}, "funding": "https://opencollective.example/funding-message"}, "postinstall.js": "if (!process.env.CI && !process.env.DISABLE_FUNDING && process.stdout.isTTY) console.log('\\u001b[96mThank you for using funding-message\\u001b[0m\\nConsider a donation: https://opencollective.example/funding-message');\n"}
