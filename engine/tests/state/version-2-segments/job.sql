CREATE TABLE events (id BIGINT, k STRING, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '3' SECOND)
  WITH ('connector' = 'filesystem', 'path' = 'events', 'format' = 'json');
CREATE TABLE totals (k STRING, n BIGINT, total BIGINT, mn BIGINT, mx BIGINT, mean BIGINT, d BIGINT)
  WITH ('connector' = 'filesystem', 'path' = 'totals', 'format' = 'json');
CREATE TABLE again (n BIGINT, least BIGINT, keys BIGINT)
  WITH ('connector' = 'filesystem', 'path' = 'again', 'format' = 'json');
CREATE TABLE pairs (id BIGINT, other BIGINT, v BIGINT)
  WITH ('connector' = 'filesystem', 'path' = 'pairs', 'format' = 'json');
CREATE TABLE close_by (id BIGINT, other BIGINT)
  WITH ('connector' = 'filesystem', 'path' = 'close_by', 'format' = 'json');
CREATE TABLE tops (k STRING, id BIGINT, v BIGINT, place BIGINT)
  WITH ('connector' = 'filesystem', 'path' = 'tops', 'format' = 'json');
CREATE TABLE firsts (v BIGINT, k STRING)
  WITH ('connector' = 'filesystem', 'path' = 'firsts', 'format' = 'json');
CREATE TABLE lasts (k STRING, ts TIMESTAMP(3))
  WITH ('connector' = 'filesystem', 'path' = 'lasts', 'format' = 'json');
CREATE TABLE tumbles (k STRING, s TIMESTAMP(3), n BIGINT, total BIGINT, d BIGINT)
  WITH ('connector' = 'filesystem', 'path' = 'tumbles', 'format' = 'json');
CREATE TABLE hops (k STRING, s TIMESTAMP(3), n BIGINT, mx BIGINT)
  WITH ('connector' = 'filesystem', 'path' = 'hops', 'format' = 'json');
CREATE TABLE sessions (k STRING, s TIMESTAMP(3), e TIMESTAMP(3), n BIGINT, total BIGINT)
  WITH ('connector' = 'filesystem', 'path' = 'sessions', 'format' = 'json');
CREATE TABLE best (k STRING, id BIGINT, s TIMESTAMP(3))
  WITH ('connector' = 'filesystem', 'path' = 'best', 'format' = 'json');
CREATE TABLE running (id BIGINT, n BIGINT, total BIGINT)
  WITH ('connector' = 'filesystem', 'path' = 'running', 'format' = 'json');
INSERT INTO totals SELECT k, COUNT(*), SUM(v), MIN(v), MAX(v), AVG(v), COUNT(DISTINCT v) FROM events GROUP BY k;
INSERT INTO again SELECT n, MIN(total), COUNT(*) FROM (
  SELECT k, v, COUNT(*) AS n, SUM(id) AS total FROM events GROUP BY k, v) GROUP BY n;
INSERT INTO pairs SELECT a.id, b.id, b.v FROM (SELECT * FROM events WHERE v < 20) AS a
  LEFT JOIN (SELECT * FROM events WHERE v > 90) AS b ON a.k = b.k AND b.id > a.id;
INSERT INTO close_by SELECT a.id, b.id FROM (SELECT * FROM events WHERE v < 40) AS a
  LEFT JOIN (SELECT * FROM events WHERE v > 70) AS b
  ON a.k = b.k AND b.ts BETWEEN a.ts - INTERVAL '4' SECOND AND a.ts + INTERVAL '6' SECOND;
INSERT INTO tops SELECT k, id, v, place FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, id) AS place FROM events) WHERE place <= 3;
INSERT INTO firsts SELECT v, k FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY k, v ORDER BY ts) AS place FROM events) WHERE place = 1;
INSERT INTO lasts SELECT k, ts FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts DESC) AS place FROM events) WHERE place = 1;
INSERT INTO tumbles SELECT k, window_start, COUNT(*), SUM(v), COUNT(DISTINCT v)
  FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end;
INSERT INTO hops SELECT k, window_start, COUNT(*), MAX(v)
  FROM TABLE(HOP(TABLE events, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '20' SECOND)) GROUP BY k, window_start, window_end;
INSERT INTO sessions SELECT k, window_start, window_end, COUNT(*), SUM(v)
  FROM TABLE(SESSION(TABLE events PARTITION BY k, DESCRIPTOR(ts), INTERVAL '2' SECOND)) GROUP BY k, window_start, window_end;
INSERT INTO best SELECT k, id, window_start FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, k ORDER BY v DESC, id) AS place
  FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '10' SECOND))) WHERE place <= 2;
INSERT INTO running SELECT id, COUNT(*) OVER w, SUM(v) OVER w FROM events
  WINDOW w AS (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '5' SECOND PRECEDING AND CURRENT ROW);
CREATE TABLE changes (split BIGINT, k STRING, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '3' SECOND,
  PRIMARY KEY (split, k) NOT ENFORCED) WITH ('connector' = 'filesystem', 'path' = 'changes', 'format' = 'json');
CREATE TABLE placed (id BIGINT, split BIGINT, k STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '3' SECOND)
  WITH ('connector' = 'filesystem', 'path' = 'placed', 'format' = 'json');
CREATE TABLE newest (split BIGINT, n BIGINT, total BIGINT)
  WITH ('connector' = 'filesystem', 'path' = 'newest', 'format' = 'json');
CREATE TABLE back_then (id BIGINT, v BIGINT)
  WITH ('connector' = 'filesystem', 'path' = 'back_then', 'format' = 'json');
CREATE TABLE around (id BIGINT, total BIGINT, mx BIGINT)
  WITH ('connector' = 'filesystem', 'path' = 'around', 'format' = 'json');
CREATE TABLE in_session (id BIGINT, s TIMESTAMP(3), e TIMESTAMP(3))
  WITH ('connector' = 'filesystem', 'path' = 'in_session', 'format' = 'json');
CREATE TABLE before_it (id BIGINT, v BIGINT)
  WITH ('connector' = 'filesystem', 'path' = 'before_it', 'format' = 'json');
CREATE TABLE neighbours (id BIGINT, other BIGINT, s TIMESTAMP(3))
  WITH ('connector' = 'filesystem', 'path' = 'neighbours', 'format' = 'json');
INSERT INTO newest SELECT split, COUNT(*), SUM(v) FROM changes GROUP BY split;
INSERT INTO back_then SELECT p.id, c.v FROM placed AS p
  LEFT JOIN changes FOR SYSTEM_TIME AS OF p.ts AS c ON p.split = c.split AND p.k = c.k;
INSERT INTO around SELECT id, SUM(v) OVER (PARTITION BY k ORDER BY v), MAX(id) OVER (PARTITION BY k ORDER BY v)
  FROM events WHERE v < 10;
INSERT INTO in_session SELECT id, window_start, window_end
  FROM TABLE(SESSION(TABLE events PARTITION BY (k, v), DESCRIPTOR(ts), INTERVAL '4' SECOND));
INSERT INTO before_it SELECT id, LAG(id, 2) OVER (PARTITION BY split, k ORDER BY ts) FROM placed;
INSERT INTO neighbours SELECT a.id, b.id, a.window_start
  FROM (SELECT * FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '10' SECOND)) WHERE v < 30) AS a
  JOIN (SELECT * FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(ts), INTERVAL '10' SECOND)) WHERE v > 80) AS b
  ON a.k = b.k AND a.window_start = b.window_start AND a.window_end = b.window_end;
