"""AWS's services of one's own, by moto: Secrets Manager."""

import http.client
import json

from lab import python
from lab.process import Server, free_port
from lab.s3 import signed


class Aws(Server):
    """Started by its construction. Signatures are not verified. What is stored is gone after halt or kill."""

    name = "aws"

    def __init__(self, region="eu-west-1"):
        super().__init__()
        self.port, self.region = free_port(), region
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

    def secrets(self, action, **arguments):
        """A call of Secrets Manager; answers its result. ValueError when it is refused."""
        body = json.dumps(arguments).encode()
        address = f"127.0.0.1:{self.port}"
        headers = {"x-amz-target": f"secretsmanager.{action}", "content-type": "application/x-amz-json-1.1"}
        headers = signed("POST", address, "/", (), body, "test-key", "test-secret", self.region, headers=headers, service="secretsmanager")
        connection = http.client.HTTPConnection(address, timeout=60)
        connection.request("POST", "/", body, headers)
        answer = connection.getresponse()
        value = json.loads(answer.read())
        if answer.status != 200:
            raise ValueError(f"{answer.status} {value}")
        return value

    def put_secret(self, name, value):
        """`value`: a text, or a dictionary that becomes JSON. Makes the secret or a new version of it."""
        text = value if isinstance(value, str) else json.dumps(value)
        try:
            self.secrets("CreateSecret", Name=name, SecretString=text)
        except ValueError:
            self.secrets("PutSecretValue", SecretId=name, SecretString=text)
