//! The commented configuration that a first start leaves behind.

/// Every key with its default and meaning. A test holds it to be exactly the default configuration.
pub const TEMPLATE: &str = r#"# tidegate configuration. Every line shows the default; remove the leading `# ` to change one.
# Check it with `tidegate config check FILE`.

[server]
# Address and port. A listener that is not loopback demands a token on every request.
# listen = "127.0.0.1:8484"
# The address under which clients reach the door, where it is not what their Host header says.
# public_url = "https://tidegate.example/"
# Demand a token on package routes even on loopback.
# require_token = false
# TLS is on when both are set (PEM files).
# tls_certificate = "/etc/tidegate/certificate.pem"
# tls_key = "/etc/tidegate/key.pem"
# max_connections = 4096
# max_head_bytes = 32768
# max_body_bytes = 16777216
# Seconds a client may take for a request head, and a connection may stay idle.
# idle_seconds = 60
# Seconds a client may go without taking any more of an answer before its connection is closed.
# write_seconds = 60
# Seconds running transfers get to finish after a stop signal.
# drain_seconds = 20

[policy]
# baseline, strict or observe; or a file of your own.
# pack = "baseline"
# file = "/etc/tidegate/policy.toml"

[cache]
# Seconds an index is served without asking upstream, ...
# fresh_seconds = 60
# ... seconds after that in which it is served while upstream is asked behind, ...
# stale_while_revalidate_seconds = 600
# ... and seconds in which an old index is served when upstream fails.
# stale_if_error_seconds = 604800
# Seconds an upstream's "no such package" is believed.
# absent_seconds = 20
# Mebibytes of memory for indexes, views and small artifacts; gibibytes of artifacts on disk.
# memory_mib = 256
# disk_gib = 50

[ledger]
# durable: no response ends before its entry survives a power cut.
# batched: a response ends once its entry is written; a power cut may lose the window that `tidegate status` shows.
# mode = "durable"
# Witnesses, best of another team, that cosign each checkpoint: { url = "https://witness.example/", key = "…" }, the key as
# `tidegate witness --key` prints it there.
# witnesses = []

[retention]
# Days after which accesses leave the index behind `tidegate who`, by whole months; their entries stay in the ledger. 0 keeps them.
# access_days = 0
# Days after which whoever was not seen is forgotten, as `tidegate person forget` does; 0 keeps names.
# names_days = 0

[upstream]
# connect_seconds = 10
# idle_seconds = 30
# min_bytes_per_second = 1024
# max_artifact_bytes = 8589934592
# Seconds a client is kept waiting for a first download before it is told to ask again (each ecosystem has its own).
# hold_seconds = 10
# Whether files may come from private, loopback and link-local addresses although their upstream does not live at one.
# allow_private_addresses = false
# The proxy through which https upstreams are asked: "environment" (HTTPS_PROXY, ALL_PROXY, NO_PROXY), "none", or an address such
# as "http://proxy.example:3128". Plain http and this machine itself are asked straight.
# proxy = "environment"
# Hosts, domains and networks that are asked without the proxy that is named here.
# no_proxy = []

[inspection]
# Whether artifacts are looked into before they are decided on: secrets, what their code does, licences, what they hold.
# enabled = true
# Worker processes that do so at a time, where that is not to be as many as there are processors; and mebibytes of memory
# that each of them may take.
# workers = 4
# memory_mib = 256
# Compare a release with the version before it: "fetch" gets that one where it matters, "known" takes what is here, "never".
# compare = "fetch"
# Whether the newest selectable version is fetched and looked into when its index is shown, before anybody asks for it.
# ahead = false
# Issuers that are asked whether secrets which were found are still good, with their addresses, and hours after which they are
# asked again. Nobody is asked unless you name them, as in { npm = "https://registry.example" }; a secret is sent to its own
# issuer alone.
# issuers = {}
# ask_hours = 24

[provenance]
# Whether attestations and registry signatures are fetched beside what they are about, and checked.
# enabled = true
# Whether trust roots are refreshed from the repositories of their instances, and how often.
# refresh = true
# refresh_seconds = 86400
# Sigstore instances beside the public ones, with their roots; shown at the end.
# instance = {}

[custody]
# Whether each artifact gets signed statements of what was decided on it.
# enabled = true
# Who states it, a URI that need not answer; public_url of [server] where it is not said.
# deployment = "https://tidegate.example/"
# The file with the key: made at the first start as keys/custody.pem in the data directory, where no key is named.
# key = "/etc/tidegate/custody.pem"
# Or a key in a token; the PIN is in a variable (pin_env) or a file (pin_file).
# pkcs11 = { module = "/usr/lib/softhsm.so", token = "tidegate", label = "custody", pin_env = "TIDEGATE_PIN" }
# Or a program that signs, what it calls the key, and seconds after which it is ended.
# program = []
# program_key = "custody"
# program_seconds = 20

[intel]
# Whether advisories and signals are fetched. What `tidegate intel import` loads counts either way.
# sync = true
# Seconds between two looks at the feeds, and hours after which what they say is stale.
# refresh_seconds = 3600
# stale_hours = 72
# Authors whose VEX statements count.
# trusted_vex = []
# Keys of doors whose bundles are taken in, as `tidegate intel key` prints them there.
# trusted_bundle_keys = []

[log]
# format = "text"    # or "json"
# filter = "info"

# One repository per ecosystem exists out of the box, with the upstream that this machine's clients use
# (`tidegate discover` shows it). To set them yourself:
#
# [repository.npm]
# private = ["@acme-secret/*"]           # never asked of any upstream
# sigstore = "acme"                      # the Sigstore instance whose root vouches; the public one where left out
#
# [[repository.npm.upstream]]
# name = "acme"
# url = "https://npm.acme.example/"
# private = ["@acme/*"]                  # asked of this upstream and of no other
# token_env = "ACME_NPM_TOKEN"
#
# [[repository.npm.upstream]]
# url = "https://registry.example/"
#
# [provenance.instance.acme]
# root = "/etc/tidegate/acme-trusted-root.json"
# mirror = "https://tuf.acme.example/"    # its TUF repository, from which the root is refreshed; a mirror of a public one too
# mirror_root = "/etc/tidegate/acme-root.json"  # the root.json to begin with; that of a public instance is built in
#
# [repository.huggingface]
# hold_at_approved = true                # `main` stays at its last commit that may be had while the newest is refused
#
# [repository.oci]
# registries = ["registry.example"]      # names under which containerd (`?ns=`) and `tidegate run` know it, beside its hosts
# cosign_keys = ["/etc/tidegate/app.pem"] # public keys (PEM) whose signatures of images count, beside those by certificates
#
# [repository.mcp]
# listing = "approved"                   # show the servers that `tidegate approval` lists, and no others; else "compliant"
#
# Without any feed here, the publishers' public ones are followed: OSV, CISA KEV, FIRST EPSS. To set them yourself:
#
# [[intel.feed]]
# name = "osv-npm"
# kind = "osv"       # or ghsa, rustsec, pypa, go, malicious, kev, epss, ssvc, openvex, csaf
# url = "https://feeds.acme.example/npm/all.zip"     # without it: the publisher's, of all but osv, openvex, csaf
# changes_url = "https://feeds.acme.example/npm/modified_id.csv"
#
# Events are posted to receivers, signed with a secret, and written to files; `tidegate events test` tries them all.
#
# [events.webhook.security]
# url = "https://hooks.acme.example/tidegate"
# secret_env = "TIDEGATE_WEBHOOK_SECRET"     # or secret_file: whsec_ and base64, one a line
# types = ["advisory.matched", "artifact.*"] # all where left out
# begin = "now"                              # or "oldest": all that the ledger still has
#
# [events.file.siem]
# path = "events.ndjson"                     # below the data directory
# max_mib = 64                               # then a new file is begun, ...
# keep = 8                                   # ... and so many full ones are kept
#
# Servers of MCP elsewhere, each at /mcp/run/NAME. Methods beyond those of the protocol pass where they are named.
#
# [mcp]
# methods = ["acme/extra"]
#
# [mcp.server.tickets]
# url = "https://mcp.acme.example/mcp"
# token_env = "TICKETS_TOKEN"
# purl = "pkg:npm/%40acme/tickets@2.1.0"     # the package that runs there: advisories about it count
"#;
