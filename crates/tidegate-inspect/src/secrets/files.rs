//! The rule files. A test compares this list with the folder.

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        /// Name and text of each rule file.
        pub(crate) const FILES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../rules/secrets/", $name, ".toml"))),)*];
    };
}

files![
    "addresses",
    "ai",
    "assigned-secrets",
    "atlassian",
    "aws",
    "azure",
    "chat",
    "ci",
    "clouds",
    "database-addresses",
    "developer-tools",
    "docker",
    "github",
    "gitlab",
    "google",
    "hugging-face",
    "jfrog",
    "jwt",
    "login-files",
    "mail",
    "maven",
    "monitoring",
    "npm",
    "nuget",
    "other-registries",
    "payment",
    "private-keys",
    "pypi",
    "rubygems",
    "rust-registry",
    "slack",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_file_is_listed() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/secrets");
        let mut there: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        there.sort();
        let listed: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        assert_eq!(listed, there);
    }
}
