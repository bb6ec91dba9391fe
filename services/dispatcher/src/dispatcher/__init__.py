"""Plans notifications, owns the lanes and decides on outcomes."""
