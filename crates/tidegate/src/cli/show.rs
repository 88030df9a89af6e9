//! How commands print: sentences for people, one JSON object a line for programs. Colour only where a terminal is.

use std::fmt::Write as _;
use std::sync::mpsc::{self, RecvTimeoutError};

use anstyle::{AnsiColor, Style};
use clap::Args;
use serde_json::Value;
use tidegate_model::Timestamp;

use super::remote::{Reach, Remote};
use super::{Failure, print};

/// What every command that asks a door takes.
#[derive(Clone, Debug, Default, Args)]
pub struct Ask {
    /// Which door.
    #[command(flatten)]
    pub reach: Reach,
    /// Print one JSON object a line.
    #[arg(long, global = true)]
    pub json: bool,
}

impl Ask {
    /// The door.
    ///
    /// # Errors
    /// See [`Remote::new`].
    pub fn door(&self) -> Result<Remote, Failure> {
        Remote::new(&self.reach)
    }
}

/// For what matters in a line.
pub const STRONG: Style = Style::new().bold();
/// For what is well.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// For what needs a look.
pub const CARE: Style = AnsiColor::Yellow.on_default();
/// For what is wrong.
pub const BAD: Style = AnsiColor::Red.on_default();
/// For what is beside the point.
pub const FAINT: Style = Style::new().dimmed();

/// Text in a style.
pub fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// The style of an action.
pub fn action_style(action: &str) -> Style {
    match action {
        "allow" => GOOD,
        "warn" => CARE,
        _ => BAD,
    }
}

/// Text of a member; empty where there is none.
pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The elements of a member that is a list.
pub fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Words of a member that is a list of words, joined.
pub fn words(value: &Value, key: &str) -> String {
    list(value, key).iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}

/// A time as `2026-11-24 09:10 UTC`; empty where there is none.
pub fn minute(value: &Value, key: &str) -> String {
    text(value, key).parse::<Timestamp>().map_or_else(|_| String::new(), Timestamp::to_minute)
}

/// Text from elsewhere, safe for a terminal: no control characters.
pub fn safe(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Prints each value as a line of JSON.
///
/// # Errors
/// Standard output cannot be written.
pub fn print_json<'a>(values: impl IntoIterator<Item = &'a Value>) -> Result<(), Failure> {
    let mut out = String::new();
    for value in values {
        let _ = writeln!(out, "{value}");
    }
    print(&out)
}

/// Prints rows in columns as wide as they need. Cells are plain text: what would style them is made visible, as anything from
/// outside is.
///
/// # Errors
/// Standard output cannot be written.
pub fn print_table(head: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
    let mut widths: Vec<usize> = head.iter().map(|h| h.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &mut dyn Iterator<Item = String>| {
        let mut out = String::new();
        for (cell, width) in cells.zip(&widths) {
            let _ = write!(out, "{cell:width$}  ");
        }
        out.trim_end().to_owned()
    };
    let mut out = styled(STRONG, &line(&mut head.iter().map(|h| (*h).to_owned())));
    out.push('\n');
    for row in rows {
        out.push_str(&line(&mut row.iter().map(|cell| safe(cell))));
        out.push('\n');
    }
    print(&out)
}

/// How long something is to last: `30d`, `12h`, `45m`, `90s`.
///
/// # Errors
/// Text of another form, in words for the person who typed it.
pub fn duration(text: &str) -> Result<u32, String> {
    let (number, unit) = text.split_at(text.len() - text.chars().last().map_or(0, char::len_utf8));
    let seconds: u32 = match unit {
        "d" => 86_400,
        "h" => 3600,
        "m" => 60,
        "s" => 1,
        _ => 0,
    };
    number
        .parse::<u32>()
        .ok()
        .and_then(|n| n.checked_mul(seconds))
        .filter(|n| *n > 0)
        .ok_or_else(|| "write a number and d, h, m or s, for example 30d".to_owned())
}

/// Says on a terminal that something takes time; silent elsewhere.
pub fn spinner(what: &'static str) -> indicatif::ProgressBar {
    let bar = indicatif::ProgressBar::new_spinner().with_message(what);
    bar.enable_steady_tick(std::time::Duration::from_millis(120));
    bar
}

/// Runs `work` while a bar shows what a door says that it is doing; silent where there is no terminal.
pub fn watching<T>(
    what: &'static str,
    watch: impl Fn(&indicatif::ProgressBar) + Send,
    work: impl FnOnce() -> T,
) -> T {
    let bar = spinner(what);
    let (done, is_done) = mpsc::channel::<()>();
    let result = std::thread::scope(|scope| {
        let bar = &bar;
        if !bar.is_hidden() {
            scope.spawn(move || {
                while is_done.recv_timeout(WATCH_EVERY) == Err(RecvTimeoutError::Timeout) {
                    watch(bar);
                }
            });
        }
        let result = work();
        drop(done);
        result
    });
    bar.finish_and_clear();
    result
}

/// Pause between two looks at what a door is doing.
const WATCH_EVERY: std::time::Duration = std::time::Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("30d"), Ok(2_592_000));
        assert_eq!(duration("90s"), Ok(90));
        for bad in ["", "d", "0d", "-1d", "3", "3w", "99999999d", "é"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nothing_from_elsewhere_steers_the_terminal() {
        assert_eq!(safe("a\u{1b}[2Jb\n"), "a?[2Jb?");
    }
}
