"""What goes to a device: folders that run there, and the way to bring them over."""
