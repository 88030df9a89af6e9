//! A hostile project: nothing of it runs, nothing of it is kept.

use super::*;

/// Fills the working folder with everything by which a project could take part in discovery, each leaving a mark when it
/// runs or an address when it is read.
fn hostile_project(machine: &mut Machine) {
    let mark = machine.path("mark").display().to_string();
    let touch = format!("echo ran >> '{mark}'");
    let files = [
        (".npmrc", "registry=https://evil.invalid/\nnode-options=--require ./evil.js\nscript-shell=./evil.sh\nglobalconfig=./npmrc\n@acme:registry=https://evil.invalid/\n".to_owned()),
        ("package.json", r#"{"name":"x","packageManager":"yarn@4.0.0","workspaces":["*"]}"#.to_owned()),
        ("evil.js", format!("require('fs').writeFileSync('{mark}', 'ran')\n")),
        (".yarnrc.yml", "yarnPath: evil.js\nnpmRegistryServer: https://evil.invalid\nplugins: [evil.js]\n".to_owned()),
        (".yarnrc", "yarn-path evil.js\nregistry \"https://evil.invalid\"\n".to_owned()),
        ("pip.conf", "[global]\nindex-url=https://evil.invalid/simple\n".to_owned()),
        ("uv.toml", "index-url='https://evil.invalid/simple'\n".to_owned()),
        ("pyproject.toml", "[[tool.uv.index]]\nurl='https://evil.invalid/simple'\ndefault=true\n".to_owned()),
        (".cargo/config.toml", "[source.crates-io]\nreplace-with='evil'\n[source.evil]\nregistry='sparse+https://evil.invalid/'\n".to_owned()),
        ("pip/__init__.py", format!("open('{mark}','w').write('ran')\n")),
        ("pip/__main__.py", format!("open('{mark}','w').write('ran')\n")),
        ("huggingface_hub/__init__.py", format!("open('{mark}','w').write('ran')\n")),
        ("sitecustomize.py", format!("open('{mark}','w').write('ran')\n")),
    ];
    for (path, text) in files {
        machine.write(&format!("home/project/{path}"), &text);
    }
    let clients = ["npm", "pnpm", "yarn", "pip", "python3", "python", "uv", "cargo", "node"];
    for folder in ["", "bin/", "node_modules/.bin/", ".venv/bin/"] {
        for client in clients {
            if folder.is_empty() && client == "pip" {
                continue; // `./pip` is the package above
            }
            machine.script(
                &format!("home/project/{folder}{client}"),
                &format!("{touch}; echo https://evil.invalid/"),
            );
        }
    }
    let project = machine.path("home/project").display().to_string();
    let outside = machine.path("elsewhere/node_modules/.bin");
    machine.script("elsewhere/node_modules/.bin/npm", &touch);
    std::os::unix::fs::symlink(machine.path("home/project/bin"), machine.path("linked")).unwrap();
    let path = format!(
        ".:./bin::{project}/bin:{project}/node_modules/.bin:{}:{}:{}",
        outside.display(),
        machine.path("linked").display(),
        machine.path("bin").display()
    );
    machine.set("PATH", &path);
    machine.set("NODE_OPTIONS", &format!("--require {project}/evil.js"));
    machine.set("PYTHONPATH", &project);
    machine.set("PYTHONSTARTUP", &format!("{project}/sitecustomize.py"));
    machine.set("npm_config_globalconfig", &format!("{project}/.npmrc"));
    machine.set("PIP_CONFIG_FILE", &format!("{project}/pip.conf"));
    machine.set("UV_CONFIG_FILE", "uv.toml");
    machine.set("CARGO_HOME", &format!("{project}/.cargo"));
    machine.set("VIRTUAL_ENV", &format!("{project}/.venv"));
}

/// Prints its whole environment and folder into `file`, then an answer.
fn tell_tale(file: &std::path::Path, answer: &str) -> String {
    format!("{{ /bin/pwd; echo \"$PATH\"; /usr/bin/env; }} >> '{}'\necho '{answer}'", file.display())
}

#[test]
fn nothing_of_a_hostile_project_runs_or_is_kept() {
    let mut machine = Machine::new();
    hostile_project(&mut machine);
    let seen = machine.path("seen");
    machine.script("bin/npm", &tell_tale(&seen, "https://built-in.example/"));
    let hub = "case \"$*\" in *huggingface_hub*) echo https://hub.example; exit;; esac\n";
    let pip = tell_tale(&seen, "--index-url (default https://pip.example/simple)");
    machine.script("bin/python3", &format!("{hub}{pip}"));
    let found = discover_all(&machine.around);
    // The others have no upstream that a client of this machine would know.
    let urls: Vec<_> = found[..4].iter().map(|(_, found)| found.as_ref().unwrap().url.to_string()).collect();
    assert_eq!(&urls[..2], ["https://built-in.example/", "https://pip.example/simple/"]);
    assert_eq!(urls[3], "https://hub.example/");
    assert_eq!(found[2].1.as_ref().unwrap().source.kind, SourceKind::DependencyConstant);
    let saved: String = found.iter().map(|(_, found)| saved::to_json(found)).collect();
    assert!(!saved.contains("evil"), "{saved}");
    assert!(!machine.path("mark").exists(), "something of the project ran");
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(seen.contains("tidegate-ask-"), "{seen}");
    let project = machine.path("home/project").display().to_string();
    for word in [project.as_str(), "NODE_OPTIONS", "PYTHONPATH", "PYTHONSTARTUP", "node_modules", "/linked"] {
        assert!(!seen.contains(word), "a client saw `{word}`:\n{seen}");
    }
}

#[test]
fn the_hostile_project_would_have_run() {
    // The control: from the project's own PATH, the stubs do leave their mark, so the test above can fail.
    let mut machine = Machine::new();
    hostile_project(&mut machine);
    let status = std::process::Command::new(machine.path("home/project/bin/npm")).output().unwrap();
    assert!(status.status.success() && machine.path("mark").exists());
}

#[test]
fn installed_clients_ignore_a_hostile_project() {
    // With whatever clients this machine has; their own defaults are not asserted, only that the project takes no part.
    let mut machine = Machine::new();
    hostile_project(&mut machine);
    let real = std::env::var("PATH").unwrap_or_default();
    let stubs = machine.around.vars["PATH"].clone();
    machine.set("PATH", &format!("{stubs}:{real}"));
    for (_, found) in discover_all(&machine.around) {
        let text = saved::to_json(&found);
        assert!(!text.contains("evil"), "{text}");
    }
    assert!(!machine.path("mark").exists(), "something of the project ran");
}

#[test]
fn variables_of_an_npm_script_are_a_projects_word() {
    let mut machine = Machine::new();
    machine.set("npm_config_registry", "https://evil.invalid/");
    machine.set("npm_lifecycle_event", "postinstall");
    machine.write("home/.npmrc", "registry=https://registry.example/\n");
    let found = machine.find(Ecosystem::Npm);
    assert_eq!(found.url.as_str(), "https://registry.example/");
    assert!(found.notes[0].contains("npm script"));
}

#[test]
fn a_home_under_version_control_is_not_a_project() {
    let mut machine = Machine::new();
    std::fs::create_dir_all(machine.path("home/.git")).unwrap();
    machine.script("home/.local/bin/npm", "echo https://home.example/");
    let local = machine.path("home/.local/bin").display().to_string();
    machine.set("PATH", &local);
    assert_eq!(machine.find(Ecosystem::Npm).url.as_str(), "https://home.example/");
}
