//! How a text looks, where looks tell of hiding: the measures that are the same for every language.
//!
//! It counts and points; whether a look is worth a finding is the detectors'. [`Looks::string_array`] is left to the reader of
//! the language, which knows what an array is.

use memchr::{memchr_iter, memmem};

use super::facts::{Language, Looks};

/// Spaces behind which code is out of sight.
const OFF_SCREEN_SPACES: usize = 200;

/// Invisible characters in a row that are no accident.
const INVISIBLE_RUN: u32 = 32;

/// Other lines that a file must have for one of its lines to be unlike them.
const OTHER_LINES: usize = 5;

/// Bytes from which a line can be unlike the rest.
const ODD_LINE_BYTES: usize = 400;

/// Times the length of nearly all other lines that such a line has.
const ODD_LINE_TIMES: usize = 8;

/// Bytes of a word that is looked at for characters of other scripts.
const WORD_BYTES: usize = 64;

/// Names that lookalikes are made of: what reads, runs and sends in any of the languages.
const NAMES: &[&str] = &[
    "api",
    "append",
    "apply",
    "args",
    "array",
    "async",
    "atob",
    "await",
    "base64",
    "body",
    "break",
    "buffer",
    "call",
    "class",
    "client",
    "close",
    "code",
    "compile",
    "config",
    "console",
    "const",
    "constructor",
    "cookie",
    "crypto",
    "data",
    "decode",
    "decrypt",
    "def",
    "delete",
    "document",
    "encode",
    "encrypt",
    "env",
    "environ",
    "error",
    "eval",
    "exec",
    "execFile",
    "execSync",
    "export",
    "exports",
    "fetch",
    "file",
    "fork",
    "function",
    "get",
    "getattr",
    "global",
    "globals",
    "globalThis",
    "hash",
    "headers",
    "home",
    "host",
    "hostname",
    "http",
    "https",
    "import",
    "input",
    "int",
    "isAdmin",
    "key",
    "len",
    "length",
    "list",
    "load",
    "loads",
    "locals",
    "log",
    "login",
    "main",
    "map",
    "module",
    "name",
    "net",
    "object",
    "open",
    "options",
    "os",
    "package",
    "parse",
    "password",
    "path",
    "payload",
    "pipe",
    "popen",
    "post",
    "print",
    "process",
    "prototype",
    "push",
    "query",
    "read",
    "readFile",
    "readFileSync",
    "replace",
    "request",
    "requests",
    "require",
    "response",
    "result",
    "return",
    "run",
    "secret",
    "self",
    "send",
    "session",
    "shell",
    "socket",
    "spawn",
    "split",
    "src",
    "state",
    "status",
    "str",
    "string",
    "subprocess",
    "sys",
    "system",
    "text",
    "this",
    "time",
    "token",
    "type",
    "update",
    "url",
    "urllib",
    "user",
    "username",
    "value",
    "verify",
    "wallet",
    "window",
    "write",
    "writeFile",
    "writeFileSync",
];

/// Measures a text. `text` need not be UTF-8; what is not is passed over.
#[must_use]
pub fn look(text: &[u8], language: Language) -> Looks {
    let mut looks = Looks { hex_names: hex_names(text), ..Looks::default() };
    let mut lengths: Vec<u32> = Vec::new();
    let mut longest: Option<(u32, usize, bool)> = None;
    let ends = memchr_iter(b'\n', text).chain(std::iter::once(text.len()));
    let mut twins: Vec<Twin> = Vec::new();
    let mut start = 0;
    let mut number = 0_u32;
    for end in ends {
        let line = text.get(start..end).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        start = end + 1;
        number = number.saturating_add(1);
        if line.is_empty() {
            continue;
        }
        lengths.push(u32::try_from(line.len()).unwrap_or(u32::MAX));
        let comment = is_comment(line, language);
        if looks.off_screen.is_none() && !comment && off_screen(line, language) {
            looks.off_screen = Some(number);
        }
        if !comment && longest.is_none_or(|(_, length, _)| line.len() > length) {
            longest = Some((number, line.len(), line.len() >= 200 && memmem::find(line, b"_0x").is_some()));
        }
        if looks.signs.is_none() && !comment {
            looks.signs = signs(line).map(|bytes| (number, bytes));
        }
        if !line.is_ascii() {
            strange(line, number, &mut looks, if comment { None } else { Some(&mut twins) });
        }
    }
    if looks.homoglyph.is_none() {
        looks.homoglyph =
            twins.into_iter().find(|twin| stands_in(text, &twin.plain)).map(|twin| (twin.line, twin.name));
    }
    looks.line_bytes = u32::try_from(text.len() / number.max(1) as usize).unwrap_or(u32::MAX);
    looks.odd_line = longest.and_then(|(line, length, hex)| odd(line, length, hex, &mut lengths));
    looks
}

/// Whether the longest line is unlike nearly all others.
fn odd(line: u32, length: usize, hex: bool, lengths: &mut [u32]) -> Option<(u32, u32)> {
    if lengths.len() <= OTHER_LINES || (length < ODD_LINE_BYTES && !hex) {
        return None;
    }
    // The longest itself is the last; nearly all means all but one in forty.
    let nearly_all = lengths.len() - 2 - lengths.len() / 40;
    let (_, usual, _) = lengths.select_nth_unstable(nearly_all);
    let times = if hex { ODD_LINE_TIMES / 2 } else { ODD_LINE_TIMES };
    (length >= times * (*usual as usize).max(40)).then(|| (line, u32::try_from(length).unwrap_or(u32::MAX)))
}

fn is_comment(line: &[u8], language: Language) -> bool {
    let line = line.trim_ascii_start();
    match language {
        Language::JavaScript | Language::Rust => {
            line.starts_with(b"//")
                || line.starts_with(b"* ")
                || (line.starts_with(b"/*") && !holds_end(line))
        }
        Language::Python | Language::Shell => line.starts_with(b"#"),
        Language::Windows => line.starts_with(b"#") || line.starts_with(b"::"),
    }
}

/// Whether a comment of one line ends on it, so that code may follow.
fn holds_end(line: &[u8]) -> bool {
    memmem::find(line, b"*/").is_some_and(|at| !line[at + 2..].trim_ascii().is_empty())
}

/// Code behind so many spaces that no editor shows it.
fn off_screen(line: &[u8], language: Language) -> bool {
    let mut rest = line;
    while rest.len() > OFF_SCREEN_SPACES {
        // The last byte of a run of that length tells whether there can be one that begins here.
        let window = &rest[..OFF_SCREEN_SPACES];
        let Some(last) = window.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')) else {
            let code = rest.trim_ascii_start();
            let code_like = code.iter().any(|byte| byte.is_ascii_alphabetic())
                && code.iter().any(|byte| matches!(byte, b'(' | b'=' | b'`' | b'[' | b'|'));
            return code_like && !is_comment(code, language);
        };
        rest = &rest[last + 1..];
    }
    false
}

/// Share of words such as `_0x3fa2` among the words that may be names, in thousandths.
fn hex_names(text: &[u8]) -> u16 {
    if memmem::find(text, b"_0x").is_none() {
        return 0;
    }
    let (mut words, mut hex) = (0_u64, 0_u64);
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        if !is_word(byte) {
            at += 1;
            continue;
        }
        let length = text[at..].iter().position(|&byte| !is_word(byte)).unwrap_or(text.len() - at);
        if !byte.is_ascii_digit() {
            words += 1;
            let word = &text[at..at + length];
            let digits = word.strip_prefix(b"_0x").unwrap_or_default();
            hex += u64::from(digits.len() >= 3 && digits.iter().all(u8::is_ascii_hexdigit));
        }
        at += length;
    }
    u16::try_from(hex * 1000 / words.max(1)).unwrap_or(1000)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

/// A name of mixed scripts, and the Latin one that it is taken for.
struct Twin {
    line: u32,
    name: String,
    plain: String,
}

/// Names of mixed scripts of which a Latin twin is looked for.
const TWINS: usize = 16;

/// Whether a text holds a word.
fn stands_in(text: &[u8], word: &str) -> bool {
    memmem::find_iter(text, word).take(1_000).any(|at| {
        let before = at.checked_sub(1).and_then(|at| text.get(at));
        let after = text.get(at + word.len());
        !before.is_some_and(|byte| is_word(*byte)) && !after.is_some_and(|byte| is_word(*byte))
    })
}

/// Bytes of code in signs alone that are no accident.
const SIGNS: usize = 300;

/// How much of a line is code that is written in brackets and operators alone.
fn signs(line: &[u8]) -> Option<u32> {
    if line.len() < SIGNS || memmem::find(line, b"![]").is_none() {
        return None;
    }
    let (mut run, mut most) = (0, 0);
    for byte in line {
        run = if matches!(byte, b'[' | b']' | b'(' | b')' | b'!' | b'+' | b' ') { run + 1 } else { 0 };
        most = most.max(run);
    }
    let letters = line.iter().filter(|byte| byte.is_ascii_alphanumeric()).count();
    let bare = letters * 12 < line.len() && memmem::find_iter(line, b"![]").count() >= 4;
    let bytes = if bare { line.len() } else { most };
    (bytes >= SIGNS).then(|| u32::try_from(bytes).unwrap_or(u32::MAX))
}

/// Bytes of a line that somebody may still read.
const READABLE: usize = 5_000;

/// Whether a line is nothing but words, as in lists of words of a language, and begins no statement.
fn is_word_list(line: &[u8]) -> bool {
    let is_bare = line.iter().all(|b| b.is_ascii_alphabetic() || b.is_ascii_whitespace() || *b >= 0x80);
    let first = line.trim_ascii().split(|b| b.is_ascii_whitespace()).next().unwrap_or_default();
    const STATEMENTS: [&[u8]; 10] =
        [b"import", b"from", b"def", b"class", b"return", b"use", b"let", b"const", b"var", b"await"];
    is_bare && !STATEMENTS.contains(&first)
}

/// What a line with characters beyond ASCII may hide.
fn strange(line: &[u8], number: u32, looks: &mut Looks, mut twins: Option<&mut Vec<Twin>>) {
    let mut run = 0_u32;
    let mut quote: Option<char> = None;
    let mut bidi = Bidi::default();
    let mut word = Word::default();
    let mut before = None;
    // A twin is there to be taken for the other by who reads the line, and nobody reads one this long.
    let is_list = is_word_list(line) || line.len() > READABLE;
    for chunk in line.utf8_chunks() {
        for character in chunk.valid().chars() {
            if is_invisible(character) {
                run += 1;
                if run >= INVISIBLE_RUN && looks.invisible.is_none_or(|(_, length)| length < run) {
                    looks.invisible = Some((number, run));
                }
            } else {
                run = 0;
            }
            bidi.see(character);
            if looks.homoglyph.is_none() && !is_list && !word.see(character) {
                // The first word of a string is a text, and calls nothing.
                let is_text = matches!(before, Some('"' | '\'' | '`'));
                before = Some(character);
                let (name, plain) = word.end();
                looks.homoglyph = name.filter(|_| !is_text).map(|name| (number, name));
                if let (Some((name, plain)), None, Some(twins)) = (plain, quote, twins.as_deref_mut())
                    && twins.len() < TWINS
                {
                    twins.push(Twin { line: number, name, plain });
                }
            }
            match (character, quote) {
                ('"' | '\'' | '`', None) => quote = Some(character),
                (_, Some(open)) if open == character => quote = None,
                _ => {}
            }
        }
    }
    if looks.homoglyph.is_none() && !is_list {
        looks.homoglyph = word.end().0.map(|name| (number, name));
    }
    // Nobody reads a line this long, and tables of characters stand on such.
    if line.len() <= READABLE && bidi.reorders() {
        looks.bidi = looks.bidi.or(Some(number));
        looks.bidi_words |= bidi.words > 0;
    }
}

/// Characters that show nothing, or nothing that a reader could know.
fn is_invisible(character: char) -> bool {
    matches!(u32::from(character),
        0x00AD | 0x115F | 0x1160 | 0x180B..=0x180F | 0x200B..=0x200F | 0x2060..=0x2064 | 0x3164 | 0xFEFF | 0xFFA0
        | 0xFE00..=0xFE0F | 0xE000..=0xF8FF | 0xE0000..=0xE007F | 0xE0100..=0xE01EF | 0xF0000..=0x10FFFD)
}

/// The directional controls of a line.
#[derive(Default)]
struct Bidi {
    override_seen: bool,
    embeddings: i32,
    isolates: i32,
    code: bool,
    /// Letters in a row behind a control that is not part of a list of characters.
    letters: Option<u32>,
    /// Whether a word was read since that control.
    pending: bool,
    /// Words between two controls.
    words: u32,
}

impl Bidi {
    fn see(&mut self, character: char) {
        if matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}') {
            self.words += u32::from(std::mem::take(&mut self.pending));
            self.letters = Some(u32::MAX);
        } else if let Some(letters) = self.letters {
            self.letters = match (letters, character) {
                // A control in a list of characters says nothing of what follows.
                (u32::MAX, '-' | ']' | '|' | '\\' | '"' | '\'' | '`' | ',') => None,
                (u32::MAX, c) | (_, c) if !c.is_ascii_alphabetic() => Some(0),
                (u32::MAX, _) => Some(1),
                (n, _) => Some(n.saturating_add(1).min(100)),
            };
            self.pending |= self.letters.is_some_and(|n| n >= 3);
        }
        match character {
            '\u{202D}' | '\u{202E}' => {
                self.override_seen = true;
                self.embeddings += 1;
            }
            '\u{202A}' | '\u{202B}' => self.embeddings += 1,
            '\u{202C}' => self.embeddings -= 1,
            '\u{2066}'..='\u{2068}' => self.isolates += 1,
            '\u{2069}' => self.isolates -= 1,
            '(' | ')' | '=' | ';' | '{' | '}' | '"' | '\'' | '/' | '#' => self.code = true,
            _ => {}
        }
    }

    /// An isolate or embedding that ends on its line shows a name in another script; anything else reorders code.
    fn reorders(&self) -> bool {
        self.code && (self.override_seen || self.embeddings > 0 || self.isolates > 0)
    }
}

/// A word as it is read, and what it looks like.
#[derive(Default)]
struct Word {
    text: String,
    looks_like: String,
    foreign: bool,
    unlike: bool,
}

impl Word {
    /// Takes a character of a word; false where the word ends before it.
    fn see(&mut self, character: char) -> bool {
        if !(character.is_alphanumeric() || matches!(character, '_' | '$')) {
            return false;
        }
        if self.text.len() < WORD_BYTES {
            self.text.push(character);
            if character.is_ascii() {
                self.looks_like.push(character);
            } else if let Some(letter) = lookalike(character) {
                self.foreign = true;
                self.looks_like.push(letter);
            } else {
                self.unlike = true;
            }
        } else {
            self.unlike = true;
        }
        true
    }

    /// The word, if it passes for a name that it is not; or else, if it mixes scripts, the word and what it passes for.
    fn end(&mut self) -> (Option<String>, Option<(String, String)>) {
        let word = std::mem::take(self);
        if !word.foreign || word.unlike {
            return (None, None);
        }
        if NAMES.contains(&word.looks_like.as_str()) {
            return (Some(word.text), None);
        }
        let mixes = word.looks_like.len() >= 4 && word.text.chars().any(|c| c.is_ascii_alphabetic());
        (None, mixes.then_some((word.text, word.looks_like)))
    }
}

/// The Latin letter that a character of another script, or of another form, is taken for.
fn lookalike(character: char) -> Option<char> {
    let code = u32::from(character);
    let form = |first: u32, letter: u8| char::from_u32(u32::from(letter) + (code - first));
    match code {
        0xFF21..=0xFF3A => return form(0xFF21, b'A'),
        0xFF41..=0xFF5A => return form(0xFF41, b'a'),
        // Thirteen styles of mathematical letters, each the two alphabets one after the other.
        0x1D400..=0x1D6A3 => {
            let letter = (code - 0x1D400) % 52;
            return char::from_u32(if letter < 26 { 0x41 + letter } else { 0x61 + letter - 26 });
        }
        _ => {}
    }
    Some(match character {
        'а' | 'α' => 'a',
        'Ь' | 'ƅ' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'ҽ' => 'e',
        'ѵ' | 'ν' => 'v',
        'ɡ' => 'g',
        'һ' | 'հ' => 'h',
        'і' | 'ι' | 'ı' => 'i',
        'ј' => 'j',
        'κ' | 'к' => 'k',
        'ӏ' => 'l',
        'м' => 'm',
        'ո' | 'п' => 'n',
        'о' | 'ο' | 'օ' | 'σ' => 'o',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'г' => 'r',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ս' => 'u',
        'ԝ' | 'ѡ' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'С' | 'Ϲ' => 'C',
        'Е' | 'Ε' => 'E',
        'Н' | 'Η' => 'H',
        'І' | 'Ι' => 'I',
        'Ј' => 'J',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'Ν' => 'N',
        'О' | 'Ο' => 'O',
        'Р' | 'Ρ' => 'P',
        'Ѕ' => 'S',
        'Т' | 'Τ' => 'T',
        'Х' | 'Χ' => 'X',
        'Υ' => 'Y',
        'Ζ' => 'Z',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn js(text: &str) -> Looks {
        look(text.as_bytes(), Language::JavaScript)
    }

    #[test]
    fn code_out_of_sight() {
        let spaces = " ".repeat(210);
        assert_eq!(js(&format!("a\nvar b = 1;{spaces}run(b)\n")).off_screen, Some(2));
        assert_eq!(js(&format!("{spaces}run(b)")).off_screen, Some(1));
        assert_eq!(js(&format!("{}x {spaces}\trun(b)", "y ".repeat(300))).off_screen, Some(1));
        for clean in [
            format!("var b = 1;{}run(b)", " ".repeat(180)),
            format!("var b = 1;{spaces}"),
            format!("var b = 1;{spaces}// run(b)"),
            format!("// table{spaces}run(b)"),
            format!("| a{spaces}b"),
        ] {
            assert_eq!(js(&clean).off_screen, None, "{clean}");
        }
    }

    #[test]
    fn lookalikes() {
        assert_eq!(js("x\nеval(1)").homoglyph, Some((2, "еval".to_owned())));
        assert_eq!(js("const рrocess = 1").homoglyph, Some((1, "рrocess".to_owned())));
        assert_eq!(look("ｅｖａｌ(1)".as_bytes(), Language::Python).homoglyph.map(|(line, _)| line), Some(1));
        assert_eq!(
            look("x = \u{1D41E}val".as_bytes(), Language::Python).homoglyph.map(|(line, _)| line),
            Some(1)
        );
        assert_eq!(js("x('y', еval)").homoglyph, Some((1, "еval".to_owned())));
        for clean in [
            "// объект и путь",
            "const café = 1",
            "π = 3; Δx",
            "имя = 'name'",
            "x = 'сервер eval'",
            "const styled = \"𝐢𝐦𝐩𝐨𝐫𝐭\"",
            "x = 'еval'",
            "{ a: 'мар.', b: 1 }",
            "п\u{0065}т",
            "шест п\u{0065}т",
        ] {
            assert_eq!(js(clean).homoglyph, None, "{clean}");
        }
    }

    #[test]
    fn names_beside_their_twins() {
        let twin = "function compare() {}\nfunction c\u{43e}mpare() {}";
        assert_eq!(js(twin).homoglyph.map(|(line, _)| line), Some(2));
        for clean in
            ["function c\u{43e}mpare() {}", "let compare = 'c\u{43e}mpare';", "compare // c\u{43e}mpare\n"]
        {
            assert_eq!(js(clean).homoglyph, None, "{clean}");
        }
    }

    #[test]
    fn signs_alone() {
        let signs = "(![]+[])[+[]]+".repeat(40);
        assert_eq!(js(&format!("a\n{signs}b")).signs.map(|(line, _)| line), Some(2));
        for clean in
            ["[[],[],[]],".repeat(60), "+".repeat(900), format!("// {signs}"), "a=![],b=!0,".repeat(90)]
        {
            assert_eq!(js(&clean).signs, None, "{clean}");
        }
    }

    #[test]
    fn what_nobody_sees() {
        let payload = "\u{FE01}".repeat(40);
        assert_eq!(js(&format!("a\nb(`{payload}`)")).invisible, Some((2, 40)));
        assert_eq!(js(&format!("b(`{}`)", "\u{E0120}".repeat(32))).invisible, Some((1, 32)));
        assert_eq!(js(&format!("b(`{}`)", "\u{200B}\u{200C}".repeat(20))).invisible, Some((1, 40)));
        assert_eq!(js(&format!("b('{}')", "❤\u{FE0F}".repeat(100))).invisible, None);
        assert_eq!(js(&"\u{FE01}".repeat(31)).invisible, None);
    }

    #[test]
    fn directions() {
        assert_eq!(js("a\nif (x !== 'user\u{202E} \u{2066}// check\u{2069} \u{2066}') {").bidi, Some(2));
        assert_eq!(js("/*\u{2067} } return; */").bidi, Some(1));
        assert_eq!(js("t('\u{2068}name\u{2069}')").bidi, None);
        assert_eq!(js("// שלום").bidi, None);
        let words = |text: &str| js(text).bidi_words;
        assert!(words("if (x !== 'user\u{202E} \u{2066}// check\u{2069} \u{2066}') {"));
        assert!(words("/*\u{202E} } \u{2066}if (admin)\u{2069} \u{2066} begin */ a()"));
        assert!(!words(
            "s.replace(/[\u{202a}-\u{202e}\u{2066}-\u{2069}]/g, more).replace(/[\u{202a}-\u{202e}]/, more)"
        ));
        assert!(!words("t('\u{202b}\u{5e9}\u{5dc}')"));
    }

    #[test]
    fn a_line_unlike_the_rest() {
        let usual = "const value = compute(1, 2);\n".repeat(30);
        let tail = "a=b(c);".repeat(200);
        assert_eq!(js(&format!("{usual}{tail}")).odd_line, Some((31, 1400)));
        let hex = "var _0x3fa2=_0x11aa(1);".repeat(9);
        assert_eq!(js(&format!("{usual}{hex}")).odd_line, Some((31, 207)));
        for clean in [
            usual.clone(),
            format!("{tail}\n{tail}\n{tail}\n{tail}\n{tail}\n{tail}\n"),
            format!("a\nb\nc\n{tail}"),
            format!("{usual}//# {tail}"),
        ] {
            assert_eq!(js(&clean).odd_line, None, "{clean}");
        }
    }

    #[test]
    fn names_and_lines() {
        let looks = js("var _0x3fa2 = _0x11aa(_0xbeef1);\n");
        assert_eq!((looks.hex_names, looks.line_bytes), (750, 16));
        assert_eq!(js("var a = '_0x'; b0x12 = 3").hex_names, 0);
        assert_eq!(js("").line_bytes, 0);
    }

    proptest::proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = look(&bytes, Language::Python);
        }
    }
}
