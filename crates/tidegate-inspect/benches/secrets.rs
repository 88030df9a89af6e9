//! What looking for secrets costs: bytes a second over content as packages have it, made from a seed.
//!
//! `cargo bench -p tidegate-inspect --bench secrets`. One thread, so that a second is a second of CPU.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tidegate_inspect::secrets::{FingerprintKey, Rules};

/// Bytes of each kind of content.
const BYTES: usize = 4 << 20;

const KEY: FingerprintKey = FingerprintKey::new([7; 32]);

/// Draws numbers, the same each time (xorshift).
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[(self.next() % of.len() as u64) as usize]
    }

    fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length).map(|_| char::from(alphabet[(self.next() % alphabet.len() as u64) as usize])).collect()
    }
}

const NAMES: &[&str] = &[
    "options", "value", "index", "callback", "token", "parser", "password", "key", "result", "stream",
    "config", "error", "response", "secret", "apiKey", "buffer", "handler", "module", "state", "target",
    "https", "datadog", "client",
];

const LINES: &[&str] = &[
    "  if (!$.$) throw new TypeError(\"Expected $ to be a $\");\n",
    "  const $ = await this.$($, { $: true, $: false });\n",
    "  // The $ of a $ is kept until the $ is done.\n",
    "function $($, $) {\n  return $.map(($) => $.$);\n}\n",
    "exports.$ = exports.$ = void 0;\n",
    "  https://docs.test/$/$#$\n",
    "  this.$ = $ || process.env.$ || '';\n",
];

fn fill(draw: &mut Draw, mut line: impl FnMut(&mut Draw) -> String) -> String {
    let mut text = String::with_capacity(BYTES + 4096);
    while text.len() < BYTES {
        text += &line(draw);
    }
    text
}

fn source(draw: &mut Draw) -> String {
    fill(draw, |draw| {
        let line = draw.one(LINES);
        line.split_inclusive('$').map(|part| part.replace('$', draw.one(NAMES))).collect()
    })
}

fn minified(draw: &mut Draw) -> String {
    fill(draw, |draw| {
        let (a, b) =
            (draw.text(b"abcdefghijklmnopqrstuvwxyz", 1), draw.text(b"abcdefghijklmnopqrstuvwxyz", 2));
        let (n, m) = (draw.one(NAMES), draw.one(NAMES));
        format!("function {b}({a}){{return {a}.{n}&&\"{m}\"!==typeof {a}?{b}.{m}({a}):{{{n}:{a},{m}:!0}}}}")
    })
}

fn lock_file(draw: &mut Draw) -> String {
    let base64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    fill(draw, |draw| {
        let (name, sum) = (draw.one(NAMES), draw.text(base64, 86));
        format!(
            "    \"node_modules/{name}\": {{\n      \"version\": \"1.2.3\",\n      \"resolved\": \"https://registry.example/{name}/-/{name}-1.2.3.tgz\",\n      \"integrity\": \"sha512-{sum}==\"\n    }},\n"
        )
    })
}

fn machine_code(draw: &mut Draw) -> String {
    // Latin-1 letters stand for bytes; what matters is that most are no text.
    fill(draw, |draw| {
        let code = draw.text(b"\x00\x01\x0f\x48\x89\x7f\x10\x20\x41\x55\x03\xff\xe8\x83\xec", 200);
        format!("{code}\0{}\0", draw.one(NAMES))
    })
}

fn speed(c: &mut Criterion) {
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
    let contents = [
        ("source", source(&mut draw)),
        ("minified", minified(&mut draw)),
        ("lock file", lock_file(&mut draw)),
        ("machine code", machine_code(&mut draw)),
    ];
    let mut group = c.benchmark_group("secrets");
    group.sample_size(10);
    for (name, content) in &contents {
        group.throughput(Throughput::Bytes(content.len() as u64));
        group.bench_function(*name, |bench| {
            bench.iter(|| black_box(Rules::builtin().look(black_box(content.as_bytes()), &KEY)));
        });
    }
    group.finish();
}

criterion_group!(benches, speed);
criterion_main!(benches);
