"""AWS's services of one's own, by moto: Secrets Manager, STS, IAM, Redshift's own API; and the metadata service of a machine."""

import http.client
import http.server
import json
import threading
import urllib.parse
import xml.etree.ElementTree

from lab import python
from lab.process import Server, free_port
from lab.s3 import signed


class Aws(Server):
    """Started by its construction. Signatures and grants are not verified until `verify()`. What is stored is gone after halt or kill."""

    name = "aws"

    def __init__(self, region="eu-west-1"):
        super().__init__()
        self.port, self.region = free_port(), region
        self.keys = ("test-key", "test-secret")
        self.start()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def _launch(self):
        return self._spawn([python.interpreter(), "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)])

    def _is_up(self):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/moto-api/data.json")
            return connection.getresponse().status == 200
        except OSError:
            return False

    def _post(self, service, body, headers):
        address = f"127.0.0.1:{self.port}"
        headers = signed("POST", address, "/", (), body, *self.keys, self.region, headers=headers, service=service)
        connection = http.client.HTTPConnection(address, timeout=60)
        connection.request("POST", "/", body, headers)
        answer = connection.getresponse()
        raw = answer.read()
        if answer.status != 200:
            raise ValueError(f"{answer.status} {raw.decode(errors='replace')}")
        return raw

    def secrets(self, action, **arguments):
        """A call of Secrets Manager; answers its result. ValueError when it is refused."""
        headers = {"x-amz-target": f"secretsmanager.{action}", "content-type": "application/x-amz-json-1.1"}
        return json.loads(self._post("secretsmanager", json.dumps(arguments).encode(), headers))

    def query(self, service, action, version, **arguments):
        """A call of IAM, STS or Redshift's own API; answers the tree of its XML. ValueError when it is refused."""
        body = urllib.parse.urlencode({"Action": action, "Version": version, **arguments}).encode()
        return xml.etree.ElementTree.fromstring(self._post(service, body, {"content-type": "application/x-www-form-urlencoded"}))

    def put_secret(self, name, value):
        """`value`: a text, or a dictionary that becomes JSON. Makes the secret or a new version of it."""
        text = value if isinstance(value, str) else json.dumps(value)
        try:
            self.secrets("CreateSecret", Name=name, SecretString=text)
        except ValueError:
            self.secrets("PutSecretValue", SecretId=name, SecretString=text)

    def make_cluster(self, name, **arguments):
        self.query("redshift", "CreateCluster", "2012-12-01", ClusterIdentifier=name, NodeType="ra3.large", MasterUsername="awsuser",
                   MasterUserPassword="Password1", **arguments)

    def verify(self, on=True):
        """From now on signatures and grants count, and keys must be of a user or role that exists."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("POST", "/moto-api/reset-auth", b"0" if on else b"inf")
        connection.getresponse().read()


class Service:
    """A service of a test's own, on loopback. A context manager."""

    def __init__(self):
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def _answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                status, text = owner.answer(self.command, self.path, body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_PUT = do_POST = _answer

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, method, path, body):
        """(status, text), on a thread of the request's own."""
        raise NotImplementedError

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._server.server_close()


class Metadata(Service):
    """A machine's metadata service that gives the keys of its role; `asked` counts."""

    def __init__(self, access_key="NODEKEY", secret_key="node-role-secret", token="node-role-token"):
        self.asked = 0
        self._keys = json.dumps({"Code": "Success", "AccessKeyId": access_key, "SecretAccessKey": secret_key, "Token": token,
                                 "Expiration": "2100-01-01T00:00:00Z"})
        super().__init__()

    def answer(self, method, path, body):
        self.asked += 1
        return 200, "session" if method == "PUT" else "node-role" if path.endswith("/security-credentials/") else self._keys
