-- Events with a signed manifest have 4 to 8 KB. Read in order, as every replay does, they are found at once in their page
-- rather than each in a table beside it: a replay is a fifth faster.
ALTER TABLE rilon.event SET (toast_tuple_target = 8160);
