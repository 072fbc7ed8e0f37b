"""A kiosk and its gate apart: two simulated sites with one centre, and the same traveller at both.

The kiosk stands before a door that nobody releases: the shape of a lane with one door, of which the kiosk's
daemons know the sensors and nothing else. Its travellers walk away from it when the screen sends them on.
"""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec.structs import replace

from gated.config import GateConfig
from gated.core import effects as do
from gated.core.policy import LaneRules, Policy
from gated.core.settings.central import JournalSettings, LinkSettings
from gated.core.settings.tokens import ServedGate, TokenSettings, TrustedKiosk
from gated.core.vocabulary import OfficerWord, Outcome, Topology
from gated.store.journal import Entry
from gated.tokens.keys import make_key
from hw_sim.cast import TRAVELLER
from hw_sim.centre import Centre
from hw_sim.lane.geometry import GEOMETRIES
from hw_sim.lane.walking import Pause, Place, enter
from hw_sim.record import Rehearsed
from hw_sim.rehearsal import Rehearsal, Told
from hw_sim.scenarios import BY_NAME, LIST, Scenario
from hw_sim.site import GATE, Site

NAME = "kiosk-and-gate"
TITLE = "a kiosk prepares a traveller for the gate, which takes their token once"
KIOSK = "kiosk-1"
MINUTES = 5
STANDS_S = 60.0  # longer than the kiosk takes: its screen sends people away
AT_KIOSK, AT_GATE = LaneRules(topology=Topology.KIOSK), LaneRules(topology=Topology.TOKEN_GATE)
BESIDE = replace(AT_KIOSK, topology=Topology.ONE_DOOR)  # the place where the kiosk stands

# Where the eyes are too slow, as on a busy machine, an officer decides: this is about tokens.
PREPARED = replace(
    BY_NAME["citizen"],
    name="at-the-kiosk",
    title="checked by a kiosk, and given a token for the gate",
    expected=Outcome.PREPARED,
    officer=OfficerWord.ACCEPT,
    lane=AT_KIOSK,
    plan=(Place(), *enter(GEOMETRIES[BESIDE.topology]), Pause(seconds=STANDS_S)),
)
PASSES = replace(
    BY_NAME["citizen"],
    name="with-a-token",
    title="through the gate by the token of a kiosk",
    officer=OfficerWord.ACCEPT,
    lane=AT_GATE,
)
ONCE_MORE = replace(
    BY_NAME["citizen"],
    name="with-a-used-token",
    title="the same passport at the gate for the second time",
    expected=Outcome.REFERRED,
    reasons=("token_used",),
    lane=AT_GATE,
)
STORY = (PREPARED, PASSES, ONCE_MORE)


class _Neighbour(Centre):
    """The centre of another site, for one more lane."""

    def __init__(self, centre: Centre, name: str) -> None:
        self._centre = centre
        self._name = name

    def found(self, gate: str, root: Path) -> LinkSettings:
        """Admit this lane there, by its own name."""
        del gate
        return self._centre.admit(self._name, root)

    def list_key(self, gate: str) -> str:
        """The file that was handed out to this lane."""
        del gate
        return self._centre.list_key(self._name)

    def journals(self, gate: str) -> JournalSettings:
        """What the owner's gate is told, too, and this lane's own key."""
        del gate
        return self._centre.journals(self._name)

    def close(self) -> None:
        """Leave it to its owner."""


class _TokenSite(Site):
    """A site whose configuration speaks of tokens; `lane` is what its daemons take it for."""

    def __init__(self, folder: Path, policy: Policy, name: str, place: LaneRules, lane: LaneRules) -> None:
        super().__init__(folder, policy, lane=place)
        self._name, self._lane = name, lane
        self.key = self.folder / "tokens.key"
        self.tokens: TokenSettings | None = None

    def _configuration(self, link: LinkSettings) -> GateConfig:
        plain = super()._configuration(link)
        policy = replace(plain.policy, lane=self._lane)
        return replace(plain, gate=self._name, policy=policy, tokens=self.tokens)


class KioskAndGate:
    """Both sites; use with `with`. They are ready for travellers then."""

    def __init__(self, folder: Path, policy: Policy) -> None:
        """Make both, and their keys."""
        self.gate = _TokenSite(folder / "gate", policy, GATE, AT_GATE, AT_GATE)
        self.kiosk = _TokenSite(folder / "kiosk", policy, KIOSK, BESIDE, AT_KIOSK)
        served = ServedGate(name=GATE, public_key=make_key(self.gate.key, "gate"))
        trusted = TrustedKiosk(name=KIOSK, public_key=make_key(self.kiosk.key, "kiosk"))
        self.gate.tokens = TokenSettings(key_file=str(self.gate.key), minutes=MINUTES, kiosks=(trusted,))
        self.kiosk.tokens = TokenSettings(key_file=str(self.kiosk.key), minutes=MINUTES, gate=served)
        self.kiosk.centre = _Neighbour(self.gate.centre, KIOSK)
        self._open = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._open.enter_context(self.gate)
            self._open.enter_context(self.kiosk)
            self.gate.centre.publish(LIST)
            self.gate.centre.serve()
            self.gate.start_daemons()
            self.kiosk.start_daemons()
        except BaseException:
            self._open.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def play(self, scenario: Scenario, told: Told = lambda _: None, seed: int = 0) -> Rehearsed:
        """Let the traveller come to the kiosk or to the gate, whichever the scenario's lane is."""
        if scenario.lane != AT_KIOSK:
            return Rehearsal(self.gate, scenario, told, seed).play()

        def read(entry: Entry) -> None:
            told(entry)
            self._send_on(entry)

        return Rehearsal(self.kiosk, scenario, read, seed).play()

    def _send_on(self, entry: Entry) -> None:
        """Whoever reads that they may go to the gate goes."""
        for effect in entry.followed.effects:
            if isinstance(effect, do.Tell) and effect.screen == "go_to_the_gate":
                self.kiosk.world.tell_back(TRAVELLER)
