//! Extensions of editors, and what assistants load: any bytes under the names that their readers know are told alike twice.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_inspect::{Budgets, Inspection, Request, TemporaryFiles, inspect};

const NAMES: [&str; 10] = [
    "x.vsix",
    "package.json",
    "extension.vsixmanifest",
    "server.json",
    "mcp.json",
    "claude_desktop_config.json",
    "tasks.json",
    "CLAUDE.md",
    "config.toml",
    "x.mcpb",
];

fn look(name: &str, bytes: &[u8]) -> Inspection {
    let request = Request { name: name.to_owned(), hash_key: [7; 32], ..Request::default() };
    inspect(&request, bytes, &Budgets::default(), &TemporaryFiles::default())
}

fuzz_target!(|data: &[u8]| {
    let Some((&first, bytes)) = data.split_first() else { return };
    let name = NAMES[usize::from(first) % NAMES.len()];
    let told = look(name, bytes);
    let again = look(name, bytes);
    assert_eq!((&told.findings, &told.mcp), (&again.findings, &again.mcp), "the same bytes are told alike");
    assert!(told.findings.iter().all(|finding| finding.detector.contains('/') && finding.count > 0));
    if let Ok(listing) = serde_json::from_slice(bytes) {
        let _ = tidegate_inspect::mcp::listing(&listing);
    }
});
