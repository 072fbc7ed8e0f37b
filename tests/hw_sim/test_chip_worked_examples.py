"""The worked examples of Doc 9303-11, replayed against the chip byte by byte.

They check the chip against the standard itself, with no terminal of ours in between.
"""

from collections.abc import Callable
from datetime import date

from msgspec.structs import replace

from gated.document.keys import Suite
from hw_sim.passport import issuer, lds
from hw_sim.passport.chip import Chip
from hw_sim.passport.issuer import PaceProfile, Person, Protocols
from tests.hw_sim.terminal import HOLDER, UTOPIA

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

# Appendix G.1: PACE with ECDH, generic mapping, AES-128, brainpoolP256r1.
PACE = """
0022C1A4 0F 800A04007F00070202040202 830101
9000
10860000 02 7C00 00
7C12 8010 95A3A016522EE98D01E76CB6B98B42C3 9000
10860000 45 7C43 8141 04 7ACF3EFC982EC45565A4B155129EFBC74650DCBFA6362D896FC70262E0C2CC5E \
544552DCB6725218799115B55C9BAA6D9F6BC3A9618E70C25AF71777A9C4922D 00
7C43 8241 04 824FBA91C9CBE26BEF53A0EBE7342A3BF178CEA9F45DE0B70AA601651FBA3F57 \
30D8C879AAA9C9F73991E61B58F4D52EB87A0A0C709A49DC63719363CCD13C54 9000
10860000 45 7C43 8341 04 2DB7A64C0355044EC9DF190514C625CBA2CEA48754887122F3A5EF0D5EDD301C \
3556F3B3B186DF10B857B58F6A7EB80F20BA5DC7BE1D43D9BF850149FBB36462 00
7C43 8441 04 9E880F842905B8B3181F7AF7CAA9F0EFB743847F44A306D2D28C1D9EC65DF6DB \
7764B22277A2EDDC3C265A9F018F9CB852E111B768B326904B59A0193776F094 9000
00860000 0C 7C0A 8508 C2B0BD78D94BA866 00
7C0A 8608 3ABB9674BCE93C08 9000
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
    holder = replace(HOLDER, number="L898902C", birth=date(1969, 8, 6), expiry=date(1994, 6, 23))
    passport = issuer.issue(UTOPIA, holder, b"", protocols=issuer.BAC_ONLY)
    assert passport.access_key == "L898902C<369080619406236"
    com = bytes.fromhex("60145F0104303130365F36063034303030305C026175")
    entropy = _prepared("4608F91988702212", "0B4F80323EB3191CB04970CB4052790B")
    chip = Chip(issuer.with_file(passport, lds.COM, com), entropy=entropy)
    _replay(BAC, chip)
    assert chip.access == "bac"


def test_pace_of_appendix_g() -> None:
    birth, expiry = date(1964, 8, 12), date(2010, 10, 31)
    holder = Person(surname="A", given_names="B", number="T22000129", birth=birth, expiry=expiry)
    profile = PaceProfile(suite=Suite.AES_128, domain=13)
    passport = issuer.issue(UTOPIA, holder, b"", protocols=Protocols(bac=False, pace=(profile,)))
    assert passport.access_key == "T22000129364081251010318"
    entropy = _prepared(
        "3F00C4D39D153F2B2A214A078D899B22",
        "498FF49756F2DC1587840041839A85982BE7761D14715FB091EFA7BCE9058560",
        "107CF58696EF6155053340FD633392BA81909DF7B9706F226F32086C7AFF974A",
    )
    chip = Chip(passport, entropy=entropy)
    _replay(PACE, chip)
    assert chip.access == "pace"
