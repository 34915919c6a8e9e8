-- switches: how often an owner enabled the destination. What a dispatcher learned before the last
-- time is not written over it.

ALTER TABLE destinations
  ADD COLUMN IF NOT EXISTS switches INT UNSIGNED NOT NULL DEFAULT 0 AFTER hold_wait_ms;
