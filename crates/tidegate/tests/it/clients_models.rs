//! The model hub's own client through the door: whole commits, single files, broken transfers, refusals that a person reads.

use std::fs;

use tidegate_testkit::process::Home;
use tidegate_testkit::tools::{self, Tool};
use tidegate_testkit::{HubFile, Style};

use crate::clients_support::Site;
use crate::models::{AT, FIRST, SECOND, bad_pickle, safetensors};

/// The configuration of a tiny model, as a loader reads it.
const CONFIG: &str = r#"{"model_type": "tiny", "hidden_size": 3000}"#;

/// Loads a model as loaders do: the configuration, an optional file that is not there, then the weights by their header.
const LOADER: &str = r#"
import json, struct, sys
from huggingface_hub import hf_hub_download, errors
config = json.load(open(hf_hub_download("org/m", "config.json")))
try:
    hf_hub_download("org/m", "generation_config.json")
    sys.exit("a file that is not there was found")
except errors.EntryNotFoundError:
    pass
path = hf_hub_download("org/m", "model.safetensors")
with open(path, "rb") as weights:
    length = struct.unpack("<Q", weights.read(8))[0]
    head = json.loads(weights.read(length))
    shape = head["w"]["shape"]
    data = weights.read()
assert len(data) == shape[0] == config["hidden_size"], (len(data), shape)
print("loaded", config["model_type"], shape[0], data[0])
"#;

fn site() -> Site {
    let site = Site::open(Style::Rich);
    let files = [
        ("README.md", HubFile::small("a tiny model")),
        ("config.json", HubFile::small(CONFIG)),
        ("model.safetensors", HubFile::large(safetensors(7, 3_000))),
        ("onnx/notes.txt", HubFile::small("of a folder")),
    ];
    site.upstream.catalog().commit("org/m", "main", (FIRST, AT), files);
    site
}

/// Runs a program of the client's Python through the door.
fn python(site: &Site, home: &Home, python: &Tool, program: &str) -> tidegate_testkit::process::Finished {
    site.tidegate(home, &["run"]).arg("--").arg(python.path()).args(["-c", program]).run()
}

#[test]
fn a_commit_is_downloaded_whole_and_again_without_the_hub() {
    let Some(hf) = tools::hf() else { return };
    let mut site = site();
    let download = |site: &Site, home: &Home| {
        let folder = home.path().join("got");
        let command = site.run(home, &hf).args(["download", "org/m", "--local-dir"]).arg(&folder);
        command.run().expect_success();
        for (path, bytes) in [
            ("config.json", CONFIG.as_bytes().to_vec()),
            ("model.safetensors", safetensors(7, 3_000)),
            ("onnx/notes.txt", b"of a folder".to_vec()),
        ] {
            assert_eq!(fs::read(folder.join(path)).unwrap(), bytes, "{path}");
        }
    };
    download(&site, &Home::new());
    assert_eq!(site.upstream.count("/cdn/"), 1);
    site.upstream.assert_never_asked("/cas");
    site.upstream.assert_never_asked("xet-read-token");
    site.upstream.stop();
    download(&site, &Home::new());
    let purl = format!("pkg:huggingface/org/m@{FIRST}");
    let who = site.tidegate(&site.operator, &["who", &purl]).run().expect_success().stdout;
    assert!(who.contains("model.safetensors") && who.contains("hf_hub/"), "{who}");
    site.close_door();
}

#[test]
fn a_loader_loads_a_tiny_model() {
    let Some(tool) = tools::hub_python() else { return };
    let site = site();
    let home = Home::new();
    let loaded = python(&site, &home, &tool, LOADER).expect_success();
    assert!(loaded.stdout.contains("loaded tiny 3000 7"), "{}", loaded.output());
}

#[test]
fn a_transfer_that_broke_off_is_resumed() {
    let Some(tool) = tools::hub_python() else { return };
    let site = site();
    let home = Home::new();
    // What a client leaves of a transfer that was cut: the beginning, under the name of the whole.
    let sha256 = crate::support::sha256_of(&safetensors(7, 3_000));
    let program = format!(
        r#"
import os
from huggingface_hub import constants, hf_hub_download
blobs = os.path.join(constants.HF_HUB_CACHE, "models--org--m", "blobs")
os.makedirs(blobs)
beginning = bytes.fromhex("{}")
open(os.path.join(blobs, "{sha256}.incomplete"), "wb").write(beginning)
path = hf_hub_download("org/m", "model.safetensors")
print("got", os.path.getsize(path), open(path, "rb").read()[-1])
"#,
        hex::encode(&safetensors(7, 3_000)[..1_000])
    );
    let got = python(&site, &home, &tool, &program).expect_success();
    assert!(got.stdout.contains(&format!("got {} 7", safetensors(7, 3_000).len())), "{}", got.output());
}

#[test]
fn a_person_reads_why_a_commit_is_refused() {
    let (Some(hf), Some(tool)) = (tools::hf(), tools::hub_python()) else { return };
    let site = site();
    let files =
        [("config.json", HubFile::small(CONFIG)), ("pytorch_model.bin", HubFile::large(bad_pickle(10)))];
    site.upstream.catalog().commit("org/m", "main", (SECOND, AT), files);
    let home = Home::new();
    for _ in 0..2 {
        let refused = site.run(&home, &hf).args(["download", "org/m"]).run().expect_failure();
        // The command line says no more than that access is denied, in words of its own; the run says why.
        let why = format!("refused: pkg:huggingface/org/m@{SECOND} block by ");
        for words in ["Access denied", &why, "pytorch_model.bin"] {
            assert!(refused.output().contains(words), "{words}: {}", refused.output());
        }
    }
    for call in
        ["hf_hub_download('org/m', 'config.json')", "snapshot_download('org/m')", "model_info('org/m')"]
    {
        let program = format!("from huggingface_hub import *; {call}");
        let refused = python(&site, &home, &tool, &program).expect_failure().stderr;
        for words in ["GatedRepoError", "org/m@222222222222 blocked by", "pytorch_model.bin"] {
            assert!(refused.contains(words), "{call}: {words}: {refused}");
        }
    }
    // The commit before is still to be had, by its name.
    let fine = site.run(&home, &hf).args(["download", "org/m", "config.json", "--revision", FIRST]).run();
    fine.expect_success();
}
