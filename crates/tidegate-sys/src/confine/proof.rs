//! The proof that a confinement holds: what could be opened before cannot be opened now.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

/// Files and folders that this process could open before it was confined.
#[derive(Debug)]
pub(super) struct Probe {
    paths: Vec<PathBuf>,
}

impl Probe {
    pub(super) fn before() -> Self {
        // The root is there on every system; the program is a file, and usually one that others must not be able to read.
        let paths = ["/".into(), "/proc/self/environ".into()].into_iter().chain(std::env::current_exe());
        Self { paths: paths.filter(|path: &PathBuf| File::open(path).is_ok()).collect() }
    }

    /// Whether none of them can be opened any more, nor a new one be made. Only a refusal counts, not absence.
    pub(super) fn files_are_refused(&self) -> bool {
        let new = std::env::temp_dir().join(format!("tidegate-proof-{}", std::process::id()));
        let made = File::create_new(&new);
        if made.is_ok() {
            let _left_behind_otherwise = std::fs::remove_file(&new);
        }
        !self.paths.is_empty()
            && is_refused(made)
            && self.paths.iter().all(|path| is_refused(File::open(path)))
    }
}

/// Whether sockets of every kind that std knows are refused.
pub(super) fn sockets_are_refused() -> bool {
    let loopback = (Ipv4Addr::LOCALHOST, 0);
    is_refused(TcpListener::bind(loopback))
        && is_refused(UdpSocket::bind(loopback))
        && is_refused(UnixDatagram::unbound())
}

fn is_refused<T>(result: io::Result<T>) -> bool {
    result.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}
