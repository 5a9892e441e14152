"""The asyncio client of vpp_papi, which takes all definitions from the node. Argument: API socket.

No events: version 2.4.2 looks for a context in each message before it sorts them, and stops reading at the first
event, which has none (in VPP's definitions as in ours). The blocking client gets them, see bootstrap.py.
"""

import asyncio
import sys

from client import NO_LABELS, expect
from vpp_papi.vpp_papi_async import VPPApiClient

ROUTES = 200


def route(n):
    """The fields of a route to a host that is dropped."""
    path = {
        "sw_if_index": 0xFFFFFFFF,
        "rpf_id": 0xFFFFFFFF,
        "weight": 1,
        "type": 2,  # drop
        "nh": {"address": {"ip4": "0.0.0.0"}},
        "label_stack": NO_LABELS,
    }
    return {"prefix": f"20.0.0.{n}/32", "n_paths": 1, "paths": [path]}


async def main(socket):
    client = VPPApiClient(server_address=socket)
    expect("connect", await client.connect("asyncio", asyncio.Queue()), 0)
    expect("program", (await client.api.show_version()).program, "vpe")

    # Many requests are in flight at a time; each gets its own answer.
    loops = await asyncio.gather(*(client.api.create_loopback() for _ in range(20)))
    expect("indexes", sorted(loop.sw_if_index for loop in loops), list(range(1, 21)))
    added = [client.api.ip_route_add_del(is_add=1, route=route(n)) for n in range(ROUTES)]
    expect("routes", {reply.retval for reply in await asyncio.gather(*added)}, {0})
    refused = await client.api.sw_interface_set_flags(sw_if_index=9999, flags=1)
    expect("error number", refused.retval, -2)

    # A dump ends with the reply to a ping of the same context.
    _, interfaces = await client.api.sw_interface_dump()
    expect("interfaces", len(interfaces), 21)
    _, routes = await client.api.ip_route_dump()
    own = {str(details.route.prefix) for details in routes}
    expect("dumped", own.issuperset(f"20.0.0.{n}/32" for n in range(ROUTES)), True)

    goodbye = await client.disconnect()
    expect("goodbye", goodbye.response, 1)

    # A client that comes again is another one.
    again = VPPApiClient(server_address=socket)
    expect("connect again", await again.connect("again", asyncio.Queue()), 0)
    await again.api.control_ping()
    await again.disconnect()
    print("ok")


asyncio.run(main(sys.argv[1]))
