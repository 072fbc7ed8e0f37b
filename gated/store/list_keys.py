"""Where list keys lie: one file each, for the owner's eyes alone, made once and never overwritten."""

import secrets
from collections.abc import Iterable
from pathlib import Path

from gated.store.key_files import KeyFileError, read_secret, write_once
from gated.watchlist.keyed import (
    KEY_BYTES,
    MAX_KEY_FILE,
    ListKey,
    ListKeyError,
    ListKeys,
    encode_key_file,
    parse_key_file,
)


def make_list_key(path: Path) -> ListKey:
    """Write a new key, for the owner's eyes alone. Raises ListKeyError; a file that is there stays."""
    key = ListKey(secrets.token_bytes(KEY_BYTES))
    try:
        write_once(path, encode_key_file(key))
    except KeyFileError as error:
        raise ListKeyError(str(error)) from error
    return key


def read_list_key(path: Path) -> ListKey:
    """Read a key. Raises ListKeyError; a file that others may read is refused."""
    try:
        raw = read_secret(path, MAX_KEY_FILE + 1, "carry it over from the centre, for the user of gated")
    except KeyFileError as error:
        raise ListKeyError(str(error)) from error
    try:
        return parse_key_file(raw)
    except ListKeyError as error:
        raise ListKeyError(f"{path}: {error}: carry it over from the centre again") from None


def read_list_keys(paths: Iterable[Path]) -> ListKeys:
    """Read the keys that a gate holds. Raises ListKeyError."""
    return ListKeys(read_list_key(path) for path in paths)
