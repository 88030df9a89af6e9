//! Reads just enough Markdown to hold documentation to what it says: fenced blocks, and code within a line.

/// A fenced block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// What stands behind the opening fence: `sh`, `toml configuration`.
    pub info: &'a str,
    /// The lines between the fences.
    pub text: &'a str,
    /// The line of the opening fence, counted from 1.
    pub line: usize,
}

/// Every fenced block, in order. A fence that is never closed ends with the text.
pub fn blocks(text: &str) -> Vec<Block<'_>> {
    let (mut found, mut open, mut at) = (Vec::new(), None, 0);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if let Some(info) = line.strip_prefix("```") {
            open = match open {
                None => Some((info.trim(), at + line.len(), number + 1)),
                Some((info, start, line)) => {
                    found.push(Block { info, text: &text[start..at], line });
                    None
                }
            };
        }
        at += line.len();
    }
    if let Some((info, start, line)) = open {
        found.push(Block { info, text: &text[start..], line });
    }
    found
}

/// Code within lines of prose (`` `like this` ``), with the line it begins on. A line break within it is a blank.
/// Fenced blocks are passed over.
pub fn spans(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut paragraph = String::new();
    let (mut begins, mut fenced) = (1, false);
    for (number, line) in text.lines().chain([""]).enumerate() {
        let fence = line.starts_with("```");
        if fence || line.trim().is_empty() || line.starts_with('|') {
            of_paragraph(&paragraph, begins, &mut found);
            paragraph.clear();
        }
        if fence {
            fenced = !fenced;
        } else if !fenced {
            if paragraph.is_empty() {
                begins = number + 1;
            }
            paragraph.push_str(line);
            paragraph.push('\n');
        }
    }
    of_paragraph(&paragraph, begins, &mut found);
    found
}

fn of_paragraph(paragraph: &str, begins: usize, found: &mut Vec<(usize, String)>) {
    let mut line = begins;
    for (number, part) in paragraph.split('`').enumerate() {
        if number % 2 == 1 {
            found.push((line, part.split_whitespace().collect::<Vec<_>>().join(" ")));
        }
        line += part.matches('\n').count();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_their_info_and_place() {
        let text = "a\n```sh\none\ntwo\n```\n```text output\n\n```\nlast\n```toml\nopen\n";
        let found = blocks(text);
        assert_eq!(found[0], Block { info: "sh", text: "one\ntwo\n", line: 2 });
        assert_eq!(found[1], Block { info: "text output", text: "\n", line: 6 });
        assert_eq!(found[2], Block { info: "toml", text: "open\n", line: 10 });
    }

    #[test]
    fn spans_may_wrap_and_fenced_code_is_none() {
        let text = "say `a b` and `c\n  d`.\n\n```sh\necho `no`\n```\n| `x` | y |\n| `z` |\nunpaired ` here\n\n`next`\n";
        let found = spans(text);
        let expected = [(1, "a b"), (1, "c d"), (7, "x"), (8, "z"), (11, "next")];
        assert_eq!(found.iter().map(|(l, s)| (*l, s.as_str())).collect::<Vec<_>>()[..4], expected[..4]);
        assert_eq!(found.last().unwrap(), &(11, "next".to_owned()));
    }
}
