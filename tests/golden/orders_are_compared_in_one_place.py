#!/usr/bin/env python3
"""Source orders are compared by core/src/event/log_order.hpp alone, which asks whether both are places in one log. Compared as bytes, the changes
of a log that began anew would look older than those before it."""

import os
import re
import sys

# What an order is called here, compared with < or >.
COMPARED = re.compile(r"\b\w*(?:order|floor|since|last_seen|dropped_at|max_definite)_?(?:\(\))?\)?\s(?:<|>|<=|>=)\s(?!\d)")
# Bounds that are kept by place; whoever reads them asks with may_be_after().
KEPT_BY_PLACE = {"apply/truncation.hpp", "apply/partition_fold.hpp"}
HOME = {"event/log_order.hpp", "event/log_order.cpp"}


def main(root):
    core = os.path.join(root, "core", "src")
    bad = []
    for folder in ("event", "evolution", "progress", "apply", "repair", "runtime"):
        for name in sorted(os.listdir(os.path.join(core, folder))):
            path = f"{folder}/{name}"
            if path in HOME | KEPT_BY_PLACE or not name.endswith((".cpp", ".hpp")):
                continue
            with open(os.path.join(core, path), encoding="utf-8") as file:
                for number, line in enumerate(file, 1):
                    code = line.split("//")[0]
                    if COMPARED.search(code) and not re.search(r"version|stopping_since|failing_since_", code):
                        bad.append(f"core/src/{path}:{number}: {line.strip()}")
    for line in bad:
        print(line)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
