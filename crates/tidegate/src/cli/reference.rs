//! The reference page of commands, from the same definition that the parser uses.

use std::fmt::Write as _;

use clap::{Arg, Command};

/// Every command with its arguments, as Markdown.
pub fn markdown(mut command: Command) -> String {
    command.build();
    let mut out = String::from(
        "# Commands\n\nThis page is made from the program's own definition; `tidegate COMMAND --help` says the same.\n\n\
         Exit status: 0 where the command did what it was asked, 1 where it failed or found something wrong, 2 for wrong\n\
         usage. `check` and `run` have their own, said below. Commands that act on a running door reach it over the Unix\n\
         socket in its data directory (`--data`), or over HTTP with `--door` and `--token`. `--json` prints one JSON object\n\
         a line. Colour appears on a terminal only, and never where `NO_COLOR` is set.\n",
    );
    section(&command, "tidegate", &mut out);
    out
}

fn section(command: &Command, path: &str, out: &mut String) {
    for below in command.get_subcommands().filter(|c| c.get_name() != "help" && !c.is_hide_set()) {
        let path = format!("{path} {}", below.get_name());
        // Writing to a String cannot fail.
        let _ = write!(out, "\n## `{path}`\n\n");
        let about = below.get_long_about().or_else(|| below.get_about());
        let _ = writeln!(out, "{}", about.map(ToString::to_string).unwrap_or_default().trim());
        let arguments: Vec<&Arg> =
            below.get_arguments().filter(|a| !a.is_hide_set() && a.get_id() != "help").collect();
        if !arguments.is_empty() {
            out.push_str("\n| argument | meaning |\n| --- | --- |\n");
            for argument in arguments {
                let _ = writeln!(out, "| `{}` | {} |", shape(argument), meaning(argument));
            }
        }
        section(below, &path, out);
    }
}

fn shape(argument: &Arg) -> String {
    let values = argument.get_value_names().map_or_else(Vec::new, <[_]>::to_vec);
    let value = if argument.get_action().takes_values() {
        values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    } else {
        String::new()
    };
    let shape = match argument.get_long() {
        Some(long) if value.is_empty() => format!("--{long}"),
        Some(long) => format!("--{long} {value}"),
        None => value,
    };
    shape.replace('|', "\\|")
}

fn meaning(argument: &Arg) -> String {
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let mut text = help.replace('\n', " ").replace('|', "\\|");
    let choices: Vec<String> =
        argument.get_possible_values().iter().map(|v| format!("`{}`", v.get_name())).collect();
    if argument.get_action().takes_values() && !choices.is_empty() {
        let _ = write!(text, " One of {}.", choices.join(", "));
    }
    let defaults: Vec<String> =
        argument.get_default_values().iter().map(|v| format!("`{}`", v.to_string_lossy())).collect();
    if argument.get_action().takes_values() && !defaults.is_empty() {
        let _ = write!(text, " Default: {}.", defaults.join(", "));
    }
    if let Some(variable) = argument.get_env() {
        let _ = write!(text, " Also `{}`.", variable.to_string_lossy());
    }
    text
}
