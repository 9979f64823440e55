"""What a model needs: its card, data made what the network takes, and answers made of what it gives."""
