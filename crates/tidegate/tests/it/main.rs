//! Tests of the whole door.

#![expect(clippy::unwrap_used, reason = "tests")]

mod advisories;
mod bundles;
mod check;
mod check_samples;
mod clients_any;
mod clients_audits;
mod clients_inspected;
mod clients_installs;
mod clients_known_bad;
mod clients_locks;
mod clients_other_locks;
mod clients_runs;
mod clients_steering;
mod clients_support;
mod commands;
mod commands_offline;
mod comparing;
mod comparing_index;
mod config_fields;
mod crowd;
mod documents;
mod durability;
mod effects;
mod event_examples;
mod events;
mod faults;
mod feeds_gone_wrong;
mod groups;
mod inspecting;
mod inspecting_under_load;
mod inspection;
mod liveness;
mod one_door;
mod operations;
mod paths;
mod private_names;
mod proxy;
mod real_advisories;
mod real_registries;
mod recall;
mod support;
mod views;
mod wrong_files;
