"""Reads objects of an S3 server, signed with AWS Signature Version 4, and words its refusals as Redshift does."""

import datetime
import hashlib
import hmac
import http.client
import json
import urllib.parse
import xml.etree.ElementTree

from redshift.errors import SqlError

EMPTY = hashlib.sha256(b"").hexdigest()


class S3Error(SqlError):
    """An answer of S3 other than 200, in Redshift's words: [U], as seen in public reports of `S3ServiceException`."""

    def __init__(self, status, code, words, request="TESTREQUEST0001"):
        self.status, self.code = status, code
        super().__init__("XX000", f"S3ServiceException:{words},Status {status},Error {code},Rid {request},ExtRid TESTEXTENDED,CanRetry 1")
        self.detail = self.text


class Credentials:
    def __init__(self, key, secret, token=None):
        self.key, self.secret, self.token = key, secret, token


class S3:
    """`endpoint`: http://host:port, path style. `region`: of every bucket that `regions` (bucket -> region) does not name."""

    def __init__(self, endpoint, region, regions=None):
        parts = urllib.parse.urlsplit(endpoint)
        self.host, self.port, self.secure = parts.hostname, parts.port, parts.scheme == "https"
        self.region, self.regions = region, regions or {}

    def open(self, bucket, key, credentials, region):
        """A response to read from; the caller closes it."""
        return self._get("/" + urllib.parse.quote(bucket) + "/" + urllib.parse.quote(key, safe="/-_.~"), "", bucket, credentials, region)

    def keys(self, bucket, prefix, credentials, region):
        """The keys that begin with `prefix`, in order."""
        answer, more = [], None
        while True:
            given = {"list-type": "2", "prefix": prefix, **({"continuation-token": more} if more else {})}
            query = "&".join(f"{name}={urllib.parse.quote(value, safe='-_.~')}" for name, value in sorted(given.items()))
            with self._get("/" + urllib.parse.quote(bucket), query, bucket, credentials, region) as response:
                tree = xml.etree.ElementTree.fromstring(response.read())
            space = tree.tag.rpartition("}")[0] + "}" if "}" in tree.tag else ""
            answer += [key.text for key in tree.iterfind(f"{space}Contents/{space}Key")]
            more = tree.findtext(f"{space}NextContinuationToken")
            if not more:
                return sorted(answer)

    def _get(self, path, query, bucket, credentials, region):
        if region != self.regions.get(bucket, self.region):
            raise S3Error(
                301, "PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint. "
                "Please send all future requests to this endpoint.")
        kind = http.client.HTTPSConnection if self.secure else http.client.HTTPConnection
        connection = kind(self.host, self.port, timeout=60)
        try:
            connection.request("GET", path + ("?" + query if query else ""), headers=self._signed("GET", path, query, credentials, region))
            response = connection.getresponse()
        except OSError as error:
            raise SqlError("XX000", f"S3 is not reachable: {error}") from error
        if response.status == 200:
            return response
        body = response.read(65536)
        connection.close()
        code, words = {
            404: ("NoSuchKey", "The specified key does not exist."),
            403: ("AccessDenied", "Access Denied")
        }.get(response.status, ("InternalError", "Internal Error"))
        try:
            tree = xml.etree.ElementTree.fromstring(body)
            found = {child.tag.rpartition("}")[2]: child.text for child in tree}
            code, words = found.get("Code", code), found.get("Message", words)
        except xml.etree.ElementTree.ParseError:
            pass
        raise S3Error(response.status, code, words)

    def read(self, bucket, key, credentials, region):
        with self.open(bucket, key, credentials, region) as response:
            return response.read()

    def _signed(self, method, path, query, credentials, region):
        now = datetime.datetime.now(datetime.timezone.utc)
        stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        headers = {"host": f"{self.host}:{self.port}" if self.port else self.host, "x-amz-content-sha256": EMPTY, "x-amz-date": stamp}
        if credentials.token:
            headers["x-amz-security-token"] = credentials.token
        names = ";".join(sorted(headers))
        canonical = "\n".join([method, path, query, *(f"{name}:{headers[name]}" for name in sorted(headers)), "", names, EMPTY])
        scope = f"{day}/{region}/s3/aws4_request"
        to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + credentials.secret).encode()
        for part in (day, region, "s3", "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
        headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={credentials.key}/{scope}, SignedHeaders={names}, Signature={signature}"
        return headers


def manifest_entries(raw, place):
    """[(bucket, key, mandatory)] of a manifest; [D] loading-data-files-using-manifest: mandatory is false when it is not given."""
    try:
        document = json.loads(raw)
        answer = []
        for entry in document["entries"]:
            parts = urllib.parse.urlsplit(entry["url"])
            if parts.scheme != "s3" or not parts.netloc or len(parts.path) < 2:
                raise ValueError(entry["url"])
            answer.append((parts.netloc, entry["url"][len("s3://") + len(parts.netloc) + 1:], entry.get("mandatory", False)))
    except (ValueError, KeyError, TypeError) as error:
        raise SqlError("XX000", f"Manifest file is not in correct json format: {place}", str(error)) from error
    if not answer:
        raise SqlError("XX000", f"Manifest file has no entries: {place}")
    return answer
