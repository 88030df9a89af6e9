//! What an index says, and how it is shown in both protocols.

use serde_json::{Value, json};
use tidegate_model::Stated;

use super::{answer, document, links, name, parse, several, shown, upstream, version, view, withholding};
use crate::vscode::{Service, Vscode, render, rest};
use crate::{Companion, IndexError, Protocol as _, Rendered, UpstreamBase};

#[test]
fn upstreams_are_asked_where_their_address_leads() {
    let of = |url: &str| Service::of(&UpstreamBase { url: url.parse().unwrap() });
    let root = |url: &str| of(url).rest.map(|rest| rest.url.to_string());
    assert_eq!(of("https://vsx.example/").gallery.url.as_str(), "https://vsx.example/vscode/gallery/");
    assert_eq!(root("https://vsx.example/x/").as_deref(), Some("https://vsx.example/x/"));
    assert_eq!(root("https://vsx.example/vscode/gallery/").as_deref(), Some("https://vsx.example/"));
    assert_eq!(of("https://vsx.example/vscode/gallery/"), of("https://vsx.example/"));
    for other in ["https://market.example/_apis/public/gallery/", "https://code.example/api/"] {
        assert_eq!((of(other).gallery.url.as_str(), root(other)), (other, None));
    }
    let request = Vscode.index_request(&name("acme.tool"), &upstream());
    assert_eq!(request.url.as_str(), "https://vsx.example/vscode/gallery/extensionquery");
    let body: Value = serde_json::from_slice(&request.body.unwrap()).unwrap();
    assert!(
        body["filters"][0]["criteria"]
            .as_array()
            .unwrap()
            .contains(&json!({ "filterType": 7, "value": "acme.tool" }))
    );
}

#[test]
fn an_index_is_read() {
    let told = json!({ "extensions": [{
        "namespace": "Acme", "name": "Tool", "version": "1.0.0", "targetPlatform": "universal", "license": "MIT",
        "publishedBy": { "loginName": "octo" }, "files": { "sha256": "https://files.example/x.sha256" },
    }, { "namespace": "Acme", "name": "Else", "version": "1.0.0" }, { "version": 7 }] });
    let index = parse(&several(), Some(&told)).unwrap();
    let files: Vec<&str> = index.files().iter().map(|f| f.file.as_str()).collect();
    assert_eq!(
        files,
        [
            "acme.tool-2.1.0.vsix",
            "acme.tool-2.0.0@linux-x64.vsix",
            "acme.tool-2.0.0@darwin-arm64.vsix",
            "acme.tool-1.0.0.vsix"
        ]
    );
    let last = &index.files()[3];
    assert_eq!(last.location.as_str(), "https://vsx.example/api/Acme/Tool/universal/1.0.0/file/x.vsix");
    assert_eq!(
        (&last.licence, &last.publisher),
        (&Stated::Known("MIT".into()), &Stated::Known("octo".into()))
    );
    assert_eq!(last.published_at.unwrap().to_string(), "2024-01-15T12:00:00Z");
    assert_eq!(index.files()[0].publisher, Stated::NotOffered, "what is not told is a gap");
    let beside = |companion| index.companion(3, companion).map(|url| url.to_string());
    assert_eq!(beside(Companion::Checksum).as_deref(), Some("https://files.example/x.sha256"));
    assert_eq!(beside(Companion::Readme), None);
    assert_eq!(index.brings(3), [name("acme.other"), name("acme.third")]);
}

#[test]
fn what_is_no_index_is_told_apart() {
    let absent = json!({ "results": [{ "extensions": [] }] });
    assert!(matches!(parse(&absent, None), Err(IndexError::Absent { .. })));
    let other = answer(&[]).to_string().replace("\"Tool\"", "\"Else\"");
    let other = serde_json::from_str(&other).unwrap();
    assert!(matches!(parse(&other, None), Err(IndexError::OtherPackage { .. })));
    for bad in [json!([]), json!({}), json!({ "results": [{ "extensions": [{}] }] }), json!({ "results": 7 })]
    {
        assert!(matches!(parse(&bad, None), Err(IndexError::Malformed { .. })), "{bad}");
    }
    // One version that cannot be understood is left out, a second of the same name too.
    let odd = answer(&[
        json!({ "version": 7 }),
        version("1.0.0", "plan9", &json!({})),
        version("../1.0.0", "web", &json!({})),
        version(
            "1.0.0",
            "web",
            &json!({ "files": null, "assetUri": "file:///etc", "fallbackAssetUri": null }),
        ),
        version("1.0.1", "web", &json!({ "files": null })),
        version("1.0.1", "web", &json!({})),
        version(
            "1.0.2",
            "web",
            &json!({ "files": [{ "assetType": "Microsoft.VisualStudio.Services.VSIXPackage", "source": "x" }] }),
        ),
    ]);
    let index = parse(&odd, None).unwrap();
    let found: Vec<String> = index.files().iter().map(|f| f.location.to_string()).collect();
    let built = |version: &str| {
        format!(
            "https://vsx.example/vscode/asset/Acme/Tool/{version}/Microsoft.VisualStudio.Services.VSIXPackage?targetPlatform=web"
        )
    };
    assert_eq!(found, [built("1.0.1"), built("1.0.2")]);
}

#[test]
fn the_gallery_shows_what_may_be_selected() {
    let index = parse(&several(), None).unwrap();
    let versions = |withheld: &[&str], flags: u32| -> Vec<String> {
        let shown = shown(&*index, &view(render::ENTRY, &format!("{flags}\n")), withheld);
        let all = shown[0]["versions"].as_array().cloned().unwrap_or_default();
        let text = |v: &Value| {
            format!("{} {}", v["version"].as_str().unwrap(), v["targetPlatform"].as_str().unwrap_or("-"))
        };
        all.iter().map(text).collect()
    };
    assert_eq!(versions(&[], render::VERSIONS).len(), 4);
    assert_eq!(versions(&["2.0.0"], render::VERSIONS), ["2.1.0 -", "1.0.0 -"]);
    assert_eq!(versions(&[], render::LATEST_ONLY), ["2.1.0 -", "2.0.0 linux-x64", "2.0.0 darwin-arm64"]);
    assert_eq!(
        versions(&[], render::LATEST_OF_BOTH_ONLY),
        ["2.1.0 -", "2.0.0 linux-x64", "2.0.0 darwin-arm64", "1.0.0 -"]
    );
    assert_eq!(versions(&["2.1.0"], render::LATEST_ONLY).last().unwrap(), "1.0.0 -");
    assert_eq!(versions(&[], 0), Vec::<String>::new());
    let none = shown(&*index, &view(render::ENTRY, "1\n"), &["1.0.0", "2.0.0", "2.1.0"]);
    assert_eq!(none, json!([]), "an extension without a selectable version is not there");
    let latest = index.render(
        &view(render::LATEST, ""),
        &withholding(&*index, &["1.0.0", "2.0.0", "2.1.0"]),
        &links(),
    );
    assert_eq!(latest, Ok(Rendered::Withheld(0)));
}

#[test]
fn no_address_leads_past_the_door() {
    let index = parse(&several(), None).unwrap();
    let views = [
        view(
            render::ENTRY,
            &format!("{}\n", render::KNOWN & !render::LATEST_ONLY & !render::LATEST_OF_BOTH_ONLY),
        ),
        view(render::LATEST, ""),
        view(rest::EXTENSION, "\n"),
        view(rest::EXTENSION, "linux-x64\n2.0.0"),
        view(rest::VERSIONS, "\n"),
        view(rest::ALL, "all:\n"),
        view(rest::HIT, "\n"),
    ];
    for view in views {
        let text = shown(&*index, &view, &[]).to_string();
        assert!(!text.contains("vsx.example"), "{view:?}: {text}");
        assert!(text.contains("http://door.test/vscode/"), "{view:?}: {text}");
    }
    let entry = shown(&*index, &view(render::ENTRY, "147\n"), &[]);
    let linux = &entry[0]["versions"][1];
    assert_eq!(linux["assetUri"], "http://door.test/vscode/asset/Acme/Tool/2.0.0");
    assert_eq!(
        linux["files"][2]["source"],
        "http://door.test/vscode/asset/Acme/Tool/2.0.0/Microsoft.VisualStudio.Services.VSIXPackage?targetPlatform=linux-x64"
    );
    assert!(
        linux.to_string().contains("https://code.example/acme/tool"),
        "what a publisher says of itself stays"
    );
}

#[test]
fn open_vsx_chooses_the_newest_that_may_be_had() {
    let index = parse(&several(), None).unwrap();
    let version = |selector: &str, withheld: &[&str]| {
        let object = shown(&*index, &view(rest::EXTENSION, selector), withheld);
        format!("{} {}", object["version"].as_str().unwrap(), object["targetPlatform"].as_str().unwrap())
    };
    assert_eq!(version("\n", &[]), "2.0.0 darwin-arm64");
    assert_eq!(version("\n", &["2.0.0"]), "1.0.0 universal");
    assert_eq!(version("\nlatest", &["2.0.0"]), "1.0.0 universal");
    assert_eq!(version("\npre-release", &[]), "2.1.0 universal");
    assert_eq!(
        version("\n", &["2.0.0", "1.0.0"]),
        "2.1.0 universal",
        "a pre-release where there is nothing else"
    );
    assert_eq!(version("linux-x64\n", &[]), "2.0.0 linux-x64");
    assert_eq!(version("linux-x64\n2.0.0", &["1.0.0"]), "2.0.0 linux-x64");
    let asked = |selector: &str, withheld: &[&str]| {
        index.render(&view(rest::EXTENSION, selector), &withholding(&*index, withheld), &links()).unwrap()
    };
    assert_eq!(asked("\n2.0.0", &["2.0.0"]), Rendered::Withheld(2));
    assert_eq!(asked("linux-x64\n", &["2.0.0"]), Rendered::Withheld(1));
    assert!(matches!(asked("\n3.0.0", &[]), Rendered::Absent(_)));
    assert!(matches!(asked("web\n", &[]), Rendered::Absent(_)));

    let object = shown(&*index, &view(rest::EXTENSION, "\n"), &["2.0.0"]);
    let all: Vec<&String> = object["allVersions"].as_object().unwrap().keys().collect();
    assert_eq!(all, ["latest", "2.1.0", "1.0.0", "2.0.0"], "what is withheld comes last");
    assert_eq!(object["versionAlias"], json!(["latest"]));
    assert_eq!(object["allVersions"]["2.0.0"], "http://door.test/vscode/api/Acme/Tool/2.0.0");
    assert_eq!(
        object["files"]["download"],
        "http://door.test/vscode/api/Acme/Tool/1.0.0/file/Acme.Tool-1.0.0.vsix"
    );
    assert_eq!(object["bundledExtensions"][0]["url"], "http://door.test/vscode/api/acme/other");
    let listed = shown(&*index, &view(rest::VERSIONS, "\n"), &["2.0.0"]);
    assert_eq!(
        listed["versions"].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["latest", "2.1.0", "1.0.0"]
    );
    let linux = shown(&*index, &view(rest::EXTENSION, "linux-x64\n2.0.0"), &[]);
    assert_eq!(
        linux["files"]["signature"],
        "http://door.test/vscode/api/Acme/Tool/linux-x64/2.0.0/file/Acme.Tool-2.0.0@linux-x64.sigzip"
    );
}

#[test]
fn what_open_vsx_tells_of_a_release_passes_but_for_its_addresses() {
    let told = json!({ "extensions": [{
        "namespace": "Acme", "name": "Tool", "version": "1.0.0", "targetPlatform": "universal", "license": "MIT",
        "publishedBy": { "loginName": "octo", "avatarUrl": "https://elsewhere.example/a" }, "verified": true,
        "homepage": "https://vsx.example/home", "bugs": "https://code.example/bugs", "secret": "x",
        "files": { "readme": "https://files.example/readme" },
    }] });
    let index = parse(&several(), Some(&told)).unwrap();
    let object = shown(&*index, &view(rest::EXTENSION, "\n1.0.0"), &[]);
    assert_eq!((&object["license"], &object["verified"]), (&json!("MIT"), &json!(true)));
    assert_eq!(object["publishedBy"], json!({ "loginName": "octo" }));
    assert_eq!(object["bugs"], "https://code.example/bugs");
    assert!(object.get("homepage").is_none() && object.get("secret").is_none(), "{object}");
    assert!(!object.to_string().contains("files.example"), "{object}");
    assert_eq!(object["files"]["readme"], "http://door.test/vscode/api/Acme/Tool/1.0.0/file/README.md");
}

#[test]
fn a_recall_names_extensions_and_says_why() {
    use crate::queries::Recalled;
    let recalled = [
        Recalled { package: name("acme/tool"), help: Some("http://door.test/d/x".into()) },
        Recalled { package: name("acme/other"), help: None },
    ];
    let list: Value = serde_json::from_slice(&Vscode.recall(&recalled).unwrap().body).unwrap();
    assert_eq!(list["malicious"], json!(["acme.tool", "acme.other"]));
    assert_eq!(list["learnMoreLinks"], json!({ "acme.tool": "http://door.test/d/x" }));
}

#[test]
fn a_deep_answer_is_no_index() {
    let deep = format!("{{\"results\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let mut fetched = document(&json!({}));
    fetched.body = deep.into();
    let read = Vscode.parse_index(&name("acme.tool"), &upstream(), &fetched, None, None);
    assert!(matches!(read, Err(IndexError::Malformed { .. })));
}
