"""What only bundles have: their machine, Python and packages, and what is installed, tested and measured there."""
