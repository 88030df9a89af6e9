//! Constants, however they are put together.

use super::check;

/// The command of `exec` comes out as `evil --x`.
#[track_caller]
fn folds(expression: &str) {
    check(&format!("const cp = require('child_process'); cp.exec({expression});"), &["exec:evil --x"]);
}

#[test]
fn strings() {
    folds("'evil' + ' --x'");
    folds("'ev' + 'il' + ' ' + '--' + 'x'");
    folds("`evil ${'--x'}`");
    folds("`evil --x`");
    folds(r"'\x65vil\u0020--x'");
    folds("['evil', '--x'].join(' ')");
    folds("'x-- live'.split('').reverse().join('')");
    folds("[...'x-- live'].reverse().join('')");
    folds("Array.from('x-- live').reverse().join('')");
    folds("'evQQil --x'.replace('QQ', '')");
    folds("'e.v.i.l. .-.-.x'.replaceAll('.', '')");
    folds("'EVIL --X'.toLowerCase()");
    folds("'..evil --x..'.slice(2, 10)");
    folds("'..evil --x..'.slice(2, -2)");
    folds("'..evil --x..'.substring(2, 10)");
    folds("'..evil --x..'.substr(2, 8)");
    folds("'evil'.concat(' ', '--x')");
    folds("'evil --x '.trim()");
    folds("String('evil --x')");
    folds("('evil --x').toString()");
    folds("(0, 'evil --x')");
    folds("true ? 'evil --x' : 'evil --x'");
}

#[test]
fn codes() {
    folds("String.fromCharCode(101,118,105,108,32,45,45,120)");
    folds("String.fromCharCode.apply(null, [101,118,105,108,32,45,45,120])");
    folds("String.fromCharCode(...[101,118,105,108,32,45,45,120])");
    folds("String.fromCodePoint(0x65,0x76,0x69,0x6c,0x20,0x2d,0x2d,0x78)");
    folds("[101,118,105,108,32,45,45,120].map(c => String.fromCharCode(c)).join('')");
    folds("[101,118,105,108,32,45,45,120].map(function (c) { return String.fromCharCode(c); }).join('')");
    folds("[102,119,106,109,33,46,46,121].map(c => String.fromCharCode(c - 1)).join('')");
    folds("Buffer.from([101,118,105,108,32,45,45,120]).toString()");
    folds("''['constructor']['fromCharCode'](101,118,105,108,32,45,45,120)");
}

#[test]
fn decoders() {
    folds("Buffer.from('ZXZpbCAtLXg=', 'base64').toString()");
    folds("Buffer.from('ZXZpbCAtLXg=', 'base64').toString('utf8')");
    folds("new Buffer('ZXZpbCAtLXg=', 'base64') + ''");
    folds("Buffer.from('6576696c202d2d78', 'hex').toString('utf-8')");
    folds("atob('ZXZpbCAtLXg=')");
    folds("atob('ZXZpb' + 'CAtLXg=')");
    folds("window.atob('ZXZpbCAtLXg=')");
    folds("globalThis['at' + 'ob']('ZXZpbCAtLXg=')");
    folds("decodeURIComponent('evil%20--x')");
    folds("unescape('%65%76il%20--x')");
    folds("unescape('%u0065vil --x')");
    folds("Buffer.from('x--' + ' live').toString().split('').reverse().join('')");
}

#[test]
fn variables_and_members() {
    check("const cp=require('child_process'); const a='evil', b=' --x'; cp.exec(a+b)", &["exec:evil --x"]);
    check("const cp=require('child_process'); const k={a:'evil --x'}; cp.exec(k.a)", &["exec:evil --x"]);
    check(
        "const cp=require('child_process'); const k={a:{b:['', 'evil --x']}}; cp.exec(k['a'].b[1])",
        &["exec:evil --x"],
    );
    check(
        "const cp=require('child_process'); const a=['x','evil','--x']; cp.exec(a[1]+' '+a[2])",
        &["exec:evil --x"],
    );
    check(
        "const cp=require('child_process'); let s='evil'; s+=' '; s+='--x'; cp.exec(s)",
        &["exec:evil --x"],
    );
    check(
        "const cp=require('child_process'); const [a,b]=['evil','--x']; cp.exec(`${a} ${b}`)",
        &["exec:evil --x"],
    );
    check("const cp=require('child_process'); const {a,...r}={a:'evil --x'}; cp.exec(a)", &["exec:evil --x"]);
    check("const cp=require('child_process'); const f=()=>'evil --x'; cp.exec(f())", &["exec:evil --x"]);
    check(
        "const cp=require('child_process'); function f(i){ return ['x','evil --x'][i-3] } cp.exec(f(4))",
        &["exec:evil --x"],
    );
    check(
        "const cp=require('child_process'); class A { static s='evil --x' } cp.exec(A.s)",
        &["exec:evil --x"],
    );
    check(
        "const cp=require('child_process'); const o={get(){return 'evil --x'}}; cp.exec(o.get())",
        &["exec:evil --x"],
    );
    check(
        "const cp=require('child_process'); const parts=[]; parts.push('evil'); parts.push('--x'); cp.exec(parts.join(' '))",
        &["exec:evil --x"],
    );
}

#[test]
fn tables_of_strings() {
    check(
        "function _0x1a(){const t=['child_process','exec','evil --x'];_0x1a=function(){return t;};return _0x1a();}
         function _0x2b(i,k){const a=_0x1a();return _0x2b=function(n,m){n=n-0x1f0;let v=a[n];return v;},_0x2b(i,k);}
         require(_0x2b(0x1f0))[_0x2b(0x1f1)](_0x2b(0x1f2));",
        &["exec:evil --x", "exec:evil --x @folded"],
    );
    check(
        "var _0xabc=['child_process','execSync','evil --x'];var _0xf=function(i){i=i-0;return _0xabc[i];};
         require(_0xf('0x0'))[_0xf('0x1')](_0xf('0x2'));",
        &["exec:evil --x"],
    );
    let facts = super::read(
        b"var x=1;\nvar _0x12ab=['a','b','c','d','e','f','g','h','i'];(function(a,n){while(--n){a.push(a.shift())}})(_0x12ab,parseInt('0x1f'));var _0xf=function(i){return _0x12ab[i-0x0]};",
        "a.js",
    );
    assert_eq!(facts.looks.string_array, Some(2));
    assert_eq!(
        super::read(b"const months=['a','b','c','d','e','f','g','h','i'];", "a.js").looks.string_array,
        None
    );
}

#[test]
fn paths() {
    check(
        "const fs=require('fs'),os=require('os'),path=require('path'); fs.readFileSync(path.join(os.homedir(),'.npmrc'))",
        &["file_read:~/.npmrc"],
    );
    check(
        "import {homedir} from 'os'; import {join} from 'node:path'; import {readFile} from 'node:fs/promises'; readFile(join(homedir(),'.ssh','id_rsa'))",
        &["file_read:~/.ssh/id_rsa"],
    );
    check(
        "require('fs').readFileSync(process.env.HOME + '/.aws/credentials')",
        &["file_read:~/.aws/credentials"],
    );
    check(
        "require('fs').readFileSync(`${process.env.HOME || process.env.USERPROFILE}/.aws/credentials`)",
        &["file_read:~/.aws/credentials"],
    );
    check(
        "require('fs').readFileSync(require('path').resolve(dir, '../x/.npmrc'))",
        &["file_read:*/../x/.npmrc"],
    );
    check("require('fs').readFileSync(dir + '/.npmrc')", &["file_read:*/.npmrc"]);
    check(
        "require('fs').readdirSync(process.env['APPDATA'] + '/Local Storage')",
        &["folder_read:~/AppData/Roaming/Local Storage"],
    );
    check(
        "const {HOME}=process.env; require('fs').readFileSync(HOME+'/.netrc')",
        &["file_read:~/.netrc", "env_read:HOME"],
    );
    check(
        "for (const f of ['.npmrc']) require('fs').readFileSync(require('os').homedir()+'/'+f)",
        &["file_read:~/.npmrc"],
    );
}
