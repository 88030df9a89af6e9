//! Other people's validators read what we write.

use tidegate_testkit::validators::{Standard, Validators};

use super::*;

#[test]
fn other_validators_accept_what_is_written() {
    let Some(validators) = Validators::install() else {
        eprintln!(
            "SKIPPED: the validators of CycloneDX, SARIF and OpenVEX cannot be installed here (no network?)"
        );
        return;
    };
    let mut bare = sample();
    bare.subject = Subject { name: "standard input".into(), ..Subject::default() };
    bare.author = None;
    bare.policy = None;
    bare.findings.truncate(1);
    bare.gaps.clear();
    let mut empty = sample();
    empty.components.clear();
    let accept = |standard: Standard, document: &str| {
        validators.judge(standard, document).unwrap_or_else(|said| panic!("{said}\n{document}"));
    };
    let refuse = |standard: Standard, document: &str| {
        assert!(validators.judge(standard, document).is_err(), "the validator accepts anything");
    };
    for (version, format) in [("1.6", ReportFormat::CycloneDx16), ("1.7", ReportFormat::CycloneDx17)] {
        for report in [&sample(), &bare, &empty] {
            accept(Standard::CycloneDx(version), &rendered(report, format).0);
        }
        let broken = rendered(&sample(), format).0.replace("\"library\"", "\"librarian\"");
        refuse(Standard::CycloneDx(version), &broken);
    }
    for report in [&sample(), &bare] {
        accept(Standard::OpenVex, &rendered(report, ReportFormat::OpenVex).0);
    }
    let unjustified = rendered(&sample(), ReportFormat::OpenVex).0.replace("\"affected\"", "\"concerned\"");
    refuse(Standard::OpenVex, &unjustified);
    if !validators.knows_sarif() {
        eprintln!("SKIPPED: the schema of SARIF cannot be fetched here (no npm, no network?)");
        return;
    }
    for report in [&sample(), &bare, &empty] {
        accept(Standard::Sarif, &rendered(report, ReportFormat::Sarif).0);
    }
    refuse(Standard::Sarif, &rendered(&sample(), ReportFormat::Sarif).0.replace("\"error\"", "\"fatal\""));
}
