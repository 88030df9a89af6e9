//! Text that was encoded is decoded and run as code.
//!
//! Code is encoded so that nobody reads it. Loaders of workers and templates decode text that they hold for other reasons; they do so in functions, and
//! there it is told as low.
//!
//! **What to do:** decode it without running it, and read. **Limits:** where the decoder is the code's own invention, only its parts are seen.
//! **Example:** `eval(Buffer.from('…', 'base64').toString())`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/eval-decoded",
    catalogue: "EVAL-DECODED",
    title: "runs decoded text as code",
    severity: High,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    lines(package, findings);
    for (code, from, to, decoded) in package.flows() {
        let is_hidden = from.what == What::Decode || is_sealed(from) && decoded;
        if !is_hidden
            || !matches!(to.what, What::Eval | What::Exec | What::ExecDetached)
            || code.language == Some(Language::Shell)
        {
            continue;
        }
        // WebAssembly is no text and comes encoded because scripts cannot hold it; it reaches only what it is handed.
        if to.detail.starts_with("WebAssembly") {
            continue;
        }
        // Programs are started with arguments that were unpacked or unescaped for other reasons.
        let hides_command =
            matches!(from.detail.as_str(), "base64" | "hex" | "xor" | "cipher" | "rot" | "selectors");
        if to.what != What::Eval && !hides_command {
            continue;
        }
        // Escapes of addresses and characters are decoded everywhere.
        let is_weak = matches!(from.detail.as_str(), "percent" | "charcode" | "reverse" | "rot");
        let comes_from =
            |what| code.facts.flowing().any(|(source, sink, _)| sink == from && source.what == what);
        // Compiled files that a caller names hide nothing of the package's own.
        let is_constant = code.facts.flowing().any(|(source, sink, _)| sink == from && is_sealed(source))
            || (from.folded || to.folded) && !(from.detail == "marshal" && comes_from(What::FileRead));
        // An address that was put together is no code; what lies there is another detector's matter.
        let is_address = to.detail.starts_with("script ") && !to.detail.contains("data:");
        let grade = match (early(code, to), is_constant && !is_address) {
            // What a thread is started with comes from who starts it.
            (true, false) if is_thread(code) => (Low, Likely),
            (true, _) if to.what == What::Eval && !is_weak => (High, Sure),
            // Characters are put together from numbers wherever text is read or written.
            (true, false) if is_weak => (Medium, Likely),
            (true, _) => (High, Likely),
            // Bundlers put a worker's code beside the function that starts it.
            (false, true) if to.detail.starts_with("Worker") => (Medium, Likely),
            // Command lines are encoded because shells read quotes.
            (false, true) if is_quoted(&to.detail) => (Medium, Likely),
            (false, true) if is_far(from, to) => (Low, Hint),
            // What knows commands of its own is no shell.
            (false, true) if to.what != What::Eval && has_command(&to.detail) => (Medium, Likely),
            (false, true) if !is_weak => (High, Likely),
            // The same cipher of its own hides where something is fetched from and what is started.
            (false, _) if from.detail == "xor" && to.what != What::Eval && hides_address(code, from) => {
                (High, Likely)
            }
            (false, _) => (Low, Hint),
        };
        findings.tell(
            code,
            to,
            grade,
            &format!("runs text as code that it decodes first ({}) {}", from.detail, when(code, to)),
        );
    }
}

/// Interpreters that are started with a line of code that decodes another.
fn lines(package: &Package, findings: &mut Findings) {
    const DECODES: &[&str] = &[
        "b64decode(",
        "atob(",
        "'base64'",
        "\"base64\"",
        "fromhex(",
        "decode_base64",
        "base64_decode",
        "zlib.decompress",
        "codecs.decode",
        "unpack(",
        "frombase64string",
        "'hex')",
    ];
    const RUNS: &[&str] = &["exec(", "eval(", "eval ", "function(", "iex", "invoke-expression", "compile("];
    for (code, fact) in package.facts(&[What::Exec, What::ExecDetached]) {
        let line = fact.detail.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| line.contains(word));
        let is_inline = has(&[" -c ", " -e ", " --eval ", " -r ", " -command ", " -p "]);
        // What is decoded stands there too: forty letters and more.
        let holds = line
            .split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '/' | '='))
            .any(|run| run.len() >= 40);
        if is_inline && holds && has(DECODES) && has(RUNS) && code.language != Some(Language::Shell) {
            let message =
                format!("starts an interpreter with code that it decodes first {}", when(code, fact));
            let grade = if early(code, fact) { (High, Sure) } else { (High, Likely) };
            findings.tell(code, fact, grade, &message);
        }
    }
}

/// Whether what a decoder gives is also where something is fetched from, and nobody can read where.
fn hides_address(code: &Code, from: &Fact) -> bool {
    code.facts
        .flowing()
        .any(|(source, sink, _)| source == from && sink.what == What::NetSend && sink.detail.starts_with('*'))
}

/// Whether a file is what a thread runs.
fn is_thread(code: &Code) -> bool {
    code.facts.imports.iter().any(|name| name.trim_start_matches("node:") == "worker_threads")
}

/// Whether a constant may hide something: tables that are written out for a parser are read by anybody.
fn is_sealed(fact: &Fact) -> bool {
    // `AGFzbQ` is how WebAssembly begins in base64: it reaches what it is handed, and its strings come back from it.
    fact.what == What::BigConstant
        && !fact.detail.starts_with(['{', '<'])
        && !fact.detail.starts_with("[{")
        && !fact.detail.starts_with("[\"")
        && !fact.detail.contains("AGFzbQ")
}

/// Whether a command line hands its text to a shell in the encoding that this shell asks for.
fn is_quoted(command: &str) -> bool {
    command.to_ascii_lowercase().contains("-encodedcommand")
}

/// Whether a program that is found while the code runs is told one of its own commands by name: `* serve --port 80`.
fn has_command(line: &str) -> bool {
    let mut words = line.split_whitespace();
    words.next() == Some("*")
        && words
            .next()
            .is_some_and(|word| word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_lowercase()))
}
