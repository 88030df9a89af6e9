//! What this gallery is and can do, for editors that are given a gallery by policy: they read this document first.

use serde_json::{Value, json};

use super::render;
use crate::Links;

/// The description.
pub(super) fn of(links: &Links) -> Value {
    let base = &links.base;
    let resource = |kind: &str, path: &str| json!({ "id": format!("{base}{path}"), "type": kind });
    let named = |all: &[(&str, u32)]| -> Value {
        all.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
    };
    json!({
        "version": "1.0.0",
        "resources": [
            resource("ExtensionQueryService", "gallery/extensionquery"),
            resource("ExtensionLatestVersionUriTemplate", "gallery/vscode/{publisher}/{name}/latest"),
            resource(
                "ExtensionStatisticsUriTemplate",
                "gallery/publishers/{publisher}/extensions/{name}/{version}/stats?statType={statTypeName}",
            ),
            resource("ExtensionDetailsViewUriTemplate", "item?itemName={publisher}.{name}"),
            resource("ExtensionResourceUriTemplate", "unpkg/{publisher}/{name}/{version}/{path}"),
        ],
        "capabilities": {
            "extensionQuery": {
                "filtering": named(&[
                    ("Tag", 1),
                    ("ExtensionId", 4),
                    ("Category", 5),
                    ("ExtensionName", 7),
                    ("Target", 8),
                    ("Featured", 9),
                    ("SearchText", 10),
                    ("ExcludeWithFlags", 12),
                ]),
                "sorting": named(&[
                    ("NoneOrRelevance", 0),
                    ("LastUpdatedDate", 1),
                    ("Title", 2),
                    ("PublisherName", 3),
                    ("InstallCount", 4),
                    ("AverageRating", 6),
                    ("PublishedDate", 10),
                    ("WeightedRating", 12),
                ]),
                "flags": named(&[
                    ("None", 0),
                    ("IncludeVersions", render::VERSIONS),
                    ("IncludeFiles", render::FILES),
                    ("IncludeCategoryAndTags", render::CATEGORIES_AND_TAGS),
                    ("IncludeVersionProperties", render::PROPERTIES),
                    ("IncludeAssetUri", render::ASSET_URI),
                    ("IncludeStatistics", render::STATISTICS),
                    ("IncludeLatestVersionOnly", render::LATEST_ONLY),
                    ("IncludeLatestPrereleaseAndStableVersionOnly", render::LATEST_OF_BOTH_ONLY),
                ]),
            },
            // Signatures pass as they are; whether upstream signs everything is not for this door to promise.
            "signing": { "allPublicRepositorySigned": false, "allPrivateRepositorySigned": false },
        },
    })
}
