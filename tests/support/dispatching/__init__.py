"""The real dispatcher process, notifications for it and a gateway that answers as a test says."""
