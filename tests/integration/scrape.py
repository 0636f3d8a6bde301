"""A running process asked for its metrics, its health and its status."""

import base64
import http.client
import json
import re
import ssl

SAMPLE = re.compile(r'^(\w+)\{([^}]*)\} (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Scrape:
    """`log`: answers the log, which names the address. `token`, `authority` (of the certificate): where they are needed."""

    def __init__(self, log, token=None, authority=None):
        self.log, self.token, self.authority = log, token, authority

    @property
    def url(self):
        found = re.search(r"metrics, health and status at (https?)://([\d.]+):(\d+)", self.log())
        return found and (found[1], found[2], int(found[3]))

    def get(self, path, headers=None, method="GET", timeout=30, token=True):
        """Status, headers, text."""
        scheme, host, port = self.url
        if scheme == "https":
            connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=ssl.create_default_context(cafile=self.authority))
        else:
            connection = http.client.HTTPConnection(host, port, timeout=timeout)
        headers = dict(headers or {})
        if self.token and token:
            headers.setdefault("Authorization", "Bearer " + self.token)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode("utf-8")
        finally:
            connection.close()

    def basic(self, password):
        return {"Authorization": "Basic " + base64.b64encode(b"anyone:" + password.encode()).decode()}

    def page(self):
        status, _, text = self.get("/metrics")
        assert status == 200, (status, text)
        return text

    def samples(self):
        """(name, labels beside pipeline as a tuple of pairs, sorted): value."""
        found = {}
        for line in self.page().splitlines():
            if line.startswith("#"):
                continue
            name, labels, value = SAMPLE.match(line).groups()
            key = name, tuple(sorted((key, text) for key, text in LABEL.findall(labels) if key != "pipeline"))
            assert key not in found, line
            found[key] = float(value)
        return found

    def value(self, name, **labels):
        """None: no such line."""
        return self.samples().get((name, tuple(sorted(labels.items()))))

    def total(self, name, **labels):
        """The sum of all lines that have these labels."""
        return sum(value for (each, pairs), value in self.samples().items() if each == name and set(labels.items()) <= set(pairs))

    def status(self, query=""):
        status, headers, text = self.get("/status" + query)
        assert status == 200 and headers["Content-Type"] == "application/json", (status, text)
        return json.loads(text)

    def ready(self):
        """True, or the reasons as {component: reason}."""
        status, _, text = self.get("/readyz")
        answer = json.loads(text)
        assert answer["ready"] == (status == 200), (status, text)
        return True if answer["ready"] else {each["component"]: each["reason"] for each in answer["reasons"]}
