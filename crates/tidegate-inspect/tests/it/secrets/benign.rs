//! Content without secrets in which much looks like one.

use super::ids;
use super::template::{Draw, base64, expand};

#[track_caller]
fn is_quiet(what: &str, text: &str) {
    assert_eq!(ids(text.as_bytes()), Vec::<&str>::new(), "{what}");
}

#[test]
fn our_own_lock_files() {
    is_quiet("Cargo.lock", include_str!("../../../../../Cargo.lock"));
    is_quiet("fuzz/Cargo.lock", include_str!("../../../../../fuzz/Cargo.lock"));
}

#[test]
fn lock_files_and_manifests() {
    let mut draw = Draw::new(1);
    let (mut npm, mut record, mut go, mut pip) = (String::new(), String::new(), String::new(), String::new());
    for n in 0..500 {
        let sha512 = base64(&draw.bytes(64), true);
        let sha256 = base64(&draw.bytes(32), false);
        let hex = draw.text("0123456789abcdef", 64);
        npm += &format!(
            "\"node_modules/token-{n}\": {{\"version\": \"1.{n}.0\", \"resolved\": \"https://registry.example/token-{n}/-/token-{n}-1.{n}.0.tgz\", \"integrity\": \"sha512-{sha512}\"}},\n"
        );
        record += &format!("secret_{n}/api_key.py,sha256={sha256},{n}\n");
        go += &format!(
            "module.test/password/v{n} v1.{n}.0 h1:{}=\n",
            base64(&draw.bytes(32), true).trim_end_matches('=')
        );
        pip += &format!("token-{n}==1.{n} --hash=sha256:{hex}\n");
    }
    is_quiet("package-lock.json", &npm);
    is_quiet("RECORD", &record);
    is_quiet("go.sum", &go);
    is_quiet("requirements.txt", &pip);
}

#[test]
fn signatures_and_roots_of_trust() {
    let mut draw = Draw::new(2);
    let mut text = String::from("{\"signatures\": [");
    for _ in 0..100 {
        let (key, sig) = (draw.text("0123456789abcdef", 64), draw.text("0123456789abcdef", 142));
        text += &format!("{{\"keyid\": \"{key}\", \"sig\": \"{sig}\"}},");
        text += &format!(
            "{{\"keyval\": {{\"public\": \"-----BEGIN PUBLIC KEY-----\\n{}\\n-----END PUBLIC KEY-----\\n\"}}}},",
            base64(&draw.bytes(91), true)
        );
        text += &format!(
            "{{\"rawBytes\": \"{}\", \"logId\": {{\"keyId\": \"{}\"}}}},",
            base64(&draw.bytes(300), true),
            base64(&draw.bytes(32), true)
        );
    }
    is_quiet("a root of trust", &text);
}

#[test]
fn images_fonts_and_noise() {
    let mut draw = Draw::new(3);
    is_quiet(
        "an image in a style sheet",
        &format!("a{{background:url(data:image/png;base64,{})}}", base64(&draw.bytes(400_000), true)),
    );
    let lower = draw.text("abcdefghijklmnopqrstuvwxyz0123456789", 200_000);
    is_quiet("letters and digits", &lower);
    let bytes = draw.bytes(1_000_000);
    assert_eq!(ids(&bytes), Vec::<&str>::new(), "noise");
}

#[test]
fn code_that_handles_secrets() {
    let code = r#"
const token = process.env.NPM_TOKEN || '';
const apiKey = config.get("apiKey");
const password = await prompt({ type: 'password', name: 'password', message: 'Enter your password' });
var e={accessToken:t.accessToken,refreshToken:t.refreshToken,tokenType:"Bearer",clientSecret:n.clientSecret};
this.secretKey = crypto.createHmac('sha256', key).update(value).digest('hex');
if (!options.secretAccessKey) throw new Error("secretAccessKey is required");
headers: { Authorization: `Bearer ${token}` }
PASSWORD_RESET_TOKEN_EXPIRED = "passwordResetTokenExpired2";
auth_token: ${{ secrets.GITHUB_TOKEN }}
//registry.example/:_authToken=${NPM_TOKEN}
password: <your-password-here>
postgres://user:password@localhost:5432/db
mongodb://root:example@mongo:27017/
https://user:pass@example.com/
redis://:@localhost:6379
AWS_ACCESS_KEY_ID=your_access_key_id
api_key = "YOUR_API_KEY_HERE"
const secretKeySpec = new SecretKeySpecFactory2Implementation();
csrfToken = "csrf-token-header-name-v2"
-----BEGIN PRIVATE KEY-----
...
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
"-----BEGIN RSA PRIVATE KEY-----\n" + body + "\n-----END RSA PRIVATE KEY-----"
jdbc:postgresql://localhost/test?user=fred&password=secret
"#;
    is_quiet("code", code);
}

#[test]
fn minified_code_with_names_and_identifiers() {
    let mut draw = Draw::new(4);
    let mut code = String::new();
    for n in 0..3_000 {
        let (a, b) = (draw.text("abcdefghijklmnopqrstuvwxyzABCDEFG", 2), draw.text("abcdefghij", 1));
        let chunk = draw.text("0123456789abcdef", 20);
        code += &format!(
            "{n}:function({a},{b}){{var token={a}.token,secret={b}.secretKey||\"\";return{{password:{a}[\"password\"],key:\"{chunk}\"}}}},"
        );
        code += &format!("\"{}.{chunk}.js\":{n},", expand("{lower:7}", n));
    }
    is_quiet("a bundle", &code);
}
