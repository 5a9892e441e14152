"""The statistics segment through vpp_papi's own reader. Arguments: statistics socket, API socket."""

import sys

from client import connect, expect
from vpp_papi.vpp_stats import VPPStats

client = connect(sys.argv[2])
client.api.create_loopback()
stats = VPPStats(sys.argv[1])
stats.connect()
names = stats.ls(["^/if/", "^/sys/", "^/err/", "^/net/", "^/nodes/", "^/interfaces/"])
for wanted in [
    "/sys/heartbeat",
    "/sys/vector_rate",
    "/sys/num_worker_threads",
    "/if/names",
    "/if/rx",
    "/if/drops",
    "/interfaces/loop0/tx",
    "/err/ip4-input/time_expired",
    "/err/ip4-local/unknown_protocol",
    "/err/arp-reply/l3_dst_address_not_local",
    "/err/ethernet-input/no error",
    "/net/route/to",
    "/net/arp/rx/requests",
]:
    assert wanted in names, f"{wanted} is missing"
expect("names", list(stats["/if/names"])[:2], ["local0", "loop0"])
expect("counter", stats["/err/ip4-input/time_expired"].sum(), 0)
client.disconnect()
stats.disconnect()
print("ok")
