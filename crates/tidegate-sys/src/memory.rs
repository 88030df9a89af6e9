//! How much memory this process could still take.

use std::fs;

/// Bytes that could still be taken without anything being pushed out or killed: what the system says is available, and
/// what the process's control group (version 2) leaves of its limit. `None` where neither says.
pub fn available() -> Option<u64> {
    let system = fs::read_to_string("/proc/meminfo").ok().and_then(|text| of_meminfo(&text));
    let group = fs::read_to_string("/proc/self/cgroup").ok().and_then(|text| {
        let path = text.lines().find_map(|line| line.strip_prefix("0::"))?.to_owned();
        let folder = format!("/sys/fs/cgroup{path}");
        let number =
            |file: &str| fs::read_to_string(format!("{folder}/{file}")).ok()?.trim().parse::<u64>().ok();
        // `max` is no number: no limit.
        Some(number("memory.max")?.saturating_sub(number("memory.current")?))
    });
    system.into_iter().chain(group).min()
}

fn of_meminfo(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_figure_is_read() {
        let text = "MemTotal:       24586088 kB\nMemFree:         1 kB\nMemAvailable:   23000000 kB\n";
        assert_eq!(of_meminfo(text), Some(23_000_000 * 1024));
        assert_eq!(of_meminfo("MemTotal: 1 kB\n"), None);
        assert!(available().is_none_or(|bytes| bytes > 1 << 20));
    }
}
