#!/usr/bin/env python3
"""What a kcat capture holds, read by Python's json: one line a partition with the number of messages, of headers, and the CRC-32
of all keys, values, offsets and times. Usage: make_golden.py tests/data/NAME/events.jsonl[.gz] > NAME.golden"""
import gzip
import json
import sys
import zlib

partitions = {}
with (gzip.open if sys.argv[1].endswith(".gz") else open)(sys.argv[1], "rb") as lines:
    for line in lines:
        event = json.loads(line)
        state = partitions.setdefault((event["topic"], event["partition"]), [0, 0, 0])
        parts = [str(event["offset"]).encode(), str(event["ts"]).encode()]
        headers = event.get("headers") or []
        for text in [event["key"], event["payload"], *headers]:
            parts.append(b"-" if text is None else b"=" + text.encode())
        state[0] += 1
        state[1] += len(headers) // 2
        for part in parts:
            state[2] = zlib.crc32(str(len(part)).encode() + b":" + part, state[2])
for (topic, partition), (messages, headers, crc) in sorted(partitions.items()):
    print(topic, partition, messages, headers, crc)
