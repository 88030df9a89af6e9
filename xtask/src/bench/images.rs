//! `cargo xtask bench images`: what one large image costs the server that it is pulled through: tidegate with and without
//! inspection, Debian's registry as a pull-through cache, and nginx with a cache of its own.
//!
//! Upstream is Debian's registry on core 1, to which skopeo pushed the image; skopeo pulls it again from each server on core 0.
//! Cold means that the server has nothing; warm that it has all of it. Memory is the peak of the server's whole process tree
//! during a pull, and beside it what of that is no file of the page cache, because a mapped file counts as memory of whoever
//! reads it, although the system may take it back at any time.

use std::fs::{self, File};
use std::io::{BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;
use sha2::Digest as _;
use tidegate_testkit::process::Home;
use tidegate_testkit::tools::{self, Tool};

use super::BenchError;
use super::data::HexBytes;
use super::load;
use super::programs::Programs;
use super::report::median;
use super::servers::{self, Plan, Server};

/// What is pulled, and how often.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Megabytes of the image's layers
    #[arg(long, default_value_t = 1_000)]
    megabytes: usize,
    /// Layers that the image has
    #[arg(long, default_value_t = 4)]
    layers: usize,
    /// Pull the image of this folder (an OCI layout with one image) instead of one that is made of noise
    #[arg(long)]
    layout: Option<PathBuf>,
    /// Pulls of an image that is there already
    #[arg(long, default_value_t = 3)]
    warm: usize,
    /// The binary under test
    #[arg(long, default_value_os_t = crate::tools::target().join("release/tidegate"))]
    tidegate: PathBuf,
}

/// The name that the image has at the upstream.
const NAME: &str = "bench/large:1";

/// How long one pull may take.
const PATIENCE: Duration = Duration::from_mins(15);

/// Between two looks at the memory of a server.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What one pull cost its server.
#[derive(Clone, Copy, Debug)]
struct Pull {
    wall: Duration,
    cpu: Duration,
    peak_kb: u64,
    own_kb: u64,
}

/// Runs it and prints a table.
pub(super) fn run(options: &Options) -> Result<(), BenchError> {
    crate::tools::ensure_clients();
    let programs = Programs::find()?;
    let (Some(registry), Some(skopeo)) = (tools::docker_registry(), tools::skopeo()) else {
        return Err(BenchError::Missing("docker-registry and skopeo"));
    };
    let place = crate::tools::target().join("bench");
    let write = |source| BenchError::Write { path: place.clone(), source };
    fs::create_dir_all(&place).map_err(write)?;
    let folder = tempfile::Builder::new().prefix("images-").tempdir_in(&place).map_err(write)?;
    let upstream = debian_registry("upstream", "1", &registry, folder.path(), "")?;
    let layout = match &options.layout {
        Some(layout) => layout.clone(),
        None => {
            make_image(&folder.path().join("layout"), options).map_err(write)?;
            folder.path().join("layout")
        }
    };
    push(&skopeo, &layout, &upstream)?;
    println!("| server | pull | wall s | server CPU s | peak MB | of its own MB |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for (number, name) in
        ["docker-registry", "nginx", "tidegate", "tidegate, no inspection"].iter().enumerate()
    {
        let own = folder.path().join(number.to_string());
        fs::create_dir_all(&own).map_err(write)?;
        let started = match number {
            0 => debian_registry(
                name,
                "0",
                &registry,
                &own,
                &format!("proxy:\n  remoteurl: http://{}\n", upstream.address),
            ),
            1 => nginx(&programs, &own, &upstream),
            2 => tidegate(name, &own, &upstream, options, true),
            _ => tidegate(name, &own, &upstream, options, false),
        };
        match started.map(|server| measure(&server, &skopeo, options)) {
            Ok(Ok((cold, warm))) => {
                println!("{}\n{}", row(name, "cold", cold), row(name, "warm", warm));
            }
            Ok(Err(why)) => eprintln!("SKIPPED: {name}: {why}"),
            Err(error) => eprintln!("SKIPPED: {name}: {error}"),
        }
        // Gigabytes each; the next one needs the room.
        let _ = fs::remove_dir_all(&own);
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "sizes for people")]
fn row(server: &str, what: &str, pull: Pull) -> String {
    let megabytes = |kb: u64| kb as f64 / 1e3;
    format!(
        "| {server} | {what} | {:.2} | {:.2} | {:.0} | {:.0} |",
        pull.wall.as_secs_f64(),
        pull.cpu.as_secs_f64(),
        megabytes(pull.peak_kb),
        megabytes(pull.own_kb)
    )
}

/// One cold pull, and the median of the warm ones.
fn measure(server: &Server, skopeo: &Tool, options: &Options) -> Result<(Pull, Pull), String> {
    let cold = pull(server, skopeo)?;
    let warm: Vec<Pull> = (0..options.warm.max(1)).map(|_| pull(server, skopeo)).collect::<Result<_, _>>()?;
    let seconds =
        |part: fn(&Pull) -> Duration| Duration::from_secs_f64(median(&warm, |pull| part(pull).as_secs_f64()));
    let most = |part: fn(&Pull) -> u64| warm.iter().map(part).max().unwrap_or_default();
    let warm = Pull {
        wall: seconds(|pull| pull.wall),
        cpu: seconds(|pull| pull.cpu),
        peak_kb: most(|pull| pull.peak_kb),
        own_kb: most(|pull| pull.own_kb),
    };
    Ok((cold, warm))
}

/// skopeo fetches the image into a folder that is thrown away.
fn pull(server: &Server, skopeo: &Tool) -> Result<Pull, String> {
    let home = Home::new();
    let before = load::settled(server);
    let begun = Instant::now();
    let mut client = skopeo
        .called_by(&home)
        .args(["--insecure-policy", "copy", "--src-tls-verify=false"])
        .arg(format!("docker://{}/{}{NAME}", server.address, server.base))
        .arg(format!("dir:{}", home.path().join("image").display()))
        .timeout(PATIENCE)
        .spawn();
    let (mut peak_kb, mut own_kb) = (0, 0);
    let status = loop {
        let ended = client.wait(LOOK_EVERY);
        peak_kb = peak_kb.max(load::memory(server, "VmRSS:"));
        own_kb = own_kb.max(load::memory(server, "RssAnon:"));
        match ended {
            Some(status) => break status,
            None if begun.elapsed() > PATIENCE => return Err("the pull takes too long".to_owned()),
            None => {}
        }
    };
    let wall = begun.elapsed();
    if !status.success() {
        let (said, complaint) = client.collect();
        return Err(format!("skopeo fails: {}{}", said.trim(), complaint.trim()));
    }
    // What it put off belongs to this pull.
    Ok(Pull { wall, cpu: load::settled(server).saturating_sub(before), peak_kb, own_kb })
}

/// Debian's registry: a store of its own, or with `more` a cache before another.
fn debian_registry(
    name: &str,
    core: &str,
    program: &Tool,
    folder: &Path,
    more: &str,
) -> Result<Server, BenchError> {
    let address = servers::free_address()?;
    let config = folder.join("registry.yml");
    let text = format!(
        "version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n  filesystem:\n    rootdirectory: {}\n\
         http:\n  addr: \"{address}\"\n{more}",
        folder.join("storage").display()
    );
    fs::write(&config, text).map_err(|source| BenchError::Write { path: config.clone(), source })?;
    let home = Home::new();
    let command = servers::pinned(core, program.path(), &home).arg("serve").arg(&config);
    let plan = Plan { name, base: "", caches: true, address, core, requests: PathBuf::new() };
    servers::launch(plan, home, command)
}

/// nginx as a cache that knows nothing of images; manifests and layers are files to it.
fn nginx(programs: &Programs, folder: &Path, upstream: &Server) -> Result<Server, BenchError> {
    let address = servers::free_address()?;
    let server = format!(
        "proxy_cache_path {folder}/store levels=1:2 keys_zone=door:16m max_size=8g inactive=1d use_temp_path=off;\n\
         server {{ listen {address}; access_log {folder}/access;\n\
         location / {{ proxy_pass http://{upstream}; proxy_http_version 1.1; proxy_cache door; proxy_cache_valid 200 1h;\n\
         proxy_max_temp_file_size 0; proxy_cache_lock on; proxy_cache_lock_timeout 60s; }} }}",
        folder = folder.display(),
        upstream = upstream.address,
    );
    let plan = Plan { name: "nginx", base: "", caches: true, address, core: "0", requests: PathBuf::new() };
    servers::nginx(programs, plan, folder, &server)
}

fn tidegate(
    name: &str,
    folder: &Path,
    upstream: &Server,
    options: &Options,
    inspects: bool,
) -> Result<Server, BenchError> {
    if !options.tidegate.is_file() {
        let why = format!("`{}` is missing: `cargo build --release` makes it", options.tidegate.display());
        return Err(BenchError::Server(why));
    }
    let address = servers::free_address()?;
    let config = folder.join("tidegate.toml");
    let text = format!(
        "[[repository.oci.upstream]]\nurl = \"http://{}/\"\n\n[inspection]\nenabled = {inspects}\n",
        upstream.address
    );
    fs::write(&config, text).map_err(|source| BenchError::Write { path: config.clone(), source })?;
    let home = Home::new();
    let command = servers::pinned("0", &options.tidegate, &home)
        .args(["up", "--listen", &address.to_string(), "--config"])
        .arg(&config)
        .arg("--data")
        .arg(folder.join("data"));
    let plan = Plan { name, base: "oci/", caches: true, address, core: "0", requests: PathBuf::new() };
    servers::launch(plan, home, command)
}

fn push(skopeo: &Tool, layout: &Path, upstream: &Server) -> Result<(), BenchError> {
    let home = Home::new();
    let pushed = skopeo
        .called_by(&home)
        .args(["--insecure-policy", "copy", "--dest-tls-verify=false"])
        .arg(format!("oci:{}", layout.display()))
        .arg(format!("docker://{}/{NAME}", upstream.address))
        .timeout(PATIENCE)
        .run();
    if pushed.succeeded() {
        return Ok(());
    }
    Err(BenchError::Server(format!("skopeo cannot push the image: {}", pushed.output())))
}

/// An OCI layout with one image: layers of noise, which no compression makes smaller, in files of a megabyte.
fn make_image(layout: &Path, options: &Options) -> std::io::Result<()> {
    let blobs = layout.join("blobs/sha256");
    fs::create_dir_all(&blobs)?;
    let count = options.layers.max(1);
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    let mut layers = Vec::new();
    for number in 0..count {
        let files = layout.join("files");
        fs::create_dir_all(&files)?;
        for file in 0..options.megabytes / count {
            noise.write(&files.join(format!("{number}-{file}.bin")))?;
        }
        let packed = layout.join("layer.tar");
        let mut tar = std::process::Command::new("tar");
        tar.args(["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "-cf"]).arg(&packed);
        crate::tools::run(tar.arg("-C").arg(&files).arg(".")).map_err(std::io::Error::other)?;
        fs::remove_dir_all(&files)?;
        let digest = file_digest(&packed)?;
        layers.push((digest.clone(), fs::metadata(&packed)?.len()));
        fs::rename(&packed, blobs.join(digest))?;
    }
    let keep = |value: serde_json::Value| {
        let text = value.to_string();
        let digest = format!("{:x}", HexBytes(&sha2::Sha256::digest(text.as_bytes())));
        fs::write(blobs.join(&digest), &text).map(|()| (digest, text.len()))
    };
    let named: Vec<String> = layers.iter().map(|(digest, _)| format!("sha256:{digest}")).collect();
    let (config, size) = keep(json!({
        "architecture": "amd64", "os": "linux", "config": {}, "rootfs": { "type": "layers", "diff_ids": named },
    }))?;
    let described: Vec<_> = layers
        .iter()
        .map(|(digest, size)| json!({ "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": format!("sha256:{digest}"), "size": size }))
        .collect();
    let manifest = "application/vnd.oci.image.manifest.v1+json";
    let (digest, size) = keep(json!({
        "schemaVersion": 2, "mediaType": manifest,
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": format!("sha256:{config}"), "size": size },
        "layers": described,
    }))?;
    let index = json!({ "schemaVersion": 2, "manifests": [
        { "mediaType": manifest, "digest": format!("sha256:{digest}"), "size": size },
    ]});
    fs::write(layout.join("index.json"), index.to_string())?;
    fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#)
}

fn file_digest(path: &Path) -> std::io::Result<String> {
    let (mut file, mut hash) = (File::open(path)?, sha2::Sha256::new());
    let mut part = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut part)?;
        if read == 0 {
            break;
        }
        hash.update(&part[..read]);
    }
    Ok(format!("{:x}", HexBytes(&hash.finalize())))
}

/// Numbers that look like chance and are the same in each run (Marsaglia's xorshift).
struct Noise(u64);

impl Noise {
    /// Writes a megabyte.
    fn write(&mut self, path: &Path) -> std::io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        for _ in 0..1_000_000 / 8 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            file.write_all(&self.0.to_le_bytes())?;
        }
        file.flush()
    }
}
