//! Clients and servers of MCP: those of the kits that people build them with, and a server that changes while it runs.

use std::path::{Path, PathBuf};

use tidegate_testkit::process::{Home, Program};
use tidegate_testkit::tools::{self, Tool};

use crate::clients_support::{Site, TIDEGATE};

/// A server built with the Python kit, which speaks every revision: over standard input, or over HTTP on the port that is given.
/// The text of one tool stands in a file.
pub(crate) const PYTHON_SERVER: &str = r#"
import os, sys
from mcp.server.mcpserver import MCPServer
mcp = MCPServer("demo", instructions="Adds numbers.")
@mcp.tool(description=open(os.environ["TOOL_TEXT"]).read())
def add(a: int, b: int) -> int:
    return a + b
@mcp.tool(description="Says a text again.")
def echo(text: str) -> str:
    return text
@mcp.tool(description="Fails.")
def fail() -> str:
    raise ValueError("it failed on purpose")
if len(sys.argv) > 1:
    mcp.run(transport="streamable-http", port=int(sys.argv[1]))
else:
    mcp.run()
"#;

/// A client built with the Python kit. It says what it sees, one line for each of its steps.
pub(crate) const PYTHON_CLIENT: &str = r#"
import asyncio, json, os, sys, time
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
def say(*words):
    print(*words, flush=True)
async def main():
    mode, steps, command = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3:]
    if command[0].startswith("http"):
        target = command[0]
    else:
        target = stdio_client(StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ)))
    async with Client(target, mode=mode) as client:
        say("speaks", client.protocol_version, "instructions", client.instructions)
        for step in steps:
            word, _, rest = step.partition(" ")
            if word == "list":
                tools = await client.list_tools()
                say("list", ",".join(f"{tool.name}({tool.description})" for tool in tools.tools))
            elif word == "call":
                name, _, arguments = rest.partition(" ")
                try:
                    result = await client.call_tool(name, json.loads(arguments or "{}"))
                    say("failed" if result.is_error else "called", name, result.content[0].text)
                except Exception as error:
                    say("error", name, getattr(error, "code", None), str(error))
            elif word == "touch":
                open(rest, "w").close()
            elif word == "until":
                while not os.path.exists(rest):
                    await asyncio.sleep(0.01)
try:
    asyncio.run(main())
except BaseException as error:
    while getattr(error, "exceptions", None):
        error = error.exceptions[0]
    say("refused", str(error))
"#;

/// A server built with the first JavaScript kit, over standard input.
pub(crate) const NODE_SERVER: &str = r#"
import { createRequire } from "node:module";
const require = createRequire(process.env.MCP_KITS + "/");
const { McpServer } = require("@modelcontextprotocol/sdk/server/mcp.js");
const { StdioServerTransport } = require("@modelcontextprotocol/sdk/server/stdio.js");
const { z } = require("zod");
const server = new McpServer({ name: "demo", version: "1.0.0" });
const text = (value) => ({ content: [{ type: "text", text: String(value) }] });
server.registerTool("add", { description: "Adds two numbers.", inputSchema: { a: z.number(), b: z.number() } }, async ({ a, b }) => text(a + b));
server.registerTool("echo", { description: "Says a text again.", inputSchema: { text: z.string() } }, async ({ text: said }) => text(said));
await server.connect(new StdioServerTransport());
"#;

/// A client built with either JavaScript kit: `first` is the one of the earlier revisions.
pub(crate) const NODE_CLIENT: &str = r#"
import { createRequire } from "node:module";
const require = createRequire(process.env.MCP_KITS + "/");
const [mode, steps, command, ...args] = process.argv.slice(2);
let client, transport;
const stdio = { command, args, env: process.env, stderr: "inherit" };
if (mode === "first") {
  const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
  const { StdioClientTransport } = require("@modelcontextprotocol/sdk/client/stdio.js");
  const { StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js");
  client = new Client({ name: "node-first", version: "1.0.0" });
  transport = command.startsWith("http") ? new StreamableHTTPClientTransport(new URL(command)) : new StdioClientTransport(stdio);
} else {
  const { Client, StreamableHTTPClientTransport } = require("@modelcontextprotocol/client");
  const { StdioClientTransport } = require("@modelcontextprotocol/client/stdio");
  client = new Client({ name: "node-second", version: "1.0.0" }, { versionNegotiation: { mode } });
  transport = command.startsWith("http") ? new StreamableHTTPClientTransport(new URL(command)) : new StdioClientTransport(stdio);
}
try {
  await client.connect(transport);
  console.log("speaks", client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion ?? "");
  for (const step of JSON.parse(steps)) {
    const [word, name, ...rest] = step.split(" ");
    if (word === "list") {
      const { tools } = await client.listTools();
      console.log("list", tools.map((tool) => `${tool.name}(${tool.description})`).join(","));
    } else if (word === "call") {
      try {
        const result = await client.callTool({ name, arguments: JSON.parse(rest.join(" ") || "{}") });
        console.log(result.isError ? "failed" : "called", name, result.content[0].text);
      } catch (error) {
        console.log("error", name, error.code, error.message);
      }
    }
  }
  await client.close();
} catch (error) {
  console.log("refused", error.message);
}
process.exit(0);
"#;

/// A server without a kit, of an earlier revision, that reads the text of its tool anew for every list.
pub(crate) const BARE_SERVER: &str = r#"
import json, os, sys
def send(value):
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()
sys.stderr.write("the bare server starts\n")
for line in sys.stdin:
    message = json.loads(line)
    method, id = message.get("method"), message.get("id")
    if id is None:
        continue
    if method == "initialize":
        result = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {"listChanged": True}}, "serverInfo": {"name": "bare", "version": "1"}}
    elif method == "tools/list":
        text = open(os.environ["TOOL_TEXT"]).read()
        result = {"tools": [{"name": "add", "description": text, "inputSchema": {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}}]}
    elif method == "tools/call":
        given = message["params"].get("arguments", {})
        if given.get("quit"):
            sys.exit(int(given["quit"]))
        result = {"content": [{"type": "text", "text": str(given.get("a", 0) + given.get("b", 0))}], "isError": False}
    else:
        result = {}
    send({"jsonrpc": "2.0", "id": id, "result": result})
"#;

/// A site with scripts on it.
pub(crate) struct Scripts {
    pub(crate) home: Home,
}

impl Scripts {
    pub(crate) fn new() -> Self {
        let home = Home::new();
        for (name, text) in [
            ("server.py", PYTHON_SERVER),
            ("client.py", PYTHON_CLIENT),
            ("server.mjs", NODE_SERVER),
            ("client.mjs", NODE_CLIENT),
            ("bare.py", BARE_SERVER),
            ("text", "Adds two numbers."),
        ] {
            std::fs::write(home.path().join(name), text).unwrap();
        }
        Self { home }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Gives the tool another text.
    pub(crate) fn text(&self, text: &str) {
        std::fs::write(self.path("text"), text).unwrap();
    }

    /// A client that takes these steps.
    pub(crate) fn client(&self, tool: &Tool, script: &str, mode: &str, steps: &[&str]) -> Program {
        let program = tool.called_by(&self.home).arg(self.path(script)).arg(mode);
        let program = program.arg(serde_json::to_string(steps).unwrap()).env("TOOL_TEXT", self.path("text"));
        match tools::mcp_kits() {
            Some(kits) => program.env("MCP_KITS", kits),
            None => program,
        }
    }
}

/// What a client starts in the server's place.
pub(crate) fn through(site: &Site, program: Program, name: &str, server: &[&Path]) -> Program {
    let program =
        program.arg(TIDEGATE).args(["mcp", "run", "--name", name, "--data"]).arg(&site.data).arg("--");
    program.args(server)
}

/// Lines of a client that begin with a word.
pub(crate) fn lines<'a>(output: &'a str, word: &str) -> Vec<&'a str> {
    output.lines().filter(|line| line.split(' ').next() == Some(word)).collect()
}
