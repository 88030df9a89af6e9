//! A key behind a program: how a cloud KMS, or anything else that signs, is plugged in.
//!
//! The program is started for each signature, without a shell, gets one JSON object on its standard input and answers
//! with one on its standard output, then ends with status 0:
//!
//! ```text
//! > {"v":1,"operation":"public_key","key":"<name>"}
//! < {"public_key":"-----BEGIN PUBLIC KEY-----\n…"}
//!
//! > {"v":1,"operation":"sign","key":"<name>","algorithm":"ecdsa-p256-sha256","message":"<base64>","sha256":"<hex>"}
//! < {"signature":"<base64>","form":"der"}
//! ```
//!
//! `message` is what is signed and `sha256` its digest, for services that want one or the other. `form` is `der` (ASN.1,
//! as AWS and Google return it) or `raw` (`r ‖ s`, as Azure does; also the 64 bytes of Ed25519). `{"error":"…"}`, or
//! another status, is a failure; what stands on standard error is told with it. The program inherits the environment, in
//! which such services find their credentials.

use std::ffi::OsString;
use std::io::{self, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::{InvalidPublicKey, KeyAlgorithm, PublicKey, SignError, SigningKey, checked, public};

/// The most bytes of an answer, and of what is told from standard error.
pub const MAX_ANSWER_BYTES: u64 = 16 << 10;
/// How often a program that said everything is asked whether it has ended.
const POLL: Duration = Duration::from_millis(2);

/// How to reach a key through a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramSettings {
    /// The file that is started; no shell reads it.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// What the program calls the key.
    pub key: String,
    /// After how long it is ended.
    pub limit: Duration,
}

/// A program that did not answer as it should.
#[derive(Debug, thiserror::Error)]
pub enum ProgramKeyError {
    /// It cannot be started.
    #[error("cannot start `{}`: name a file that may be executed", program.display())]
    Start {
        /// Which program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It took too long, and was ended with everything that it had started.
    #[error("`{}` gave no answer within {} ms", program.display(), limit.as_millis())]
    TimedOut {
        /// Which program.
        program: PathBuf,
        /// The limit.
        limit: Duration,
    },
    /// It said more than an answer holds.
    #[error("`{}` answered with more than {MAX_ANSWER_BYTES} bytes", .0.display())]
    TooLong(PathBuf),
    /// It failed.
    #[error("`{}` failed ({status}): {said}", program.display())]
    Failed {
        /// Which program.
        program: PathBuf,
        /// How it ended.
        status: String,
        /// What it said.
        said: String,
    },
    /// It answered with something else.
    #[error("`{}` did not answer in the protocol: {what}", program.display())]
    Answer {
        /// Which program.
        program: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Its public key is none that we verify with.
    #[error("`{}` has a key that cannot be used", program.display())]
    PublicKey {
        /// Which program.
        program: PathBuf,
        /// Why not.
        #[source]
        source: InvalidPublicKey,
    },
}

/// A key that a program signs with.
#[derive(Debug)]
pub struct ProgramKey {
    settings: ProgramSettings,
    public: PublicKey,
}

#[derive(serde::Serialize)]
struct Request<'a> {
    v: u32,
    operation: &'static str,
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    algorithm: Option<KeyAlgorithm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Answer {
    public_key: Option<String>,
    signature: Option<String>,
    form: Option<Form>,
    error: Option<String>,
}

#[derive(Clone, Copy, PartialEq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Form {
    Der,
    Raw,
}

impl ProgramKey {
    /// Asks the program for its public key.
    ///
    /// # Errors
    /// The program does not answer as described, or has a key of another kind.
    pub fn open(settings: ProgramSettings) -> Result<Self, ProgramKeyError> {
        let request = Request {
            v: 1,
            operation: "public_key",
            key: &settings.key,
            algorithm: None,
            message: None,
            sha256: None,
        };
        let answer = ask(&settings, &request)?;
        let pem = answer.public_key.ok_or_else(|| odd(&settings, "there is no `public_key`"))?;
        let public = PublicKey::from_pem(&pem)
            .map_err(|source| ProgramKeyError::PublicKey { program: settings.program.clone(), source })?;
        Ok(Self { settings, public })
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, ProgramKeyError> {
        let settings = &self.settings;
        let request = Request {
            v: 1,
            operation: "sign",
            key: &settings.key,
            algorithm: Some(self.public.algorithm()),
            message: Some(STANDARD.encode(message)),
            sha256: Some(hex::encode(Sha256::digest(message))),
        };
        let answer = ask(settings, &request)?;
        let text = answer.signature.ok_or_else(|| odd(settings, "there is no `signature`"))?;
        let bytes = STANDARD.decode(text).map_err(|_| odd(settings, "`signature` is not base64"))?;
        match (self.public.algorithm(), answer.form) {
            (KeyAlgorithm::EcdsaP256, Some(Form::Raw)) => {
                public::ecdsa_der(&bytes).ok_or_else(|| odd(settings, "a raw signature has 64 bytes"))
            }
            _ => Ok(bytes),
        }
    }
}

impl SigningKey for ProgramKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let signature = self
            .signature(message)
            .map_err(|source| SignError::Program { key: self.public.key_id(), source })?;
        checked(&self.public, message, signature)
    }
}

fn odd(settings: &ProgramSettings, what: &str) -> ProgramKeyError {
    ProgramKeyError::Answer { program: settings.program.clone(), what: what.to_owned() }
}

fn ask(settings: &ProgramSettings, request: &Request<'_>) -> Result<Answer, ProgramKeyError> {
    let request = serde_json::to_vec(request).expect("a request is plain JSON");
    let said = run(settings, request)?;
    let answer: Answer = serde_json::from_slice(&said).map_err(|e| odd(settings, &e.to_string()))?;
    match answer.error {
        None => Ok(answer),
        Some(said) => Err(ProgramKeyError::Failed {
            program: settings.program.clone(),
            status: "it says so".to_owned(),
            said: printable(said.as_bytes()),
        }),
    }
}

/// Runs the program once and returns what it wrote to its standard output.
fn run(settings: &ProgramSettings, request: Vec<u8>) -> Result<Vec<u8>, ProgramKeyError> {
    let program = || settings.program.clone();
    let deadline = Instant::now() + settings.limit;
    let mut child = Command::new(&settings.program)
        .args(&settings.args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own, so that what it starts can be ended with it.
        .process_group(0)
        .spawn()
        .map_err(|source| ProgramKeyError::Start { program: program(), source })?;
    let mut input = child.stdin.take().expect("standard input is piped");
    // On threads of their own: a program may answer before it has read, and one that does neither must not hold us.
    // One that reads nothing is told by its answer; that the rest could not be written says nothing more.
    thread::spawn(move || drop(input.write_all(&request)));
    let output = collect(child.stdout.take().expect("standard output is piped"));
    let errors = collect(child.stderr.take().expect("standard error is piped"));

    let left = || deadline.saturating_duration_since(Instant::now());
    let said = output.recv_timeout(left());
    let too_long = said.as_ref().is_ok_and(|said| said.len() as u64 > MAX_ANSWER_BYTES);
    let status = if said.is_err() || too_long { None } else { ended(&mut child, deadline) };
    let (Ok(said), Some(status)) = (said, status) else {
        end(&mut child);
        return Err(if too_long {
            ProgramKeyError::TooLong(program())
        } else {
            ProgramKeyError::TimedOut { program: program(), limit: settings.limit }
        });
    };
    if status.success() {
        return Ok(said);
    }
    // What it left running may hold standard error open; its words are only for the message.
    let words = errors.recv_timeout(left().min(Duration::from_millis(100))).unwrap_or_default();
    let words = if words.is_empty() { said } else { words };
    Err(ProgramKeyError::Failed { program: program(), status: status.to_string(), said: printable(&words) })
}

fn collect(from: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What arrived before an error is all there is; an answer cut short is no JSON.
        let _ = from.take(MAX_ANSWER_BYTES + 1).read_to_end(&mut bytes);
        // Nobody waits any more: then nobody misses it.
        let _ = sender.send(bytes);
    });
    receiver
}

/// How the program ended; none where it has not by the deadline.
fn ended(child: &mut Child, deadline: Instant) -> Option<std::process::ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => thread::sleep(POLL),
            Ok(None) | Err(_) => return None,
        }
    }
}

/// Ends the program and what it started. The child is not reaped yet, so its number still names its group.
fn end(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        // Gone already is as good as ended.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.wait();
}

/// The first line of what a program said, without what a terminal would act on.
fn printable(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    line.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}
