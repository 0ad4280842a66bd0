"""What `python -m benchmarks` is made of: servers, contestants, measures, targets, and what is written of them."""
