"""What the programs of the scenes are made of: cameras, pins, wires, voices, the text of rules, pages."""
