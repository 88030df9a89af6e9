//! Manifests in XML: Maven's `pom.xml`, NuGet's `.nuspec`.

use quick_xml::events::Event;

use super::{Manifest, believable};

/// Elements within elements that are followed.
const DEPTH: usize = 32;

/// Calls `element` with the path of names and the text of each element that has text and no elements, and with its attribute
/// `type`. What is not well formed ends the reading.
fn elements(text: &str, mut element: impl FnMut(&[String], &str, Option<&str>)) {
    let mut reader = quick_xml::Reader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    let mut kind: Option<String> = None;
    let mut content = String::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                if path.len() >= DEPTH {
                    return;
                }
                path.push(start.local_name().as_ref().to_owned());
                let attribute = start.try_get_attribute("type").ok().flatten();
                kind = attribute.map(|a| a.value.into_owned());
                content.clear();
            }
            Ok(Event::Text(part)) => content.push_str(&part),
            Ok(Event::CData(part)) => content.push_str(&part),
            Ok(Event::End(_)) => {
                if !content.trim().is_empty() {
                    element(&path, content.trim(), kind.as_deref());
                }
                path.pop();
                content.clear();
            }
            Ok(Event::Eof) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// A `pom.xml`: the coordinate as far as it stands here, or in the parent that it names. Placeholders are not resolved.
pub(super) fn pom(text: &str) -> Option<Manifest> {
    let mut manifest = Manifest::new("maven", "pom.xml");
    let (mut parent_group, mut parent_version) = (None, None);
    let mut is_project = false;
    elements(text, |path, text, _| {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        is_project |= path.first() == Some(&"project");
        let plain = || believable(text).filter(|text| !text.contains("${"));
        match path.as_slice() {
            ["project", "groupId"] => manifest.namespace = plain(),
            ["project", "artifactId"] => manifest.name = plain(),
            ["project", "version"] => manifest.version = plain(),
            ["project", "parent", "groupId"] => parent_group = plain(),
            ["project", "parent", "version"] => parent_version = plain(),
            ["project", "licenses", "license", "name"] => manifest.state("licenses", text),
            _ => {}
        }
    });
    manifest.namespace = manifest.namespace.or(parent_group);
    manifest.version = manifest.version.or(parent_version);
    is_project.then_some(manifest)
}

/// A `.nuspec` (<https://learn.microsoft.com/nuget/reference/nuspec>).
pub(super) fn nuspec(text: &str) -> Option<Manifest> {
    let mut manifest = Manifest::new("nuget", "nuspec");
    elements(text, |path, text, kind| {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match (path.as_slice(), kind) {
            (["package", "metadata", "id"], _) => manifest.name = believable(text),
            (["package", "metadata", "version"], _) => manifest.version = believable(text),
            (["package", "metadata", "license"], Some("file")) => {
                manifest.state("license", &format!("SEE LICENSE IN {text}"));
            }
            (["package", "metadata", "license"], _) => manifest.state("license", text),
            _ => {}
        }
    });
    manifest.name.is_some().then_some(manifest)
}
