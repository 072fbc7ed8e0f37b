"""`gate-link`: carries bytes between the central server and `gated`, and believes none of them.

It is the one process of a gate that has the network, and it has nothing else: no device, no door, no key but
its own CURVE key. What it carries for whom stands in files of their own: `link_carrier` (published files),
`link_tokens`, `link_journal`, `link_relay` (neighbours); `link_central` is the line itself. One thread, one
poller, no polling loop: while nothing happens the process sleeps.
"""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import zmq

from gated import logs
from gated.central.shelf import Shelf
from gated.central.wire import KeyFileError, read_key_file
from gated.config import ConfigError, GateConfig, load
from gated.core.settings.central import LinkSettings
from gated.core.vocabulary import Topology
from gated.link_carrier import Carrier
from gated.link_central import Central
from gated.link_journal import JournalCarrier
from gated.link_relay import Neighbour, Relay
from gated.link_tokens import TokenCarrier
from gated.runtime.bus import Peer
from gated.runtime.messages import JournalUp, TokensToLink, ToLink
from gated.runtime.notify import Notifier

_log = logs.get("link")


def run(config: Path) -> int:
    """Carry until SIGTERM. Returns the exit status."""
    stopping = False

    def stop(_: int, __: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    loaded = load(config).config
    address = f"ipc://{loaded.paths.run}/link"
    central = Central(loaded.link, read_key_file(Path(loaded.link.key_file)))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    notifier = Notifier()
    try:
        with Peer[ToLink](address, ToLink, bind=False) as peer, ExitStack() as further:
            relay, neighbours, shelf = _neighbours(loaded.link, further)
            carrier = Carrier(central, peer, loaded.link.timeout_s, neighbours, shelf)
            pollable = [peer.pollable, *(neighbour.socket for neighbour in neighbours)]
            pollable += relay.sockets if relay is not None else ()
            if loaded.tokens is not None:
                tokens = Peer[TokensToLink](f"ipc://{loaded.paths.run}/tokens", TokensToLink, bind=False)
                further.enter_context(tokens)
                pollable.append(tokens.pollable)
                _carry_tokens(carrier, central, tokens, loaded)
            journal = _journal(loaded, further)
            pollable += [] if journal is None else [journal.letters]
            notifier.ready()
            _log.info("started", gate=loaded.gate)
            while not stopping:
                now = time.monotonic()
                answers = central.sockets if journal is None else (*central.sockets, journal.answers)
                waiting = [(socket, zmq.POLLIN) for socket in (*pollable, *answers)]
                zmq.zmq_poll(waiting, max(0, int((carrier.due(now) - now) * 1000) + 1))
                carrier.turn(time.monotonic())
                if relay is not None:
                    relay.turn()
                if journal is not None:
                    journal.turn(time.monotonic())
                notifier.watchdog()
            notifier.stopping()
    finally:
        central.close()
    return 0


def _neighbours(
    settings: LinkSettings, further: ExitStack
) -> tuple[Relay | None, list[Neighbour], Shelf | None]:
    """Listen for neighbours, and connect to them, where the configuration names any. Raises KeyFileError."""
    if not settings.neighbours:
        return None, [], None
    pair, shelf, relay = read_key_file(Path(settings.key_file)), Shelf(), None
    neighbours = []
    try:
        if settings.relay is not None:
            known = {each.public_key: each.name for each in settings.neighbours}
            relay = Relay(settings.relay, pair, known, shelf)
            further.callback(relay.close)
        for each in settings.neighbours:
            if each.address is not None:
                neighbour = Neighbour(each.name, each.address, each.public_key, pair)
                further.callback(neighbour.close)
                neighbours.append(neighbour)
    except zmq.ZMQError as error:
        raise KeyFileError(
            f"[link] relay or neighbours cannot be used ({error}): write tcp://HOST:PORT, and each gate's own"
            " public key as its key file has it"
        ) from error
    return relay, neighbours, shelf


def _journal(config: GateConfig, further: ExitStack) -> JournalCarrier | None:
    """Carry the journal, too, where it is delivered. Raises KeyFileError."""
    if config.journal is None:
        return None
    peer = Peer[JournalUp](f"ipc://{config.paths.run}/journal", JournalUp, bind=False)
    further.enter_context(peer)
    try:
        carrier = JournalCarrier(
            config.link, config.journal.collector, read_key_file(Path(config.link.key_file)), peer
        )
    except zmq.ZMQError as error:
        raise KeyFileError(
            f"[journal] collector cannot be used ({error}): write the tcp://HOST:PORT of gate-central collect"
        ) from error
    further.callback(carrier.close)
    return carrier


def _carry_tokens(carrier: Carrier, central: Central, peer: Peer[TokensToLink], config: GateConfig) -> None:
    """Let the carrier carry tokens, too: from a kiosk, or to a gate."""
    collects = config.policy.lane.topology is Topology.TOKEN_GATE
    carrier.tokens = TokenCarrier(central, peer, config.gate, carrier.number, collects=collects)
    if carrier.tokens.topic is not None:
        central.subscribe(carrier.tokens.topic)


def main(arguments: Sequence[str] | None = None) -> int:
    """The process. Exit status 78 (EX_CONFIG) for what only a person can mend."""
    parser = argparse.ArgumentParser(
        prog="gate-link", description="carries bytes between a gate and its centre"
    )
    parser.add_argument("--config", required=True, type=Path, metavar="FILE", help="gate.toml")
    options = parser.parse_args(arguments)
    logs.configure("gate-link")
    try:
        return run(options.config)
    except (ConfigError, KeyFileError) as error:
        sys.stderr.write(f"gate-link: {error}\n")
        return 78


if __name__ == "__main__":
    sys.exit(main())
