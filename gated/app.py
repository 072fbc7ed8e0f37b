"""`gated`: reads documents, decides, moves the doors, keeps the journal. No network, ever.

Start-up is the list in `_build`: what is opened, in this order, and which lane serves it. The main thread
runs the loop; every lane has its own. Whatever cannot go on safely ends the process with a clear word: the
doors' leases run out, the relays fall back, and the service manager starts `gate-safe`.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from gated import logs
from gated.config import ConfigError, GateConfig, decided, load
from gated.core import events as ev
from gated.core.gate import FIXES, Gate, inside
from gated.core.screens import told
from gated.core.topologies import plan_of
from gated.core.vocabulary import Device, Vouched
from gated.embedders import Embedders, Stock, fix_of
from gated.lanes.ages import AgesLane
from gated.lanes.background import BackgroundLane
from gated.lanes.board import BoardLane
from gated.lanes.caretaker import CaretakerLane
from gated.lanes.condition import Condition, Post
from gated.lanes.control import ControlLane, Service
from gated.lanes.delivery import DeliveryLane
from gated.lanes.dossier import Dossiers
from gated.lanes.eligibility import Eligibility
from gated.lanes.elsewhere import Elsewhere
from gated.lanes.embedders import EmbedderRefusedError, EmbedderWatch
from gated.lanes.false_hits import FalseHitDesk
from gated.lanes.hands import Hands
from gated.lanes.inspection import inspect
from gated.lanes.lists import ListsLane
from gated.lanes.registration import Portraits, RegistrationLane
from gated.lanes.schedule import ScheduleLane
from gated.published_kinds import PublishedKinds, load_published
from gated.reading import Reading
from gated.rule_files import load_rules, open_standings
from gated.rules import Pack
from gated.runtime.clock import now_utc
from gated.runtime.lanes import Lane
from gated.runtime.loop import Loop
from gated.runtime.messages import EmbedderAt
from gated.runtime.notify import Notifier
from gated.runtime.requests import SelfTested, Status
from gated.store.database import StoreError
from gated.store.door_cycles import DoorCycles
from gated.store.evidence import Evidence
from gated.store.journal import Journal, JournalError
from gated.store.journal_key import JournalKeyError, read_journal_key
from gated.store.list_keys import read_list_key, read_list_keys
from gated.store.registration_post import PostBox
from gated.store.registrations import Registrations
from gated.store.standings import Standings
from gated.store.watchlist import Watchlist
from gated.token_desk import TokenDesk
from gated.tokens.token import Model
from gated.trust_files import load_trust
from gated.watchlist.keyed import ListKeyError, ListKeys
from gated.watchlist.publication import DECIDING, Kind
from models.installed import fingerprint as models_fingerprint
from models.manifest import ModelError

EXIT_CONFIG = 78  # EX_CONFIG: restarting does not help, the unit says RestartPreventExitStatus=78
EXIT_FAILED = 1
STOP_S = 3.0  # for all lanes together; the unit's TimeoutStopSec is 5 s

_log = logs.get("gated")


class GateDaemon:
    """One gate, built from its configuration. `usb_backend` is pyusb's; None means libusb."""

    def __init__(self, path: Path, usb_backend: Any = None) -> None:
        self._loaded, self._published = load_published(path)
        self._started = time.monotonic()
        self._notifier = Notifier()
        self._build(path, self._loaded.config, usb_backend)

    def _build(self, path: Path, config: GateConfig, usb_backend: Any) -> None:
        state, run = Path(config.paths.state), Path(config.paths.run)
        self._trust = load_trust(config.trust, self._published.files("trust"))
        for refusal in self._trust.refused:
            _log.warning("a listed certificate is not used", reason=refusal.reason, kind=refusal.source)
        self._journal = Journal(state / "journal.db")
        person_hits = config.policy.person_hits
        self._watchlist = Watchlist.open(state / "watchlist", _list_keys(config), person_hits=person_hits)
        stock = Stock(Path(config.paths.models), self._published)
        self._embedders = Embedders(stock, state, self._loaded.sha256)
        own = load(path).config.vision
        self._compared = self._embedders.choose(config, own)
        self._troubles = dict(self._compared.troubles)  # the embedders that are named and not used
        self._policy = decided(config, self._compared.decides.entry)
        self._loop = Loop(Gate(policy=self._policy), self._journal, self._perform)
        post, dossiers = self._loop.post, Dossiers(ZoneInfo(config.time_zone))
        evidence = Evidence(state / "evidence", keep=config.vision.keep_images)
        zone = ZoneInfo(config.time_zone)
        self._cycles = DoorCycles(state / "doors.json")
        self._board = BoardLane(
            config.io_board,
            dossiers,
            post,
            zone=zone,
            safety=config.safety_controller,
            cycles=self._cycles,
            direction=config.policy.lane.direction,
            doors=plan_of(config.policy).doors,
        )
        self._reading = Reading(config, self._trust, dossiers, evidence, post, usb_backend)
        taken: dict[Kind, Callable[[], None]] = {
            "trust": self._take_trust,
            "rules": self._take_rules,
            "false_hits": self._take_false_hits,
        }
        keys = _list_keys(config)
        self._kinds = PublishedKinds(path, self._loaded, self._published, post, taken, keys)
        self._lists = ListsLane(f"ipc://{run}/link", self._watchlist, post, self._kinds.updater)
        standings = open_standings(config, keys, self._kinds.standings)
        self._registration = _registration(
            config,
            dossiers,
            post,
            self._reading.sight,
            self._policy.match_threshold,
            open_standings(config, keys, self._kinds.standings),
        )
        if self._registration is not None:
            self._board.sensors.on_consent = self._registration.pressed
            self._reading.sight.listen_for_portraits(self._registration)
        self._eligibility = Eligibility(
            config.eligibility,
            self._rules(),
            standings,
            config.policy.lane.direction,
            self._registration,
        )
        self._false_hits = FalseHitDesk(
            state / "false_hits.db", self._watchlist, person_hits.false_hit_days, post
        )
        self._take_false_hits()
        self._background = BackgroundLane(
            self._eligibility,
            self._watchlist,
            dossiers,
            self._lists.condition,
            post,
            config.eligibility.anti_passback_s,
            self._false_hits,
        )
        self._ages = AgesLane(
            self._policy,
            {Vouched.WATCHLIST: self._watchlist.age_s}
            | {Vouched(kind): partial(self._kinds.updater.age_s, kind) for kind in DECIDING},
            post,
        )
        self._caretaker = CaretakerLane(state, post, keep=self._cycles.keep)
        self._control = ControlLane(
            f"ipc://{run}/control",
            config.officers,
            post,
            self.status,
            self._board.fire_is_on,
            Service(
                self._inspect,
                self._board.trace,
                self._board.try_lamp,
                self._registration.answer if self._registration else None,
                self._false_hits.answer,
            ),
            config.policy.lane.duty_s,
        )
        schedule = ScheduleLane(config.port.schedule if config.port else (), zone, post)
        found = self._compared.decides
        self._reading.sight.compare_by(
            EmbedderWatch(
                self._compared.use,
                self._embedders.used,
                self._refuse_embedder,
                has_stand_in=found.name != own.embedder,
            )
        )
        model = Model(name=found.name, version=found.entry.version)
        tokens = TokenDesk(config, model, self._reading.sight, dossiers, post)
        self._delivery = _delivery(config, self._journal, self._registration)
        self._hands = Hands(
            self._board,
            self._reading.desks,
            self._reading.sight,
            self._background,
            dossiers,
            self._reading.watch,
            tokens.issuing,
            tokens.finding,
            self._registration,
        )
        unwatched = {Device.CLOCK} if self._board.sensors.has_power else {Device.CLOCK, Device.POWER}
        self._told_devices = tuple(device for device in Device if device not in unwatched)
        self._hashes = {
            "software": version("egate"),
            "config": self._loaded.sha256,
            "trust": self._trust.sha256,
            "rules": self._eligibility.sha256,
            "models": models_fingerprint(Path(config.paths.models)),
            **self._compared.hashes,
        }
        self._conditions: tuple[Condition, ...] = (
            self._board.condition,
            self._board.sensors.power,
            self._lists.condition,
            self._caretaker.condition,
        )
        self._lanes: tuple[Lane, ...] = (
            self._board.lane,
            self._board.sensors.lane,
            *self._reading.lanes,
            self._background.lane,
            self._lists.lane,
            self._ages.lane,
            self._caretaker.lane,
            self._control.lane,
            *([schedule.lane] if config.port else []),
            *tokens.lanes,
            *([self._delivery.lane] if self._delivery else []),
            *([self._registration.lane] if self._registration else []),
        )

    def run(self) -> None:
        """Work until told to stop. Raises whatever ends the gate."""
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: self._loop.stop())
        try:
            self._begin()
            for lane in self._lanes:
                lane.start()
            self._notifier.ready()
            self._loop.run(self._beat)
        finally:
            self._stop()

    def _stop(self) -> None:
        """Lock the doors first; then let every lane give back what it holds.

        A passage under way is not ended here: the next start finds it and records that it was aborted, the
        same after a stop as after a power cut.
        """
        self._notifier.stopping()
        self._board.close()
        for lane in self._lanes:
            lane.stop(0.0)
        deadline = time.monotonic() + STOP_S
        for lane in self._lanes:
            lane.stop(max(0.0, deadline - time.monotonic()))
        self._cycles.keep(now=True)
        self._watchlist.close()
        self._loop.close()
        self._journal.close()

    def _begin(self) -> None:
        """Write down what all decisions rest on, and end what a power cut interrupted."""
        hashes = {**self._hashes, **self._kinds.hashes(), "watchlist": self._watchlist.digest or "none"}
        self._loop.take(
            ev.GateStarted(
                at=time.monotonic(),
                utc=now_utc().isoformat(timespec="milliseconds"),
                policy=self._policy,
                hashes=hashes,
                interrupted=self._journal.interrupted(),
                locked_by=self._journal.locked_by(),
            )
        )
        self._loop.take(self._ages.first())

    def _rules(self) -> Pack:
        """What is published, else the gate's own. Raises ConfigError."""
        (published,) = self._published.files("rules")["rules"] or (None,)
        return load_rules(self._loaded.config, published)

    def _take_rules(self) -> None:
        """Decide by the rules that are published now, from the next passage on. In the lists' thread."""
        try:
            self._eligibility.use(self._rules())
        except ConfigError as error:
            _log.error("published rules cannot be used", fix=str(error))  # those before go on being used

    def _take_false_hits(self) -> None:
        """Go by what officers found at other gates, as it is published now. In the thread of the lists."""
        self._false_hits.take_shared(self._kinds.false_hits())

    def _take_trust(self) -> None:
        """Check documents against the trust store that is published now. In the thread of the lists."""
        self._trust = self._kinds.trust()
        self._reading.take_trust(self._trust)

    def _refuse_embedder(self, at: EmbedderAt, code: str) -> None:
        """gate-vision cannot use one. In the thread of the sight."""
        self._embedders.refused(at, code)
        self._troubles = {**self._troubles, at.name: code}

    def _perform(self, effect: Any) -> None:
        self._hands.perform(effect)

    def _beat(self) -> None:
        """Feed the watchdog: the loop turns, the journal takes entries, and if every lane is well too."""
        for lane in self._lanes:
            if isinstance(lane.failure, EmbedderRefusedError):
                raise lane.failure
            if lane.failure is not None:
                raise LaneEndedError(lane.name) from lane.failure
        hanging = [lane.name for lane in self._lanes if not lane.is_well()]
        if hanging:
            self._notifier.status(f"hangs: {', '.join(hanging)}")
            return
        self._notifier.watchdog()
        self._notifier.status(f"{self._loop.gate.state}, journal entry {self._journal.head.seq}")

    def _inspect(self) -> SelfTested:
        """What every lane knows of its device. For any thread."""
        conditions = (*self._conditions, *self._reading.conditions(self._loop.gate.direction))
        reading = self._reading
        return inspect(self.status(), conditions, self._board, reading.zone, reading.chip, self._lists)

    def status(self) -> Status:
        """What the gate is doing, for people and monitors. For any thread."""
        gate, head = self._loop.gate, self._journal.head
        standing = self._delivery.standing if self._delivery else None
        screen, _, lamps = told(gate)
        known = (*self._conditions, *self._reading.conditions(gate.direction))
        conditions = {condition.device: condition for condition in known}
        return Status(
            gate=self._loaded.config.gate,
            topology=self._policy.lane.topology,
            state=gate.state,
            mode=gate.mode,
            locked_by=gate.locked_by,
            direction=gate.direction,
            passage=gate.passage.id if gate.passage else None,
            faults={
                f"{fault.device}: {fault.code}": FIXES.get(fault.code)
                or conditions[fault.device].fix(fault.code)
                for fault in sorted(gate.faults, key=str)
            },
            devices={str(device): device in gate.ready for device in self._told_devices}
            | {Device.CLOCK: gate.clock_good},
            doors={
                door: ("released" if door in gate.released else "locked")
                + (", shut" if door in gate.shut else ", not shut")
                for door in plan_of(self._policy).doors
            },
            cameras=self._reading.sight.cameras,
            persons=inside(gate),
            screen=screen,
            lamps=lamps,
            watchlist_version=self._watchlist.version,
            watchlist_age_s=self._watchlist.age_s(now_utc(), time.monotonic()),
            journal_entries=head.seq,
            journal_head=head.hash,
            uptime_s=time.monotonic() - self._started,
            versions={"egate": version("egate")},
            other_end={
                f"{fault.device}: {fault.code}": self._reading.other_fix(
                    gate.direction, fault.device, fault.code
                )
                for fault in sorted(gate.other_faults, key=str)
            },
            journal_receipted=standing.acknowledged if standing else None,
            journal_trouble={standing.code: standing.fix} if standing and standing.code else {},
            embedder=self._compared.decides.name,
            embedder_trouble={name: f"{code}: {fix_of(code)}" for name, code in self._troubles.items()},
            ages_s=self._ages.known(),
            age_trouble=self._ages.troubles(),
        )


def _delivery(
    config: GateConfig, journal: Journal, registration: RegistrationLane | None
) -> DeliveryLane | None:
    """The lane that delivers the journal to the centre, where the configuration says so.

    Raises ConfigError: without its own key a gate delivers nothing, and nobody would notice for long.
    """
    if config.journal is None:
        return None
    try:
        own = read_journal_key(Path(config.journal.key_file))
    except JournalKeyError as error:
        raise ConfigError(f"[journal] key_file: {error}") from error
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(config.journal.receipt_key))
    box = None
    if registration is not None:
        box = PostBox(registration.store, key, config.gate, registration.withdrawn)
    return DeliveryLane(
        f"ipc://{config.paths.run}/journal",
        Path(config.paths.state) / "journal.db",
        config.gate,
        key,
        own,
        lambda: journal.head.seq,
        config.journal.keep_days,
        box,
    )


def _registration(
    config: GateConfig,
    dossiers: Dossiers,
    post: Post,
    sight: Portraits,
    threshold: float,
    standings: Standings | None,
) -> RegistrationLane | None:
    """The lane that registers travellers, where the configuration says so. Raises ConfigError, StoreError."""
    settings = config.registration
    if settings is None:
        return None
    try:
        key = read_list_key(Path(settings.key_file))
    except ListKeyError as error:
        raise ConfigError(f"[registration] key_file: {error}") from error
    centre = X25519PublicKey.from_public_bytes(bytes.fromhex(settings.centre_key))
    store = Registrations(Path(config.paths.state), key, config.gate, centre)
    portraits = sight if settings.keeps == "template" else None
    elsewhere = None if standings is None else Elsewhere(standings, store)
    return RegistrationLane(store, settings, dossiers, post, portraits, threshold, elsewhere)


class LaneEndedError(Exception):
    """A lane ended by an error that nobody foresaw; the cause is attached."""


def run(argv: Sequence[str] | None = None, usb_backend: Any = None) -> int:
    """Run the daemon; return its exit status."""
    parser = argparse.ArgumentParser(prog="gated", description="The heart of one border-control gate.")
    parser.add_argument("--config", type=Path, default=Path("/etc/egate/gate.toml"))
    arguments = parser.parse_args(argv)
    logs.configure("gated")
    os.umask(0o027)
    try:
        GateDaemon(arguments.config, usb_backend).run()
        _log.info("stopped")
    except (ConfigError, ModelError) as error:
        _log.error("configuration refused", fix=str(error))  # the text is the explanation
        return EXIT_CONFIG
    except (JournalError, StoreError) as error:
        _log.error(
            "the gate cannot keep its records", code=error.code, fix=error.fix
        )  # the fix is the explanation
        return EXIT_FAILED
    except EmbedderRefusedError as error:
        _log.error("starts again", model=str(error), fix="none: another one stands in, and status says so")
        return EXIT_FAILED
    except Exception:  # noqa: BLE001  # whatever it is, the gate stops safely and says where
        _log.exception("the gate stops")
        return EXIT_FAILED
    return 0


def _list_keys(config: GateConfig) -> ListKeys:
    try:
        return read_list_keys(map(Path, config.watchlist.keys))
    except ListKeyError as error:
        raise ConfigError(f"[watchlist] keys: {error}") from error


def main() -> int:
    """Entry point of the console script."""
    return run()


if __name__ == "__main__":
    sys.exit(main())
