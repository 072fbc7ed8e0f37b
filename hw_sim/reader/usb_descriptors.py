"""USB descriptors as a host parses them (USB 2.0, 9.6), named as pyusb names their fields."""

from types import SimpleNamespace


class Node:
    """A device found on the bus, with its descriptors parsed into pyusb's attributes."""

    def __init__(self, address: int, device: bytes, configuration: bytes, ports: tuple[int, ...]) -> None:
        self.address = address
        self.device = _fields(_DEVICE, device)
        self.device.__dict__.update(
            bus=1, address=address, port_number=ports[-1], port_numbers=ports, speed=3
        )
        self.configuration = _fields(_CONFIGURATION, configuration)
        self.configuration.extra_descriptors = []
        self.interfaces: list[SimpleNamespace] = []
        self.endpoints: list[list[SimpleNamespace]] = []
        offset = configuration[0]
        while offset < len(configuration):
            self._add(configuration[offset : offset + configuration[offset]])
            offset += configuration[offset]

    def _add(self, piece: bytes) -> None:
        if piece[1] == 4:
            self.interfaces.append(_fields(_INTERFACE, piece))
            self.interfaces[-1].extra_descriptors = []
            self.endpoints.append([])
        elif piece[1] == 5:
            end = _fields(_ENDPOINT, piece)
            end.__dict__.update(bRefresh=0, bSynchAddress=0, extra_descriptors=[])
            self.endpoints[-1].append(end)
        else:
            self.interfaces[-1].extra_descriptors += list(piece)


_HEAD = (("bLength", 1), ("bDescriptorType", 1))
_DEVICE = (
    *_HEAD,
    ("bcdUSB", 2),
    *((name, 1) for name in ("bDeviceClass", "bDeviceSubClass", "bDeviceProtocol", "bMaxPacketSize0")),
    *((name, 2) for name in ("idVendor", "idProduct", "bcdDevice")),
    *((name, 1) for name in ("iManufacturer", "iProduct", "iSerialNumber", "bNumConfigurations")),
)
_CONFIGURATION = (
    *_HEAD,
    ("wTotalLength", 2),
    *((name, 1) for name in ("bNumInterfaces", "bConfigurationValue", "iConfiguration")),
    *((name, 1) for name in ("bmAttributes", "bMaxPower")),
)
_INTERFACE = (
    *_HEAD,
    *((name, 1) for name in ("bInterfaceNumber", "bAlternateSetting", "bNumEndpoints")),
    *((name, 1) for name in ("bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol", "iInterface")),
)
_ENDPOINT = (*_HEAD, ("bEndpointAddress", 1), ("bmAttributes", 1), ("wMaxPacketSize", 2), ("bInterval", 1))


def _fields(layout: tuple[tuple[str, int], ...], raw: bytes) -> SimpleNamespace:
    """Read little-endian fields by name."""
    found, offset = SimpleNamespace(), 0
    for name, size in layout:
        setattr(found, name, int.from_bytes(raw[offset : offset + size], "little"))
        offset += size
    return found
