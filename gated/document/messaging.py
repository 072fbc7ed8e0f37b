"""Secure messaging (Doc 9303-11 section 9.8), the terminal's side, and the primitives both sides share.

The counter goes up by one before every command and every response, whatever the response says. A reply
that is not protected, lacks an object, has one too many or a wrong MAC ends the channel for good: nothing
can be sent over it any more, and the counter is never repaired. The status that counts is the protected
one (DO99); the one outside the MAC is not looked at.

Command:  [DO87 | DO85] [DO97] DO8E, in this order. Response: [DO87 | DO85] DO99 DO8E. For an odd INS the
data travels in DO85, without the padding-content indicator.
"""

from dataclasses import dataclass

from gated.document import keys, tlv
from gated.document.apdu import Command, Response
from gated.document.errors import MessagingError, TlvError
from gated.document.keys import PaddingError, Suite

PROTECTED = 0x0C  # CLA bits: secure messaging, header authenticated
DO_PLAIN_CODED = 0x85
DO_PADDED = 0x87
DO_LE = 0x97
DO_STATUS = 0x99
DO_MAC = 0x8E
WITH_PADDING = b"\x01"

MAX_BODY = 65_536


@dataclass(frozen=True, slots=True, repr=False)
class SessionKeys:
    """The two keys of a session; every method takes the counter of the message at hand."""

    suite: Suite
    encryption: bytes
    authentication: bytes

    def __repr__(self) -> str:
        return f"SessionKeys({self.suite.value})"

    def encrypt(self, counter: int, plain: bytes) -> bytes:
        """Pad by method 2 and encrypt."""
        padded = keys.pad(plain, self.suite.block)
        return keys.encrypt(self.suite, self.encryption, padded, self._vector(counter))

    def decrypt(self, counter: int, cryptogram: bytes) -> bytes:
        """Decrypt and remove the padding. Raises MessagingError(`messaging_padding`)."""
        if not cryptogram or len(cryptogram) % self.suite.block:
            raise MessagingError("messaging_padding")
        plain = keys.decrypt(self.suite, self.encryption, cryptogram, self._vector(counter))
        try:
            return keys.unpad(plain, self.suite.block)
        except PaddingError as error:
            raise MessagingError("messaging_padding") from error

    def mac_of_command(self, counter: int, header: bytes, objects: bytes) -> bytes:
        """MAC over the padded header (with the protected CLA) and the objects before DO8E."""
        return self._mac(counter, keys.pad(header, self.suite.block) + objects)

    def mac_of_response(self, counter: int, objects: bytes) -> bytes:
        """MAC over the objects before DO8E."""
        return self._mac(counter, objects)

    def coded_counter(self, counter: int) -> bytes:
        """The counter, one block long."""
        return counter.to_bytes(self.suite.block, "big")

    def _mac(self, counter: int, message: bytes) -> bytes:
        message = self.coded_counter(counter) + message
        if self.suite is not Suite.TDES:  # the retail MAC pads by itself
            message = keys.pad(message, self.suite.block)
        return keys.mac(self.suite, self.authentication, message)

    def _vector(self, counter: int) -> bytes:
        """Zero for 3DES, the encrypted counter for AES (section 9.8.6)."""
        if self.suite is Suite.TDES:
            return bytes(8)
        return keys.encrypt(self.suite, self.encryption, self.coded_counter(counter))


class SecureChannel:
    """The terminal's end of a session. `protect` a command, send it, `unprotect` its response, in turn."""

    def __init__(self, session: SessionKeys, counter: int = 0) -> None:
        self._session = session
        self._counter = counter
        self._open = True
        self._awaited: Command | None = None

    @property
    def suite(self) -> Suite:
        """The cipher of the session."""
        return self._session.suite

    @property
    def is_open(self) -> bool:
        """Whether commands can still be sent."""
        return self._open

    def protect(self, command: Command) -> Command:
        """Wrap a command. Raises MessagingError when the channel is closed or out of turn."""
        if not self._open:
            raise MessagingError("messaging_closed")
        if self._awaited is not None:
            self._open = False
            raise MessagingError("messaging_out_of_turn")
        self._counter = self._next()
        cla = command.cla | PROTECTED
        header = bytes([cla]) + command.header[1:]
        objects = self._command_objects(command)
        check = self._session.mac_of_command(self._counter, header, objects)
        body = objects + tlv.encode(DO_MAC, check)
        self._awaited = command
        le = 65536 if command.extended or len(body) > 255 else 256
        return Command(cla, command.ins, command.p1, command.p2, body, le)

    def unprotect(self, response: Response) -> Response:
        """Check and open a response. Any doubt raises MessagingError and closes the channel."""
        command, self._awaited = self._awaited, None
        opened, self._open = self._open, False
        if not opened or command is None:
            raise MessagingError("messaging_out_of_turn")
        self._counter = self._next()
        plain = self._open_response(command, response)
        self._open = True
        return plain

    def _next(self) -> int:
        counter = self._counter + 1
        if counter >> (8 * self.suite.block):
            self._open = False
            raise MessagingError("messaging_counter_overflow")
        return counter

    def _command_objects(self, command: Command) -> bytes:
        objects = b""
        if command.body:
            cryptogram = self._session.encrypt(self._counter, command.body)
            if command.ins & 1:
                objects += tlv.encode(DO_PLAIN_CODED, cryptogram)
            else:
                objects += tlv.encode(DO_PADDED, WITH_PADDING + cryptogram)
        if command.le is not None:
            width = 2 if command.extended else 1
            objects += tlv.encode(DO_LE, (command.le % 256**width).to_bytes(width, "big"))
        return objects

    def _open_response(self, command: Command, response: Response) -> Response:
        if not response.body:
            raise MessagingError("messaging_unprotected", response.status)
        try:
            objects = tlv.parse(response.body, max_length=MAX_BODY)
        except TlvError as error:
            raise MessagingError("messaging_objects", response.status) from error
        *protected, check = objects
        if check.tag != DO_MAC or len(check.value) != keys.MAC_LENGTH:
            raise MessagingError("messaging_mac_missing", response.status)
        covered = response.body[: -len(check.value) - 2]
        if not keys.equal(self._session.mac_of_response(self._counter, covered), check.value):
            raise MessagingError("messaging_mac_wrong")
        return self._decrypt(command, protected)

    def _decrypt(self, command: Command, protected: list[tlv.Tlv]) -> Response:
        if not protected or protected[-1].tag != DO_STATUS or len(protected[-1].value) != 2:
            raise MessagingError("messaging_status_missing")
        status = int.from_bytes(protected[-1].value, "big")
        if len(protected) == 1:
            return Response(b"", status)
        if len(protected) > 2:
            raise MessagingError("messaging_objects")
        return Response(self._plain(command, protected[0]), status)

    def _plain(self, command: Command, item: tlv.Tlv) -> bytes:
        """Chips answer an odd INS with DO85 or with DO87; an even one only with DO87."""
        if item.tag == DO_PADDED and item.value[:1] == WITH_PADDING:
            return self._session.decrypt(self._counter, item.value[1:])
        if item.tag == DO_PLAIN_CODED and command.ins & 1:
            return self._session.decrypt(self._counter, item.value)
        raise MessagingError("messaging_objects")
