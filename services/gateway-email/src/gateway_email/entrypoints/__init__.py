"""What the service listens to besides attempts."""
