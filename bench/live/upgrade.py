"""What a rolling restart costs by how processes are members of their group: claims, messages that are read again, partitions that are lost."""

import time

from integration.fleet import Fleet
from lab.process import wait_until

NAMES = tuple(f"p{number}" for number in range(1, 9))
MEMBERSHIPS = {"fixed names": {"fixed_names": True}, "no names": {"fixed_names": False}, "no names, eager": {"fixed_names": False, "assignment": "eager"}}


def rolling_restart(servers, folder, membership, seconds):
    """Eight processes are ended and started one after the other while events come for about `seconds`; a dictionary of what was measured."""
    fleet = Fleet(folder, servers, session_ms=45_000, **MEMBERSHIPS[membership])
    try:
        for name in NAMES:
            fleet.start(name)
            if name == NAMES[0]:
                fleet.keep_ledger()
        fleet.wait_until_shared()
        before = fleet.leases()
        fleet.produce_slowly(seconds)
        fleet.wait_until_met()
        began = time.monotonic()
        for name in NAMES:
            if fleet.end(name) != 0:
                raise SystemExit(fleet.log(name)[-4000:])
            fleet.start(name)
            wait_until(lambda started=name: started in fleet.owners().values(), 60, fleet.owners, poll=0.1)
        fleet.wait_until_shared()
        took = time.monotonic() - began
        after = fleet.leases()
        fleet.finish_producing()
        fleet.wait_until_complete(120)
        wrong, twice = fleet.differences(), fleet.done_twice()
        for name in NAMES:
            fleet.end(name)
        lost = sum(fleet.log(name).count("took away") for name in NAMES)
        messages, read = servers.kafka.count(servers.kafka.topics()), sum(each["messages"] for each in fleet.summaries())
    finally:
        fleet.stop()
    return {"membership": membership, "partitions": len(before), "seconds": round(took, 1),
            "claims": sum(after[place][1] - before[place][1] for place in before), "changed_owner": sum(after[place][0] != before[place][0] for place in before),
            "lost": lost, "messages": messages, "read_again": read - messages, "exact": not wrong and not twice}
