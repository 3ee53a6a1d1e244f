CREATE TABLE events (
  id BIGINT NOT NULL,
  channel STRING,
  amount DECIMAL(10, 2),
  ratio DOUBLE,
  paid BOOLEAN,
  `day` DATE,
  opens TIME(0),
  ts TIMESTAMP(3),
  seen TIMESTAMP_LTZ(3),
  `order` INT,
  `odd ``name` CHAR(3),
  payload ROW<a INT>,
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'filesystem', 'path' = '/in', 'format' = 'json');

CREATE TABLE visits (
  person STRING,
  seen TIMESTAMP_LTZ(3),
  WATERMARK FOR seen AS seen
) WITH ('connector' = 'filesystem', 'path' = '/in', 'format' = 'json');

CREATE TABLE totals (
  window_start TIMESTAMP(3),
  channel STRING,
  Bids INT,
  total DECIMAL(38, 2),
  remark STRING
) WITH ('connector' = 'filesystem', 'path' = '/out', 'format' = 'json');
