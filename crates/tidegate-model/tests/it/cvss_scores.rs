//! Scores, compared with those of another implementation (the data set `cvss`).

use tidegate_model::severity::{CvssScores, Score};
use tidegate_testkit::{data, shared_data};

/// A vector and what another implementation says of it: version 4 has one score, version 3 has three.
#[derive(serde::Deserialize)]
struct Row {
    vector: String,
    score: Option<f64>,
    base: Option<f64>,
    temporal: Option<f64>,
    environmental: Option<f64>,
    severity: serde_json::Value,
}

/// The smallest number of rows that is the data set and not a part of it.
const MIN_ROWS: usize = 9_000;

#[test]
fn scores_and_words_agree_with_another_implementation() {
    let Some(folder) = shared_data("cvss") else { return };
    let text = data::read(&folder.join("cvss-vectors.jsonl.zst"));
    let rows: Vec<Row> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(rows.len() >= MIN_ROWS, "only {} rows", rows.len());
    for row in rows {
        let scores = CvssScores::of(&row.vector).unwrap();
        let word = |score: Score| format!("{:?}", score.severity());
        match (row.score, row.base, row.temporal, row.environmental) {
            (Some(score), None, None, None) => {
                assert_eq!(scores.full.value(), score, "{}", row.vector);
                assert_eq!(word(scores.full), row.severity.as_str().unwrap(), "{}", row.vector);
            }
            (None, Some(base), Some(temporal), Some(environmental)) => {
                let all = [scores.base, scores.threat, scores.full];
                assert_eq!(all.map(Score::value), [base, temporal, environmental], "{}", row.vector);
                assert_eq!(serde_json::json!(all.map(word)), row.severity, "{}", row.vector);
            }
            _ => panic!("an unknown row: {}", row.vector),
        }
    }
}
