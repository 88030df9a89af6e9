//! Takes from the current process what it does not need for reading hostile bytes: files, sockets, other programs.
//!
//! A process closes itself in by two steps, because threads must be started in between: [`enclose`] while it has one
//! thread, [`Enclosure::seal`] once it has all of them. What the kernel does not offer is no failure here but stands in
//! the [`Confinement`], together with a proof: the process tries to open a foreign file and a socket, and says what
//! came of it. What a missing control means is for whoever started the process to decide.
//!
//! Descriptors that are open stay usable; nothing can be undone.

#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod paths;
mod proof;
#[cfg(target_os = "linux")]
mod rights;
#[cfg(test)]
mod tests;

#[cfg(target_os = "linux")]
use std::os::fd::RawFd;

use proof::Probe;

/// What the process may use up from here on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of memory of its own, stacks included. Files that are mapped to be read do not count.
    pub data_bytes: u64,
    /// Bytes of one file that it writes; more ends the process by a signal.
    pub file_bytes: u64,
    /// Open descriptors.
    pub open_files: u64,
}

/// What is in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confinement {
    /// The ABI of landlock that keeps the process from files and from TCP.
    pub landlock: Option<u32>,
    /// Whether a filter of system calls is in force in every thread.
    pub seccomp: bool,
    /// Whether every limit of [`Bounds`] is in force.
    pub limits: bool,
    /// Whether the process can gain no privileges and has none.
    pub unprivileged: bool,
    /// Whether an attempt to open files that could be opened before has failed.
    pub files_refused: bool,
    /// Whether an attempt to open sockets has failed.
    pub sockets_refused: bool,
    /// What is not in force, and why, as fragments.
    pub missing: Vec<String>,
}

impl Confinement {
    /// Whether every control is in force and proven.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty() && self.files_refused && self.sockets_refused
    }
}

/// Closes every descriptor but standard input, output and error: what whoever started the process left open.
///
/// To be called before anything was opened, or what was opened is gone.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "closing by number is outside what the compiler can check; see SAFETY")]
pub fn close_inherited() {
    let Ok(folder) = std::fs::read_dir("/proc/self/fd") else { return };
    let names = folder.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<RawFd>().ok());
    // Collected first, so that the listing's own descriptor is closed by its owner.
    let inherited: Vec<RawFd> = names.filter(|&number| number > 2).collect();
    for number in inherited {
        // SAFETY: nothing in this process owns a descriptor yet (see above), so no owner loses one. One that is closed
        // already, as the listing's own is, is an error that changes nothing.
        unsafe { libc::close(number) };
    }
}

/// This system has no list of descriptors, so none is closed.
#[cfg(not(target_os = "linux"))]
pub fn close_inherited() {}

/// A process that has taken the first step.
#[derive(Debug)]
pub struct Enclosure {
    confinement: Confinement,
    probe: Probe,
}

/// The first step: limits, no privileges, no files. To be called while the process has one thread; the rights of threads
/// that run already do not change.
#[must_use]
pub fn enclose(bounds: &Bounds) -> Enclosure {
    let probe = Probe::before();
    let mut confinement = Confinement::default();
    #[cfg(target_os = "linux")]
    {
        let missing = &mut confinement.missing;
        confinement.limits = rights::limit(bounds, missing);
        confinement.unprivileged = rights::renounce(missing);
        confinement.landlock = paths::close(missing);
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = bounds;
        confinement.missing.push("landlock, seccomp and limits: this system has none".to_owned());
    }
    Enclosure { confinement, probe }
}

impl Enclosure {
    /// The second step: no system calls but those that reading, computing and answering take, in every thread; no
    /// further threads. Then the proof.
    #[must_use]
    pub fn seal(self) -> Confinement {
        let Self { mut confinement, probe } = self;
        #[cfg(target_os = "linux")]
        {
            rights::no_processes(&mut confinement.missing);
            confinement.seccomp = calls::filter(&mut confinement.missing);
        }
        confinement.files_refused = probe.files_are_refused();
        confinement.sockets_refused = proof::sockets_are_refused();
        confinement
    }
}
