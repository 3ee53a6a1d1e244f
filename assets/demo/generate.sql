-- Bids of the generated auction house, one message each.
INSERT INTO bids
SELECT bid.auction, bid.bidder, bid.price, bid.channel, bid.url, bid.`dateTime`
FROM nexmark
WHERE event_type = 2;
