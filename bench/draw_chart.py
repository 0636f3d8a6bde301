#!/usr/bin/env python3
"""Draws what run_kafka_bench.py measured: one SVG, readable on light and dark pages.

    draw_chart.py MEASURED.json... --out CHART.svg

Each file may hold any of the parts; where several hold the same one, the last counts. A bar is the median of the rounds, the thin line over it
the least and the most.
"""

import argparse
import html
import json
import statistics
import sys

from live import report

WIDTH, MARGIN, GAP = 460, 20, 30     # of a panel, around, between panels
LABELS, VALUES = 152, 96             # room left and right of the bars
ROW, BAR, TITLE = 22, 14, 46         # heights
CAPTION = 18
COLOURS = ("ours", "theirs", "third", "fourth")
STYLE = """
text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
.title { font-weight: 600; font-size: 14px; }
.quiet { fill: #59636e; font-size: 11px; }
.ours { fill: #0969da; } .theirs { fill: #bc6c25; } .third { fill: #1a7f37; } .fourth { fill: #8250df; }
.light { opacity: .42; }
.range, .mark { stroke: #1f2328; stroke-width: 1; fill: none; } .mark { stroke-dasharray: 3 3; opacity: .6; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; } .quiet { fill: #9198a1; } .range, .mark { stroke: #f0f6fc; }
  .ours { fill: #4493f8; } .theirs { fill: #e3a857; } .third { fill: #3fb950; } .fourth { fill: #ab7df8; }
}
"""


class Bar:
    """`values`: of the rounds. `colour`: a class of STYLE. `parts`: where one bar shows several things: (share of the bar, class)."""

    def __init__(self, label, values, colour, form, parts=()):
        self.label, self.colour, self.parts = label, colour, parts or ((1.0, colour),)
        self.value, self.least, self.most = statistics.median(values), min(values), max(values)
        self.text = form.format(self.value)


class Panel:
    """`mark`: a value at which a line stands."""

    def __init__(self, title, note, bars, mark=None):
        self.title, self.note, self.bars, self.mark = title, note, bars, mark

    @property
    def height(self):
        return TITLE + ROW * len(self.bars)

    def draw(self, left, top):
        most = max([bar.most for bar in self.bars] + [self.mark or 0]) or 1
        scale = (WIDTH - LABELS - VALUES) / most
        lines = [text(left, top + 14, self.title, "title"), text(left, top + 31, self.note, "quiet")]
        for number, bar in enumerate(self.bars):
            upper = top + TITLE + ROW * number
            middle, start = upper + BAR / 2, left + LABELS
            if bar.label:
                lines.append(text(start - 8, middle + 4, bar.label, anchor="end"))
            for share, colour in bar.parts:
                length = bar.value * scale * share
                lines.append(f'<rect class="{colour}" x="{start:.1f}" y="{upper}" width="{length:.1f}" height="{BAR}"/>')
                start += length
            if bar.most > bar.least:
                lines.append(f'<path class="range" d="M{left + LABELS + bar.least * scale:.1f} {middle}H{left + LABELS + bar.most * scale:.1f}"/>')
            lines.append(text(left + LABELS + max(bar.most, self.mark or 0) * scale + 6, middle + 4, bar.text))
        if self.mark:
            place = left + LABELS + self.mark * scale
            lines.append(f'<path class="mark" d="M{place:.1f} {top + TITLE - 4}V{top + self.height - 4}"/>')
        return lines


def text(x, y, words, style="", anchor=""):
    words = html.escape(words, quote=False)
    return f'<text x="{x:.1f}" y="{y:.1f}"' + (f' class="{style}"' if style else "") + (f' text-anchor="{anchor}"' if anchor else "") + f">{words}</text>"


# ---- what is shown ----

def throughput(runs):
    """Of the first workload measured."""
    workload = runs[0]["workload"]
    groups = report.groups_of([run for run in runs if run["workload"] == workload])
    names = dict(zip(groups, COLOURS))
    events = runs[0]["events"]

    def bars(what, form):
        return [Bar(name, [what(run) for run in group], names[name], form) for name, group in groups.items()]

    def cpu(run):
        return run["cpu_seconds"] + run["database_cpu_seconds"]

    def million(run):
        return cpu(run) * 1e6 / run["events"]
    shared = [Bar(name, [million(run) for run in group], names[name], "{:,.1f} s",
                  ((own := statistics.median(run["cpu_seconds"] / cpu(run) for run in group), names[name]), (1 - own, names[name] + " light")))
              for name, group in groups.items()]
    measured = f"{events:,} events ({workload}), tables compared with the generator's afterwards"
    return [Panel("Kafka → PostgreSQL, events a second", measured, bars(lambda run: run["events_per_second"], "{:,.0f}")),
            Panel("Peak memory", "of the process", bars(lambda run: run["peak_mib"], "{:,.0f} MiB")),
            Panel("CPU seconds for a million events", "its own, and in pale those of the database", shared)]


def latency(results):
    """One panel for each number of busy loops: p50 as the bar, p99 as its pale end."""
    panels = []
    names = dict(zip(dict.fromkeys(one["contender"] for one in results), COLOURS))
    for busy, of_it in report.groups_of([one for one in results if one["rate"]], "busy").items():
        bars = []
        for rate, same in report.groups_of(of_it, "rate").items():
            for place, (name, group) in enumerate(report.groups_of(same).items()):
                p50, p99 = (statistics.median(one[key] for one in group) for key in ("p50_ms", "p99_ms"))
                bar = Bar(f"{rate:,} event{'s' if rate > 1 else ''}/s" if place == 0 else "", [p99], names[name], "", ((p50 / p99, names[name]), (1 - p50 / p99, names[name] + " light")))
                bar.text = f"{p50:,.0f} / {p99:,.0f} ms"
                bars.append(bar)
        beside = f"beside {busy} busy loops" if busy else "nothing beside"
        panels.append(Panel(f"Produced → committed, {beside}", "p50 / p99, the pale part; " + legend(names), bars))
    return panels


def reading(runs):
    bars = []
    for compression, group in report.groups_of(runs, "compression").items():
        names = report.groups_of(group)
        ours = next(name for name in names if name != "librdkafka alone")
        bars.append(Bar(compression, report.ratios(names[ours], names["librdkafka alone"], "events_per_second_whole"), COLOURS[0], "{:.2f}"))
    return [Panel("Kafka → decoded rows, beside librdkafka alone", "events a second of the whole process; the line: librdkafka, which only reads", bars, mark=1.0)]


def legend(names):
    return "above " + ", below ".join(names) if len(names) == 2 else ", ".join(names)


# ---- the page ----

def captions(files):
    machines = list(dict.fromkeys(file["machine"] for file in files))
    dates = sorted({file["date"][:10] for file in files})
    loads = [load for file in files for load in file["load"]]
    commits = list(dict.fromkeys(file["commit"] for file in files if file.get("commit")))
    where = f"Everything on one machine: {'; '.join(machines)}; load average {min(loads):.1f} to {max(loads):.1f}"
    return [where, f"{' and '.join(dates)}" + (f", {', '.join(commits)}" if commits else "") + "; made by bench/run_kafka_bench.py and bench/draw_chart.py"]


def draw(files):
    """The SVG of measured files (parsed)."""
    parts = {}
    for part in ("throughput", "latency", "reading"):
        parts[part] = next((file[part] for file in reversed(files) if file.get(part)), [])
    left = (throughput(parts["throughput"]) if parts["throughput"] else []) + (reading(parts["reading"]) if parts["reading"] else [])
    right = latency(parts["latency"]) if parts["latency"] else []
    columns = [column for column in (left, right) if column]
    if not columns:
        raise SystemExit("nothing was measured")
    height = max(sum(panel.height + GAP for panel in column) for column in columns)
    lines = captions(files)
    width = 2 * MARGIN + len(columns) * WIDTH + (len(columns) - 1) * GAP
    total = MARGIN + height + CAPTION * len(lines) + MARGIN // 2
    drawn = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {total}" width="{width}" height="{total}" role="img" '
             'aria-label="What was measured; the numbers stand in bench/README.md">', f"<style>{STYLE}</style>"]
    for number, column in enumerate(columns):
        top = MARGIN
        for panel in column:
            drawn += panel.draw(MARGIN + number * (WIDTH + GAP), top)
            top += panel.height + GAP
    drawn += [text(MARGIN, MARGIN + height + CAPTION * place, line, "quiet") for place, line in enumerate(lines)]
    return "\n".join([*drawn, "</svg>"]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measured", nargs="+")
    parser.add_argument("--out", default="-")
    arguments = parser.parse_args()
    files = []
    for path in arguments.measured:
        with open(path, encoding="utf-8") as file:
            files.append(json.load(file))
    drawn = draw(files)
    if arguments.out == "-":
        sys.stdout.write(drawn)
    else:
        with open(arguments.out, "w", encoding="utf-8") as file:
            file.write(drawn)


if __name__ == "__main__":
    main()
