//! What this program takes of its machine, read from `/proc/self` at scrape time. Where there is
//! no such folder, nothing is said.

use std::fs;

use super::exposition::Exposition;

/// Clock ticks a second in `/proc`: a constant of Linux' interface, whatever the kernel's own.
const TICKS: f64 = 100.0;

/// What the kernel says about this program.
#[derive(Debug, PartialEq)]
struct Footprint {
    started_at: f64,
    cpu_seconds: f64,
    resident_bytes: u64,
}

/// Appends the footprint, if the kernel tells it, under the names Prometheus' clients agreed on.
pub(super) fn append(page: &mut Exposition<'_>) {
    let Some(footprint) = read() else { return };
    let mut row = |name, kind, help, value: f64| {
        page.family(name, kind, Some(help));
        page.sample((name, ""), &[], None, value);
    };
    let started = "process_start_time_seconds";
    row(started, "gauge", "When the program started, in seconds since 1970.", footprint.started_at);
    let cpu = "process_cpu_seconds_total";
    row(cpu, "counter", "Processor time, in user and in kernel mode.", footprint.cpu_seconds);
    let name = "process_resident_memory_bytes";
    page.family(name, "gauge", Some("Memory held in RAM."));
    page.sample((name, ""), &[], None, footprint.resident_bytes);
}

fn read() -> Option<Footprint> {
    parse(
        &fs::read_to_string("/proc/self/stat").ok()?,
        &fs::read_to_string("/proc/self/status").ok()?,
        &fs::read_to_string("/proc/stat").ok()?,
    )
}

fn parse(stat: &str, status: &str, machine: &str) -> Option<Footprint> {
    // The second field is the program's name in brackets and may hold anything, brackets included.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split_ascii_whitespace().collect();
    // proc(5) counts from 1, and the first field here is its third.
    let ticks = |field: usize| -> Option<f64> { fields.get(field - 3)?.parse().ok() };
    let resident: u64 = after(status, "VmRSS:")?.strip_suffix(" kB")?.trim().parse().ok()?;
    let booted_at: f64 = after(machine, "btime ")?.parse().ok()?;
    Some(Footprint {
        started_at: booted_at + ticks(22)? / TICKS,
        cpu_seconds: (ticks(14)? + ticks(15)?) / TICKS,
        resident_bytes: resident * 1024,
    })
}

/// What follows `key` on the line that starts with it.
fn after<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(key)).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_found_whatever_the_programs_name() {
        let stat = "7 (a ) b) S 1 1 1 0 -1 4194560 10 0 0 0 150 50 0 0 20 0 1 0 1234 9 9";
        let status = "Name:\tx\nVmRSS:\t    2048 kB\nThreads:\t1\n";
        let machine = "cpu 1 2 3\nbtime 1700000000\n";
        let expected =
            Footprint { started_at: 1_700_000_012.34, cpu_seconds: 2.0, resident_bytes: 2_097_152 };
        assert_eq!(parse(stat, status, machine), Some(expected));
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        assert_eq!(parse("", "", ""), None);
        assert_eq!(parse("7 (x) S 1", "VmRSS: 1 kB", "btime 1"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_program_holds_memory() {
        let footprint = read().unwrap();
        assert!(footprint.resident_bytes > 100_000, "{footprint:?}");
        assert!(footprint.started_at > 1_700_000_000.0, "{footprint:?}");
    }
}
