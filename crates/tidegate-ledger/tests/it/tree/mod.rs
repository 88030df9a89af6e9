//! The tree over the entries: laws, upgrades, crashes, attacks, and what others make of it.

mod attacks;
mod counts;
mod crash;
mod foreign;
mod handover;
mod laws;
mod opening;
mod rig;
mod witness;
