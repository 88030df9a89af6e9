//! Makes the index of licence texts that `src/licences/index.rs` reads, from the texts that the `spdx` crate carries: the words
//! of each as numbers, and which texts hold a shingle. Two megabytes instead of the texts, and nothing to be done at a start.
//!
//! And the heads of the detectors' files, which are their pages, for reports that explain a finding where it is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

#[path = "src/licences/words.rs"]
mod words;

use words::{SHINGLE, UNKNOWN, digest, shingle};

/// Words of a text; the longest of the list has about 12,000.
const TEXT_WORDS: usize = 60_000;

/// Texts of at most so many words are indexed by all their shingles, longer ones by a sample.
const SHORT_WORDS: usize = 250;

/// One shingle in so many is sampled.
const SAMPLE: u32 = 8;

struct Text {
    ids: Vec<&'static str>,
    words: Vec<u16>,
}

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/licences/words.rs");
    println!("cargo:rerun-if-changed=src/behaviour/detectors");
    println!("cargo:rerun-if-changed=src/archive");
    println!("cargo:rerun-if-changed=src/models/detectors");
    println!("cargo:rerun-if-changed=src/extensions/detectors");
    println!("cargo:rerun-if-changed=src/mcp/detectors");
    let out = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    let out = Path::new(&out);

    let hashed: Vec<(&'static str, Vec<u32>)> = spdx::text::LICENSE_TEXTS
        .iter()
        .map(|(id, text)| (*id, words::words(text, TEXT_WORDS).iter().map(|word| word.hash).collect()))
        .collect();
    let hashed: Vec<_> = hashed
        .into_iter()
        .flat_map(|(id, words)| shorter(&words).into_iter().chain([words]).map(move |w| (id, w)))
        .collect();
    let vocabulary: Vec<u32> =
        hashed.iter().flat_map(|(_, words)| words).copied().collect::<BTreeSet<_>>().into_iter().collect();
    assert!(vocabulary.len() < usize::from(UNKNOWN), "word numbers take 16 bits");
    let number = |hash: &u32| vocabulary.binary_search(hash).expect("it is in the vocabulary") as u16;

    // Licences of one text, such as `only` and `or-later`, are one entry.
    let mut by_text: BTreeMap<Vec<u16>, Vec<&'static str>> = BTreeMap::new();
    for (id, words) in &hashed {
        if words.len() >= SHINGLE && !is_renamed(id) {
            let all = by_text.entry(words.iter().map(number).collect()).or_default();
            if !all.contains(id) {
                all.push(id);
            }
        }
    }
    let mut texts: Vec<Text> =
        by_text.into_iter().map(|(words, ids)| Text { ids: in_force(ids), words }).collect();
    texts.sort_by_key(|text| text.ids[0]);

    write(out, &texts, &vocabulary);
    fs::write(out.join("heads.rs"), heads()).expect("the output folder can be written");
}

/// The head of each file that defines a detector, by the detector's id.
fn heads() -> String {
    let mut heads = BTreeMap::new();
    let families = ["src/models/detectors", "src/extensions/detectors", "src/mcp/detectors"];
    for folder in ["src/behaviour/detectors", "src/archive"].into_iter().chain(families) {
        for entry in fs::read_dir(folder).expect("the folders of detectors are there") {
            let path = entry.expect("a folder can be listed").path();
            let source = fs::read_to_string(&path).expect("a detector's file can be read");
            let id = source
                .lines()
                .find_map(|line| line.split_once("id: \"")?.1.split_once('"').map(|found| found.0));
            let head: Vec<&str> = source
                .lines()
                .take_while(|line| line.starts_with("//!"))
                .map(|line| line.trim_start_matches("//!").trim_start())
                .collect();
            if let Some(id) = id {
                heads.insert(id.to_owned(), head.join("\n"));
            }
        }
    }
    let mut table = String::from("static HEADS: &[(&str, &str)] = &[\n");
    for (id, head) in heads {
        writeln!(table, "    ({id:?}, {:?}),", head.trim()).expect("a String takes everything");
    }
    table.push_str("];\n");
    table
}

/// Whether an identifier is an old name of a GNU licence, whose text the new names have.
fn is_renamed(id: &str) -> bool {
    let base = id.trim_end_matches('+');
    let is_new = base.ends_with("-only") || base.ends_with("-or-later");
    !is_new && spdx::gnu_license_id(base, false).is_some()
}

/// What is left of a text without the part behind its terms, which explains how to apply it and which many copies leave out.
fn shorter(words: &[u32]) -> Option<Vec<u32>> {
    let end: Vec<u32> = words::words("end of terms and conditions", 5).iter().map(|word| word.hash).collect();
    let at = words.windows(end.len()).position(|window| window == end)? + end.len();
    (at < words.len()).then(|| words.iter().take(at).copied().collect())
}

/// The identifiers in force among some; all of them where none is.
fn in_force(ids: Vec<&'static str>) -> Vec<&'static str> {
    let is_in_force =
        |id: &&&'static str| !id.ends_with('+') && spdx::license_id(id).is_some_and(|id| !id.is_deprecated());
    // Of the licence with and without a clause that is a notice beside the text, the text is the one without.
    let is_plain = |id: &&&'static str| !id.ends_with("-no-copyleft-exception");
    let good: Vec<_> = ids.iter().filter(is_in_force).filter(is_plain).copied().collect();
    if good.is_empty() { ids } else { good }
}

fn write(out: &Path, texts: &[Text], vocabulary: &[u32]) {
    let mut table = String::from("static TEXTS: &[Text] = &[\n");
    let mut sequence: Vec<u8> = Vec::new();
    let mut postings: BTreeSet<(u32, u16)> = BTreeSet::new();
    for (number, text) in texts.iter().enumerate() {
        let start = sequence.len() / 2;
        sequence.extend(text.words.iter().flat_map(|word| word.to_le_bytes()));
        let all: BTreeSet<u32> = text.words.windows(SHINGLE).filter_map(shingle).map(digest).collect();
        let indexed: Vec<u32> =
            all.into_iter().filter(|d| text.words.len() <= SHORT_WORDS || d % SAMPLE == 0).collect();
        writeln!(
            table,
            "    Text {{ ids: &{:?}, start: {start}, length: {}, indexed: {} }},",
            text.ids,
            text.words.len(),
            indexed.len()
        )
        .expect("a String takes everything");
        postings.extend(indexed.into_iter().map(|d| (d, number as u16)));
    }
    table.push_str("];\n");
    let words: Vec<u8> = vocabulary.iter().flat_map(|hash| hash.to_le_bytes()).collect();
    let keys: Vec<u8> = postings.iter().flat_map(|(key, _)| key.to_le_bytes()).collect();
    let values: Vec<u8> = postings.iter().flat_map(|(_, text)| text.to_le_bytes()).collect();
    for (name, bytes) in [
        ("licence_texts.rs", table.as_bytes()),
        ("licence_words.bin", &words),
        ("licence_sequences.bin", &sequence),
        ("licence_keys.bin", &keys),
        ("licence_values.bin", &values),
    ] {
        fs::write(out.join(name), bytes).expect("the output folder can be written");
    }
}
