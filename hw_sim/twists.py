"""The twists: what happens besides, when, and how it is put right again. One table, a course for each."""

import signal
import threading
import time
from collections.abc import Mapping

from gated.core.vocabulary import Device, Door, Mode
from gated.runtime import requests as say
from hw_sim.breakdowns import BREAKDOWNS
from hw_sim.cast import FOLLOWER, TRAVELLER, behind
from hw_sim.course import Course
from hw_sim.lane.bodies import bag
from hw_sim.lane.walking import AWAY_M, READER_M, Await, Pause, Sight, Walk, tailgate
from hw_sim.lists import LISTS
from hw_sim.registering import linked, registered
from hw_sim.scenarios import Twist
from hw_sim.site import Site
from hw_sim.two_way import DIRECTION_IS_LOCKED

POWER_IS_BACK_S = 1.0
BAG_STANDS_S = 2.0
BLOCKED_S = 1.5
SENSED_S = 0.3  # from a contact to what the gate knows of it
FOLLOWS_M = 0.6  # behind the traveller
BYSTANDS_M, BYSTANDS_S = -0.7, 12.0  # where a bystander stands, outside the beams, and for how long


def _follower_comes(site: Site, seed: int) -> None:
    site.projector.cast(FOLLOWER, behind(seed))
    follow = (Await(sight=Sight.ENTRY_OPEN), *tailgate(TRAVELLER))
    site.world.person(FOLLOWER, follow, at_m=READER_M - FOLLOWS_M)


def _bystander_comes(site: Site, seed: int) -> None:
    site.projector.cast(FOLLOWER, behind(seed))
    away = (Pause(seconds=BYSTANDS_S), Walk(to_m=AWAY_M))
    site.world.person(FOLLOWER, away, at_m=BYSTANDS_M)


def _power_is_cut(site: Site) -> None:
    site.daemons["gated"].kill()
    site.world.note("fault", "gated", "killed")
    time.sleep(POWER_IS_BACK_S)
    site.daemons["gated"].start()


def _camera_freezes(site: Site) -> None:
    site.camera.freeze()
    site.world.note("fault", "camera", "frozen")


def _camera_dies(site: Site) -> None:
    site.low_camera.die()
    site.world.note("fault", "low camera", "dead")


def _vision_hangs(site: Site) -> None:
    site.daemons["gate-vision"].signal(signal.SIGSTOP)
    site.world.note("fault", "gate-vision", "hangs")


def _vision_is_restarted(site: Site) -> None:
    site.daemons["gate-vision"].kill()
    site.daemons["gate-vision"].start()


def _nobody_comes(_site: Site, _seed: int) -> None:
    """The traveller brings along all that it takes."""


def _bag_is_fetched(site: Site) -> None:
    """Somebody comes for it as soon as the officers were told."""
    time.sleep(BAG_STANDS_S)
    for name in site.world.things():
        site.world.take_away(name)


def _doorway_is_blocked(site: Site) -> None:
    site.world.leave_thing("suitcase", bag(), 0.0)
    threading.Timer(BLOCKED_S, site.world.take_away, ("suitcase",)).start()


def _exit_is_forced(site: Site) -> None:
    site.world.pry(Door.EXIT, 1.0)


def _fault_is_cleared(site: Site) -> None:
    site.tell(say.ClearFaults(device=Device.IO_BOARD))


def _fire_breaks_out(site: Site) -> None:
    site.world.fire(burning=True)


def _fire_is_out(site: Site) -> None:
    site.world.fire(burning=False)
    time.sleep(SENSED_S)
    site.tell(say.ResetEmergency())
    site.tell(say.SetMode(mode=Mode.OPEN, reason="the fire is out, the lane was looked into"))


TWISTS: Mapping[Twist, Course] = {
    Twist.DIRECTION_IS_LOCKED: DIRECTION_IS_LOCKED,
    Twist.NONE: Course(),
    Twist.CENTRAL_GONE: Course(
        comes=lambda site, _: site.centre.kill(), mended=lambda site: site.centre.serve()
    ),
    Twist.FOLLOWER: Course(comes=_follower_comes),
    Twist.BYSTANDER: Course(comes=_bystander_comes),
    Twist.POWER_CUT: Course(happens=_power_is_cut),
    Twist.CAMERA_FREEZES: Course(happens=_camera_freezes, mended=lambda site: site.camera.resume()),
    Twist.CAMERA_DIES: Course(happens=_camera_dies, mended=lambda site: site.low_camera.start()),
    Twist.BAG_IS_FETCHED: Course(comes=_nobody_comes, mended=_bag_is_fetched),
    Twist.DOORWAY_IS_BLOCKED: Course(happens=_doorway_is_blocked),
    Twist.EXIT_IS_FORCED: Course(happens=_exit_is_forced, mended=_fault_is_cleared),
    Twist.FIRE: Course(happens=_fire_breaks_out, mended=_fire_is_out),
    Twist.REGISTERS: Course(
        comes=lambda site, _: site.centre.collect(),
        mended=lambda site: site.centre.kill_collector(),
        judged=lambda site, entries: registered(site.registering, entries),
    ),
    Twist.COMES_WITH_A_NEW_PASSPORT: Course(judged=lambda _, entries: linked(entries)),
    Twist.VISION_HANGS: Course(happens=_vision_hangs, mended=_vision_is_restarted),
    **BREAKDOWNS,
    **LISTS,
}
