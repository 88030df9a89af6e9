//! Commands that look after a door: what is on, what was decided and why, exceptions, tokens, people.

use std::process::ExitCode;

use clap::Subcommand;

use super::{
    Outcome, alarms, approval, config, custody, events, intel, ledger, manual, mcp, person, policy,
    quarantine, status, token, trust, verify, waiver, who, why, witness,
};

/// Every command that looks after a door.
#[derive(Debug, Subcommand)]
pub enum Operate {
    /// Show what is on and where each upstream came from.
    Status(status::Status),
    /// Find out what is wrong, and what to do about it.
    Doctor(status::Doctor),
    /// Explain what is decided on a package, and what was.
    Why(why::Why),
    /// List who took a package, or what an advisory touches: when, from where, with what, under which decision.
    Who(who::Who),
    /// Say what is signed about a file or a package: what, by whom, built where, from which commit, and what is not proven.
    Verify(Box<verify::Verify>),
    /// Show, check, test and explain policies.
    Policy(policy::PolicyCommand),
    /// List what is held; release or block by hand.
    Quarantine(quarantine::Quarantine),
    /// Ask for, approve, reject, take back and list exceptions.
    Waiver(waiver::Waiver),
    /// Propose, approve, reject, take back and list what is approved by name: models, extensions, servers.
    Approval(approval::Approval),
    /// Make, list and take back tokens.
    Token(token::Token),
    /// Show, fetch and load advisories and signals.
    Intel(intel::Intel),
    /// Show and renew the roots under which attestations are checked.
    Trust(trust::Trust),
    /// Govern MCP servers at run time; see and approve what they offer.
    Mcp(mcp::Mcp),
    /// Read the ledger.
    Ledger(ledger::Ledger),
    /// Cosign the checkpoints of doors, each only where it continues what was seen before.
    Witness(witness::Witness),
    /// Look after the key that signs statements about artifacts.
    Custody(custody::Custody),
    /// List and forget people.
    Person(person::Person),
    /// Show what happened, as event sinks are told it; try them.
    Events(events::Events),
    /// List and acknowledge alarms.
    Alarms(alarms::Alarms),
    /// Check and show the configuration.
    Config(config::ConfigCommand),
    /// Print a script that completes commands in a shell.
    Completions(manual::Completions),
    /// Write the manual pages into a folder.
    Manual(manual::Manual),
}

impl Operate {
    /// Runs it.
    ///
    /// # Errors
    /// Whatever the person at the terminal must know.
    pub fn run(self) -> Outcome {
        match self {
            Self::Status(command) => command.run(),
            Self::Doctor(command) => command.run(),
            Self::Why(command) => command.run(),
            Self::Who(command) => command.run(),
            Self::Verify(command) => command.run(),
            Self::Policy(command) => command.run(),
            Self::Quarantine(command) => command.run(),
            Self::Waiver(command) => command.run(),
            Self::Approval(command) => command.run(),
            Self::Token(command) => command.run(),
            Self::Intel(command) => command.run(),
            Self::Trust(command) => command.run(),
            Self::Mcp(command) => command.run(),
            Self::Ledger(command) => command.run(),
            Self::Witness(command) => command.run(),
            Self::Custody(command) => command.run(),
            Self::Person(command) => command.run(),
            Self::Events(command) => command.run(),
            Self::Alarms(command) => command.run(),
            Self::Config(command) => command.run(),
            Self::Completions(command) => command.run().map(|()| ExitCode::SUCCESS),
            Self::Manual(command) => command.run().map(|()| ExitCode::SUCCESS),
        }
    }
}
