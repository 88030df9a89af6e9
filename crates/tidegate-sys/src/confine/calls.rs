//! Seccomp: which system calls remain.
//!
//! Two filters. One is the list of what reading, computing and answering takes; everything else fails as not permitted,
//! so that a library's fallback works. The other names calls that nothing here makes, and whose use means that someone
//! else has taken over: they end the process.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

/// Calls that are allowed whatever their arguments are.
const ALLOWED: &[c_long] = &[
    // Descriptors that are open.
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_pwrite64,
    libc::SYS_lseek,
    libc::SYS_ftruncate,
    libc::SYS_fstat,
    libc::SYS_close,
    libc::SYS_recvmsg,
    // Memory; `mmap` and `mprotect` have conditions.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    // Threads that are there, their beginning and their end.
    libc::SYS_rseq,
    libc::SYS_set_robust_list,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // Signals to this process itself: panics, overflowing stacks, aborts; `tgkill` has a condition.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    // Time and randomness.
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
];

/// Calls that end the process.
const FATAL: &[c_long] = &[
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_clone,
    libc::SYS_clone3,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kill,
    libc::SYS_bpf,
    libc::SYS_io_uring_setup,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_mount,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_init_module,
    libc::SYS_finit_module,
];

/// Puts both filters in force in every thread; whether they are.
pub(super) fn filter(missing: &mut Vec<String>) -> bool {
    let installed = programs().map_err(|error| error.to_string()).and_then(|programs| {
        programs.iter().try_for_each(|program| {
            seccompiler::apply_filter_all_threads(program).map_err(|error| error.to_string())
        })
    });
    if let Err(error) = &installed {
        missing.push(format!("seccomp: {error}"));
    }
    installed.is_ok()
}

/// The filters, in the order in which they can be installed: the second one takes the means to install another.
fn programs() -> Result<[BpfProgram; 2], BackendError> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let fatal = FATAL.iter().map(|&call| (call, Vec::new())).collect();
    let fatal = SeccompFilter::new(fatal, SeccompAction::Allow, SeccompAction::KillProcess, arch)?;
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let allowed = SeccompFilter::new(allowed()?, refused, SeccompAction::Allow, arch)?;
    Ok([fatal.try_into()?, allowed.try_into()?])
}

fn allowed() -> Result<BTreeMap<c_long, Vec<SeccompRule>>, BackendError> {
    let mut rules: BTreeMap<_, _> = ALLOWED.iter().map(|&call| (call, Vec::new())).collect();
    let (prot, flags) = (2, 3);
    let not_executable = || none_of(prot, libc::PROT_EXEC);
    // Memory of its own counts against the limit of data. Memory that is shared does not, so it is for reading files only.
    let own = vec![not_executable()?, bits(flags, libc::MAP_TYPE, libc::MAP_PRIVATE)?];
    let file = vec![none_of(prot, libc::PROT_EXEC | libc::PROT_WRITE)?, none_of(flags, libc::MAP_ANONYMOUS)?];
    rules.insert(libc::SYS_mmap, vec![SeccompRule::new(own)?, SeccompRule::new(file)?]);
    rules.insert(libc::SYS_mprotect, vec![SeccompRule::new(vec![not_executable()?])?]);
    let commands = [libc::F_DUPFD_CLOEXEC, libc::F_GETFD, libc::F_SETFD, libc::F_GETFL];
    let commands = commands.into_iter().map(|command| SeccompRule::new(vec![equals(1, command)?]));
    rules.insert(libc::SYS_fcntl, commands.collect::<Result<_, _>>()?);
    let myself = rustix::process::getpid().as_raw_nonzero().get();
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![equals(0, myself)?])?]);
    Ok(rules)
}

fn none_of(argument: u8, mask: i32) -> Result<SeccompCondition, BackendError> {
    bits(argument, mask, 0)
}

fn bits(argument: u8, mask: i32, value: i32) -> Result<SeccompCondition, BackendError> {
    let operator = SeccompCmpOp::MaskedEq(u64::from(mask.cast_unsigned()));
    condition(argument, operator, value)
}

fn equals(argument: u8, value: i32) -> Result<SeccompCondition, BackendError> {
    condition(argument, SeccompCmpOp::Eq, value)
}

fn condition(argument: u8, operator: SeccompCmpOp, value: i32) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, u64::from(value.cast_unsigned()))
}
