"""The small HTTP face every process has, and how any HTTP application is served."""
