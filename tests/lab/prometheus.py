"""Prometheus (Debian's package), which asks one process for its metrics every second."""

import json
import os
import urllib.parse
import urllib.request

from lab.process import Server, free_port, wait_until


class Prometheus(Server):
    """`target`: host:port of the process that is asked at /metrics. Constructing starts it and waits for its first question, which takes 5 s."""
    name = "prometheus"

    def __init__(self, target):
        super().__init__()
        self.port = free_port()
        with open(os.path.join(self.folder, "prometheus.yml"), "w", encoding="utf-8") as file:
            json.dump({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
                       "scrape_configs": [{"job_name": "cdcrt", "static_configs": [{"targets": [target]}]}]}, file)  # JSON is YAML too
        self.start()
        self.wait_for("up", lambda values: values == [1])

    def _launch(self):
        return self._spawn(["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=warn",
                            f"--web.listen-address=127.0.0.1:{self.port}"])

    def _is_up(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def _ask(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)["data"]["result"]

    def now(self, expression):
        """[(labels, value)] of this moment."""
        return [(each["metric"], float(each["value"][1])) for each in self._ask("query", query=expression)]

    def between(self, expression, begin, end, step=1):
        """[(labels, [(time, value)])], times in seconds since 1970."""
        found = self._ask("query_range", query=expression, start=begin, end=end, step=step)
        return [(each["metric"], [(float(time), float(value)) for time, value in each["values"]]) for each in found]

    def wait_for(self, expression, done, seconds=60):
        """Until done(values of the expression) is true; answers them."""
        return wait_until(lambda: (values := self.now(expression)) is not None and done([value for _, value in values]) and values, seconds,
                          lambda: f"{expression} is {self.now(expression)}", poll=0.2)
