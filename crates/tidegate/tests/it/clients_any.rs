//! npm, pip and cargo where a test asks the same of each: installing `leaf-of-test`, and what is shown where that is refused.

use std::fs;
use std::path::Path;

use tidegate_testkit::Package;
use tidegate_testkit::process::{Finished, Home, Program};
use tidegate_testkit::tools::{self, Tool};

use crate::clients_support::{Site, cargo_project, npm_project};

/// A client, and what tells it apart from the others.
pub(crate) struct Client {
    pub(crate) tool: Tool,
    pub(crate) ecosystem: &'static str,
    /// What OSV calls the ecosystem; of Rust packages any word that begins like this.
    pub(crate) osv: &'static str,
    pub(crate) make: fn(&str, &str) -> Package,
    /// The words for "any version", and for one version.
    pub(crate) any: &'static str,
    pub(crate) exactly: &'static str,
}

pub(crate) fn clients() -> Vec<Client> {
    let npm = tools::npm().map(|tool| Client {
        tool,
        ecosystem: "npm",
        osv: "npm",
        make: Package::npm,
        any: ">=0.1.0",
        exactly: "",
    });
    let pips = tools::pips().into_iter().map(|tool| Client {
        tool,
        ecosystem: "pypi",
        osv: "PyPI",
        make: Package::pypi,
        any: ">=0.1",
        exactly: "==",
    });
    let cargo = tools::cargo().map(|tool| Client {
        tool,
        ecosystem: "cargo",
        osv: "crates.test",
        make: Package::cargo,
        any: ">=0.1",
        exactly: "=",
    });
    npm.into_iter().chain(pips).chain(cargo).collect()
}

impl Client {
    /// Installs `leaf-of-test`, as a person would, in a fresh home.
    pub(crate) fn install(&self, site: &Site, requirement: &str) -> (Finished, Option<String>) {
        let home = Home::new();
        let program = site.run(&home, &self.tool);
        let (done, place) = match self.ecosystem {
            "npm" => {
                let project = npm_project(&home, "app", requirement);
                let done = program.arg("install").in_folder(&project).run();
                (done, project.join("node_modules/leaf-of-test/package.json"))
            }
            "pypi" => {
                let target = home.folder("site");
                let done = pip_install(program, &target).arg(format!("leaf-of-test{requirement}")).run();
                (done, target)
            }
            _ => {
                let project = cargo_project(&home, "app", requirement);
                let done = program.arg("fetch").in_folder(&project).run();
                (done, project.join("Cargo.lock"))
            }
        };
        let version = self.installed(&place);
        (done, version)
    }

    /// The version of `leaf-of-test` that lies there.
    fn installed(&self, place: &Path) -> Option<String> {
        let version_in = |text: &str| {
            let after = text.split_once("leaf-of-test").map(|(_, after)| after)?;
            ["1.0.0", "1.0.1", "1.1.0", "1.2.0"].into_iter().filter_map(|v| Some((after.find(v)?, v))).min()
        };
        let text = if self.ecosystem == "pypi" {
            fs::read_dir(place)
                .ok()?
                .flatten()
                .map(|e| e.file_name().to_string_lossy().into_owned())
                .find(|name| name.starts_with("leaf_of_test-"))?
                .replace('_', "-")
        } else {
            fs::read_to_string(place).ok()?
        };
        version_in(&text).map(|(_, version)| version.to_owned())
    }

    /// What a person who pins a refused version gets to read. cargo's index has no place for a reason; its lock file, made
    /// at the registry itself, is refused before cargo begins.
    pub(crate) fn pinned(&self, site: &Site, version: &str) -> String {
        if self.ecosystem != "cargo" {
            let (done, installed) = self.install(site, &format!("{}{version}", self.exactly));
            assert_eq!(installed, None, "{}: {}", self.tool.name(), done.output());
            return done.expect_failure().output();
        }
        let home = Home::new();
        let project = cargo_project(&home, "pin", &format!("{}{version}", self.exactly));
        let lock = |program: Program| program.in_folder(&project).run().expect_success();
        let source = crate::clients_steering::upstream_source(site);
        lock(self.tool.called_by(&home).args(source).arg("generate-lockfile"));
        let done = site.run(&home, &self.tool).args(["fetch", "--locked"]).in_folder(&project).run();
        assert_eq!(done.code(), Some(3 + i32::from(done.stderr.contains("block by"))), "{}", done.output());
        // Whoever goes on all the same is stopped at the file.
        let other = Home::new();
        let forced = site
            .run_with(&other, &["--keep-going"], &self.tool)
            .args(["fetch", "--locked"])
            .in_folder(&project)
            .run()
            .expect_failure();
        forced.output()
    }
}

fn pip_install(program: Program, target: &Path) -> Program {
    program.args(["install", "--target"]).arg(target)
}

#[track_caller]
pub(crate) fn shows(output: &str, parts: &[&str]) {
    for part in parts {
        assert!(output.contains(part), "`{part}` is not in:\n{output}");
    }
}
