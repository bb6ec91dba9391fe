"""What services tell each other: the words, the events and the shapes of shared documents."""
