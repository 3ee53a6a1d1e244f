# syntax=docker/dockerfile:1
# Builds everything from source and keeps only the three programs. Nothing is fetched at run time.
FROM rust:1.95-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends cmake g++ make perl nodejs npm \
 && rustup target add wasm32-unknown-unknown
WORKDIR /src
COPY . .
ENV CARGO_TARGET_DIR=/target
RUN cargo xtask build --release \
 && mkdir /out \
 && cp /target/release/millrace /target/release/millrace-worker /target/broker/release/millrace-broker /out/

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --create-home --home-dir /var/lib/millrace millrace
COPY --from=build /out/ /usr/local/bin/
USER millrace
ENV MILLRACE_LISTEN=0.0.0.0:7878 \
    MILLRACE_DATA_DIR=/var/lib/millrace
VOLUME /var/lib/millrace
EXPOSE 7878
ENTRYPOINT ["millrace"]
CMD ["serve"]
