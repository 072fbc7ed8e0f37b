"""Reads a passport chip through the PC/SC daemon with cryptography that is none of ours: OpenPACE's libeac.

    eac_terminal.py (CAN | MRZ) SECRET [PROTOCOL DOMAIN]

PACE as EF.CardAccess first offers it, then the files of the application over secure messaging; before them
chip authentication (version 2) by the protocol and the standard domain that are named. Prints one JSON
object: each file's content by its identifier, in hexadecimal digits.
"""

# ruff: noqa: T201 - a program that prints

import json
import sys

import eac
import pcsc

APPLICATION = bytes.fromhex("A0000002471001")
CARD_ACCESS, COM, DG1, DG2, DG14 = 0x011C, 0x011E, 0x0101, 0x0102, 0x010E
PACE = bytes.fromhex("04007F0007020204")
CHIP_AUTHENTICATION = bytes.fromhex("04007F0007020203")
PUBLIC_KEY = bytes.fromhex("04007F0007020201")
REFERENCES = {"MRZ": eac.PACE_MRZ, "CAN": eac.PACE_CAN}
INTEGER = 0x02
TRIPLE_DES = 1  # the last arc of a protocol's identifier
LONGEST_READ = 208


def tlv(tag: int, value: bytes) -> bytes:
    """Code one object; values below 64 KiB."""
    size = len(value)
    head = bytes([size]) if size < 0x80 else b"\x81" + bytes([size]) if size < 0x100 else b""
    return bytes([tag]) + (head or b"\x82" + size.to_bytes(2, "big")) + value


def objects(data: bytes) -> list[tuple[int, bytes]]:
    """Tags of one or two bytes, and values."""
    found = []
    while data:
        width = 2 if data[0] & 0x1F == 0x1F else 1
        tag, size, data = int.from_bytes(data[:width], "big"), data[width], data[width + 1 :]
        if size & 0x80:
            more = size & 0x7F
            size, data = int.from_bytes(data[:more], "big"), data[more:]
        found.append((tag, data[:size]))
        data = data[size:]
    return found


def wanted(data: bytes, tag: int) -> bytes:
    """The value of the object with a tag."""
    return dict(objects(data))[tag]


class Terminal:
    """One chip; in the clear until `pace` has succeeded."""

    def __init__(self, card: pcsc.Card) -> None:
        self._card = card
        self._context = eac.new_context()
        self._block = 0

    def send(self, header: bytes, body: bytes = b"", le: int | None = None) -> bytes:
        """Exchange one command; the response must say 9000."""
        if self._block:
            return self._send_secured(header, body, le)
        response = self._card.transmit(header + _coded(body, le))
        assert response[-2:] == b"\x90\x00", response[-2:].hex()
        return response[:-2]

    def read(self, fid: int) -> bytes:
        """Select a file and read it to the end that its head declares."""
        self.send(b"\x00\xa4\x02\x0c", fid.to_bytes(2, "big"))
        content = self.send(b"\x00\xb0\x00\x00", b"", 4)
        declared = content[1] & 0x7F
        whole = (
            2 + content[1]
            if content[1] < 0x80
            else 2 + declared + int.from_bytes(content[2 : 2 + declared], "big")
        )
        while len(content) < whole:
            more = min(LONGEST_READ, whole - len(content))
            content += self.send(b"\x00\xb0" + len(content).to_bytes(2, "big"), b"", more)
        return content

    def pace(self, kind: int, secret: bytes) -> None:
        """PACE with generic mapping (Doc 9303-11 section 4.4)."""
        offers, context = self.read(CARD_ACCESS), self._context
        protocol = next(
            fields[0][1]
            for fields in (objects(info) for _, info in objects(wanted(offers, 0x31)))
            if fields[0][1].startswith(PACE)
        )
        eac.read_card_access(context, offers)
        password = eac.new_secret(secret, kind)
        self.send(b"\x00\x22\xc1\xa4", tlv(0x80, protocol) + tlv(0x83, bytes([kind])))
        eac.PACE_STEP2_dec_nonce(context, password, self._step(b"", 0x80))
        own = eac.PACE_STEP3A_generate_mapping_data(context)
        eac.PACE_STEP3A_map_generator(context, self._step(tlv(0x81, own), 0x82))
        own = eac.PACE_STEP3B_generate_ephemeral_key(context)
        theirs = self._step(tlv(0x83, own), 0x84)
        eac.PACE_STEP3B_compute_shared_secret(context, theirs)
        eac.PACE_STEP3C_derive_keys(context)
        token = eac.PACE_STEP3D_compute_authentication_token(context, theirs)
        eac.PACE_STEP3D_verify_authentication_token(context, self._step(tlv(0x85, token), 0x86, last=True))
        eac.EAC_CTX_set_encryption_ctx(context, eac.EAC_ID_PACE)
        self._block = 8 if protocol[-1] == TRIPLE_DES else 16

    def authenticate_chip(self, protocol: str, domain: int) -> None:
        """Chip authentication version 2 with the one key in DG14; from here on under its keys."""
        context = self._context
        infos = [objects(info) for _, info in objects(wanted(wanted(self.read(DG14), 0x6E), 0x31))]
        identifier = next(it[0][1] for it in infos if it[0][1].startswith(CHIP_AUTHENTICATION))
        subject = next(objects(it[1][1]) for it in infos if it[0][1].startswith(PUBLIC_KEY))
        theirs = subject[1][1][1:]  # behind the count of unused bits
        if theirs[0] == INTEGER:
            theirs = wanted(theirs, INTEGER).lstrip(b"\0")
        eac.init_chip_authentication(context, protocol, domain)
        eac.TA_STEP3_generate_ephemeral_key(context)
        own = eac.CA_STEP2_get_eph_pubkey(context)
        self.send(b"\x00\x22\x41\xa4", tlv(0x80, identifier))
        reply = wanted(self.send(b"\x00\x86\x00\x00", tlv(0x7C, tlv(0x80, own)), 256), 0x7C)
        eac.CA_STEP4_compute_shared_secret(context, theirs)
        eac.CA_STEP6_derive_keys(context, wanted(reply, 0x81), wanted(reply, 0x82))
        eac.EAC_CTX_set_encryption_ctx(context, eac.EAC_ID_CA)
        self._block = 8 if identifier[-1] == TRIPLE_DES else 16

    def _step(self, content: bytes, tag: int, *, last: bool = False) -> bytes:
        header = b"\x00\x86\x00\x00" if last else b"\x10\x86\x00\x00"
        return wanted(wanted(self.send(header, tlv(0x7C, content), 256), 0x7C), tag)

    def _send_secured(self, header: bytes, body: bytes, le: int | None) -> bytes:
        context, objects_ = self._context, b""
        eac.EAC_increment_ssc(context)
        header = b"\x0c" + header[1:]
        if body:
            objects_ += tlv(0x87, b"\x01" + eac.EAC_encrypt(context, self._padded(body)))
        if le is not None:
            objects_ += tlv(0x97, bytes([le % 256]))
        covered = self._padded(header) + (self._padded(objects_) if objects_ else b"")
        check = eac.EAC_authenticate(context, covered)
        response = self._card.transmit(header + _coded(objects_ + tlv(0x8E, check), 256))
        eac.EAC_increment_ssc(context)
        return self._opened(response)

    def _opened(self, response: bytes) -> bytes:
        assert response[-2:] == b"\x90\x00", response[-2:].hex()
        *covered, (last, check) = objects(response[:-2])
        assert last == 0x8E
        coded = b"".join(tlv(tag, value) for tag, value in covered)
        assert eac.EAC_authenticate(self._context, self._padded(coded)) == check, "wrong MAC"
        found = dict(covered)
        assert found[0x99] == b"\x90\x00", found[0x99].hex()
        if 0x87 not in found:
            return b""
        plain = eac.EAC_decrypt(self._context, found[0x87][1:])
        return plain[: plain.rindex(b"\x80")]

    def _padded(self, data: bytes) -> bytes:
        padded = data + b"\x80"
        return padded + bytes(-len(padded) % self._block)


def _coded(body: bytes, le: int | None) -> bytes:
    """Lc, body and Le: in the short form where they fit."""
    if len(body) < 256:
        return (bytes([len(body)]) + body if body else b"") + (b"" if le is None else bytes([le % 256]))
    return b"\x00" + len(body).to_bytes(2, "big") + body + (b"" if le is None else bytes(2))


def main(kind: str, secret: str, protocol: str = "", domain: str = "") -> None:
    """Read and print."""
    card = pcsc.Card()
    try:
        terminal = Terminal(card)
        terminal.pace(REFERENCES[kind], secret.encode())
        terminal.send(b"\x00\xa4\x04\x0c", APPLICATION)
        if protocol:
            terminal.authenticate_chip(protocol, int(domain))
        print(json.dumps({f"{fid:04x}": terminal.read(fid).hex() for fid in (COM, DG1, DG2)}))
    finally:
        card.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
