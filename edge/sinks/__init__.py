"""Where results go besides the stream."""
