//! What a worker may use up: memory, files, time.

use std::time::Duration;

/// Memory of a worker in which the files that it maps are seen: 48 MiB. The rest is its own.
const MAPPED_BYTES: u64 = 48 << 20;

/// Stack of the thread that inspects: parsers of nested text use much of it. It counts as memory of the worker's own. Frames of a
/// build without optimisation are several times as large.
pub const STACK_BYTES: usize = if cfg!(debug_assertions) { 32 << 20 } else { 16 << 20 };

/// The least memory a worker can work in: the unfolder alone takes up to 64 MiB, beside the stack and what is mapped.
pub const LEAST_MEMORY_MIB: u64 = 160;

/// Seconds of CPU time that any artifact gets.
const CPU_SECONDS: u64 = 30;

/// Seconds of CPU time for each further mebibyte of an artifact.
const CPU_SECONDS_PER_MIB: u64 = 1;

/// The most seconds of CPU time for one artifact.
const MOST_CPU_SECONDS: u64 = 450;

/// Seconds of wall time for each second of CPU time: a worker shares processors with the door and the other workers.
const WALL_PER_CPU: u32 = 3;

/// What a worker may use up. The defaults suit every ordinary package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory in all.
    pub memory_bytes: u64,
    /// Bytes of one scratch file.
    pub file_bytes: u64,
    /// Scratch files that a worker is handed. Each level of nesting takes one or two while what is within is looked at.
    pub scratch_files: usize,
    /// Bytes of one answer.
    pub answer_bytes: usize,
    /// Bytes that a worker may write to standard error during one job. They are thrown away.
    pub noise_bytes: usize,
    /// Time until a new worker must have said that it is ready.
    pub start: Duration,
    /// CPU time that any artifact gets.
    pub cpu: Duration,
    /// CPU time for each further mebibyte of an artifact.
    pub cpu_per_mib: Duration,
    /// The most CPU time for one artifact.
    pub most_cpu: Duration,
    /// Wall time for each CPU time; what takes longer hangs.
    pub wall_per_cpu: u32,
    /// Jobs after which a worker is replaced.
    pub jobs: u32,
    /// Time without a job after which a worker is ended.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 256 << 20,
            // A compressed layer of an image is unpacked into one file; all together have the unfolder's budget.
            file_bytes: (2 << 30) + (1 << 20),
            scratch_files: 24,
            answer_bytes: 8 << 20,
            noise_bytes: 256 << 10,
            start: Duration::from_secs(20),
            cpu: Duration::from_secs(CPU_SECONDS),
            cpu_per_mib: Duration::from_secs(CPU_SECONDS_PER_MIB),
            most_cpu: Duration::from_secs(MOST_CPU_SECONDS),
            wall_per_cpu: WALL_PER_CPU,
            jobs: 128,
            idle: Duration::from_secs(60),
        }
    }
}

impl Limits {
    /// CPU time for an artifact of `size` bytes.
    #[must_use]
    pub fn cpu_time(&self, size: u64) -> Duration {
        let mib = u32::try_from(size >> 20).unwrap_or(u32::MAX);
        self.cpu.saturating_add(self.cpu_per_mib.saturating_mul(mib)).min(self.most_cpu)
    }

    /// Wall time for an artifact of `size` bytes; what takes longer hangs.
    #[must_use]
    pub fn deadline(&self, size: u64) -> Duration {
        self.cpu_time(size).saturating_mul(self.wall_per_cpu)
    }

    /// Memory that is the worker's own, stacks included.
    #[must_use]
    pub fn data_bytes(memory_bytes: u64) -> u64 {
        memory_bytes.saturating_sub(MAPPED_BYTES)
    }

    /// Memory that mapped files may be seen in before it is given back: on a busy machine much is read between two looks.
    pub(crate) const fn seen_bytes() -> u64 {
        MAPPED_BYTES / 2
    }

    /// Memory of its own that a worker may keep between two jobs; with more it is replaced.
    #[must_use]
    pub(crate) fn kept_bytes(&self) -> u64 {
        Self::data_bytes(self.memory_bytes) / 2
    }

    /// Descriptors that a worker may have open: scratch files and their copies, and a few of its own.
    #[must_use]
    pub(crate) fn open_files(scratch_files: usize) -> u64 {
        2 * scratch_files as u64 + 16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_grows_with_the_artifact_and_ends_somewhere() {
        let limits = Limits::default();
        assert_eq!(limits.deadline(0), Duration::from_secs(90));
        assert_eq!(limits.cpu_time(100 << 20), Duration::from_secs(130));
        assert_eq!(limits.deadline(u64::MAX), Duration::from_secs(1350));
    }
}
