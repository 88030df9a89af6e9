//! One manifest or index, read as far as the door needs: what kind it is, and what it names.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};
use tidegate_model::version::is_content_digest;
use tidegate_model::{PackageName, Sha256};

use super::image::digest_of;
use super::strict;
use crate::IndexError;

/// The most bytes of a manifest; registries agree on it.
pub const MAX_MANIFEST_BYTES: u64 = 4 << 20;
/// The most things one manifest may name.
const MAX_NAMED: usize = 4_000;

/// The kinds of manifests that are known here, by the media types they are served with.
const INDEXES: [&str; 2] =
    ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];
const IMAGES: [&str; 2] =
    ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];
/// What the configuration of an image is served as.
const CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];
const ARTIFACT: &str = "application/vnd.oci.artifact.manifest.v1+json";

/// What upstreams are asked for, whatever the client takes.
pub(super) const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.manifest.v1+json, \
application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.artifact.manifest.v1+json";

/// A manifest or an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    /// What it is served as.
    pub(super) media_type: &'static str,
    /// What it names, in its order.
    pub(super) named: Vec<Named>,
    /// Why its clients would fetch a part of it from somewhere else.
    pub(super) elsewhere: Option<String>,
    /// Whether it is an image that containers are made from, and its layers are file systems.
    pub(super) is_image: bool,
    /// The licence that its annotations state.
    pub(super) licence: Option<String>,
}

/// Something that a manifest names by digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) digest: Sha256,
    /// How many bytes it has.
    pub(super) size: u64,
    /// What it is to the manifest.
    pub(super) role: Role,
}

/// What something is to the manifest that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A manifest in its turn.
    Manifest,
    /// What says how an image is started, or what else its kind is about.
    Config,
    /// A part of the file system, or of whatever it is.
    Layer,
}

impl Manifest {
    /// Reads a manifest; `content_type` is what the registry calls it, which counts where it does not say itself.
    pub(super) fn read(
        package: &PackageName,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Self, IndexError> {
        read(content_type, body).map_err(|why| broken(package, why))
    }
}

/// The refusal of what a registry sent.
pub(super) fn broken(package: &PackageName, why: impl Into<String>) -> IndexError {
    IndexError::Malformed { package: package.to_string(), why: why.into() }
}

fn read(content_type: Option<&str>, body: &[u8]) -> Result<Manifest, String> {
    let object = strict::read(body)?;
    if object.get("schemaVersion").and_then(Value::as_u64) != Some(2) {
        return Err("it is a manifest of a version that is no longer served (schemaVersion is not 2)".into());
    }
    let media_type = media_type(&object, content_type)?;
    let mut manifest = Manifest {
        media_type,
        named: Vec::new(),
        elsewhere: None,
        is_image: false,
        licence: annotation(&object, "org.opencontainers.image.licenses"),
    };
    let wanted: &[(&str, Role)] = if INDEXES.contains(&media_type) {
        &[("manifests", Role::Manifest)]
    } else if media_type == ARTIFACT {
        &[("blobs", Role::Layer)]
    } else {
        &[("config", Role::Config), ("layers", Role::Layer)]
    };
    for member in ["manifests", "config", "layers", "blobs", "fsLayers"] {
        match (wanted.iter().find(|(name, _)| *name == member), object.get(member)) {
            (Some((_, role)), Some(Value::Array(all))) if member != "config" => {
                for one in all {
                    manifest.add(one, *role)?;
                }
            }
            (Some(_), Some(config @ Value::Object(_))) if member == "config" => {
                manifest.add(config, Role::Config)?
            }
            (Some(_), None | Some(Value::Null)) if media_type == ARTIFACT => {}
            (Some(_), _) => return Err(format!("its `{member}` is missing or not what it must be")),
            (None, None | Some(Value::Null)) => {}
            // One client would read an index where another reads an image.
            (None, Some(_)) => return Err(format!("`{member}` has no place in a `{media_type}`")),
        }
    }
    Ok(manifest)
}

fn media_type(object: &Map<String, Value>, content_type: Option<&str>) -> Result<&'static str, String> {
    let known = |text: &str| {
        INDEXES.into_iter().chain(IMAGES).chain([ARTIFACT]).find(|one| one.eq_ignore_ascii_case(text))
    };
    let served = content_type.and_then(|text| text.split(';').next()).map(str::trim);
    match object.get("mediaType") {
        Some(Value::String(own)) => {
            let own = known(own).ok_or_else(|| {
                format!(
                    "`{}` is no media type of a manifest",
                    own.chars().take(80).collect::<String>().escape_debug()
                )
            })?;
            match served.and_then(known).filter(|served| *served != own) {
                Some(served) => Err(format!("it is served as `{served}` and says that it is `{own}`")),
                None => Ok(own),
            }
        }
        None | Some(Value::Null) => Ok(served
            .and_then(known)
            .unwrap_or(if object.contains_key("manifests") { INDEXES[0] } else { IMAGES[0] })),
        Some(_) => Err("its `mediaType` is no text".into()),
    }
}

fn annotation(object: &Map<String, Value>, name: &str) -> Option<String> {
    let text = object.get("annotations")?.get(name)?.as_str()?;
    (text.len() <= 200).then(|| text.to_owned())
}

impl Manifest {
    /// Takes in one descriptor.
    fn add(&mut self, descriptor: &Value, role: Role) -> Result<(), String> {
        if self.named.len() == MAX_NAMED {
            return Err("it names more than 4,000 things".into());
        }
        let object = descriptor.as_object().ok_or("a descriptor is no object")?;
        strict::one_spelling(object)?;
        let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
        let digest = Some(text("digest")).filter(|text| is_content_digest(text));
        let digest: Sha256 = digest.and_then(|text| text.parse().ok()).ok_or_else(|| {
            let given: String = text("digest").chars().take(80).collect();
            format!("`{}` is no SHA-256 digest; others are not served", given.escape_debug())
        })?;
        let size = object.get("size").and_then(Value::as_u64).ok_or("a descriptor has no size")?;
        if let Some(data) = object.get("data").filter(|data| !data.is_null()) {
            let bytes = data.as_str().and_then(|data| BASE64.decode(data).ok());
            if bytes.is_none_or(|bytes| bytes.len() as u64 != size || digest_of(&bytes) != digest) {
                return Err(format!("the data that it holds of {digest} are not of that digest"));
            }
        }
        let media_type = text("mediaType").to_ascii_lowercase();
        let urls = object.get("urls").filter(|urls| !urls.is_null() && urls.as_array() != Some(&Vec::new()));
        if urls.is_some() || media_type.contains("nondistributable") || media_type.contains(".foreign.") {
            self.elsewhere.get_or_insert_with(|| {
                format!("{digest} is to be fetched from an address of its own, past this door")
            });
        }
        if role == Role::Config {
            self.is_image = CONFIGS.iter().any(|one| *one == media_type);
        }
        self.named.push(Named { digest, size, role });
        Ok(())
    }
}
