"""In the guest: calls the functions of this package that the tests outside name, one after the other.

A request is one line of JSON over a virtio port, with `number`, `module`, `function` and `arguments`; so is
its answer, with the same `number` and `value`, or what was raised: `error`, `code` and `text`. Number 0 says
that the agent is there. Modules keep what they have opened between two calls.
"""

import importlib
import json
import os
import traceback
from pathlib import Path
from typing import Any

PORT = Path("/dev/virtio-ports/agent")
PACKAGE = __package__


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Call what is asked for."""
    try:
        module = importlib.import_module(f"{PACKAGE}.{request['module']}")
        return {"value": getattr(module, request["function"])(**request["arguments"])}
    except Exception as error:  # noqa: BLE001 - it is raised again outside
        return {
            "error": type(error).__name__,
            "code": getattr(error, "code", ""),
            "text": "".join(traceback.format_exception(error)),
        }


def main() -> None:
    """Serve until the machine is switched off."""
    port = os.open(PORT, os.O_RDWR)
    os.write(port, b'{"number": 0}\n')
    with os.fdopen(os.dup(port), "rb") as requests:
        for line in requests:
            request = json.loads(line)
            said = json.dumps({"number": request["number"]} | answer(request)).encode() + b"\n"
            while said:
                said = said[os.write(port, said) :]


if __name__ == "__main__":
    main()
