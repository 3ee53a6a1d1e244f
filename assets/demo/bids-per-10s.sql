-- Windows of event time: a late bid belongs to the window in which it was made, not to the one in which it arrives.
INSERT INTO bids_per_10s
SELECT window_start, window_end, channel, COUNT(*) AS bids, SUM(price) AS total, MAX(price) AS highest
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(bid_time), INTERVAL '10' SECOND))
GROUP BY window_start, window_end, channel;
