//! Where editors get their registry of MCP servers.
//!
//! Two editors let a person set one; what they use unless told otherwise is not asked of them: it stands in no file.

use super::{Search, Source, SourceKind};

/// The setting that names it.
const SETTING: &str = "chat.mcp.gallery.serviceUrl";

/// Folders of editors below the user's configuration.
const EDITORS: [&str; 4] = ["Code", "Code - Insiders", "VSCodium", "code-oss"];

/// Looks at the user settings of editors.
pub(crate) fn search(search: &mut Search<'_>) {
    let around = search.around;
    let folder = around.file_from_var("XDG_CONFIG_HOME").or_else(|| around.in_home(".config"));
    for editor in EDITORS {
        let Some(path) = folder.as_ref().map(|folder| folder.join(editor).join("User/settings.json")) else {
            continue;
        };
        let Some(address) = around.read(&path).and_then(|text| setting(&text)) else { continue };
        search.offer(&address, Source::new(SourceKind::UserConfiguration, path.display().to_string()));
    }
    if !search.is_over() {
        search.missed(format!("`{SETTING}` stands in no editor's user settings"));
    }
}

/// The value of the setting. Settings may hold comments and commas that JSON does not know, so the line is read and not the
/// document; one that stands in a comment counts as not set.
fn setting(text: &str) -> Option<String> {
    let value = text.lines().map(str::trim).find_map(|line| {
        let rest = line.strip_prefix('"')?.strip_prefix(SETTING)?.strip_prefix('"')?;
        rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')
    })?;
    let address = value.split('"').next()?;
    (!address.is_empty() && !address.contains('\\')).then(|| address.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_is_read_among_comments() {
        let settings = "{\n  // \"chat.mcp.gallery.serviceUrl\": \"https://old.example\",\n  \"a\": 1,\n  \"chat.mcp.gallery.serviceUrl\": \"https://registry.example/mcp\", // ours\n}";
        assert_eq!(setting(settings).as_deref(), Some("https://registry.example/mcp"));
        for none in ["{}", "{ \"chat.mcp.gallery.serviceUrl\": 7 }", "\"chat.mcp.gallery.serviceUrl\": \"\""]
        {
            assert_eq!(setting(none), None);
        }
    }
}
