"""Chromium without a window, driven over two pipes (the DevTools protocol, https://chromedevtools.github.io/devtools-protocol): pages as people
see them, for tests and for the pictures in docs/."""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time


class Browser:
    """One page at a time. `errors`: what its scripts, its requests and its policy complained of; `requests`: the addresses it asked for."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="cdcrt-browser-")
        to_it, ours = os.pipe()
        theirs, from_it = os.pipe()
        # Chromium takes commands from file 3 and answers on file 4.
        script = f"exec chromium-headless-shell \"$@\" 3<&{to_it} 4>&{from_it}"
        arguments = ["--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                     "--force-color-profile=srgb", "--font-render-hinting=none", "--user-data-dir=" + self.folder, "about:blank"]
        with open(os.path.join(self.folder, "log"), "wb") as log:
            self.process = subprocess.Popen(["bash", "-c", script, "chromium", *arguments], pass_fds=(to_it, from_it), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True)
        os.close(to_it), os.close(from_it)
        self.input, self.output, self.rest = ours, theirs, b""
        self.number, self.session, self.errors, self.requests = 0, None, [], []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(domain + ".enable")

    def send(self, method, seconds=60, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.input, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + seconds
        while True:
            answer = self._message(until)
            if answer is None:
                raise TimeoutError(f"no answer to {method} within {seconds} s\n{self.log()}")
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def _message(self, until):
        while b"\0" not in self.rest:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.output], [], [], left)[0]:
                return None
            got = os.read(self.output, 1 << 20)
            if not got:
                raise RuntimeError("the browser has ended\n" + self.log())
            self.rest += got
        text, _, self.rest = self.rest.partition(b"\0")
        message = json.loads(text)
        self._note(message.get("method"), message.get("params", {}))
        return message

    def _note(self, method, about):
        if method == "Runtime.exceptionThrown":
            self.errors.append(about["exceptionDetails"].get("exception", {}).get("description") or about["exceptionDetails"]["text"])
        elif method == "Log.entryAdded" and about["entry"]["level"] == "error":
            self.errors.append(about["entry"]["text"] + " " + about["entry"].get("url", ""))
        elif method == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])

    def look(self, width, height, dark=False, phone=False):
        """The size of the window, in pixels, and what its owner prefers."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def headers(self, **headers):
        self.send("Network.setExtraHTTPHeaders", headers=headers)

    def open(self, url):
        self.send("Page.navigate", url=url)

    def value(self, expression):
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def text(self):
        return self.value("document.body ? document.body.innerText : ''")

    def wait_for(self, *parts, seconds=60):
        """Until the page shows all of them; answers its text."""
        until = time.monotonic() + seconds
        while not all(part in (text := self.text()) for part in parts):
            if time.monotonic() > until:
                raise AssertionError(f"{parts} not seen in\n{text}\n{self.errors}")
            time.sleep(0.1)
        return text

    def picture(self, path, whole=False):
        """PNG of the window, or of the whole page."""
        parameters = {}
        if whole:
            size = self.send("Page.getLayoutMetrics")["cssContentSize"]
            parameters = {"captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}
        data = self.send("Page.captureScreenshot", format="png", **parameters)["data"]
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()[-3000:]

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.input), os.close(self.output)
        shutil.rmtree(self.folder, ignore_errors=True)
