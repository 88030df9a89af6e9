//! Limits and privileges of the current process.

use rustix::io;
use rustix::process::{DumpableBehavior, Resource, Rlimit, Signal};
use rustix::thread::{CapabilitySet, CapabilitySets};

use super::Bounds;

/// Puts the limits in force; whether all of them are.
pub(super) fn limit(bounds: &Bounds, missing: &mut Vec<String>) -> bool {
    let limits = [
        ("data", Resource::Data, bounds.data_bytes),
        ("file size", Resource::Fsize, bounds.file_bytes),
        ("open files", Resource::Nofile, bounds.open_files),
        ("core", Resource::Core, 0),
        ("locked memory", Resource::Memlock, 0),
    ];
    limits.into_iter().fold(true, |all, (name, resource, value)| {
        told(missing, &format!("limit of {name}"), set(resource, value)) && all
    })
}

/// Gives up every privilege for good, and the process's visibility to debuggers; it ends with whoever started it.
pub(super) fn renounce(missing: &mut Vec<String>) -> bool {
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    let no_new = told(missing, "no new privileges", rustix::thread::set_no_new_privs(true));
    let has_none = told(missing, "no capabilities", rustix::thread::set_capabilities(None, none));
    // Behind the capabilities: a change of those may reset these.
    let hidden = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable);
    told(missing, "no debuggers", hidden);
    let dies_along = rustix::process::set_parent_process_death_signal(Some(Signal::KILL));
    told(missing, "end with the parent", dies_along);
    no_new && has_none
}

/// No further processes or threads. The kernel does not hold the superuser to it; the filter of system calls does.
pub(super) fn no_processes(missing: &mut Vec<String>) {
    told(missing, "limit of processes", set(Resource::Nproc, 0));
}

/// Lowers a limit for good. One that is lower already stays.
fn set(resource: Resource, value: u64) -> io::Result<()> {
    let before = rustix::process::getrlimit(resource);
    let lower = |limit: Option<u64>| Some(limit.map_or(value, |limit| limit.min(value)));
    let new = Rlimit { current: lower(before.current), maximum: lower(before.maximum) };
    rustix::process::setrlimit(resource, new)
}

fn told(missing: &mut Vec<String>, what: &str, result: io::Result<()>) -> bool {
    if let Err(error) = result {
        missing.push(format!("{what}: {error}"));
    }
    result.is_ok()
}
