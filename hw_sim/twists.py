"""The twists: what happens besides, when, and how it is put right again. One table, a course for each."""

import signal
import time
from collections.abc import Mapping

from hw_sim.breakdowns import BREAKDOWNS
from hw_sim.cast import FOLLOWER, TRAVELLER, behind
from hw_sim.course import Course
from hw_sim.lane.walking import AWAY_M, READER_M, Await, Pause, Sight, Walk, tailgate
from hw_sim.scenarios import Twist
from hw_sim.site import Site

POWER_IS_BACK_S = 1.0
FOLLOWS_M = 0.6  # behind the traveller
BYSTANDS_M, BYSTANDS_S = -0.25, 12.0  # where a bystander stands, outside the entry, and for how long


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


TWISTS: Mapping[Twist, Course] = {
    Twist.NONE: Course(),
    Twist.CENTRAL_GONE: Course(
        comes=lambda site, _: site.centre.kill(), mended=lambda site: site.centre.serve()
    ),
    Twist.FOLLOWER: Course(comes=_follower_comes),
    Twist.BYSTANDER: Course(comes=_bystander_comes),
    Twist.POWER_CUT: Course(happens=_power_is_cut),
    Twist.CAMERA_FREEZES: Course(happens=_camera_freezes, mended=lambda site: site.camera.resume()),
    Twist.CAMERA_DIES: Course(happens=_camera_dies, mended=lambda site: site.low_camera.start()),
    Twist.VISION_HANGS: Course(happens=_vision_hangs, mended=_vision_is_restarted),
    **BREAKDOWNS,
}
