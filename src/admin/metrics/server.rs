//! Probes, configurations and the process itself.

use std::fmt;

use super::page::{Page, Value};
use super::{Facts, families};

impl Facts {
    pub(super) fn write_server(&self, page: &mut Page<'_>) -> fmt::Result {
        self.write_probes(page)?;
        let level = |number: u64| Value::Level(number as f64);
        let ledger = &self.ledger;
        let reloads = ledger.reloads.iter().map(|(how, count)| ([*how], Value::Count(*count)));
        page.rows(&families::RELOADS, reloads)?;
        page.row(&families::RELOAD_SUCCESS, level(u64::from(ledger.is_whole)))?;
        page.row(&families::RELOAD_TIME, level(ledger.whole_at))?;
        if let Some(process) = &self.process {
            page.row(&families::CPU, Value::Passed(process.cpu))?;
            page.row(&families::RESIDENT, level(process.resident))?;
            page.row(&families::VIRTUAL, level(process.virt))?;
            page.row(&families::THREADS, level(process.threads))?;
            page.row(&families::OPEN_FDS, level(process.open_fds))?;
            let max_fds = process.max_fds.map_or(f64::INFINITY, |max| max as f64);
            page.row(&families::MAX_FDS, Value::Level(max_fds))?;
        }
        page.row(&families::START_TIME, level(self.started))
    }

    fn write_vantages(&self, page: &mut Page<'_>) -> fmt::Result {
        let all = || self.vantages.iter();
        let said = all().flat_map(|one| {
            let words = ["passed", "failed"].into_iter().zip(one.said);
            words.map(|(word, n)| ([one.name.as_str(), word], Value::Count(n)))
        });
        page.rows(&families::REPORTS, said)?;
        let addresses = all().flat_map(|one| {
            let words = ["up", "down", "unknown"].into_iter().zip(one.addresses);
            words.map(|(word, n)| ([one.name.as_str(), word], Value::Level(n as f64)))
        });
        page.rows(&families::VANTAGE_ADDRESSES, addresses)?;
        let heard = all().map(|one| ([one.name.as_str()], Value::Level(one.heard as f64)));
        page.rows(&families::VANTAGE_HEARD, heard)
    }

    fn write_probes(&self, page: &mut Page<'_>) -> fmt::Result {
        let level = |number: usize| Value::Level(number as f64);
        let targets = self.targets.iter();
        let targets = targets.map(|(status, count)| ([status.to_string()], level(*count)));
        page.rows(&families::TARGETS, targets)?;
        page.row(&families::TARGETS_HELD, level(self.held))?;
        page.row(&families::SUSPECT, level(usize::from(self.suspect)))?;
        self.write_vantages(page)?;
        let turned = self.ledger.transitions.iter();
        page.rows(&families::TRANSITIONS, turned.map(|(to, n)| ([to], Value::Count(*n))))?;
        let checks = self.ledger.checks.iter();
        let checks = checks.map(|((result, why), n)| ([*result, *why], Value::Count(*n)));
        page.rows(&families::CHECKS, checks)?;
        page.row(&families::CHECK_TIME, Value::Spread(self.ledger.durations()))?;
        page.row(&families::CHECKS_IN_FLIGHT, level(self.pulse.in_flight))?;
        page.row(&families::CHECK_START_DELAY, Value::Spread(self.ledger.delays()))?;
        let delay = self.pulse.late_by.as_secs_f64();
        page.row(&families::CHECK_DELAY, Value::Level(delay))?;
        let certificates = self.certificates.iter().take(self.caps.nodes);
        let certificates = certificates.map(|(it, end)| ([it], Value::Level(*end as f64)));
        page.rows(&families::CERTIFICATE, certificates)?;
        let own = self.own_certificates.iter();
        let own = own.map(|(file, end)| ([file], Value::Level(*end as f64)));
        page.rows(&families::OWN_CERTIFICATE, own)
    }
}
