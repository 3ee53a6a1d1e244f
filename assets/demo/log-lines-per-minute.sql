-- The platform's logs are a table like any other.
INSERT INTO log_lines_per_minute
SELECT window_start, job_name, level, COUNT(*) AS `lines`
FROM TABLE(TUMBLE(TABLE millrace.logs, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end, job_name, level;
