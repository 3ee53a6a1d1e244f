Scripts that the editor offers to begin with. A line "--== Name" begins one, "--= " describes it, and lines that begin
with "--+ " are tables that a team makes under Tables, with a connection: they are no part of the script, and stand here
so that a test can plan it.

--== Deduplicate
--= Keep the first row of each key.
-- Replace the table by yours. Repeats may come late: the earliest by event time counts.
CREATE TEMPORARY TABLE events (
    id BIGINT,
    payload STRING,
    ts TIMESTAMP(3),
    WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'datagen', 'rows-per-second' = '10', 'fields.id.min' = '1', 'fields.id.max' = '50');

SELECT id, payload, ts
FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY id ORDER BY ts ASC) AS rn
    FROM events
)
WHERE rn = 1;

--== Newest row of each key
--= Keep the last row of each key, as a table of current values.
CREATE TEMPORARY TABLE changes (
    id BIGINT,
    status STRING,
    ts TIMESTAMP(3),
    WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'datagen', 'rows-per-second' = '10', 'fields.id.min' = '1', 'fields.id.max' = '50');

SELECT id, status, ts
FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY id ORDER BY ts DESC) AS rn
    FROM changes
)
WHERE rn = 1;

--== Top-N
--= The five highest rows of each group, kept up to date.
CREATE TEMPORARY TABLE sales (
    category INT,
    product BIGINT,
    price BIGINT
) WITH ('connector' = 'datagen', 'rows-per-second' = '10', 'fields.category.min' = '1', 'fields.category.max' = '3');

SELECT category, product, price, place
FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY category ORDER BY price DESC) AS place
    FROM sales
)
WHERE place <= 5;

--== Window aggregation
--= Count and sum per tumbling window of event time.
CREATE TEMPORARY TABLE orders (
    channel INT,
    amount BIGINT,
    ts TIMESTAMP(3),
    WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'datagen', 'rows-per-second' = '10', 'fields.channel.min' = '1', 'fields.channel.max' = '3');

SELECT window_start, window_end, channel, COUNT(*) AS orders, SUM(amount) AS total
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY window_start, window_end, channel;

--== Sliding window
--= An average over the last minute, told every ten seconds.
CREATE TEMPORARY TABLE readings (
    sensor INT,
    measured DOUBLE,
    ts TIMESTAMP(3),
    WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'datagen', 'rows-per-second' = '10', 'fields.sensor.min' = '1', 'fields.sensor.max' = '5');

SELECT window_start, window_end, sensor, AVG(measured) AS average
FROM TABLE(HOP(TABLE readings, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '1' MINUTE))
GROUP BY window_start, window_end, sensor;

--== Interval join
--= Join two streams whose rows belong together within a span of time.
CREATE TEMPORARY TABLE orders (
    id BIGINT,
    ts TIMESTAMP(3),
    WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'datagen', 'rows-per-second' = '10', 'fields.id.min' = '1', 'fields.id.max' = '500');

CREATE TEMPORARY TABLE shipments (
    order_id BIGINT,
    ts TIMESTAMP(3),
    WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'datagen', 'rows-per-second' = '10', 'fields.order_id.min' = '1', 'fields.order_id.max' = '500');

SELECT o.id, o.ts AS ordered_at, s.ts AS shipped_at
FROM orders AS o
JOIN shipments AS s ON o.id = s.order_id AND s.ts BETWEEN o.ts AND o.ts + INTERVAL '4' HOUR;

--== Temporal join
--= Join each row with the version of another table that was valid at its time.
CREATE TEMPORARY TABLE orders (
    id BIGINT,
    currency INT,
    amount BIGINT,
    ts TIMESTAMP(3),
    WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'datagen', 'rows-per-second' = '10', 'fields.currency.min' = '1', 'fields.currency.max' = '5');

CREATE TEMPORARY TABLE rates (
    currency INT,
    rate BIGINT,
    ts TIMESTAMP(3),
    WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'datagen', 'rows-per-second' = '1', 'fields.currency.min' = '1', 'fields.currency.max' = '5');

-- The versions of a key are its rows, newest last.
CREATE TEMPORARY VIEW rate_versions AS
SELECT currency, rate, ts
FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY currency ORDER BY ts DESC) AS rn
    FROM rates
)
WHERE rn = 1;

SELECT o.id, o.amount * r.rate AS converted, o.ts
FROM orders AS o
JOIN rate_versions FOR SYSTEM_TIME AS OF o.ts AS r ON o.currency = r.currency;

--== Join with lookup
--= Ask a database table for each row as it comes.
--+ CREATE TABLE customers (id BIGINT, name STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'postgres', 'hostname' = 'h', 'database-name' = 'd', 'username' = 'u', 'password' = 'p', 'table-name' = 'customers');
-- Make the table customers (id BIGINT, name STRING, primary key id) under Tables, with a connection to your database.
CREATE TEMPORARY TABLE orders (
    id BIGINT,
    customer BIGINT,
    proc AS PROCTIME()
) WITH ('connector' = 'datagen', 'rows-per-second' = '10', 'fields.customer.min' = '1', 'fields.customer.max' = '50');

SELECT o.id, c.name
FROM orders AS o
LEFT JOIN customers FOR SYSTEM_TIME AS OF o.proc AS c ON o.customer = c.id;

--== Kafka to PostgreSQL
--= Keep a database table up to date from a topic.
--+ CREATE TABLE orders (id BIGINT, status STRING, amount BIGINT) WITH ('connector' = 'kafka', 'topic' = 'orders', 'properties.bootstrap.servers' = 'h:9092', 'scan.startup.mode' = 'earliest-offset', 'format' = 'json');
--+ CREATE TABLE order_totals (status STRING, orders BIGINT, total BIGINT, PRIMARY KEY (status) NOT ENFORCED) WITH ('connector' = 'postgres', 'hostname' = 'h', 'database-name' = 'd', 'username' = 'u', 'password' = 'p', 'table-name' = 'order_totals');
-- Make two tables under Tables first: orders (id BIGINT, status STRING, amount BIGINT) of a Kafka connection, and
-- order_totals (status STRING, orders BIGINT, total BIGINT, primary key status) of a PostgreSQL connection.
INSERT INTO order_totals
SELECT status, COUNT(*) AS orders, SUM(amount) AS total
FROM orders
GROUP BY status;

--== Split one input
--= Several outputs of one input, which is read once.
CREATE TEMPORARY TABLE events (id BIGINT, kind INT)
WITH ('connector' = 'datagen', 'rows-per-second' = '10', 'fields.kind.min' = '1', 'fields.kind.max' = '3');

CREATE TEMPORARY TABLE first_kind (id BIGINT) WITH ('connector' = 'blackhole');
CREATE TEMPORARY TABLE other_kinds (id BIGINT, kind INT) WITH ('connector' = 'blackhole');

INSERT INTO first_kind SELECT id FROM events WHERE kind = 1;

INSERT INTO other_kinds SELECT id, kind FROM events WHERE kind <> 1;
