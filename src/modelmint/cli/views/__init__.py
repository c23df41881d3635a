"""How answers look to people: plain JSON in, tables and lines out. Nothing here opens or computes anything."""
