"""The statistics segment through vpp_papi's own reader. Arguments: statistics socket, API socket."""

import sys

from client import connect, expect
from vpp_papi.vpp_stats import VPPStats

client = connect(sys.argv[2])
client.api.create_loopback()
stats = VPPStats(sys.argv[1])
stats.connect()
names = stats.ls(["^/"])
EACH = """drops punt ip4 ip6 rx-no-buf rx-miss rx-error tx-error mpls rx rx-unicast rx-multicast rx-broadcast
    tx tx-unicast tx-multicast tx-broadcast""".split()
SYSTEM = """heartbeat last_stats_clear boottime last_update input_rate vector_rate vector_rate_per_worker
    loops_per_worker num_worker_threads node/names node/calls node/vectors node/suspends node/clocks""".split()
MEMORY = [f"/mem/{heap}{part}" for heap in ("stat segment", "main heap") for part in ("", "/used", "/total", "/free")]
wanted = [f"/sys/{name}" for name in SYSTEM]
wanted += [f"/if/{name}" for name in ["names", *EACH]]
wanted += [f"/interfaces/{name}/{each}" for name in ("local0", "loop0") for each in EACH]
wanted += [f"/nodes/ip4-input/{name}" for name in ("calls", "vectors", "suspends", "clocks")]
wanted += [f"/net/arp/{way}/{what}" for way in ("rx", "tx") for what in ("requests", "replies", "gratuitous")]
wanted += [f"/buffer-pools/default-numa-0/{name}" for name in ("cached", "used", "available")]
wanted += MEMORY
wanted += ["/node/errors", "/net/route/to", "/net/route/via", "/net/adjacency", "/net/punt"]
wanted += [
    "/err/ip4-input/time_expired",
    "/err/ip4-local/unknown_protocol",
    "/err/ip4-local-full-reassembly/reass_timeout",
    "/err/arp-reply/l3_dst_address_not_local",
    "/err/ethernet-input/no error",
    "/err/loop0-output/interface is down",
]
expect("missing", [name for name in wanted if name not in names], [])
# The sockets have counted this very client.
counted = [name for name in names if name.startswith("/err/") and "-socket-" not in name]
expect("counters that are not at 0", [name for name in counted if stats[name].sum() != 0], [])
expect("names", list(stats["/if/names"])[:2], ["local0", "loop0"])
client.disconnect()
stats.disconnect()
print("ok")
