"""The same verbs typed at a shell; wires the workshop for build."""
