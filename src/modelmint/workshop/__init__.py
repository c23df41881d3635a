"""The only package that imports torch, transformers and peft."""

import os

# Read by OpenMP when torch is loaded, so it stands before any such import. Threads that wait by spinning make
# training on a busy machine many times slower (ten times at a load of 14 on two cores, in CPU time too) and
# gain little on a quiet one; set the variable yourself to decide otherwise.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
