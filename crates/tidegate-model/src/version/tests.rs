//! A small table for each order. Larger ones, made by the tools themselves, are in `tests/it/version_order.rs`; what holds
//! for any text is in `tests/it/version_laws.rs`.

use std::cmp::Ordering;

use super::*;

/// `ascending` names versions from low to high; versions within one line are spellings of the same.
fn check(scheme: VersionScheme, ascending: &[&str]) {
    let lines: Vec<Vec<&str>> = ascending.iter().map(|line| line.split(" = ").collect()).collect();
    for (at, line) in lines.iter().enumerate() {
        for (other_at, other_line) in lines.iter().enumerate() {
            for (a, b) in line.iter().flat_map(|a| other_line.iter().map(move |b| (a, b))) {
                assert_eq!(scheme.compare(a, b), Some(at.cmp(&other_at)), "{scheme:?}: `{a}` and `{b}`");
            }
        }
    }
}

fn refuses(scheme: VersionScheme, texts: &[&str]) {
    for text in texts {
        assert_eq!(scheme.key(text), None, "{scheme:?}: `{text}` is no version");
    }
}

#[test]
fn semver_is_precedence_read_leniently() {
    check(
        VersionScheme::Semver,
        &[
            "0.0.0-0",
            "0.0.0-20191109021931-daa7c04131f5 = v0.0.0-20191109021931-daa7c04131f5",
            "0 = 0.0.0 = v0",
            "1.0.0-0",
            "1.0.0-2",
            "1.0.0-10",
            "1.0.0-alpha = 1.0.0-alpha+001 = v1-alpha = =1.0.0alpha = 1.0.0.alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-alpha-1",
            "1.0.0-beta",
            "1.0.0 = 1 = 1.0 = v1.0.0 = =1.0.0 = 01.00.0 = 1.0.0+incompatible = 1.0.0.0",
            "1.0.0.1",
            "1.4.4-lts.1",
            "1.4.4",
            "1.10.0",
            "80.0.0",
            "4294967296.0.0",
            "99999999999999999999.0.0",
            "999999999999999999999999999999.0.0",
        ],
    );
    refuses(
        VersionScheme::Semver,
        &["", " ", "v", "latest", "1.x", "1.2.x", "1.", "1.2.3.", "1.0.0-", "1.0.0-a..b", "1.0.0+a_b", "1 0"],
    );
}

#[test]
fn pub_counts_build_metadata() {
    check(
        VersionScheme::Pub,
        &["1.0.0-a", "1.0.0-a+1", "1.0.0", "1.0.0+1", "1.0.0+2", "1.0.0+10", "1.0.0+a", "1.0.0+a.b", "1.0.1"],
    );
    refuses(VersionScheme::Pub, &["1.0.0+", "any"]);
}

#[test]
fn pep440_orders_every_part() {
    check(
        VersionScheme::Pypi,
        &[
            // What PEP 440 does not admit lies below.
            "trunk",
            "0.3m1",
            "2004d",
            "0.dev0",
            "1.0.dev456 = 1.dev456",
            "1.0a1.dev1",
            "1.0a1 = 1.0.alpha1 = v1.0-A1",
            "1.0a2.dev456",
            "1.0a12",
            "1.0b1.dev456",
            "1.0b2",
            "1.0b2.post345",
            "1.0rc1 = 1.0c1 = 1.0-preview1",
            "1.0 = 1 = 1.0.0 = V1.0",
            "1.0+abc.5",
            "1.0+abc.7",
            "1.0+5",
            "1.0.post456.dev34",
            "1.0.post456 = 1.0-456 = 1.0.rev456",
            "1.0.15",
            "1.1.dev1",
            "1!0.1",
        ],
    );
    refuses(VersionScheme::Pypi, &["", "\u{0}", "1\u{1b}"]);
}

#[test]
fn the_local_part_can_be_left_out() {
    let pypi = VersionScheme::Pypi;
    assert!(pypi.key("2.1.0+cu118") > pypi.key("2.1.0"));
    assert_eq!(pypi.key_without_local("2.1.0+cu118"), pypi.key("2.1.0"));
    assert_eq!(pypi.key_without_local("2.1.0"), None);
    assert_eq!(pypi.key_without_local("not+a+version"), None);
    assert_eq!(VersionScheme::Semver.key_without_local("1.0.0+5"), None);
}

#[test]
fn maven_knows_its_words() {
    check(
        VersionScheme::Maven,
        &[
            "1-alpha = 1.0-ALPHA = 1.alpha",
            "1-alpha-1-snapshot",
            "1-alpha-1 = 1a1 = 1.0.0-alpha-1 = 1-alpha1 = 1.0.alpha1",
            "1-alpha.1",
            "1-beta-2 = 1b2",
            "1-m3 = 1.0-MileStone-3",
            "1-rc = 1cr",
            "1.0-SNAPSHOT = 1-snapshot",
            "1 = 1.0 = 1.0.0 = 1-ga = 1.0.0.Final = 1.RELEASE = 1- = 1. = 01",
            "1-sp",
            "1-abc",
            "1-m",
            "1-xyz",
            "1-1 = 1.0-1 = 1-ga-1",
            "1-2",
            "1.0.1-sp",
            "1.0.1-1",
            "1.1 = 1.01",
            "1.1.1",
            "1.12345678901234567890",
        ],
    );
    refuses(VersionScheme::Maven, &["", "1\u{7}"]);
}

#[test]
fn rubygems_pads_with_zeros() {
    check(
        VersionScheme::RubyGems,
        &[
            "0.9",
            "1.a.b",
            "1.0.0.a.0.b = 1.a.0.b",
            "1.0.a = 1.a = 1.a.0",
            "1.0.a.0.1",
            "1.0.a.1 = 1.0.a1",
            "1.0.a10",
            "1.0.b1",
            "1.0-2 = 1.0.pre.2",
            "1 = 1.0 = 1.0.0 = 1.0-java = 1-x86_64-linux",
            "1.0.1.pre",
            "1.0.1",
            "1.10",
        ],
    );
    refuses(VersionScheme::RubyGems, &["", "a", "1..2", "1.0_1", ".1"]);
}

#[test]
fn packagist_normalises_before_it_compares() {
    check(
        VersionScheme::Packagist,
        &[
            "dev-main",
            "dev-other",
            "1.0-dev = 1.0.0.0-dev = v1dev",
            "1.0-alpha = 1.0.0a = v1.0.0.0-Alpha",
            "1.0-beta2-dev",
            "1.0-beta2 = 1.0b2 = 1.0.0.0-beta.2 = 1.0.0_b2",
            "1.0-rc1 = 1.0.0-RC1",
            "1.0.0 = 1.0 = 1 = v1.0.0 = 1.0.0+build = 1.0-stable",
            "1.0-p1 = 1.0.0-patch1 = 1.0pl1",
            "1.0.1",
            "1.x-dev",
            "2.0",
            "2010.01.02",
            "2010.01.02.5",
        ],
    );
    assert_eq!(VersionScheme::Packagist.key("dev-main"), VersionScheme::Packagist.key("DEV-main"));
    refuses(VersionScheme::Packagist, &["", "1\n2"]);
}

#[test]
fn nuget_has_four_numbers_and_no_case() {
    check(
        VersionScheme::NuGet,
        &[
            "1.0.0-1",
            "1.0.0-alpha = 1.0.0-ALPHA+meta = 1-alpha",
            "1.0.0-beta.2",
            "1.0.0-Beta.11",
            "1.0.0 = 1.0 = 1.0.0.0 = 1.0.0+abc",
            "1.0.0.1-rc",
            "1.0.0.1",
        ],
    );
    refuses(VersionScheme::NuGet, &["1.2.3.4.5", "x"]);
}

#[test]
fn dpkg_puts_tilde_first() {
    check(
        VersionScheme::Dpkg,
        &[
            "1.0~~",
            "1.0~~a",
            "1.0~",
            "1.0~rc1-1",
            "1.0 = 0:1.0 = 1.0-0 = 1.00",
            "1.0-1~bpo1",
            "1.0-1",
            "1.0-1a",
            "1.0-1+b1",
            "1.0-1.1",
            "1.0a",
            "1.0+dfsg",
            "1.0.1",
            "1.10",
            "1:0.1",
        ],
    );
    refuses(VersionScheme::Dpkg, &["", ":1", "a:1", "1:", "1 2", "1.ü"]);
}

#[test]
fn rpm_skips_separators() {
    check(
        VersionScheme::Rpm,
        &[
            "1.0~rc1",
            "1.0~rc1^git1",
            "1.0 = 0:1.0 = 1_0 = 1.00 = 1.0.",
            "1.0-1.el7",
            "1.0-1.1",
            "1.0-2",
            "1.0^git1",
            "1.0a",
            "1.0.1",
            "1.1",
            "1:0.5",
        ],
    );
    refuses(VersionScheme::Rpm, &["", "1\t2"]);
}

#[test]
fn alpine_knows_its_suffixes() {
    check(
        VersionScheme::Alpine,
        &[
            "1.0_alpha",
            "1.0_alpha1",
            "1.0_beta",
            "1.0_pre2",
            "1.0_rc1-r3",
            "1.0_rc2",
            "1.0",
            "1.0-r0 = 1.0-r",
            "1.0-r1",
            "1.0~abc",
            "1.0_cvs1",
            "1.0_git20220401",
            "1.0_p1-r1",
            "1.0_p2",
            "1.0a",
            "1.0b",
            "1.0p1-r0",
            "1.0p2",
            "1.01",
            "1.1",
            "1.10",
            "10.0 = 010.0",
        ],
    );
    refuses(
        VersionScheme::Alpine,
        &["", "a", ".1", "1..2", "1_foo", "1.0A", "1.0bc", "1-ruff", "1-r1-r2", "1~"],
    );
}

#[test]
fn r_and_haskell_compare_lists() {
    check(VersionScheme::Cran, &["0.1", "0.1-0 = 0.01.0", "0.1.0-0", "0.1-2", "0.9", "0.75"]);
    check(VersionScheme::Hackage, &["0", "0.1", "1.0", "1.0.0", "1.0.0.0", "1.1"]);
    refuses(VersionScheme::Cran, &["", "1.", "a", "1.0a"]);
    refuses(VersionScheme::Hackage, &["", "1-0", "1..0"]);
}

#[test]
fn without_an_order_there_is_only_equality() {
    let textual = VersionScheme::Textual;
    assert_eq!(textual.compare("abc", "abc"), Some(Ordering::Equal));
    assert_eq!(textual.compare("abc", "abd"), None);
    assert!(!textual.is_ordered());
}

#[test]
fn the_longest_version_has_a_key_and_a_longer_one_has_none() {
    for scheme in VersionScheme::ALL {
        assert!(scheme.key(&"1".repeat(MAX_VERSION_BYTES)).is_some(), "{scheme:?}");
        assert_eq!(scheme.key(&"1".repeat(MAX_VERSION_BYTES + 1)), None, "{scheme:?}");
    }
}

#[test]
fn every_ecosystem_of_the_osv_schema_has_a_scheme() {
    use VersionScheme::*;
    let rust = ["crates", "io"].join(".");
    let cases: &[(VersionScheme, &[&str])] = &[
        (
            Semver,
            &["npm", &rust, "Go", "Hex", "SwiftURL", "Julia", "Bitnami", "ConanCenter", "GitHub Actions"],
        ),
        (
            Semver,
            &["VSCode", "VSCode:https://open-vsx.org", "Kubernetes", "Linux", "Root:npm", "TuxCare:npm"],
        ),
        (Pub, &["Pub"]),
        (Pypi, &["PyPI", "PyPI:anything", "Root:PyPI", "Echo:PyPI"]),
        (Maven, &["Maven", "Maven:https://repo.example/m2"]),
        (RubyGems, &["RubyGems"]),
        (Packagist, &["Packagist", "Packagist:https://packages.example"]),
        (NuGet, &["NuGet"]),
        (Dpkg, &["Debian", "Debian:12", "Ubuntu:22.04:LTS", "Ubuntu:Pro:18.04:LTS", "opam", "Echo"]),
        (Dpkg, &["Docker Hardened Images:Debian:trixie", "Root:Ubuntu:22.04"]),
        (
            Rpm,
            &[
                "Red Hat:enterprise_linux:9::appstream",
                "Rocky Linux:8",
                "AlmaLinux:9",
                "SUSE:15",
                "openSUSE:Leap 15.6",
            ],
        ),
        (Rpm, &["Mageia:9", "openEuler:24.03-LTS", "Photon OS:5.0", "Azure Linux:3", "TuxCare:Red Hat"]),
        (
            Alpine,
            &[
                "Alpine:v3.20",
                "Alpaquita:23",
                "BellSoft Hardened Containers",
                "Chainguard",
                "Wolfi",
                "MinimOS",
            ],
        ),
        (Alpine, &["CleanStart", "Docker Hardened Images:Alpine:3.23"]),
        (Cran, &["CRAN", "Bioconductor", "Bioconductor:3.18"]),
        (Hackage, &["Hackage", "GHC"]),
        (Textual, &["Android", "FreeBSD", "GIT", "Homebrew", "OSS-Fuzz", "vcpkg", "WordPress"]),
        (Textual, &["Root", "TuxCare:TuxCare:npm", "Docker Hardened Images"]),
    ];
    for (scheme, names) in cases {
        for name in *names {
            assert_eq!(VersionScheme::from_osv(name), Some(*scheme), "{name}");
        }
    }
    for name in ["", "NPM", "pypi", "Cobol", ":12"] {
        assert_eq!(VersionScheme::from_osv(name), None, "{name}");
    }
    for ecosystem in Ecosystem::ALL {
        // Which of two commits is the later one, their ids do not say.
        assert_eq!(VersionScheme::of(ecosystem).is_ordered(), !ecosystem.is_grouped());
    }
}

fn sorted(ecosystem: Ecosystem, ascending: &[&str]) {
    for pair in ascending.windows(2) {
        let [a, b] = [pair[0], pair[1]].map(|t| Version::parse(ecosystem, t));
        assert_eq!(a.cmp(&b), Ordering::Less, "{ecosystem}: {a} < {b}");
        assert_eq!(b.cmp(&a), Ordering::Greater, "{ecosystem}: {b} > {a}");
    }
}

#[test]
fn each_ecosystem_has_its_own_order() {
    sorted(
        Ecosystem::Npm,
        &["not a version", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta", "1.0.0", "1.2.0", "1.10.0"],
    );
    sorted(Ecosystem::Cargo, &["1.0.0-alpha", "1.0.0", "1.9.0", "1.10.0"]);
    sorted(Ecosystem::Pypi, &["1.0.dev1", "1.0a1", "1.0rc1", "1.0", "1.0.post1", "1.1", "1!0.1"]);
    assert_eq!(Version::parse(Ecosystem::Pypi, "1.0"), Version::parse(Ecosystem::Pypi, "1.0.0"));
}

#[test]
fn prereleases_are_known() {
    assert!(Version::parse(Ecosystem::Npm, "1.0.0-rc.1").is_prerelease());
    assert!(Version::parse(Ecosystem::Pypi, "1.0.dev3").is_prerelease());
    assert!(!Version::parse(Ecosystem::Pypi, "1.0.post3").is_prerelease());
    assert!(!Version::parse(Ecosystem::Cargo, "1.0.0+build").is_prerelease());
    assert!(Version::parse(Ecosystem::Cargo, "latest").is_prerelease());
}
