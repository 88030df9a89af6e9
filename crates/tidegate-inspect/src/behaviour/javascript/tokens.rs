//! What can be said of a file that does not parse, or that is too large to: words, and the constants behind them.
//!
//! No flows, no folding, no aliases. A file of which only this is known is a gap, which the reading tells.

use super::super::facts::{Fact, FileFacts, Reading, Scope, What};
use super::super::words;

/// Bytes of a constant that is looked at.
const CONSTANT_BYTES: usize = 2_048;

/// Reads a text word by word.
pub(super) fn read(text: &[u8]) -> FileFacts {
    let mut reader = Reader {
        text,
        at: 0,
        line: 1,
        braces: 0,
        words: [b""; 3],
        facts: FileFacts { reading: Reading::Tokens, ..FileFacts::default() },
    };
    reader.run();
    reader.facts
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    line: u32,
    braces: u32,
    /// The last words, the newest first.
    words: [&'t [u8]; 3],
    facts: FileFacts,
}

impl<'t> Reader<'t> {
    fn run(&mut self) {
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b'\n' => {
                    self.line = self.line.saturating_add(1);
                    self.at += 1;
                }
                b'{' => {
                    self.braces += 1;
                    self.at += 1;
                }
                b'}' => {
                    self.braces = self.braces.saturating_sub(1);
                    self.at += 1;
                }
                b'"' | b'\'' | b'`' => self.string(byte),
                b'/' if self.text.get(self.at + 1) == Some(&b'/') => {
                    let rest = &self.text[self.at..];
                    self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                }
                byte if byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$') => self.word(),
                b'(' => {
                    self.call();
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
    }

    fn word(&mut self) {
        let rest = &self.text[self.at..];
        let length = rest
            .iter()
            .position(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'$'))
            .unwrap_or(rest.len());
        let word = &rest[..length];
        if self.words[0] == b"env"
            && self.words[1] == b"process"
            && self.text.get(self.at.wrapping_sub(1)) == Some(&b'.')
        {
            self.fact(What::EnvRead, String::from_utf8_lossy(word).into_owned(), self.at);
        }
        self.words = [word, self.words[0], self.words[1]];
        self.at += length;
    }

    /// A constant; it stays where it is if nothing ends it.
    fn string(&mut self, quote: u8) {
        let start = self.at;
        let mut end = start + 1;
        let mut lines = 0;
        loop {
            match self.text.get(end) {
                None => {
                    self.at = start + 1;
                    return;
                }
                Some(b'\\') => end += 1,
                Some(b'\n') if quote != b'`' => {
                    self.at = start + 1;
                    return;
                }
                Some(b'\n') => lines += 1,
                Some(&byte) if byte == quote => break,
                Some(_) => {}
            }
            end += 1;
        }
        let inner = self.text.get(start + 1..end).unwrap_or_default();
        let constant = String::from_utf8_lossy(&inner[..inner.len().min(CONSTANT_BYTES)]);
        if matches!(self.words[0], b"from" | b"require" | b"import") && constant.len() < 512 {
            self.facts.imports.push(constant.clone().into_owned());
        } else if words::is_telling(&constant) {
            self.fact(What::Text, constant.into_owned(), start);
        }
        self.line = self.line.saturating_add(lines);
        self.at = end + 1;
    }

    /// What is called, by its word alone.
    fn call(&mut self) {
        let what = match self.words[0] {
            b"eval" | b"Function" | b"runInThisContext" | b"runInNewContext" => What::Eval,
            b"execSync" | b"execFile" | b"execFileSync" | b"spawn" | b"spawnSync" | b"execa" => What::Exec,
            b"exec" if self.words[1] == b"child_process" || self.words[1] == b"cp" => What::Exec,
            b"fetch" | b"XMLHttpRequest" | b"sendBeacon" | b"WebSocket" => What::NetSend,
            b"request" | b"get" | b"post"
                if matches!(self.words[1], b"http" | b"https" | b"axios" | b"got") =>
            {
                What::NetSend
            }
            b"atob" => What::Decode,
            b"fromCharCode" => What::Decode,
            b"readFileSync" | b"readFile" => What::FileRead,
            b"writeFileSync" | b"writeFile" | b"appendFileSync" => What::FileWrite,
            b"unlinkSync" | b"rmSync" => What::FileDelete,
            b"chmodSync" => What::MakeExecutable,
            b"dlopen" => What::LibraryLoad,
            b"hostname" | b"userInfo" | b"networkInterfaces" if self.words[1] == b"os" => What::HostIdentity,
            _ => return,
        };
        let word = String::from_utf8_lossy(self.words[0]).into_owned();
        let detail = match what {
            What::Eval => word,
            What::Decode => if word == "atob" { "base64" } else { "charcode" }.to_owned(),
            What::HostIdentity => format!("os.{word}"),
            _ => self.next_constant().unwrap_or_else(|| "*".to_owned()),
        };
        self.fact(what, detail, self.at);
    }

    /// The constant that follows, if it is the first argument.
    fn next_constant(&self) -> Option<String> {
        let rest = self.text.get(self.at + 1..)?.trim_ascii_start();
        let quote = *rest.first().filter(|byte| matches!(byte, b'"' | b'\'' | b'`'))?;
        let inner = &rest[1..rest.len().min(CONSTANT_BYTES)];
        let end = memchr::memchr(quote, inner)?;
        Some(String::from_utf8_lossy(&inner[..end]).into_owned())
    }

    fn fact(&mut self, what: What, detail: String, at: usize) {
        self.facts.add(Fact {
            what,
            detail,
            line: self.line,
            offset: at as u64,
            scope: if self.braces == 0 { Scope::Load } else { Scope::Call },
            folded: false,
            gates: std::collections::BTreeSet::new(),
            hops: 0,
        });
    }
}
