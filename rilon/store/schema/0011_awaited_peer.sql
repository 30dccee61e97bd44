CREATE INDEX awaited_peer ON rilon.awaited (peer, rank, asked_at);
