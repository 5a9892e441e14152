"""A client without any file: all definitions come from the node. Then the errors that clients rely on."""

import sys

from client import connect, expect, path, route

client = connect(sys.argv[1])
expect("loopback", client.api.create_loopback().retval, 0)
flags = client.api.sw_interface_set_flags
expect("unknown interface", flags(sw_if_index=9999, flags=1).retval, -2)
expect("no table", route(client, "1.0.0.0/8", path(1), table_id=99).retval, -3)
expect("no path", route(client, "1.0.0.0/8").retval, -52)
expect("unknown command", client.api.cli_inband(cmd="no such command").retval, -1)
expect("events", client.api.want_interface_events(enable_disable=1, pid=7).retval, 0)
expect("twice", client.api.want_interface_events(enable_disable=1, pid=7).retval, -31)
seen = []
client.register_event_callback(lambda name, event: seen.append((name, event)))
flags(sw_if_index=1, flags=1)
client.api.control_ping()
for _ in range(50):
    if seen:
        break
    client.api.control_ping()
assert seen and seen[0][0] == "sw_interface_event" and seen[0][1].sw_if_index == 1, seen
client.disconnect()
print("ok")
