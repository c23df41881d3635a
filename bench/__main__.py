"""``python -m bench [FIGURE ...]``: all figures, or some; goes on where it was stopped."""

from __future__ import annotations

import argparse
from pathlib import Path

from bench import data, digits, events, explain, metering, month, pneumonia, report, serving
from bench.harness import Bench

FIGURES = {
    "digits": digits.run,
    "metering": metering.run,
    "events": events.run,
    "month": month.run,
    "serving": serving.run,
    "pneumonia": pneumonia.run,
    "data": data.run,
    "explain": explain.run,
    "report": report.run,
}


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("figures", nargs="*", help=f"some of: {', '.join(FIGURES)}")
    parser.add_argument("--again", action="store_true", help="measure again what was measured already")
    parser.add_argument("--seeds", type=int, default=3, help="trainings per figure")
    parser.add_argument("--out", type=Path, default=Path("bench-out"))
    asked = parser.parse_args()
    if unknown := [name for name in asked.figures if name not in FIGURES]:
        parser.error(f"no figure called {', '.join(unknown)}; there are: {', '.join(FIGURES)}")
    bench = Bench(asked.out.resolve(), asked.again, asked.seeds)
    for name in asked.figures or FIGURES:
        FIGURES[name](bench)
    print(f"\nEvery measurement is kept in {bench.out}; --again repeats them.")


if __name__ == "__main__":
    main()
