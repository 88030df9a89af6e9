//! Advisories from files to answers: the rules of the OSV schema, imports, crashes, real data.
#![expect(clippy::unwrap_used, reason = "tests")]

mod bundles;
mod crashes;
mod feeds;
mod gone_wrong;
mod imports;
mod inverse;
mod matching;
mod naive;
mod real_data;
mod support;
