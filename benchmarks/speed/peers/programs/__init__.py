"""What the peers run: a producer and a worker each, in their own environments. Nothing here imports queuectl."""
