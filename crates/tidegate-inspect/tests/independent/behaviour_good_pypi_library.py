"""Benign Python libraries that talk to services: clients, credentials, reports."""

from packages import Writer


def clients(w):
    w.wheel("cloud-core", "1.34.0", "credential-provider", "finds credentials, signs requests to the cloud's own address", r'''
import configparser
import datetime
import hashlib
import hmac
import os
import urllib.request


def shared_credentials(profile=None):
    path = os.path.expanduser(os.environ.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"))
    parser = configparser.ConfigParser()
    parser.read(path)
    section = parser[profile or os.environ.get("AWS_PROFILE", "default")]
    return section["aws_access_key_id"], section["aws_secret_access_key"]


def sign(key, date, region, service):
    k = ("AWS4" + key).encode()
    for part in (date, region, service, "aws4_request"):
        k = hmac.new(k, part.encode(), hashlib.sha256).digest()
    return k


def call(service, region, action, body=b""):
    access, secret = shared_credentials()
    date = datetime.datetime.utcnow().strftime("%Y%m%d")
    signature = hmac.new(sign(secret, date, region, service), body, hashlib.sha256).hexdigest()
    req = urllib.request.Request("https://%s.%s.amazonaws.com/?Action=%s" % (service, region, action), data=body)
    req.add_header("Authorization", "AWS4-HMAC-SHA256 Credential=%s/%s, Signature=%s" % (access, date, signature))
    return urllib.request.urlopen(req)
''')
    w.wheel("metadata-fetch", "0.10.2", "imds-client", "asks the machine's metadata service and returns the answer", '''import urllib.request

BASE = 'http://169.254.169.254/'


class InstanceMetadataFetcher:
    def __init__(self, timeout=1):
        self.timeout = timeout

    def _open(self, path, method='GET', headers=None):
        return urllib.request.urlopen(urllib.request.Request(BASE + path, method=method, headers=headers or {}), timeout=self.timeout).read().decode()

    def retrieve_iam_role_credentials(self):
        token = self._open('latest/api/token', 'PUT', {'x-aws-ec2-metadata-token-ttl-seconds': '21600'})
        headers = {'x-aws-ec2-metadata-token': token}
        role = self._open('latest/meta-data/iam/security-credentials/', headers=headers)
        return self._open('latest/meta-data/iam/security-credentials/' + role, headers=headers)
''')
    w.wheel("http-sessions", "2.31.0", "http-client", "an HTTP library that reads proxies and login files", '''import netrc
import os
import socket
import ssl
from base64 import b64encode
from http.client import HTTPSConnection
from urllib.parse import urlparse


def get_netrc_auth(url):
    for f in (os.environ.get('NETRC'), '~/.netrc', '~/_netrc'):
        if f and os.path.exists(os.path.expanduser(f)):
            found = netrc.netrc(os.path.expanduser(f)).authenticators(urlparse(url).hostname)
            return found and (found[0], found[2])


class Session:
    def __init__(self):
        self.headers, self.trust_env = {}, True

    def post(self, url, data=None, auth=None):
        auth = auth or (get_netrc_auth(url) if self.trust_env else None)
        if auth:
            self.headers['Authorization'] = 'Basic ' + b64encode(':'.join(auth).encode()).decode()
        u = urlparse(url)
        c = HTTPSConnection(u.netloc, context=ssl.create_default_context())
        c.request('POST', u.path, data, self.headers)
        return c.getresponse()


def local_name():
    return socket.gethostname()
''')
    w.wheel("tele-bot-api", "20.8.0", "api-client", "a chat service's client whose token is given by the caller", '''import httpx


class Bot:
    def __init__(self, token, base_url='https://api.telegram.org/bot'):
        if not token:
            raise ValueError('You must pass the token you received from the bot father!')
        self._base = base_url + token

    async def _post(self, endpoint, data=None, files=None):
        async with httpx.AsyncClient() as client:
            return (await client.post(self._base + '/' + endpoint, data=data, files=files)).json()

    async def send_message(self, chat_id, text):
        return await self._post('sendMessage', {'chat_id': chat_id, 'text': text})

    async def send_document(self, chat_id, document):
        return await self._post('sendDocument', {'chat_id': chat_id}, {'document': document})
''')
    w.wheel("discord-hooks", "1.3.0", "api-client", "posts to the webhook that the caller names", '''import requests


class DiscordWebhook:
    def __init__(self, url, content=None, username=None):
        self.url, self.content, self.username, self.files = url, content, username, {}

    def add_file(self, file, filename):
        self.files[filename] = (filename, file)

    def execute(self):
        return requests.post(self.url, json={'content': self.content, 'username': self.username}, files=self.files or None, params={'wait': True}, timeout=10)

    # example: DiscordWebhook('https://discord.com/api/webhooks/<id>/<token>', content='hi').execute()
''')
    w.wheel("error-watch", "1.40.0", "configured-logger", "sends errors to the project address that the application sets", '''import json
import os
import platform
import socket
import sys
import threading
import urllib.request

_dsn = None


def init(dsn=None, server_name=None, send_default_pii=False):
    global _dsn
    _dsn = dsn or os.environ.get('ERRORWATCH_DSN')
    sys.excepthook = _hook


def _hook(kind, value, tb):
    if _dsn:
        event = {'type': kind.__name__, 'value': str(value), 'server_name': socket.gethostname(), 'contexts': {'os': platform.platform(), 'runtime': sys.version}}
        threading.Thread(target=urllib.request.urlopen, args=(urllib.request.Request(_dsn, json.dumps(event).encode()),)).start()
    sys.__excepthook__(kind, value, tb)
''')
    w.wheel("model-hub", "0.20.3", "api-client", "downloads models of a hub, with the user's token, and compares etags", '''import hashlib
import os
import requests

ENDPOINT = os.environ.get('HF_ENDPOINT', 'https://huggingface.co')


def get_token():
    if os.environ.get('HF_TOKEN'):
        return os.environ['HF_TOKEN']
    path = os.path.expanduser('~/.cache/huggingface/token')
    return open(path).read().strip() if os.path.exists(path) else None


def download(repo, filename, revision='main', token=None):
    headers = {'authorization': 'Bearer ' + t} if (t := token or get_token()) else {}
    r = requests.get(f'{ENDPOINT}/{repo}/resolve/{revision}/{filename}', headers=headers, stream=True)
    r.raise_for_status()
    digest, path = hashlib.sha256(), os.path.join(os.path.expanduser('~/.cache/huggingface/hub'), filename)
    with open(path, 'wb') as f:
        for chunk in r.iter_content(1 << 20):
            digest.update(chunk)
            f.write(chunk)
    if digest.hexdigest() != r.headers['x-linked-etag'].strip('"'):
        raise OSError('consistency check failed')
    return path
''')
    w.wheel("upload-helper", "5.0.0", "publisher", "uploads the user's distributions with the login in the user's file", '''import configparser
import getpass
import os

import requests


def get_repository(name='pypi', path='~/.pypirc'):
    parser = configparser.RawConfigParser()
    parser.read(os.path.expanduser(path))
    section = dict(parser[name]) if name in parser else {}
    section.setdefault('username', os.environ.get('TWINE_USERNAME') or '__token__')
    section.setdefault('password', os.environ.get('TWINE_PASSWORD') or getpass.getpass('API token: '))
    return section


def upload(file, repository):
    with open(file, 'rb') as f:
        return requests.post(repository['repository'], files={'content': f}, auth=(repository['username'], repository['password']))
''')
    w.wheel("ssh-pure", "3.4.0", "ssh-client", "looks for login keys as every client does", '''import os
import socket


class SSHClient:
    def connect(self, hostname, port=22, username=None, key_filename=None, look_for_keys=True):
        self.sock = socket.create_connection((hostname, port))
        keys = [key_filename] if key_filename else []
        if look_for_keys:
            for name in ('rsa', 'ecdsa', 'ed25519'):
                path = os.path.expanduser('~/.ssh/id_%s' % name)
                if os.path.isfile(path):
                    keys.append(path)
        for path in keys:
            with open(path) as f:
                self._auth_publickey(username, f.read())

    def _auth_publickey(self, username, key):
        return self.transport.sign(username, key)

    def exec_command(self, command):
        self.sock.sendall(command.encode())
''')
    w.wheel("keyring-py", "24.3.0", "keyring", "stores passwords in the system's keyring", '''import subprocess
import sys


def get_password(service, username):
    if sys.platform == 'darwin':
        return subprocess.check_output(['security', 'find-generic-password', '-s', service, '-a', username, '-w']).decode().strip()
    import secretstorage
    c = secretstorage.get_default_collection(secretstorage.dbus_init())
    for item in c.search_items({'service': service, 'username': username}):
        return item.get_secret().decode()


def set_password(service, username, password):
    import win32ctypes.pywin32.win32cred as cred
    cred.CredWrite({'TargetName': service, 'UserName': username, 'CredentialBlob': password})
''')
    w.wheel("dotenv-py", "1.0.1", "env-read", "loads a settings file into the environment", r'''import os
import re

LINE = re.compile(r'^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$', re.M)


def find_dotenv(name='.env', start=None):
    folder = os.path.abspath(start or os.getcwd())
    while True:
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            return path
        parent = os.path.dirname(folder)
        if parent == folder:
            return ''
        folder = parent


def load_dotenv(path=None, override=False):
    with open(path or find_dotenv(), encoding='utf-8') as f:
        for key, value in LINE.findall(f.read()):
            if override or key not in os.environ:
                os.environ[key] = value.strip('"\'')
    return True
''')
    w.wheel("usage-counter", "0.4.0", "telemetry", "counts runs after the user agreed", '''import json
import os
import platform
import urllib.request
import uuid

CONFIG = os.path.expanduser('~/.config/usage-counter.json')


def enabled():
    if os.environ.get('DO_NOT_TRACK') == '1' or os.environ.get('CI'):
        return False
    try:
        with open(CONFIG) as f:
            return json.load(f).get('consent') is True
    except OSError:
        return False


def record(command, version):
    if not enabled():
        return
    body = {'event': command, 'version': version, 'os': platform.system(), 'id': str(uuid.uuid4())}
    try:
        urllib.request.urlopen('https://stats.usage-counter.example/v1', json.dumps(body).encode(), timeout=1)
    except OSError:
        pass
''')


def build(items):
    clients(Writer(items, "good"))
