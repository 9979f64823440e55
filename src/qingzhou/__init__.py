"""Qingzhou: bring a trained model to the device it is meant for."""
