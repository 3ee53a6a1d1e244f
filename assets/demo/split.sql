-- Four outputs of one input: the topic is read and decoded once for all of them.
INSERT INTO bids_apple
SELECT auction, bidder, price, bid_time FROM bids WHERE channel = 'Apple';

INSERT INTO bids_google
SELECT auction, bidder, price, bid_time FROM bids WHERE channel = 'Google';

INSERT INTO bids_high
SELECT auction, bidder, price, bid_time FROM bids WHERE price > 1000000;

INSERT INTO bids_other
SELECT auction, bidder, channel, price, bid_time FROM bids WHERE channel <> 'Apple' AND channel <> 'Google';
