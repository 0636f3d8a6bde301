"""What run_scaling_bench.py measured, as tables of Markdown."""

from live.report import ONE, TWO, WHOLE, groups_of, spread

DRAINED = {"waiting": "a target that is waited for", "computing": "no delay, default settings"}


def drained(title, runs):
    """Ratios round by round, beside one process."""
    lines = [f"| {title}: processes | events/s | beside one process | CPU µs an event, of all processes | of the database | of the broker | events a commit "
             "| claims | peak MiB of a process | tables exact |", "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|"]
    alone = {run["round"]: run for run in runs if run["processes"] == 1}

    def by_event(run, key):
        return run[key] * 1e6 / run["events"]
    for count, group in sorted(groups_of(runs, "processes").items()):
        ratio = [run["events_per_second"] / alone[run["round"]]["events_per_second"] for run in group if run["round"] in alone]
        lines.append(f"| {count} | {spread([run['events_per_second'] for run in group])} | {spread(ratio, TWO) if ratio else ''} "
                     f"| {spread([by_event(run, 'cpu_seconds') for run in group], ONE)} | {spread([by_event(run, 'database_cpu_seconds') for run in group], ONE)} "
                     f"| {spread([by_event(run, 'broker_cpu_seconds') for run in group], ONE)} | {spread([run['events'] / max(run['commits'], 1) for run in group])} "
                     f"| {spread([run['claims'] for run in group])} | {spread([run['peak_mib'] for run in group])} "
                     f"| {'not compared' if any(run['exact'] is None for run in group) else 'yes' if all(run['exact'] for run in group) else 'NO'} |")
    return "\n".join(lines)


def idle(runs):
    lines = ["| processes at rest | CPU of all, % of a core | of the database | of the broker | commits a second |", "|---:|---:|---:|---:|---:|"]
    for run in runs:
        lines.append(f"| {run['processes']} | {100 * run['cpu_per_second']:.1f} | {100 * run['database_cpu_per_second']:.1f} "
                     f"| {100 * run['broker_cpu_per_second']:.1f} | {run['commits_per_second']:.1f} |")
    return "\n".join(lines)


def upgrade(runs):
    lines = ["| rolling restart of eight | partitions | claims | partitions that changed owner | assignments lost | messages read again, of | seconds | exact |",
             "|---|---:|---:|---:|---:|---:|---:|---|"]
    for membership, group in groups_of(runs, "membership").items():
        lines.append(f"| {membership} | {group[0]['partitions']} | {spread([run['claims'] for run in group])} | {spread([run['changed_owner'] for run in group])} "
                     f"| {spread([run['lost'] for run in group])} | {spread([run['read_again'] for run in group])}, {group[0]['messages']:,} "
                     f"| {spread([run['seconds'] for run in group], WHOLE)} | {'yes' if all(run['exact'] for run in group) else 'NO'} |")
    return "\n".join(lines)


def tables(measured):
    parts = [drained(title, measured[part]) for part, title in DRAINED.items() if measured[part]]
    parts += [idle(measured["idle"])] if measured["idle"] else []
    parts += [upgrade(measured["upgrade"])] if measured["upgrade"] else []
    return "\n\n".join(parts)
