"""`gate-sim chip`: one simulated passport chip on a virtual reader, for any reader software to be pointed at.

The person in it is invented, so what is printed on the page is printed here: it opens the chip.
"""

import argparse
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from hw_sim.native import errors_to
from hw_sim.passport import profiles, vpcd
from hw_sim.passport.chip import Chip
from hw_sim.passport.profile import Profile
from hw_sim.reader.rf_link import BIT_RATES

OK, CANNOT = 0, 2
_KILO = 1000
_STATES = {
    "connected": "laid on the reader at {}",
    "away": "no vpcd at {}: waiting for one (pcscd with vsmartcard's vpcd brings it)",
    "lost": "the chip left the field at {}; it comes back in a second",
}


def chip(arguments: argparse.Namespace) -> int:
    """List the profiles, or serve one until SIGINT or SIGTERM."""
    if arguments.list:
        return _list(as_json=arguments.json)
    try:
        address = vpcd.parse_address(arguments.vpcd)
    except ValueError as error:
        return _complain(str(error))
    profile = profiles.BY_NAME.get(arguments.profile)
    if profile is None:
        return _complain(f"no profile is called {arguments.profile!r}: name one of `gate-sim chip --list`")
    if not vpcd.is_known(address):
        return _complain(f"{address.host} is no host that this machine knows: correct --vpcd")
    bit_rate = arguments.kbits * _KILO if arguments.kbits else None
    return _serve(profile, address, bit_rate, as_json=arguments.json)


def add(words: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the word."""
    word = words.add_parser("chip", help="serve a simulated passport chip to other readers")
    word.add_argument(
        "--vpcd", metavar="HOST:PORT", default=f"localhost:{vpcd.PORT}", help="where vpcd listens"
    )
    word.add_argument("--profile", metavar="NAME", default=profiles.DEFAULT, help="of `gate-sim chip --list`")
    word.add_argument("--list", action="store_true", help="list the profiles")
    rates = sorted(rate // _KILO for rate in BIT_RATES)
    word.add_argument("--kbits", type=int, choices=rates, help="take the time of a chip at this bit rate")
    word.add_argument("--json", action="store_true", help="one JSON object a line")
    word.set_defaults(command=chip)


def _list(*, as_json: bool) -> int:
    width = max(len(profile.name) for profile in profiles.TABLE)
    for profile in profiles.TABLE:
        expected = profile.expected
        if as_json:
            _print_json({"profile": profile.name, "title": profile.title, "expected": expected})
        else:
            print(f"{profile.name:<{width}}  {profile.title}")
    return OK


def _serve(profile: Profile, address: vpcd.Address, bit_rate: int | None, *, as_json: bool) -> int:
    today = datetime.now(UTC).date()
    with errors_to(Path(os.devnull)):
        passport = profile.passport(today)
    card = vpcd.VirtualCard(Chip(passport, profile.behaviour), address, bit_rate=bit_rate)
    about = {
        "profile": profile.name,
        "title": profile.title,
        "mrz": passport.lines,
        "can": passport.protocols.can,
        "vpcd": str(address),
    }
    if as_json:
        _print_json(about)
    else:
        print(f"profile  {profile.name}: {profile.title}")
        print(f"MRZ      {passport.lines[0]}\n         {passport.lines[1]}")
        print(f"CAN      {passport.protocols.can or '-'}", flush=True)

    def tell(state: vpcd.State) -> None:
        if as_json:
            _print_json({"state": state})
        else:
            print(_STATES[state].format(address), flush=True)

    for ending in (signal.SIGINT, signal.SIGTERM):  # a shell's background job would ignore the first
        signal.signal(ending, signal.default_int_handler)
    try:
        card.serve(tell)
    except KeyboardInterrupt:
        pass
    except vpcd.WireError as error:
        return _complain(f"what listens at {address} is no vpcd ({error}): point --vpcd at its port")
    return OK


def _complain(text: str) -> int:
    print(f"gate-sim: {text}", file=sys.stderr)
    return CANNOT


def _print_json(value: object) -> None:
    print(msgspec.json.encode(value).decode(), flush=True)
