"""Listed persons: how fast names are scored, how long an index takes to build, how fast a traveller is found.

The persons are drawn from common names and endings of many languages, the common ones more often, so that
many share names; one in twenty-five was born on the first of January, and of one in twenty the list does not
know the whole date. Each size runs in a process of its own. `EGATE_BENCH_PERSONS` names other sizes.
"""

import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from gated.core.personal import Personal
from gated.store.person_index import LISTED, PersonIndex, build_persons
from gated.watchlist.keyed import ListKey, ListKeys
from gated.watchlist.match import PersonClaim
from gated.watchlist.names.comparison import Person, compare
from gated.watchlist.names.words import zone_name
from gated.watchlist.snapshot import PersonEntry

SIZES: Final = (10**5, 10**6)
SIZES_FROM: Final = "EGATE_BENCH_PERSONS"
LOOKUPS: Final = 2_000
PAIRS: Final = 3_000
WANTED_MS: Final = 10.0
KEY: Final = ListKey(b"bench" * 6 + b"22")
WITH_SLIPS: Final = 0.75
SCORES: Final = (0.75, 0.80, 0.88, 0.90, 0.95)  # that the policy may ask of a hit

GIVEN: Final = (
    "MOHAMMED AHMED ALI HASSAN HUSSEIN MARIA ANNA IVAN SERGEI ALEXANDER OMAR YUSUF IBRAHIM MUSTAFA FATIMA "
    "AISHA JOHN MICHAEL DAVID JAMES ROBERT PETER PAUL THOMAS DANIEL ELENA OLGA NATALIA TATIANA DMITRI "
    "ANDREI MIKHAIL JUAN CARLOS JOSE LUIS MIGUEL ANTONIO FRANCISCO PEDRO CARMEN LUCIA SOFIA ISABELLA "
    "MARTA KATARZYNA PIOTR JAN WEI LI JING MIN YONG HUI JIAN XIN MING HONG SEUNG JIHOON MINJUN SOOJIN "
    "HYUN YOUNG KENJI HIROSHI YUKI AKIRA MEHMET AYSE EMRE BURAK ZEYNEP REZA HAMID FARID NASIR KARIM TARIQ "
    "SALIM KHALID WALID SAMIR NABIL JAMAL RASHID AMIT RAVI SANJAY PRIYA ANITA SUNIL VIJAY RAHUL DEEPAK "
    "LAKSHMI NGUYEN MINH THANH ANH LINH KWAME KOFI AMARA CHIDI EMEKA NGOZI OLUWASEUN GIORGIO MARCO GIULIA "
    "FRANCESCA PIERRE JEAN LUC CLAIRE HANS JUERGEN KARL GRETA LARS SVEN INGRID ASTRID NIKOLAOS GEORGIOS "
    "ELENI DIMITRIOS BOGDAN OLEKSANDR VOLODYMYR TARAS OKSANA IRYNA"
)
STEMS: Final = (
    "PETR IVAN NIKOLA SIDOR KUZNETS SMIRN POPO VASIL MIKHAIL NOVIK FEDOR MOROZ VOLK ALEKSE LEBED SEMEN "
    "EGOR PAVL KOZL STEPAN ORL ANDRE MAKAR ZAKHAR BERG LIND HOLM STROM LUND SAND NORD HANS ANDERS JOHANS "
    "ERIK KARL NIELS SOREN BACH HOF STEIN WALD FELD BAUM MANN SCHMID MUELL WEB SCHNEID FISCH MEY KOWAL "
    "WISNIEW WOJCIECH KAMIN LEWAND ZIEL SZYMAN DABR JABLON PAPAD KONSTANT DIMITR GEORG ANGEL VLACH ROSS "
    "BIANCH ROMAN COLOMB RICC MARIN GRASS BARB MORET MONTAN FERNAND RODRIGU GONZAL MARTIN LOP SANCH PER "
    "GOM ALVAR DOMINGU BAGHDAD HASHIM MASR TIKRIT QURESH HUSAYN RAHIM KARIM JABBAR MAHMUD SALEH OSMAN "
    "YILM KAY DEM CEL SAH OZT ARSLAN DOGAN KIL KUMAR SHARM SINGH GUPT VERM REDD NAIR MENON OKON ADEY "
    "BALOG CHUKW NWOS EZE MBEK DIAL TRAOR KON SISSOK"
)
ENDINGS: Final = (
    "OV EV IN SKI ENKO YAN SON SEN ER MANN STEIN OPOULOS IDIS ELLI INI O EZ A I ZADEH OGLU U E WITZ"
)


def run() -> None:
    """Print the figures for each size."""
    for size in map(int, os.environ.get(SIZES_FROM, "").split() or SIZES):
        subprocess.run([sys.executable, "-m", "tests.bench.names", str(size)], check=True)


def _measure(size: int) -> None:
    people = _People(7)
    _print_scoring(people)
    with tempfile.TemporaryDirectory(prefix="egate-bench-") as folder:
        path, kept = Path(folder) / "persons.db", list[PersonEntry]()
        began, worked = time.perf_counter(), time.process_time()
        build_persons(path, KEY, people.entries(size, kept))
        took, cpu = time.perf_counter() - began, time.process_time() - worked
        megabytes = path.stat().st_size / 1e6
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"  {size:,} persons: built in {took:.0f} s ({cpu:.0f} s of CPU), "
            f"{megabytes:.0f} MB, RSS {most:.0f} MB"
        )
        persons = PersonIndex.open(path, ListKeys([KEY]))
        strangers = list(_People(8).entries(LOOKUPS, []))
        for what, entries, least in (
            ("listed", kept, LISTED),
            ("strangers", strangers, LISTED),
            ("strangers, dates with slips too", strangers, WITH_SLIPS),
        ):
            claims = [_claim(entry) for entry in entries[:LOOKUPS] if "X" not in entry.birth]
            _print_lookups(what, claims, lambda claim, least=least: len(persons.lookup(claim, least)))
        if size == min(SIZES):
            _print_scores(persons, kept, strangers)
        persons.close()


def _print_scores(persons: PersonIndex, kept: list[PersonEntry], strangers: list[PersonEntry]) -> None:
    """What other scores would do that make a hit: strangers who are one, and listed persons who are found.

    One letter of a listed surname is left out, put in or changed; never the first.
    """
    chance = random.Random(3)
    unknown = [_claim(entry) for entry in strangers if "X" not in entry.birth][:1000]
    known = [entry for entry in kept if "X" not in entry.birth][:1000]
    slipped = [
        (entry.reference, _claim(replace(entry, surname=_slip(entry.surname, chance)))) for entry in known
    ]
    for least in SCORES:
        began = time.thread_time()
        hit = sum(bool(persons.lookup(claim, least)) for claim in unknown)
        each = 1000 * (time.thread_time() - began) / len(unknown)
        found = sum(
            any(each.reference == reference for each in persons.lookup(claim, least))
            for reference, claim in slipped
        )
        print(
            f"    from {least:.2f}: {hit / len(unknown):.1%} of strangers a hit, {found / len(slipped):.1%} "
            f"of listed ones with a wrong letter found; {each:.1f} ms of CPU, mean"
        )


def _slip(word: str, chance: random.Random) -> str:
    at, what, letter = chance.randrange(1, len(word)), chance.random(), chance.choice("AEIORNST")
    if what < 1 / 3 and len(word) > 3:
        return word[:at] + word[at + 1 :]
    return word[:at] + letter + word[at + (what > 2 / 3) :]


def _print_lookups(what: str, claims: Sequence[PersonClaim], lookup: Callable[[PersonClaim], int]) -> None:
    wall, cpu, hits = list[float](), list[float](), 0
    for claim in claims[:100]:
        lookup(claim)
    for claim in claims:
        began, worked = time.perf_counter(), time.thread_time()
        hits += lookup(claim) > 0
        wall.append(1000 * (time.perf_counter() - began))
        cpu.append(1000 * (time.thread_time() - worked))
    for times in (wall, cpu):
        times.sort()
    tail = len(wall) * 99 // 100
    print(
        f"    {what}: p50 {wall[len(wall) // 2]:.2f} ms, p99 {wall[tail]:.2f} ms, worst {wall[-1]:.1f} ms "
        f"(of CPU p99 {cpu[tail]:.2f} ms; wanted p99 <= {WANTED_MS:.0f} ms); {hits / len(wall):.1%} hit"
    )


def _print_scoring(people: "_People") -> None:
    entries = list(people.entries(2 * PAIRS, []))
    sides = [Person(zone_name(entry.surname, entry.given)) for entry in entries]
    began = time.thread_time()
    for left, right in zip(sides[::2], sides[1::2], strict=True):
        compare(left, right)
    print(f"  {PAIRS / (time.thread_time() - began):,.0f} pairs of names scored a second")


class _People:
    """Draws people who do not exist; the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._given = GIVEN.split()
        self._surnames = [stem + ending for ending in ENDINGS.split() for stem in STEMS.split()]
        random.Random(1).shuffle(self._surnames)
        self._odds = {
            id(names): list(accumulate(1 / (flat + place) for place in range(len(names))))
            for names, flat in ((self._given, 8), (self._surnames, 40))
        }

    def entries(self, count: int, kept: list[PersonEntry]) -> Iterator[PersonEntry]:
        """Yield so many; one in `count / LOOKUPS` goes to `kept` too."""
        every = max(1, count // LOOKUPS)
        for number in range(count):
            entry = self._somebody(f"C/{number}")
            if number % every == 0:
                kept.append(entry)
            yield entry

    def _somebody(self, reference: str) -> PersonEntry:
        chance = self._chance
        given = [self._draw(self._given) for _ in range(1 + (chance.random() < 0.4))]
        birth = f"{chance.randrange(1940, 2008)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
        what = chance.random()
        if what < 0.04:
            birth = f"{birth[:4]}-01-01"
        elif what < 0.08:
            birth = f"{birth[:4]}-XX-XX"
        elif what < 0.09:
            birth = "XXXX-XX-XX"
        return PersonEntry(
            surname=self._draw(self._surnames),
            given=" ".join(given),
            birth=birth,
            nationality=chance.choice(("", "UTO", "D", "SWE")),
            grade="refer",
            reason="exit_ban",
            reference=reference,
        )

    def _draw(self, names: list[str]) -> str:
        odds = self._odds[id(names)]
        return names[bisect(odds, self._chance.random() * odds[-1])]


def _claim(entry: PersonEntry) -> PersonClaim:
    year, month, day = entry.birth.split("-")
    return PersonClaim(
        surname=Personal(entry.surname),
        given=Personal(entry.given),
        birth=Personal(year[2:] + month + day),
        nationality=entry.nationality,
    )


if __name__ == "__main__":
    _measure(int(sys.argv[1]))
