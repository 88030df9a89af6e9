//! What the allocator keeps of memory that was freed.
//!
//! glibc keeps freed memory for the thread that freed it, and takes ever larger buffers from there once it has seen some freed. A door
//! reads indexes of many megabytes on whichever thread is free, so it would hold several times what it uses. Elsewhere nothing
//! here does anything.

/// Bytes from which a buffer is a mapping of its own, which goes back to the system when it is freed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const OWN_MAPPING_BYTES: libc::c_int = 1 << 20;

/// Has large buffers go back to the system as they are freed. To be called once, before there are threads.
pub fn give_back_large_buffers() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt changes numbers of the allocator under its own lock; it touches no memory of ours.
    #[expect(unsafe_code, reason = "the C library offers no other way")]
    unsafe {
        // Said once, the threshold no longer grows with what is freed.
        libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_MAPPING_BYTES);
    }
}

/// Gives free memory of all threads back to the system. Takes milliseconds; allocations of other threads wait for a part of
/// them.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim only returns pages that hold no allocation, under the allocator's own locks.
    #[expect(unsafe_code, reason = "the C library offers no other way")]
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    /// Mebibytes of this process that no file backs.
    fn own() -> usize {
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("since Linux 4.5");
        let number = line.split_whitespace().next().and_then(|word| word.parse::<usize>().ok());
        number.expect("kibibytes") / 1024
    }

    /// One test, because both look at the whole process.
    #[test]
    fn what_is_free_is_given_back() {
        let mut all: Vec<Vec<u8>> = (0..256 * MIB / 65_536).map(|_| vec![1; 65_536]).collect();
        let full = own();
        let mut number = 0;
        all.retain(|_| {
            number += 1;
            number % 64 == 0
        });
        let kept = own();
        give_back();
        let now = own();
        assert!(now + 128 < full, "{full} MiB full, {kept} after freeing, {now} after giving back");
        assert!(all.iter().all(|one| one.iter().all(|byte| *byte == 1)), "what is used stays");

        give_back_large_buffers();
        for _ in 0..8 {
            drop(vec![1_u8; 30 * MIB]);
        }
        let before = own();
        let buffer = vec![1_u8; 64 * MIB];
        let full = own();
        drop(buffer);
        let after = own();
        assert!(full >= before + 32 && after + 32 <= full, "{before}, {full}, {after} MiB");
    }
}
