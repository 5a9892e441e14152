"""What the scripts share: a connected vpp_papi client, and short words for common messages."""

import glob
import sys

from vpp_papi import VPPApiClient

NO_LABELS = [{"is_uniform": 0, "label": 0, "ttl": 0, "exp": 0}] * 16


def connect(socket, api_dir=None, name="tests"):
    """A client with the definitions of a folder, or with those the node tells of itself."""
    if api_dir:
        client = VPPApiClient(apifiles=glob.glob(f"{api_dir}/*.api.json"), server_address=socket)
    else:
        client = VPPApiClient(bootstrapapi=True, server_address=socket)
    client.connect(name)
    return client


def path(sw_if_index=0xFFFFFFFF, next_hop=None, **more):
    """One path of an IPv4 route."""
    fields = {
        "sw_if_index": sw_if_index,
        "table_id": 0,
        "rpf_id": 0xFFFFFFFF,
        "weight": 1,
        "preference": 0,
        "type": 0,
        "flags": 0,
        "proto": 0,
        "nh": {
            "address": {"ip4": next_hop or "0.0.0.0"},
            "via_label": 0,
            "obj_id": 0,
            "classify_table_index": 0,
        },
        "n_labels": 0,
        "label_stack": NO_LABELS,
    }
    fields.update(more)
    return fields


def route(client, prefix, *paths, is_add=True, is_multipath=False, table_id=0):
    """Adds or deletes a route; gives the reply."""
    return client.api.ip_route_add_del(
        is_add=is_add,
        is_multipath=is_multipath,
        route={
            "table_id": table_id,
            "stats_index": 0,
            "prefix": prefix,
            "n_paths": len(paths),
            "paths": list(paths),
        },
    )


def cli(client, command):
    """What a command prints; it must succeed."""
    reply = client.api.cli_inband(cmd=command)
    assert reply.retval == 0, f"{command}: {reply}"
    return reply.reply


def expect(what, value, wanted):
    """Fails with both values."""
    if value != wanted:
        sys.exit(f"{what}: {value!r}, wanted {wanted!r}")
