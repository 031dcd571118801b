//! What the kernel says of the process: `/proc/self`, read once a scrape.
//!
//! Where there is no such folder the families of the process are not on the page.

use std::fs;

/// Ticks of `/proc/self/stat` in a second: USER_HZ, which is 100 wherever Linux runs today.
const TICKS: f64 = 100.0;

/// What the kernel says of the process.
#[derive(Clone, Debug, PartialEq)]
pub struct Process {
    /// Seconds on a core, in user mode and in the kernel.
    pub cpu: f64,
    /// Octets in RAM.
    pub resident: u64,
    /// Octets of address space.
    pub virt: u64,
    /// Threads.
    pub threads: u64,
    /// Open descriptors.
    pub open_fds: u64,
    /// Descriptors that may be open; none where there is no limit.
    pub max_fds: Option<u64>,
}

impl Process {
    /// Asks the kernel.
    pub fn read() -> Option<Self> {
        let open_fds = fs::read_dir("/proc/self/fd").ok()?.count() as u64;
        let text = |file: &str| fs::read_to_string(format!("/proc/self/{file}")).ok();
        Self::parse(&text("stat")?, &text("status")?, &text("limits")?, open_fds)
    }

    fn parse(stat: &str, status: &str, limits: &str, open_fds: u64) -> Option<Self> {
        // proc_pid_stat(5): the second field is a name in parentheses, which may hold anything.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
        let user: f64 = fields.nth(11)?.parse().ok()?;
        let kernel: f64 = fields.next()?.parse().ok()?;
        let number = |name: &str| -> Option<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim_start_matches(':').split_whitespace().next()?.parse().ok()
        };
        let limit = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
        Some(Self {
            cpu: (user + kernel) / TICKS,
            resident: number("VmRSS")? * 1024,
            virt: number("VmSize")? * 1024,
            threads: number("Threads")?,
            open_fds,
            max_fds: limit.split_whitespace().next()?.parse().ok(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_writes_is_read() {
        let stat = "42 (rota) 1) S 1 42 42 0 -1 4194304 900 0 0 0 150 25 0 0 20 0 9 0 7 1 2";
        let status = "Name:\trota\nVmSize:\t  2048 kB\nVmRSS:\t  1024 kB\nThreads:\t9\n";
        let limits = "Limit  Soft Limit  Hard Limit  Units\n\
                      Max open files            1024                 524288               files\n";
        let process = Process::parse(stat, status, limits, 12).unwrap();
        let expected = Process {
            cpu: 1.75,
            resident: 1 << 20,
            virt: 2 << 20,
            threads: 9,
            open_fds: 12,
            max_fds: Some(1024),
        };
        assert_eq!(process, expected);
        let unlimited = limits.replace("1024 ", "unlimited ");
        assert_eq!(Process::parse(stat, status, &unlimited, 12).unwrap().max_fds, None);
        assert!(Process::parse("", status, limits, 12).is_none());
    }

    #[test]
    fn this_process_is_known_to_the_kernel() {
        let process = Process::read().unwrap();
        assert!(process.resident > 0 && process.virt >= process.resident, "{process:?}");
        assert!(process.threads > 0 && process.open_fds > 0, "{process:?}");
    }
}
