//! Where a refresh begins: the repositories of the public instances, and the root files that are believed of them.

use crate::roots::Instance;

/// Where the root of an instance is refreshed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    /// Address of its repository.
    pub url: &'static str,
    /// The `root.json` that is compiled in.
    pub root: &'static [u8],
}

impl Bootstrap {
    /// That of a public instance; `None` for the staging instance, which nobody follows by default, and for own ones.
    pub const fn of(instance: &Instance) -> Option<Self> {
        match instance {
            Instance::PublicGood => Some(Self {
                url: "https://tuf-repo-cdn.sigstore.dev/",
                root: include_bytes!("../../roots/public-good.root.json"),
            }),
            Instance::GitHub => Some(Self {
                url: "https://tuf-repo.github.com/",
                root: include_bytes!("../../roots/github.root.json"),
            }),
            Instance::Staging | Instance::Own(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roots::Root;

    #[test]
    fn the_root_files_are_read_and_no_older_than_the_roots() {
        for instance in [Instance::PublicGood, Instance::GitHub] {
            let bootstrap = Bootstrap::of(&instance).unwrap();
            assert!(url::Url::parse(bootstrap.url).unwrap().path().ends_with('/'), "{}", bootstrap.url);
            // Reading it is what a refresh begins with; a format that is no longer taken fails here.
            sigstore_tuf::Updater::new(NoRepository, bootstrap.root).unwrap();
            let root: serde_json::Value = serde_json::from_slice(bootstrap.root).unwrap();
            let version = root["signed"]["version"].as_u64().unwrap();
            assert!(Root::embedded(instance).unwrap().version().is_none_or(|under| version >= under));
        }
        assert_eq!(Bootstrap::of(&Instance::Staging), None);
    }

    struct NoRepository;

    impl sigstore_tuf::Repository for NoRepository {
        fn fetch_metadata<'a>(&'a self, _: &'a str, _: u64) -> sigstore_tuf::transport::FetchFuture<'a> {
            Box::pin(std::future::ready(Ok(None)))
        }

        fn fetch_target<'a>(&'a self, _: &'a str, _: u64) -> sigstore_tuf::transport::FetchFuture<'a> {
            Box::pin(std::future::ready(Ok(None)))
        }
    }
}
