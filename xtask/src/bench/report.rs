//! Medians, ratios and peaks, as a Markdown page for people and JSON for comparison.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::load::{Herd, Measured, Pull, memory};
use super::servers::Server;
use super::{BenchError, Gateway};

/// The server that ratios refer to.
const REFERENCE: &str = "nginx proxy_cache";

/// Everything that was measured.
#[derive(Debug)]
pub(super) struct Report {
    settings: String,
    /// Name, time to start, resident memory in kilobytes before any request.
    servers: Vec<(String, Duration, u64)>,
    cells: Vec<(&'static str, BTreeMap<String, Vec<Measured>>)>,
    cold: BTreeMap<String, Vec<Pull>>,
    herd: BTreeMap<String, Herd>,
    failures: Vec<String>,
}

impl Report {
    pub(super) fn new(options: &Gateway) -> Self {
        let settings = format!(
            "{} interleaved rounds of {} s a cell, {} connections; herd of {} on {} MB; server on core 0, generator and \
             upstream on core 1; CPU from schedstat of the process tree.",
            options.rounds, options.seconds, options.connections, options.herd, options.herd_megabytes
        );
        Self {
            settings,
            servers: Vec::new(),
            cells: Vec::new(),
            cold: BTreeMap::new(),
            herd: BTreeMap::new(),
            failures: Vec::new(),
        }
    }

    pub(super) fn started(&mut self, server: &Server) {
        self.servers.push((server.name.clone(), server.start, memory(server, "VmRSS:")));
    }

    pub(super) fn sample(&mut self, cell: &'static str, server: &str, measured: Measured) {
        let at = match self.cells.iter().position(|(name, _)| *name == cell) {
            Some(at) => at,
            None => {
                self.cells.push((cell, BTreeMap::new()));
                self.cells.len() - 1
            }
        };
        self.cells[at].1.entry(server.to_owned()).or_default().push(measured);
    }

    pub(super) fn cold(&mut self, server: &str, pull: Pull) {
        self.cold.entry(server.to_owned()).or_default().push(pull);
    }

    pub(super) fn herd(&mut self, server: &str, herd: Herd) {
        self.herd.insert(server.to_owned(), herd);
    }

    pub(super) fn failed(&mut self, what: &str, server: &str, why: &str) {
        let line = format!("{server}, {what}: {}", why.trim());
        eprintln!("FAILED: {line}");
        self.failures.push(line);
    }

    /// Prints the page, and writes it and the figures into `folder`.
    pub(super) fn write(&self, folder: &Path) -> Result<(), BenchError> {
        let page = self.markdown();
        println!("{page}");
        for (name, text) in [("gateway.md", page), ("gateway.json", format!("{:#}\n", self.json()))] {
            let path = folder.join(name);
            std::fs::write(&path, text).map_err(|source| BenchError::Write { path, source })?;
        }
        Ok(())
    }

    fn markdown(&self) -> String {
        let mut out = format!("# Gateway benchmark\n\n{}\n", self.settings);
        for (cell, servers) in &self.cells {
            let reference = servers.get(REFERENCE).map(|all| median(all, |m| m.cpu_micros));
            line(&mut out, &format!("\n## {cell}\n"));
            line(
                &mut out,
                "| server | CPU µs a request | × nginx proxy_cache | requests/s | p99 ms | peak RSS MB |",
            );
            line(&mut out, "| --- | --- | --- | --- | --- | --- |");
            for (server, all) in servers {
                let cpu = median(all, |m| m.cpu_micros);
                line(
                    &mut out,
                    &format!(
                        "| {server} | {cpu:.1} | {} | {:.0} | {:.2} | {} |",
                        reference.map_or("–".to_owned(), |reference| format!("{:.2}", cpu / reference)),
                        median(all, |m| m.per_second),
                        median(all, |m| m.p99_millis),
                        all.iter().map(|m| m.peak_kb).max().unwrap_or(0) / 1024
                    ),
                );
            }
        }
        line(
            &mut out,
            "\n## Cold 1 MB\n\n| server | first byte ms | whole file ms | CPU ms a file |\n| --- | --- | --- | --- |",
        );
        for (server, all) in &self.cold {
            let of = |part: fn(&Pull) -> Duration| median(all, |pull| part(pull).as_secs_f64() * 1e3);
            line(
                &mut out,
                &format!(
                    "| {server} | {:.2} | {:.2} | {:.2} |",
                    of(|p| p.first_byte),
                    of(|p| p.total),
                    of(|p| p.cpu)
                ),
            );
        }
        line(&mut out, "\n## Herd on one cold file\n");
        line(
            &mut out,
            "| server | upstream requests | RSS growth MB | first byte ms, median / last | all served s | CPU s | cut short |",
        );
        line(&mut out, "| --- | --- | --- | --- | --- | --- | --- |");
        for (server, herd) in &self.herd {
            line(
                &mut out,
                &format!(
                    "| {server} | {} | {} | {:.0} / {:.0} | {:.1} | {:.1} | {}{} |",
                    herd.upstream_requests,
                    herd.growth_kb / 1024,
                    herd.first_byte_median.as_secs_f64() * 1e3,
                    herd.first_byte_last.as_secs_f64() * 1e3,
                    herd.total.as_secs_f64(),
                    herd.cpu.as_secs_f64(),
                    herd.short,
                    herd.why.as_ref().map_or(String::new(), |why| format!(" ({why})"))
                ),
            );
        }
        line(&mut out, "\n## At rest\n\n| server | start ms | idle RSS MB |\n| --- | --- | --- |");
        for (server, start, idle) in &self.servers {
            line(&mut out, &format!("| {server} | {:.0} | {} |", start.as_secs_f64() * 1e3, idle / 1024));
        }
        if !self.failures.is_empty() {
            line(&mut out, "\n## Failed\n");
            for failure in &self.failures {
                line(&mut out, &format!("- {}", failure.replace('\n', " ")));
            }
        }
        out
    }

    fn json(&self) -> Value {
        let mut cells = serde_json::Map::new();
        for (cell, servers) in &self.cells {
            let rows: serde_json::Map<String, Value> = servers
                .iter()
                .map(|(server, all)| {
                    let row = json!({
                        "cpu_microseconds": median(all, |m| m.cpu_micros),
                        "requests_per_second": median(all, |m| m.per_second),
                        "p99_milliseconds": median(all, |m| m.p99_millis),
                        "peak_rss_kilobytes": all.iter().map(|m| m.peak_kb).max(),
                        "rounds": all.iter().map(|m| m.cpu_micros).collect::<Vec<_>>(),
                    });
                    (server.clone(), row)
                })
                .collect();
            cells.insert((*cell).to_owned(), Value::Object(rows));
        }
        let seconds = |duration: Duration| json!(duration.as_secs_f64());
        let cold: serde_json::Map<String, Value> = self
            .cold
            .iter()
            .map(|(server, all)| {
                let row = json!({
                    "first_byte_seconds": median(all, |p| p.first_byte.as_secs_f64()),
                    "total_seconds": median(all, |p| p.total.as_secs_f64()),
                    "cpu_seconds": median(all, |p| p.cpu.as_secs_f64()),
                });
                (server.clone(), row)
            })
            .collect();
        let herd: serde_json::Map<String, Value> = self
            .herd
            .iter()
            .map(|(server, herd)| {
                let row = json!({
                    "upstream_requests": herd.upstream_requests,
                    "rss_growth_kilobytes": herd.growth_kb,
                    "cpu_seconds": seconds(herd.cpu),
                    "first_byte_median_seconds": seconds(herd.first_byte_median),
                    "first_byte_last_seconds": seconds(herd.first_byte_last),
                    "total_seconds": seconds(herd.total),
                    "cut_short": herd.short,
                });
                (server.clone(), row)
            })
            .collect();
        let rest: Vec<Value> = self
            .servers
            .iter()
            .map(|(name, start, idle)| {
                json!({ "server": name, "start_seconds": seconds(*start), "idle_rss_kilobytes": idle })
            })
            .collect();
        json!({
            "settings": self.settings, "cells": cells, "cold": cold, "herd": herd, "at_rest": rest,
            "failures": self.failures,
        })
    }
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("writing to a string does not fail");
}

pub(super) fn median<T>(all: &[T], part: impl Fn(&T) -> f64) -> f64 {
    let mut values: Vec<f64> = all.iter().map(part).collect();
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_between_the_two_in_the_middle() {
        assert!((median(&[4.0, 1.0, 2.0, 9.0], |x| *x) - 3.0).abs() < 1e-9);
        assert!((median(&[7.0, 1.0, 2.0], |x| *x) - 2.0).abs() < 1e-9);
        assert!(median::<f64>(&[], |x| *x).is_nan());
    }
}
