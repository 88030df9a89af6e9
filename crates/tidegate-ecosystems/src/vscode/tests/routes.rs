//! What each path asks for, and what names nothing.

use http::Method;

use super::{ask, get, name};
use crate::vscode::{Vscode, render, rest};
use crate::{Ask, Companion, FileSelector, Part, Protocol as _};

fn file(target: &str) -> Option<(String, Part)> {
    match get(target).ok()? {
        Ask::Artifact { package, file: FileSelector::Name(file), part } => {
            assert_eq!(package, name("acme/tool"), "{target}");
            Some((file.to_string(), part))
        }
        _ => None,
    }
}

#[test]
fn every_address_of_a_package_names_the_same_file() {
    let linux = "acme.tool-1.0.0@linux-x64.vsix";
    let all = "acme.tool-1.0.0.vsix";
    for (target, expected) in [
        ("gallery/publishers/Acme/vsextensions/Tool/1.0.0/vspackage", all),
        ("gallery/publishers/acme/vsextensions/tool/1.0.0/vspackage?targetPlatform=universal", all),
        ("gallery/publishers/acme/vsextensions/tool/1.0.0/vspackage?targetPlatform=linux-x64", linux),
        ("vscode/gallery/publishers/acme/vsextensions/tool/1.0.0/vspackage", all),
        ("asset/acme/tool/1.0.0/Microsoft.VisualStudio.Services.VSIXPackage", all),
        (
            "asset/acme/tool/1.0.0/Microsoft.VisualStudio.Services.VSIXPackage?redirect=true&targetPlatform=linux-x64",
            linux,
        ),
        ("vscode/asset/ACME/TOOL/1.0.0/Microsoft.VisualStudio.Services.VSIXPackage", all),
        ("api/acme/tool/1.0.0/file/acme.tool-1.0.0.vsix", all),
        ("api/Acme/Tool/1.0.0/file/Acme.Tool-1.0.0.vsix", all),
        ("api/acme/tool/universal/1.0.0/file/acme.tool-1.0.0.vsix", all),
        ("api/acme/tool/linux-x64/1.0.0/file/acme.tool-1.0.0@linux-x64.vsix", linux),
        ("api/acme/tool/linux-x64/1.0.0/file/acme.tool-1.0.0%40linux-x64.vsix", linux),
    ] {
        assert_eq!(file(target), Some((expected.to_owned(), Part::Whole)), "{target}");
    }
}

#[test]
fn what_stands_beside_a_package_is_a_part_of_it() {
    let asset = |kind: &str| format!("asset/acme/tool/1.0.0/Microsoft.VisualStudio.{kind}");
    for (target, companion) in [
        (asset("Services.VsixSignature"), Companion::Signature),
        (asset("Services.PublicKey"), Companion::PublicKey),
        (asset("Code.Manifest"), Companion::Manifest),
        (asset("Services.VsixManifest"), Companion::VsixManifest),
        (asset("Services.Content.Details"), Companion::Readme),
        (asset("Services.Content.Changelog"), Companion::Changelog),
        (asset("Services.Content.License"), Companion::Licence),
        (asset("Services.Icons.Default"), Companion::Icon),
        (asset("Services.Icons.Small"), Companion::Icon),
        ("api/acme/tool/1.0.0/file/package.json".into(), Companion::Manifest),
        ("api/acme/tool/1.0.0/file/readme.MD".into(), Companion::Readme),
        ("api/acme/tool/1.0.0/file/LICENSE.txt".into(), Companion::Licence),
        ("api/acme/tool/1.0.0/file/acme.tool-1.0.0.sigzip".into(), Companion::Signature),
        ("api/acme/tool/1.0.0/file/acme.tool-1.0.0.sha256".into(), Companion::Checksum),
        ("api/acme/tool/1.0.0/file/public.pem".into(), Companion::PublicKey),
        ("api/acme/tool/1.0.0/file/logo.png".into(), Companion::Icon),
    ] {
        let expected = Some(("acme.tool-1.0.0.vsix".to_owned(), Part::Companion(companion)));
        assert_eq!(file(&target), expected, "{target}");
    }
}

#[test]
fn views_say_which_release_they_are_about() {
    for (target, form, selector) in [
        ("gallery/vscode/Acme/Tool/latest", render::LATEST, None),
        ("vscode/gallery/vscode/acme/tool/latest", render::LATEST, None),
        ("gallery/acme/tool/latest", render::LATEST, None),
        ("api/acme/tool", rest::EXTENSION, Some("\n")),
        ("api/acme/tool/latest", rest::EXTENSION, Some("\nlatest")),
        ("api/acme/tool/2.0.0", rest::EXTENSION, Some("\n2.0.0")),
        ("api/acme/tool/linux-x64", rest::EXTENSION, Some("linux-x64\n")),
        ("api/acme/tool/linux-x64/2.0.0", rest::EXTENSION, Some("linux-x64\n2.0.0")),
        ("api/acme/tool/versions", rest::VERSIONS, Some("\n")),
        ("api/acme/tool/web/version-references", rest::VERSIONS, Some("web\n")),
    ] {
        let Ok(Ask::Index { package, view }) = get(target) else { panic!("{target}: {:?}", get(target)) };
        assert_eq!(
            (package, view.form, view.selector.as_deref()),
            (name("acme/tool"), form, selector),
            "{target}"
        );
    }
}

#[test]
fn services_and_documents_of_ours() {
    for (method, target, kind) in [
        (Method::GET, "api/-/public-key/0a1b-2c", "public-key"),
        (Method::GET, "api/version", "version"),
        (Method::GET, "manifest.json", "gallery-manifest"),
        (Method::GET, "control.json", "recall"),
        (Method::GET, "api/-/search?query=x", "vsx-search"),
        (Method::GET, "api/-/query?extensionId=acme.tool", "vsx-query"),
        (Method::POST, "gallery/publishers/a/extensions/b/1.0.0/stats?statType=1", "statistics"),
        (Method::POST, "gallery/itemName/a.b/version/1.0.0/statType/1/vscodewebextension", "statistics"),
        (Method::POST, "api/-/publish?token=x", "not-offered"),
        (Method::POST, "api/-/namespace/create", "not-offered"),
        (Method::GET, "api/acme/verify-pat", "not-offered"),
        (Method::GET, "api/acme", "not-offered"),
        (Method::GET, "api/acme/tool/reviews", "not-offered"),
        (Method::GET, "item/?itemName=acme.tool", "not-offered"),
        (Method::GET, "unpkg/acme/tool/1.0.0/extension/main.js", "not-offered"),
        (
            Method::GET,
            "asset/acme/tool/1.0.0/Microsoft.VisualStudio.Code.WebResources/extension/main.js",
            "not-offered",
        ),
        (Method::GET, "api/acme/tool/1.0.0/file/extension/main.js", "not-offered"),
    ] {
        let asked = ask(&method, target, "{}").unwrap_or_else(|e| panic!("{target}: {e}"));
        assert_eq!(asked.kind(), kind, "{target}");
        assert!(Vscode.kinds().contains(&asked.kind()), "{kind}");
    }
}

#[test]
fn what_names_nothing_is_refused() {
    let long = format!("asset/acme/{}/1.0.0/Microsoft.VisualStudio.Code.Manifest", "x".repeat(230));
    for bad in [
        "",
        "gallery",
        "asset/acme/tool/1.0.0",
        "asset/acme/tool/1.0.0/Unknown.Type",
        "asset/acme/../1.0.0/Microsoft.VisualStudio.Code.Manifest",
        "asset/acme%2ftool/x/1.0.0/Microsoft.VisualStudio.Code.Manifest",
        "asset/acme/tool/1.0.0/Microsoft.VisualStudio.Code.Manifest/",
        "asset/acme/tool/1.0.0/Microsoft.VisualStudio.Code.Manifest?targetPlatform=plan9",
        "asset/acme/tool/1.0.0/Microsoft.VisualStudio.Code.Manifest?targetPlatform=web&targetPlatform=linux-x64",
        "asset/.acme/tool/1.0.0/Microsoft.VisualStudio.Code.Manifest",
        "gallery/publishers/acme/vsextensions/tool/1.0.0/vspackage/x",
        "gallery/extensionquery",
        "gallery/extensionquery?q=nonsense",
        "api/acme/tool/1.0.0/file/acme.other-1.0.0.vsix",
        "api/acme/tool/1.0.0/file/acme.tool-2.0.0.vsix",
        "api/acme/tool/1.0.0/file/main.js",
        "api/acme/tool/linux-x64/1.0.0/x",
        "api/acme/tool/",
        "api/-/admin/reports",
        "api/-/public-key/..%2f",
        "vscode/vscode/gallery/vscode/acme/tool/latest",
        &long,
    ] {
        assert!(get(bad).is_err(), "{bad}: {:?}", get(bad));
    }
    for target in ["gallery/vscode/acme/tool/latest", "api/acme/tool", "control.json"] {
        assert!(ask(&Method::PUT, target, "").is_err(), "{target}");
    }
}
