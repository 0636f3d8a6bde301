"""What was measured, as tables of Markdown."""

import statistics


def spread(values, form="{:,.0f}"):
    """median (least-most)"""
    middle = form.format(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} ({form.format(min(values))}-{form.format(max(values))})"


def _by_contender(runs):
    groups = {}
    for run in runs:
        groups.setdefault(run["contender"], []).append(run)
    return groups


def throughput(runs):
    lines = ["| into PostgreSQL | events/s, first commit to last | events/s, whole process | peak MiB | CPU s | CPU s of the database | tables equal the generator's |",
             "|---|---:|---:|---:|---:|---:|---|"]
    groups = _by_contender(runs)
    for name, group in groups.items():
        def of(key, form="{:,.0f}"):
            return spread([run[key] for run in group], form)
        exact = {True: "yes", False: "NO", None: "not compared"}[None if group[0]["exact"] is None else all(run["exact"] for run in group)]
        lines.append(f"| {name} | {of('events_per_second')} | {of('events_per_second_whole')} | {of('peak_mib')} | {of('cpu_seconds', '{:.1f}')} "
                     f"| {of('database_cpu_seconds', '{:.1f}')} | {exact} |")
    if len(groups) == 2:
        ours, theirs = groups.values()
        def ratio(key):
            return spread([a[key] / b[key] for a, b in zip(ours, theirs)], "{:.2f}")
        lines.append(f"| ratio, run by run | {ratio('events_per_second')} | {ratio('events_per_second_whole')} | {ratio('peak_mib')} | {ratio('cpu_seconds')} "
                     f"| {ratio('database_cpu_seconds')} | |")
    return "\n".join(lines)


def reading(runs):
    lines = ["| reading | compression | events/s, whole process | beside librdkafka alone, run by run | peak MiB | CPU s |", "|---|---|---:|---:|---:|---:|"]
    for compression in dict.fromkeys(run["compression"] for run in runs):
        groups = _by_contender([run for run in runs if run["compression"] == compression])
        alone = groups["librdkafka alone"]
        for name, group in groups.items():
            def of(key, form="{:,.0f}"):
                return spread([run[key] for run in group], form)
            ratio = spread([ours["events_per_second_whole"] / theirs["events_per_second_whole"] for ours, theirs in zip(group, alone)], "{:.2f}")
            lines.append(f"| {name} | {compression} | {of('events_per_second_whole')} | {'' if group is alone else ratio} | {of('peak_mib')} | {of('cpu_seconds', '{:.1f}')} |")
    return "\n".join(lines)


def latency(results):
    lines = ["| produced -> committed, ms | events/s | events | p50 | p90 | p99 | max | wake-ups an event | CPU ms an event | of the database | commits an event |",
             "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"]
    for one in results:
        if one["rate"] == 0:
            lines.append(f"| {one['contender']} at rest | 0 | | | | | | {one['wakeups_per_second']} a second | | | |")
            continue
        lines.append(f"| {one['contender']} | {one['rate']:,} | {one['events']:,} | {one['p50_ms']} | {one['p90_ms']} | {one['p99_ms']} | {one['max_ms']} "
                     f"| {one['wakeups_per_event']:.1f} | {one['cpu_seconds_per_event'] * 1000:.2f} | {one['database_cpu_seconds_per_event'] * 1000:.2f} "
                     f"| {one['commits_per_event']:.2f} |")
    return "\n".join(lines)
