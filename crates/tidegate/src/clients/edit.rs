//! Small edits of clients' configuration files that keep everything else as it stands: other keys, order, comments.

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

/// Sets `key` in a file of `key<separator>value` lines: the first line of that key takes the value, later ones go (the
/// last would win), and a missing one is added at the end.
pub(crate) fn set_line(text: &str, key: &str, separator: &str, new: &str) -> String {
    let line = format!("{key}{separator}{new}");
    let is_key = |old: &str| {
        let rest = old.trim_start().strip_prefix(key);
        rest.is_some_and(|rest| rest.trim_start().starts_with(separator.trim()))
    };
    let mut out = String::with_capacity(text.len() + line.len() + 1);
    let mut done = false;
    for old in text.lines() {
        if !is_key(old) {
            out.push_str(old);
        } else if done {
            continue;
        } else {
            out.push_str(&line);
            done = true;
        }
        out.push('\n');
    }
    if !done {
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// Sets `key` in a section of an INI file as pip reads it. Both spellings of a key (`index-url`, `index_url`) are one;
/// indented lines that continue a replaced value go with it.
pub(crate) fn set_ini(text: &str, section: &str, key: &str, new: &str) -> String {
    let line = format!("{key} = {new}");
    let is_key = |old: &str| {
        let name = old.split(['=', ':']).next().unwrap_or_default().trim();
        !old.starts_with([' ', '\t']) && old.contains(['=', ':']) && name.replace('_', "-") == key
    };
    let mut out: Vec<&str> = Vec::new();
    let (mut inside, mut continued, mut at) = (false, false, None);
    for old in text.lines() {
        if continued && old.starts_with([' ', '\t']) {
            continue;
        }
        continued = false;
        let trimmed = old.trim();
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            inside = name.trim() == section;
            out.push(old);
            if inside && at.is_none() {
                at = Some(out.len());
            }
        } else if inside && is_key(old) {
            continued = true;
        } else {
            out.push(old);
        }
    }
    let header = format!("[{section}]");
    match at {
        Some(at) => out.insert(at, &line),
        None => out.extend([header.as_str(), line.as_str()]),
    }
    out.join("\n") + "\n"
}

/// Reads a TOML file, or says in one line what is wrong with it.
pub(crate) fn toml(text: &str) -> Result<DocumentMut, String> {
    text.parse::<DocumentMut>().map_err(|error| {
        let line =
            error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        format!("line {line} is not readable as TOML: {}", error.message())
    })
}

/// Sets a string at a path of tables, making the tables that are missing.
pub(crate) fn set_toml(document: &mut DocumentMut, path: &[&str], new: &str) -> Result<(), String> {
    let (key, tables) = path.split_last().expect("a path of keys has at least one");
    let mut table: &mut dyn toml_edit::TableLike = document.as_table_mut();
    for (depth, name) in tables.iter().enumerate() {
        let missing = || {
            let mut table = Table::new();
            table.set_implicit(depth + 1 < tables.len());
            Item::Table(table)
        };
        let entry = table.entry(name).or_insert_with(missing);
        table = entry.as_table_like_mut().ok_or_else(|| format!("`{name}` is not a table"))?;
    }
    if table.get(key).and_then(Item::as_str) != Some(new) {
        table.insert(key, value(new));
    }
    Ok(())
}

/// Makes `url` the default index of a `uv.toml`.
pub(crate) fn set_uv_default(document: &mut DocumentMut, url: &str) -> Result<(), String> {
    let tables = document
        .entry("index")
        .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()))
        .as_array_of_tables_mut()
        .ok_or("`index` is not written as `[[index]]` tables")?;
    let is_default = |table: &&mut Table| table.get("default").and_then(Item::as_bool) == Some(true);
    if let Some(table) = tables.iter_mut().find(is_default) {
        if table.get("url").and_then(Item::as_str) != Some(url) {
            table.insert("url", value(url));
        }
    } else {
        let mut table = Table::new();
        table.insert("url", value(url));
        table.insert("default", value(true));
        tables.push(table);
    }
    // The older form of the same setting would contradict it.
    document.remove("index-url");
    Ok(())
}
