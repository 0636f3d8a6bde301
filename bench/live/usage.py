"""What processes and the machine use, as Linux counts it (proc(5)): CPU seconds, peak memory, what others took meanwhile."""

import os

TICKS = os.sysconf("SC_CLK_TCK")


def _stat(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return file.read().rpartition(")")[2].split()


def cpu(pid):
    """CPU seconds of a process, children that have ended included."""
    try:
        return sum(int(field) for field in _stat(pid)[11:15]) / TICKS
    except OSError:
        return 0.0


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(field) for field in file.read().split()]


def cpu_with_children(pid):
    return cpu(pid) + sum(cpu(child) for child in children(pid))


def peak_memory(pid):
    """MiB."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def threads(pid):
    """CPU seconds by name of thread, of those that live."""
    seconds = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/stat", encoding="ascii", errors="replace") as file:
                text = file.read()
        except OSError:
            continue
        name, fields = text[text.index("(") + 1:text.rindex(")")], text.rpartition(")")[2].split()
        seconds[name] = seconds.get(name, 0.0) + (int(fields[11]) + int(fields[12])) / TICKS
    return seconds


def machine():
    """(CPU seconds that all processes took, seconds in which the hypervisor gave this machine's processors to others), since it started."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, irq, softirq, steal = (int(field) / TICKS for field in file.readline().split()[1:9])
    return user + nice + system + irq + softirq, steal


def described():
    """The machine, in a few words."""
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        models = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return f"{os.cpu_count()} cores" + (f" of {models[0]}" if models else "") + f", {memory:.0f} GiB"
