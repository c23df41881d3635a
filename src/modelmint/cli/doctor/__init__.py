"""What ``modelmint doctor`` looks at before a long run; one small file per group of checks."""
