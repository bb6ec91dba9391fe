"""The HTTP API of Kabar: it accepts notifications, shows what became of them, and lets people act on them."""
