"""Secrets in plain text: source code and configuration as developers leave them."""

import json

import keys
import tokens
from collect import token
from kit import Dice, b64


def one(items, name, issuer, shape, template, why, ecosystem=None):
    """An item with one secret, standing where the template says `@@`."""
    value = token(issuer, name)
    items.bad(name, issuer, shape, template.replace("@@", value), value, why, ecosystem)


def source_code(items):
    one(items, "client.js", "stripe", "source-javascript", """'use strict';
const Stripe = require('stripe');

const stripe = new Stripe('@@', { apiVersion: '2023-10-16' });

async function charge(customer, amount) {
  return stripe.paymentIntents.create({ customer, amount, currency: 'eur' });
}
module.exports = { charge };
""", "a live payment key passed to the client library")
    one(items, "notify.py", "slack-bot", "source-python", """import os
from slack_sdk import WebClient

# TODO: read this from the vault once it is up
client = WebClient(token="@@")


def notify(text, channel="#releases"):
    return client.chat_postMessage(channel=channel, text=text)
""", "a bot token written into the program")
    one(items, "main.go", "github-fine", "source-go", """package main

import (
	"context"
	"git.corp.example/lib/oauth2"
)

const ghToken = "@@"

func source() oauth2.TokenSource {
	return oauth2.StaticTokenSource(&oauth2.Token{AccessToken: ghToken})
}
""", "a fine-grained access token as a constant")
    one(items, "upload.rs", "digitalocean", "source-rust", """use std::collections::HashMap;

/// Uploads what the build made.
pub struct Uploader {
    headers: HashMap<&'static str, String>,
}

impl Uploader {
    pub fn new() -> Self {
        let mut headers = HashMap::new();
        headers.insert("Authorization", format!("Bearer {}", "@@"));
        Self { headers }
    }
}
""", "a cloud token inside a formatted header")
    one(items, "Mailer.java", "sendgrid", "source-java", """package example.mail;

import com.sendgrid.SendGrid;

public final class Mailer {
    private static final String API_KEY = "@@";
    private final SendGrid client = new SendGrid(API_KEY);

    public SendGrid client() { return client; }
}
""", "a mail key as a static constant")
    one(items, "deploy.rb", "heroku", "source-ruby", """require 'platform-api'

HEROKU = PlatformAPI.connect_oauth('@@')

def restart(app)
  HEROKU.dyno.restart_all(app)
end
""", "a platform key handed to the client")
    one(items, "Bot.cs", "discord-bot", "source-csharp", """using Discord;
using Discord.WebSocket;

public class Bot
{
    private readonly DiscordSocketClient client = new();

    public async Task Start()
    {
        await client.LoginAsync(TokenType.Bot, "@@");
        await client.StartAsync();
    }
}
""", "a bot token in the login call")
    one(items, "config.php", "shopify", "source-php", """<?php
return [
    'shop' => 'corp-outlet.myshopify.example',
    'access_token' => '@@',
    'scopes' => ['read_orders', 'write_products'],
];
""", "an admin token in an application's configuration array")
    one(items, "Push.swift", "gitlab", "source-swift", """import Foundation

struct Mirror {
    let remote = URL(string: "https://git.corp.example/api/v4")!
    let headers = ["PRIVATE-TOKEN": "@@"]
}
""", "an access token in request headers")
    one(items, "Sync.kt", "airtable", "source-kotlin", """package example.sync

object Tables {
    const val TOKEN = "@@"
    fun header() = "Authorization" to "Bearer $TOKEN"
}
""", "an access token as a constant")
    one(items, "model.ts", "openai", "source-typescript", """import OpenAI from 'openai';

export const openai = new OpenAI({
  apiKey: process.env.OPENAI_API_KEY ?? '@@',
});
""", "a fallback key behind the environment variable")
    one(items, "chat.c", "telegram", "source-c", """#include <curl/curl.h>

#define API_BASE "https://api.telegram.org/bot@@/"

int tg_send(const char *chat, const char *text) {
    return 0; /* see tg_post() */
}
""", "a bot token inside the address of the API")
    one(items, "train.ipynb.py", "huggingface", "source-python", """from huggingface_hub import login

login("@@")
MODEL = "corp/internal-classifier"
""", "a hub token in a login call")
    one(items, "agent.lua", "anthropic", "source-lua", """local http = require("resty.http")
local M = { key = "@@", model = "assistant" }
function M.headers() return { ["x-api-key"] = M.key } end
return M
""", "a model provider's key in a table")
    one(items, "release.sh", "rust-registry", "source-shell", """#!/usr/bin/env bash
set -euo pipefail
export CARGO_REGISTRY_TOKEN=@@
cargo publish --no-verify -p corp-core
""", "a publishing token exported by a release script")
    one(items, "Deploy.ps1", "azure-ad", "source-powershell", """$tenant = '7c1f5b0e-52d5-4e61-9c1e-1d5a0c1a9f10'
$clientSecret = '@@'
$body = @{ grant_type = 'client_credentials'; client_secret = $clientSecret; tenant = $tenant }
""", "an application secret of a directory tenant")


def settings(items):
    one(items, "production.env", "newrelic", "dotenv", """NODE_ENV=production
PORT=8080
NEW_RELIC_API_KEY=@@
LOG_LEVEL=warn
""", "a monitoring user key in an environment file")
    one(items, "vercel.env", "vercel", "dotenv", "VERCEL_ORG_ID=team_corp\nVERCEL_TOKEN=@@\n", "a deploy token recognised by its variable")
    one(items, "edge.env", "cloudflare", "dotenv", "CLOUDFLARE_ACCOUNT_ID=9a7b\nCLOUDFLARE_API_TOKEN=@@\n", "an API token recognised by its variable")
    one(items, "monitor.env", "datadog", "dotenv", "DD_SITE=datadoghq.example\nDD_API_KEY=@@\nDD_ENV=prod\n", "an agent key recognised by its variable")
    one(items, "voice.env", "twilio", "dotenv", "TWILIO_FROM=+15005550006\nTWILIO_AUTH_TOKEN=@@\n", "an authentication token recognised by its variable")
    one(items, "mail.json", "postmark", "json", '{\n  "from": "hello@corp.example",\n  "postmark": { "serverToken": "@@", "stream": "outbound" }\n}\n', "a server token recognised by its key")
    one(items, "compose.yaml", "grafana", "yaml", "services:\n  reporter:\n    image: corp/reporter:3\n    environment:\n      GRAFANA_URL: https://grafana.corp.example\n      GRAFANA_TOKEN: @@\n", "a service account token in a compose file")
    one(items, "values.yaml", "vault", "yaml", "replicaCount: 2\nvault:\n  address: https://vault.corp.example:8200\n  token: \"@@\"\n", "a vault token in chart values")
    one(items, "fly.toml", "fly", "toml", 'app = "corp-edge"\nprimary_region = "ams"\n\n[env]\n  FLY_API_TOKEN = "@@"\n', "a deploy token in the platform's file")
    one(items, "credentials.toml", "rust-registry", "cargo-credentials", '[registry]\ntoken = "@@"\n', "the credentials file of cargo")
    one(items, "dot.npmrc", "npm", "npmrc", "//registry.example/:_authToken=@@\nalways-auth=true\n", "a publishing token in the client's file", "npm")
    one(items, "dot.pypirc", "pypi", "pypirc", "[distutils]\nindex-servers = pypi\n\n[pypi]\nusername = __token__\npassword = @@\n", "an upload token in the client's file", "pypi")
    value = token("docker-hub", "config.json")
    items.bad("config.json", "docker-hub", "docker-config", json.dumps({"auths": {"https://index.docker.example/v1/": {
        "auth": b64("corpbot:" + value)}}}, indent=2), value, "a container registry login, base64 of user and token")
    d = Dice("kubeconfig")
    key = keys.pem("EC " "PRIVATE KEY", keys.ec_sec1(d))
    items.bad("kubeconfig", "private-key", "kubeconfig", (
        "apiVersion: v1\nkind: Config\nclusters:\n- name: prod\n  cluster:\n    server: https://10.4.0.1:6443\nusers:\n"
        "- name: admin\n  user:\n    client-certificate-data: %s\n    client-key-data: %s\n") % (b64(keys.certificate(d)), b64(key)),
        keys.body_line(key), "a cluster administrator's key, base64 of PEM")
    one(items, "settings.xml", "sonatype", "maven-settings", """<settings>
  <servers>
    <server>
      <id>central</id>
      <username>Qx81PzLd</username>
      <password>@@</password>
    </server>
  </servers>
</settings>
""", "an upload login of a Java repository")
    one(items, "dot.netrc", "password", "netrc", "machine git.corp.example\n  login deploy\n  password @@\n", "a login file for command line clients")
    one(items, "database.yml", "password", "yaml", "production:\n  adapter: postgresql\n  url: postgres://billing:@@@db.corp.example:5432/billing?sslmode=require\n", "a database address with its password")
    one(items, "application.properties", "password", "java-properties", "spring.datasource.url=jdbc:mysql://db.corp.example:3306/shop?user=shop&password=@@\nspring.jpa.show-sql=false\n", "a JDBC address with its password")
    one(items, "celery.py", "password", "source-python", 'BROKER_URL = "amqp://worker:@@@mq.corp.example:5672/jobs"\nRESULT_BACKEND = "rpc://"\n', "a message broker's address with its password")
    one(items, "mongo.js", "password", "source-javascript", "module.exports = { uri: 'mongodb+srv://app:@@@cluster0.corp.example/prod?retryWrites=true' };\n", "a document store's address with its password")
    one(items, "requirements.txt", "password", "requirements", "--extra-index-url https://ci:@@@wheels.corp.example/simple\nflask==3.0.2\ncorp-auth==1.8\n", "an index address with user and password", "pypi")
    one(items, "dot.gitconfig", "github", "gitconfig", '[user]\n\tname = Release Bot\n[url "https://x-access-token:@@@github.com/"]\n\tinsteadOf = https://github.com/\n', "a token in a rewritten address")
    one(items, "workflow.yml", "sonarqube", "ci-workflow", "on: push\njobs:\n  scan:\n    runs-on: ubuntu-latest\n    env:\n      SONAR_TOKEN: @@\n    steps:\n      - run: sonar-scanner\n", "a project token set in a workflow")
    one(items, "circle.yml", "circleci", "ci-workflow", '''version: 2.1
jobs:
  trigger:
    docker: [{image: cimg/base:stable}]
    steps:
      - run: curl -H 'Circle-Token: @@' https://ci.corp.example/api/v2/me
''', "an API token in a curl header")
    one(items, "terraform.rc", "terraform", "terraform-rc", 'credentials "app.terraform.io" {\n  token = "@@"\n}\n', "the client's credentials block")
    one(items, "gradle.properties", "artifactory", "java-properties", "org.gradle.jvmargs=-Xmx2g\nartifactoryUser=ci\nartifactoryApiKey=@@\n", "an artifact store's key in build properties")
    d = Dice("wp")
    value = token("password", "wp")
    items.bad("wp-config.php", "password", "source-php", '''<?php
define('DB_NAME', 'blog');
define('DB_USER', 'blog');
define('DB_PASSWORD', '%s');
define('DB_HOST', '10.2.0.8');
define('AUTH_KEY', '%s');
''' % (value, d.text("abcdefghjk#!%^&*()-_", 64)),
              value, "a database password of a blog")


def records(items):
    """Files that tools write by themselves and people ship by mistake."""
    one(items, "npm-debug.log", "npm", "log", """0 info it worked if it ends with ok
1 verbose cli [ '/usr/bin/node', '/usr/bin/npm', 'publish' ]
2 http request PUT https://registry.example/corp-ui
3 silly fetch headers { authorization: 'Bearer @@', 'npm-command': 'publish' }
4 http 403 https://registry.example/corp-ui
""", "a debug log that repeats the request header")
    one(items, "dot.bash_history", "replicate", "shell-history", "cd work\ngit status\nexport REPLICATE_API_TOKEN=@@\npython predict.py\nls -la\n", "a shell history with an exported token")
    identity, secret = tokens.aws_pair("tfstate")
    state = {"version": 4, "terraform_version": "1.7.4", "serial": 12, "resources": [{"mode": "managed", "type": "aws_iam_access_key", "name": "ci", "instances": [{"attributes": {"id": identity, "secret": secret, "status": "Active", "user": "ci"}}]}]}
    items.bad("terraform.tfstate", "aws", "terraform-state", json.dumps(state, indent=2), [secret], "a state file that holds an access key pair")
    value = token("postman", "collection")
    collection = {"info": {"name": "Billing", "schema": "v2.1.0"}, "item": [{"name": "list", "request": {"method": "GET", "url": "{{base}}/v1/list", "header": [{"key": "X-Api-Key", "value": value}]}}]}
    items.bad("billing.postman_collection.json", "postman", "postman-collection", json.dumps(collection, indent=1), value, "a saved request with its key")
    one(items, "session.har", "notion", "har", '{"log":{"version":"1.2","entries":[{"request":{"method":"POST","url":"https://api.corp.example/v1/search","headers":[{"name":"Authorization","value":"Bearer @@"}]}}]}}', "a recorded browser session")
    identity, secret = tokens.aws_pair("credentials")
    items.bad("aws-credentials", "aws", "ini", "[default]\naws_access_key_id = %s\naws_secret_access_key = %s\nregion = eu-west-1\n" % (identity, secret), [secret], "the credentials file of a cloud's client")
    one(items, "dump.sql", "stripe-restricted", "sql", "INSERT INTO settings (name, value) VALUES\n ('currency', 'EUR'),\n ('payments_key', '@@');\n", "a database dump with a payment key")
    one(items, "CHANGELOG.md", "linear", "markdown", "# Changes\n\n## 2.3.0\n\n- Try the importer: `LINEAR_API_KEY=@@ corp-import --team OPS`\n", "a working command pasted into the change log")
    one(items, "core.1", "planetscale", "man-page", ".TH CORE 1\n.SH EXAMPLES\n.nf\ncore connect --service-token-id q1 --service-token @@\n.fi\n", "a working command in a manual page")
    one(items, "vars.tf", "pulumi", "hcl", 'variable "stack" { default = "prod" }\n\nlocals {\n  backend_token = "@@"\n}\n', "a state backend's token in a local value")
    one(items, "inventory.ini", "password", "ini", "[web]\n10.0.0.4 ansible_user=root ansible_ssh_pass=@@\n10.0.0.5\n", "a root password in an inventory")
    one(items, "users.csv", "databricks", "csv", "workspace,owner,token\nadb-1,etl,@@\nadb-2,ml,\n", "an exported table with a token in a cell")


def private_keys(items):
    for name, label, shape, maker, why in (
            ("server.key", "RSA " "PRIVATE KEY", "pem", keys.rsa_pkcs1, "an unencrypted RSA key"),
            ("signing.pem", "EC " "PRIVATE KEY", "pem", keys.ec_sec1, "an unencrypted elliptic curve key"),
            ("token-signer.pk8", "PRIVATE " "KEY", "pem", keys.ed25519_pkcs8, "an unencrypted PKCS #8 key")):
        text = keys.pem(label, maker(Dice("key/" + name)))
        # A short key has one full line, which is then the part that must not be shown.
        value = text.splitlines()[1] if name == "token-signer.pk8" else keys.body_line(text)
        items.bad(name, "private-key", shape, text, value, why)
    text = keys.openssh(Dice("key/ssh"))
    items.bad("id_ed25519", "private-key", "openssh", text, text.splitlines()[3], "an unencrypted login key")
    text = keys.pgp(Dice("key/pgp"), True)
    items.bad("release.asc", "private-key", "pgp", text, text.splitlines()[3], "an unencrypted release signing key")
    value = token("age", "keys.txt")
    items.bad("keys.txt", "age", "age", "# created: 2024-03-01T12:00:00Z\n# public key: %s\n%s\n" % (keys.age_public(Dice("age")), value), value, "an age identity")
    account, value = tokens.service_account("sa")
    items.bad("service-account.json", "gcp", "json", json.dumps(account, indent=2), value, "a cloud service account with its key")
    value = token("supabase", "admin")
    items.bad("admin.ts", "supabase", "source-typescript", "import { createClient } from '@supabase/supabase-js';\nexport const admin = createClient('https://corp.supabase.example', '%s');\n" % value, value, "a service role token: it ignores row security")


def build(items):
    source_code(items)
    settings(items)
    records(items)
    private_keys(items)
