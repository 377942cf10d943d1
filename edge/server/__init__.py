"""Shows the results over HTTP: the page, the stream, events, figures. Owns sockets and never touches arrays."""
