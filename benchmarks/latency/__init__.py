"""What `api_latency.py` is made of: an application on a stage, troubles, requests, an audit, figures."""
