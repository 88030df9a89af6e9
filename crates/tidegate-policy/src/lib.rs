//! Policy: rules over facts, three-valued, compiled, explained.
//!
//! [`decide`] is a pure function of policy, facts, waivers and a time. A fact that is missing is *unknown* to the
//! logic, never false, and a rule says what it does then. Nothing here does IO or reads a clock.

mod cases;
mod class;
mod compile;
mod condition;
mod decide;
mod document;
mod explain;
mod file;
mod glob;
mod layers;
mod licence;
mod lint;
mod logic;
mod message;
pub mod packs;
mod paths;
mod policy;
mod ranges;
mod reasons;
mod source;
mod tree;
mod waivers;

pub use cases::{CaseFile, Coverage, Failure, InvalidCases, MAX_CASES, Report, run_cases};
pub use compile::{Compiled, Loosening};
pub use condition::MAX_DEPTH;
pub use decide::{decide, facts_digest};
pub use document::{InvalidFacts, facts_schema, read_facts};
pub use explain::{Explanation, Part, RuleExplanation, explain};
pub use file::{MAX_RULES, Mode, Waivable};
pub use lint::{Level, Lint, lint};
pub use logic::{States, Tri};
pub use policy::{MALWARE_APPROVERS, MALWARE_WAIVER_HOURS, Policy, Rule};
pub use source::{MAX_SOURCE_BYTES, Place, PolicyError, PolicyErrors};
pub use tree::Stage;
pub use waivers::WaiverSet;
