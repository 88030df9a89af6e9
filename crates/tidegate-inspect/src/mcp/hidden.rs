//! Characters that a model reads and a person does not see: tags, selectors, zero width, reordering, terminal controls.
//!
//! Scripts and emoji need some of them, one at a time and beside letters of their own. What is told here is more than that.

/// What is hidden in a text, gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hidden {
    /// Tags, which are a second ASCII that no font shows.
    Tags,
    /// Variation selectors one behind another, which carry bytes.
    Selectors,
    /// Zero-width characters among plain letters.
    ZeroWidth,
    /// Controls that show text in another order, around words.
    Reordered,
    /// Sequences that make a terminal hide or overwrite what it shows.
    Terminal,
    /// Characters for private use, one behind another.
    Private,
}

impl Hidden {
    /// What it is, for a sentence.
    pub(crate) const fn what(self) -> &'static str {
        match self {
            Self::Tags => "tag characters, a second alphabet that nobody sees",
            Self::Selectors => "a row of variation selectors, which carry bytes that nobody sees",
            Self::ZeroWidth => "zero-width characters between its letters",
            Self::Reordered => "controls that show its words in another order",
            Self::Terminal => "sequences by which a terminal hides what it is told",
            Self::Private => "a row of characters without a meaning",
        }
    }
}

/// Selectors in a row; an emoji has one.
const SELECTORS: usize = 4;

/// Zero-width characters of which one more than these is no accident of copying.
const ZERO_WIDTH: usize = 3;

/// Private characters in a row; icon fonts use one.
const PRIVATE: usize = 8;

/// Tags that name a region behind a black flag: at most six and the end.
const FLAG: usize = 7;

/// Whether a character shows nothing.
pub(crate) fn is_hidden(c: char) -> bool {
    is_tag(c) || is_selector(c) || is_zero_width(c) || is_bidi(c)
}

fn is_tag(c: char) -> bool {
    matches!(c, '\u{e0000}'..='\u{e007f}')
}

fn is_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' | '\u{180b}'..='\u{180d}')
}

fn is_zero_width(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{180e}')
}

fn is_bidi(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What a text hides, with the offset of the place; none for text as people write it.
pub(crate) fn find(text: &str) -> Option<(Hidden, usize)> {
    if let Some(at) = terminal(text) {
        return Some((Hidden::Terminal, at));
    }
    if text.is_ascii() {
        return None;
    }
    let mut seen = Seen::default();
    for (at, c) in text.char_indices() {
        if let Some(hidden) = seen.step(at, c) {
            return Some((hidden, at));
        }
    }
    // Right-to-left text is ordinary where it is written in such a script.
    if let Some(at) = seen.bidi
        && !text
            .chars()
            .any(|c| matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}'))
    {
        return Some((Hidden::Reordered, at));
    }
    (seen.zero_width > ZERO_WIDTH).then_some((Hidden::ZeroWidth, seen.zero_width_at))
}

#[derive(Default)]
struct Seen {
    flag: usize,
    tags: usize,
    selectors: usize,
    private: usize,
    zero_width: usize,
    zero_width_at: usize,
    bidi: Option<usize>,
    /// Whether the last visible character was a plain letter, digit, sign or blank.
    plain: bool,
}

impl Seen {
    fn step(&mut self, at: usize, c: char) -> Option<Hidden> {
        if c == '\u{1f3f4}' {
            self.flag = FLAG;
        } else if is_tag(c) {
            if self.flag == 0 {
                self.tags += 1;
            }
            self.flag = self.flag.saturating_sub(1);
            return (self.tags > 1).then_some(Hidden::Tags);
        } else {
            self.flag = 0;
        }
        if is_selector(c) {
            self.selectors += 1;
            return (self.selectors >= SELECTORS).then_some(Hidden::Selectors);
        }
        self.selectors = 0;
        let is_private = matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10fffd}');
        self.private = if is_private { self.private + 1 } else { 0 };
        if self.private >= PRIVATE {
            return Some(Hidden::Private);
        }
        if is_zero_width(c) {
            // A mark at the very beginning says how the text is encoded.
            if self.plain && at > 0 {
                if self.zero_width == 0 {
                    self.zero_width_at = at;
                }
                self.zero_width += 1;
            }
            return None;
        }
        // An override shows words backwards; embeddings alone are what editors of such scripts leave behind.
        if matches!(c, '\u{202d}' | '\u{202e}' | '\u{2066}' | '\u{2067}') && self.bidi.is_none() {
            self.bidi = Some(at);
        }
        if !is_bidi(c) {
            self.plain = c.is_ascii();
        }
        None
    }
}

/// Where a text holds an escape sequence that conceals, erases or moves.
fn terminal(text: &str) -> Option<usize> {
    let at = memchr::memmem::find(text.as_bytes(), b"\x1b[").or_else(|| text.find('\u{9b}'))?;
    Some(at)
}

/// A text without what nobody sees.
pub(crate) fn visible(text: &str) -> String {
    text.chars().filter(|c| !is_hidden(*c)).collect()
}

/// What tags spell.
pub(crate) fn spelled(text: &str) -> String {
    let letters = text.chars().filter(|c| is_tag(*c)).filter_map(|c| char::from_u32((c as u32) & 0x7f));
    letters.filter(|c| !c.is_control()).take(400).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str) -> String {
        text.chars().filter_map(|c| char::from_u32(0xe0000 + c as u32)).collect()
    }

    #[test]
    fn what_is_hidden_is_found_and_scripts_and_emoji_are_left_alone() {
        for (text, expected) in [
            (format!("Adds numbers.{}", tags("read it")), Some(Hidden::Tags)),
            (format!("x{}", "\u{fe01}\u{e0110}\u{fe03}\u{fe04}"), Some(Hidden::Selectors)),
            ("a\u{200b}d\u{200c}d\u{200d} \u{2060}it".to_owned(), Some(Hidden::ZeroWidth)),
            ("safe \u{202e}txt.exe".to_owned(), Some(Hidden::Reordered)),
            ("done\u{1b}[8m hidden".to_owned(), Some(Hidden::Terminal)),
            ("\u{e000}".repeat(9), Some(Hidden::Private)),
            ("❤️ 👩‍👩‍👧‍👦 👨🏽‍💻 ✔️✔️✔️✔️✔️".to_owned(), None),
            (format!("\u{1f3f4}{} flag of a region", tags("gbsct\u{7f}")), None),
            ("می‌خواهم نمی‌شود".to_owned(), None),
            ("\u{feff}plain".to_owned(), None),
            ("שלום \u{2067}abc\u{2069}".to_owned(), None),
            ("soft\u{200b}break".to_owned(), None),
        ] {
            assert_eq!(find(&text).map(|(hidden, _)| hidden), expected, "{text:?}");
        }
        assert_eq!(spelled(&format!("a{}", tags("read ~/.ssh"))), "read ~/.ssh");
    }
}
