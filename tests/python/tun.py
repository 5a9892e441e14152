"""A host behind a tun, a link of bare IP packets: answers echo requests until it is killed.

Argument: name of the tun, which it makes, in the namespace that it is started in.
"""

import fcntl
import os
import struct
import sys

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x1, 0x1000


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22s", sys.argv[1].encode(), IFF_TUN | IFF_NO_PI, b""))
print("ready", flush=True)
while True:
    packet = os.read(tun, 65536)
    # IPv4 without options, ICMP, an echo request of an even length.
    if packet[0] != 0x45 or packet[9] != 1 or packet[20] != 8 or len(packet) % 2:
        continue
    icmp = b"\0\0\0\0" + packet[24:]
    icmp = icmp[:2] + struct.pack(">H", checksum(icmp)) + icmp[4:]
    # Swapped addresses leave the header's checksum as it is.
    os.write(tun, packet[:12] + packet[16:20] + packet[12:16] + icmp)
