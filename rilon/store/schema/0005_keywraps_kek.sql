-- Turning a key visits all its wraps, and dropping it asks whether any is left.
CREATE INDEX keywraps_kek ON rilon.keywraps (kek);
