"""OpenPACE's libeac by ctypes: an implementation of PACE and secure messaging that is none of ours.

The names are libeac's, which a card emulation written for its bindings asks for too. A call that fails raises
`EacError`.
"""

import ctypes
from collections.abc import Callable

LIBRARY = "libeac.so.3"

PACE_MRZ, PACE_CAN, PACE_PIN, PACE_PUK = 1, 2, 3, 4
EAC_ID_PACE, EAC_ID_CA = 0, 1


class EacError(Exception):
    """libeac refused."""


class Buffer(ctypes.Structure):
    """OpenSSL's BUF_MEM."""

    _fields_ = (
        ("length", ctypes.c_size_t),
        ("data", ctypes.POINTER(ctypes.c_char)),
        ("max", ctypes.c_size_t),
        ("flags", ctypes.c_ulong),
    )


_Buffer = ctypes.POINTER(Buffer)
_Handle = ctypes.c_void_p
_library = ctypes.CDLL(LIBRARY)


def _function(name: str, result: object, *arguments: object) -> Callable[..., object]:
    function = getattr(_library, name)
    function.restype, function.argtypes = result, arguments
    return function


_create = _function("BUF_MEM_create_init", _Buffer, ctypes.c_char_p, ctypes.c_size_t)
_free = _function("BUF_MEM_clear_free", None, _Buffer)


def _gives_bytes(name: str, *arguments: object) -> Callable[..., bytes]:
    """A function whose result is a new buffer; bytes among the arguments are put into buffers."""
    function = _function(name, _Buffer, *arguments)

    def call(*values: object) -> bytes:
        result = function(*_buffered(values))
        if not result:
            raise EacError(name)
        content = ctypes.string_at(result.contents.data, result.contents.length)
        _free(result)
        return content

    return call


def _succeeds(name: str, *arguments: object) -> Callable[..., int]:
    """A function that returns 1 for success."""
    function = _function(name, ctypes.c_int, *arguments)

    def call(*values: object) -> int:
        if function(*_buffered(values)) != 1:
            raise EacError(name)
        return 1

    return call


def _buffered(values: tuple[object, ...]) -> list[object]:
    return [_create(value, len(value)) if isinstance(value, bytes) else value for value in values]


_function("EAC_init", None)()

new_context = _function("EAC_CTX_new", _Handle)
_new_secret = _function("PACE_SEC_new", _Handle, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int)
_card_access = _function(
    "EAC_CTX_init_ef_cardaccess", ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, _Handle
)

_identifier_of = _function("EAC_OBJ_txt2nid", ctypes.c_int, ctypes.c_char_p)
_init_ca = _succeeds("EAC_CTX_init_ca", _Handle, ctypes.c_int, ctypes.c_int)

TA_STEP3_generate_ephemeral_key = _gives_bytes("TA_STEP3_generate_ephemeral_key", _Handle)
CA_STEP2_get_eph_pubkey = _gives_bytes("CA_STEP2_get_eph_pubkey", _Handle)
CA_STEP4_compute_shared_secret = _succeeds("CA_STEP4_compute_shared_secret", _Handle, _Buffer)
CA_STEP6_derive_keys = _succeeds("CA_STEP6_derive_keys", _Handle, _Buffer, _Buffer)

PACE_STEP1_enc_nonce = _gives_bytes("PACE_STEP1_enc_nonce", _Handle, _Handle)
PACE_STEP2_dec_nonce = _succeeds("PACE_STEP2_dec_nonce", _Handle, _Handle, _Buffer)
PACE_STEP3A_generate_mapping_data = _gives_bytes("PACE_STEP3A_generate_mapping_data", _Handle)
PACE_STEP3A_map_generator = _succeeds("PACE_STEP3A_map_generator", _Handle, _Buffer)
PACE_STEP3B_generate_ephemeral_key = _gives_bytes("PACE_STEP3B_generate_ephemeral_key", _Handle)
PACE_STEP3B_compute_shared_secret = _succeeds("PACE_STEP3B_compute_shared_secret", _Handle, _Buffer)
PACE_STEP3C_derive_keys = _succeeds("PACE_STEP3C_derive_keys", _Handle)
PACE_STEP3D_compute_authentication_token = _gives_bytes(
    "PACE_STEP3D_compute_authentication_token", _Handle, _Buffer
)
PACE_STEP3D_verify_authentication_token = _succeeds(
    "PACE_STEP3D_verify_authentication_token", _Handle, _Buffer
)
EAC_CTX_set_encryption_ctx = _succeeds("EAC_CTX_set_encryption_ctx", _Handle, ctypes.c_int)
EAC_increment_ssc = _succeeds("EAC_increment_ssc", _Handle)
EAC_encrypt = _gives_bytes("EAC_encrypt", _Handle, _Buffer)
EAC_decrypt = _gives_bytes("EAC_decrypt", _Handle, _Buffer)
EAC_authenticate = _gives_bytes("EAC_authenticate", _Handle, _Buffer)


def read_card_access(context: object, content: bytes) -> None:
    """Set a context up by what a chip offers."""
    if _card_access(content, len(content), context) != 1:
        raise EacError("EAC_CTX_init_ef_cardaccess")


def init_chip_authentication(context: object, protocol: str, domain: int) -> None:
    """Set a context up for chip authentication by a protocol's name and a standard domain."""
    _init_ca(context, _identifier_of(protocol.encode()), domain)


def new_secret(secret: bytes, kind: int) -> object:
    """A password of PACE."""
    made = _new_secret(secret, len(secret), kind)
    if not made:
        raise EacError("PACE_SEC_new")
    return made
