"""An S3 server of one's own: S3Proxy on a folder. It verifies signatures: a wrong secret gets 403."""

import datetime
import hashlib
import hmac
import http.client
import os
import urllib.parse
import xml.etree.ElementTree

from lab import class_archive, jars
from lab.process import Server, free_port

EMPTY = hashlib.sha256(b"").hexdigest()


def signed(method, host, path, query, body, access_key, secret_key, region="eu-west-1", token=None, headers=None, service="s3"):
    """Headers of a request with AWS Signature Version 4. `query`: list of (name, value); `path`: as it is sent."""
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    digest = hashlib.sha256(body).hexdigest() if body else EMPTY
    given = {
        "host": host,
        "x-amz-content-sha256": digest,
        "x-amz-date": stamp,
        **({
            "x-amz-security-token": token
        } if token else {}),
        **(headers or {})
    }
    names = ";".join(sorted(given))
    canonical = "\n".join([method, path, query_text(query), *(f"{name}:{given[name]}" for name in sorted(given)), "", names, digest])
    scope = f"{day}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret_key).encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return {**given, "Authorization": f"AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={names}, Signature={signature}"}


def query_text(query):
    return "&".join(f"{urllib.parse.quote(name, safe='-_.~')}={urllib.parse.quote(value, safe='-_.~')}" for name, value in sorted(query))


class S3Error(Exception):
    """An answer other than 2xx: status, code (NoSuchKey, ...)."""

    def __init__(self, status, body):
        found = body.partition(b"<Code>")[2].partition(b"</Code>")[0].decode(errors="replace")
        super().__init__(f"{status} {found}")
        self.status, self.code = status, found


class S3(Server):
    """Started by its construction, with one bucket (`bucket`, None: none). Objects survive halt, kill and
    restart. `tokens`: session tokens are passed over and not refused."""

    name = "s3"

    def __init__(self, bucket="staging", access_key="test-key", secret_key="test-secret", region="eu-west-1", tokens=False, options=None):
        super().__init__()
        self.options = options or class_archive.options("s3", self._run_once)
        self.port, self.access_key, self.secret_key, self.region, self.bucket = free_port(), access_key, secret_key, region, bucket
        self.objects = os.path.join(self.folder, "objects")
        os.makedirs(self.objects)
        self.properties = os.path.join(self.folder, "s3proxy.conf")
        with open(self.properties, "w", encoding="utf-8") as file:
            file.write(f"s3proxy.endpoint=http://127.0.0.1:{self.port}\ns3proxy.authorization=aws-v2-or-v4\ns3proxy.identity={access_key}\n"
                       f"s3proxy.credential={secret_key}\njclouds.provider=filesystem\njclouds.filesystem.basedir={self.objects}\n" +
                       ("s3proxy.ignore-unknown-headers=true\n" if tokens else ""))
        self.start()
        if bucket:
            self.make_bucket(bucket)

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def _launch(self):
        return self._spawn([
            "java", "-Xmx256m", *self.options, "-DLOG_LEVEL=warn", "-cp",
            jars.folder("s3") + "/*", "org.gaul.s3proxy.Main", "--properties", self.properties
        ])

    @staticmethod
    def _run_once(options):
        server = S3(options=options)
        try:
            server.put("any", b"value")
            server.get("any")
            server.halt()
        finally:
            server.stop()

    def _is_up(self):
        try:
            self.request("GET", "")
            return True
        except (OSError, http.client.HTTPException, S3Error):
            return False

    # ---- requests ----

    def request(self, method, path, query=(), body=b""):
        """The body of the answer; `path`: bucket/key, unquoted. S3Error when it is not 2xx."""
        address = f"127.0.0.1:{self.port}"
        quoted = "/" + urllib.parse.quote(path, safe="/-_.~")
        connection = http.client.HTTPConnection(address, timeout=60)
        try:
            headers = signed(method, address, quoted, query, body, self.access_key, self.secret_key, self.region)
            connection.request(method, quoted + ("?" + query_text(query) if query else ""), body, headers)
            answer = connection.getresponse()
            raw = answer.read()
            if answer.status // 100 != 2:
                raise S3Error(answer.status, raw)
            return raw
        finally:
            connection.close()

    def make_bucket(self, name):
        self.request("PUT", name)

    def put(self, key, body, bucket=None):
        self.request("PUT", f"{bucket or self.bucket}/{key}", body=body)

    def get(self, key, bucket=None):
        return self.request("GET", f"{bucket or self.bucket}/{key}")

    def delete(self, key, bucket=None):
        self.request("DELETE", f"{bucket or self.bucket}/{key}")

    def keys(self, prefix="", bucket=None):
        """All keys that begin with the prefix, sorted."""
        answer, more = [], ()
        while True:
            raw = self.request("GET", bucket or self.bucket, [("list-type", "2"), ("prefix", prefix), *more])
            tree = xml.etree.ElementTree.fromstring(raw)
            space = tree.tag.partition("}")[0] + "}" if "}" in tree.tag else ""
            answer += [item.findtext(f"{space}Key") for item in tree.iter(f"{space}Contents")]
            following = tree.findtext(f"{space}NextContinuationToken")
            if not following:
                # The folders that S3Proxy makes for keys with slashes are none of ours.
                return sorted(key for key in answer if not key.endswith("/"))
            more = (("continuation-token", following),)

    def uploads(self, bucket=None):
        """Keys of multipart uploads that were neither completed nor aborted."""
        tree = xml.etree.ElementTree.fromstring(self.request("GET", bucket or self.bucket, [("uploads", "")]))
        space = tree.tag.partition("}")[0] + "}" if "}" in tree.tag else ""
        return sorted(item.findtext(f"{space}Key") for item in tree.iter(f"{space}Upload"))
