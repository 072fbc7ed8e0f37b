"""Valid at every gate: what one gate registers the centre publishes, and every other gate knows."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from msgspec.structs import replace

from gated.central import keys as central_keys
from gated.central import repository as central_repository
from gated.central.cli import main
from gated.central.folder import CentralFolder
from gated.central.keys import extend
from gated.central.kinds import Signing, release
from gated.central.packs import new_list_key
from gated.central.registrations import RegistrationBook, make_registration_key, registration_key
from gated.central.repository import Lifetimes, Repository
from gated.core import events as ev
from gated.core.rulings import Ruling
from gated.core.settings.travellers import EligibilitySettings
from gated.document.mrz import Mrz
from gated.lanes.dossier import Dossiers
from gated.lanes.eligibility import Eligibility
from gated.lanes.registration import RegistrationLane
from gated.published_kinds import PublishedKinds, load_published
from gated.rule_files import open_standings
from gated.store.registration_letters import Holding
from gated.store.registration_post import LetterUp
from gated.store.registrations import Registrations
from gated.store.replication import WatchlistUpdater
from gated.watchlist.keyed import ListKeys
from gated.watchlist.publication import ROLES, Stage
from tests.lanes.rounds import Posted
from tests.registration.people import ANNA, ANNA_ANEW, BERT, KEY, PASSAGE
from tests.registration.test_commands import Given
from tests.registration.test_commands import given as given  # noqa: PLC0414 - a fixture
from tests.registration.test_lane import REGISTERED, SETTINGS, page
from tests.rules.packs import small_pack
from tests.store.central_stand_in import Central
from tests.store.central_stand_in import Gate as Lists
from tests.system.link_rig import GATE_TOML

AT = 1_800_000_000
ASKED, KNOWN = (Ruling.ADMIT, True), (Ruling.ADMIT, False)
MAKE = ("--kind", "standings", "--registrations")


class Gate:
    """As much of one gate as registers, hears of what is published, and decides."""

    def __init__(self, folder: Path, name: str, central: Central, keys: ListKeys) -> None:
        folder.mkdir()
        self.folder, self.name, self.central = folder, name, central
        self.posted = Posted()
        centre = X25519PublicKey.from_public_bytes(bytes.fromhex(make_registration_key(central.folder)))
        self.store = Registrations(folder, KEY, name, centre)
        self.lane = RegistrationLane(self.store, SETTINGS, Dossiers(), self.posted)
        self.lists = Lists(folder / "watchlist", central)
        path = folder / "gate.toml"
        values = {"requests": 1, "announcements": 2, "server_key": "x" * 40, "key_file": "/k", "timeout_s": 1}
        text = GATE_TOML.format(state=folder, run=folder / "run", **values)
        path.write_text(text.replace('"none"', '"dlib-resnet"').replace("gate-1", name))
        self.loaded, self.published = load_published(path)
        self.keys = keys
        self.kinds = PublishedKinds(path, self.loaded, self.published, self.posted, {}, keys)
        self.lists.updater = WatchlistUpdater(self.lists.watchlist, central, beside=self.kinds.updater.beside)
        standings = open_standings(self.loaded.config, keys, self.kinds.standings)
        pack = small_pack(REGISTERED)
        self.eligibility = Eligibility(EligibilitySettings(), pack, standings, registration=self.lane)

    def decides(self, mrz: Mrz) -> tuple[Ruling, bool]:
        """The ruling, and whether the traveller is asked to register."""
        judged = self.eligibility.of(mrz, datetime.now(UTC), ())
        return judged.decision.ruling, judged.registration

    def register(self, who: Holding, at: int = AT) -> str:
        return self.store.register(who, "2026-1", PASSAGE, at)[0]

    def send(self) -> None:
        """Every letter comes to the centre, the newest first: a line may do that."""
        book = RegistrationBook(self.central.folder)
        for letter in reversed(self.store.letters(100)):
            up = LetterUp(registration=letter.registration, kind=letter.kind, sealed=letter.sealed)
            book.take(self.name, up, datetime.now(UTC).isoformat(timespec="milliseconds"))
        book.close()

    def refresh(self) -> None:
        self.central.now = datetime.now(UTC)
        self.lists.refresh()

    def files(self) -> list[Path]:
        return sorted((self.folder / "published" / "standings").glob("*/standings.db"))

    def close(self) -> None:
        self.eligibility.close()
        self.store.close()
        self.lists.watchlist.close()


class Site:
    """One centre and two gates."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys
        self.central = Central(folder / "central")
        keys = ListKeys([new_list_key(self.central.folder)])
        self.a = Gate(folder / "a", "gate-a", self.central, keys)
        self.b = Gate(folder / "b", "gate-b", self.central, keys)

    def run(self, command: str, *arguments: object) -> dict[str, Any]:
        self.capsys.readouterr()
        words = [command, str(self.central.folder.path), *map(str, arguments), "--json"]
        assert main(words) == 0, self.capsys.readouterr().err
        told: dict[str, Any] = json.loads(self.capsys.readouterr().out)
        return told

    def refused(self, command: str, *arguments: object) -> str:
        self.capsys.readouterr()
        assert main([command, str(self.central.folder.path), *map(str, arguments)]) == 1
        return self.capsys.readouterr().err

    def published(self) -> list[Path]:
        return sorted((self.central.folder.targets / "standings").glob("*-standings.db"))


@pytest.fixture
def site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Site]:
    one = Site(tmp_path, capsys)
    yield one
    one.a.close()
    one.b.close()


def test_who_registered_at_one_gate_is_not_asked_at_another_until_they_withdraw(
    site: Site, given: Given
) -> None:
    number = site.a.register(ANNA)
    site.a.send()
    assert (site.a.decides(page()), site.b.decides(page())) == (KNOWN, ASKED)
    told = site.run("publish", *MAKE)
    assert (told["standings"], told["registrations"], told["version"]) == (1, 1, 1)
    site.b.refresh()
    assert site.b.decides(page()) == KNOWN
    assert site.b.decides(page("M000000X1")) == KNOWN, "nor with a new passport: the number for life tells"
    assert site.b.decides(page("M000000X1", birth="740813")) == ASKED, "everybody else is"
    assert not site.b.kinds.updater.status["standings"].restart
    (changed,) = site.b.posted.of(ev.PublishedChanged)
    assert (changed.kind, changed.sha256) == ("standings", site.b.kinds.hashes()["published_standings"])

    given(page().text.encode())
    site.run("registrations", "withdraw")  # gate A has not heard of it yet
    assert site.run("publish", *MAKE)["standings"] == 0
    site.b.refresh()
    assert site.b.decides(page()) == ASKED
    assert len(site.b.files()) == 1, "nor does the file before lie there any more"
    site.a.store.erase(number, "withdrawn_at_centre", AT + 9)
    site.a.send()
    assert site.run("publish", *MAKE, "--renew-hours", "0")["standings"] == 0


def test_a_deletion_at_a_gate_ends_with_the_next_publication(site: Site) -> None:
    number = site.a.register(ANNA)
    site.b.register(BERT)
    site.a.send()
    site.b.send()
    assert site.run("publish", *MAKE)["standings"] == 2
    site.a.store.erase(number, "withdrawn", AT + 9)
    site.a.send()
    assert site.run("publish", *MAKE)["standings"] == 1
    site.a.refresh()
    assert site.a.decides(page()) == ASKED
    assert site.a.decides(page(BERT.number, BERT.birth)) == KNOWN


def test_a_linked_passport_is_known_everywhere_and_the_old_one_no_more(site: Site) -> None:
    number = site.a.register(replace(ANNA, personal=""))
    site.a.store.link(number, replace(ANNA_ANEW, personal=""), "officer", AT + 9)
    site.a.send()
    site.run("publish", *MAKE)
    site.b.refresh()
    assert (site.b.decides(page("M000000X1")), site.b.decides(page())) == (KNOWN, ASKED)


def test_what_has_not_changed_is_published_again_only_when_it_grows_old(site: Site) -> None:
    site.a.register(ANNA)
    site.a.send()
    assert not site.run("publish", *MAKE)["unchanged"]
    again = site.run("publish", *MAKE)
    assert (again["unchanged"], again["version"]) == (True, 1)
    renewed = site.run("publish", *MAKE, "--renew-hours", "0")
    assert (renewed["unchanged"], renewed["version"]) == (False, 2)
    site.run("list-key")
    anew = site.run("publish", *MAKE)
    assert (anew["unchanged"], anew["version"]) == (False, 3), "made under another key"


def test_the_centre_keeps_no_earlier_file_for_long_and_goes_back_to_none(site: Site) -> None:
    site.a.register(ANNA)
    site.a.send()
    for _ in range(3):
        site.run("publish", *MAKE, "--renew-hours", "0")
    assert len(site.published()) == 2, "that of now, and of refreshes under way"
    assert "no good release before" in site.refused("withdraw", "--kind", "standings", "--version", "3")
    site.b.refresh()
    (kind,) = [each for each in site.run("status")["kinds"] if each["kind"] == "standings"]
    assert (kind["version"], kind["files"]) == (3, ["standings.db"])


def test_nothing_readable_is_published_or_lies_at_a_gate(site: Site) -> None:
    site.a.register(ANNA)
    site.a.send()
    site.run("publish", *MAKE)
    site.b.refresh()
    paths = (*site.published(), *site.b.files())
    assert len(paths) == 2
    for path in paths:
        raw = path.read_bytes()
        assert not any(word in raw for word in (b"L898902C3", b"ZE184226B", b"UTO", b"registered", b"740812"))
    assert not list(site.central.folder.path.glob(".standings-*"))


def table(site: Site, *rows: str) -> Path:
    path = site.central.folder.path / "standings.csv"
    path.write_text("issuer,number,registered,consent,programmes\n" + "".join(f"{row}\n" for row in rows))
    return path


def test_the_register_s_word_goes_before_and_takes_nothing_away_that_it_does_not_tell(site: Site) -> None:
    site.a.register(ANNA)
    site.a.register(BERT)
    site.a.send()
    told = site.run(
        "publish", *MAKE, "--table", table(site, "UTO,L898902C3,,,frequent", "UTO,L898902C4,no,,", "D,1,,,x")
    )
    assert (told["standings"], told["registrations"]) == (3, 2)
    site.b.refresh()
    assert site.b.decides(page()) == KNOWN
    assert site.b.decides(page(BERT.number, BERT.birth)) == ASKED
    site.run("publish", *MAKE, "--table", table(site, "UTO,L898902C3,no,,"))
    site.b.refresh()
    assert site.b.decides(page()) == site.b.decides(page("M000000X1")) == ASKED
    told = site.run("publish", "--kind", "standings", "--table", table(site, "UTO,L898902C3,yes,yes,"))
    assert (told["standings"], told["registrations"]) == (1, 0)
    site.b.refresh()
    assert (site.b.decides(page()), site.b.decides(page(BERT.number, BERT.birth))) == (KNOWN, ASKED)


def test_a_table_with_a_wrong_row_is_not_published_unless_somebody_says_so(site: Site) -> None:
    wrong = table(site, "UTO,L898902C3,yes,yes,", "UTO,L898902C4,perhaps,,")
    words = ("publish", "--kind", "standings", "--table", wrong)
    error = site.refused(*words)
    assert "line 3: registered: expected neither yes nor no" in error
    assert "perhaps" not in error
    assert site.run(*words, "--skip-bad")["standings"] == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--registrations",), "add --kind standings"),
        (("--kind", "standings", "--file", "x"), "name --table, --registrations"),
        (("--kind", "standings", "--table", "nowhere.csv"), "nowhere.csv: cannot be read"),
        ((*MAKE, "--registration-key", "nowhere.pem"), "nowhere.pem: cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_told(site: Site, words: tuple[str, ...], told: str) -> None:
    assert told in site.refused("publish", *words)
    assert not site.published()


def test_letters_that_do_not_open_leave_one_out_and_another_key_publishes_nothing(site: Site) -> None:
    site.a.register(ANNA)
    site.a.send()
    book = RegistrationBook(site.central.folder)
    letter = site.a.store.letters(1)[0]
    for gate in ("gate-a", "gate-c"):  # a letter that was changed, and one from elsewhere
        up = LetterUp(registration="f" * 32, kind=letter.kind, sealed=letter.sealed[:-1] + b"x")
        book.take(gate, up, "2026-11-26T22:00:00.000+00:00")
    book.close()
    told = site.run("publish", *MAKE)
    assert (told["standings"], told["unreadable"]) == (1, ["gate-a", "gate-c"])
    key = site.central.folder.keys / "registrations.pem"
    key.unlink()
    make_registration_key(site.central.folder)
    assert "use the key that gates seal for" in site.refused("publish", *MAKE)
    site.b.refresh()
    assert site.b.decides(page()) == KNOWN, "what is published stays"


def test_a_gate_without_the_list_key_keeps_off_what_it_cannot_read(site: Site, tmp_path: Path) -> None:
    site.a.register(ANNA)
    site.a.send()
    site.run("publish", *MAKE)
    lost = Gate(tmp_path / "c", "gate-c", site.central, ListKeys([KEY]))
    lost.refresh()
    assert lost.kinds.updater.status["standings"].code == "not_usable_here"
    assert lost.decides(page()) == ASKED
    lost.close()


def test_a_file_that_is_no_file_of_standings_is_taken_by_no_gate(site: Site, tmp_path: Path) -> None:
    (tmp_path / "standings.db").write_bytes(b"nothing")
    signing = Signing(datetime.now(UTC))
    release(site.central.folder, "standings", [("standings", tmp_path / "standings.db")], [Stage()], signing)
    site.b.refresh()
    assert site.b.kinds.updater.status["standings"].code == "not_usable_here"


def test_several_hold_the_keys_of_standings_as_of_any_kind(site: Site) -> None:
    site.run("rotate", "--role", "standings", "--quorum", "2/2")
    site.a.register(ANNA)
    site.a.send()
    assert site.run("build", *MAKE)["staged"]
    site.b.refresh()
    assert site.b.decides(page()) == ASKED
    assert site.run("sign", "--kind", "standings")["signatures"] == 2
    assert site.run("publish", "--kind", "standings")["renewed"] is False
    site.b.refresh()
    assert site.b.decides(page()) == KNOWN


def test_a_centre_that_is_older_than_the_kind_gets_its_role_by_one_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = tuple(role for role in ROLES if role != "standings")
    with monkeypatch.context() as patched:
        patched.setattr(central_keys, "ROLES", before)
        patched.setattr(central_repository, "ROLES", before)
        site = Site(tmp_path, capsys)
    folder = CentralFolder(site.central.folder.path)
    assert "standings" not in Repository(folder).roles()
    site.a.register(ANNA)
    site.a.send()
    site.b.refresh()
    for words in (("publish", *MAKE), ("rotate", "--role", "standings")):
        assert f"gate-central extend {folder.path}" in site.refused(*words)
    assert any("older than standings" in told for told in site.run("status")["warnings"])
    targets = folder.keys / "targets.pem"
    away = targets.rename(tmp_path / "targets.pem")
    assert "needs the targets key" in site.refused("extend")
    away.rename(targets)
    assert site.run("extend", "--quorum", "standings=1/2") == {"roles": ["standings"]}
    assert site.run("extend") == {"roles": []}
    assert extend(folder, datetime.now(UTC), Lifetimes()) == ()
    assert site.run("publish", *MAKE)["version"] == 1
    site.b.refresh()
    assert site.b.decides(page()) == KNOWN
    for gate in (site.a, site.b):
        gate.close()


def test_the_newest_letter_counts_whatever_order_they_come_in(site: Site) -> None:
    number = site.a.register(ANNA)
    site.a.store.link(number, ANNA_ANEW, "officer", AT + 1)
    site.a.store.link(number, replace(ANNA, number="X7"), "officer", AT + 2)
    site.a.send()
    book = RegistrationBook(site.central.folder)
    holders, unreadable = book.valid(registration_key(site.central.folder.keys / "registrations.pem"))
    book.close()
    assert [(each.who.number, each.registration, each.text) for each in holders] == [("X7", number, "2026-1")]
    assert unreadable == ()
