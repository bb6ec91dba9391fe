"""The notification types: what each is told with, who gets it, and how it goes unless an operator says otherwise."""
