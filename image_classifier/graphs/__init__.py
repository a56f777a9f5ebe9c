"""What the graphs of training, evaluation and inference share."""
