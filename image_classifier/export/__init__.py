"""The work of export_inference_graph.py."""
