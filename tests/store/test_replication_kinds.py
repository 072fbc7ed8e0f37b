"""The other kinds at a gate: what comes into force, what does not, and that a crash leaves old or new."""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from gated.central.kinds import Signing, kind_index, release, roll_out, set_group, withdraw
from gated.store.kinds import ASKED_BACK, KindsUpdater, ask_back, read_status
from gated.store.published import InForce, Published
from gated.store.replication import Failed, Unchanged, Updated, WatchlistUpdater
from gated.store.signed import FIXES, NotUsable
from gated.watchlist.publication import MAX_RELEASES, Kind, PublishedFile, Stage
from gated.watchlist.snapshot import ListError
from tests.store.central_stand_in import Central, Gate, document

EVERYBODY = (Stage(),)


class Kinds:
    """A gate with a list, and beside it the other kinds."""

    def __init__(self, folder: Path, central: Central, name: str = "gate-1") -> None:
        self.central = central
        self.gate = Gate(folder / name, central)
        self.name = name
        self.folder = folder / name / "published"
        self.took: list[tuple[Kind, int]] = []
        self.refuse: set[bytes] = set()
        self.reached: Callable[[str], None] = lambda _: None
        self.begin()

    def begin(self) -> None:
        self.published = Published(self.folder, self._step)
        self.damaged = self.published.recover()
        self.kinds = KindsUpdater(
            self.published,
            self.folder,
            self.name,
            dict.fromkeys(("rules", "trust", "config", "prompts", "models"), self._check),
            lambda kind, now: self.took.append((kind, now.version)),
        )
        self.gate.updater = WatchlistUpdater(self.gate.watchlist, self.central, beside=self.kinds.beside)

    def _step(self, reached: str) -> None:
        self.reached(reached)

    def _check(self, folder: Path, files: tuple[PublishedFile, ...]) -> None:
        for file in files:
            if (folder / file.name).read_bytes() in self.refuse:
                raise NotUsable("told so")

    def publish(self, content: bytes, *stages: Stage, kind: Kind = "rules", use: str = "rules") -> int:
        source = self.central.folder.path / "source.toml"
        source.write_bytes(content)
        released = release(
            self.central.folder, kind, [(use, source)], stages or EVERYBODY, Signing(self.central.now)
        )
        return released.version

    def content(self, kind: Kind = "rules", use: str = "rules") -> bytes:
        (path,) = self.published.files(kind)[use]
        return path.read_bytes()

    def version(self, kind: Kind = "rules") -> int:
        now = self.published.in_force(kind)
        return now.version if now else 0


@pytest.fixture
def central(tmp_path: Path) -> Central:
    central = Central(tmp_path / "central")
    central.publish(document("L898902C3"))
    return central


@pytest.fixture
def kinds(tmp_path: Path, central: Central) -> Iterator[Kinds]:
    kinds = Kinds(tmp_path, central)
    yield kinds
    kinds.gate.watchlist.close()


def test_a_release_comes_into_force_and_a_newer_one_takes_its_place(kinds: Kinds) -> None:
    kinds.publish(b"one")
    assert isinstance(kinds.gate.refresh(), Updated)
    assert (kinds.version(), kinds.content()) == (1, b"one")
    kinds.publish(b"two")
    assert isinstance(kinds.gate.refresh(), Unchanged)
    assert (kinds.version(), kinds.content()) == (2, b"two")
    assert kinds.took == [("rules", 1), ("rules", 2)]
    kinds.publish(b"three")
    kinds.gate.refresh()
    assert sorted(path.name for path in (kinds.folder / "rules").iterdir()) == ["2", "3", "current"]


def test_kinds_do_not_hinder_each_other(kinds: Kinds, central: Central) -> None:
    kinds.publish(b"rules")
    kinds.publish(b"list", kind="trust", use="master_lists")
    central.tamper = lambda url, content: content + b" " if "rules" in url and "source" in url else content
    assert isinstance(kinds.gate.refresh(), Updated)
    assert (kinds.version("rules"), kinds.version("trust")) == (0, 1)
    status = kinds.kinds.status["rules"]
    assert (status.code, status.fix) == ("oversized", FIXES["oversized"])
    central.tamper = lambda _, content: content
    kinds.gate.refresh()
    assert (kinds.version("rules"), kinds.kinds.status["rules"].code) == (1, "")


def test_what_the_gate_cannot_use_does_not_come_into_force_and_is_not_fetched_again(
    kinds: Kinds, central: Central
) -> None:
    kinds.publish(b"good")
    kinds.gate.refresh()
    kinds.refuse = {b"bad"}
    kinds.publish(b"bad")
    kinds.gate.refresh()
    assert (kinds.version(), kinds.content()) == (1, b"good")
    assert kinds.kinds.status["rules"].code == "not_usable_here"
    fetched = len(central.fetched)
    kinds.gate.refresh()
    assert not any("source" in url for url in central.fetched[fetched:])
    kinds.publish(b"better")
    kinds.gate.refresh()
    assert (kinds.version(), kinds.kinds.status["rules"].code) == (3, "")


def test_a_withdrawn_release_gives_way_to_the_content_before_under_a_higher_number(
    kinds: Kinds, central: Central
) -> None:
    kinds.publish(b"good")
    bad = kinds.publish(b"wrong")
    kinds.gate.refresh()
    assert kinds.content() == b"wrong"
    answer = withdraw(central.folder, "rules", bad, Signing(central.now))
    assert (answer.version, answer.withdrawn) == (3, (2,))
    kinds.gate.refresh()
    assert (kinds.version(), kinds.content()) == (3, b"good")


def test_withdrawing_gives_trials_and_all_others_back_what_each_had(tmp_path: Path, central: Central) -> None:
    set_group(central.folder, "pilot", ["gate-1"])
    one, two = Kinds(tmp_path, central, "gate-1"), Kinds(tmp_path, central, "gate-2")
    one.publish(b"for all")
    one.publish(b"on trial", Stage(group="pilot"))
    bad = one.publish(b"wrong")
    for each in (one, two):
        each.gate.refresh()
        assert each.content() == b"wrong"
    withdraw(central.folder, "rules", bad, Signing(central.now))
    for each in (one, two):
        each.gate.refresh()
    assert (one.content(), two.content()) == (b"on trial", b"for all")
    assert one.kinds.status["rules"].groups == ("pilot",)
    for each in (one, two):
        each.gate.watchlist.close()


def test_a_release_is_rolled_out_by_groups_and_shares(tmp_path: Path, central: Central) -> None:
    set_group(central.folder, "pilot", ["gate-1"])
    gates = [Kinds(tmp_path, central, f"gate-{number}") for number in (1, 2)]
    version = gates[0].publish(b"new", Stage(group="pilot"))
    for each in gates:
        each.gate.refresh()
    assert [each.version() for each in gates] == [1, 0]
    roll_out(central.folder, "rules", version, EVERYBODY, Signing(central.now))
    for each in gates:
        each.gate.refresh()
        each.gate.watchlist.close()
    assert [each.version() for each in gates] == [1, 1]
    assert [len(each.took) for each in gates] == [1, 1]


@pytest.mark.parametrize("step", ["built", "placed", "switched"])
def test_a_crash_at_any_step_leaves_the_old_release_or_the_new_one(kinds: Kinds, step: str) -> None:
    class Crash(BaseException):
        pass

    def crash(reached: str) -> None:
        if reached == step:
            raise Crash

    kinds.publish(b"old")
    kinds.gate.refresh()
    kinds.publish(b"new")
    kinds.reached = crash
    with pytest.raises(Crash):
        kinds.gate.refresh()
    kinds.reached = lambda _: None
    kinds.begin()
    assert kinds.damaged == {}
    assert kinds.content() == (b"new" if step == "switched" else b"old")
    kinds.gate.refresh()
    assert (kinds.version(), kinds.content()) == (2, b"new")
    assert sorted(path.name for path in (kinds.folder / "rules").iterdir()) == ["1", "2", "current"]


def test_a_damaged_release_gives_way_to_the_one_before_until_it_is_fetched_again(kinds: Kinds) -> None:
    kinds.publish(b"old")
    kinds.gate.refresh()
    kinds.publish(b"new")
    kinds.gate.refresh()
    (kinds.folder / "rules" / "2" / "source.toml").write_bytes(b"nEw")
    kinds.begin()
    assert kinds.damaged == {"rules": "previous"}
    assert (kinds.version(), kinds.content()) == (1, b"old")
    kinds.gate.refresh()
    assert (kinds.version(), kinds.content()) == (2, b"new")


@pytest.mark.parametrize("pointer", [b"", b"{}", b"[" * 5000, b"\xff"])
def test_a_damaged_pointer_is_no_release(kinds: Kinds, pointer: bytes) -> None:
    kinds.publish(b"old")
    kinds.gate.refresh()
    (kinds.folder / "rules" / "current").write_bytes(pointer)
    kinds.begin()
    assert kinds.damaged == {"rules": "nothing"}
    kinds.gate.refresh()
    assert kinds.content() == b"old"


def test_going_back_takes_the_old_content_and_never_a_lower_number(kinds: Kinds) -> None:
    with pytest.raises(ListError, match="nothing_to_go_back_to"):
        kinds.published.go_back("rules")
    kinds.publish(b"old")
    kinds.publish(b"new")
    kinds.gate.refresh()
    with pytest.raises(ListError, match="nothing_to_go_back_to"):  # the old one was never here
        kinds.published.go_back("rules")
    kinds.publish(b"newest")
    kinds.gate.refresh()
    back = kinds.published.go_back("rules")
    assert (back.version, back.content, kinds.content()) == (3, 2, b"new")
    kinds.begin()
    kinds.gate.refresh()
    assert kinds.content() == b"new"  # what is published is no newer
    kinds.publish(b"mended")
    kinds.gate.refresh()
    assert (kinds.version(), kinds.content()) == (4, b"mended")


def test_a_state_older_than_the_gate_s_is_a_rollback_for_each_kind(
    kinds: Kinds, central: Central, tmp_path: Path
) -> None:
    kinds.publish(b"one")
    shutil.copytree(central.folder.repository, tmp_path / "before")
    kinds.publish(b"two")
    kinds.gate.refresh()
    shutil.rmtree(central.folder.repository)
    shutil.copytree(tmp_path / "before", central.folder.repository)
    shutil.rmtree(kinds.gate.state / "tuf")
    central.sign_again(later_s=60)
    kinds.gate.refresh()
    assert (kinds.version(), kinds.kinds.status["rules"].code) == (2, "rollback")


def test_what_the_gate_knows_of_each_kind_survives_a_restart(kinds: Kinds, central: Central) -> None:
    kinds.publish(b"one")
    kinds.gate.refresh()
    central.down = True
    central.now += timedelta(minutes=5)
    assert isinstance(kinds.gate.refresh(), Failed)
    status = read_status(kinds.folder)["rules"]
    assert (status.code, status.published) == ("link_down", 1)
    assert status.signed_at == pytest.approx(central.now.timestamp() - 300, abs=2)
    assert "trust" not in read_status(kinds.folder)  # nothing was ever published of it, nothing is amiss
    assert os.listdir(kinds.folder / "rules")  # noqa: PTH208


def test_a_pointer_says_what_goes_on_record(kinds: Kinds) -> None:
    kinds.publish(b"one")
    kinds.gate.refresh()
    first = kinds.published.in_force("rules")
    kinds.publish(b"two")
    kinds.gate.refresh()
    second = kinds.published.in_force("rules")
    assert first is not None
    assert second is not None
    assert first.sha256 != second.sha256
    assert msgspec.json.decode(msgspec.json.encode(second), type=InForce) == second


def test_a_technician_s_request_is_done_once_and_by_the_gate_itself(kinds: Kinds) -> None:
    for content in (b"old", b"new"):
        kinds.publish(content)
        kinds.gate.refresh()
    ask_back(kinds.folder, "rules")
    kinds.kinds.go_back_if_asked()
    assert kinds.content() == b"old"
    kinds.kinds.go_back_if_asked()
    kinds.gate.refresh()
    assert (kinds.version(), kinds.content()) == (2, b"old")
    assert kinds.took == [("rules", 1), ("rules", 2), ("rules", 2)]
    assert read_status(kinds.folder)["rules"].restart


@pytest.mark.parametrize("request_", [b"", b"{}", b'{"kind":"keys"}', b"[" * 10_000, b"\xff"])
def test_a_request_that_is_none_is_dropped(kinds: Kinds, request_: bytes) -> None:
    kinds.publish(b"old")
    kinds.gate.refresh()
    asked = kinds.folder / ASKED_BACK
    asked.write_bytes(request_)
    kinds.kinds.go_back_if_asked()
    assert not asked.exists()
    assert kinds.content() == b"old"


def test_going_back_to_nothing_is_told(kinds: Kinds) -> None:
    kinds.publish(b"only")
    kinds.gate.refresh()
    ask_back(kinds.folder, "rules")
    kinds.kinds.go_back_if_asked()
    assert kinds.kinds.status["rules"].code == "nothing_to_go_back_to"
    assert kinds.content() == b"only"


def test_many_trials_with_a_group_do_not_push_out_what_everybody_has(
    tmp_path: Path, central: Central
) -> None:
    set_group(central.folder, "pilot", ["gate-1"])
    gate = Kinds(tmp_path, central, "gate-2")
    gate.publish(b"for all")
    for number in range(MAX_RELEASES + 3):
        gate.publish(f"trial {number}".encode(), Stage(group="pilot"))
    gate.gate.refresh()
    assert gate.content() == b"for all"
    index = kind_index(central.folder, "rules")
    assert index is not None
    assert len(index.releases) == MAX_RELEASES
    gate.gate.watchlist.close()


def test_what_has_not_changed_is_not_fetched_again_and_stays_fresh(kinds: Kinds, central: Central) -> None:
    kinds.publish(b"one")
    kinds.gate.refresh()
    fetched = len(central.fetched)
    central.sign_again(later_s=60)
    kinds.gate.refresh()
    assert not any("targets/rules" in url for url in central.fetched[fetched:])
    assert kinds.kinds.status["rules"].signed_at == pytest.approx(central.now.timestamp(), abs=2)
    central.down = True
    kinds.gate.refresh()
    assert kinds.kinds.status["rules"].code == "link_down"
    central.down = False
    kinds.gate.refresh()
    assert kinds.kinds.status["rules"].code == ""


# --- how old the centre's word on a kind is ------------------------------------------------------------


def age_s(kinds: Kinds, *, later_s: float = 0.0, kind: Kind = "rules") -> float | None:
    """The age so long after the last word of the centre."""
    return kinds.kinds.age_s(kind, kinds.central.now + timedelta(seconds=later_s), later_s)


def test_a_kind_is_as_old_as_the_last_word_on_it_and_nothing_has_no_age(kinds: Kinds) -> None:
    kinds.gate.refresh()
    assert age_s(kinds) is None, "nothing is published"
    kinds.publish(b"one")
    kinds.gate.refresh()
    vouched = age_s(kinds)
    assert vouched is not None
    assert 0 <= vouched < 60
    assert age_s(kinds, later_s=3600.0) == vouched + 3600
    assert age_s(kinds, later_s=0.0) == vouched + 3600, "a clock that goes back makes nothing younger"


def test_an_age_goes_on_through_a_restart_by_a_clock_that_lost_its_battery(kinds: Kinds) -> None:
    kinds.publish(b"one")
    kinds.gate.refresh()
    before = age_s(kinds, later_s=7200.0)
    kinds.kinds._write()
    kinds.begin()
    assert age_s(kinds, later_s=-86400.0) == before


def test_what_the_gate_cannot_take_is_vouched_for_by_no_word(kinds: Kinds) -> None:
    kinds.publish(b"good")
    kinds.gate.refresh()
    signed = kinds.kinds.status["rules"].signed_at
    kinds.refuse = {b"bad"}
    kinds.central.now += timedelta(hours=1)
    kinds.publish(b"bad")
    for _ in range(2):
        kinds.gate.refresh()
        assert kinds.kinds.status["rules"].signed_at == signed
    kinds.publish(b"better")
    kinds.gate.refresh()
    assert kinds.kinds.status["rules"].signed_at > signed


def test_what_the_gate_went_back_to_grows_older(kinds: Kinds) -> None:
    kinds.publish(b"one")
    kinds.gate.refresh()
    kinds.publish(b"two")
    kinds.gate.refresh()
    ask_back(kinds.folder, "rules")
    kinds.kinds.go_back_if_asked()
    signed = kinds.kinds.status["rules"].signed_at
    kinds.central.now += timedelta(hours=1)
    kinds.publish(b"other", kind="trust", use="master_lists")
    kinds.gate.refresh()
    assert kinds.kinds.status["trust"].signed_at > signed
    assert kinds.kinds.status["rules"].signed_at == signed


def test_without_its_status_a_kind_is_as_old_as_can_be(kinds: Kinds) -> None:
    kinds.publish(b"one")
    kinds.gate.refresh()
    (kinds.folder / "status.json").unlink()
    kinds.begin()
    found = age_s(kinds)
    assert found is not None
    assert found > 40 * 365 * 86400
