-- What the console's form writes. Its tests keep this file; FORM_QUERIES=write writes it anew.
-- The engine's tests bind every statement and compare the columns.

-- case every column of a table
-- columns id: BIGINT | channel: STRING | amount: DECIMAL(10, 2) | ratio: DOUBLE | paid: BOOLEAN | day: DATE | opens: TIME(0) | ts: TIMESTAMP(3) | seen: TIMESTAMP_LTZ(3) | order: INT | odd `name: CHAR(3) | payload: ROW<`a` INT>
SELECT
  id,
  channel,
  amount,
  ratio,
  paid,
  `day`,
  opens,
  ts,
  seen,
  `order`,
  `odd ``name`,
  payload
FROM shop.events;

-- case columns in the order of ticking, renamed
-- columns the order: INT | value: BIGINT | odd `name: CHAR(3)
SELECT
  `order` AS `the order`,
  id AS `value`,
  `odd ``name`
FROM shop.events;

-- case = of every type that it fits
-- columns id: BIGINT
SELECT
  id
FROM shop.events
WHERE id = -1
  AND channel = 'it''s, 漢'
  AND amount = 0.50
  AND ratio = 1.5e-3
  AND paid = TRUE
  AND `day` = DATE '2026-01-31'
  AND opens = TIME '09:30:00'
  AND ts = TIMESTAMP '2026-01-31 09:30:00'
  AND seen = CAST(TIMESTAMP '2026-01-31 09:30:00' AS TIMESTAMP_LTZ(3))
  AND `order` = 1
  AND `odd ``name` = 'abc';

-- case <> of every type that it fits
-- columns id: BIGINT
SELECT
  id
FROM shop.events
WHERE id <> -1
  AND channel <> 'it''s, 漢'
  AND amount <> 0.50
  AND ratio <> 1.5e-3
  AND paid <> TRUE
  AND `day` <> DATE '2026-01-31'
  AND opens <> TIME '09:30:00'
  AND ts <> TIMESTAMP '2026-01-31 09:30:00'
  AND seen <> CAST(TIMESTAMP '2026-01-31 09:30:00' AS TIMESTAMP_LTZ(3))
  AND `order` <> 1
  AND `odd ``name` <> 'abc';

-- case < of every type that it fits
-- columns id: BIGINT
SELECT
  id
FROM shop.events
WHERE id < -1
  AND channel < 'it''s, 漢'
  AND amount < 0.50
  AND ratio < 1.5e-3
  AND `day` < DATE '2026-01-31'
  AND opens < TIME '09:30:00'
  AND ts < TIMESTAMP '2026-01-31 09:30:00'
  AND seen < CAST(TIMESTAMP '2026-01-31 09:30:00' AS TIMESTAMP_LTZ(3))
  AND `order` < 1
  AND `odd ``name` < 'abc';

-- case <= of every type that it fits
-- columns id: BIGINT
SELECT
  id
FROM shop.events
WHERE id <= -1
  AND channel <= 'it''s, 漢'
  AND amount <= 0.50
  AND ratio <= 1.5e-3
  AND `day` <= DATE '2026-01-31'
  AND opens <= TIME '09:30:00'
  AND ts <= TIMESTAMP '2026-01-31 09:30:00'
  AND seen <= CAST(TIMESTAMP '2026-01-31 09:30:00' AS TIMESTAMP_LTZ(3))
  AND `order` <= 1
  AND `odd ``name` <= 'abc';

-- case > of every type that it fits
-- columns id: BIGINT
SELECT
  id
FROM shop.events
WHERE id > -1
  AND channel > 'it''s, 漢'
  AND amount > 0.50
  AND ratio > 1.5e-3
  AND `day` > DATE '2026-01-31'
  AND opens > TIME '09:30:00'
  AND ts > TIMESTAMP '2026-01-31 09:30:00'
  AND seen > CAST(TIMESTAMP '2026-01-31 09:30:00' AS TIMESTAMP_LTZ(3))
  AND `order` > 1
  AND `odd ``name` > 'abc';

-- case >= of every type that it fits
-- columns id: BIGINT
SELECT
  id
FROM shop.events
WHERE id >= -1
  AND channel >= 'it''s, 漢'
  AND amount >= 0.50
  AND ratio >= 1.5e-3
  AND `day` >= DATE '2026-01-31'
  AND opens >= TIME '09:30:00'
  AND ts >= TIMESTAMP '2026-01-31 09:30:00'
  AND seen >= CAST(TIMESTAMP '2026-01-31 09:30:00' AS TIMESTAMP_LTZ(3))
  AND `order` >= 1
  AND `odd ``name` >= 'abc';

-- case LIKE of every type that it fits
-- columns id: BIGINT
SELECT
  id
FROM shop.events
WHERE channel LIKE 'it''s, 漢'
  AND `odd ``name` LIKE 'abc';

-- case IN of every type that it fits
-- columns id: BIGINT
SELECT
  id
FROM shop.events
WHERE id IN (-1)
  AND channel IN ('it''s', '漢')
  AND amount IN (0.50)
  AND ratio IN (1.5e-3)
  AND `day` IN (DATE '2026-01-31')
  AND opens IN (TIME '09:30:00')
  AND ts IN (TIMESTAMP '2026-01-31 09:30:00')
  AND seen IN (CAST(TIMESTAMP '2026-01-31 09:30:00' AS TIMESTAMP_LTZ(3)))
  AND `order` IN (1)
  AND `odd ``name` IN ('abc');

-- case BETWEEN of every type that it fits
-- columns id: BIGINT
SELECT
  id
FROM shop.events
WHERE id BETWEEN -1 AND 5
  AND channel BETWEEN 'it''s, 漢' AND 'z'
  AND amount BETWEEN 0.50 AND 10
  AND ratio BETWEEN 1.5e-3 AND 2
  AND `day` BETWEEN DATE '2026-01-31' AND DATE '2026-02-28'
  AND opens BETWEEN TIME '09:30:00' AND TIME '18:00:00.5'
  AND ts BETWEEN TIMESTAMP '2026-01-31 09:30:00' AND TIMESTAMP '2026-02-01 00:00:00'
  AND seen BETWEEN CAST(TIMESTAMP '2026-01-31 09:30:00' AS TIMESTAMP_LTZ(3)) AND CAST(TIMESTAMP '2026-02-01 00:00:00' AS TIMESTAMP_LTZ(3))
  AND `order` BETWEEN 1 AND 2
  AND `odd ``name` BETWEEN 'abc' AND 'abd';

-- case IS NULL of every type that it fits
-- columns id: BIGINT
SELECT
  id
FROM shop.events
WHERE id IS NULL
  AND channel IS NULL
  AND amount IS NULL
  AND ratio IS NULL
  AND paid IS NULL
  AND `day` IS NULL
  AND opens IS NULL
  AND ts IS NULL
  AND seen IS NULL
  AND `order` IS NULL
  AND `odd ``name` IS NULL
  AND payload IS NULL;

-- case IS NOT NULL of every type that it fits
-- columns id: BIGINT
SELECT
  id
FROM shop.events
WHERE id IS NOT NULL
  AND channel IS NOT NULL
  AND amount IS NOT NULL
  AND ratio IS NOT NULL
  AND paid IS NOT NULL
  AND `day` IS NOT NULL
  AND opens IS NOT NULL
  AND ts IS NOT NULL
  AND seen IS NOT NULL
  AND `order` IS NOT NULL
  AND `odd ``name` IS NOT NULL
  AND payload IS NOT NULL;

-- case lists, either of them
-- columns id: BIGINT
SELECT
  id
FROM shop.events
WHERE `order` IN (1, 2, 3)
  OR channel IN ('web', 'a, b', 'it''s');

-- case every function
-- columns channel: STRING | order: INT | row_count: BIGINT | count_payload: BIGINT | distinct_channel: BIGINT | sum_order: INT | total: DECIMAL(38, 2) | avg_order: INT | avg_amount: DECIMAL(38, 6) | avg_ratio: DOUBLE | least: VARCHAR(3) | max_seen: TIMESTAMP_LTZ(3) | min_day: DATE | max_opens: TIME(0) | min_channel: STRING
SELECT
  channel,
  `order`,
  COUNT(*) AS row_count,
  COUNT(payload) AS count_payload,
  COUNT(DISTINCT channel) AS distinct_channel,
  SUM(`order`) AS sum_order,
  SUM(amount) AS total,
  AVG(`order`) AS avg_order,
  AVG(amount) AS avg_amount,
  AVG(ratio) AS avg_ratio,
  MIN(`odd ``name`) AS least,
  MAX(seen) AS max_seen,
  MIN(`day`) AS min_day,
  MAX(opens) AS max_opens,
  MIN(channel) AS min_channel
FROM shop.events
GROUP BY channel, `order`;

-- case one group of all rows
-- columns row_count: BIGINT
SELECT
  COUNT(*) AS row_count
FROM shop.events;

-- case only some groups
-- columns channel: STRING | row_count: BIGINT | max_ts: TIMESTAMP(3) | sum_amount: DECIMAL(38, 2)
SELECT
  channel,
  COUNT(*) AS row_count,
  MAX(ts) AS max_ts,
  SUM(amount) AS sum_amount
FROM shop.events
GROUP BY channel
HAVING COUNT(*) > 10
  AND MAX(ts) BETWEEN TIMESTAMP '2026-01-01 00:00:00' AND TIMESTAMP '2026-02-01 00:00:00'
  AND SUM(amount) IS NOT NULL;

-- case tumbling windows
-- columns window_start: TIMESTAMP(3) | window_end: TIMESTAMP(3) | channel: STRING | bids: BIGINT
SELECT
  window_start,
  window_end,
  channel,
  COUNT(*) AS bids
FROM TABLE(
  TUMBLE(TABLE shop.events, DESCRIPTOR(ts), INTERVAL '10' MINUTE)
)
GROUP BY window_start, window_end, channel;

-- case hopping windows
-- columns window_start: TIMESTAMP(3) | window_end: TIMESTAMP(3) | channel: STRING | bids: BIGINT
SELECT
  window_start,
  window_end,
  channel,
  COUNT(*) AS bids
FROM TABLE(
  HOP(TABLE shop.events, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '600' SECOND(3))
)
GROUP BY window_start, window_end, channel;

-- case cumulating windows
-- columns window_start: TIMESTAMP(3) | window_end: TIMESTAMP(3) | channel: STRING | bids: BIGINT
SELECT
  window_start,
  window_end,
  channel,
  COUNT(*) AS bids
FROM TABLE(
  CUMULATE(TABLE shop.events, DESCRIPTOR(ts), INTERVAL '6' HOUR, INTERVAL '1' DAY)
)
GROUP BY window_start, window_end, channel;

-- case sessions of each key
-- columns window_start: TIMESTAMP(3) | window_end: TIMESTAMP(3) | channel: STRING | bids: BIGINT
SELECT
  window_start,
  window_end,
  channel,
  COUNT(*) AS bids
FROM TABLE(
  SESSION(TABLE shop.events PARTITION BY channel, DESCRIPTOR(ts), INTERVAL '30' MINUTE)
)
GROUP BY window_start, window_end, channel;

-- case sessions of all rows
-- columns window_start: TIMESTAMP(3) | window_end: TIMESTAMP(3) | bids: BIGINT
SELECT
  window_start,
  window_end,
  COUNT(*) AS bids
FROM TABLE(
  SESSION(TABLE shop.events, DESCRIPTOR(ts), INTERVAL '30' MINUTE)
)
GROUP BY window_start, window_end;

-- case a window with filters, its end not shown
-- columns window_start: TIMESTAMP(3) | channel: STRING | bids: BIGINT
SELECT
  window_start,
  channel,
  COUNT(*) AS bids
FROM TABLE(
  TUMBLE(TABLE shop.events, DESCRIPTOR(ts), INTERVAL '100' SECOND(3))
)
WHERE paid = TRUE
GROUP BY window_start, window_end, channel
HAVING COUNT(*) > 1;

-- case windows of a time with zone
-- columns window_start: TIMESTAMP(3) | window_end: TIMESTAMP(3) | person: STRING | bids: BIGINT
SELECT
  window_start,
  window_end,
  person,
  COUNT(*) AS bids
FROM TABLE(
  HOP(TABLE shop.visits, DESCRIPTOR(seen), INTERVAL '15' MINUTE, INTERVAL '1' HOUR)
)
GROUP BY window_start, window_end, person;

-- case into a table, one column converted, one left empty
-- columns window_start: TIMESTAMP(3) | channel: STRING | Bids: INT | total: DECIMAL(38, 2) | remark: STRING
INSERT INTO shop.totals (window_start, channel, Bids, total, remark)
SELECT
  window_start,
  channel,
  CAST(COUNT(*) AS INT) AS Bids,
  SUM(amount) AS total,
  CAST(NULL AS STRING) AS remark
FROM TABLE(
  TUMBLE(TABLE shop.events, DESCRIPTOR(ts), INTERVAL '100' SECOND(3))
)
WHERE paid = TRUE
GROUP BY window_start, window_end, channel
HAVING COUNT(*) > 1;
