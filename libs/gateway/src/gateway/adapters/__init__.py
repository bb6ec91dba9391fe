"""MongoDB, HTTP and Prometheus behind the ports."""
