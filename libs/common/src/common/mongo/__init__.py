"""MongoDB: the connection, the indexes, the gate. Only this package touches Motor."""
