"""The list key, and what is made of a listed document with it: no number is ever written down.

Documents lie on a gate as keyed hashes (BLAKE2b, RFC 7693, keyed). Document numbers are few enough to be
tried one by one, so a hash without a secret would hide nothing; with one, a stolen disk and a tapped wire
show only how many documents there are. The key is made at the centre and reaches a gate in a file of its own
(`gated.store.list_keys`), never with the lists. Each use of it has a sub-key of its own, so that what is
learnt from one says nothing of another.

A key is known by its id, which the files made with it name: during a change of keys a gate holds both.
"""

import hashlib
from collections.abc import Iterable
from typing import Annotated, Final, Literal, NoReturn

import msgspec
from msgspec import Meta

from gated.core.values import Value
from gated.watchlist.match import normal_issuer, normal_number
from gated.watchlist.snapshot import ListError

KEY_BYTES: Final = 32
TAG_BYTES: Final = 8  # of 10^8 documents, one innocent lookup in 10^11 finds a stranger's
REFERENCE_BYTES: Final = 5
SEAL_BYTES: Final = 8
MAX_KEY_FILE: Final = 4096
MAX_KEYS: Final = 8

KeyId = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]


class ListKeyError(Exception):
    """A list key cannot be used, or not be made; the text names the file and the fix, never the key."""


class ListKey:
    """One secret that lists are made under."""

    __slots__ = ("_secret", "id")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise ListKeyError(f"a list key has {KEY_BYTES} bytes")
        self._secret = secret
        self.id = self.derive("id", 8).hex()

    def derive(self, purpose: str, size: int = KEY_BYTES) -> bytes:
        """The sub-key for one use, named in at most 16 ASCII letters. Equal names give equal keys."""
        return hashlib.blake2b(
            key=self._secret, person=purpose.encode("ascii"), salt=b"egate list key", digest_size=size
        ).digest()

    def reveal(self) -> bytes:
        """The secret itself, for its file; the caller answers for where it goes."""
        return self._secret

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ListKey) and self._secret == other._secret

    __hash__ = None  # type: ignore[assignment]  # a hash of it would be printed somewhere

    def __repr__(self) -> str:
        return f"ListKey({self.id})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a list key is not serialised")


class ListKeys:
    """The keys that a gate holds, by their ids: one, or two while they change."""

    def __init__(self, keys: Iterable[ListKey] = ()) -> None:
        self._by_id = {key.id: key for key in keys}
        if len(self._by_id) > MAX_KEYS:
            raise ListKeyError(f"at most {MAX_KEYS} list keys are held at once: remove the old ones")

    def __getitem__(self, key_id: str) -> ListKey:
        """The key of this id. Raises ListError(unknown_key)."""
        try:
            return self._by_id[key_id]
        except KeyError:
            raise ListError("unknown_key") from None

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids, in no order that means anything."""
        return tuple(self._by_id)

    def __repr__(self) -> str:
        return f"ListKeys({', '.join(self._by_id)})"


class DocumentHashes:
    """What stands in a pack for a document number, and for the reference of its case."""

    def __init__(self, key: ListKey) -> None:
        self._tags = hashlib.blake2b(key=key.derive("document tag"), digest_size=TAG_BYTES)
        self._references = hashlib.blake2b(key=key.derive("reference"), digest_size=REFERENCE_BYTES)

    def tag(self, number: str, issuer: str) -> bytes:
        """The tag of a document: equal for every way to write its number and its issuer."""
        return self.tag_of_normal(normal_number(number), normal_issuer(issuer))

    def tag_of_normal(self, number: str, issuer: str) -> bytes:
        """The tag of a document whose number and issuer are in normal form already."""
        hashing = self._tags.copy()
        hashing.update(f"{issuer}/{number}".encode())
        return hashing.digest()

    def reference(self, text: str) -> bytes:
        """The number that a case goes by at the gate; the centre, which has the cases, resolves it."""
        hashing = self._references.copy()
        hashing.update(text.encode())
        return hashing.digest()


class _KeyFile(Value):
    """What stands in the file of a list key."""

    list_key: Literal[1]
    id: KeyId
    secret: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]

    def __repr__(self) -> str:
        return f"_KeyFile({self.id})"


def encode_key_file(key: ListKey) -> bytes:
    """The bytes of the key's file."""
    return f'list_key = 1\nid = "{key.id}"\nsecret = "{key.reveal().hex()}"\n'.encode()


def parse_key_file(raw: bytes) -> ListKey:
    """Decode the file of a list key. Raises ListKeyError, which never quotes it."""
    if len(raw) > MAX_KEY_FILE:
        raise ListKeyError("not the file of a list key")
    try:
        found = msgspec.toml.decode(raw, type=_KeyFile)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError):
        raise ListKeyError("not the file of a list key") from None
    key = ListKey(bytes.fromhex(found.secret))
    if key.id != found.id:
        raise ListKeyError("the list key is not the one that its file names: the file is damaged")
    return key
