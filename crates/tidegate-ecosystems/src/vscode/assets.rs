//! What stands beside an extension's package, under the names that the two protocols have for it.

use crate::Companion;

/// The package itself, in the gallery's words.
pub(super) const PACKAGE: &str = "Microsoft.VisualStudio.Services.VSIXPackage";
/// Single files of a web extension.
pub(super) const WEB_RESOURCES: &str = "Microsoft.VisualStudio.Code.WebResources";

/// The gallery's asset type, where it has one.
pub(super) const fn gallery_type(companion: Companion) -> Option<&'static str> {
    Some(match companion {
        Companion::Manifest => "Microsoft.VisualStudio.Code.Manifest",
        Companion::VsixManifest => "Microsoft.VisualStudio.Services.VsixManifest",
        Companion::Readme => "Microsoft.VisualStudio.Services.Content.Details",
        Companion::Changelog => "Microsoft.VisualStudio.Services.Content.Changelog",
        Companion::Licence => "Microsoft.VisualStudio.Services.Content.License",
        Companion::Icon => "Microsoft.VisualStudio.Services.Icons.Default",
        Companion::Signature => "Microsoft.VisualStudio.Services.VsixSignature",
        Companion::PublicKey => "Microsoft.VisualStudio.Services.PublicKey",
        Companion::Checksum => return None,
    })
}

/// What a gallery's asset type names.
pub(super) fn of_gallery_type(asset_type: &str) -> Option<Companion> {
    // Galleries have a small picture too, which is the same one where no other was made.
    if asset_type == "Microsoft.VisualStudio.Services.Icons.Small" {
        return Some(Companion::Icon);
    }
    Companion::ALL.into_iter().find(|companion| gallery_type(*companion) == Some(asset_type))
}

/// The key in Open VSX's map of files.
pub(super) const fn rest_key(companion: Companion) -> &'static str {
    match companion {
        Companion::Manifest => "manifest",
        Companion::VsixManifest => "vsixmanifest",
        Companion::Readme => "readme",
        Companion::Changelog => "changelog",
        Companion::Licence => "license",
        Companion::Icon => "icon",
        Companion::Signature => "signature",
        Companion::Checksum => "sha256",
        Companion::PublicKey => "publicKey",
    }
}

/// The name of its file behind `…/file/` at this door; `stem` is the package's file without `.vsix`.
pub(super) fn file_name(companion: Companion, stem: &str) -> String {
    match companion {
        Companion::Manifest => "package.json".to_owned(),
        Companion::VsixManifest => "extension.vsixmanifest".to_owned(),
        Companion::Readme => "README.md".to_owned(),
        Companion::Changelog => "CHANGELOG.md".to_owned(),
        Companion::Licence => "LICENSE.md".to_owned(),
        Companion::Icon => "icon.png".to_owned(),
        Companion::Signature => format!("{stem}.sigzip"),
        Companion::Checksum => format!("{stem}.sha256"),
        Companion::PublicKey => "public.pem".to_owned(),
    }
}

/// What a file behind `…/file/` is, by its name: publishers and registries spell these in several ways.
pub(super) fn of_file_name(name: &str) -> Option<Companion> {
    let lower = name.to_ascii_lowercase();
    let ends = |suffix: &str| lower.ends_with(suffix);
    let is_text =
        |stem: &str| lower == stem || lower.strip_prefix(stem).is_some_and(|rest| rest.starts_with('.'));
    Some(match lower.as_str() {
        "package.json" => Companion::Manifest,
        _ if ends(".vsixmanifest") => Companion::VsixManifest,
        _ if ends(".sigzip") => Companion::Signature,
        _ if ends(".sha256") => Companion::Checksum,
        _ if ends(".pem") => Companion::PublicKey,
        _ if is_text("readme") => Companion::Readme,
        _ if is_text("changelog") => Companion::Changelog,
        _ if is_text("license") || is_text("licence") || is_text("copying") => Companion::Licence,
        _ if [".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg"].into_iter().any(ends) => Companion::Icon,
        _ => return None,
    })
}
