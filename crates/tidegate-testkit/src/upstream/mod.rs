//! A registry on loopback: npm, PyPI, cargo, a model hub, an extension gallery and a registry of MCP servers in one server, from packages that a test publishes, with faults on demand.
//!
//! [`FakeUpstream`] runs on threads of its own, so tests with and without a runtime can use it, and stops when dropped.
//! It remembers every request. It is a registry that the real clients install from, not a mock of one: the tests of
//! this crate do just that. It is *not* secured in any way and listens on loopback only.

mod body;
mod cargo;
mod catalog;
mod fault;
mod gallery;
mod hub;
mod mcp;
mod npm;
mod page;
mod pypi;
mod record;
mod registry;
mod serve;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use catalog::Catalog;
pub use fault::{Fault, Gate};
pub use gallery::vsix_signature;
pub use hub::{HubFile, git_blob};
pub use record::Recorded;
pub use registry::{
    IMAGE_INDEX, IMAGE_MANIFEST, PushedImage, content_digest, descriptor, image_of, index_of, layer,
};

use serve::{Running, State};

/// How much of its protocols an upstream offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// What the large public registries do: ETag and 304, gzip, abbreviated packuments, JSON simple pages, PEP 658
    /// metadata, attestations, keys, search, audit answers, Range.
    Rich,
    /// What many company mirrors do: none of that. Publish times of Python files appear only where the request's
    /// `Accept` names the JSON form (although the answer is HTML); audit routes answer 404 or 405.
    Thin,
}

/// Settings of an upstream before it starts.
#[derive(Clone, Debug)]
pub struct Builder {
    style: Style,
    publish_times: bool,
    authorization: Option<String>,
    files_base: Option<String>,
    unusual_paths: bool,
    hands_out_tokens: Option<String>,
    catalog: Catalog,
}

impl Builder {
    /// How much of its protocols the upstream offers. Default: [`Style::Rich`].
    pub fn style(mut self, style: Style) -> Self {
        self.style = style;
        self
    }

    /// Leaves out `time`, `upload-time`, `pubtime` and `created_at` everywhere.
    pub fn without_publish_times(mut self) -> Self {
        self.publish_times = false;
        self
    }

    /// Answers 401 to every request whose `Authorization` header is not exactly `value`.
    pub fn requires_authorization(mut self, value: &str) -> Self {
        self.authorization = Some(value.to_owned());
        self
    }

    /// Points the files of its indexes at another base, such as [`FakeUpstream::url`] of an upstream that shares the
    /// catalog: many registries keep files on another host.
    pub fn files_at(mut self, base: &str) -> Self {
        self.files_base = Some(base.trim_end_matches('/').to_owned());
        self
    }

    /// Puts npm tarballs at paths that cannot be guessed from name and version.
    pub fn unusual_tarball_paths(mut self) -> Self {
        self.unusual_paths = true;
        self
    }

    /// Demands a token of whoever asks for images, and gives one to whose `Authorization` header is exactly `value`.
    pub fn handing_out_tokens(mut self, value: &str) -> Self {
        self.hands_out_tokens = Some(value.to_owned());
        self
    }

    /// Serves `catalog`, shared with other upstreams.
    pub fn catalog(mut self, catalog: &Catalog) -> Self {
        self.catalog = catalog.clone();
        self
    }

    /// Starts the server on a free loopback port.
    ///
    /// # Panics
    /// Where no loopback port can be bound.
    pub fn start(self) -> FakeUpstream {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port can be bound");
        let address = listener.local_addr().expect("a bound listener has an address");
        let url = format!("http://{address}");
        let state = Arc::new(State {
            files_base: self.files_base.unwrap_or_else(|| url.clone()),
            url,
            style: self.style,
            publish_times: self.publish_times,
            authorization: self.authorization,
            unusual_paths: self.unusual_paths,
            hands_out_tokens: self.hands_out_tokens,
            catalog: self.catalog,
            faults: Mutex::default(),
            requests: Mutex::default(),
        });
        let running = Running::start(listener, Arc::clone(&state));
        FakeUpstream { address, state, running: Mutex::new(Some(running)) }
    }
}

/// A running registry on loopback. Dropping it stops it.
#[derive(Debug)]
pub struct FakeUpstream {
    address: SocketAddr,
    state: Arc<State>,
    running: Mutex<Option<Running>>,
}

impl FakeUpstream {
    /// Starts an empty upstream of [`Style::Rich`].
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// Settings for an upstream that differs from the default.
    pub fn builder() -> Builder {
        Builder {
            style: Style::Rich,
            publish_times: true,
            authorization: None,
            files_base: None,
            unusual_paths: false,
            hands_out_tokens: None,
            catalog: Catalog::default(),
        }
    }

    /// The address it listens on; it keeps the port across [`FakeUpstream::stop`] and [`FakeUpstream::restart`].
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:<port>`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.state.url
    }

    /// The npm registry base, with a slash at the end.
    pub fn npm_url(&self) -> String {
        format!("{}/npm/", self.url())
    }

    /// The PyPI simple index, with a slash at the end. The JSON API stands beside it, below `/python/pypi/`.
    pub fn pypi_url(&self) -> String {
        format!("{}/python/simple/", self.url())
    }

    /// The cargo sparse index without the `sparse+` prefix, with a slash at the end.
    pub fn cargo_url(&self) -> String {
        format!("{}/index/", self.url())
    }

    /// The model hub, with a slash at the end. Its large files lie below `/cdn/` of [`Builder::files_at`].
    pub fn hub_url(&self) -> String {
        format!("{}/hub/", self.url())
    }

    /// The registry of images, with a slash at the end. Its blobs lie below `/layers/` of [`Builder::files_at`].
    pub fn registry_url(&self) -> String {
        format!("{}/", self.url())
    }

    /// The Open VSX server, with a slash at the end. Its files lie below `/vsx-files/` of [`Builder::files_at`].
    pub fn vsx_url(&self) -> String {
        format!("{}/vsx/", self.url())
    }

    /// The registry of MCP servers, with a slash at the end.
    pub fn mcp_url(&self) -> String {
        format!("{}/registry/", self.url())
    }

    /// The packages that it serves; changes show at once.
    pub fn catalog(&self) -> &Catalog {
        &self.state.catalog
    }

    /// Publishes `package` and returns its files: short for [`Catalog::publish`].
    pub fn publish(&self, package: crate::package::Package) -> Vec<crate::package::BuiltFile> {
        self.state.catalog.publish(package)
    }

    /// Applies `fault` to every request whose path contains `path` (the empty text: to all) until
    /// [`FakeUpstream::clear_faults`]. The first fault that was set for a path wins.
    pub fn fault(&self, path: &str, fault: Fault) {
        lock(&self.state.faults).push(fault::Planned::new(path, fault, None));
    }

    /// Applies `fault` to the next `times` requests whose path contains `path`.
    pub fn fault_times(&self, path: &str, fault: Fault, times: usize) {
        lock(&self.state.faults).push(fault::Planned::new(path, fault, Some(times)));
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        lock(&self.state.faults).clear();
    }

    /// Stops listening and cuts every connection: from now on, connections are refused.
    pub fn stop(&self) {
        if let Some(running) = lock(&self.running).take() {
            running.stop();
        }
    }

    /// Listens again on the same port, after [`FakeUpstream::stop`].
    ///
    /// # Panics
    /// Where another process has taken the port meanwhile.
    pub fn restart(&self) {
        let mut running = lock(&self.running);
        if running.is_none() {
            let listener = serve::bind_again(self.address).expect("the port is still free");
            *running = Some(Running::start(listener, Arc::clone(&self.state)));
        }
    }

    /// Every request so far, in the order of arrival.
    pub fn requests(&self) -> Vec<Recorded> {
        lock(&self.state.requests).clone()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        lock(&self.state.requests).clear();
    }

    /// How many requests had a path that contains `path`.
    pub fn count(&self, path: &str) -> usize {
        lock(&self.state.requests).iter().filter(|request| request.path.contains(path)).count()
    }

    /// Waits until [`FakeUpstream::count`] of `path` reaches `count`; `false` where that does not happen in `within`.
    pub fn wait_for(&self, path: &str, count: usize, within: Duration) -> bool {
        let end = Instant::now() + within;
        while self.count(path) < count {
            if Instant::now() >= end {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }

    /// Asserts that no request ever held `text`: in its path (as sent and percent-decoded, any case), its headers or its
    /// body (unpacked where it is gzip).
    ///
    /// # Panics
    /// Where one did; the message shows it.
    #[track_caller]
    pub fn assert_never_asked(&self, text: &str) {
        if let Some(request) = self.requests().iter().find(|request| request.mentions(text)) {
            panic!("the upstream was asked about `{text}`: {} {}", request.method, request.path);
        }
    }
}

impl Drop for FakeUpstream {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The PEP 503 form of a Python project name: lower case, runs of `-`, `_` and `.` as one `-`.
pub fn normalise(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if matches!(c, '-' | '_' | '.') {
            if !out.ends_with('-') {
                out.push('-');
            }
        } else {
            out.extend(c.to_lowercase());
        }
    }
    out
}

/// Locks, also after a test thread panicked while holding the lock: the data is for assertions only.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
