//! Memory in large pages, where there is much of it.
//!
//! A question about one of a hundred thousand zones reads half a dozen places that no cache holds,
//! and for each of them the processor has to find out first where the page is: a walk through
//! tables that are in no cache either. With pages of 2 MiB instead of 4 KiB it knows them all. The
//! kernel makes them where it is asked to (`MADV_COLLAPSE`, since Linux 6.1), by copying what is
//! there; whoever reads the page at hand just then waits for some hundred microseconds.
//!
//! ```text
//!  /proc/self/maps
//!   5581c0000000-5581c9800000 rw-p 00000000 00:00 0 [heap]   152 MiB: asked for
//!   7f2a10000000-7f2a10021000 rw-p 00000000 00:00 0          too small
//! ```
//!
//! Small processes are left alone: there it would take more memory than it brings. So is everything
//! on systems where large pages are set to `never`.

use std::fs;
use std::ops::Range;

/// Mappings from this size on are worth it, in octets: more than any stack.
const LARGE: usize = 16 << 20;
/// Octets of a large page.
const PAGE: usize = 2 << 20;
/// In linux/mman.h; `libc` has it for one of the C libraries only.
const MADV_COLLAPSE: libc::c_int = 25;
const MAPS: &str = "/proc/self/maps";
const SETTING: &str = "/sys/kernel/mm/transparent_hugepage/enabled";

/// Has the kernel put what this process holds into large pages, if it holds much; takes some
/// hundred microseconds for each. Gives how many octets are in them now.
pub fn use_large_pages() -> usize {
    let Ok(setting) = fs::read_to_string(SETTING) else { return 0 };
    if setting.contains("[never]") {
        return 0;
    }
    let maps = fs::read_to_string(MAPS).unwrap_or_default();
    let pages = large(&maps).into_iter().flat_map(|range| range.step_by(PAGE));
    pages.filter(|&page| collapse(page)).count() * PAGE
}

/// The whole large pages of large mappings that hold nothing but this process's own data.
fn large(maps: &str) -> Vec<Range<usize>> {
    let range = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let (begin, end) = fields.next()?.split_once('-')?;
        let own = fields.next()? == "rw-p" && fields.nth(2)? == "0";
        let is_named = fields.next().is_some_and(|name| name != "[heap]");
        let address = |text| usize::from_str_radix(text, 16).ok();
        let (begin, end) = (address(begin)?, address(end)?);
        let is_large = own && !is_named && end.saturating_sub(begin) >= LARGE;
        is_large.then(|| begin.next_multiple_of(PAGE)..end / PAGE * PAGE)
    };
    maps.lines().filter_map(range).collect()
}

/// True where the kernel has made one large page of the small ones from this address on: not where
/// nothing was ever written, or where devices read.
fn collapse(at: usize) -> bool {
    let at = std::ptr::without_provenance_mut(at);
    // SAFETY: this advice changes by which pages memory is mapped, never what is in it, nor who may
    // read and write it; what is not mapped any more is an error and nothing else.
    unsafe { libc::madvise(at, PAGE, MADV_COLLAPSE) == 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
558000000000-558010000000 r-xp 00000000 fe:00 77        /usr/bin/rota
558010000000-558020000000 rw-p 00000000 fe:00 77        /usr/bin/rota
5581c0100000-5581c9900000 rw-p 00000000 00:00 0         [heap]
7f0000000000-7f0000fff000 rw-p 00000000 00:00 0 
7f1000000000-7f1004000000 rw-p 00000000 00:00 0 
7f2000000000-7f2004000000 ---p 00000000 00:00 0 
7f3000000000-7f3004000000 rw-s 00000000 00:01 9         /dev/shm/x
7ffc00000000-7ffc04000000 rw-p 00000000 00:00 0         [stack]
what is this
";

    #[test]
    fn only_large_mappings_of_our_own_data_are_meant_and_of_them_whole_pages() {
        let expected = [0x5581_c020_0000..0x5581_c980_0000, 0x7f10_0000_0000..0x7f10_0400_0000];
        assert_eq!(large(MAPS), expected);
    }

    #[test]
    fn what_is_in_memory_stays_as_it_is() {
        let count = 2 * LARGE / size_of::<usize>();
        let much: Vec<usize> = (0..count).collect();
        use_large_pages();
        assert!(much.iter().enumerate().all(|(at, &number)| at == number));
    }

    #[test]
    fn what_is_not_there_is_refused() {
        assert!(!collapse(PAGE));
    }
}
