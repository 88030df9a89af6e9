//! Characters in text that nobody sees.

/// Invisible characters in a row that no emoji and no script needs.
const RUN: u32 = 32;

/// Whether a character shows nothing: variation selectors, tags, zero width, private use beyond the basic plane.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e01ef}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}'
        | '\u{f0000}'..='\u{10fffd}' | '\u{180b}'..='\u{180e}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}')
}

/// Line and length of the first run of invisible characters that is too long to be part of a visible one.
pub(crate) fn invisible(text: &str) -> Option<(u32, u32)> {
    if text.is_ascii() {
        return None;
    }
    let (mut line, mut run) = (1_u32, 0_u32);
    for c in text.chars() {
        if is_invisible(c) {
            run += 1;
            continue;
        }
        if run >= RUN {
            break;
        }
        run = 0;
        line += u32::from(c == '\n');
    }
    (run >= RUN).then_some((line, run))
}
