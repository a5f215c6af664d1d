"""Where answers come from: files, sockets, the API, Pods, the wire."""
