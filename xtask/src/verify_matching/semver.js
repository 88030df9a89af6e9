// The algorithm of the OSV schema over npm's own `semver` package, written without a look at the product's matcher.
//
// Reads {"ecosystem", "records": [...], "pairs": [[name, version], ...]} from standard input, writes for each pair either null
// (the version is none) or {"found": [[id, ...], ...], "unclear": [id, ...]}.
"use strict";
const semver = require("semver");
const given = JSON.parse(require("fs").readFileSync(0, "utf8"));

// Feeds shorten versions (`1`, `1.2`) and Go's carry a `v`; npm's parser wants three numbers.
function parse(text) {
  let plain = text.trim().replace(/^[=v]+/, "");
  const short = /^(\d+)(\.\d+)?([-+].*)?$/.exec(plain);
  if (short) plain = short[1] + (short[2] || ".0") + ".0" + (short[3] || "");
  return semver.parse(plain, { loose: true });
}

class Unclear extends Error {}

function boundary(text) {
  const version = parse(text);
  if (!version) throw new Unclear(text);
  return version;
}

function inRange(events, version) {
  const timeline = events.map((event) => {
    const [kind, at] = Object.entries(event)[0];
    const beginning = kind === "introduced" && at === "0";
    return { kind, beginning, at: beginning ? null : boundary(at) };
  });
  timeline.sort((a, b) => {
    if (a.beginning || b.beginning) return Number(b.beginning) - Number(a.beginning);
    return semver.compare(a.at, b.at);
  });
  let vulnerable = false;
  for (const { kind, beginning, at } of timeline) {
    if (kind === "introduced") {
      if (beginning || semver.gte(version, at)) vulnerable = true;
    } else if (kind === "fixed") {
      if (semver.gte(version, at)) vulnerable = false;
    } else if (kind === "last_affected") {
      if (semver.gt(version, at)) vulnerable = false;
    } else {
      throw new Unclear(kind);
    }
  }
  return vulnerable;
}

function says(record, name, text, version) {
  let unclear = false;
  for (const entry of record.affected) {
    if (!entry.package || entry.package.ecosystem !== given.ecosystem || entry.package.name !== name) continue;
    for (const listed of entry.versions || []) {
      const parsed = parse(listed);
      if (listed === text || (parsed && semver.compare(parsed, version) === 0)) return true;
    }
    for (const range of entry.ranges || []) {
      if (range.type === "GIT") continue;
      try {
        if (inRange(range.events, version)) return true;
      } catch (error) {
        if (!(error instanceof Unclear)) throw error;
        unclear = true;
      }
    }
  }
  return unclear ? null : false;
}

function matters(records) {
  let groups = [];
  for (const record of records) {
    const group = { ids: new Set([record.id, ...(record.aliases || [])]), members: [record] };
    const apart = [];
    for (const other of groups) {
      if ([...other.ids].some((id) => group.ids.has(id))) {
        other.ids.forEach((id) => group.ids.add(id));
        group.members.push(...other.members);
      } else {
        apart.push(other);
      }
    }
    groups = [...apart, group];
  }
  return groups;
}

const byName = new Map();
for (const record of given.records) {
  if (record.withdrawn) continue;
  const entries = record.affected.filter((e) => e.package && e.package.ecosystem === given.ecosystem);
  for (const name of new Set(entries.map((e) => e.package.name))) {
    if (!byName.has(name)) byName.set(name, []);
    byName.get(name).push(record);
  }
}

const answers = given.pairs.map(([name, text]) => {
  const version = parse(text);
  if (!version) return null;
  const found = [];
  const unclear = [];
  for (const { ids, members } of matters(byName.get(name) || [])) {
    const said = members.map((record) => says(record, name, text, version));
    if (said.includes(null)) unclear.push(...ids);
    else if (said.includes(true)) found.push([...ids].sort());
  }
  return { found: found.sort(), unclear: unclear.sort() };
});
process.stdout.write(JSON.stringify(answers));
