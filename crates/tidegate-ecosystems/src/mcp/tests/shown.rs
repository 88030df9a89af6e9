use super::*;

fn listing() -> Value {
    let packages = json!([
        npm("@someone/weather", "1.0.3"),
        {
            "registry_type": "pypi", "registry_base_url": "https://files.example", "identifier": "weather",
            "version": "1.0.3", "runtime_hint": "uvx", "file_sha256": "cd".repeat(32), "transport": { "type": "stdio" },
            "environment_variables": [{ "name": "WEATHER_KEY", "description": "a key", "isSecret": true }],
            "_unknown": "https://past.example/a",
        },
        { "registryType": "mcpb", "identifier": "https://code.example/r/weather.mcpb", "fileSha256": "ab".repeat(32) },
        { "registryType": "oci", "identifier": "images.example/someone/weather:1.0.3" },
    ]);
    let remotes = json!([
        { "type": "streamable-http", "url": "https://weather.example/mcp", "headers": [{ "name": "X-Key", "isRequired": true }] },
        { "type": "sse", "url": "https://weather.example/sse" },
    ]);
    entry(NAME, "1.0.0", &packages, &remotes)
}

#[test]
fn every_way_leads_through_the_door() {
    let index = index(&[listing()]);
    let entry = shown(&*index, "mcp-version", Some("1.0.0"), &allowed(&*index));
    let packages = entry["server"]["packages"].as_array().unwrap();
    assert_eq!(packages[0]["registryBaseUrl"], "http://door.test/t/tok/npm/");
    assert_eq!(packages[1]["registryBaseUrl"], "http://door.test/t/tok/pypi/simple/");
    // Older spellings become those of today, and what clients need stays.
    assert_eq!(packages[1]["fileSha256"], "cd".repeat(32));
    assert_eq!(packages[1]["environmentVariables"][0]["name"], "WEATHER_KEY");
    assert_eq!(packages[1]["runtimeHint"], "uvx");
    let bundle = "http://door.test/t/tok/mcp/bundles/io.github.someone%2Fweather/1.0.0/2/weather.mcpb";
    assert_eq!(packages[2]["identifier"], bundle);
    assert_eq!(packages[2]["fileSha256"], "ab".repeat(32));
    assert_eq!(packages.len(), 3);
    assert!(entry["server"].get("remotes").is_none());
    let left_out = entry["_meta"]["tidegate/door"]["leftOut"].to_string();
    assert!(
        left_out.contains("images.example/someone/weather") && left_out.contains("runtime proxy"),
        "{left_out}"
    );
    let server = entry["server"].to_string();
    for past in [
        "registry.example",
        "files.example",
        "past.example",
        "cdn.example",
        "weather.example",
        "images.example",
        "/r/weather",
    ] {
        assert!(!server.contains(past), "{past}: {server}");
    }
    assert_eq!(server.matches("code.example").count(), 1, "where its source is, people may know: {server}");
}

#[test]
fn a_remote_leads_to_the_runtime_proxy_where_that_is_on() {
    let index = index(&[listing()]);
    let links = Links {
        runs: [("https://weather.example/mcp".parse().unwrap(), "weather".to_owned())].into(),
        ..links()
    };
    let listed = index.listed(&allowed(&*index)).remove(0);
    let entry = index.entry(&listed, &allowed(&*index), &links).unwrap();
    assert_eq!(
        entry["server"]["remotes"],
        json!([{
            "type": "streamable-http", "headers": [{ "name": "X-Key", "isRequired": true }],
            "url": "http://door.test/t/tok/mcp/run/weather",
        }])
    );
}

#[test]
fn a_package_that_could_lead_elsewhere_is_left_out() {
    let with = |key: &str, value: Value| {
        let mut package = npm("weather", "1.0.0");
        package[key] = value;
        package
    };
    let argument = |name: &str, value: &str| json!([{ "type": "named", "name": name, "value": value }]);
    let variable = |name: &str| json!([{ "name": name, "default": "x" }]);
    for bad in [
        with("identifier", "github:someone/weather".into()),
        with("identifier", "https://past.example/weather.tgz".into()),
        with("identifier", "../weather".into()),
        with("version", "latest".into()),
        with("version", "^1.0.0".into()),
        with("version", Value::Null),
        with("registryType", "nuget".into()),
        with("runtimeHint", "/usr/bin/curl".into()),
        with("runtimeHint", "sh -c".into()),
        with("runtimeArguments", argument("--registry", "x")),
        with("runtimeArguments", argument("registry", "x")),
        with("runtimeArguments", argument("--registry=https://past.example", "")),
        with("runtimeArguments", argument("--node-options", "--import=https://past.example/x.mjs")),
        with("runtimeArguments", json!([{ "type": "positional", "value": "git+ssh://past.example/x" }])),
        with("runtimeArguments", json!("--registry=x")),
        with("environmentVariables", variable("npm_config_registry")),
        with("environmentVariables", variable("NPM_CONFIG_REGISTRY")),
        with("environmentVariables", variable("UV_INDEX_URL")),
        with("environmentVariables", variable("NODE_OPTIONS")),
        with("environmentVariables", variable("HTTPS_PROXY")),
        with("transport", json!({ "type": "streamable-http", "url": "https://past.example/mcp" })),
        with("transport", json!({ "type": "sse", "url": "http://localhost@past.example/mcp" })),
        with("transport", json!({ "type": "sse", "url": "http://localhost.past.example/mcp" })),
    ] {
        let index = index(&[entry(NAME, "1.0.0", &json!([bad]), &json!([]))]);
        let entry = shown(&*index, "mcp-version", Some("latest"), &allowed(&*index));
        assert!(entry["server"].get("packages").is_none(), "{bad}");
        assert_eq!(entry["_meta"]["tidegate/door"]["leftOut"].as_array().unwrap().len(), 1, "{bad}");
        assert!(index.parts(0).is_empty());
    }
    for good in [
        with("runtimeArguments", argument("--yes", "")),
        with("packageArguments", argument("--api", "https://weather.example")),
        with("transport", json!({ "type": "streamable-http", "url": "http://localhost:{port}/mcp" })),
        with("environmentVariables", variable("WEATHER_URL")),
    ] {
        let index = index(&[entry(NAME, "1.0.0", &json!([good]), &json!([]))]);
        let entry = shown(&*index, "mcp-version", Some("latest"), &allowed(&*index));
        assert_eq!(entry["server"]["packages"].as_array().unwrap().len(), 1, "{good}");
    }
}

#[test]
fn what_is_withheld_is_not_shown_and_the_latest_is_the_newest_that_may_be_had() {
    let versions: Vec<Value> = ["1.0.0", "1.10.0", "1.9.0", "2.0.0-rc.1"]
        .map(|v| entry(NAME, v, &json!([npm("weather", v)]), &json!([])))
        .into();
    let index = index(&versions);
    let latest = |verdicts: &[Verdict]| {
        shown(&*index, "mcp-version", Some("latest"), verdicts)["server"]["version"].clone()
    };
    assert_eq!(latest(&allowed(&*index)), "1.10.0", "a pre-release is nobody's latest");
    let at = index.files().iter().position(|file| file.version.as_str() == "1.10.0").unwrap();
    let verdicts = without(&*index, &[at]);
    assert_eq!(latest(&verdicts), "1.9.0");
    let list = shown(&*index, "mcp-versions", None, &verdicts);
    let versions: Vec<&Value> =
        list["servers"].as_array().unwrap().iter().map(|one| &one["server"]["version"]).collect();
    assert_eq!(versions, ["2.0.0-rc.1", "1.9.0", "1.0.0"]);
    let is_latest =
        |one: &Value| one["_meta"]["io.modelcontextprotocol.registry/official"]["isLatest"] == true;
    assert_eq!(list["servers"].as_array().unwrap().iter().filter(|one| is_latest(one)).count(), 1);
    let gone = shown(&*index, "mcp-versions", Some("gone"), &verdicts);
    let entry =
        gone["servers"].as_array().unwrap().iter().find(|one| one["server"]["version"] == "1.10.0").unwrap();
    assert_eq!(entry["_meta"]["io.modelcontextprotocol.registry/official"]["status"], "deleted");
    assert_eq!(entry["_meta"]["tidegate/door"]["refused"], "tidegate blocked it");
    assert!(entry["server"].get("packages").is_none());
    let render = |selector: &str, verdicts: &[Verdict]| {
        let view = View { form: "mcp-version", selector: Some(selector.to_owned()) };
        index.render(&view, verdicts, &links()).unwrap()
    };
    assert_eq!(render("1.10.0", &verdicts), Rendered::Withheld(at));
    let all: Vec<usize> = (0..index.files().len()).collect();
    assert!(matches!(render("latest", &without(&*index, &all)), Rendered::Withheld(_)));
    assert!(matches!(render("3.0.0", &verdicts), Rendered::Absent(_)));
}

#[test]
fn a_bundle_that_is_withheld_takes_its_version_with_it() {
    let index = index(&[listing()]);
    let bundle = index.files().iter().position(|file| file.file.as_str().ends_with(".mcpb")).unwrap();
    let view = View { form: "mcp-version", selector: Some("1.0.0".to_owned()) };
    let rendered = index.render(&view, &without(&*index, &[bundle]), &links()).unwrap();
    assert_eq!(rendered, Rendered::Withheld(bundle));
}

#[test]
fn what_upstream_deleted_is_absent() {
    let mut deleted = listing();
    deleted["_meta"]["io.modelcontextprotocol.registry/official"]["status"] = "deleted".into();
    let index = index(&[deleted]);
    for (form, selector) in
        [("mcp-versions", None), ("mcp-version", Some("latest")), ("mcp-version", Some("1.0.0"))]
    {
        let view = View { form, selector: selector.map(str::to_owned) };
        let rendered = index.render(&view, &allowed(&*index), &links()).unwrap();
        assert!(matches!(rendered, Rendered::Absent(_)), "{form}: {rendered:?}");
    }
    assert!(index.files()[0].yanked.is_some());
    let gone = shown(&*index, "mcp-versions", Some("gone"), &allowed(&*index));
    assert_eq!(gone["servers"][0]["server"], json!({ "name": NAME, "description": "", "version": "1.0.0" }));
}
