//! Reads compiled Python: what a `.pyc` names, for those that come without their source.
//!
//! The marshalled code objects are walked for the names and constants that they use; the instructions are not followed, so
//! there are no flows. A name says what is done only together with the module that it is known from.

use std::collections::BTreeSet;

use super::super::facts::{Fact, FileFacts, Reading, Scope, What};
use super::super::words;

/// Code objects within code objects, and objects within objects.
const DEPTH: u32 = 200;

/// Objects of one file.
const OBJECTS: usize = 400_000;

/// Texts of one file that are kept.
const TEXTS: usize = 20_000;

/// Bytes of one text.
const TEXT_BYTES: usize = 4_096;

/// Reads a compiled file; none where it is not of a version that is known.
#[must_use]
pub fn read_compiled(bytes: &[u8]) -> Option<FileFacts> {
    let magic = u16::from_le_bytes([*bytes.first()?, *bytes.get(1)?]);
    let version = match magic {
        3390..=3399 => 7,
        3400..=3419 => 8,
        3420..=3429 => 9,
        3430..=3449 => 10,
        3450..=3499 => 11,
        3500..=3549 => 12,
        3550..=3599 => 13,
        3600..=3699 => 14,
        _ => return None,
    };
    if bytes.get(2..4)? != b"\r\n" {
        return None;
    }
    let mut reader =
        Reader { rest: bytes.get(16..)?, version, texts: Vec::new(), refs: Vec::new(), objects: 0 };
    reader.object(0);
    let mut facts = told(&reader.texts);
    facts.reading = Reading::Tokens;
    Some(facts)
}

struct Reader<'b> {
    rest: &'b [u8],
    version: u8,
    texts: Vec<String>,
    refs: Vec<Option<String>>,
    objects: usize,
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<usize> {
        let bytes: [u8; 4] = self.take(4)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(bytes)).ok()
    }

    fn text(&mut self, length: usize) -> Option<String> {
        let bytes = self.take(length)?;
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(TEXT_BYTES)]).into_owned();
        if self.texts.len() < TEXTS {
            self.texts.push(text.clone());
        }
        Some(text)
    }

    /// One object; its text, if it is one.
    fn object(&mut self, depth: u32) -> Option<Option<String>> {
        self.objects += 1;
        if depth > DEPTH || self.objects > OBJECTS {
            return None;
        }
        let kind = *self.take(1)?.first()?;
        let (kind, is_kept) = (kind & 0x7f, kind & 0x80 != 0);
        let place = self.refs.len();
        if is_kept && self.refs.len() < OBJECTS {
            self.refs.push(None);
        }
        let mut text = None;
        match kind {
            b'0' | b'N' | b'F' | b'T' | b'S' | b'.' => {}
            b'i' => {
                self.take(4)?;
            }
            b'g' => {
                self.take(8)?;
            }
            b'y' => {
                self.take(16)?;
            }
            b'f' => {
                let length = usize::from(*self.take(1)?.first()?);
                self.take(length)?;
            }
            b'l' => {
                let digits = self.number()? as u32 as i32;
                self.take(usize::try_from(digits.unsigned_abs()).ok()?.checked_mul(2)?)?;
            }
            b's' | b't' | b'u' | b'a' | b'A' => {
                let length = self.number()?;
                text = Some(self.text(length)?);
            }
            b'z' | b'Z' => {
                let length = usize::from(*self.take(1)?.first()?);
                text = Some(self.text(length)?);
            }
            b'r' => {
                let at = self.number()?;
                text = self.refs.get(at).cloned().flatten();
                if let Some(text) = text.clone().filter(|_| self.texts.len() < TEXTS) {
                    self.texts.push(text);
                }
            }
            b')' => {
                let count = usize::from(*self.take(1)?.first()?);
                self.many(count, depth)?;
            }
            b'(' | b'[' | b'<' | b'>' => {
                let count = self.number()?;
                self.many(count, depth)?;
            }
            b'{' => loop {
                if self.rest.first() == Some(&b'0') {
                    self.take(1)?;
                    break;
                }
                self.many(2, depth)?;
            },
            b':' => self.many(3, depth)?,
            b'c' => self.code(depth)?,
            _ => return None,
        }
        if is_kept && let Some(slot) = self.refs.get_mut(place) {
            slot.clone_from(&text);
        }
        Some(text)
    }

    fn many(&mut self, count: usize, depth: u32) -> Option<()> {
        for _ in 0..count {
            self.object(depth + 1)?;
        }
        Some(())
    }

    fn code(&mut self, depth: u32) -> Option<()> {
        let numbers = match self.version {
            8..=10 => 6,
            _ => 5,
        };
        self.take(numbers * 4)?;
        if self.version >= 11 {
            // Code, constants, names, locals, their kinds, file, name, qualified name; then the line; then two tables.
            self.many(8, depth)?;
            self.take(4)?;
            self.many(2, depth)
        } else {
            // Code, constants, names, three kinds of variables, file, name; then the line; then a table.
            self.many(8, depth)?;
            self.take(4)?;
            self.many(1, depth)
        }
    }
}

/// What names mean, where the module that they are known from is named as well.
fn told(texts: &[String]) -> FileFacts {
    let names: BTreeSet<&str> = texts.iter().map(String::as_str).collect();
    let has = |all: &[&str]| all.iter().any(|name| names.contains(name));
    let address =
        texts.iter().find(|text| text.contains("://") && !text.contains(' ')).map_or("*", String::as_str);
    let command = texts
        .iter()
        .find(|text| {
            words::classes(text).any(&[words::Class::Download, words::Class::ShellEval]) && text.contains(' ')
        })
        .map_or("*", String::as_str);
    let mut facts = FileFacts::default();
    let mut add = |what, detail: &str| {
        facts.add(Fact {
            what,
            detail: detail.to_owned(),
            line: 1,
            offset: 0,
            scope: Scope::Load,
            folded: false,
            gates: BTreeSet::new(),
            hops: 0,
        });
    };
    let clients = ["requests", "urllib", "urllib.request", "httpx", "aiohttp", "http.client", "urllib3"];
    if has(&["urlopen", "urlretrieve"]) || has(&clients) && has(&["post", "get", "put", "request", "Request"])
    {
        add(What::NetSend, address);
    }
    if has(&["socket"]) && has(&["connect", "create_connection", "sendto", "sendall", "connect_ex"]) {
        add(What::NetSend, address);
    }
    if has(&["socket"]) && has(&["dup2", "fileno"]) && has(&["subprocess", "pty", "os"]) {
        add(What::SocketToProcess, "dup2");
    }
    if has(&["os", "posix", "nt"]) && has(&["system", "popen", "execv", "execve", "startfile"])
        || has(&["subprocess"]) && has(&["Popen", "run", "call", "check_output", "check_call", "getoutput"])
    {
        add(What::Exec, command);
    }
    if has(&["exec", "eval"]) {
        add(What::Eval, "exec");
    }
    if has(&["os"]) && has(&["environ"]) {
        add(What::EnvAll, "");
    }
    if has(&["gethostname", "getuser", "getlogin", "node", "uname"])
        && has(&["socket", "getpass", "os", "platform"])
    {
        add(What::HostIdentity, "names");
    }
    if has(&["b64decode", "b85decode", "a85decode", "unhexlify", "fromhex", "decompress"]) {
        add(What::Decode, "base64");
    }
    if has(&["marshal"]) && has(&["loads"]) {
        add(What::Decode, "marshal");
    }
    for text in texts.iter().filter(|text| words::is_telling(text)).take(200) {
        add(What::Text, text);
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::super::super::facts::What;
    use super::read_compiled;

    const SENDS: &[u8] = include_bytes!("../../../fixtures/behaviour/data-code/bad_compiled/sample/core.pyc");

    #[test]
    fn names_and_constants_are_told() {
        let facts = read_compiled(SENDS).unwrap();
        let has = |what, detail: &str| facts.facts.iter().any(|f| f.what == what && f.detail == detail);
        assert!(has(What::NetSend, "https://in.sample.invalid"));
        assert!(has(What::EnvAll, ""));
        assert!(!facts.facts.iter().any(|fact| fact.what == What::Exec));
    }

    #[test]
    fn what_is_torn_or_of_no_version_is_borne() {
        for end in 0..SENDS.len() {
            let _ = read_compiled(&SENDS[..end]);
        }
        let mut other = SENDS.to_vec();
        other[0] ^= 0xff;
        other[1] ^= 0xff;
        assert_eq!(read_compiled(&other), None);
    }
}
