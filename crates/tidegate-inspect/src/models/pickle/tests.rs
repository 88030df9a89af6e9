use super::globals::{ALLOW, AllowFile, DENY, DenyFile, Standing, Table, Tool};
use super::{may_be, read};
use crate::models::remark::{Told, Unlisted, What};

fn told(bytes: &[u8]) -> Told {
    let mut told = Told::default();
    read(bytes, &mut told);
    told
}

fn whats(bytes: &[u8]) -> Vec<What> {
    told(bytes).remarks.into_iter().map(|remark| remark.what).collect()
}

fn standing(name: &str) -> Standing {
    let (module, name) = name.rsplit_once('.').unwrap();
    Table::builtin().standing(module, name)
}

#[test]
fn the_table_judges_its_own_examples() {
    let deny: DenyFile = toml::from_str(DENY).unwrap();
    for group in deny.deny {
        for name in &group.found {
            match standing(name) {
                Standing::Denied(does) => assert_eq!(does, group.does, "{name}"),
                other => panic!("{name} is {other:?}, not {}", group.does),
            }
        }
        assert!(!group.found.is_empty() && !group.clean.is_empty(), "{}", group.does);
        for name in &group.clean {
            assert!(!matches!(standing(name), Standing::Denied(_)) || name == "os.path.join", "{name}");
        }
    }
    let allow: AllowFile = toml::from_str(ALLOW).unwrap();
    for group in allow.allow {
        for name in &group.found {
            let standing = standing(name);
            assert!(
                matches!(standing, Standing::Safe | Standing::Tool(Tool::Makes | Tool::Dtype)),
                "{name} of {} is {standing:?}",
                group.of
            );
        }
        for name in &group.clean {
            assert!(!matches!(standing(name), Standing::Safe), "{name}");
        }
    }
}

#[test]
fn names_that_walk_are_followed() {
    let table = Table::builtin();
    for (module, name) in [
        ("torch.serialization", "os.system"),
        ("numpy.f2py", "os.system"),
        ("collections", "_sys.modules"),
        ("torch.nn.modules", "os"),
        ("sklearn.base", "__builtins__"),
        ("collections", "OrderedDict.__init__.__globals__"),
        ("torch", "serialization.os"),
    ] {
        assert!(matches!(table.standing(module, name), Standing::Denied(_)), "{module} {name}");
    }
    assert_eq!(table.standing("torch.nn.modules.linear", "Linear"), Standing::Safe);
    assert_eq!(table.standing("acme.models", "Net"), Standing::Unknown);
    assert_eq!(table.standing("__main__", "Net"), Standing::Own);
    assert_eq!(table.standing("__main__", "os.system"), Standing::Denied("starts programs"));
}

/// Harm in every way that a pickle has to call something.
#[test]
fn every_way_to_call_is_told() {
    let cases: &[(&str, &[u8])] = &[
        ("global and reduce", b"cposix\nsystem\n(S'echo x.invalid'\ntR."),
        ("inst", b"(S'echo x.invalid'\nios\nsystem\n."),
        ("obj", b"(cos\nsystem\nS'echo x.invalid'\no."),
        ("protocol 2", b"\x80\x02cos\nsystem\nq\x00X\x0e\x00\x00\x00echo x.invalidq\x01\x85q\x02Rq\x03."),
        ("stack global", b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x0eecho x.invalid\x85R."),
        ("newobj", b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x0eecho x.invalid\x85\x81."),
        ("newobj_ex", b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x0eecho x.invalid\x85}\x92."),
        ("memo", b"\x80\x04\x8c\x02os\x94\x8c\x06system\x9400h\x00h\x01\x93\x8c\x0eecho x.invalid\x85R."),
        ("broken behind", b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x0eecho x.invalid\x85R\xff\xff\xff"),
        ("in a row", b"\x80\x02N.\x80\x02cos\nsystem\nX\x0e\x00\x00\x00echo x.invalid\x85R."),
        (
            "junk between",
            b"\x80\x02]q\x00.\x00\x01\x02junk\x80\x02cos\nsystem\nX\x0e\x00\x00\x00echo x.invalid\x85R.",
        ),
    ];
    for (way, bytes) in cases {
        let told = told(bytes);
        let found = told.remarks.iter().any(|remark| {
            matches!(&remark.what, What::PickleDenied { does: "starts programs", called: true, .. })
                && remark.evidence.as_deref() == Some("echo x.invalid")
        });
        assert!(found, "{way}: {told:?}");
        assert!(may_be(bytes), "{way}");
    }
}

#[test]
fn ways_around_a_name_are_told() {
    let cases: &[(&str, &[u8])] = &[
        ("getattr of a module", b"cbuiltins\ngetattr\n(ctorch.serialization\nos\nS'system'\ntR."),
        ("getattr of an object", b"cbuiltins\ngetattr\n(cfoo\nbar\nS'__globals__'\ntR."),
        ("attrgetter", b"coperator\nattrgetter\n(S'system'\ntR(cfoo\nbar\ntR."),
        ("partial", b"cfunctools\npartial\n(cos\nsystem\nS'x'\ntR)R."),
        ("import", b"cimportlib\nimport_module\n(S'os'\ntR."),
        ("runstring", b"cnumpy.testing._private.utils\nrunstring\n(S'x'\n}tR."),
        ("parts", b"coperator\nadd\n(S'o'\nS's'\ntRp0\n0g0\nS'system'\n\x93(S'x'\ntR."),
        ("escapes", b"\x80\x04V\\u006f\\u0073\nS'sys\\x74em'\n\x93(S'x'\ntR."),
    ];
    for (way, bytes) in cases {
        let found = whats(bytes);
        let is_told =
            found.iter().any(|what| matches!(what, What::PickleDenied { .. } | What::PickleHides(_, true)));
        assert!(is_told, "{way}: {found:?}");
    }
    let parts = whats(cases[6].1);
    assert!(
        parts.iter().any(|what| matches!(what, What::PickleDenied { name, .. } if name == "os.system")),
        "{parts:?}"
    );
    let extension = whats(b"\x80\x02\x82\x01)R.");
    assert!(matches!(extension[..], [What::PickleHides(_, false)]), "{extension:?}");
}

#[test]
fn unknown_is_neither_safe_nor_denied() {
    let called = whats(b"\x80\x02cacme.net\nNet\n)\x81}b.");
    assert_eq!(
        called,
        [What::PickleUnknown { name: "acme.net.Net".into(), called: true, unlisted: Unlisted::Unknown }]
    );
    let named = whats(b"\x80\x02csklearn.metrics\naccuracy_score\n.");
    assert_eq!(
        named,
        [What::PickleUnknown {
            name: "sklearn.metrics.accuracy_score".into(),
            called: false,
            unlisted: Unlisted::Part
        }]
    );
    assert_eq!(whats(b"\x80\x04\x8c\x0bcollections\x8c\x0bOrderedDict\x93)R."), []);
    assert_eq!(whats(b"\x80\x04\x8c\x02os\x8c\x06system\x86."), [], "two words are no call");
}

#[test]
fn bytes_that_are_no_pickle_are_nothing() {
    for bytes in [
        &b""[..],
        b"class A:\n  pass\n",
        b"import os\nos.system('x')\n",
        b"(hello)\n",
        b"]]]]",
        b"cos\nsystem and more\n.",
        b"\x80\x04",
    ] {
        let mut told = Told::default();
        assert!(!read(bytes, &mut told).is_pickle, "{bytes:?}");
        assert_eq!(told.remarks, []);
    }
}

#[test]
fn arrays_of_joblib_are_passed_over() {
    let mut bytes = b"\x80\x04\x8c\x13joblib.numpy_pickle\x8c\x11NumpyArrayWrapper\x93)\x81}(".to_vec();
    bytes.extend(
        b"\x8c\x05shapeK\x03K\x02\x86\x8c\x05dtype\x8c\x05numpy\x8c\x05dtype\x93\x8c\x02f8\x89\x88\x87R",
    );
    bytes.extend(b"\x8c\x1bnumpy_array_alignment_bytesK\x10ub");
    bytes.extend([3, 0xff, 0xff, 0xff]);
    bytes.extend([b'.'; 48]);
    let whole = [&bytes[..], b"\x8c\x02os\x8c\x06system\x93\x8c\x01x\x85R0."].concat();
    let mut told = Told::default();
    let read = read(&whole, &mut told);
    assert_eq!((read.is_pickle, read.end), (true, whole.len()));
    assert!(
        matches!(&told.remarks[0].what, What::PickleDenied { name, called: true, .. } if name == "os.system")
    );
}

#[test]
fn memory_is_bounded_and_long_lists_are_followed() {
    // A tuple of more items than are kept, then a call.
    let mut bytes = b"\x80\x04(".to_vec();
    bytes.extend(b"K\x01".repeat(300_000));
    bytes.extend(b"t0\x8c\x02os\x8c\x06system\x93\x8c\x01x\x85R.");
    assert!(matches!(whats(&bytes)[..], [What::PickleDenied { called: true, .. }]));
    // Marks within marks end with a gap.
    let deep = [b"\x80\x04cos\nsystem\n".to_vec(), b"(".repeat(1_000_000)].concat();
    let told = told(&deep);
    assert_eq!(told.gaps.len(), 1);
    assert_eq!(told.remarks.len(), 1);
    // A memo with a hole of four thousand million.
    let far = b"\x80\x04]r\xff\xff\xff\xff\x8c\x02os\x8c\x06system\x93\x8c\x01x\x85R.";
    assert!(matches!(whats(far)[..], [What::PickleDenied { called: true, .. }]));
}
