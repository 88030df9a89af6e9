//! The orders, measured against versions that each ecosystem's own tool has sorted (the data set `version-order`).

use std::cmp::Ordering;
use std::collections::BTreeSet;

use tidegate_model::VersionScheme;
use tidegate_testkit::{data, shared_data};

/// One comparison of the data set.
#[derive(serde::Deserialize, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Row {
    eco: String,
    a: String,
    op: String,
    b: String,
    /// Whether the ecosystem's tool made it; the others were written by hand.
    #[serde(rename = "gen")]
    by_tool: bool,
}

impl Row {
    fn agrees(&self) -> bool {
        let expected = match self.op.as_str() {
            "<" => Ordering::Less,
            "=" => Ordering::Equal,
            ">" => Ordering::Greater,
            other => panic!("unknown operator `{other}`"),
        };
        scheme(&self.eco).compare(&self.a, &self.b) == Some(expected)
    }
}

fn scheme(eco: &str) -> VersionScheme {
    match eco {
        "alpine" => VersionScheme::Alpine,
        "cran" => VersionScheme::Cran,
        "debian" => VersionScheme::Dpkg,
        "hackage" => VersionScheme::Hackage,
        "maven" => VersionScheme::Maven,
        "nuget" => VersionScheme::NuGet,
        "packagist" => VersionScheme::Packagist,
        "pub" => VersionScheme::Pub,
        "pypi" => VersionScheme::Pypi,
        "redhat" => VersionScheme::Rpm,
        "rubygems" => VersionScheme::RubyGems,
        "semver" => VersionScheme::Semver,
        other => panic!("unknown order `{other}`"),
    }
}

/// Rows on which we differ, and why we mean to.
struct Different {
    eco: &'static str,
    by_tool: bool,
    /// The reason, for whoever reads this list.
    _because: &'static str,
    /// `a op b`.
    rows: &'static [&'static str],
}

const DIFFERENT: &[Different] = &[
    Different {
        eco: "maven",
        by_tool: true,
        _because: "made by a Maven that told `.word` from `-word`; Maven 3.8.7, 3.9.11 and 4.0.0-rc-4 say what we say",
        rows: &[
            "1.0.0-RC16 < 1.0.0.RC8-beta",
            "1.0.0-gradle-rework-beta3 < 1.0.0.RC7-3",
            "2.9.0-1 < 2.9.0.RC1",
            "6.1.12.rc5 < 6.1.12rc1",
            "1.1.31.sec10 < 1.1.31_noneautotype",
            "1.1.34.sec10 < 1.1.34_noneautotype",
            "1.1.46.sec10 < 1.1.46_noneautotype",
            "1.2.8.sec10_noneautotype < 1.2.8_noneautotype",
            "1.2.31.sec10 < 1.2.31_noneautotype",
            "1.2.48.sec10 < 1.2.48_noneautotype",
            "1.2.50.sec10 < 1.2.50_noneautotype",
            "1.2.54.sec10 < 1.2.54_noneautotype",
            "1.2.57.sec10 < 1.2.57_noneautotype",
            "1.2.60.sec10 < 1.2.60_noneautotype",
            "1.2.67.sec10 < 1.2.67_noneautotype",
            "1.0.0rc0 < 1.0.beta8",
            "1.5.9.RC1 < 1.5.9-RC0",
            "1.1.0-01-glassfish < 1.1.0.Beta1",
        ],
    },
    Different {
        eco: "maven",
        by_tool: true,
        _because: "Maven 3 still tells `.word` from `-word` where a separator follows; the first is what Maven 4 says too, \
                   and both what the specification says (a word is the same after a dot as after a hyphen)",
        rows: &["3.5.0-CR-2 < 3.5.0.Beta-1", "3.6.2.FL.20090615 < 3.6.2-FL-2009-05-11"],
    },
    Different {
        eco: "packagist",
        by_tool: true,
        _because: "PHP compared the text as it stands; Composer fills up to four numbers first",
        rows: &[
            "v3.0 < v3.0.0-beta",
            "v3.4 < v3.4.0-alpha",
            "v4-beta4 < v4.0-alpha",
            "v4.4 < v4.4.0-beta",
            "v6.5 < v6.5.0-beta-0",
            "v6.6 < v6.6.0-beta",
        ],
    },
    Different {
        eco: "packagist",
        by_tool: true,
        _because: "PHP knows no capitals and no `stable`; Composer gives stabilities one spelling first",
        rows: &[
            "v1.9.0-BETA.1 < v1.9.0-ALPHA.2",
            "v1.9.0-ALPHA.1 = v1.9.0-BETA.1",
            "v1.9.0-ALPHA.2 = v1.9.0-BETA.2",
            "5.1.0-stable < 5.1.0-beta2",
        ],
    },
    Different {
        eco: "packagist",
        by_tool: true,
        _because: "Composer refuses `.post1`, so PHP compares it as it stands, with three numbers against four",
        rows: &["3.0.0b1 < 3.0.0b1.post1", "3.0.0b2 < 3.0.0b2.post1", "3.2.0rc1 < 3.2.0rc1.post1"],
    },
    Different {
        eco: "packagist",
        by_tool: false,
        _because: "PHP's view again: Composer fills up `1.0` and refuses `#`",
        rows: &["1.0.0 > 1.0", "1.2.3.# = 1.2.3", "1.2.3.# = 1.2.3.1"],
    },
    Different {
        eco: "alpine",
        by_tool: false,
        _because: "one side is no version to apk: it has no key, and compares as text only",
        rows: &[
            "1-r-0 < 1-r0",
            "1-r-1 < 1-r0",
            "0.r1 < 0r2",
            "0..1..0 < 0..1..1",
            "0...1...0 < 0...1...1",
            "0...1...0.r1 < 0...1...0.r2",
            "0...1...0r1 < 0...1...0r2",
            "0..8 = 0..8",
            "0..8 > 0...8",
            "0.8.21.r2 > 0.8.21.r1",
            "10.2.24.r0 > 10.2.22.r0",
            "0.8.21.r2 < 0.8.21r2",
            "1.2.0A < 1.2.0d",
            "1.2.0D < 1.2.0d",
            "1-r2 > 1-r-1",
            "1 > 1-ruff",
            "1-r0-1 = 1-r-2",
            "1-r0-1 = 1-r0-2",
            "1-ruff2 = 1-ruff1",
            "1-ruff2 = 1--ruff1",
            "1.2 > 1.2_blah",
            "1.2_cvs1 > 1.2_blah",
            ".1 < 1",
            "1 > .1",
            ".2 > .1",
            "a < b",
            "c > b",
            "c = c",
            "23_foo > 4_beta",
            "1.0 < 1.0bc",
            "1-r0-ruff2 = 1-r0-ruff1",
            "1.2_svn1 > 1.2_csv2",
        ],
    },
];

/// The smallest number of rows that is the data set and not a part of it.
const MIN_ROWS: usize = 70_000;

#[test]
fn the_orders_agree_with_the_tools() {
    let Some(folder) = shared_data("version-order") else { return };
    let text = data::read(&folder.join("version-order.jsonl.zst"));
    let rows: Vec<Row> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(rows.len() >= MIN_ROWS, "only {} rows", rows.len());

    let differ: BTreeSet<String> = rows.iter().filter(|row| !row.agrees()).map(shown).collect();
    let listed: BTreeSet<String> = DIFFERENT
        .iter()
        .flat_map(|group| {
            group.rows.iter().map(|row| format!("{}, by tool: {}: {row}", group.eco, group.by_tool))
        })
        .collect();
    let unexplained: Vec<_> = differ.difference(&listed).collect();
    assert!(unexplained.is_empty(), "these differ without a reason: {unexplained:#?}");
    let settled: Vec<_> = listed.difference(&differ).collect();
    assert!(settled.is_empty(), "these agree now, or are gone: take them off the list: {settled:#?}");
}

fn shown(row: &Row) -> String {
    format!("{}, by tool: {}: {} {} {}", row.eco, row.by_tool, row.a, row.op, row.b)
}
