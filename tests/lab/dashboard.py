"""A Grafana dashboard without Grafana: its file's panels, asked of a real Prometheus as Grafana asks, and drawn as one page. Knows the kinds of
panels, units and settings that deploy/monitoring/dashboard.json has, and refuses others."""

import html
import json
import math
import re
import time

COLOURS = ("#1f6fb2", "#c2570c", "#2f7d32", "#8a3ffc", "#b3261e", "#00796b", "#795548", "#ad1457", "#5c6bc0", "#616161")
UNITS = {"short": "", "s": " s", "ops": "/s", "rowsps": " rows/s", "Bps": "/s", "bytes": ""}
CELL = 50, 30  # pixels of one unit of gridPos

STYLE = """
body { margin: 8px; background: #f4f5f7; color: #24292f; font: 12px 'DejaVu Sans', sans-serif; width: %(width)dpx; height: %(height)dpx; position: relative }
section { position: absolute; background: #fff; border: 1px solid #d5d9de; border-radius: 3px; box-sizing: border-box; padding: 6px 8px; overflow: hidden }
h2 { font-size: 12px; margin: 0 0 4px; font-weight: 600 }
b { display: block; font-size: 26px; text-align: center; margin-top: 16px; white-space: nowrap }
.none { text-align: center; color: #6b7280; margin-top: 16px }
.legend { font-size: 11px; white-space: nowrap } .legend i { display: inline-block; width: 12px; height: 3px; margin: 0 4px 3px 8px }
table { border-collapse: collapse } td, th { text-align: left; padding: 2px 18px 2px 0; border-bottom: 1px solid #e5e7eb }
"""


def number(value, unit):
    """As Grafana writes values of a unit, about."""
    if math.isnan(value):
        return "-"
    if unit in ("bytes", "Bps"):
        power = min(4, int(math.log(max(abs(value), 1), 1024)))
        return f"{value / 1024 ** power:.3g} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[power]}{UNITS[unit]}"
    if unit == "s" and value < 1:
        return f"{value * 1000:.3g} ms"
    if unit == "s" and value >= 120:
        return f"{value / 60:.3g} min"
    text = f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:.3g}"
    return text + UNITS[unit]


class Dashboard:
    """`path`: the file; `prometheus`: what answers, asked anew by each call."""

    def __init__(self, path, prometheus):
        with open(path, encoding="utf-8") as file:
            described = json.load(file)
        self.title, self.prometheus = described["title"], prometheus
        self.panels = {panel["title"]: panel for panel in described["panels"]}
        assert len(self.panels) == len(described["panels"]), "two panels have one title"

    def expression(self, target):
        """What is asked: of all pipelines and tables, as the dashboard opens, a rate over four scrapes and one."""
        text = target["expr"].replace("$__rate_interval", "5s")
        for name in ("pipeline", "table"):
            text = text.replace("$" + name, ".*")
        assert "$" not in text, text
        return text

    def _legend(self, target, labels):
        if target["legendFormat"]:
            return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), target["legendFormat"])
        return ", ".join(f"{name}={value}" for name, value in sorted(labels.items()))

    def now(self, title):
        """{legend: value} of a panel at this moment."""
        return {self._legend(target, labels): value for target in self.panels[title]["targets"] for labels, value in self.prometheus.now(self.expression(target))}

    def rows(self, title):
        """What a panel of the kind table lists, each a dictionary of labels."""
        assert self.panels[title]["type"] == "table"
        return [labels for target in self.panels[title]["targets"] for labels, _ in self.prometheus.now(self.expression(target))]

    def page(self, seconds):
        """HTML of the dashboard over the last `seconds`."""
        end = time.time()
        places = [panel["gridPos"] for panel in self.panels.values()]
        size = {"width": max(each["x"] + each["w"] for each in places) * CELL[0], "height": max(each["y"] + each["h"] for each in places) * CELL[1]}
        draw = {"stat": self._stat, "timeseries": self._lines, "table": self._table}
        parts = []
        for title, panel in self.panels.items():
            place = panel["gridPos"]
            at = f"left:{place['x'] * CELL[0] + 2}px;top:{place['y'] * CELL[1] + 2}px;width:{place['w'] * CELL[0] - 4}px;height:{place['h'] * CELL[1] - 4}px"
            parts.append(f'<section style="{at}"><h2>{html.escape(title)}</h2>{draw[panel["type"]](panel, end - seconds, end)}</section>')
        return f"<!doctype html><meta charset=utf-8><title>{html.escape(self.title)}</title><style>{STYLE % size}</style>" + "".join(parts)

    def _stat(self, panel, *_):
        settings = panel["fieldConfig"]["defaults"]
        values = list(self.now(panel["title"]).values())
        if not values:
            return '<div class="none">No data</div>'
        for mapping in settings.get("mappings", []):
            shown = mapping["options"].get(f"{values[0]:g}")
            if shown:
                return f'<b style="color:{shown["color"]}">{html.escape(shown["text"])}</b>'
        return f"<b>{number(values[0], settings['unit'])}</b>"

    def _lines(self, panel, begin, end):
        unit = panel["fieldConfig"]["defaults"]["unit"]
        lines = [(self._legend(target, labels), [point for point in points if not math.isnan(point[1])])
                 for target in panel["targets"] for labels, points in self.prometheus.between(self.expression(target), begin, end)]
        lines = [line for line in lines if line[1]]
        if not lines:
            return '<div class="none">No data</div>'
        place = panel["gridPos"]
        width, height, left = place["w"] * CELL[0] - 22, place["h"] * CELL[1] - 62, 70
        most = max(max(value for _, value in points) for _, points in lines) * 1.1 or 1
        parts = [f'<svg width="{width}" height="{height}" font-size="10">']
        for part in (0, 0.5, 1):
            y = 8 + (height - 24) * (1 - part)
            parts.append(f'<line x1="{left}" x2="{width}" y1="{y}" y2="{y}" stroke="#e5e7eb"/>'
                         f'<text x="{left - 6}" y="{y + 3}" text-anchor="end" fill="#6b7280">{number(most * part, unit)}</text>')
        for part in (0, 0.5, 1):
            at = time.strftime("%H:%M:%S", time.gmtime(begin + (end - begin) * part))
            parts.append(f'<text x="{left + (width - left - 25) * part}" y="{height - 2}" text-anchor="{"middle" if part else "start"}" fill="#6b7280">{at}</text>')
        for (_, points), colour in zip(lines, COLOURS * 10):
            path = " ".join(f"{left + (width - left) * (at - begin) / (end - begin):.1f},{8 + (height - 24) * (1 - value / most):.1f}" for at, value in points)
            parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        legend = "".join(f'<i style="background:{colour}"></i>{html.escape(name)}' for (name, _), colour in zip(lines, COLOURS * 10))
        return "".join(parts) + f'</svg><div class="legend">{legend}</div>'

    def _table(self, panel, *_):
        hidden = {"__name__"}
        for change in panel.get("transformations", []):
            assert change["id"] == "organize", change
            hidden |= {name for name, hide in change["options"]["excludeByName"].items() if hide}
        rows = [{name: value for name, value in row.items() if name not in hidden} for row in self.rows(panel["title"])]
        if not rows:
            return '<div class="none">No data</div>'
        names = sorted({name for row in rows for name in row})
        lines = "".join("<tr>" + "".join(f"<td>{html.escape(row.get(name, ''))}</td>" for name in names) + "</tr>" for row in rows)
        return "<table><tr>" + "".join(f"<th>{name}</th>" for name in names) + f"</tr>{lines}</table>"
