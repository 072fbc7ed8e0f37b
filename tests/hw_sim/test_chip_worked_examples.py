"""The worked examples of Doc 9303-11, replayed against the chip byte by byte.

They check the chip against the standard itself, with no terminal of ours in between.
"""

from collections.abc import Callable
from datetime import date

import pytest
from msgspec.structs import replace

from gated.document.access import parse_card_access
from gated.document.groups.curves import by_number
from hw_sim.passport import issuer, lds
from hw_sim.passport.chip import Chip
from hw_sim.passport.issuer import PaceProfile, Person, Protocols
from hw_sim.passport.protocols import Mapping, StaticKey, public_key_info
from tests.document.worked_examples import (
    I1,
    I1_DATA,
    I1_STATIC_KEY,
    PACE_EXAMPLES,
    ZONE_G,
    ZONE_I,
    Example,
)
from tests.holder import ANNA
from tests.hw_sim.terminal import UTOPIA

MAPPINGS: dict[str, Mapping] = {"G.1": "GM", "G.2": "GM", "H.1": "IM", "H.2": "IM", "I.1": "CAM"}
HOLDERS = {
    ZONE_G: Person(
        surname="A",
        given_names="B",
        number="T22000129",
        birth=date(1964, 8, 12),
        expiry=date(2010, 10, 31),
    ),
    ZONE_I: Person(
        surname="A",
        given_names="B",
        number="C11T002JM",
        birth=date(1996, 8, 12),
        expiry=date(2023, 10, 31),
    ),
}

# Appendix D: BAC, SELECT EF.COM, READ BINARY of 4 bytes from 0 and of 18 from 4. Command, response in turn.
BAC = """
00A4040C 07 A0000002471001
9000
00840000 08
4608F91988702212 9000
00820000 28 72C29C2371CC9BDB65B779B8E8D37B29ECC154AA56A8799FAE2F498F76ED92F2 5F1448EEA8AD90A7 28
46B9342A41396CD7386BF5803104D7CEDC122B9132139BAF2EEDC94EE178534F 2F2D235D074D7449 9000
0CA4020C 15 8709016375432908C044F6 8E08BF8B92D635FF24F8 00
99029000 8E08FA855A5D4C50A8ED 9000
0CB00000 0D 970104 8E08ED6705417E96BA55 00
8709019FF0EC34F9922651 99029000 8E08AD55CC17140B2DED 9000
0CB00004 0D 970112 8E082EA28A70F3C7B535 00
871901FB9235F4E4037F2327DCC8964F1F9B8C30F42C8E2FFF224A 99029000 8E08C8B2787EAEA07D74 9000
"""


def _prepared(*draws: str) -> Callable[[int], bytes]:
    """Entropy that was drawn beforehand."""
    waiting = [bytes.fromhex(draw) for draw in draws]

    def entropy(count: int) -> bytes:
        drawn = waiting.pop(0)
        assert len(drawn) == count
        return drawn

    return entropy


def _replay(transcript: str, chip: Chip) -> None:
    lines = [bytes.fromhex(line) for line in transcript.strip().splitlines()]
    for command, response in zip(lines[::2], lines[1::2], strict=True):
        assert chip.command(command).hex() == response.hex()


def test_bac_and_secure_messaging_of_appendix_d() -> None:
    holder = replace(ANNA, number="L898902C", birth=date(1969, 8, 6), expiry=date(1994, 6, 23))
    passport = issuer.issue(UTOPIA, holder, b"", protocols=issuer.BAC_ONLY)
    assert passport.access_key == "L898902C<369080619406236"
    com = bytes.fromhex("60145F0104303130365F36063034303030305C026175")
    entropy = _prepared("4608F91988702212", "0B4F80323EB3191CB04970CB4052790B")
    chip = Chip(issuer.with_file(passport, lds.COM, com), entropy=entropy)
    _replay(BAC, chip)
    assert chip.access == "bac"


@pytest.mark.parametrize("example", PACE_EXAMPLES, ids=lambda example: example.name)
def test_pace_of_appendices_g_h_and_i(example: Example) -> None:
    (offer,) = parse_card_access(example.card_access).offers
    assert offer.suite is not None
    assert offer.parameter_id is not None
    profile = PaceProfile(suite=offer.suite, domain=offer.parameter_id, mapping=MAPPINGS[example.name])
    holder = HOLDERS[example.zone]
    passport = issuer.issue(UTOPIA, holder, b"", protocols=Protocols(bac=False, pace=(profile,)))
    assert passport.access_key == example.zone
    if profile.mapping == "CAM":
        passport = replace(passport, static_keys=(static_key_of_appendix_i(),))
    chip = Chip(passport, entropy=_prepared(*(draw.hex() for draw in example.chip_draws)))
    for command, response in example.transcript:
        assert chip.command(command).hex() == response.hex()
    assert chip.access == "pace"


def static_key_of_appendix_i() -> StaticKey:
    """The book prints the key of the mapping and the data, which is that key over the static one."""
    order = by_number(13).n
    mapping, data = int.from_bytes(I1.chip_draws[1], "big"), int.from_bytes(I1_DATA, "big")
    key = StaticKey(13, 13, "standardized", mapping * pow(data, -1, order) % order)
    assert public_key_info(key) == I1_STATIC_KEY
    return key
