"""``python -m modelmint``: the same door as the ``modelmint`` command."""

import sys

from modelmint.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
