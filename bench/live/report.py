"""What was measured, as tables of Markdown. A number is the median of the rounds, and behind it the least and the most."""

import statistics

WHOLE, ONE, TWO = "{:,.0f}", "{:,.1f}", "{:,.2f}"


def spread(values, form=WHOLE):
    """median (least–most); nothing where one is not known."""
    if any(value is None for value in values):
        return ""
    middle = form.format(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} ({form.format(min(values))}–{form.format(max(values))})"


def groups_of(runs, key="contender"):
    groups = {}
    for run in runs:
        groups.setdefault(run[key], []).append(run)
    return groups


def quotient(above, below):
    return lambda run: None if run[above] is None else run[above] / max(run[below], 1)


# What is told of a run, how, and of what a ratio tells something.
THROUGHPUT = (
    ("events/s, first commit to last", "events_per_second", WHOLE, True),
    ("events/s, whole process", "events_per_second_whole", WHOLE, True),
    ("peak memory, MiB", "peak_mib", WHOLE, True),
    ("CPU seconds", "cpu_seconds", ONE, True),
    ("CPU seconds of the database", "database_cpu_seconds", ONE, True),
    ("CPU seconds of the broker", "broker_cpu_seconds", ONE, True),
    ("events a commit", quotient("events", "commits"), WHOLE, True),
    ("round trips a commit", quotient("round_trips", "commits"), ONE, True),
    ("round trips", "round_trips", WHOLE, True),
    ("wake-ups an event", quotient("wakeups", "events"), TWO, True),
    ("CPU seconds of others meanwhile", "other_cpu_seconds", ONE, False),
    ("steal, seconds", "steal_seconds", TWO, False),
)


def value_of(run, what):
    return what(run) if callable(what) else run[what]


def ratios(ours, theirs, what):
    """Round by round; nothing where one is not known or zero."""
    pairs = [(value_of(a, what), value_of(b, what)) for a, b in zip(ours, theirs)]
    return None if any(a is None or not b for a, b in pairs) else [a / b for a, b in pairs]


def exact(group):
    if any(run["exact"] is None for run in group):
        return "not compared"
    return "yes" if all(run["exact"] for run in group) else "NO"


def throughput(runs):
    return "\n\n".join(_throughput(workload, groups_of(group)) for workload, group in groups_of(runs, "workload").items())


def _throughput(workload, groups):
    """The last columns: each of ours beside each of the others; where all are ours, the first beside the rest."""
    first, ours = next(iter(groups.items()))
    own = [name for name in groups if name.startswith("cdcrt")]
    pairs = [(name, other) for name in own for other in groups if other not in own] or [(first, other) for other in groups if other != first]
    title = f"into PostgreSQL, {workload}: {ours[0]['events']:,} events, {len(ours)} round{'s' if len(ours) > 1 else ''}"
    lines = ["| " + " | ".join([title, *groups, *(f"{name} : {other}" for name, other in pairs)]) + " |", "|---" + "|---:" * (len(groups) + len(pairs)) + "|"]
    for label, what, form, tells in THROUGHPUT:
        found = [ratios(groups[name], groups[other], what) if tells else None for name, other in pairs]
        lines.append(f"| {label} | " + " | ".join([spread([value_of(run, what) for run in group], form) for group in groups.values()]
                                                  + [spread(each, TWO) if each else "" for each in found]) + " |")
    lines.append("| tables equal the generator's | " + " | ".join([*map(exact, groups.values()), *("" for _ in pairs)]) + " |")
    return "\n".join(lines)


def reading(runs):
    lines = ["| reading | compression | events/s, whole process | beside librdkafka alone, round by round | peak MiB | CPU s | wake-ups an event |",
             "|---|---|---:|---:|---:|---:|---:|"]
    for compression, of_it in groups_of(runs, "compression").items():
        groups = groups_of(of_it)
        alone = groups["librdkafka alone"]
        for name, group in groups.items():
            def of(what, form=WHOLE):
                return spread([value_of(run, what) for run in group], form)
            ratio = "" if group is alone else spread(ratios(group, alone, "events_per_second_whole"), TWO)
            lines.append(f"| {name} | {compression} | {of('events_per_second_whole')} | {ratio} | {of('peak_mib')} | {of('cpu_seconds', ONE)} "
                         f"| {of(quotient('wakeups', 'events'), TWO)} |")
    return "\n".join(lines)


def latency(results):
    lines = ["| produced → committed, ms | busy loops | events/s | p50 | p90 | p99 | max | wake-ups an event | CPU ms an event | of the database "
             "| of the broker | events a commit | round trips a commit |",
             "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"]
    groups = {}
    for one in results:
        groups.setdefault((one["busy"], one["rate"] or float("inf"), one["contender"]), []).append(one)
    for (busy, _, name), group in sorted(groups.items(), key=lambda item: item[0][:2]):
        if group[0]["rate"] == 0:
            lines.append(f"| {name} at rest | {busy} | 0 | | | | | {spread([one['wakeups_per_second'] for one in group])} a second | | | | | |")
            continue

        def of(key, form=ONE, scale=1.0):
            return spread([None if one[key] is None else one[key] * scale for one in group], form)
        commits = [one["commits_per_event"] for one in group]
        trips = [None if one["round_trips_per_event"] is None else one["round_trips_per_event"] / max(one["commits_per_event"], 1e-9) for one in group]
        lines.append(f"| {name} | {busy} | {group[0]['rate']:,} | {of('p50_ms')} | {of('p90_ms')} | {of('p99_ms')} | {of('max_ms')} | {of('wakeups_per_event')} "
                     f"| {of('cpu_seconds_per_event', TWO, 1000)} | {of('database_cpu_seconds_per_event', TWO, 1000)} | {of('broker_cpu_seconds_per_event', TWO, 1000)} "
                     f"| {spread([1 / max(each, 1e-9) for each in commits], ONE)} | {spread(trips, ONE)} |")
    return "\n".join(lines)
