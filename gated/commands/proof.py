"""Commands about the rules of a lane, which need no running gate: explore them, draw them."""

import argparse
from pathlib import Path

from gated.commands.answer import Answer, UsageError, Words, configured
from gated.core.diagram import mermaid
from gated.core.vocabulary import Topology
from gated.proof.drawing import svg
from gated.proof.report import Explored, explore_all, lines, summary


def add(words: Words) -> None:
    """Put these commands on the command line."""
    of = "; default: that of the configuration, or mantrap"
    explores = words.command("explore", explore)
    which = explores.add_mutually_exclusive_group()
    which.add_argument(
        "--topology", choices=[*map(str, Topology)], metavar="NAME", help=f"{', '.join(Topology)}{of}"
    )
    which.add_argument("--all", action="store_true", help="every topology")
    draws = words.command("diagram", diagram)
    draws.add_argument(
        "--topology", choices=[*map(str, Topology)], metavar="NAME", help=f"{', '.join(Topology)}{of}"
    )
    form = draws.add_mutually_exclusive_group()
    form.add_argument("--svg", type=Path, metavar="FILE", help="write a picture into FILE")
    form.add_argument("--mermaid", action="store_true", help="print it as Mermaid; so without --svg too")


def explore(arguments: argparse.Namespace) -> Answer:
    """Explore every state that a lane, its doors, people and sensors can reach, and check that it is safe."""
    topologies = tuple(Topology) if arguments.all else (_topology(arguments),)
    found: list[Explored] = list(explore_all(topologies))
    text = [line for each in found for line in (*lines(each), "")]
    return Answer(value=tuple(found), text=(*text, *summary(found)), good=all(each.good for each in found))


def diagram(arguments: argparse.Namespace) -> Answer:
    """Draw the states of a lane and what leads from one to the other."""
    topology = _topology(arguments)
    if arguments.svg is None:
        text = mermaid(topology)
        return Answer(value={"topology": topology, "mermaid": text}, text=tuple(text.splitlines()))
    try:
        arguments.svg.write_text(svg(topology), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{arguments.svg}: cannot be written ({error.strerror}): check the path") from error
    return Answer(
        value={"topology": topology, "svg": str(arguments.svg)}, text=(f"{arguments.svg}: {topology}",)
    )


def _topology(arguments: argparse.Namespace) -> Topology:
    """The one named, that of the configuration, or the mantrap."""
    if arguments.topology is not None:
        return Topology(arguments.topology)
    config = configured(arguments)
    return config.policy.lane.topology if config is not None else Topology.MANTRAP
