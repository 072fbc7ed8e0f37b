"""Measures a trained model on people it was not trained on: as they are, and dressed by the generator.

Dressed pictures go through detector and mesh anew, as at a gate, so that errors of the mesh under a mask
count. The generator is the one that trained the heads, with other people and another seed: its misses tell
nothing of real masks and hats. The photographs that show a hat or sunglasses by nature tell a little.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models import manifest
from models.evaluation.rates import interval
from models.face import FaceReader
from models.quality.heads import NAMES, FaceHeads
from models.quality.training.camera import photographed
from models.quality.training.faces import Image, Photograph, stored
from models.quality.training.prepare import middle_face
from models.quality.training.samples import Wardrobe

Floats = npt.NDArray[np.float64]
