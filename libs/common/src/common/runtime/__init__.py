"""How a process starts, runs its loops, drains and ends."""
