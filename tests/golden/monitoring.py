#!/usr/bin/env python3
"""Alert rules and the dashboard name metrics and labels that exist, each alert has a paragraph for whoever it wakes and a case in which it fires, and
Prometheus' own tool takes the rules and the page.

    monitoring.py PROJECT CDCRT
"""
import json
import pathlib
import re
import subprocess
import sys

PROJECT, CDCRT = pathlib.Path(sys.argv[1]), sys.argv[2]
FOLDER = PROJECT / "deploy/monitoring"
GIVEN = {"up"}  # Prometheus' own
OF_THE_SCRAPE = {"job", "instance", "le"}
SUFFIXES = ("_bucket", "_sum", "_count")
faults = []


def declared():
    """name: (type, labels), as `cdcrt reference metrics` has them."""
    page = subprocess.run([CDCRT, "reference", "metrics"], check=True, capture_output=True, text=True).stdout
    found = {}
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if cells[0].startswith("`cdcrt_"):
            found[cells[0].strip("`")] = (cells[1], {"pipeline", *(label.strip() for label in cells[3].split(",") if label.strip())})
    assert len(found) > 20, page
    return found


def check(where, expression, metrics):
    """Every metric that an expression names, with its labels."""
    for name, selector in re.findall(r"\b((?:cdcrt_\w+)|up)\b(\{[^}]*\})?", re.sub(r'"[^"]*"', '""', expression)):
        if name in GIVEN:
            continue
        base = name
        if name not in metrics:
            base = next((name[: -len(suffix)] for suffix in SUFFIXES if name.endswith(suffix)), name)
        kind, labels = metrics.get(base, (None, set()))
        if kind is None or (base != name) != (kind == "histogram"):
            faults.append(f"{where}: there is no metric {name}")
            continue
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector):
            if label not in labels | OF_THE_SCRAPE:
                faults.append(f"{where}: {name} has no label {label}")


def panels(dashboard):
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for variable in dashboard["templating"]["list"]:
        if "definition" in variable:
            yield variable["name"], variable["definition"]
    for annotation in dashboard["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]


def promtool(*arguments, text=None):
    done = subprocess.run(["promtool", *arguments], input=text, capture_output=True, text=True)
    if done.returncode != 0:
        faults.append(f"promtool {' '.join(arguments)}: {done.stdout}{done.stderr}")


metrics = declared()
rules = (FOLDER / "alerts.yml").read_text(encoding="utf-8")
alerts = re.findall(r"^\s*- alert: (\w+)$", rules, re.MULTILINE)
expressions = re.findall(r"^\s*expr:(?: >-)?(.*(?:\n {10,}.*)*)$", rules, re.MULTILINE)
assert alerts and len(alerts) == len(expressions), (alerts, expressions)
for alert, expression in zip(alerts, expressions):
    check(alert, expression, metrics)
dashboard = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
queries = list(panels(dashboard))
assert len(queries) > 10
for title, expression in queries:
    check(f"dashboard, {title}", expression, metrics)

# A check that finds nothing wrong must be able to.
before = len(faults)
check("itself", "cdcrt_no_such_metric > 0", metrics)
check("itself", 'cdcrt_ready{offset="1"}', metrics)
check("itself", "cdcrt_ready_bucket", metrics)
assert len(faults) == before + 3, faults
del faults[before:]

operating = (PROJECT / "docs/operating.md").read_text(encoding="utf-8")
paragraphs = re.findall(r"^### (Cdcrt\w+)\n\n(\S.*)$", operating, re.MULTILINE)
for alert in alerts:
    if alert not in dict(paragraphs):
        faults.append(f"docs/operating.md has no paragraph '### {alert}'")
    if f"runbook: docs/operating.md#{alert.lower()}\n" not in rules:
        faults.append(f"{alert} does not name its paragraph")
for name, _ in paragraphs:
    if name not in alerts:
        faults.append(f"docs/operating.md: {name} is no alert")

# Each fires in a case of its own, and is quiet in the last one, of a pipeline that is well.
cases = (FOLDER / "alerts_test.yml").read_text(encoding="utf-8")
for alert in alerts:
    if not re.search(rf"alertname: {alert}\n\s*exp_alerts:", cases):
        faults.append(f"alerts_test.yml has no case in which {alert} fires")
    if not re.search(rf"alertname: {alert}\n(?!\s*exp_alerts:)", cases + "\n"):
        faults.append(f"alerts_test.yml does not ask that {alert} is quiet where all is well")
promtool("check", "rules", str(FOLDER / "alerts.yml"))
promtool("test", "rules", str(FOLDER / "alerts_test.yml"))

for fault in faults:
    print(fault, file=sys.stderr)
sys.exit(1 if faults else 0)
