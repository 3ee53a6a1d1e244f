-- Files appear when a checkpoint is complete, and are never changed after that.
INSERT INTO bid_archive
SELECT auction, bidder, price, channel, bid_time
FROM bids
WHERE price > 5000000;
