"""Simulators of Fonnte and Wablas that can be told over HTTP to misbehave."""
