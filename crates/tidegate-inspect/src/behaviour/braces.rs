//! Texts with fields in braces, as `str.format` of Python and `format!` of Rust write them.

/// What a field stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field<'t> {
    /// The argument at this place.
    At(usize),
    /// What has this name.
    Named(&'t str),
}

/// Fills in the fields; `{{` and `}}` are braces. Ends once the result has more than so many bytes.
pub(super) fn filled(text: &str, bytes: usize, mut value: impl FnMut(Field<'_>) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut next = 0_usize;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '{' if rest.next_if_eq(&'{').is_some() => out.push('{'),
            '}' => {
                rest.next_if_eq(&'}');
                out.push('}');
            }
            '{' => {
                let field: String = rest.by_ref().take_while(|c| *c != '}').collect();
                let name = field.split([':', '!', '.', '[']).next().unwrap_or_default().trim();
                let field = match name.parse() {
                    Ok(at) => Field::At(at),
                    Err(_) if name.is_empty() => {
                        next += 1;
                        Field::At(next - 1)
                    }
                    Err(_) => Field::Named(name),
                };
                out.push_str(&value(field));
            }
            c => out.push(c),
        }
        if out.len() > bytes {
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Field, filled};

    #[test]
    fn fields_are_filled_by_place_and_name() {
        let check = |text: &str, expected: &str| {
            let told = filled(text, 100, |field| match field {
                Field::At(at) => format!("<{at}>"),
                Field::Named(name) => format!("<{name}>"),
            });
            assert_eq!(told, expected);
        };
        check("{}/{}", "<0>/<1>");
        check("{1}{0:>8}{}", "<1><0><0>");
        check("{host!r}.{a.b}{c[0]}", "<host>.<a><c>");
        check("{{}} {", "{} <0>");
        check("}", "}");
    }

    #[test]
    fn a_long_result_ends() {
        assert!(filled(&"{}".repeat(50), 100, |_| "x".repeat(60)).len() <= 160);
    }
}
