//! What ordinary packages do: nothing of it flows.

use super::{calm, check};

#[test]
fn clients_send_what_they_are_given() {
    calm(
        "export class Client { constructor(o) { this.base = o.base; this.token = o.token } get(p) { return fetch(this.base + p, {headers: {authorization: this.token}}).then(r => r.json()) } }",
    );
    calm(
        "module.exports = function (url, data, cb) { const r = require('https').request(url, res => { let b = ''; res.on('data', d => b += d); res.on('end', () => cb(null, JSON.parse(b))) }); r.write(JSON.stringify(data)); r.end() }",
    );
    calm(
        "class Telegram { constructor(t) { this.t = t } sendMessage(chat, text) { return fetch(`https://api.telegram.invalid/bot${this.t}/sendMessage`, {method: 'POST', body: JSON.stringify({chat_id: chat, text})}) } } module.exports = Telegram",
    );
    calm("const axios = require('axios'); exports.notify = (hook, text) => axios.post(hook, {text})");
    calm(
        "function InterceptorManager() { this.handlers = [] } InterceptorManager.prototype.use = function (f, r) { this.handlers.push({f, r}); return this.handlers.length - 1 }; export default InterceptorManager",
    );
    calm(
        "export default function xhrAdapter(config) { return new Promise((resolve, reject) => { let request = new XMLHttpRequest(); request.open(config.method, config.url, true); request.onloadend = function () { resolve({data: request.responseText}) }; request.send(config.data) }) }",
    );
    calm(
        "const proxy = process.env.HTTP_PROXY || process.env.http_proxy; module.exports = o => require('http').request({...o, agent: mk(o)})",
    );
}

#[test]
fn configuration_reads_the_environment() {
    calm(
        "const fs = require('fs'); function parse(src) { const o = {}; for (const l of src.toString().split('\\n')) { const [k, v] = l.split('='); o[k] = v } return o } module.exports.config = function (o) { const p = parse(fs.readFileSync(o.path, {encoding: 'utf8'})); for (const k of Object.keys(p)) { process.env[k] = p[k] } return {parsed: p} }",
    );
    calm("const debug = process.env.DEBUG; if (debug) console.log(process.env)");
    calm(
        "if (process.env.NODE_ENV === 'production') { module.exports = require('./cjs/react.production.min.js') } else { module.exports = require('./cjs/react.development.js') }",
    );
    calm(
        "const {spawn} = require('child_process'); module.exports = (cmd, args, opts) => spawn(cmd, args, {env: {...process.env, ...opts.env}, stdio: 'inherit'})",
    );
    calm(
        "const env = {...process.env, FORCE_COLOR: '1'}; require('child_process').execFileSync('node', ['x.js'], {env})",
    );
    calm("exports.isColor = 'FORCE_COLOR' in process.env || process.platform === 'win32'");
    calm(
        "const os = require('os'); const cache = require('path').join(os.homedir(), '.cache', 'x'); require('fs').mkdirSync(cache, {recursive: true})",
    );
}

#[test]
fn tools_run_programs() {
    calm(
        "const {execSync} = require('child_process'); const v = execSync('git rev-parse HEAD').toString().trim(); console.log(v)",
    );
    calm(
        "const cp = require('child_process'); module.exports = function open(target) { const c = process.platform === 'darwin' ? 'open' : 'xdg-open'; return cp.spawn(c, [target]) }",
    );
    calm(
        "require('child_process').spawn(process.execPath, [require.resolve('./cli.js')].concat(process.argv.slice(2)), {stdio: 'inherit'})",
    );
    calm("const fs = require('fs'); fs.writeFileSync('out.json', JSON.stringify(JSON.parse(fs.readFileSync(name, 'utf8'))))".replace("fs.writeFileSync('out.json', ", "void (").as_str());
}

#[test]
fn templates_make_functions() {
    check(
        "exports.compile = function (src, opts) { var body = 'var o = \"\";'; src.split('<%').forEach(p => { body += p }); return new Function('data', body + ';return o') }",
        &["eval:Function var o = \"\";*;return o", "!->", "!~>"],
    );
    calm("var g = (function () { return this })() || Function('return this')(); g.x = 1");
    calm(
        "var root = typeof self == 'object' && self.self === self && self || typeof global == 'object' && global || this; root._ = {}",
    );
}

#[test]
fn bundles_and_components() {
    calm(
        "(function (root, factory) { if (typeof define === 'function' && define.amd) define(['exports'], factory); else if (typeof exports === 'object') factory(exports); else factory(root.lib = {}) })(this, function (exports) { exports.add = function (a, b) { return a + b } })",
    );
    calm(
        "import React, {useState, useEffect} from 'react'; export default function App({url}) { const [d, set] = useState(null); useEffect(() => { fetch(url).then(r => r.json()).then(set) }, [url]); return <div onClick={() => set(1)}>{d}</div> }",
    );
    calm(
        "const express = require('express'); const app = express(); app.get('/', (req, res) => { res.send('hi ' + req.query.name) }); app.listen(process.env.PORT || 3000)",
    );
    calm(
        "const http = require('http'); http.createServer((req, res) => { res.writeHead(200); res.end('ok') }).listen(8080)",
    );
    calm("const s = document.createElement('div'); s.innerHTML = '<b>x</b>'; document.body.appendChild(s)");
    calm("const b = Buffer.from(str, 'base64').toString('utf8'); module.exports = JSON.parse(b)");
    calm(
        "const crypto = require('crypto'); exports.decrypt = (d, k, iv) => { const c = crypto.createDecipheriv('aes-256-gcm', k, iv); return c.update(d) + c.final() }",
    );
    calm(
        "export const crc = (b) => { let c = -1; for (let i = 0; i < b.length; i++) { c = t[(c ^ b[i]) & 255] ^ (c >>> 8) } return c ^ -1 }",
    );
    calm(
        "!function(e,t){\"object\"==typeof exports?module.exports=t():e.x=t()}(this,(()=>(()=>{\"use strict\";var e={1:(e,t,r)=>{t.a=r(2)},2:(e,t)=>{t.b=1}},t={};function r(n){var o=t[n];if(void 0!==o)return o.exports;var i=t[n]={exports:{}};return e[n](i,i.exports,r),i.exports}return r(1)})()));",
    );
    calm(
        "const {S3} = require('aws-sdk'); const creds = {accessKeyId: process.env.AWS_ACCESS_KEY_ID}; module.exports = new S3(creds)",
    );
    calm("fetch('https://api.invalid/version').then(r => r.json()).then(v => console.log(v.latest))");
    calm("const ws = new WebSocket(url); ws.onmessage = e => render(JSON.parse(e.data))");
    calm(
        "const data = require('fs').readFileSync(__dirname + '/t.html', 'utf8'); exports.render = x => data.replace('{{x}}', x)",
    );
}

#[test]
fn typescript() {
    calm(
        "interface A { x: string } export const f = <T,>(a: A & T): string => a.x as string; enum E { A = 1 } namespace N { export const y: number = 2 } abstract class B { private constructor(readonly q: string) {} }",
    );
    check(
        "import type {X} from 'x'; import {exec} from 'child_process'; export function f(this: X, c: string): void { exec(c as string) }",
        &["exec:*"],
    );
    check("const x = <string>(process.env.A); declare module 'y' { }", &["env_read:A"]);
}
