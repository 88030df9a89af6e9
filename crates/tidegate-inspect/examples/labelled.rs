use std::path::Path;
use tidegate_inspect::{Budgets, Request, TemporaryFiles, Verdict, inspect};
use tidegate_model::finding::{Confidence, FindingKind, FindingSeverity};
fn main() {
    let folder = std::env::args().nth(1).unwrap();
    let folder = Path::new(&folder);
    let labels = std::fs::read_to_string(folder.join("labels.jsonl")).unwrap();
    let mut n = std::collections::BTreeMap::<String, (u32, u32)>::new();
    for line in labels.lines() {
        let l: serde_json::Value = serde_json::from_str(line).unwrap();
        let f = l["file"].as_str().unwrap();
        let bytes = std::fs::read(folder.join(f)).unwrap();
        let eco = l["ecosystem"].as_str().and_then(|e| e.parse().ok());
        let name = f.rsplit('/').next().unwrap().to_owned();
        let request = Request { name, ecosystem: eco, hash_key: [7; 32], ..Request::default() };
        let i = inspect(&request, &bytes, &Budgets::default(), &TemporaryFiles::default());
        let secrets: Vec<String> = i
            .findings
            .iter()
            .filter(|f| {
                f.kind == FindingKind::Secret
                    && f.severity >= FindingSeverity::Medium
                    && f.confidence >= Confidence::Medium
            })
            .map(|f| f.detector.clone())
            .collect();
        let area = l["area"].as_str().unwrap();
        let label = l["label"].as_str().unwrap();
        let held = i.verdict > Verdict::Clean;
        let found = if area == "secret" { !secrets.is_empty() } else { held };
        let e = n.entry(format!("{area} {label} {}", l["ecosystem"].as_str().unwrap_or("-"))).or_default();
        e.1 += 1;
        if found {
            e.0 += 1;
        }
        let wrong = (label == "bad" && !found) || (label == "good" && (held || !secrets.is_empty()));
        if wrong {
            let low: Vec<String> = i
                .findings
                .iter()
                .filter(|f| f.kind != FindingKind::Archive)
                .take(6)
                .map(|f| format!("{}[{:?}/{:?}]", f.detector, f.severity, f.confidence))
                .collect();
            println!(
                "{} {area} {label} {} ({}): {} {:?} {:?} | {}",
                if label == "bad" { "MISS" } else { "FP" },
                f,
                l["family"].as_str().unwrap(),
                i.verdict.as_str(),
                i.behind,
                secrets,
                low.join(" ")
            );
        }
    }
    for (k, (a, b)) in n {
        println!("{k}: {a}/{b}");
    }
}
