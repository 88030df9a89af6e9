//! Discovery on made-up machines: a home, a machine folder, stub clients and a project that must not matter.

mod hostile;
mod places;

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use super::*;

/// A machine in a temporary folder.
pub(super) struct Machine {
    pub(super) folder: tempfile::TempDir,
    pub(super) around: Surroundings,
}

impl Machine {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "root", "bin", "home/project"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let home = folder.path().join("home");
        let bin = folder.path().join("bin").display().to_string();
        let around = Surroundings {
            vars: [("PATH".to_owned(), bin), ("HOME".to_owned(), home.display().to_string())].into(),
            work_dir: home.join("project"),
            home: Some(home),
            machine_root: folder.path().join("root"),
            own_addresses: vec![Url::parse("http://127.0.0.1:8484/").unwrap()],
            explicit: Default::default(),
            ask_timeout: Duration::from_secs(10),
        };
        Self { folder, around }
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(super) fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// An executable shell script.
    pub(super) fn script(&self, path: &str, body: &str) {
        let path = self.write(path, &format!("#!/bin/sh\n{body}\n"));
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.around.vars.insert(name.to_owned(), value.to_owned());
    }

    pub(super) fn find(&self, ecosystem: Ecosystem) -> Discovered {
        discover(ecosystem, &self.around).unwrap()
    }

    pub(super) fn fail(&self, ecosystem: Ecosystem) -> String {
        discover(ecosystem, &self.around).unwrap_err().to_string()
    }
}
