"""What every service shares: contracts, topology, messaging, MongoDB, telemetry and the runtime."""
