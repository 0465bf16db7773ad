\set n :n + 1
\set gift :client_id * 1000000 + :n
INSERT INTO event (id, body) VALUES ('evt_' || :gift, :body);
