-- Everything the projections make. It can be dropped at any time: it is rebuilt from the log.
CREATE SCHEMA views;
