"""Kabar at the command line, for people and scripts."""
