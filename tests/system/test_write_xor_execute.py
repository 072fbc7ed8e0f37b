"""MemoryDenyWriteExecute=yes in the units: what the daemons load runs where the kernel refuses it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DENIED = """
import ctypes, importlib.util, mmap, sys
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
if ctypes.CDLL(None).prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) != 0:
    sys.exit(77)
try:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
except PermissionError:
    pass
else:
    sys.exit("the kernel did not refuse")
"""
VISION = """
import cv2, numpy, threadpoolctl
from pathlib import Path
threadpoolctl.threadpool_limits(limits=1, user_api="blas")
from tflite_runtime.interpreter import Interpreter
wheel = Path(importlib.util.find_spec("mediapipe").origin).parent
interpreter = Interpreter(str(wheel / "modules/face_landmark/face_landmark.tflite"), num_threads=1)
interpreter.allocate_tensors()
face = numpy.zeros((1, 192, 192, 3), numpy.float32)
interpreter.set_tensor(interpreter.get_input_details()[0]["index"], face)
interpreter.invoke()
picture = cv2.imencode(".jpg", numpy.zeros((64, 64, 3), numpy.uint8))[1]
print(cv2.imdecode(picture, cv2.IMREAD_COLOR).shape)
"""
GATED = """
import libusb_package, periphery, serial, sqlite3, usb.backend.libusb1, zmq
from cryptography.hazmat.primitives.asymmetric import ed25519
assert usb.backend.libusb1.get_backend(find_library=lambda _: str(libusb_package.get_library_path()))
ed25519.Ed25519PrivateKey.generate().sign(b"")
zmq.curve_keypair()
print("loaded")
"""


@pytest.mark.parametrize(("program", "answer"), [(VISION, "(64, 64, 3)\n"), (GATED, "loaded\n")])
def test_nothing_needs_memory_that_is_writable_and_executable(program: str, answer: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DENIED + program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode == 77:
        pytest.skip("this kernel has no PR_SET_MDWE (Linux 6.3)")
    assert done.stdout == answer, done.stderr
