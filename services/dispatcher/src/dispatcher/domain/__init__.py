"""What a delivery, a lane, a circuit are; plain Python."""
