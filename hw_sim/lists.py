"""The twists about lists: what somebody does to what is published, and a centre that is away for days.

An attacker has the network and an old copy of everything that was ever published, but no key. Days are not
waited for: while the gate's daemon is down, the last word of the centre is put back by so many hours in the
file where the gate remembers it, as if it had come then.
"""

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from gated.core.gate import State
from gated.store.journal import Entry
from hw_sim.course import Course
from hw_sim.scenarios import HOLDERS, LIST, Twist
from hw_sim.site import Site
from hw_sim.supervisor import DaemonError
from hw_sim.weathered import put_back_word

TAKEN_S = 45.0  # a gate looks for a new list every 30 s, whatever it has or has not heard
MARGIN_S = 600.0
_numbers = itertools.count(1)


def _another() -> dict[str, str]:
    """A lost passport that was on no list before."""
    number = f"T{next(_numbers):08}"
    return {
        "number": number, "issuer": "UTO", "type": "P", "grade": "refer", "reason": "lost",
        "reference": f"late-{number.lower()}",
    }  # fmt: skip


def _await(site: Site, version: int) -> None:
    _until(lambda: _version(site) == version, f"the gate did not take list {version}")


def _until(true: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + TAKEN_S
    while not true():
        if time.monotonic() > deadline:
            raise DaemonError(otherwise)
        time.sleep(0.1)


def _version(site: Site) -> int:
    status = site.status()
    return status.watchlist_version if status else 0


def _says(site: Site, code: str) -> Callable[[], bool]:
    """Whether gated's log names this failure, from now on."""
    log = site.daemons["gated"].log
    before = log.stat().st_size
    return lambda: code.encode() in log.read_bytes()[before:]


def _older_state_is_served(site: Site, _: int) -> None:
    centre = site.centre
    old = centre.copied("stolen")
    centre.publish([*LIST, _another()])
    _await(site, centre.version())
    centre.copied("kept")
    refused = _says(site, "rollback")
    centre.serve_from(old)
    _until(refused, "the gate did not notice the older state")


def _newest_state_is_served(site: Site) -> None:
    kept = site.centre.folder.with_name("kept")
    _keeps(site, "after the older state was served", lambda: type(site.centre)(kept, site.folder).version())
    site.centre.serve_from(type(site.centre)(kept, site.folder))


def _list_is_forged(site: Site, _: int) -> None:
    """A new list is published, and its bytes are changed where they lie."""
    before = _version(site)
    forged = site.centre.copied("forged")
    forged.publish([*LIST, _another()])
    for path in (forged.folder / "repository" / "targets" / "watchlist").iterdir():
        if f"-{forged.version()}." in path.name:
            raw = path.read_bytes()
            path.write_bytes(raw[:-2] + bytes([raw[-2] ^ 1]) + raw[-1:])
    refused = _says(site, "bad_hash")
    site.centre.serve_from(forged)
    _until(refused, "the gate did not notice the forged list")
    if _version(site) != before:
        site.centre.problems.append("the gate took a forged list")


def _true_list_is_published(site: Site) -> None:
    site.centre.publish([*LIST, _another()])
    _await(site, site.centre.version())


def _deltas_have_a_gap(site: Site, _: int) -> None:
    """While the link is down, list after list is published, the last with the traveller on it."""
    link, holder = site.daemons["gate-link"], HOLDERS["kurt"]
    link.stop()
    for rows in ([*LIST, _another()], [*LIST, _another()]):
        site.centre.publish(rows, "--keep", "1")
    listed = {
        "surname": holder.surname, "given": holder.given_names, "birth": holder.birth.isoformat(),
        "nationality": "UTO", "grade": "refer", "reason": "exit_ban", "reference": "case-0002",
    }  # fmt: skip
    site.centre.publish([*LIST, listed], "--keep", "1")
    link.start()
    _await(site, site.centre.version())


def _listed_otherwise(site: Site, _: int) -> None:
    """The traveller comes onto the list: names swapped, written as they sound, and one more of them."""
    listed = {
        "surname": "CURT ADOLF", "given": "LINDKVIST", "birth": HOLDERS["kurt"].birth.isoformat(),
        "nationality": "", "grade": "stop", "reason": "wanted", "reference": "case-0003",
    }  # fmt: skip
    site.centre.publish([*LIST, listed])
    _await(site, site.centre.version())


def _last_entry_is_taken_off(site: Site) -> None:
    site.centre.publish(LIST)
    _await(site, site.centre.version())


def _away(hours: float, more_s: float, told: str, until: State = State.IDLE) -> Callable[[Site, int], None]:
    def comes(site: Site, _: int) -> None:
        site.centre.kill()
        site.daemons["gated"].stop()
        put_back_word(site.state, hours * 3600 + more_s)
        site.start_daemons(until)
        _until(lambda: told in _troubles(site), f"the status does not tell of {told}")

    return comes


def _troubles(site: Site) -> Mapping[str, str]:
    status = site.status()
    return status.age_trouble if status else {}


def _centre_is_back(site: Site) -> None:
    """Its word makes the list young again."""
    site.centre.serve()
    _until(lambda: _age_s(site) < MARGIN_S, "the list stayed old though the centre is back")


def _age_s(site: Site) -> float:
    status = site.status()
    age = status.watchlist_age_s if status else None
    return float("inf") if age is None else age


def _keeps(site: Site, when: str, version: Callable[[], int]) -> None:
    if (has := _version(site)) != (wanted := version()):
        site.centre.problems.append(f"the gate has list {has} in place of {wanted} {when}")


def _judged(site: Site, _: Sequence[Entry]) -> Iterator[str]:
    while site.centre.problems:
        yield site.centre.problems.pop()


LISTS: Mapping[Twist, Course] = {
    Twist.LISTED_OTHERWISE: Course(comes=_listed_otherwise, mended=_last_entry_is_taken_off),
    Twist.LIST_IS_ROLLED_BACK: Course(
        comes=_older_state_is_served, mended=_newest_state_is_served, judged=_judged
    ),
    Twist.LIST_IS_FORGED: Course(comes=_list_is_forged, mended=_true_list_is_published, judged=_judged),
    Twist.DELTAS_ARE_MISSING: Course(comes=_deltas_have_a_gap, mended=_last_entry_is_taken_off),
    Twist.AWAY_FOR_72_HOURS: Course(comes=_away(72, -MARGIN_S, "watchlist_aging"), mended=_centre_is_back),
    Twist.AWAY_FOR_A_WEEK: Course(
        comes=_away(7 * 24, MARGIN_S, "watchlist_closing", State.CLOSED), happens=_centre_is_back
    ),
    Twist.AWAY_FOR_LONGER: Course(comes=_away(72, MARGIN_S, "watchlist_stale"), mended=_centre_is_back),
}
