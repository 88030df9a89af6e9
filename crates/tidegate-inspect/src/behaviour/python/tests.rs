//! Cases are files under `cases/`: `=== name`, the source, `---`, and what is told of it. `name` may end in ` @path`.

use super::super::render::{blocks, rendered};

fn run(file: &str, text: &str) {
    let wrong: Vec<String> = blocks(text)
        .into_iter()
        .filter_map(|case| {
            let path = case.path.unwrap_or("pkg/mod.py");
            let found = rendered(&super::read(case.source.as_bytes(), path));
            (found.trim() != case.expected.trim()).then(|| {
                format!("=== {}\n{}\n---\n{}\n", case.title, case.source.trim_end(), found.trim_end())
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{file}: {} differ; what is told now:\n{}", wrong.len(), wrong.join("\n"));
}

macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        $(#[test]
        fn $name() {
            let file = concat!(stringify!($name), ".txt");
            run(file, include_str!(concat!("cases/", stringify!($name), ".txt")));
        })*
    };
}

cases!(constants, names, execution, files, network, host, decoders, flows, scopes, native, ordinary);
