"""The only package that imports torch, transformers and peft."""

import os

# Read by GNU OpenMP when torch is loaded, so it stands before any such import. By default threads that wait for
# each other spin for long: on a busy machine that made training ten times slower, in CPU time too. A short spin
# costs nothing measurable on a quiet machine and gives the core away on a busy one. Set either variable yourself
# to decide otherwise.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
