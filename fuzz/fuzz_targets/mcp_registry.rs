//! The list of a registry of MCP servers: read, merged again, then shown; nothing that is shown leads elsewhere.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use tidegate_ecosystems::mcp::Mcp;
use tidegate_ecosystems::{Catalogue as _, FetchedDocument, Links, Protocol as _, UpstreamBase, Verdict};
use tidegate_model::Action;

fuzz_target!(|data: &[u8]| {
    let Some((&choice, page)) = data.split_first() else { return };
    let _ = Mcp.next_page(page);
    let Ok(merged) = Mcp.merge(None, &[Bytes::copy_from_slice(page)]) else { return };
    let again = Mcp.merge(Some(&merged.document), &[]).expect("what was written is read");
    assert_eq!(again.document, merged.document, "the normal form is one");
    let upstream = UpstreamBase { url: "https://registry.example/".parse().expect("a URL") };
    let links = Links::below("http://door.test/mcp/");
    for (name, body) in Mcp.split(&merged.document).expect("what was written is read") {
        let document = FetchedDocument { url: upstream.url.clone(), content_type: None, body };
        let Ok(index) = Mcp.parse_index(&name, &upstream, &document, None, None) else { continue };
        let verdicts: Vec<Verdict> = (0..index.files().len())
            .map(|n| {
                let withheld = (choice >> (n % 8)) & 1 == 1;
                let action = if withheld { Action::Block } else { Action::Allow };
                Verdict { action, withheld, message: String::new(), until: None }
            })
            .collect();
        let listed = index.listed(&verdicts);
        assert!(listed.iter().filter(|one| one.is_latest).count() <= 1);
        for one in &listed {
            let Some(entry) = index.entry(one, &verdicts, &links) else { continue };
            for package in entry["server"]["packages"].as_array().into_iter().flatten() {
                let base = package["registryBaseUrl"].as_str().or_else(|| package["identifier"].as_str());
                assert!(base.is_some_and(|base| base.starts_with("http://door.test/")), "{entry}");
                assert!(!one.is_gone, "{entry}");
            }
            assert!(entry["server"].get("remotes").is_none() && entry["server"].get("icons").is_none(), "{entry}");
        }
    }
});
