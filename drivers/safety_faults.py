"""What can be wrong with the safety controller and its line: each code, and what a technician does."""

from typing import Final

from drivers.safety_protocol import Fault
from gated.core.ports import DeviceError

DEVICE: Final = "safety_controller"

FIXES: Final = {
    # the session is over: it is begun again by itself
    "not_open": "wait: it is being opened; if it stays so, see the fault before this one",
    "silent": "check the controller's power, its cable, and [safety_controller] port",
    "garbled": (
        "bytes come, but no telegrams: check [safety_controller] baud, the shield and the ground of the cable"
    ),
    "unheard": "it speaks but does not hear the PC: check the wire from the PC's transmitter to its receiver",
    "echo": "the PC hears itself: remove the loop, or switch the adapter's local echo off",
    "not_understood": (
        "it sends what protocol 1 does not know: install firmware and software that belong together"
    ),
    "wrong_version": "it speaks another version of the protocol: install firmware for protocol 1",
    "wrong_configuration": (
        "its parameters are not those of the commissioning: find out who changed them, test the doors again"
        " (docs/safety-controller.md), then write the new hash into [safety_controller] configuration"
    ),
    "heartbeat_too_slow": (
        "lower [safety_controller] heartbeat_s: 2.5 of them must fit into the controller's deadman time"
    ),
    "restarted": "it was without power or reset itself: if it recurs, check its supply",
    "heartbeat_lost": "the PC was silent too long, so it locked the doors: see what held the PC up",
    # the session goes on: somebody must look
    "not_released": "a release is held back: see that the other door shuts, then the controller's own faults",
    "not_locked": (
        "a door stays released though it should be locked: take the lane out of service, look at the door"
    ),
    "entry_relay_stuck": (
        "the entry door's relay does not fall back: replace the relay, then switch the controller off and on"
    ),
    "exit_relay_stuck": (
        "the exit door's relay does not fall back: replace the relay, then switch the controller off and on"
    ),
    "entry_relay_dead": "the entry door's relay does not pick up: check its coil and its feedback contact",
    "exit_relay_dead": "the exit door's relay does not pick up: check its coil and its feedback contact",
    "common_relay_stuck": (
        "the common relay does not fall back: replace it, then switch the controller off and on"
    ),
    "supply_low": "the supply is too low to trust the relays: check the power supply and the load on it",
    "supply_high": "the supply is too high: check the power supply before it damages the relays",
    "self_test": "memory or program of the controller is damaged: replace it",
    "watchdog_reset": "its program hung and was started again: if it recurs, replace the controller",
    "fire_channels": (
        "the two contacts of the fire input disagree, which counts as fire: check both wires of the alarm"
    ),
}
INCIDENTS: Final = frozenset({"not_released", "not_locked", *(str(fault.name).lower() for fault in Fault)})


def error_of(fault: Fault) -> DeviceError:
    """The error for one fault that the controller reports."""
    code = str(fault.name).lower()
    return DeviceError(DEVICE, code, FIXES[code])
