"""The page in the browser, on the server's side: files over HTTP, IRC in WebSocket messages."""
