"""A kiosk and a gate apart: their lanes of tokens, two gate-links and one central server, on the loopback."""

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gated.central.folder import CentralFolder
from gated.central.keys import admit_gate, revoke_gate
from gated.core import effects as do
from gated.core import events as ev
from gated.lanes.dossier import Dossiers
from gated.lanes.tokens import FindingLane, GateTokens, IssuingLane, KioskTokens
from gated.runtime import messages as say
from gated.runtime.lanes import Lane
from gated.store.tokens import TokenStore
from gated.tokens.token import seal_template
from tests.lanes.rounds import NEXT, PASSAGE, Posted
from tests.lanes.test_background import page
from tests.system.link_rig import BIN, GATE_TOML, Rig, until
from tests.tokens.making import GATE_KEY, GOOD, KIOSK, KIOSK_KEY, KIOSKS, LASTS_S, MODEL, TEMPLATE, token

GATE = "gate-1"
ANNA = page()
OF_KIOSK = f'[tokens]\nkey_file = "unused"\n[tokens.gate]\nname = "{GATE}"\npublic_key = "{"0" * 64}"\n'
OF_GATE = f'[tokens]\nkey_file = "unused"\n[[tokens.kiosks]]\nname = "{KIOSK}"\npublic_key = "{"0" * 64}"\n'


class Both:
    """The kiosk's and the gate's halves of `gated` that tokens are a matter of, each with its own link."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.kiosk_run = Path(tempfile.mkdtemp(prefix="egate-"))
        self.handout = admit_gate(CentralFolder(rig.central), KIOSK)
        self.posted_at_kiosk, self.posted_at_gate = Posted(), Posted()
        self.at_kiosk, self.at_gate = Dossiers(), Dossiers()
        self.lanes: list[Lane] = []

    # --- the kiosk

    def start_kiosk(self) -> None:
        settings = KioskTokens(KIOSK, KIOSK_KEY, GATE, GATE_KEY.public_key(), LASTS_S)
        address = f"ipc://{self.kiosk_run}/tokens"
        self.kiosk = IssuingLane(address, settings, self, self.at_kiosk, self.posted_at_kiosk)
        self._start(self.kiosk.lane)
        self.link("kiosk", KIOSK, "kiosk", self.kiosk_run, self.handout.key_file, OF_KIOSK)

    def give_template(self, passage: str, name: str) -> None:
        """What the kiosk's gate-vision does."""
        sealed = seal_template(TEMPLATE, token(name, gate=GATE).bound, GATE_KEY.public_key())
        self.kiosk.hear(
            say.TemplateGiven(
                passage=passage, token=name, embedder=MODEL.name, version=MODEL.version, sealed=sealed
            )
        )

    def prepare(self, passage: str = PASSAGE) -> None:
        """Ask for a token for Anna."""
        self.at_kiosk.begin(passage, datetime.now(UTC))
        self.at_kiosk.put_mrz(passage, ANNA)
        self.kiosk.issue(do.IssueToken(passage=passage, checks=GOOD))

    # --- the gate

    def start_gate(self) -> None:
        settings = GateTokens(GATE, GATE_KEY, KIOSKS, LASTS_S, MODEL)
        store = TokenStore(self.rig.state / "tokens.db")
        address = f"ipc://{self.rig.run}/tokens"
        self.gate = FindingLane(address, settings, store, self.at_gate, self.posted_at_gate)
        self._start(self.gate.lane)

    def link_gate(self) -> None:
        handout = self.rig.handout
        self.link("gate", GATE, "token_gate", self.rig.run, handout["key_file"], OF_GATE)

    def stop_gate(self) -> None:
        self.gate.lane.stop()
        self.lanes.remove(self.gate.lane)

    def lay(self, passage: str) -> ev.TokenFound | ev.TokenRefused:
        """Anna lays her document down; what the gate says of its token."""
        self.at_gate.begin(passage, datetime.now(UTC))
        self.at_gate.put_mrz(passage, ANNA)
        self.posted_at_gate.clear()
        self.gate.find(passage)
        until(lambda: bool(self.posted_at_gate))
        (event,) = self.posted_at_gate
        assert isinstance(event, ev.TokenFound | ev.TokenRefused)
        return event

    def await_token(self, passages: Callable[[], str], seconds: float = 10.0) -> ev.TokenFound:
        """Lay the document down again and again until there is a token."""
        deadline = time.monotonic() + seconds
        while not isinstance(event := self.lay(passages()), ev.TokenFound):
            assert time.monotonic() < deadline, event.reason
            time.sleep(0.05)
        return event

    # --- both

    def link(self, name: str, gate: str, topology: str, run: Path, key_file: str, tokens: str) -> None:
        text = GATE_TOML.format(
            state=self.rig.state,
            run=run,
            requests=self.rig.ports[0],
            announcements=self.rig.ports[1],
            server_key=self.rig.handout["server_key"],
            key_file=key_file,
            timeout_s=1.0,
        )
        text = text.replace('gate = "gate-1"', f'gate = "{gate}"')
        text = text.replace("[mrz_scanner]", f'[policy.lane]\ntopology = "{topology}"\n[mrz_scanner]')
        config = self.rig.folder / f"{name}.toml"
        config.write_text(text + tokens)
        with (self.rig.folder / f"link-{name}.log").open("a") as log:
            self.rig.processes[name] = subprocess.Popen(
                [BIN / "gate-link", "--config", config], stderr=log, text=True
            )

    def _start(self, lane: Lane) -> None:
        lane.start()
        self.lanes.append(lane)

    def close(self) -> None:
        for lane in self.lanes:
            lane.stop()
        shutil.rmtree(self.kiosk_run)


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    with Rig(tmp_path) as rig:
        both = Both(rig)
        rig.serve()
        both.start_kiosk()
        both.start_gate()
        yield both
        both.close()


@pytest.fixture
def passages() -> Callable[[], str]:
    """Ids of passages, none of them twice."""
    numbers = iter(range(10_000))
    return lambda: f"{next(numbers):016x}"


def issued(both: Both) -> str:
    until(lambda: bool(both.posted_at_kiosk.of(ev.TokenIssued)))
    (event,) = both.posted_at_kiosk.of(ev.TokenIssued)
    both.posted_at_kiosk.clear()
    return event.token


def test_a_token_goes_from_the_kiosk_to_its_gate_at_once_and_counts_once(
    both: Both, passages: Callable[[], str]
) -> None:
    both.link_gate()
    both.prepare()
    issued(both)  # both links are up now
    both.await_token(passages)
    assert both.gate.use(both.gate._found.passage if both.gate._found else "")
    assert both.lay(NEXT) == ev.TokenRefused(at=both.posted_at_gate[0].at, passage=NEXT, reason="token_used")

    both.prepare(NEXT)
    name = issued(both)
    began = time.monotonic()
    found = both.await_token(passages)
    took = time.monotonic() - began
    print(f"from the kiosk's word to the gate's disk: {took:.2f} s at most")  # noqa: T201 - pytest -rP
    assert found.token == name
    assert took < 1.0


def test_a_token_waits_for_a_gate_that_is_away_and_survives_its_restart(
    both: Both, passages: Callable[[], str]
) -> None:
    both.prepare()
    issued(both)
    assert isinstance(both.lay(PASSAGE), ev.TokenRefused)
    both.link_gate()
    both.await_token(passages)
    both.stop_gate()
    both.start_gate()
    assert isinstance(both.lay(NEXT), ev.TokenFound)


def test_without_the_centre_no_token_is_issued_and_the_kiosk_goes_on_trying(
    both: Both, passages: Callable[[], str]
) -> None:
    both.link_gate()
    both.rig.stop("serve", signal.SIGKILL)
    both.prepare()
    time.sleep(1.5)
    assert both.posted_at_kiosk == []
    assert isinstance(both.lay(PASSAGE), ev.TokenRefused)
    both.rig.serve()
    issued(both)
    both.await_token(passages)


def test_a_kiosk_that_was_taken_off_the_list_hands_nothing_on(both: Both) -> None:
    both.prepare()
    issued(both)
    revoke_gate(CentralFolder(both.rig.central), KIOSK)
    both.prepare(NEXT)
    time.sleep(1.5)
    assert both.posted_at_kiosk == []
