"""A V4L2 device that measures distances, read through the kernel's own interface (<linux/videodev2.h>).

OpenCV does not open a device that offers none of the formats it knows, and depth (`Z16`) is none of them. So
this asks the kernel itself for 16 bits a pixel. Numbers and offsets are those of 64-bit machines.
"""

import errno
import fcntl
import mmap
import os
import select
import struct
import sys
import time
from contextlib import suppress
from typing import Final

import numpy as np
import numpy.typing as npt

from gated.core.ports import DeviceGone

Depth = npt.NDArray[np.uint16]

FORMATS: Final = (b"Z16 ", b"Y16 ")  # distances; 16 bits of grey, by which some cameras send them
BUFFERS: Final = 3
MOST_BUFFERS: Final = 32  # VIDEO_MAX_FRAME
MOST_BYTES: Final = 64_000_000  # of one buffer

_QUERYCAP, _S_FMT, _REQBUFS, _QUERYBUF = 0x80685600, 0xC0D05605, 0xC0145608, 0xC0585609
_QBUF, _DQBUF, _STREAMON, _STREAMOFF = 0xC058560F, 0xC0585611, 0x40045612, 0x40045613
_CAPTURE, _MMAP = 1, 1  # V4L2_BUF_TYPE_VIDEO_CAPTURE, V4L2_MEMORY_MMAP
_CAN_CAPTURE, _CAN_STREAM = 0x1, 0x04000000
_BROKEN: Final = 0x40  # V4L2_BUF_FLAG_ERROR
_CAPABILITY_BYTES, _FORMAT_BYTES, _BUFFER_BYTES = 104, 208, 88
_PIX: Final = struct.Struct("<II4sIII")  # width, height, pixelformat, field, bytesperline, sizeimage
_PIX_AT, _ABLE_AT, _STAMP_AT = 8, 88, 24


class DepthDevice:
    """An open device that streams, a `drivers.pictures.Capture`; for one thread."""

    def __init__(self, source: str, width: int, height: int, *, timeout_s: float, section: str) -> None:
        """Open it and let it stream. Raises DeviceGone; a `grab` waits no longer than `timeout_s`."""
        self._width, self._height = width, height
        self._timeout_s = timeout_s
        self._section = section
        self._maps: list[mmap.mmap] = []
        self._held: int | None = None
        self._stamp_s = 0.0
        if sys.byteorder != "little":
            raise self._gone("no_depth", "depth cameras are read on little-endian machines only")
        try:
            self._fd = os.open(source, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise self._gone("no_stream", f"check the camera and {section}.source ({source})") from error
        try:
            self._row_bytes = self._agree(source)
            self._stream()
        except OSError as error:
            self.release()
            raise self._gone(
                "no_stream", f"{source} does not stream: is another program using it?"
            ) from error
        except DeviceGone:
            self.release()
            raise

    def grab(self) -> bool:
        """Wait for the next whole frame; false when none came in time or the device is gone."""
        until = time.monotonic() + self._timeout_s
        try:
            self._give_back()
            while (left := until - time.monotonic()) > 0:
                select.select([self._fd], [], [], left)
                if self._take():
                    return True
        except OSError:
            return False
        return False

    def retrieve(self) -> tuple[bool, Depth]:
        """Return a copy of the frame that was grabbed, (height, width) in the device's units."""
        if self._held is None:
            return False, np.zeros((0, 0), np.uint16)
        rows = np.frombuffer(self._maps[self._held], np.uint8, self._row_bytes * self._height)
        pixels = rows.reshape(self._height, self._row_bytes)[:, : 2 * self._width]
        return True, pixels.copy().view(np.uint16)  # the driver writes here again

    def stamp_s(self) -> float | None:
        """When the kernel got the frame that was grabbed."""
        return self._stamp_s

    def release(self) -> None:
        """Stop and close. Idempotent."""
        fd, self._fd = self._fd, -1
        if fd < 0:
            return
        with suppress(OSError):  # it may be unplugged
            fcntl.ioctl(fd, _STREAMOFF, struct.pack("<i", _CAPTURE))
        for each in self._maps:
            each.close()
        self._maps.clear()
        self._held = None
        os.close(fd)

    def _agree(self, source: str) -> int:
        """Agree on a format with the device; returns the bytes of a row."""
        able = bytearray(_CAPABILITY_BYTES)
        fcntl.ioctl(self._fd, _QUERYCAP, able)
        (can,) = struct.unpack_from("<I", able, _ABLE_AT)
        if not (can & _CAN_CAPTURE and can & _CAN_STREAM):
            raise self._gone("no_depth", f"{source} is no camera: `v4l2-ctl --list-devices` names them")
        for name in FORMATS:
            wanted = bytearray(_FORMAT_BYTES)
            struct.pack_into("<I", wanted, 0, _CAPTURE)
            _PIX.pack_into(wanted, _PIX_AT, self._width, self._height, name, 1, 0, 0)
            try:
                fcntl.ioctl(self._fd, _S_FMT, wanted)
            except OSError as error:
                if error.errno != errno.EINVAL:  # it may refuse what it does not have, or give another
                    raise
                continue
            width, height, given, _, row_bytes, size = _PIX.unpack_from(wanted, _PIX_AT)
            if given == name:
                return self._fitting(width, height, row_bytes, size)
        fix = f"{source} offers neither Z16 nor Y16: see `v4l2-ctl -d {source} --list-formats-ext`"
        raise self._gone("no_depth", fix)

    def _fitting(self, width: int, height: int, row_bytes: int, size: int) -> int:
        row_bytes = row_bytes or 2 * width
        if (width, height) != (self._width, self._height):
            fix = f"it sends {width}x{height}: set {self._section}.width and {self._section}.height, or the"
            raise self._gone("wrong_size", f"{fix} camera, to match")
        if row_bytes < 2 * width or not row_bytes * height <= size <= MOST_BYTES:
            raise self._gone("no_depth", "the driver contradicts itself about the size of a frame: update it")
        self._size = row_bytes * height
        return row_bytes

    def _stream(self) -> None:
        asked = bytearray(struct.pack("<IIII4x", BUFFERS, _CAPTURE, _MMAP, 0))
        fcntl.ioctl(self._fd, _REQBUFS, asked)
        (count,) = struct.unpack_from("<I", asked)
        for number in range(min(count, MOST_BUFFERS)):
            buffer = _buffer(number)
            fcntl.ioctl(self._fd, _QUERYBUF, buffer)
            (offset,), (length,) = struct.unpack_from("<I", buffer, 64), struct.unpack_from("<I", buffer, 72)
            if not self._size <= length <= MOST_BYTES:
                raise self._gone("no_depth", "the driver's buffers do not hold a frame: update it")
            self._maps.append(mmap.mmap(self._fd, length, offset=offset))
            fcntl.ioctl(self._fd, _QBUF, _buffer(number))
        if not self._maps:
            raise self._gone("no_depth", "the driver has no memory for frames: restart the machine")
        fcntl.ioctl(self._fd, _STREAMON, struct.pack("<i", _CAPTURE))

    def _take(self) -> bool:
        """Take a buffer out of the queue; one that holds no whole frame goes back."""
        buffer = _buffer(0)
        try:
            fcntl.ioctl(self._fd, _DQBUF, buffer)
        except BlockingIOError:
            return False
        number, _, used, flags = struct.unpack_from("<IIII", buffer)
        if number >= len(self._maps):
            raise OSError(errno.EPROTO, "no such buffer")
        self._held = number
        seconds, micros = struct.unpack_from("<qq", buffer, _STAMP_AT)
        self._stamp_s = seconds + micros / 1e6
        if flags & _BROKEN or used < self._size:
            self._give_back()
            return False
        return True

    def _give_back(self) -> None:
        number, self._held = self._held, None
        if number is not None:
            fcntl.ioctl(self._fd, _QBUF, _buffer(number))

    def _gone(self, code: str, fix: str) -> DeviceGone:
        return DeviceGone(self._section, code, fix)


def _buffer(number: int) -> bytearray:
    """A `struct v4l2_buffer` of this number."""
    buffer = bytearray(_BUFFER_BYTES)
    struct.pack_into("<II", buffer, 0, number, _CAPTURE)
    struct.pack_into("<I", buffer, 60, _MMAP)
    return buffer
