"""HTTP as the simulated providers see it: raw requests, raw answers and the socket beneath."""
