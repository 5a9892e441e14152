"""Packets from pg0 to pg1 through ethernet-input, ip4-lookup and ip4-rewrite, configured by messages.

Arguments: API socket, folder of .api.json files, folder to write captures into.
"""

import os
import sys
import time

from client import cli, connect, expect, path, route
from scapy.all import IP, UDP, Ether, rdpcap

client = connect(sys.argv[1], sys.argv[2])
version = client.api.show_version()
expect("program", version.program, "vpe")
assert version.version.startswith("26.06-barrow."), version

indexes = []
for n in range(2):
    index = client.api.pg_create_interface_v3(interface_id=n, mode=0).sw_if_index
    expect("flags", client.api.sw_interface_set_flags(sw_if_index=index, flags=1).retval, 0)
    prefix = f"10.0.{n}.1/24"
    added = client.api.sw_interface_add_del_address(sw_if_index=index, is_add=1, prefix=prefix)
    expect("address", added.retval, 0)
    indexes.append(index)
names = {i.sw_if_index: i.interface_name for i in client.api.sw_interface_dump()}
expect("names", [names[i] for i in indexes], ["pg0", "pg1"])

neighbor = {
    "sw_if_index": indexes[1],
    "flags": 1,
    "mac_address": "02:fe:00:00:00:02",
    "ip_address": "10.0.1.2",
}
expect("neighbor", client.api.ip_neighbor_add_del(is_add=1, neighbor=neighbor).retval, 0)
expect("route", route(client, "20.0.0.0/8", path(indexes[1], "10.0.1.2")).retval, 0)

own = client.api.sw_interface_get_mac_address(sw_if_index=indexes[0]).mac_address
capture = os.path.join(sys.argv[3], "out.pcap")
cli(client, f"packet-generator capture pg1 pcap {capture} count 100")
cli(
    client,
    "packet-generator new { name s1 limit 50 size 100-100 interface pg0 node ethernet-input "
    f"data {{ IP4: 02:fe:11:11:11:11 -> {own} UDP: 10.0.0.2 -> 20.0.0.1 "
    "UDP: 1234 -> 2345 incrementing 30 } }",
)
cli(client, "packet-generator enable-stream s1")
for _ in range(100):
    if "Yes" not in cli(client, "show packet-generator"):
        break
    time.sleep(0.05)
cli(client, "packet-generator capture pg1 disable")

packets = rdpcap(capture)
expect("packets", len(packets), 50)
for packet in packets:
    expect("destination", packet[Ether].dst, "02:fe:00:00:00:02")
    expect("ttl", packet[IP].ttl, 63)
    expect("route", packet[IP].dst, "20.0.0.1")
    expect("port", packet[UDP].dport, 2345)
    given = packet[IP].chksum
    del packet[IP].chksum
    expect("checksum", IP(bytes(packet[IP])).chksum, given)

details = [r for r in client.api.ip_route_dump(table={"table_id": 0})]
assert any(str(r.route.prefix) == "20.0.0.0/8" for r in details), details
client.disconnect()
print("ok")
