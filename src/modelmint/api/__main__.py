"""``python -m modelmint.api ROOT``: the bare server, as the load test starts it. People use ``modelmint serve``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from modelmint.api.process import setup_logging
from modelmint.api.server import run
from modelmint.kit.errors import ModelmintError
from modelmint.serving.types import EngineChoice


def main() -> int:
    """Parse, serve, and say on stderr what went wrong."""
    parser = argparse.ArgumentParser(prog="python -m modelmint.api", description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=None)
    parser.add_argument("--engine", default=None)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--log-level", default="WARNING")
    asked = parser.parse_args()
    setup_logging(asked.log_level)
    engine = EngineChoice(asked.engine, asked.threads) if asked.engine else None
    try:
        run(asked.root, asked.host, asked.port, asked.workers, engine=engine, log_level=asked.log_level)
    except ModelmintError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
