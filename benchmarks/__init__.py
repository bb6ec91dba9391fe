"""One file per figure the README states, each against a peer in the same run."""
