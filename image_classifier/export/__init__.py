"""What export_inference_graph.py does."""
