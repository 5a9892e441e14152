"""Reads the segment that papi.rs serves, through vpp_papi's own client; fails with what is different."""

import sys

from vpp_papi.vpp_stats import VPPStats

stats = VPPStats(socketname=sys.argv[1])
stats.connect()

names = stats.ls("")
assert names[:3] == ["/sys/heartbeat", "/sys/last_stats_clear", "/sys/boottime"], names
assert all(names), "an entry without a name"
assert stats.ls("/interfaces/gone") == [], names
everything = stats.dump(names)


def expect(name, value):
    """The entry `name` has `value`."""
    assert everything[name] == value, f"{name}: {everything[name]} instead of {value}"


expect("/sys/heartbeat", 1)
expect("/sys/boottime", 1_700_000_000)
expect("/sys/vector_rate", 12)
expect("/mem/stat segment/total", [4 << 30])
assert len(everything["/mem/stat segment"][0]) == 7
expect("/if/names", ["local0", "loop0", "deleted", "tap0"])
expect("/if/drops", [[0, 0, 0, 2], [0, 41, 0, 1]])
expect("/interfaces/tap0/drops", [2, 1])
expect("/interfaces/loop0/drops", [0, 41])
assert everything["/interfaces/tap0/drops"].sum() == 3
assert everything["/if/rx"][:, 1].sum_packets() == 3
assert everything["/interfaces/loop0/rx"].sum_octets() == 192
route = stats["/net/route/to"]
assert len(route[0]) == len(route[1]) == 20_001
assert route[1][20_000]["packets"] == 7 and route[1][20_000]["bytes"] == 700
histogram = everything["/histogram"]
assert histogram.min_exp == 3 and histogram.bins == [[0] * 4, [0, 1, 0, 0]], histogram
ring = stats.get_ring_buffer("/ring")
assert ring.get_schema_string(1) == ("schema text", 11, 3)
assert ring.consume_data(1) == [bytes([n]) * 16 for n in (2, 3, 4, 5)]
assert ring.consume_data(0) == []
stats.disconnect()
