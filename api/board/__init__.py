"""What the board shows while tickets are sold: figures made of outcomes, pure, and bounded whatever is sold."""
